//! Slots, blockhashes and fees, and what the cluster is.

#![expect(clippy::unnecessary_wraps, reason = "every method of the table may fail, and some never do")]

use serde_json::{Value, json};

use super::params::{Params, wrong};
use super::{Context, in_context};
use crate::World;
use crate::networks::solana::blockhash::{self, EPOCH};
use crate::networks::solana::message::Message;
use crate::networks::solana::runtime::budget::Budget;
use crate::networks::solana::transaction::base64_bytes;
use crate::networks::solana::{assets, parse_address};
use crate::rpc::RpcError;

/// What the node calls itself.
pub(super) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "-x402-dev");

/// The hashes of the first blocks, of which the networks' ids are the beginnings.
const GENESIS: [(&str, &str); 3] = [
    (assets::DEVNET, "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"),
    (assets::TESTNET, "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY"),
    (assets::MAINNET, "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"),
];

/// `getLatestBlockhash`: another one at each call, also while the clock stands.
pub(super) fn latest_blockhash(world: &mut World, network: &str, now: u64) -> Result<Value, RpcError> {
    let (made, last) = world.recent_blockhash(network, now);
    let value = json!({ "blockhash": made, "lastValidBlockHeight": last });
    Ok(in_context(now, &value))
}

/// `isBlockhashValid`.
pub(super) fn is_blockhash_valid(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let what = "a blockhash: base58 of 32 bytes";
    let text = params.text(0, what)?;
    let hash = parse_address(text).ok_or_else(|| wrong(0, what, &json!(text)))?;
    params.config(1)?;
    let valid = blockhash::why_not(context.network, hash, context.now).is_none();
    Ok(context.at(&json!(valid)))
}

/// `getSlot` and `getBlockHeight`: no slot is left out.
pub(super) fn slot(context: &Context<'_>, _: Params<'_>) -> Result<Value, RpcError> {
    Ok(json!(blockhash::slot(context.now)))
}

/// `getBlockTime`, in seconds.
pub(super) fn block_time(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let slot = params.number(0)?;
    if slot > blockhash::slot(context.now) {
        return Err(RpcError::new(-32004, format!("Block not available for slot {slot}")));
    }
    Ok(json!(blockhash::time_of(slot) / 1000))
}

/// `getEpochInfo`.
pub(super) fn epoch(context: &Context<'_>, _: Params<'_>) -> Result<Value, RpcError> {
    let slot = blockhash::slot(context.now);
    Ok(json!({
        "absoluteSlot": slot, "blockHeight": slot, "epoch": slot / EPOCH, "slotIndex": slot % EPOCH,
        "slotsInEpoch": EPOCH, "transactionCount": context.world.ledger().len(),
    }))
}

/// `getGenesisHash`.
pub(super) fn genesis(context: &Context<'_>, _: Params<'_>) -> Result<Value, RpcError> {
    let known = GENESIS.iter().find(|(network, _)| *network == context.network);
    let unknown = || RpcError::refused(format!("the genesis hash of {} is not known", context.network));
    known.map(|(_, hash)| json!(hash)).ok_or_else(unknown)
}

/// `getVersion`.
pub(super) fn version(_: &Context<'_>, _: Params<'_>) -> Result<Value, RpcError> {
    Ok(json!({ "solana-core": VERSION, "feature-set": 0 }))
}

/// `getMinimumBalanceForRentExemption`, in lamports.
pub(super) fn rent(_: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let length = params.number(0)?;
    let too_long = || RpcError::invalid_params("Invalid param: an account holds 10485760 bytes at most");
    let length = usize::try_from(length).ok().filter(|length| *length <= 10 * 1024 * 1024).ok_or_else(too_long)?;
    Ok(json!(rent_of(length)))
}

/// What it costs to keep data, in lamports: two years of it, and of 128 bytes besides.
///
/// Source: `Rent::default().minimum_balance`.
pub(super) fn rent_of(length: usize) -> u64 {
    (u64::try_from(length).unwrap_or(u64::MAX).saturating_add(128)).saturating_mul(3_480 * 2)
}

/// `getFeeForMessage`, in lamports; `null` where the blockhash is too old.
pub(super) fn fee(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let bytes = base64_bytes(params.text(0, "a message in base64")?)
        .map_err(|error| RpcError::invalid_params(format!("invalid base64 encoding: {error}")))?;
    let refuse = |why: String| RpcError::invalid_params(format!("failed to deserialize message: {why}"));
    let message = Message::decode(&bytes).map_err(|error| refuse(error.to_string()))?;
    if let Some(why) = message.irregular {
        return Err(refuse(why.to_owned()));
    }
    if blockhash::why_not(context.network, message.blockhash, context.now).is_some() {
        return Ok(context.at(&Value::Null));
    }
    let site = context.site();
    let metas = message.metas(|table| site.lookup_table(table).unwrap_or_default());
    let instructions =
        metas.and_then(|metas| message.instructions(&metas)).map_err(|error| refuse(error.to_string()))?;
    let budget = Budget::read(&instructions).map_err(|failure| refuse(failure.to_string()))?;
    Ok(context.at(&json!(budget.fee(u64::from(message.signers)))))
}
