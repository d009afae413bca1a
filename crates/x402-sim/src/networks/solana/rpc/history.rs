//! What is on the chain: statuses and transactions, rebuilt from the ledger's records.

use serde_json::{Value, json};

use super::params::{Params, signature, unsupported, wrong};
use super::{Context, text};
use crate::ledger::{Account, AssetId, Call, Effect, Record};
use crate::networks::solana::blockhash;
use crate::networks::solana::by_signature;
use crate::networks::solana::ed25519;
use crate::networks::solana::key::Key;
use crate::networks::solana::message::{Instruction, Meta};
use crate::networks::solana::runtime::bank::Site;
use crate::networks::solana::runtime::budget::{self, Budget};
use crate::networks::solana::transaction::{Transaction, to_base64};
use crate::rpc::RpcError;

/// How many slots later a transaction is final.
const FINAL: u64 = 32;

/// How many signatures are asked for at once, and told at once.
const STATUSES: usize = 256;
const SIGNATURES: u64 = 1_000;

/// How many of the newest records are looked through for an address.
const SEARCHED: usize = 100_000;

/// How many later records are undone in thought to tell what accounts held at a transaction.
const UNWOUND: u32 = 10_000;

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

    fn status(&self) -> Value {
        match self.error {
            Some(error) => json!({ "Err": error }),
            None => json!({ "Ok": null }),
        }
    }

    fn standing(&self, now: u64) -> &'static str {
        if blockhash::slot(now) >= self.slot() + FINAL { "finalized" } else { "confirmed" }
    }
}

/// The record of a transaction that was not undone, and its number.
fn find<'a>(context: &'a Context<'_>, signature: &ed25519::Bytes) -> Option<(u32, &'a Record)> {
    let ledger = context.world.ledger();
    // A fault may keep what came of it from everybody.
    if signature.first_chunk::<32>().is_some_and(|first| context.world.raws().is_hidden(first.into())) {
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
        let found = find(context, &signature).and_then(|(_, record)| Sent::of(record, context.network));
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
    let Some((number, record)) = find(context, &signature) else { return Ok(Value::Null) };
    let Some(sent) = Sent::of(record, context.network) else { return Ok(Value::Null) };
    let Ok(transaction) = Transaction::decode(sent.wire) else { return Ok(Value::Null) };
    if transaction.message.versioned && newest.is_none() {
        return Err(RpcError::new(
            -32_015,
            "Transaction version (0) is not supported by the requesting client. Please try the request again with the \
             following configuration parameter: \"maxSupportedTransactionVersion\": 0",
        ));
    }
    let shown = match encoding {
        "base64" => json!([to_base64(sent.wire), "base64"]),
        "base58" => json!([bs58::encode(sent.wire).into_string(), "base58"]),
        "json" | "jsonParsed" => in_json(&transaction, encoding == "jsonParsed"),
        other => return Err(unsupported(other, "json, jsonParsed, base64 and base58")),
    };
    let version = if transaction.message.versioned { json!(0) } else { json!("legacy") };
    let mut told = json!({
        "slot": sent.slot(), "blockTime": sent.at / 1000, "transaction": shown,
        "meta": meta(context, &transaction, &sent, number),
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
        Ok(find(context, &bytes).map(|(number, _)| number))
    };
    let ledger = context.world.ledger();
    let newest = u32::try_from(ledger.len()).unwrap_or(u32::MAX);
    let (before, until) = (bound("before")?.unwrap_or(newest), bound("until")?);
    let oldest = until.map_or(0, |number| number + 1);
    let told = (oldest..before).rev().take(SEARCHED).filter_map(|number| {
        if ledger.is_undone(number) {
            return None;
        }
        let sent = Sent::of(ledger.record(number)?, context.network)?;
        let transaction = Transaction::decode(sent.wire).ok()?;
        transaction.message.accounts.contains(&key).then(|| {
            json!({
                "signature": bs58::encode(transaction.id()).into_string(), "slot": sent.slot(), "err": sent.error,
                "memo": null, "blockTime": sent.at / 1000, "confirmationStatus": sent.standing(context.now),
            })
        })
    });
    let told: Vec<Value> = told.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    Ok(json!(told))
}

/// A transaction in JSON. What programs make of their instructions is not told: those are given as they are.
fn in_json(transaction: &Transaction, parsed: bool) -> Value {
    let message = &transaction.message;
    let signatures: Vec<String> =
        transaction.signatures.iter().map(|signature| bs58::encode(signature).into_string()).collect();
    let metas = message.metas(|_| Vec::new()).unwrap_or_default();
    let keys: Vec<Value> = message
        .accounts
        .iter()
        .zip(metas)
        .map(|(key, meta)| match meta.filter(|_| parsed) {
            Some(Meta { signer, writable, .. }) => {
                json!({ "pubkey": text(*key), "signer": signer, "writable": writable, "source": "transaction" })
            }
            None => text(*key),
        })
        .collect();
    let data = |data: &[u8]| bs58::encode(data).into_string();
    let at = |place: &u8| message.accounts.get(usize::from(*place)).map(ToString::to_string);
    let instructions: Vec<Value> = message
        .instructions
        .iter()
        .map(|own| {
            if parsed {
                let accounts: Vec<_> = own.accounts.iter().map(at).collect();
                return json!({
                    "programId": at(&own.program), "accounts": accounts, "data": data(&own.data), "stackHeight": 1,
                });
            }
            json!({
                "programIdIndex": own.program, "accounts": own.accounts, "data": data(&own.data), "stackHeight": 1,
            })
        })
        .collect();
    let mut told = json!({
        "accountKeys": keys, "recentBlockhash": bs58::encode(message.blockhash).into_string(),
        "instructions": instructions,
    });
    if !parsed {
        told["header"] = json!({
            "numRequiredSignatures": message.signers, "numReadonlySignedAccounts": message.readonly_signers,
            "numReadonlyUnsignedAccounts": message.readonly_others,
        });
    }
    if message.versioned {
        let lookups: Vec<Value> = message
            .lookups
            .iter()
            .map(|own| {
                json!({
                    "accountKey": text(own.table), "writableIndexes": own.writable, "readonlyIndexes": own.readonly,
                })
            })
            .collect();
        told["addressTableLookups"] = json!(lookups);
    }
    json!({ "signatures": signatures, "message": told })
}

fn meta(context: &Context<'_>, transaction: &Transaction, sent: &Sent<'_>, number: u32) -> Value {
    let site = context.site();
    let message = &transaction.message;
    let metas = message.metas(|table| site.lookup_table(table).unwrap_or_default()).unwrap_or_default();
    let instructions = message.instructions(&metas).unwrap_or_default();
    let fee = Budget::read(&instructions).map_or(0, |budget| budget.fee(u64::from(message.signers)));
    let loaded = metas.iter().flatten().skip(message.accounts.len());
    let of = |writable: bool| loaded.clone().filter(move |meta| meta.writable == writable).map(|meta| text(meta.key));
    let loaded = json!({ "writable": of(true).collect::<Vec<_>>(), "readonly": of(false).collect::<Vec<_>>() });
    let past = Past::of(context, number);
    let keys: Vec<Key> = metas.iter().flatten().map(|meta| meta.key).collect();
    let lamports = |when: When| -> Vec<u64> { keys.iter().map(|key| past.lamports(&site, *key, when)).collect() };
    let tokens = |when: When| past.tokens(&site, &keys, when);
    json!({
        "err": sent.error, "status": sent.status(), "fee": fee,
        "preBalances": lamports(When::Before), "postBalances": lamports(When::After),
        "preTokenBalances": tokens(When::Before), "postTokenBalances": tokens(When::After),
        "innerInstructions": [], "logMessages": logs(&instructions, sent.error), "rewards": [],
        "loadedAddresses": loaded, "computeUnitsConsumed": instructions.iter().map(budget::cost).sum::<u64>(),
    })
}

/// What the programs said, as far as it follows from what was called.
fn logs(instructions: &[Instruction], error: Option<&Value>) -> Vec<String> {
    let failed = error.and_then(|error| error.get("InstructionError")?.get(0)?.as_u64());
    let mut logs = Vec::new();
    for (place, instruction) in instructions.iter().enumerate() {
        let id = instruction.program;
        logs.push(format!("Program {id} invoke [1]"));
        if failed == u64::try_from(place).ok() {
            logs.push(format!("Program {id} failed"));
            return logs;
        }
        logs.push(format!("Program {id} success"));
    }
    logs
}

/// Before a transaction, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Before,
    After,
}

/// What accounts held at a transaction: what they hold now, less what later records changed. What was given by hand
/// since then is counted as if it had been there.
struct Past<'a> {
    /// What later records changed.
    later: Vec<&'a Effect>,
    /// What the transaction itself changed.
    own: &'a [Effect],
}

impl<'a> Past<'a> {
    fn of(context: &'a Context<'_>, number: u32) -> Self {
        let ledger = context.world.ledger();
        let effects = |number: u32| match ledger.record(number) {
            Some(Record::Other(entry)) if !ledger.is_undone(number) => entry.effects.as_slice(),
            _ => &[],
        };
        let newest = u32::try_from(ledger.len()).unwrap_or(u32::MAX);
        let last = newest.min(number.saturating_add(UNWOUND));
        Self { later: (number + 1..last).flat_map(effects).collect(), own: effects(number) }
    }

    /// How much more than before an account has of an asset through effects.
    fn gained(effects: impl Iterator<Item = &'a Effect>, asset: AssetId, account: Account) -> i128 {
        let sign = |value: &alloy_primitives::U256| i128::from(u64::try_from(*value).unwrap_or(u64::MAX));
        effects.fold(0, |sum, effect| match effect {
            Effect::Move { asset: of, from, to, value } if *of == asset => {
                let (gives, takes) = (i128::from(*from == account), i128::from(*to == account));
                sum + (takes - gives) * sign(value)
            }
            Effect::Burn(of, who, value) if (*of, *who) == (asset, account) => sum - sign(value),
            Effect::Grant(of, who, value) if (*of, *who) == (asset, account) => sum + sign(value),
            _ => sum,
        })
    }

    fn at(&self, now: u64, asset: AssetId, account: Account, when: When) -> u64 {
        let later = Self::gained(self.later.iter().copied(), asset, account);
        let own = if when == When::Before { Self::gained(self.own.iter(), asset, account) } else { 0 };
        u64::try_from(i128::from(now) - later - own).unwrap_or(0)
    }

    fn lamports(&self, site: &Site<'_>, key: Key, when: When) -> u64 {
        let now = super::account::Account::at(site, key).map_or(0, |account| account.lamports);
        site.native().map_or(now, |native| self.at(now, native, key.into(), when))
    }

    fn tokens(&self, site: &Site<'_>, keys: &[Key], when: When) -> Vec<Value> {
        let one = |(place, key): (usize, &Key)| {
            let account = super::account::token_account(site, *key)?;
            let mint = site.mint_of(account.asset).and_then(|mint| site.mint(mint))?;
            let held = self.at(account.amount, account.asset, account.owner.into(), when);
            Some(json!({
                "accountIndex": place, "mint": text(mint.key), "owner": text(account.owner),
                "programId": text(mint.program), "uiTokenAmount": super::account::amount(held, mint.decimals),
            }))
        };
        keys.iter().enumerate().filter_map(one).collect()
    }
}
