//! What something says: every field with its meaning, units, times beside now, addresses by their names.

use serde_json::Value;
use x402_wire::shape::shorten;

use super::explanation::Section;
use super::kind::Kind;
use super::{manual, names};
use crate::networks::{eip155, solana};

mod answer;
mod offer;
mod payment;
pub mod units;

pub use answer::invoice;

/// The longest text that is shown whole.
const SHOWN: usize = 140;

/// No address is longer, with its network in front of it neither.
const LONGEST_ADDRESS: usize = 60;

/// The sections of JSON of a kind, at a clock in seconds.
pub fn sections(kind: Kind, value: &Value, now: u64) -> Vec<Section> {
    match kind {
        Kind::OfferV1 | Kind::OfferV2 => offer::sections(value),
        Kind::Requirements => vec![offer::requirements("requirements", value)],
        Kind::PaymentV1 | Kind::PaymentV2 => payment::sections(value, now),
        Kind::FacilitatorRequest => {
            let mut all = Vec::new();
            if let Some(payload) = value.get("paymentPayload") {
                all.extend(payment::sections(payload, now));
            }
            if let Some(requirements) = value.get("paymentRequirements") {
                all.push(offer::requirements("requirements", requirements));
            }
            all
        }
        Kind::VerifyAnswer | Kind::Receipt => vec![answer::verdict(value)],
        Kind::Supported => answer::supported(value),
        Kind::TypedData => eip155::explain::typed_data(value, now),
        _ => Vec::new(),
    }
}

/// A signed EVM transaction.
pub fn evm(bytes: &[u8], now: u64) -> Vec<Section> {
    eip155::explain::transaction(bytes, now)
}

/// A Solana transaction in base64.
pub fn solana(text: &str, now: u64) -> Vec<Section> {
    solana::explain::transaction(text, now)
}

/// A value for people: short, and without control characters.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() <= SHOWN && text.chars().all(|c| !c.is_control()) => text.clone(),
        Value::String(text) => shorten(text),
        other => {
            let text = other.to_string();
            if text.len() <= SHOWN { text } else { shorten(&text) }
        }
    }
}

/// A value where an address belongs. What is too long for one is cut: 32 bytes there are perhaps a private key.
pub(crate) fn shown_address(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() > LONGEST_ADDRESS => shorten(text),
        other => shown(other),
    }
}

/// What an address is called.
pub(crate) fn who(value: Option<&Value>, network: Option<&str>) -> String {
    value.and_then(Value::as_str).and_then(|text| names::of(text, network)).unwrap_or_default()
}

/// What a reason string means, in a few words.
pub(crate) fn reason(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).and_then(manual::page).map(|page| page.meaning.clone()).unwrap_or_default()
}

/// Adds every member of an object that has not been drawn, as it is.
pub(crate) fn rest(section: &mut Section, value: &Value, drawn: &[&str], prefix: &str) {
    for (key, member) in value.as_object().into_iter().flatten() {
        if !drawn.contains(&key.as_str()) {
            section.add(format!("{prefix}{}", shorten(key)), shown(member), "");
        }
    }
}
