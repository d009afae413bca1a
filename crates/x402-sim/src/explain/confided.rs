//! What a quoted text may hold in confidence: keys, and what stands behind `Authorization:`.

use crate::networks::solana;

/// What stands in place of a secret.
pub const CUT: &str = "<cut out>";

/// How many hexadecimal digits a key has, at least.
const DIGITS: usize = 64;

/// How long 64 bytes are in base58, in characters: at least, and at most.
const BASE58: std::ops::RangeInclusive<usize> = 64..=90;

/// So many numbers in a list are the bytes of a key: 64 are a pair, 32 the private key alone.
const BYTES: usize = 32;

/// With what the keys of services begin, and the least length of one, in bytes.
const OF_SERVICES: [&str; 2] = ["sk_", "sk-"];
const SHORTEST: usize = 8;

/// Words behind which a line holds a credential.
const NAMES: [&str; 2] = ["auth", "authorization"];

/// A text without what may be a key. Read in one pass: what was cut out is not looked at again.
pub(super) fn without_keys(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (piece, secret) = if length > 0 {
            let (word, behind) = rest.split_at(length);
            match credential(word, behind) {
                Some((between, own)) => (length + between, own),
                None if is_key(word) => (0, length),
                None => (length, 0),
            }
        } else {
            (c.len_utf8(), if c == '[' { bytes_of_key(&rest[1..]) } else { 0 })
        };
        out.push_str(&rest[..piece]);
        if secret > 0 {
            out.push_str(CUT);
        }
        rest = &rest[piece + secret..];
    }
    out
}

/// Whether a word is like a key. Hashes and signatures are like one too.
fn is_key(word: &str) -> bool {
    let in_base58 = |part: &str| BASE58.contains(&part.len()) && solana::parse_signature(part).is_some();
    word.split(|c: char| !c.is_ascii_hexdigit()).any(|digits| digits.len() >= DIGITS)
        || word.split(['_', '-']).any(in_base58)
        || (word.len() >= SHORTEST && OF_SERVICES.iter().any(|begin| word.starts_with(begin)))
}

/// What stands between a name of HTTP's authentication and its value, and how long that is: the rest of the line.
fn credential(word: &str, behind: &str) -> Option<(usize, usize)> {
    let last = word.rsplit(['-', '_']).next().unwrap_or_default();
    if !NAMES.iter().any(|name| last.eq_ignore_ascii_case(name)) {
        return None;
    }
    let line = behind.split('\n').next().unwrap_or_default();
    let value = line.trim_start_matches(['"', '\'', '\\', ' ']).strip_prefix([':', '='])?.trim_start();
    (!value.is_empty() && !value.starts_with(CUT)).then_some((line.len() - value.len(), value.len()))
}

/// How long the numbers behind a bracket are, where they may be the bytes of a key.
fn bytes_of_key(list: &str) -> usize {
    let length = list.find(|c: char| !(c.is_ascii_digit() || c == ',' || c.is_whitespace())).unwrap_or(list.len());
    let count = list[..length].split(',').filter(|own| own.trim().parse::<u8>().is_ok()).count();
    if count >= BYTES { length } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_cut_out_and_the_rest_is_as_it_was() {
        let hex = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let pair = solana::signature_text(&[7; 64]);
        let list = vec!["7"; 64].join(", ");
        for (text, expected) in [
            (format!("invalid key 0x{hex}, sir"), "invalid key <cut out>, sir"),
            (format!("key=\"{hex}{hex}\""), "key=\"<cut out>\""),
            (format!("bad keypair {pair}"), "bad keypair <cut out>"),
            (format!("key_{pair}."), "<cut out>."),
            (format!("bad bytes Uint8Array(64) [{list}]!"), "bad bytes Uint8Array(64) [<cut out>]!"),
            (format!("cut short [{list}"), "cut short [<cut out>"),
            ("401 for sk_live_51Habc".to_owned(), "401 for <cut out>"),
            ("GET / Authorization: Bearer supersecret\nHost: a".to_owned(), "GET / Authorization: <cut out>\nHost: a"),
            ("{\"authorization\": \"Bearer s3\"}".to_owned(), "{\"authorization\": <cut out>"),
            ("auth=Token abcdef123456".to_owned(), "auth=<cut out>"),
            ("proxy-authorization : s3".to_owned(), "proxy-authorization : <cut out>"),
        ] {
            let once = without_keys(&text);
            assert_eq!(once, expected);
            assert_eq!(without_keys(&once), once);
        }
        for same in [
            "",
            "Cannot read properties of undefined (reading 'extra') in sk_a [1, 2] — é",
            "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720 and 2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab",
            "the authorization is used; author: me; Authorization:",
        ] {
            assert_eq!(without_keys(same), same);
        }
    }
}
