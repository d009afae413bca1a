//! Multicall3: several calls in one. Source: the contract as deployed on every chain.

use alloy_primitives::{Address, U256, address};

use super::{Halt, LOOK, Machine, Message, Revert};
use crate::networks::eip155::abi::{self, Args};

/// Where it stands on every chain.
pub const ADDRESS: Address = address!("cA11bde05977b3631167028862bE2a173976CA11");

/// What the reading of each inner call costs.
const ELEMENT: u64 = 30;

/// One of the calls.
struct Inner<'a> {
    target: Address,
    may_fail: bool,
    input: &'a [u8],
}

/// Calls the contract.
pub(super) fn call(machine: &mut Machine<'_>, message: Message<'_>) -> Result<Vec<u8>, Halt> {
    let (selector, args) = abi::split(message.input).ok_or(Halt::SILENT)?;
    let block = machine.block();
    match selector {
        // aggregate((address,bytes)[])
        [0x25, 0x2d, 0xba, 0x42] => {
            pay_for(machine, args, 0)?;
            let calls = pairs(args, 0, false).ok_or(Halt::SILENT)?;
            let results = run(machine, &calls)?;
            let data: Vec<_> = results.into_iter().map(|(_, data)| data).collect();
            Ok(abi::numbered(U256::from(block.number), &data))
        }
        // tryAggregate(bool,(address,bytes)[])
        [0xbc, 0xe3, 0x8b, 0xd7] => {
            let strict = args.flag(0).ok_or(Halt::SILENT)?;
            pay_for(machine, args, 1)?;
            let calls = pairs(args, 1, !strict).ok_or(Halt::SILENT)?;
            Ok(abi::results(&run(machine, &calls)?))
        }
        // aggregate3((address,bool,bytes)[])
        [0x82, 0xad, 0x56, 0xcb] => {
            pay_for(machine, args, 0)?;
            let calls = triples(args).ok_or(Halt::SILENT)?;
            Ok(abi::results(&run(machine, &calls)?))
        }
        // getBlockNumber(), getCurrentBlockTimestamp(), getChainId(), getBasefee()
        [0x42, 0xcb, 0xb1, 0x5c] => Ok(abi::word(U256::from(block.number))),
        [0x0f, 0x28, 0xc9, 0x7d] => Ok(abi::word(U256::from(block.time))),
        [0x34, 0x08, 0xe4, 0x70] => Ok(abi::word(U256::from(block.chain_id))),
        [0x3e, 0x64, 0xa6, 0x96] => Ok(abi::word(U256::from(block.base_fee))),
        // getEthBalance(address)
        [0x4d, 0x23, 0x01, 0xcc] => {
            machine.spend(LOOK)?;
            args.address(0).map(|address| abi::word(machine.coins(address))).ok_or(Halt::SILENT)
        }
        _ => Err(Halt::SILENT),
    }
}

/// Pays for the reading of a list of calls: many heads may point to one tail.
fn pay_for(machine: &mut Machine<'_>, args: Args<'_>, index: usize) -> Result<(), Halt> {
    let (length, _) = args.array(index).ok_or(Halt::SILENT)?;
    machine.spend(ELEMENT.saturating_mul(u64::try_from(length).unwrap_or(u64::MAX)))
}

fn run(machine: &mut Machine<'_>, calls: &[Inner<'_>]) -> Result<Vec<(bool, Vec<u8>)>, Halt> {
    let mut results = Vec::with_capacity(calls.len());
    for call in calls {
        match machine.call(Message { sender: ADDRESS, to: call.target, input: call.input }) {
            Ok(data) => results.push((true, data)),
            Err(Halt::Revert(revert)) if call.may_fail => results.push((false, revert.data)),
            Err(Halt::Revert(_)) => return Err(Halt::Revert(Revert::text("Multicall3: call failed"))),
            Err(other) => return Err(other),
        }
    }
    Ok(results)
}

/// `(address target, bytes callData)[]`.
fn pairs(args: Args<'_>, index: usize, may_fail: bool) -> Option<Vec<Inner<'_>>> {
    let (length, elements) = args.array(index)?;
    (0..length)
        .map(|place| {
            let element = elements.tail(place)?;
            Some(Inner { target: element.address(0)?, may_fail, input: element.bytes(1)? })
        })
        .collect()
}

/// `(address target, bool allowFailure, bytes callData)[]`.
fn triples(args: Args<'_>) -> Option<Vec<Inner<'_>>> {
    let (length, elements) = args.array(0)?;
    (0..length)
        .map(|place| {
            let element = elements.tail(place)?;
            Some(Inner { target: element.address(0)?, may_fail: element.flag(1)?, input: element.bytes(2)? })
        })
        .collect()
}

/// The functions that the contract answers: their selectors and signatures.
pub(super) const FUNCTIONS: &[([u8; 4], &str)] = &[
    (alloy_primitives::hex!("252dba42"), "aggregate((address,bytes)[])"),
    (alloy_primitives::hex!("bce38bd7"), "tryAggregate(bool,(address,bytes)[])"),
    (alloy_primitives::hex!("82ad56cb"), "aggregate3((address,bool,bytes)[])"),
    (alloy_primitives::hex!("42cbb15c"), "getBlockNumber()"),
    (alloy_primitives::hex!("0f28c97d"), "getCurrentBlockTimestamp()"),
    (alloy_primitives::hex!("3408e470"), "getChainId()"),
    (alloy_primitives::hex!("3e64a696"), "getBasefee()"),
    (alloy_primitives::hex!("4d2301cc"), "getEthBalance(address)"),
];
