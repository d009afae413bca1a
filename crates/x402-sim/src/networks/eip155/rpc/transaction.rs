//! Transactions and their receipts, rebuilt from the ledger's records.

use std::borrow::Cow;

use alloy_primitives::{Address, B256, Bloom, BloomInput, U256};
use serde_json::{Value, json};

use super::block::Wanted;
use super::fee::BASE_FEE;
use super::params::{data, quantity, wrong};
use super::{Context, Params};
use crate::ledger::{Account, Call, Effect, Once, Record};
use crate::networks::eip155::contracts::Log;
use crate::networks::eip155::contracts::log::SETTLED;
use crate::networks::eip155::raw::{Form, RawTransaction};
use crate::rpc::RpcError;

/// What a facilitator's settlement used, as a deployed token does. It brings more than that.
const SETTLEMENT_GAS: u64 = 85_000;

/// A transaction in its block.
#[derive(Clone, Debug)]
pub(super) struct Included {
    /// Its hash.
    pub(super) hash: B256,
    /// Its number in the ledger.
    pub(super) place: u32,
    /// Its bytes, taken apart.
    pub(super) raw: RawTransaction,
    /// Whether it did what it should.
    pub(super) succeeded: bool,
    /// What it emitted.
    pub(super) logs: Vec<Log>,
    /// How much gas it used.
    pub(super) gas_used: u64,
}

impl Included {
    /// The number of its block.
    pub(super) fn block(&self) -> u64 {
        u64::from(self.place) + 1
    }
}

impl Context<'_> {
    /// A transaction with all that belongs to it.
    pub(super) fn included(&self, place: u32, record: &Record) -> Result<Included, RpcError> {
        let hash = self.world.hash_of(place).ok_or_else(|| RpcError::refused("the transaction has no hash"))?;
        let decode = |raw: &[u8]| RawTransaction::decode(raw).map_err(|error| RpcError::refused(error.to_string()));
        let logs = self.logs_of(place, record).into_owned();
        let gas_used = self.gas_of(place, record).ok_or_else(|| gone(hash))?;
        if let Record::Other(entry) = record
            && let Call::Raw { reverted, .. } = entry.call
        {
            let kept = self.world.raws().get(place, hash).ok_or_else(|| gone(hash))?;
            return Ok(Included { hash, place, raw: decode(&kept.raw)?, succeeded: !reverted, logs, gas_used });
        }
        let signed = self.world.transaction_of(record).ok_or_else(|| gone(hash))?;
        Ok(Included { hash, place, raw: decode(&signed.raw)?, succeeded: true, logs, gas_used })
    }

    /// How much gas a transaction used; `None` of a raw one that has gone. No signature is needed for it.
    pub(super) fn gas_of(&self, place: u32, record: &Record) -> Option<u64> {
        if let Record::Other(entry) = record
            && let Call::Raw { hash, .. } = entry.call
        {
            return self.world.raws().get(place, hash).map(|kept| kept.gas_used);
        }
        Some(SETTLEMENT_GAS)
    }

    /// What a transaction emitted. Of a raw one whose bytes have gone, what its effects tell.
    pub(super) fn logs_of(&self, place: u32, record: &Record) -> Cow<'_, [Log]> {
        match record {
            Record::Authorized { authorization, asset, .. } => {
                let Some(token) = self.world.catalog().token_by_id(*asset) else { return Cow::default() };
                let (from, to) = (authorization.from, authorization.to);
                Cow::Owned(vec![
                    Log::authorization_used(token.contract, from, authorization.nonce),
                    Log::transfer(token.contract, from, to, authorization.value),
                ])
            }
            Record::Other(entry) => {
                if let Call::Raw { hash, .. } = entry.call
                    && let Some(kept) = self.world.raws().get(place, hash)
                {
                    return Cow::Borrowed(&kept.logs);
                }
                let told = entry.effects.iter().filter_map(|effect| self.log_of(effect));
                let settled = match &entry.call {
                    Call::Permit2 { permit, .. } => Some(Log::settled(permit.spender, SETTLED)),
                    _ => None,
                };
                told.chain(settled).collect()
            }
        }
    }

    fn log_of(&self, effect: &Effect) -> Option<Log> {
        let catalog = self.world.catalog();
        match effect {
            Effect::Move { asset, from, to, value } => {
                let token = catalog.token_by_id(*asset)?;
                Some(Log::transfer(token.contract, evm(from), evm(to), *value))
            }
            Effect::Use(Once::Authorization { asset, from, nonce }) => {
                let token = catalog.token_by_id(*asset)?;
                Some(Log::authorization_used(token.contract, evm(from), *nonce))
            }
            _ => None,
        }
    }

    /// The transaction with a hash, where it counts.
    fn find(&self, hash: B256) -> Result<Option<Included>, RpcError> {
        let Some(place) = self.world.find_transaction(hash) else { return Ok(None) };
        match self.in_block(u64::from(place) + 1) {
            Some((place, record)) => self.included(place, record).map(Some),
            None => Ok(None),
        }
    }

    /// A transaction as answers write it.
    pub(super) fn render(&self, included: &Included) -> Value {
        let Included { hash, raw, .. } = included;
        let (r, s) = raw.compact.split_at(32);
        let mut answer = json!({
            "blockHash": data(self.block_hash(included.block())),
            "blockNumber": quantity(included.block()),
            "transactionIndex": "0x0",
            "hash": data(hash),
            "type": quantity(form(raw.form)),
            "chainId": quantity(raw.chain_id),
            "nonce": quantity(raw.nonce),
            "from": data(raw.sender),
            "to": raw.to.map(data),
            "value": quantity(raw.value),
            "gas": quantity(raw.gas),
            "gasPrice": quantity(price(raw)),
            "input": data(&raw.input),
            "v": quantity(raw.v),
            "r": quantity(U256::from_be_slice(r)),
            "s": quantity(U256::from_be_slice(s)),
        });
        if raw.form == Form::DynamicFee {
            answer["maxFeePerGas"] = quantity(raw.max_fee);
            answer["maxPriorityFeePerGas"] = quantity(raw.tip);
        }
        if raw.form != Form::Legacy {
            answer["yParity"] = quantity(raw.v);
            answer["accessList"] = raw.access_list.iter().map(listed).collect();
        }
        answer
    }

    /// A transaction's receipt.
    pub(super) fn receipt(&self, included: &Included) -> Value {
        let logs: Vec<_> = (0..included.logs.len()).map(|index| self.render_log(included, index)).collect();
        json!({
            "transactionHash": data(included.hash),
            "transactionIndex": "0x0",
            "blockHash": data(self.block_hash(included.block())),
            "blockNumber": quantity(included.block()),
            "from": data(included.raw.sender),
            "to": included.raw.to.map(data),
            "contractAddress": null,
            "cumulativeGasUsed": quantity(included.gas_used),
            "gasUsed": quantity(included.gas_used),
            "effectiveGasPrice": quantity(price(&included.raw)),
            "type": quantity(form(included.raw.form)),
            "status": quantity(u64::from(included.succeeded)),
            "logsBloom": data(bloom(&included.logs)),
            "logs": logs,
        })
    }

    fn render_log(&self, included: &Included, index: usize) -> Value {
        self.log((included.place, included.hash), index, &included.logs[index])
    }

    /// A log with the place at which it was emitted.
    pub(super) fn log(&self, (place, hash): (u32, B256), index: usize, log: &Log) -> Value {
        let number = u64::from(place) + 1;
        json!({
            "address": data(log.address),
            "topics": log.topics.iter().map(data).collect::<Vec<_>>(),
            "data": data(&log.data),
            "blockNumber": quantity(number),
            "blockHash": data(self.block_hash(number)),
            "blockTimestamp": quantity(self.block_time(number)),
            "transactionHash": data(hash),
            "transactionIndex": "0x0",
            "logIndex": quantity(index as u64),
            "removed": false,
        })
    }
}

/// `eth_getTransactionByHash`.
pub(super) fn by_hash(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let found = context.find(params.hash(0)?)?;
    Ok(found.map_or(Value::Null, |included| context.render(&included)))
}

/// `eth_getTransactionReceipt`.
pub(super) fn receipt(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let found = context.find(params.hash(0)?)?;
    let found = found.filter(|included| !context.world.raws().is_hidden(included.hash));
    Ok(found.map_or(Value::Null, |included| context.receipt(&included)))
}

/// `eth_getBlockReceipts`.
pub(super) fn of_block(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let wanted = Wanted::of(params.required(0)?).map_err(|what| wrong(0, &what))?;
    let Some(number) = context.number(wanted) else { return Ok(Value::Null) };
    let found = context.in_block(number).map(|(place, record)| context.included(place, record)).transpose()?;
    let shown = found.filter(|included| !context.world.raws().is_hidden(included.hash));
    Ok(shown.iter().map(|included| context.receipt(included)).collect())
}

/// `eth_getTransactionByBlockNumberAndIndex`, `eth_getTransactionByBlockHashAndIndex`.
pub(super) fn by_place(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let wanted = Wanted::of(params.required(0)?).map_err(|what| wrong(0, &what))?;
    let index = params.quantity(1)?;
    let found = context.number(wanted).filter(|_| index == 0).and_then(|number| context.in_block(number));
    match found {
        Some((place, record)) => Ok(context.render(&context.included(place, record)?)),
        None => Ok(Value::Null),
    }
}

/// The bloom filter over what was emitted.
pub(super) fn bloom(logs: &[Log]) -> Bloom {
    let mut bloom = Bloom::ZERO;
    for log in logs {
        bloom.accrue(BloomInput::Raw(log.address.as_slice()));
        log.topics.iter().for_each(|topic| bloom.accrue(BloomInput::Raw(topic.as_slice())));
    }
    bloom
}

/// What was paid for a unit of gas, in wei.
fn price(raw: &RawTransaction) -> U256 {
    match raw.form {
        Form::Legacy | Form::AccessList => raw.max_fee,
        Form::DynamicFee => raw.max_fee.min(raw.tip.saturating_add(U256::from(BASE_FEE))),
    }
}

const fn form(form: Form) -> u8 {
    match form {
        Form::Legacy => 0,
        Form::AccessList => 1,
        Form::DynamicFee => 2,
    }
}

/// An entry of an access list.
fn listed((address, keys): &(Address, Vec<B256>)) -> Value {
    json!({ "address": data(address), "storageKeys": keys.iter().map(data).collect::<Vec<_>>() })
}

fn evm(account: &Account) -> Address {
    Address::from_slice(&account.0[12..])
}

/// A transaction that was made and is no longer kept.
pub(super) fn gone(hash: B256) -> RpcError {
    let kept = crate::world::raw::KEPT;
    RpcError::refused(format!(
        "transaction {hash} was made, and its bytes have gone: of transactions that others sent, the newest {kept} are kept"
    ))
}
