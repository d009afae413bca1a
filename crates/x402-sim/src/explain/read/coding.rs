//! Bytes that came out of base64, as text: what is compressed, what is in another encoding, and what was written in
//! hexadecimal in place of base64.

use alloy_primitives::hex;

use super::header;
use crate::explain::finding::Finding;

/// The text that bytes are. What keeps official servers from reading it is a finding.
pub(super) fn text(bytes: Vec<u8>, findings: &mut Vec<Finding>) -> Option<String> {
    if let Some(how) = compression(&bytes) {
        let seen = format!("it decodes to {} bytes that begin as {how} does", bytes.len());
        findings.push(Finding::new("header_compressed").seen(seen));
        return None;
    }
    if let Some(text) = wide(&bytes) {
        findings.push(Finding::new("header_utf16").seen("every other byte of what it decodes to is zero"));
        return Some(text);
    }
    let Ok(text) = String::from_utf8(bytes) else {
        findings.push(Finding::new("header_not_json").seen("it decodes to bytes that are no text"));
        return None;
    };
    let Some(rest) = text.strip_prefix('\u{feff}') else { return Some(text) };
    findings.push(Finding::new("json_bom").seen("it decodes to a text that begins with the bytes ef bb bf"));
    Some(rest.to_owned())
}

/// What bytes are compressed with, as their first ones say.
fn compression(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x1f, 0x8b, ..] => Some("gzip (1f 8b)"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd (28 b5 2f fd)"),
        // Behind it one byte for each level (RFC 1950, 2.2).
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, _, ..] => Some("zlib (78)"),
        _ => None,
    }
}

/// JSON in UTF-16, of either order, with or without its mark.
fn wide(bytes: &[u8]) -> Option<String> {
    let (rest, order) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, Order::Little),
        [0xfe, 0xff, rest @ ..] => (rest, Order::Big),
        [b'{' | b'"', 0, ..] => (bytes, Order::Little),
        [0, b'{' | b'"', ..] => (bytes, Order::Big),
        _ => return None,
    };
    let (pairs, _) = rest.as_chunks();
    let of = |pair: &[u8; 2]| match order {
        Order::Little => u16::from_le_bytes(*pair),
        Order::Big => u16::from_be_bytes(*pair),
    };
    String::from_utf16(&pairs.iter().map(of).collect::<Vec<_>>()).ok()
}

/// Which of two bytes comes first.
enum Order {
    Little,
    Big,
}

/// A text that was written in hexadecimal: JSON, or its base64.
pub(super) fn hexadecimal(value: &str) -> Option<String> {
    let digits = value.strip_prefix("0x").unwrap_or(value);
    // `{`, or `ey`.
    if digits.len() < 32 || !["7b", "7B", "6579"].iter().any(|begin| digits.starts_with(begin)) {
        return None;
    }
    let text = String::from_utf8(hex::decode(digits).ok()?).ok()?;
    (text.starts_with('{') || header::looks_encoded_json(&text)).then_some(text)
}

/// Base64 of JSON whose letters all became small, or all great: nobody can read it again.
pub(super) fn lost_case(value: &str) -> Option<Finding> {
    let has = |is: fn(&u8) -> bool| value.bytes().any(|byte| is(&byte));
    let (small, great) = (has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase));
    // `eyJ`, as base64 of an object begins.
    let begins = value.get(..3).is_some_and(|begin| begin.eq_ignore_ascii_case("eyj"));
    let is_long = value.len() >= 40 && header::looks_plain(value);
    (is_long && begins && small != great).then(|| {
        let (none, all) = if small { ("capital", "small") } else { ("small", "capital") };
        Finding::new("header_letter_case").seen(format!(
            "of {} characters none is a {none} letter; as base64 begins with `eyJ`, they were turned {all}",
            value.len()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_apart() {
        let of = |bytes: &[u8]| {
            let mut findings = Vec::new();
            let text = text(bytes.to_vec(), &mut findings);
            (text, findings.first().map(|finding| finding.id))
        };
        assert_eq!(of(b"{}"), (Some("{}".to_owned()), None));
        assert_eq!(of(b"\xef\xbb\xbf{}"), (Some("{}".to_owned()), Some("json_bom")));
        for bytes in [&b"\xff\xfe{\0}\0"[..], b"\xfe\xff\0{\0}", b"{\0}\0", b"\0{\0}"] {
            assert_eq!(of(bytes), (Some("{}".to_owned()), Some("header_utf16")), "{bytes:?}");
        }
        for bytes in [&b"\x1f\x8b\x08\0"[..], b"\x78\x9c\xab", b"\x28\xb5\x2f\xfd\0"] {
            assert_eq!(of(bytes), (None, Some("header_compressed")), "{bytes:?}");
        }
        assert_eq!(of(b"\xff\xff"), (None, Some("header_not_json")));
        assert_eq!(of(b"x\x9c"), (None, Some("header_not_json")));
    }

    #[test]
    fn hexadecimal_is_read_where_it_holds_json() {
        let json = r#"{"x402Version":2,"accepts":[]}"#;
        let digits = hex::encode(json);
        for text in [digits.clone(), format!("0x{digits}"), digits.to_uppercase()] {
            assert_eq!(hexadecimal(&text).as_deref(), Some(json));
        }
        for text in ["7b22", "0x7b", &"7b".repeat(20)[1..], &"ab".repeat(40)] {
            assert_eq!(hexadecimal(text), None, "{text}");
        }
    }
}
