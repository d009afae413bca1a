//! Request paths in the form in which they are compared.

use std::borrow::Cow;

/// The form in which request paths are compared: the query cut, escapes decoded segment by segment (a decoded `/` or
/// `\` is escaped again, a malformed escape leaves its segment as it is), slashes collapsed, no slash at the end.
///
/// Bytes above 127 that were sent without escapes are read as Latin-1, as Node does.
pub fn normalise_path(raw: &[u8]) -> Cow<'_, str> {
    let plain = |byte: &u8| byte.is_ascii() && !b"%\\?#".contains(byte);
    if raw.iter().all(plain)
        && !raw.windows(2).any(|pair| pair == b"//")
        && (raw.len() < 2 || !raw.ends_with(b"/"))
        && let Ok(text) = std::str::from_utf8(raw)
    {
        return Cow::Borrowed(text);
    }
    let text: String = raw.iter().map(|byte| char::from(*byte)).collect();
    Cow::Owned(normalise(&text))
}

pub(super) fn normalise(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments = path.split('/').map(|segment| match decode_segment(segment) {
        Some(decoded) => Cow::Owned(decoded.replace('/', "%2F").replace('\\', "%5C")),
        None => Cow::Borrowed(segment),
    });
    let mut normal = String::with_capacity(path.len());
    for (at, segment) in segments.enumerate() {
        if at > 0 && !normal.ends_with('/') {
            normal.push('/');
        }
        normal.push_str(&segment);
    }
    // The official expression is `(.+?)\/+$` without the flag that lets a point match the end of a line.
    let before = normal.strip_suffix('/').and_then(|rest| rest.chars().next_back());
    if before.is_some_and(|c| !['\n', '\r', '\u{2028}', '\u{2029}'].contains(&c)) {
        normal.pop();
    }
    normal
}

/// JavaScript's `decodeURIComponent`; `None` where that throws.
fn decode_segment(segment: &str) -> Option<String> {
    let mut decoded = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let first = escape_at(rest)?;
        let length = match first.leading_ones() {
            0 => 1,
            ones @ 2..=4 => ones as usize,
            _ => return None,
        };
        let mut bytes = [0; 4];
        for byte in &mut bytes[..length] {
            *byte = escape_at(rest)?;
            rest = &rest[3..];
        }
        decoded.push_str(std::str::from_utf8(&bytes[..length]).ok()?);
    }
    decoded.push_str(rest);
    Some(decoded)
}

/// The byte that `%` and two hexadecimal digits at the start of a text mean.
fn escape_at(text: &str) -> Option<u8> {
    let digits = text.strip_prefix('%')?.get(..2)?;
    let all_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if all_digits { u8::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_as_the_official_matcher_does() {
        for (raw, normal) in [
            (&b"/a//b///"[..], "/a/b"),
            (b"/", "/"),
            (b"//", "/"),
            (b"", ""),
            (b"/a?b=/c/", "/a"),
            (b"/a#b", "/a"),
            (b"/%61%2f%5C\\", "/a%2F%5C%5C"),
            (b"/%2561", "/%61"),
            (b"/bad%2/x", "/bad%2/x"),
            (b"/%zz%61/%61", "/%zz%61/a"),
            (b"/%+1", "/%+1"),
            (b"/%C3%A9/%C3/%E2%82%AC/%F0%9F%98%80", "/\u{e9}/%C3/\u{20ac}/\u{1f600}"),
            (b"/%C0%80/%ED%A0%80/%F5%80%80%80/%80", "/%C0%80/%ED%A0%80/%F5%80%80%80/%80"),
            (b"/\xe9\xff", "/\u{e9}\u{ff}"),
            (b"/%C3\xa9", "/%C3\u{a9}"),
            (b"/..%2f../x", "/..%2F../x"),
            (b"/a%0A/", "/a\n/"),
            (b"/%00", "/\0"),
        ] {
            assert_eq!(normalise_path(raw), normal, "{}", raw.escape_ascii());
        }
    }
}
