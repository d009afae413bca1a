//! What people copy along with a header: the quotes of a shell, the flag of curl, the object of a program.

use serde_json::Value;

use super::header::{NAMES, split};
use crate::explain::kind::Kind;

/// A header without the flag and the quotes that a shell takes off: `-H 'PAYMENT-SIGNATURE: eyJ...'`. Quotes around the
/// value alone stay: those are sent.
pub(super) fn unquoted(text: &str) -> &str {
    let bare = ["-H ", "--header "].iter().find_map(|flag| text.strip_prefix(flag)).unwrap_or(text).trim();
    let inner = ['"', '\''].iter().find_map(|quote| bare.strip_prefix(*quote)?.strip_suffix(*quote));
    let named = |text: &&str| split(text).0.is_some_and(|name| NAMES.contains(&name));
    inner.filter(named).or_else(|| Some(bare).filter(named)).unwrap_or(text)
}

/// What stands within quotes around a whole value: those of JSON, or of a shell.
pub(super) fn within_quotes(value: &str) -> Option<String> {
    let by_json = value.starts_with('"').then(|| serde_json::from_str(value).ok()).flatten();
    by_json.or_else(|| Some(value.strip_prefix('\'')?.strip_suffix('\'')?.to_owned()))
}

/// What `data:application/json;base64,` stands before.
pub(super) fn within_data_url(value: &str) -> Option<&str> {
    let rest = value.strip_prefix("data:")?;
    let (kind, rest) = rest.get(..80.min(rest.len())).and_then(|begin| Some((begin.find(',')?, rest)))?;
    rest[..kind].ends_with("base64").then(|| rest[kind + 1..].trim())
}

/// What bytes say that were printed as languages print them: `b'eyJ...'`, `101,121,74`, `[101 121 74]`.
pub(super) fn printed_bytes(value: &str) -> Option<String> {
    let python = value.strip_prefix('b').unwrap_or_default();
    let python = ['\'', '"'].iter().find_map(|quote| python.strip_prefix(*quote)?.strip_suffix(*quote));
    if let Some(inner) = python {
        return Some(inner.to_owned());
    }
    let numbers = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(value);
    // `{"` or `ey`, as JSON and its base64 begin.
    if !["123", "101"].iter().any(|begin| numbers.starts_with(begin)) {
        return None;
    }
    let numbers = numbers.split([',', ' ']).map(str::trim).filter(|number| !number.is_empty());
    let bytes: Vec<u8> = numbers.map(|number| number.parse().ok()).collect::<Option<_>>()?;
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() >= 16)?;
    text.starts_with(['{', 'e']).then_some(text)
}

/// The payment within something else, and where it stands: `{"paymentPayload": {...}}`, `[{...}]`. An offer is looked for
/// where offers are sent.
pub(super) fn payload_within(value: &Value, is_offer: bool) -> Option<(String, Value)> {
    let is_meant = |inner: &Value| match Kind::of(inner) {
        Kind::OfferV1 | Kind::OfferV2 => is_offer,
        Kind::PaymentV1 | Kind::PaymentV2 => {
            !is_offer && ["x402Version", "accepted", "scheme"].iter().any(|key| inner.get(key).is_some())
        }
        _ => false,
    };
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .take(8)
            .find(|(_, item)| is_meant(item))
            .map(|(at, item)| (format!("[{at}]"), item.clone())),
        Value::Object(members) if !is_meant(value) => {
            members.iter().find(|(_, member)| is_meant(member)).map(|(name, member)| (name.clone(), member.clone()))
        }
        _ => None,
    }
}

/// The header with x402 in an object of headers, as programs print them: of several, a payment before what answers it.
pub(super) fn header_of(value: &Value) -> Option<(&'static str, &str)> {
    let headers = value.get("headers").filter(|headers| headers.is_object()).unwrap_or(value).as_object()?;
    let payment_first = ["PAYMENT-SIGNATURE", "X-PAYMENT"].into_iter().chain(NAMES);
    payment_first.into_iter().find_map(|known| {
        let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(known))?;
        // Node gives lists of values.
        let value = value.as_array().map_or(value, |values| values.first().unwrap_or(value));
        Some((known, value.as_str()?))
    })
}
