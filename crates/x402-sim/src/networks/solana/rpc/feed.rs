//! Subscriptions: to a transaction, which is told once, and to slots.

use serde_json::{Value, json};

use super::params::Params;
use super::{history, in_context};
use crate::World;
use crate::networks::solana::blockhash::{self, time_of};
use crate::networks::solana::ed25519;
use crate::rpc::{Feed, Pulled, RpcError};

/// How many slots are told at once after a leap of the clock.
const LEAP: u64 = 32;

/// Waits for a transaction.
#[derive(Debug)]
struct Awaited {
    network: String,
    signature: ed25519::Bytes,
}

/// Tells each slot.
#[derive(Debug)]
struct Slots {
    told: u64,
}

/// `signatureSubscribe`.
pub(super) fn signature(network: &str, params: Params<'_>) -> Result<Box<dyn Feed>, RpcError> {
    let signature = params.signature(0)?;
    params.config(1)?;
    Ok(Box::new(Awaited { network: network.to_owned(), signature }))
}

/// `slotSubscribe`.
pub(super) fn slots(_: &World, now: u64) -> Box<dyn Feed> {
    Box::new(Slots { told: blockhash::slot(now) })
}

impl Feed for Awaited {
    fn notification(&self) -> &'static str {
        "signatureNotification"
    }

    fn pull(&mut self, world: &World, now: u64) -> Pulled {
        let found = history::find(world, &self.signature);
        let Some(sent) = found.and_then(|(_, record)| history::Sent::of(record, &self.network)) else {
            return Pulled::default();
        };
        let error = sent.error.cloned().unwrap_or(Value::Null);
        Pulled { results: vec![in_context(now, &json!({ "err": error }))], ended: true }
    }
}

impl Feed for Slots {
    fn notification(&self) -> &'static str {
        "slotNotification"
    }

    fn pull(&mut self, _: &World, now: u64) -> Pulled {
        let slot = blockhash::slot(now);
        let first = self.told.saturating_add(1).max(slot.saturating_sub(LEAP));
        let told = |slot: u64| json!({ "parent": slot - 1, "root": slot.saturating_sub(31), "slot": slot });
        let results = (first..=slot).map(told).collect();
        // A clock that was set back begins anew.
        self.told = slot;
        Pulled { results, ended: false }
    }

    fn wake_at(&self, _: &World, _: u64) -> Option<u64> {
        Some(time_of(self.told + 1))
    }
}
