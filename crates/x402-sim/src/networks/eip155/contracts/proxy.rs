//! The two x402 proxies in front of Permit2, behind their own ABI. The rules are in
//! [`contract`](crate::networks::eip155::permit2::contract).

use alloy_primitives::{Address, B256, U256, hex, keccak256};

use super::log::{SETTLED, SETTLED_WITH_PERMIT};
use super::permit2::{parts, told};
use super::{Halt, Log, Machine, Message, RECOVERY, Revert};
use crate::event::PaymentId;
use crate::networks::eip155::PERMIT2;
use crate::networks::eip155::abi::{self, Args};
use crate::networks::eip155::permit2::contract::{self, Settle};
use crate::networks::eip155::permit2::permit::{EXACT_PROXY, Permit, UPTO_PROXY, Witness};

/// The witness types, as the proxies hand them to Permit2.
const EXACT_WITNESS: &str = "Witness(address to,uint256 validAfter)";
const UPTO_WITNESS: &str = "Witness(address to,address facilitator,uint256 validAfter)";

/// What precedes and follows a witness's type in `WITNESS_TYPE_STRING`.
const TYPE_HEAD: &str = "Witness witness)TokenPermissions(address token,uint256 amount)";

/// `permit(address,address,uint256,uint256,uint8,bytes32,bytes32)` of a token.
const PERMIT: [u8; 4] = hex!("d505accf");

/// Whether an address is one of the proxies.
pub(super) fn stands_at(address: Address) -> bool {
    [EXACT_PROXY, UPTO_PROXY].contains(&address)
}

/// Calls a proxy.
pub(super) fn call(machine: &mut Machine<'_>, message: Message<'_>) -> Result<Vec<u8>, Halt> {
    let (selector, args) = abi::split(message.input).ok_or(Halt::SILENT)?;
    let exact = message.to == EXACT_PROXY;
    let witness = if exact { EXACT_WITNESS } else { UPTO_WITNESS };
    match (selector, exact) {
        // settle(...): exact, upto
        ([0x13, 0xcd, 0x3b, 0x53], true) | ([0xff, 0x11, 0xe7, 0xb4], false) => {
            settle(machine, message, args, 0)?;
            machine.logs.push(Log::settled(message.to, SETTLED));
            Ok(Vec::new())
        }
        // settleWithPermit(...): exact, upto
        ([0xfa, 0x34, 0x03, 0x78], true) | ([0x01, 0x6c, 0x17, 0x48], false) => {
            permit(machine, args, exact)?;
            settle(machine, message, args, 5)?;
            machine.logs.push(Log::settled(message.to, SETTLED_WITH_PERMIT));
            Ok(Vec::new())
        }
        // PERMIT2(), WITNESS_TYPEHASH(), WITNESS_TYPE_STRING()
        ([0x6a, 0xfd, 0xd8, 0x50], _) => Ok(PERMIT2.into_word().to_vec()),
        ([0x2c, 0x03, 0xae, 0x6a], _) => Ok(keccak256(witness).to_vec()),
        ([0x15, 0x6e, 0x21, 0x52], _) => Ok(abi::text(format!("{TYPE_HEAD}{witness}").as_bytes())),
        _ => Err(Halt::SILENT),
    }
}

/// Takes a permit (EIP-2612) for Permit2 first. One that was taken before, or fails, is no reason to stop: the allowance
/// may be there already.
fn permit(machine: &mut Machine<'_>, args: Args<'_>, exact: bool) -> Result<(), Halt> {
    let read = || {
        let owner = args.address(if exact { 9 } else { 10 })?;
        let (value, deadline, r, s, v) =
            (args.number(0)?, args.number(1)?, args.word(2)?, args.word(3)?, args.byte(4)?);
        let words =
            [owner.into_word(), PERMIT2.into_word(), value.into(), deadline.into(), B256::from(U256::from(v)), r, s];
        Some((args.address(5)?, value, args.number(6)?, [PERMIT.as_slice(), words.concat().as_slice()].concat()))
    };
    let (token, value, permitted, input) = read().ok_or(Halt::SILENT)?;
    if value != permitted {
        return Err(Halt::Revert(Revert::custom("Permit2612AmountMismatch()", &[])));
    }
    let sender = if exact { EXACT_PROXY } else { UPTO_PROXY };
    match machine.call(Message { sender, to: token, input: &input }) {
        Ok(_) | Err(Halt::Revert(_)) => Ok(()),
        Err(other) => Err(other),
    }
}

/// `settle`, whose arguments begin at a place.
fn settle(machine: &mut Machine<'_>, message: Message<'_>, args: Args<'_>, first: usize) -> Result<(), Halt> {
    let exact = message.to == EXACT_PROXY;
    let read = || {
        let (token, permitted) = (args.address(first)?, args.number(first + 1)?);
        let (nonce, deadline) = (args.number(first + 2)?, args.number(first + 3)?);
        // `upto` says how much before it says whose.
        let next = first + if exact { 4 } else { 5 };
        let amount = if exact { permitted } else { args.number(first + 4)? };
        let (owner, to) = (args.address(next)?, args.address(next + 1)?);
        let facilitator = if exact { None } else { Some(args.address(next + 2)?) };
        let last = next + if exact { 2 } else { 3 };
        let witness = Witness { to, facilitator, valid_after: args.number(last)? };
        let (chain_id, spender) = (machine.block().chain_id, message.to);
        let permit = Permit { chain_id, token, amount: permitted, spender, nonce, deadline, witness };
        Some((permit, amount, owner, args.bytes(last + 1)?))
    };
    let (permit, amount, owner, bytes) = read().ok_or(Halt::SILENT)?;
    machine.spend_bytes(bytes.len())?;
    machine.spend(RECOVERY)?;
    machine.try_permit(PaymentId::of_signature(bytes), permit.token, [owner, permit.witness.to], amount);
    let call = Settle { permit, amount, owner, signature: parts(bytes), caller: message.sender, recovered: None };
    let effects = contract::settle(&call, &machine.place());
    machine.permitted(permit.once(owner), effects, told(bytes.len(), permit.deadline, permit.amount))
}

/// The functions that the contracts answer: their selectors and signatures.
pub(super) const FUNCTIONS: &[([u8; 4], &str)] = &[
    (hex!("13cd3b53"), "settle(((address,uint256),uint256,uint256),address,(address,uint256),bytes)"),
    (hex!("ff11e7b4"), "settle(((address,uint256),uint256,uint256),uint256,address,(address,address,uint256),bytes)"),
    (
        hex!("fa340378"),
        "settleWithPermit((uint256,uint256,bytes32,bytes32,uint8),((address,uint256),uint256,uint256),address,\
         (address,uint256),bytes)",
    ),
    (
        hex!("016c1748"),
        "settleWithPermit((uint256,uint256,bytes32,bytes32,uint8),((address,uint256),uint256,uint256),uint256,address,\
         (address,address,uint256),bytes)",
    ),
    (hex!("6afdd850"), "PERMIT2()"),
    (hex!("2c03ae6a"), "WITNESS_TYPEHASH()"),
    (hex!("156e2152"), "WITNESS_TYPE_STRING()"),
];
