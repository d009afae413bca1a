//! Whole numbers that stand in JSON without quotes and are larger than 64 bits: readers of JSON make others of them.

use serde_json::Value;

use crate::explain::finding::Finding;
use crate::explain::kind::Kind;

/// Members that are numbers of up to 256 bits.
const LARGE: [&str; 4] = ["nonce", "value", "amount", "maxAmountRequired"];

/// The digits of the largest number of 256 bits.
const MOST: usize = 78;

/// A JSON text with such numbers in quotes, and the numbers by their names. `None` where it has none.
pub(super) fn quoted(text: &str) -> Option<(String, Vec<(String, String)>)> {
    let (mut out, mut large) = (String::new(), Vec::new());
    let (mut rest, mut name, mut is_value) = (text, "", false);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string(rest),
            '0'..='9' => rest.bytes().take_while(u8::is_ascii_digit).count(),
            _ => first.len_utf8(),
        };
        let (token, behind) = rest.split_at(length);
        let ends = behind.starts_with(|next: char| next.is_whitespace() || matches!(next, ',' | '}'));
        if first.is_ascii_digit() && is_value && ends && LARGE.contains(&name) && is_large(token) {
            large.push((name.to_owned(), token.to_owned()));
            out.extend(["\"", token, "\""]);
        } else {
            out.push_str(token);
        }
        match first {
            '"' => name = token.trim_matches('"'),
            _ if first.is_whitespace() => {}
            _ => is_value = first == ':',
        }
        rest = behind;
    }
    (!large.is_empty()).then_some((out, large))
}

/// The length of the string that a text begins with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

fn is_large(digits: &str) -> bool {
    digits.len() <= MOST && digits.parse::<u64>().is_err()
}

/// What is wrong with such a number, and where it stands.
pub(super) fn finding(key: &str, digits: &str, read: Option<(Kind, &Value)>) -> Finding {
    let finding = Finding::new("number_not_text").seen(format!("`{key}` is the number {digits}"));
    let fix = format!("Write it in quotes: `str({key})` in Python, `{key}.toString()` in TypeScript.");
    let finding = Finding { fix, ..finding };
    let place = read.and_then(|(kind, value)| {
        let root = if matches!(kind, Kind::PaymentV1 | Kind::PaymentV2) { "paymentPayload." } else { "" };
        Some(format!("{root}{}", place(value, key, digits)?))
    });
    let finding = place.map_or_else(|| finding.clone(), |place| finding.clone().at(place));
    let kept = digits.parse::<f64>().map(|kept| format!("{kept:.0}")).unwrap_or_default();
    if kept == digits { finding } else { finding.proven(format!("read as a number of JSON, it is {kept}")) }
}

/// The way to a member with some text.
fn place(value: &Value, key: &str, text: &str) -> Option<String> {
    value.as_object()?.iter().find_map(|(name, own)| {
        let here = name == key && own == text;
        if here { Some(name.clone()) } else { place(own, key, text).map(|rest| format!("{name}.{rest}")) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_256_bits_are_put_in_quotes_and_nothing_else_is() {
        let long = "36348051074522831234567890123456789012345678901234567890123456789012345678";
        let text = format!(r#"{{"a":"\"nonce\":{long}","nonce" : {long} ,"value":18446744073709551615,"x":{long}}}"#);
        let (out, large) = quoted(&text).unwrap();
        assert_eq!(large, [("nonce".to_owned(), long.to_owned())]);
        assert_eq!(out, text.replace(&format!(": {long} "), &format!(": \"{long}\" ")));
        for text in ["", "{}", "\"", r#"{"nonce":1e75}"#, r#"{"nonce":123456789012345678901.5}"#, r#"{"nonce":"1"}"#] {
            assert!(quoted(text).is_none(), "{text}");
        }
    }
}
