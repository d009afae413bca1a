//! A transaction as a node shows it: in JSON, and what became of it.

use serde_json::{Value, json};

use super::history::Sent;
use super::past::{Past, When};
use super::{Context, text};
use crate::networks::solana::key::Key;
use crate::networks::solana::message::{Instruction, Meta};
use crate::networks::solana::runtime::budget::{self, Budget};
use crate::networks::solana::transaction::Transaction;

/// A transaction in JSON. What programs make of their instructions is not told: those are given as they are.
pub(super) fn in_json(transaction: &Transaction, metas: &[Option<Meta>], parsed: bool) -> Value {
    let message = &transaction.message;
    let signatures: Vec<String> =
        transaction.signatures.iter().map(|signature| bs58::encode(signature).into_string()).collect();
    let own = message.accounts.len();
    let of_table = |(place, meta): (usize, &Option<Meta>)| {
        let Meta { key, signer, writable } = (*meta)?;
        let source = if place < own { "transaction" } else { "lookupTable" };
        Some(json!({ "pubkey": text(key), "signer": signer, "writable": writable, "source": source }))
    };
    // Unless they are told in full, the accounts are those that the message names itself.
    let keys: Vec<Value> = if parsed {
        metas.iter().enumerate().filter_map(of_table).collect()
    } else {
        message.accounts.iter().copied().map(text).collect()
    };
    let data = |data: &[u8]| bs58::encode(data).into_string();
    let at = |place: &u8| metas.get(usize::from(*place)).copied().flatten().map(|meta| meta.key.to_string());
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

/// What became of a transaction, and what its accounts held before and after.
pub(super) fn meta(
    context: &Context<'_>,
    (transaction, metas): (&Transaction, &[Option<Meta>]),
    sent: &Sent<'_>,
    number: u32,
) -> Value {
    let site = context.site();
    let message = &transaction.message;
    let instructions = message.instructions(metas).unwrap_or_default();
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
