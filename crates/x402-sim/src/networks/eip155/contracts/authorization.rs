//! The tokens' EIP-3009 functions: transfers, receipts and cancellations by a signature.
//!
//! Source: the deployed `FiatTokenV2_2`. Each function comes with `v, r, s`, and with the signature as bytes.

use alloy_primitives::{Address, B256, b256, keccak256};

use super::{Halt, Log, Machine, RECOVERY, Revert, ec_recover, require};
use crate::catalog::Token;
use crate::event::PaymentId;
use crate::ledger::{Effect, Once};
use crate::networks::Transfer;
use crate::networks::eip155::abi::{self, Args};
use crate::networks::eip155::chain::{self, Signatures, TransferWithAuthorization};
use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::signature::{Ecdsa, Recovered};
use crate::world::raw::Paid;

/// The hash of `ReceiveWithAuthorization`'s type.
pub(super) const RECEIVE_TYPE: B256 = b256!("d099cc98ef71107a616c4f0f941f04c322d8e254fe26b3c6668db87aae413de8");

/// The hash of `CancelAuthorization(address authorizer,bytes32 nonce)`.
pub(super) const CANCEL_TYPE: B256 = b256!("158b0a9edf7a828aad02f63cd515c68ef2f50ba807396f6d12842833a1597429");

/// How a function takes its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `uint8 v, bytes32 r, bytes32 s`.
    Parts,
    /// `bytes signature`.
    Bytes,
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// `transferWithAuthorization`: anybody.
    Anybody,
    /// `receiveWithAuthorization`: the payee alone, which is `msg.sender`.
    Payee(Address),
}

/// The signature among arguments, from a place on: `r`, `s`, `v` as 65 bytes, or whatever bytes were sent.
pub(super) fn signature(args: Args<'_>, index: usize, form: Form) -> Option<Vec<u8>> {
    match form {
        Form::Bytes => args.bytes(index).map(<[u8]>::to_vec),
        Form::Parts => {
            let (v, r, s) = (args.byte(index)?, args.word(index + 1)?, args.word(index + 2)?);
            Some([r.as_slice(), s.as_slice(), &[v]].concat())
        }
    }
}

/// `transferWithAuthorization` and `receiveWithAuthorization`.
pub(super) fn transfer(
    machine: &mut Machine<'_>,
    token: &Token,
    args: Args<'_>,
    (caller, form): (Caller, Form),
) -> Result<Vec<u8>, Halt> {
    require_function(token)?;
    let (authorization, bytes) = read(args, form).ok_or(Halt::SILENT)?;
    machine.spend_bytes(bytes.len())?;
    machine.spend(RECOVERY)?;
    let once = Once::authorization(token.id, authorization.from, authorization.nonce);
    let call = TransferWithAuthorization {
        token,
        authorization,
        signature: parts(&bytes),
        recovered: match caller {
            Caller::Anybody => None,
            Caller::Payee(_) => Some(recover_receipt(token, authorization, &bytes)),
        },
    };
    machine.try_payment(Paid {
        id: Some(PaymentId::of_signature(&bytes)),
        asset: token.id,
        from: authorization.from.into(),
        to: authorization.to.into(),
        value: authorization.value,
    });
    if let Caller::Payee(sender) = caller {
        machine.require_welcome(token, &[authorization.from, authorization.to])?;
        require(sender == authorization.to, "FiatTokenV2: caller must be the payee")?;
    }
    let executed = chain::execute(&call, machine.view(), machine.block().time, Signatures::Checked);
    let effects = executed.map_err(|revert| told(revert, bytes.len()))?;
    // Used by an earlier call of the same transaction.
    require(!machine.is_used(&once), "FiatTokenV2: authorization is used or canceled")?;
    machine.spend(59_000)?;
    machine.apply(effects);
    let Authorization { from, to, value, nonce, .. } = authorization;
    machine.logs.push(Log::authorization_used(token.contract, from, nonce));
    machine.logs.push(Log::transfer(token.contract, from, to, value));
    Ok(Vec::new())
}

/// `cancelAuthorization`.
pub(super) fn cancel(machine: &mut Machine<'_>, token: &Token, args: Args<'_>, form: Form) -> Result<Vec<u8>, Halt> {
    require_function(token)?;
    let read = || Some((args.address(0)?, args.word(1)?, signature(args, 2, form)?));
    let (authorizer, nonce, signature) = read().ok_or(Halt::SILENT)?;
    machine.spend_bytes(signature.len())?;
    let once = Once::authorization(token.id, authorizer, nonce);
    require(!machine.is_used(&once), "FiatTokenV2: authorization is used or canceled")?;
    let message = keccak256([CANCEL_TYPE, authorizer.into_word(), nonce].concat());
    machine.spend(RECOVERY)?;
    let signer = ec_recover(digest(token.separator, message), &signature)?;
    require(signer == authorizer, "FiatTokenV2: invalid signature")?;
    machine.spend(27_000)?;
    machine.apply(vec![Effect::Cancel(once)]);
    machine.logs.push(Log::authorization_canceled(token.contract, authorizer, nonce));
    Ok(Vec::new())
}

/// `authorizationState(address,bytes32)`.
pub(super) fn state(machine: &Machine<'_>, token: &Token, args: Args<'_>) -> Result<Vec<u8>, Halt> {
    require_function(token)?;
    let (Some(authorizer), Some(nonce)) = (args.address(0), args.word(1)) else { return Err(Halt::SILENT) };
    Ok(abi::flag(machine.is_used(&Once::authorization(token.id, authorizer, nonce))))
}

/// What a signer signs: the typed message under the token's domain.
pub(super) fn digest(separator: B256, message: B256) -> B256 {
    keccak256([[0x19, 0x01].as_slice(), separator.as_slice(), message.as_slice()].concat())
}

/// Whether the token has the functions of EIP-3009 at all.
pub(super) fn require_function(token: &Token) -> Result<(), Halt> {
    if token.asset.transfer == Transfer::Eip3009 { Ok(()) } else { Err(Halt::SILENT) }
}

fn read(args: Args<'_>, form: Form) -> Option<(Authorization, Vec<u8>)> {
    let authorization = Authorization {
        from: args.address(0)?,
        to: args.address(1)?,
        value: args.number(2)?,
        valid_after: args.number(3)?,
        valid_before: args.number(4)?,
        nonce: args.word(5)?,
    };
    Some((authorization, signature(args, 6, form)?))
}

/// The parts of 65 bytes. Of other lengths nothing can be recovered: zeros, which nobody can have signed.
fn parts(bytes: &[u8]) -> Ecdsa {
    let mut compact = [0; 64];
    match bytes.split_last_chunk::<1>() {
        Some((first, [v])) if first.len() == 64 => {
            compact.copy_from_slice(first);
            Ecdsa { compact, v: *v }
        }
        _ => Ecdsa { compact, v: 27 },
    }
}

/// Who signed a receipt: another type than a transfer's, so that it is recovered here.
fn recover_receipt(token: &Token, authorization: Authorization, bytes: &[u8]) -> Recovered {
    let Authorization { from, to, value, valid_after, valid_before, nonce } = authorization;
    let numbers = [value, valid_after, valid_before].map(B256::from);
    let words = [RECEIVE_TYPE, from.into_word(), to.into_word(), numbers[0], numbers[1], numbers[2], nonce];
    let signer = ec_recover(digest(token.separator, keccak256(words.concat())), bytes).ok();
    Recovered { separator: token.separator, authorization, signer }
}

/// The contract's own words, also where the signature has a wrong length: the zeros in its place fail as a signature.
fn told(revert: chain::Revert, length: usize) -> Halt {
    match revert.0 {
        chain::NO_SUCH_FUNCTION => Halt::SILENT,
        "ECRecover: invalid signature" if length != 65 => {
            Halt::Revert(Revert::text("ECRecover: invalid signature length"))
        }
        text => Halt::Revert(Revert::text(text)),
    }
}
