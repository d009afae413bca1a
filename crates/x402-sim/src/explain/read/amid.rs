//! A payment or an offer amid a longer text: a line of a program, of a log, of a chat.

use serde_json::{Deserializer, Value};
use x402_wire::header::decode;

use super::header::{NAMES, looks_encoded_json};
use crate::explain::kind::Kind;

/// The longest text that is searched, in bytes.
const LONGEST: usize = 256 * 1024;

/// The shortest base64 that may be something of x402, in characters.
const SHORTEST: usize = 40;

/// How many pieces of base64 and how many braces are tried.
const TRIED: usize = 8;

/// How far before a value its header's name is looked for, in bytes.
const NAME_BEFORE: usize = 40;

/// What of x402 stands within a text: a header with its name, a header's value, JSON. Of several a payment.
pub(super) fn find(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let encoded = pieces(text).take(TRIED).filter_map(|(at, piece)| {
        let kind = Kind::of(&decode::<Value>(piece).ok()?);
        let name = name_before(&text[..at]).map(|name| format!("{name}: ")).unwrap_or_default();
        Some((kind, format!("{name}{piece}")))
    });
    let plain = braces(text).map(|value| (Kind::of(&value), value.to_string()));
    let mut found: Vec<_> = encoded.chain(plain).filter(|(kind, _)| *kind != Kind::Other).collect();
    found.sort_by_key(|(kind, _)| !matches!(kind, Kind::PaymentV1 | Kind::PaymentV2));
    found.into_iter().next().map(|(_, text)| text)
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
            tried += 1;
            rest = &rest[rest.find('{')?..];
            let mut values = Deserializer::from_str(rest).into_iter::<Value>();
            if let Some(Ok(value)) = values.next() {
                rest = &rest[values.byte_offset()..];
                return Some(value);
            }
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
            assert_eq!(find(&text).as_ref(), Some(found), "{text}");
        }
        let json = find(&format!("12:00 INFO paying with {payment} now")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), serde_json::from_str::<Value>(payment).unwrap());
    }

    #[test]
    fn what_is_nothing_of_x402_is_left_alone() {
        let token = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ.eyJzdWIiOiIxIn0.c2ln";
        for text in ["", "hello", "{", "{}", "a {\"b\": 1} c", token, &"{".repeat(10_000), &"é{".repeat(1000)] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
