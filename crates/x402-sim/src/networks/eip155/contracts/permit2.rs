//! The Permit2 contract, as far as signed transfers go, behind its own ABI. The rules are in
//! [`contract`](crate::networks::eip155::permit2::contract).

use std::borrow::Cow;

use alloy_primitives::{Address, B256, U256, b256, keccak256};

use super::{Halt, Log, Machine, Message, RECOVERY, Revert};
use crate::event::PaymentId;
use crate::ledger::{Effect, Once};
use crate::networks::eip155::abi::{self, Args};
use crate::networks::eip155::chain::{self, Signatures};
use crate::networks::eip155::permit2::contract::{self, Place, TRANSFER_FAILED, Transfer};
use crate::networks::eip155::permit2::permit::{separator, typed};
use crate::networks::eip155::signature::Ecdsa;
use crate::world::raw::Paid;

/// `UnorderedNonceInvalidation(address,uint256,uint256)`.
const INVALIDATION: B256 = b256!("3704902f963766a4e561bbaab6e6cdc1b1dd12f6e9e99648da8843b3f46b918d");

/// What it costs to look at the 256 nonces of a word: they are kept one by one here.
const WORD: u64 = 20_000;

/// What it costs to use up a nonce of a word: each is kept for itself.
const BIT: u64 = 5_000;

/// How the type of every permit with a witness begins.
const TYPE_STUB: &str =
    "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,";

/// Calls the contract.
pub(super) fn call(machine: &mut Machine<'_>, message: Message<'_>) -> Result<Vec<u8>, Halt> {
    let (selector, args) = abi::split(message.input).ok_or(Halt::SILENT)?;
    match selector {
        // permitWitnessTransferFrom(...)
        [0x13, 0x7c, 0x29, 0xfe] => transfer(machine, message.sender, args),
        // nonceBitmap(address,uint256)
        [0x4f, 0xe0, 0x2b, 0x44] => {
            machine.spend(WORD)?;
            bitmap(machine, args).ok_or(Halt::SILENT)
        }
        // invalidateUnorderedNonces(uint256,uint256)
        [0x3f, 0xf9, 0xdc, 0xb1] => invalidate(machine, message, args),
        // DOMAIN_SEPARATOR()
        [0x36, 0x44, 0xe5, 0x15] => Ok(separator(machine.block().chain_id).to_vec()),
        _ => Err(Halt::SILENT),
    }
}

/// The nonces of a word that are used, a bit each.
fn bitmap(machine: &Machine<'_>, args: Args<'_>) -> Option<Vec<u8>> {
    let (owner, place) = (args.address(0)?, args.number(1)?);
    let used = |bit: &usize| once(machine, owner, place, *bit).is_some_and(|once| machine.is_used(&once));
    let bits = (0..256).filter(used).fold(U256::ZERO, |bits, bit| bits | (U256::ONE << bit));
    Some(abi::word(bits))
}

/// The nonce at a bit of a word. Words from 2^248 on name none.
fn once(machine: &Machine<'_>, owner: Address, place: U256, bit: usize) -> Option<Once> {
    let nonce = place.checked_mul(U256::from(256))? | U256::from(bit);
    Some(Once::Permit2 { chain: machine.block().chain_id, owner: owner.into(), nonce })
}

fn invalidate(machine: &mut Machine<'_>, message: Message<'_>, args: Args<'_>) -> Result<Vec<u8>, Halt> {
    let (Some(place), Some(mask)) = (args.number(0), args.number(1)) else { return Err(Halt::SILENT) };
    machine.spend(WORD)?;
    let named = (0..256).filter(|bit| mask.bit(*bit)).filter_map(|bit| once(machine, message.sender, place, bit));
    // A bit that is set already stays as it is.
    let effects: Vec<_> = named.filter(|once| !machine.is_used(once)).map(Effect::Cancel).collect();
    machine.spend(BIT.saturating_mul(effects.len() as u64))?;
    machine.apply(effects);
    let topics = vec![INVALIDATION, message.sender.into_word()];
    machine.logs.push(Log { address: message.to, topics, data: [abi::word(place), abi::word(mask)].concat() });
    Ok(Vec::new())
}

/// `permitWitnessTransferFrom`, by any spender and with any witness.
fn transfer(machine: &mut Machine<'_>, spender: Address, args: Args<'_>) -> Result<Vec<u8>, Halt> {
    let (Some(kind), Some(signature)) = (args.bytes(8), args.bytes(9)) else { return Err(Halt::SILENT) };
    machine.spend_bytes(kind.len() + signature.len())?;
    machine.spend(RECOVERY)?;
    let read = || {
        let (token, permitted, nonce, deadline) = (args.address(0)?, args.number(1)?, args.number(2)?, args.number(3)?);
        let (to, amount, owner) = (args.address(4)?, args.number(5)?, args.address(6)?);
        let witness = args.word(7)?;
        let type_hash = keccak256([TYPE_STUB.as_bytes(), kind].concat());
        let permissions = keccak256("TokenPermissions(address token,uint256 amount)");
        let permissions = keccak256([permissions, token.into_word(), permitted.into()].concat());
        let words = [type_hash, permissions, spender.into_word(), nonce.into(), deadline.into(), witness];
        let digest = typed(separator(machine.block().chain_id), keccak256(words.concat()));
        let once = Once::Permit2 { chain: machine.block().chain_id, owner: owner.into(), nonce };
        let parts = parts(signature);
        let call =
            Transfer { token, permitted, deadline, once, owner, to, amount, digest, signature: parts, recovered: None };
        Some((call, signature.len(), PaymentId::of_signature(signature)))
    };
    let (call, length, id) = read().ok_or(Halt::SILENT)?;
    let Transfer { token, owner, to, amount, .. } = call;
    machine.try_permit(id, token, [owner, to], amount);
    let effects = contract::transfer(&call, &machine.place());
    machine.permitted(call.once, effects, told(length, call.deadline, call.permitted))?;
    Ok(Vec::new())
}

impl Machine<'_> {
    /// Where Permit2's rules are executed.
    pub(super) fn place(&self) -> Place<'_> {
        let (block_time, signatures) = (self.block().time, Signatures::Checked);
        Place { catalog: self.catalog, network: self.network, view: self.view(), block_time, signatures }
    }

    /// Notes a payment that is tried by a permit.
    pub(super) fn try_permit(&mut self, id: PaymentId, token: Address, [from, to]: [Address; 2], value: U256) {
        if let Some(token) = self.catalog.token(self.network, token) {
            let (from, to) = (from.into(), to.into());
            self.try_payment(Paid { id: Some(id), asset: token.id, from, to, value });
        }
    }

    /// Applies what a permit's transfer changed, and emits what its token does.
    pub(super) fn permitted(
        &mut self,
        once: Once,
        effects: Result<Vec<Effect>, chain::Revert>,
        told: impl Fn(chain::Revert) -> Halt,
    ) -> Result<(), Halt> {
        let effects = effects.map_err(&told)?;
        if self.is_used(&once) {
            return Err(told(chain::Revert("InvalidNonce()")));
        }
        for effect in &effects {
            if let Effect::Move { asset, from, to, value } = effect
                && let Some(token) = self.catalog.token_by_id(*asset)
            {
                let [from, to] = [from, to].map(|account| Address::from_slice(&account.0[12..]));
                self.logs.push(Log::transfer(token.contract, from, to, *value));
            }
        }
        self.spend(72_000)?;
        self.apply(effects);
        Ok(())
    }
}

/// The parts of a signature of 65 bytes, or of the 64 of EIP-2098. Of other lengths nothing can be recovered: zeros.
pub(super) fn parts(bytes: &[u8]) -> Ecdsa {
    let mut compact = [0; 64];
    match bytes.len() {
        65 => {
            compact.copy_from_slice(&bytes[..64]);
            Ecdsa { compact, v: bytes[64] }
        }
        64 => {
            compact.copy_from_slice(bytes);
            let v = 27 + (compact[32] >> 7);
            compact[32] &= 0x7f;
            Ecdsa { compact, v }
        }
        _ => Ecdsa { compact, v: 27 },
    }
}

/// The contract's own error, with its arguments. The zeros in the place of a signature of a wrong length fail as one.
pub(super) fn told(length: usize, deadline: U256, permitted: U256) -> impl Fn(chain::Revert) -> Halt {
    move |revert| {
        let custom = |signature: &'static str, arguments: &[u8]| Halt::Revert(Revert::custom(signature, arguments));
        match revert.0 {
            TRANSFER_FAILED => Halt::Revert(Revert::text(Cow::Borrowed(TRANSFER_FAILED))),
            "InvalidSignature()" if !matches!(length, 64 | 65) => custom("InvalidSignatureLength()", &[]),
            "SignatureExpired(uint256)" => custom("SignatureExpired(uint256)", &abi::word(deadline)),
            "InvalidAmount(uint256)" => custom("InvalidAmount(uint256)", &abi::word(permitted)),
            name => custom(name, &[]),
        }
    }
}

/// The functions that the contract answers: their selectors and signatures.
pub(super) const FUNCTIONS: &[([u8; 4], &str)] = &[
    (
        alloy_primitives::hex!("137c29fe"),
        "permitWitnessTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes32,string,bytes)",
    ),
    (alloy_primitives::hex!("4fe02b44"), "nonceBitmap(address,uint256)"),
    (alloy_primitives::hex!("3ff9dcb1"), "invalidateUnorderedNonces(uint256,uint256)"),
    (alloy_primitives::hex!("3644e515"), "DOMAIN_SEPARATOR()"),
];
