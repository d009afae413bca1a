//! `eth_call` and `eth_estimateGas`: calls on the newest state, of which nothing is kept.

use alloy_primitives::Address;
use serde_json::Value;

use super::params::{address, big, bytes, data, kind, quantity, word, wrong};
use super::{Context, Params, fee};
use crate::chain::Chain;
use crate::networks::eip155::contracts::{GAS_LIMIT, Halt, Machine, Message};
use crate::rpc::RpcError;

/// A call as parameters say it.
struct Asked {
    from: Address,
    to: Address,
    input: Vec<u8>,
    /// How many addresses and storage keys it says it will touch.
    listed: (usize, usize),
}

/// `eth_call`.
pub(super) fn call(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let asked = read(context, params)?;
    run(context, &asked).map(|(given, _)| data(given))
}

/// `eth_estimateGas`.
pub(super) fn estimate(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let asked = read(context, params)?;
    let (_, used) = run(context, &asked)?;
    let (addresses, keys) = asked.listed;
    Ok(quantity(used + fee::intrinsic(&asked.input, addresses, keys)))
}

fn run(context: &Context<'_>, asked: &Asked) -> Result<(Vec<u8>, u64), RpcError> {
    let Chain { catalog, view, .. } = context.world.chain();
    let mut machine = Machine::new((&catalog, context.network), context.world.book(), view, context.next_block());
    let message = Message { sender: asked.from, to: asked.to, input: &asked.input };
    machine.call(message).map(|given| (given, machine.gas)).map_err(error)
}

/// What a node answers to a call that changed nothing.
pub(super) fn error(halt: Halt) -> RpcError {
    match halt {
        Halt::Revert(revert) => RpcError::new(3, revert.message()).with_data(data(&revert.data)),
        Halt::OutOfGas => RpcError::refused(format!("out of gas: the call needs more than {GAS_LIMIT}")),
        Halt::Unknown(text) => RpcError::refused(text),
    }
}

fn read(context: &Context<'_>, params: Params<'_>) -> Result<Asked, RpcError> {
    let asked = match params.required(0)? {
        Value::Object(members) => members,
        other => return Err(wrong(0, &format!("expected an object, got {}", kind(other)))),
    };
    context.require_newest(params, 1)?;
    match params.get(2) {
        None => {}
        Some(Value::Object(overrides)) if overrides.is_empty() => {}
        Some(_) => return Err(RpcError::refused("overrides of the state are not simulated")),
    }
    let member = |name: &str| asked.get(name).filter(|value| !value.is_null());
    let told = |name: &str, what: String| wrong(0, &format!("{name}: {what}"));
    let from = member("from").map_or(Ok(Address::ZERO), address).map_err(|what| told("from", what))?;
    let to = member("to").map(address).transpose().map_err(|what| told("to", what))?;
    let to = to.ok_or_else(creation)?;
    let value = member("value").map(big).transpose().map_err(|what| told("value", what))?;
    if value.is_some_and(|value| !value.is_zero()) {
        return Err(native());
    }
    let (input, data) = (member("input"), member("data"));
    if let (Some(input), Some(data)) = (input, data)
        && input != data
    {
        return Err(wrong(0, "both data and input are given, and they differ"));
    }
    let input = input.or(data).map(bytes).transpose().map_err(|what| told("data", what))?.unwrap_or_default();
    let listed = member("accessList").map_or(Ok((0, 0)), listed).map_err(|what| told("accessList", what))?;
    Ok(Asked { from, to, input, listed })
}

/// How many addresses and storage keys an access list (EIP-2930) holds.
fn listed(list: &Value) -> Result<(usize, usize), String> {
    let Value::Array(entries) = list else { return Err(format!("expected a list, got {}", kind(list))) };
    let mut keys = 0;
    for (place, entry) in entries.iter().enumerate() {
        let at = |what: String| format!("entry {place}: {what}");
        let member = |name: &str| entry.get(name).ok_or_else(|| at(format!("{name} is missing")));
        address(member("address")?).map_err(at)?;
        let Value::Array(named) = member("storageKeys")? else {
            return Err(at("storageKeys: expected a list".to_owned()));
        };
        named.iter().try_for_each(|key| word(key).map(drop)).map_err(at)?;
        keys += named.len();
    }
    Ok((entries.len(), keys))
}

/// Code that a caller brings along.
pub(super) fn creation() -> RpcError {
    RpcError::refused("no contract can be created here: `to` is missing, and code of others is not run")
}

/// Native coins that are to move.
pub(super) fn native() -> RpcError {
    RpcError::refused("native coins are not simulated: `value` must be zero")
}
