//! What people copy along with a header: the quotes of a shell, the flag of curl, the object of a program.

use serde_json::Value;

use super::header::{NAMES, split};

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
