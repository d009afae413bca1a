//! What is on the chain: statuses and transactions, rebuilt from the ledger's records.

use serde_json::{Value, json};

use super::Context;
use super::params::{Params, signature, unsupported, wrong};
use super::shown::{in_json, meta};
use crate::World;
use crate::ledger::{Call, Record};
use crate::networks::solana::transaction::{Outline, Transaction, to_base64};
use crate::networks::solana::{self, blockhash, by_signature, ed25519, tables};
use crate::rpc::RpcError;

/// How many slots later a transaction is final.
const FINAL: u64 = 32;

/// How many signatures are asked for at once, and told at once.
const STATUSES: usize = 256;
const SIGNATURES: u64 = 1_000;

/// How many of the newest records are looked through for an address.
const SEARCHED: usize = 100_000;

/// A transaction of a cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    wire: &'a [u8],
    /// Why it failed.
    pub(super) error: Option<&'a Value>,
    at: u64,
}

impl<'a> Sent<'a> {
    /// The transaction behind a record, if it is of this cluster.
    pub(super) fn of(record: &'a Record, network: &str) -> Option<Self> {
        let Record::Other(entry) = record else { return None };
        let Call::Svm { network: own, wire, error, .. } = &entry.call else { return None };
        (own == network).then(|| Self { wire, error: error.as_ref(), at: entry.at })
    }

    fn slot(&self) -> u64 {
        blockhash::slot(self.at)
    }

    /// The same as `status` in an answer.
    pub(super) fn status(&self) -> Value {
        match self.error {
            Some(error) => json!({ "Err": error }),
            None => json!({ "Ok": null }),
        }
    }

    fn standing(&self, now: u64) -> &'static str {
        if blockhash::slot(now) >= self.slot() + FINAL { "finalized" } else { "confirmed" }
    }
}

/// Whether a fault keeps what came of a transaction from everybody.
fn is_hidden(world: &World, signature: &ed25519::Bytes) -> bool {
    signature.first_chunk::<32>().is_some_and(|first| world.raws().is_hidden(first.into()))
}

/// The record of a transaction that was not undone and that nothing hides, and its number.
pub(super) fn find<'a>(world: &'a World, signature: &ed25519::Bytes) -> Option<(u32, &'a Record)> {
    let ledger = world.ledger();
    if is_hidden(world, signature) {
        return None;
    }
    let number = ledger.user_of(&by_signature(signature))?;
    ledger.record(number).map(|record| (number, record))
}

/// `getSignatureStatuses`.
pub(super) fn statuses(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let what = "a list of signatures";
    let asked = params.list(0, what)?;
    if asked.len() > STATUSES {
        return Err(RpcError::invalid_params(format!("Too many inputs provided; max {STATUSES}")));
    }
    let one = |value: &Value| {
        let signature = value.as_str().and_then(signature).ok_or_else(|| wrong(0, what, value))?;
        let found = find(context.world, &signature).and_then(|(_, record)| Sent::of(record, context.network));
        let Some(sent) = found else { return Ok(Value::Null) };
        let standing = sent.standing(context.now);
        let passed = blockhash::slot(context.now).saturating_sub(sent.slot());
        let confirmations = if standing == "finalized" { Value::Null } else { json!(passed) };
        Ok(json!({
            "slot": sent.slot(), "confirmations": confirmations, "err": sent.error, "status": sent.status(),
            "confirmationStatus": standing,
        }))
    };
    let all = asked.iter().map(one).collect::<Result<Vec<_>, RpcError>>()?;
    Ok(context.at(&json!(all)))
}

/// `getTransaction`.
pub(super) fn transaction(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let (signature, config) = (params.signature(0)?, params.config(1)?);
    let (encoding, newest) = (config.text("encoding", "json")?, config.number("maxSupportedTransactionVersion")?);
    let Some((number, record)) = find(context.world, &signature) else { return Ok(Value::Null) };
    let Some(sent) = Sent::of(record, context.network) else { return Ok(Value::Null) };
    let Ok(transaction) = Transaction::decode(sent.wire) else { return Ok(Value::Null) };
    if transaction.message.versioned && newest.is_none() {
        return Err(RpcError::new(
            -32_015,
            "Transaction version (0) is not supported by the requesting client. Please try the request again with the \
             following configuration parameter: \"maxSupportedTransactionVersion\": 0",
        ));
    }
    let site = context.site();
    let metas = transaction.message.metas(|table| site.lookup_table(table).unwrap_or_default()).unwrap_or_default();
    let shown = match encoding {
        "base64" => json!([to_base64(sent.wire), "base64"]),
        "base58" => json!([bs58::encode(sent.wire).into_string(), "base58"]),
        "json" | "jsonParsed" => in_json(&transaction, &metas, encoding == "jsonParsed"),
        other => return Err(unsupported(other, "json, jsonParsed, base64 and base58")),
    };
    let version = if transaction.message.versioned { json!(0) } else { json!("legacy") };
    let mut told = json!({
        "slot": sent.slot(), "blockTime": sent.at / 1000, "transaction": shown,
        "meta": meta(context, (&transaction, &metas), &sent, number),
    });
    if newest.is_some() {
        told["version"] = version;
    }
    Ok(told)
}

/// `getSignaturesForAddress`, the newest first.
pub(super) fn signatures(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let (key, config) = (params.key(0)?, params.config(1)?);
    let limit = config.number("limit")?.unwrap_or(SIGNATURES);
    if limit == 0 || limit > SIGNATURES {
        return Err(RpcError::invalid_params(format!("Invalid limit; max {SIGNATURES}")));
    }
    let bound = |name: &str| {
        let Some(value) = config.get(name) else { return Ok(None) };
        let bytes = value.as_str().and_then(signature);
        let bytes = bytes.ok_or_else(|| RpcError::invalid_params(format!("{name}: expected a signature")))?;
        Ok(Some(find(context.world, &bytes).map(|(number, _)| number)))
    };
    let ledger = context.world.ledger();
    let newest = u32::try_from(ledger.len()).unwrap_or(u32::MAX);
    let (before, until) = (bound("before")?.unwrap_or(Some(newest)), bound("until")?.flatten());
    // As at a node: before a signature that it does not know there is nothing.
    let Some(before) = before else { return Ok(json!([])) };
    let site = context.site();
    let loadable = site.lookup_table(tables::address()).is_some_and(|entries| entries.contains(&key));
    let names = |wire: &[u8]| {
        let Some(outline) = Outline::of(wire) else { return false };
        outline.accounts.contains(&key.0)
            || loadable
                && outline.looks_up
                && Transaction::decode(wire).is_ok_and(|own| {
                    let metas = own.message.metas(|table| site.lookup_table(table).unwrap_or_default());
                    metas.is_ok_and(|metas| metas.iter().flatten().any(|meta| meta.key == key))
                })
    };
    let oldest = until.map_or(0, |number| number + 1);
    let told = (oldest..before).rev().take(SEARCHED).filter_map(|number| {
        let sent = Sent::of(ledger.record(number)?, context.network).filter(|sent| names(sent.wire))?;
        let signature = solana::signature(sent.wire)?;
        if ledger.is_undone(number) || is_hidden(context.world, &signature) {
            return None;
        }
        Some(json!({
            "signature": bs58::encode(signature).into_string(), "slot": sent.slot(), "err": sent.error,
            "memo": null, "blockTime": sent.at / 1000, "confirmationStatus": sent.standing(context.now),
        }))
    });
    let told: Vec<Value> = told.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    Ok(json!(told))
}
