//! Events: what happened, in one append-only stream. Log, dashboard and counters read it and keep no second truth.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use alloy_primitives::{hex, keccak256};
use serde::Serialize;
use x402_wire::json::Json;
use x402_wire::payload::PaymentPayload;

/// How many events are kept.
const CAPACITY: usize = 10_000;

/// Something that happened to a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its place in the stream, counted from 1.
    pub sequence: u64,
    /// When, in milliseconds of the world's clock.
    pub at: u64,
    /// What.
    pub kind: Kind,
    /// Through which door.
    pub door: Door,
    /// The payment that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// The facts.
    #[serde(flatten)]
    pub facts: Facts,
}

/// What an event says besides its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The request's method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Cow<'static, str>>,
    /// The request's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Cow<'static, str>>,
    /// The dialect that was spoken: `x402v2`, `x402v1` or `invoice`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<&'static str>,
    /// The network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The amount for people: `0.01 USDC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Who pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// The reason string of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A sentence with the details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The transaction's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// The mode, when the outcome was simulated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<&'static str>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An unpaid request got an offer.
    Offered,
    /// A payment header could not be decoded.
    Undecodable,
    /// A payment would settle.
    Verified,
    /// A payment was refused before settlement.
    Refused,
    /// Money moved.
    Settled,
    /// A settlement failed.
    SettleFailed,
    /// The content failed, so that nothing was settled.
    NotSettled,
    /// A payment timed out by simulation.
    TimedOut,
    /// A transaction is broadcast, and not confirmed yet.
    Pending,
    /// A transaction did not happen after all.
    Undone,
    /// A fault was played.
    Faulted,
    /// Content was handed over to its last byte.
    Delivered,
    /// Content was not handed over whole: the client left, or a fault cut it off.
    NotDelivered,
    /// Somebody changed the world from outside: accounts, clock, snapshots, faults.
    Changed,
}

/// Through which door something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// A paid resource.
    Resources,
    /// The facilitator.
    Facilitator,
    /// The chain itself, at its own time.
    Chain,
    /// The hand of the tester.
    Admin,
}

/// What ties the events of one payment together: a hash of what the payer signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaymentId(pub [u8; 8]);

/// The events that are kept, the newest last.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    events: VecDeque<Arc<Event>>,
    issued: u64,
}

impl Kind {
    /// What happened, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Offered => "payment required",
            Self::Undecodable => "payment header cannot be decoded",
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::Settled => "settled",
            Self::SettleFailed => "settlement failed",
            Self::NotSettled => "content failed, not settled",
            Self::TimedOut => "timed out",
            Self::Pending => "settlement pending",
            Self::Undone => "settlement undone",
            Self::Faulted => "fault",
            Self::Delivered => "delivered",
            Self::NotDelivered => "not delivered",
            Self::Changed => "changed",
        }
    }
}

impl PaymentId {
    /// The id of a payload: the same for every attempt to use it, at every door.
    pub fn of(payload: &PaymentPayload<'_>) -> Self {
        let signed = payload.value().get("payload").unwrap_or(payload.value());
        // The signature stands for all that it signs. What has none is hashed whole.
        let hash = match signed.get("signature").and_then(Json::as_str) {
            Some(signature) if signature.len() > 2 => keccak256(signature),
            _ => keccak256(signed.to_string()),
        };
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        Self(id)
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "pay_{}", hex::encode(self.0))
    }
}

impl Serialize for PaymentId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl EventLog {
    /// Appends an event; the oldest goes when there are too many.
    pub fn append(&mut self, at: u64, kind: Kind, door: Door, payment: Option<PaymentId>, facts: Facts) -> Arc<Event> {
        self.issued += 1;
        let event = Arc::new(Event { sequence: self.issued, at, kind, door, payment, facts });
        if self.events.len() == CAPACITY {
            self.events.pop_front();
        }
        self.events.push_back(Arc::clone(&event));
        event
    }

    /// The sequence number of the newest event; zero where there was none yet.
    pub const fn newest(&self) -> u64 {
        self.issued
    }

    /// The kept events with a larger sequence number, oldest first.
    pub fn after(&self, sequence: u64) -> impl Iterator<Item = &Arc<Event>> {
        let wanted = usize::try_from(self.issued.saturating_sub(sequence)).unwrap_or(usize::MAX);
        self.events.iter().skip(self.events.len().saturating_sub(wanted))
    }

    /// The kept events, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.events.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> PaymentId {
        PaymentId::of(&PaymentPayload::parse(text).unwrap())
    }

    #[test]
    fn a_signature_stands_for_a_payment_and_what_has_none_is_known_by_all_that_it_says() {
        let signed = id(r#"{"payload": {"signature": "0xab", "authorization": {"value": "1"}}}"#);
        assert_eq!(signed.0, keccak256("0xab")[..8]);
        let rendered = r#"{"authorization":{"from":"é","value":100.0},"signature":"0x"}"#;
        let written = r#"{"signature": "0x", "authorization": {"value": 1, "value": 1e2, "from": "\u00e9"}}"#;
        for payload in [rendered, written] {
            let payload = format!(r#"{{"x402Version": 2, "payload": {payload}, "resource": {}}}"#, payload.len());
            assert_eq!(id(&payload).0, keccak256(rendered)[..8], "{payload}");
        }
        assert_eq!(id(r#"{"x402Version": 2}"#).0, keccak256(r#"{"x402Version":2}"#)[..8]);
    }
}
