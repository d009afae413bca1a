//! Events: what happened, in one append-only stream. Log, readers, metrics and purchases read it and keep no second
//! truth.
//!
//! An event carries no wall time, no process id and no port: the same seed, commands and clock give the same stream.
//!
//! | room | what it holds |
//! |---|---|
//! | [`kind`] | what happened, through which door, and whether that is good news |
//! | [`facts`] | what an event says besides |
//! | [`payment`] | what ties the events of one payment together |
//! | [`summary`] | one sentence for people |
//! | [`log`] | the ring of events that are kept |
//! | [`filter`] | which events somebody wants |

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::purchase::PurchaseId;

pub mod facts;
pub mod filter;
pub mod kind;
pub mod log;
pub mod payment;
pub mod summary;

pub use facts::Facts;
pub use filter::{Filter, FilterError};
pub use kind::{Door, Kind, Outcome};
pub use log::EventLog;
pub use payment::PaymentId;

/// Something that happened. Written as JSON, its facts are `data`, and there is a `summary`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the stream, counted from 1.
    pub sequence: u64,
    /// When, in milliseconds of the world's clock.
    pub at: u64,
    /// What.
    pub kind: Kind,
    /// The purchase that it belongs to.
    pub purchase: Option<PurchaseId>,
    /// The payment that it belongs to.
    pub payment: Option<PaymentId>,
    /// Through which door.
    pub door: Door,
    /// The facts.
    pub facts: Facts,
}

impl Event {
    /// One sentence that says it all.
    pub fn summary(&self) -> String {
        summary::of(self)
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct("Event", 8)?;
        event.serialize_field("sequence", &self.sequence)?;
        event.serialize_field("at", &self.at)?;
        event.serialize_field("kind", &self.kind)?;
        event.serialize_field("purchase", &self.purchase)?;
        event.serialize_field("payment", &self.payment)?;
        event.serialize_field("door", &self.door)?;
        event.serialize_field("summary", &self.summary())?;
        event.serialize_field("data", &self.facts)?;
        event.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_with_its_facts_as_data_and_a_sentence() {
        let event = Event {
            sequence: 7,
            at: 1_800_000_000_000,
            kind: Kind::Settled,
            purchase: Some(PurchaseId(3)),
            payment: Some(PaymentId([1; 8])),
            door: Door::Facilitator,
            facts: Facts { path: Some("/settle".into()), amount: Some("0.01 USDC".to_owned()), ..Facts::default() },
        };
        let written = serde_json::to_string(&event).unwrap();
        assert_eq!(
            written,
            r#"{"sequence":7,"at":1800000000000,"kind":"settled","purchase":"pur_3","payment":"pay_0101010101010101","#
                .to_owned()
                + r#""door":"facilitator","summary":"Settled 0.01 USDC at the facilitator.","#
                + r#""data":{"path":"/settle","amount":"0.01 USDC"}}"#
        );
    }
}
