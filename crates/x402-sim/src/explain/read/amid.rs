//! A payment or an offer amid a longer text: a line of a program, of a log, of a chat.

use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};
use x402_wire::header::decode;

use super::header::{NAMES, looks_encoded_json};
use crate::explain::kind::Kind;
use crate::explain::manual;

/// The longest text that is searched, in bytes.
pub(super) const LONGEST: usize = 256 * 1024;

/// The shortest base64 that may be something of x402, in characters.
const SHORTEST: usize = 40;

/// How many braces are tried that begin no JSON: after each, the rest of the text is read again.
const TRIED: usize = 64;

/// How deep in an object of a log something of x402 is looked for.
const DEEPEST: usize = 6;

/// How far before a value its header's name is looked for, in bytes.
const NAME_BEFORE: usize = 40;

/// What was found within a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A payment, with its header's name or without.
    Payment(String),
    /// The reason for a refusal, in an offer that came back with it.
    Refusal(String),
    /// Anything else of x402.
    Other(String),
}

/// What of x402 stands within a text: a header with its name, a header's value, JSON. Of several a request to a
/// facilitator, which holds all of it; then a payment; then an offer that came back and says why.
pub(super) fn find(text: &str) -> Option<Found> {
    if text.len() > LONGEST {
        return None;
    }
    let encoded = pieces(text).filter_map(|(at, piece)| {
        let value = decode::<Value>(piece).ok()?;
        let name = name_before(&text[..at]).map(|name| format!("{name}: ")).unwrap_or_default();
        found(&value, format!("{name}{piece}"))
    });
    let plain = braces(text).filter_map(|value| part(&value, 0));
    encoded.chain(plain).min_by_key(|(weight, _)| *weight).map(|(_, found)| found)
}

/// What a value is, and the less the more it tells.
fn found(value: &Value, text: String) -> Option<(u8, Found)> {
    Some(match Kind::of(value) {
        Kind::Other => return None,
        Kind::FacilitatorRequest => (0, Found::Payment(text)),
        Kind::PaymentV1 | Kind::PaymentV2 => (1, Found::Payment(text)),
        Kind::OfferV1 | Kind::OfferV2 => match refusal(value) {
            Some(reason) => (2, Found::Refusal(reason.to_owned())),
            None => (3, Found::Other(text)),
        },
        _ => (3, Found::Other(text)),
    })
}

/// A value that is of x402, or the first part of it that is.
fn part(value: &Value, depth: usize) -> Option<(u8, Found)> {
    let own = found(value, value.to_string());
    if own.is_some() || depth == DEEPEST {
        return own;
    }
    let parts: Vec<&Value> = match value {
        Value::Object(members) => members.values().collect(),
        Value::Array(all) => all.iter().collect(),
        _ => Vec::new(),
    };
    parts.into_iter().filter_map(|inner| part(inner, depth + 1)).min_by_key(|(weight, _)| *weight)
}

/// The reason that an offer gives for a refusal, and not for asking.
fn refusal(offer: &Value) -> Option<&str> {
    let error = offer.get("error")?.as_str()?;
    (!only_asks(error) && manual::page(error).is_some()).then_some(error)
}

/// Whether a reason says no more than that one must pay.
pub(super) fn only_asks(reason: &str) -> bool {
    manual::page(reason).is_some_and(|page| page.findings.first().is_some_and(|id| id == "no_payment_sent"))
}

/// Whether a text that begins as JSON does is a log: lines behind a time in brackets, or with an object in each.
pub(super) fn is_log(text: &str) -> bool {
    let of_time = |c: char| c.is_ascii_digit() || "-:./TZ+, ".contains(c);
    let stamp = text.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let is_dated = stamp.is_some_and(|(time, rest)| {
        (5..40).contains(&time.len()) && time.chars().all(of_time) && time.contains([':', '-']) && rest.starts_with(' ')
    });
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut is_object = || {
        lines.next().is_some_and(|line| {
            line.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(line.trim()).is_ok()
        })
    };
    is_dated || (is_object() && is_object())
}

/// Pieces of base64 that begin as JSON does, and where.
fn pieces(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/' || c == '=';
    let mut at = 0;
    let parts = text.split(move |c: char| !is_part(c)).map(move |part| {
        let begin = at;
        // Whatever parts them is one character.
        at += part.len() + text[begin + part.len()..].chars().next().map_or(0, char::len_utf8);
        // `name=eyJ...`
        let value = part.rfind("=ey").map_or(part, |equals| &part[equals + 1..]);
        (begin + part.len() - value.len(), value)
    });
    parts.filter(|(_, part)| part.len() >= SHORTEST && looks_encoded_json(part))
}

/// The header whose name stands shortly before a value.
fn name_before(text: &str) -> Option<&'static str> {
    let mut begin = text.len().saturating_sub(NAME_BEFORE);
    while !text.is_char_boundary(begin) {
        begin += 1;
    }
    let before = text[begin..].to_ascii_uppercase().replace('_', "-");
    // `X-PAYMENT` stands in `X-PAYMENT-RESPONSE`.
    let found = NAMES.into_iter().filter_map(|name| {
        let at = before.rfind(&name.to_ascii_uppercase())?;
        Some((at + name.len(), name))
    });
    found.max_by_key(|(end, name)| (*end, name.len())).map(|(_, name)| name)
}

/// JSON objects, one after the other.
fn braces(text: &str) -> impl Iterator<Item = Value> {
    let mut rest = text;
    let mut tried = 0;
    std::iter::from_fn(move || {
        while tried < TRIED {
            rest = &rest[rest.find('{')?..];
            let mut values = Deserializer::from_str(rest).into_iter::<Value>();
            if let Some(Ok(value)) = values.next() {
                rest = &rest[values.byte_offset()..];
                return Some(value);
            }
            tried += 1;
            rest = &rest[1..];
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_is_found_in_whatever_stands_around_it() {
        let payment = r#"{"x402Version":2,"accepted":{},"payload":{}}"#;
        let value = x402_wire::header::encode_text(payment);
        let offer = x402_wire::header::encode_text(r#"{"x402Version":2,"accepts":[]}"#);
        let named = format!("PAYMENT-SIGNATURE: {value}");
        for (text, found) in [
            (format!("fetch(url, {{ headers: {{ 'PAYMENT-SIGNATURE': '{value}' }} }})"), &named),
            (format!("headers[\"payment_signature\"] = \"{value}\""), &named),
            (format!("PAYMENT-SIGNATURE : {value}"), &named),
            (format!("set PAYMENT-SIGNATURE={value} ü"), &named),
            (format!("the value was {value}."), &value),
            (format!("got {offer} and sent {value}"), &value),
            (format!("x-payment-response or x-payment: {offer}, payment-signature: {value}"), &named),
        ] {
            assert_eq!(find(&text), Some(Found::Payment(found.clone())), "{text}");
        }
        let many = format!("{} {payment}", "{\"a\":1}\n".repeat(200));
        for text in [format!("12:00 INFO paying with {payment} now"), format!("{{\"m\":[{payment}]}}\n{{}}"), many] {
            let Some(Found::Payment(json)) = find(&text) else { panic!("{text}") };
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), serde_json::from_str::<Value>(payment).unwrap());
        }
    }

    #[test]
    fn an_offer_that_says_why_comes_before_one_that_asks() {
        let offer = |error: &str| format!(r#"{{"x402Version":2,"error":"{error}","accepts":[]}}"#);
        let (asks, refuses) = (offer("Payment required"), offer("invalid_exact_evm_signature"));
        let reason = Some(Found::Refusal("invalid_exact_evm_signature".to_owned()));
        assert_eq!(find(&format!("one {asks} two {refuses}")), reason);
        assert!(matches!(find(&asks), Some(Found::Other(_))));
        // What is no reason that anybody knows is none that stands for the offer.
        assert!(matches!(find(&offer("hello")), Some(Found::Other(_))));
    }

    #[test]
    fn logs_that_begin_as_json_are_told_from_json() {
        for text in ["[2026-11-23T15:01:02Z] paying", "[12:01:02] a", "{\"a\":1}\n\n{\"b\":2}"] {
            assert!(is_log(text), "{text}");
        }
        for text in ["[1, 2", "[1,2] x", "{\"a\":1}", "{\n\"a\":1}\n{}", "{\"a\":\n{\"b\":1}", "[\"2026-11-23\"] x"] {
            assert!(!is_log(text), "{text}");
        }
    }

    #[test]
    fn what_is_nothing_of_x402_is_left_alone() {
        let token = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ.eyJzdWIiOiIxIn0.c2ln";
        for text in ["", "hello", "{", "{}", "a {\"b\": 1} c", token, &"{".repeat(10_000), &"é{".repeat(1000)] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
