//! `eth_sendRawTransaction`: checked as a node checks it, executed at once, and a block of its own.

use alloy_primitives::{Address, U256};
use serde_json::Value;

use super::execute::{creation, native};
use super::params::data;
use super::{Context, Params, fee};
use crate::World;
use crate::chain::Chain;
use crate::ledger::{AssetId, Call, Effect, Entry};
use crate::networks::eip155::checksum;
use crate::networks::eip155::contracts::{GAS_LIMIT, Halt, Machine, Message, Revert};
use crate::networks::eip155::raw::{Form, RawTransaction};
use crate::rpc::RpcError;
use crate::world::raw::{Executed, Kept};

/// `eth_sendRawTransaction`.
pub(super) fn raw(
    world: &mut World,
    (network, chain_id): (&str, u64),
    params: Params<'_>,
    now: u64,
) -> Result<Value, RpcError> {
    let bytes = params.bytes(0)?;
    let raw = RawTransaction::decode(&bytes).map_err(|error| RpcError::refused(error.to_string()))?;
    let context = Context { world, network, chain_id, now };
    let to = check(&context, &raw)?;
    let executed = execute(&context, &raw, to, bytes)?;
    world.include(executed, raw.hash, now);
    Ok(data(raw.hash))
}

/// What a node checks before it takes a transaction. Gives whom it calls.
fn check(context: &Context<'_>, raw: &RawTransaction) -> Result<Address, RpcError> {
    let refuse = |text: String| Err(RpcError::refused(text));
    if raw.chain_id != context.chain_id {
        let own = context.chain_id;
        return refuse(format!("invalid chain id for signer: have {} want {own}", raw.chain_id));
    }
    let to = raw.to.ok_or_else(creation)?;
    if !raw.value.is_zero() {
        return Err(native());
    }
    if raw.gas > GAS_LIMIT {
        return refuse(format!(
            "exceeds block gas limit: the transaction asks for {}, a block has {GAS_LIMIT}",
            raw.gas
        ));
    }
    let intrinsic = intrinsic(raw);
    if raw.gas < intrinsic {
        return refuse(format!("intrinsic gas too low: gas {}, minimum needed {intrinsic}", raw.gas));
    }
    let sender = checksum(raw.sender);
    if raw.form == Form::DynamicFee && raw.tip > raw.max_fee {
        return refuse(format!(
            "max priority fee per gas higher than max fee per gas: address {sender}, maxPriorityFeePerGas: {}, \
             maxFeePerGas: {}",
            raw.tip, raw.max_fee
        ));
    }
    if raw.max_fee < U256::from(fee::BASE_FEE) {
        return refuse(format!(
            "max fee per gas less than block base fee: address {sender}, maxFeePerGas: {}, baseFee: {}",
            raw.max_fee,
            fee::BASE_FEE
        ));
    }
    check_sender(context, raw, &sender)?;
    Ok(to)
}

fn check_sender(context: &Context<'_>, raw: &RawTransaction, sender: &str) -> Result<(), RpcError> {
    let next = u64::from(context.world.ledger().sequence(context.chain_id, raw.sender.into()));
    let nonce = raw.nonce;
    if nonce < next {
        return Err(RpcError::refused(format!("nonce too low: address {sender}, tx: {nonce} state: {next}")));
    }
    if nonce > next {
        return Err(RpcError::refused(format!(
            "nonce too high: address {sender}, tx: {nonce} state: {next}; nothing waits here for the ones between"
        )));
    }
    let cost = raw.max_fee.saturating_mul(U256::from(raw.gas));
    let has = context.coins(raw.sender);
    if cost > has {
        return Err(RpcError::refused(format!(
            "insufficient funds for gas * price + value: address {sender} have {has} want {cost}"
        )));
    }
    Ok(())
}

/// Why a transaction changed nothing but its sender's nonce.
enum Failure {
    /// It needed more gas than it brought: all of that is used.
    OutOfGas,
    /// The contract said no.
    Revert(Revert),
}

fn intrinsic(raw: &RawTransaction) -> u64 {
    let keys = raw.access_list.iter().map(|(_, keys)| keys.len()).sum();
    fee::intrinsic(&raw.input, raw.access_list.len(), keys)
}

/// Executes a transaction on the newest state. A revert is a transaction as well; what is not simulated is none.
fn execute(context: &Context<'_>, raw: &RawTransaction, to: Address, bytes: Vec<u8>) -> Result<Executed, RpcError> {
    let Chain { catalog, view, .. } = context.world.chain();
    let mut machine = Machine::new((&catalog, context.network), context.world.book(), view, context.next_block());
    let given = machine.call(Message { sender: raw.sender, to, input: &raw.input });
    let needed = machine.gas + intrinsic(raw);
    let failed = match given {
        Err(unknown @ Halt::Unknown(_)) => return Err(super::execute::error(unknown)),
        // Whatever it would have come to, it did not get there.
        Ok(_) | Err(_) if needed > raw.gas => Some(Failure::OutOfGas),
        Ok(_) => None,
        Err(Halt::Revert(revert)) => Some(Failure::Revert(revert)),
        Err(Halt::OutOfGas) => Some(Failure::OutOfGas),
    };
    let payments = if failed.is_some() { machine.tried } else { machine.payments };
    let (effects, logs) = if failed.is_some() { Default::default() } else { (machine.effects, machine.logs) };
    let main = payments.first();
    // Where nothing moved, any token of the network says on which chain it was.
    let any = catalog.tokens().iter().find(|token| token.network == context.network).map(|token| token.id);
    let asset = main.map(|paid| paid.asset).or(any).unwrap_or(AssetId(0));
    let moved = main.filter(|_| failed.is_none());
    let entry = Entry {
        asset,
        from: main.map_or_else(|| raw.sender.into(), |paid| paid.from),
        to: main.map_or_else(|| to.into(), |paid| paid.to),
        value: moved.map(|paid| paid.value).unwrap_or_default(),
        sequence: u32::try_from(raw.nonce).unwrap_or(u32::MAX),
        at: context.now,
        call: Call::Raw { chain: context.chain_id, sender: raw.sender, hash: raw.hash, reverted: failed.is_some() },
        effects: [vec![Effect::Count { chain: context.chain_id, account: raw.sender.into() }], effects].concat(),
    };
    let (gas_used, words) = match failed {
        Some(Failure::OutOfGas) => (raw.gas, Some(format!("out of gas: {needed} needed, {} given", raw.gas))),
        Some(Failure::Revert(revert)) => (needed, Some(revert.message())),
        None => (needed, payments.is_empty().then(|| describe(raw, to))),
    };
    let kept = Kept { raw: bytes, logs, gas_used, payments: Vec::new() };
    Ok(Executed { entry, kept, payments, words })
}

/// A transaction that paid nobody, for people.
fn describe(raw: &RawTransaction, to: Address) -> String {
    format!("{} sent a transaction to {} by JSON-RPC", checksum(raw.sender), checksum(to))
}
