//! Transactions that come from outside: simulated, or executed for real.

use std::fmt::Display;

use serde_json::{Value, json};

use super::Context;
use super::params::{Config, Params};
use crate::World;
use crate::networks::solana::blockhash::{self, LIFETIME};
use crate::networks::solana::compile::compile;
use crate::networks::solana::key::Key;
use crate::networks::solana::message::{Instruction, Meta};
use crate::networks::solana::runtime::budget::LAMPORTS_PER_SIGNATURE;
use crate::networks::solana::runtime::{Bank, Failure, Lifetime, Outcome, Signatures, Wrong, run};
use crate::networks::solana::transaction::{PACKET, Transaction};
use crate::networks::solana::{ed25519, program};
use crate::rpc::RpcError;

/// The most that is given for nothing at once, in lamports: 10,000 SOL.
const AIRDROP: u64 = 10_000 * 1_000_000_000;

/// The private key of whoever gives it.
const FAUCET: [u8; 32] = *b"x402-dev: who gives lamports out";

/// A transaction that cannot be executed.
const PREFLIGHT: i64 = -32_002;
/// A signature that is missing or wrong.
const SIGNATURE: i64 = -32_003;

/// `simulateTransaction`.
pub(super) fn simulate(world: &mut World, network: &str, params: Params<'_>, now: u64) -> Result<Value, RpcError> {
    let config = params.config(1)?;
    let (verify, replace) = (config.flag("sigVerify")?, config.flag("replaceRecentBlockhash")?);
    if verify && replace {
        return Err(RpcError::invalid_params("sigVerify may not be used with replaceRecentBlockhash"));
    }
    if config.get("accounts").is_some() {
        return Err(RpcError::invalid_params(
            "accounts: what a simulation leaves in accounts is not told here; ask without",
        ));
    }
    let inner = config.flag("innerInstructions")?;
    let transaction = transaction(params, config)?;
    let replacement = replace.then(|| world.next_blockhash(network, now));
    world.meet_owners(network, transaction.message.accounts.iter().copied());
    let chain = world.chain();
    let context = Context { world, chain, network, now };
    let signatures = if verify { Signatures::Checked } else { Signatures::Unchecked };
    let lifetime = if replace { Lifetime::Any } else { Lifetime::Checked };
    let mut value = match run(Bank::new(context.site()), &transaction, signatures, lifetime) {
        Err(failure) if failure.wrong() == Wrong::Signature => return Err(unverified(&failure)),
        Err(failure) if failure.wrong() == Wrong::Sanitize => return Err(insane(&failure)),
        Err(failure) => told(&failure, std::slice::from_ref(&failure.why), 0),
        Ok(outcome) => outcome_told(&outcome),
    };
    if inner {
        value["innerInstructions"] = json!([]);
    }
    if let Some(made) = replacement {
        let height = blockhash::slot(now) + LIFETIME;
        let made = bs58::encode(made).into_string();
        value["replacementBlockhash"] = json!({ "blockhash": made, "lastValidBlockHeight": height });
    }
    Ok(context.at(&value))
}

/// `sendTransaction`. What cannot get on the chain is refused at once, also without a preflight: a node would say
/// nothing, and the sender would wait.
pub(super) fn send(world: &mut World, network: &str, params: Params<'_>, now: u64) -> Result<Value, RpcError> {
    let config = params.config(1)?;
    let transaction = transaction(params, config)?;
    let preflight = if config.flag("skipPreflight")? { Preflight::Skipped } else { Preflight::Made };
    submit(world, network, Sending { transaction: &transaction, preflight, given: None }, now)
}

/// Whether a transaction that would fail is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preflight {
    /// It is refused.
    Made,
    /// It fails on the chain.
    Skipped,
}

/// A transaction on its way to the chain.
#[derive(Clone, Copy, Debug)]
struct Sending<'a> {
    transaction: &'a Transaction,
    preflight: Preflight,
    /// Lamports that appear in an account before it runs.
    given: Option<(Key, u64)>,
}

fn submit(world: &mut World, network: &str, sending: Sending<'_>, now: u64) -> Result<Value, RpcError> {
    let Sending { transaction, preflight: wanted, given } = sending;
    let skip = wanted == Preflight::Skipped;
    world.meet_owners(network, transaction.message.accounts.iter().copied());
    let name = json!(bs58::encode(transaction.id()).into_string());
    let chain = world.chain();
    let context = Context { world, chain, network, now };
    let mut bank = Bank::new(context.site());
    if let Some((key, amount)) = given {
        bank.give_lamports(key, amount);
    }
    let outcome = match run(bank, transaction, Signatures::Checked, Lifetime::Checked) {
        Err(failure) if failure.wrong() == Wrong::Signature => return Err(unverified(&failure)),
        Err(failure) if failure.wrong() == Wrong::Sanitize => return Err(insane(&failure)),
        // It is there: whoever sends it again without asking is told its name.
        Err(failure) if failure.wrong() == Wrong::Processed && skip => return Ok(name),
        Err(failure) => return Err(preflight(&failure, &told(&failure, std::slice::from_ref(&failure.why), 0))),
        Ok(outcome) => outcome,
    };
    if let (Err(failure), false) = (&outcome.result, skip) {
        return Err(preflight(failure, &outcome_told(&outcome)));
    }
    let error = outcome.result.as_ref().err().map(Failure::to_json);
    let effects = outcome.bank.effects;
    world.include_on_solana(network, transaction, (effects, error), now);
    Ok(name)
}

/// `requestAirdrop`: a transfer from an account that nobody else uses. What it gives, and the fee, appear in it at that
/// moment, so that airdrops never end and take nothing from anybody.
pub(super) fn airdrop(world: &mut World, network: &str, params: Params<'_>, now: u64) -> Result<Value, RpcError> {
    let (to, amount) = (params.key(0)?, params.number(1)?);
    if amount == 0 || amount > AIRDROP {
        let why = format!("Invalid param: {amount} lamports; an airdrop is of 1 to {AIRDROP} lamports");
        return Err(RpcError::invalid_params(why));
    }
    let from = ed25519::key_of(&FAUCET);
    let meta = |key: Key, signer| Some(Meta { key, signer, writable: true });
    let data = [&[2, 0, 0, 0][..], &amount.to_le_bytes()].concat();
    let instruction = Instruction { program: program::SYSTEM, accounts: vec![meta(from, true), meta(to, false)], data };
    let blockhash = world.next_blockhash(network, now);
    let mut transaction = Transaction::unsigned(compile(from, &[instruction], blockhash, false));
    transaction.sign(&FAUCET);
    let given = Some((from, amount + LAMPORTS_PER_SIGNATURE));
    submit(world, network, Sending { transaction: &transaction, preflight: Preflight::Made, given }, now)
}

fn transaction(params: Params<'_>, config: Config<'_>) -> Result<Transaction, RpcError> {
    let bytes = params.bytes(0, config.text("encoding", "base58")?)?;
    if bytes.len() > PACKET {
        let encoded = bytes.len().div_ceil(3) * 4;
        return Err(RpcError::invalid_params(format!(
            "base64 encoded solana_transaction::versioned::VersionedTransaction too large: {encoded} bytes (max: \
             encoded/raw 1644/{PACKET})"
        )));
    }
    Transaction::decode(&bytes).map_err(|error| {
        RpcError::invalid_params(format!(
            "failed to deserialize solana_transaction::versioned::VersionedTransaction: {error}"
        ))
    })
}

fn unverified(failure: &Failure) -> RpcError {
    RpcError::new(SIGNATURE, format!("Transaction signature verification failure: {}", failure.why))
}

fn insane(failure: &Failure) -> RpcError {
    RpcError::invalid_params(format!("invalid transaction: {}: {}", failure.sentence(), failure.why))
}

fn preflight(failure: &Failure, data: &Value) -> RpcError {
    let message = format!("Transaction simulation failed: {} ({})", failure.sentence(), failure.why);
    RpcError::new(PREFLIGHT, message).with_data(data.clone())
}

fn outcome_told(outcome: &Outcome<'_>) -> Value {
    match &outcome.result {
        Ok(()) => simulation(&Value::Null, &outcome.logs, outcome.units),
        Err(failure) => told(failure, &outcome.logs, outcome.units),
    }
}

fn told(failure: &Failure, logs: &[impl Display], units: u64) -> Value {
    simulation(&failure.to_json(), logs, units)
}

fn simulation(error: &Value, logs: &[impl Display], units: u64) -> Value {
    let logs: Vec<_> = logs.iter().map(ToString::to_string).collect();
    json!({
        "err": error, "logs": logs, "accounts": null, "unitsConsumed": units, "loadedAccountsDataSize": 0,
        "returnData": null, "innerInstructions": null, "replacementBlockhash": null,
    })
}
