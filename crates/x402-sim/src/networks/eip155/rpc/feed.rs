//! `eth_subscribe`: new heads, and logs as they come.

use serde_json::Value;

use super::logs::Filter;
use super::params::{kind, wrong};
use super::{Context, Params};
use crate::World;
use crate::rpc::{Feed, Pulled, RpcError};

/// How many blocks one pull tells of; the rest comes with the next.
const BLOCKS: u64 = 1_000;

/// A subscription to new blocks, or to what they hold.
#[derive(Debug)]
struct Blocks {
    network: String,
    chain_id: u64,
    /// The last block that was told.
    told: u64,
    wanted: Wanted,
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
    Ok(Box::new(Blocks { network, chain_id: context.chain_id, told, wanted }))
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
        let (first, last) = (self.told + 1, height.min(self.told + BLOCKS));
        let results = (first..=last)
            .flat_map(|number| match &self.wanted {
                Wanted::Heads => vec![context.header(number)],
                Wanted::Logs(filter) => context.logs_in(number, filter),
            })
            .collect();
        self.told = last;
        Pulled { results, ended: false }
    }

    fn wake_at(&self, world: &World, now: u64) -> Option<u64> {
        // More blocks at once than one pull tells of.
        (self.told < world.ledger().len() as u64).then_some(now)
    }
}
