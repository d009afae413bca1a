//! `eth_getLogs`: what contracts emitted, found by filters.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use serde_json::Value;

use super::block::Wanted;
use super::params::{address, kind, word, wrong};
use super::{Context, Params};
use crate::ledger::Record;
use crate::networks::eip155::contracts::Log;
use crate::rpc::RpcError;

/// How many logs one answer holds.
const LIMIT: usize = 10_000;

/// How many blocks one question may be about.
const BLOCKS: u64 = 10_000;

/// Too much was asked for at once, as nodes say it.
const TOO_MUCH: i64 = -32005;

/// Which logs somebody wants.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    addresses: BTreeSet<Address>,
    /// For each place the topics that may stand there; none where it does not matter.
    topics: Vec<BTreeSet<B256>>,
}

/// `eth_getLogs`.
pub(super) fn get(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let asked = params.required(0)?;
    let filter = Filter::read(asked).map_err(|what| wrong(0, &what))?;
    let (from, to) = range(context, asked)?;
    let mut found = Vec::new();
    for number in from..=to {
        for log in context.logs_in(number, &filter) {
            if found.len() == LIMIT {
                let text = format!("query returned more than {LIMIT} results; ask for fewer blocks");
                return Err(RpcError::new(TOO_MUCH, text));
            }
            found.push(log);
        }
    }
    Ok(Value::Array(found))
}

impl Context<'_> {
    /// The logs of a block that a filter lets pass.
    pub(super) fn logs_in(&self, number: u64, filter: &Filter) -> Vec<Value> {
        let Some((place, record)) = self.in_block(number) else { return Vec::new() };
        if !self.may_have(record, filter) {
            return Vec::new();
        }
        let logs = self.logs_of(place, record);
        let wanted: Vec<_> = logs.iter().enumerate().filter(|(_, log)| filter.matches(log)).collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let Some(hash) = self.world.hash_of(place) else { return Vec::new() };
        wanted.into_iter().map(|(index, log)| self.log((place, hash), index, log)).collect()
    }

    /// Whether a record can have emitted what a filter wants, as far as that is seen before its logs are made.
    fn may_have(&self, record: &Record, filter: &Filter) -> bool {
        match record {
            Record::Authorized { asset, .. } => {
                self.world.catalog().token_by_id(*asset).is_some_and(|token| filter.takes(token.contract))
            }
            Record::Other(_) => true,
        }
    }
}

fn range(context: &Context<'_>, asked: &Value) -> Result<(u64, u64), RpcError> {
    let member = |name: &str| asked.get(name).filter(|value| !value.is_null());
    let read = |name: &str| {
        let wanted = member(name).map_or(Ok(Wanted::Latest), Wanted::of);
        wanted.map_err(|what| wrong(0, &format!("{name}: {what}")))
    };
    if member("blockHash").is_some() {
        if member("fromBlock").or_else(|| member("toBlock")).is_some() {
            return Err(wrong(0, "blockHash stands alone, without fromBlock and toBlock"));
        }
        let number = context.number(read("blockHash")?).ok_or_else(|| RpcError::refused("unknown block"))?;
        return Ok((number, number));
    }
    let height = context.height();
    // What has not been made yet is empty.
    let number = |wanted: Wanted| match wanted {
        Wanted::Number(number) => number,
        other => context.number(other).unwrap_or(height),
    };
    let (from, to) = (number(read("fromBlock")?), number(read("toBlock")?));
    if from > to {
        return Err(wrong(0, &format!("fromBlock {from} is after toBlock {to}")));
    }
    // The block of the beginning holds nothing.
    let (from, to) = (from.max(1), to.min(height));
    if to.saturating_sub(from) >= BLOCKS {
        let text = format!("query exceeds max block range {BLOCKS}: blocks {from} to {to}; ask for fewer blocks");
        return Err(RpcError::new(TOO_MUCH, text));
    }
    Ok((from, to))
}

impl Filter {
    /// Reads a filter's addresses and topics.
    pub(super) fn read(asked: &Value) -> Result<Self, String> {
        let Value::Object(members) = asked else { return Err(format!("expected an object, got {}", kind(asked))) };
        let addresses = match members.get("address") {
            None | Some(Value::Null) => BTreeSet::new(),
            Some(Value::Array(list)) => list.iter().map(address).collect::<Result<_, _>>().map_err(under("address"))?,
            Some(one) => BTreeSet::from([address(one).map_err(under("address"))?]),
        };
        let topics = match members.get("topics") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) if list.len() <= 4 => {
                list.iter().map(alternatives).collect::<Result<_, _>>().map_err(under("topics"))?
            }
            Some(Value::Array(list)) => return Err(format!("topics: at most 4, got {}", list.len())),
            Some(other) => return Err(format!("topics: expected a list, got {}", kind(other))),
        };
        Ok(Self { addresses, topics })
    }

    /// Whether logs of a contract are wanted at all.
    fn takes(&self, address: Address) -> bool {
        self.addresses.is_empty() || self.addresses.contains(&address)
    }

    /// Whether a log is wanted.
    pub(super) fn matches(&self, log: &Log) -> bool {
        let topic = |(place, wanted): (usize, &BTreeSet<B256>)| {
            log.topics.get(place).is_some_and(|topic| wanted.is_empty() || wanted.contains(topic))
        };
        self.takes(log.address) && self.topics.iter().enumerate().all(topic)
    }
}

/// One topic, several of which one must hold, or nothing at all.
fn alternatives(value: &Value) -> Result<BTreeSet<B256>, String> {
    match value {
        Value::Null => Ok(BTreeSet::new()),
        // Among several, nothing stands for everything.
        Value::Array(list) if list.iter().any(Value::is_null) => Ok(BTreeSet::new()),
        Value::Array(list) => list.iter().map(word).collect(),
        one => Ok(BTreeSet::from([word(one)?])),
    }
}

fn under(name: &'static str) -> impl Fn(String) -> String {
    move |what| format!("{name}: {what}")
}
