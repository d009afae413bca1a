//! One sentence for people, made of an event's facts.

use std::fmt::Write as _;

use super::{Door, Event, Facts, Kind};

/// One sentence that says what happened to whom, where, and why.
pub(super) fn of(event: &Event) -> String {
    let facts = &event.facts;
    let mut text = match event.kind {
        Kind::Faulted | Kind::Changed => return told(event),
        Kind::Offered => match &facts.amount {
            Some(price) => format!("Asked {price}"),
            None => "Asked for a payment".to_owned(),
        },
        Kind::Undecodable => "Could not decode a payment header".to_owned(),
        Kind::Verified => format!("Verified {}", money(facts)),
        Kind::Refused => format!("Refused {}", money(facts)),
        Kind::Settled => format!("Settled {}", money(facts)),
        Kind::SettleFailed => format!("Failed to settle {}", money(facts)),
        Kind::NotSettled => format!("Did not settle {}, because the content failed", money(facts)),
        Kind::TimedOut => "Let a payment time out".to_owned(),
        Kind::Pending => format!("Broadcast {}, not confirmed yet", money(facts)),
        Kind::Undone => format!("Undid {}", money(facts)),
        Kind::Delivered => "Delivered the content to its last byte".to_owned(),
        Kind::NotDelivered => "Did not deliver the whole content".to_owned(),
    };
    place(&mut text, event);
    let why: Vec<&str> = [facts.reason.as_deref(), facts.message.as_deref()].into_iter().flatten().collect();
    if !why.is_empty() {
        text.push_str(": ");
        text.push_str(&why.join(", "));
    }
    ended(text)
}

/// What is told in the words of whoever did it.
fn told(event: &Event) -> String {
    let words = event.facts.message.as_deref().unwrap_or_else(|| event.kind.words());
    let mut text = match event.kind {
        Kind::Faulted => format!("Played a fault: {words}"),
        _ => words.to_owned(),
    };
    if let Some(first) = text.get(..1) {
        let first = first.to_uppercase();
        text.replace_range(..1, &first);
    }
    ended(text)
}

/// The amount and who pays it.
fn money(facts: &Facts) -> String {
    let mut text = facts.amount.clone().unwrap_or_else(|| "a payment".to_owned());
    if let Some(payer) = &facts.payer {
        let _ = write!(text, " from {payer}");
    }
    text
}

/// Where it happened.
fn place(text: &mut String, event: &Event) {
    let written = match (event.door, &event.facts.method, &event.facts.path) {
        (Door::Resources, Some(method), Some(path)) => write!(text, " for {method} {path}"),
        (Door::Resources, ..) => Ok(()),
        (Door::Facilitator, ..) => write!(text, " at the facilitator"),
        (Door::Chain, ..) => write!(text, " on the chain"),
        (Door::Rpc, ..) => write!(text, " by JSON-RPC"),
        (Door::Admin, ..) => write!(text, " by hand"),
    };
    // Writing to a text cannot fail.
    let _ = written;
}

fn ended(mut text: String) -> String {
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::kind::KINDS;

    fn said(kind: Kind, door: Door, facts: Facts) -> String {
        of(&Event { sequence: 1, at: 0, kind, purchase: None, payment: None, door, facts })
    }

    #[test]
    fn a_sentence_says_what_to_whom_where_and_why() {
        let facts = Facts {
            method: Some("GET".into()),
            path: Some("/a".into()),
            amount: Some("0.01 USDC".to_owned()),
            payer: Some("0xabc".to_owned()),
            ..Facts::default()
        };
        assert_eq!(said(Kind::Offered, Door::Resources, facts.clone()), "Asked 0.01 USDC for GET /a.");
        assert_eq!(said(Kind::Settled, Door::Resources, facts.clone()), "Settled 0.01 USDC from 0xabc for GET /a.");
        let facts = Facts { reason: Some("why".to_owned()), message: Some("A sentence.".to_owned()), ..facts };
        let refused = said(Kind::Refused, Door::Facilitator, facts);
        assert_eq!(refused, "Refused 0.01 USDC from 0xabc at the facilitator: why, A sentence.");
        let changed = Facts { message: Some("the clock was advanced".to_owned()), ..Facts::default() };
        assert_eq!(said(Kind::Changed, Door::Admin, changed), "The clock was advanced.");
        let strange = Facts { message: Some("éclair".to_owned()), ..Facts::default() };
        assert_eq!(said(Kind::Changed, Door::Admin, strange), "éclair.");
    }

    #[test]
    fn every_kind_has_a_sentence_without_any_fact() {
        for (kind, ..) in KINDS {
            let text = said(*kind, Door::Chain, Facts::default());
            assert!(text.ends_with('.') && text.starts_with(|c: char| c.is_uppercase()), "{text}");
        }
    }
}
