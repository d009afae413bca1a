//! `eth_subscribe`: new heads, and logs as they come.

use std::collections::VecDeque;

use serde_json::Value;

use super::logs::Filter;
use super::params::{kind, wrong};
use super::{Context, Params};
use crate::World;
use crate::rpc::{Feed, Pulled, RpcError};

/// How many blocks one pull tells of; the rest comes with the next. Each pull holds the world's lock.
const BLOCKS: u64 = 50;

/// Of how many blocks a subscription remembers the logs that it told, in case that they are undone.
const REMEMBERED: usize = 256;

/// A subscription to new blocks, or to what they hold.
#[derive(Debug)]
struct Blocks {
    network: String,
    chain_id: u64,
    /// The last block that was told.
    told: u64,
    wanted: Wanted,
    /// The logs of the newest blocks that had any, and their blocks.
    shown: VecDeque<(u64, Vec<Value>)>,
}

/// What is told of a block.
#[derive(Debug)]
enum Wanted {
    /// Its header.
    Heads,
    /// The logs that a filter lets pass.
    Logs(Filter),
}

/// `eth_subscribe`.
pub(super) fn subscribe(context: &Context<'_>, params: Params<'_>) -> Result<Box<dyn Feed>, RpcError> {
    let wanted = match params.required(0)? {
        Value::String(name) if name == "newHeads" => Wanted::Heads,
        Value::String(name) if name == "logs" => {
            let empty = Value::Object(serde_json::Map::new());
            let filter = Filter::read(params.get(1).unwrap_or(&empty));
            Wanted::Logs(filter.map_err(|what| wrong(1, &what))?)
        }
        Value::String(name) => {
            let name = x402_wire::shape::shorten(name);
            return Err(RpcError::invalid_params(format!(
                "there is no subscription \"{name}\" here; known are newHeads, logs"
            )));
        }
        other => return Err(wrong(0, &format!("expected the name of a subscription, got {}", kind(other)))),
    };
    let (network, told) = (context.network.to_owned(), context.height());
    Ok(Box::new(Blocks { network, chain_id: context.chain_id, told, wanted, shown: VecDeque::new() }))
}

impl Feed for Blocks {
    fn notification(&self) -> &'static str {
        "eth_subscription"
    }

    fn pull(&mut self, world: &World, now: u64) -> Pulled {
        let context = Context { world, network: &self.network, chain_id: self.chain_id, now };
        let height = context.height();
        // A snapshot that was brought back may be shorter: what comes then is new.
        self.told = self.told.min(height);
        let mut results = undone(&mut self.shown, world, height);
        let (first, last) = (self.told + 1, height.min(self.told + BLOCKS));
        for number in first..=last {
            match &self.wanted {
                Wanted::Heads => results.push(context.header(number)),
                Wanted::Logs(filter) => {
                    let logs = context.logs_in(number, filter);
                    if !logs.is_empty() {
                        self.shown.push_back((number, logs.clone()));
                        results.extend(logs);
                    }
                }
            }
        }
        while self.shown.len() > REMEMBERED {
            self.shown.pop_front();
        }
        self.told = last;
        Pulled { results, ended: false }
    }

    fn wake_at(&self, world: &World, now: u64) -> Option<u64> {
        // More blocks at once than one pull tells of.
        (self.told < world.ledger().len() as u64).then_some(now)
    }
}

/// The logs that were told and are no longer true, as a node tells them after its chain was reorganised.
fn undone(shown: &mut VecDeque<(u64, Vec<Value>)>, world: &World, height: u64) -> Vec<Value> {
    let is_gone = |block: u64| {
        let place = u32::try_from(block - 1).unwrap_or(u32::MAX);
        block > height || world.ledger().is_undone(place)
    };
    let (gone, left): (VecDeque<_>, _) = std::mem::take(shown).into_iter().partition(|(block, _)| is_gone(*block));
    *shown = left;
    let mut logs: Vec<_> = gone.into_iter().flat_map(|(_, logs)| logs).collect();
    for log in &mut logs {
        log["removed"] = Value::Bool(true);
    }
    logs
}
