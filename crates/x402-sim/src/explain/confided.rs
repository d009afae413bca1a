//! What a quoted text may hold in confidence: keys, and what stands behind `Authorization:`.

use crate::networks::solana;

mod form;

pub use form::{Form, digits, is_pair, is_pair_in_json};

/// What stands in place of a secret.
pub const CUT: &str = "<cut out>";

/// How many hexadecimal digits a key has, at least.
const DIGITS: usize = 64;

/// So many numbers in a row are the bytes of a key: 64 are a pair, 32 the private key alone.
const NUMBERS: usize = 32;

/// With what the keys of services begin, and the least length of one, in bytes.
const OF_SERVICES: [&str; 2] = ["sk_", "sk-"];
const SHORTEST: usize = 8;

/// Within so many characters a credential has a digit: what is no credential is not read to its end for every name in it.
const NEAR: usize = 512;

/// The name of the header that holds a credential; x402 has a member of this name that is none.
const AUTHORIZATION: &str = "authorization";

/// The words that such a header begins with (RFC 7235, 2.1; `Token` is a habit of many services).
const SCHEMES: [&str; 4] = ["bearer", "basic", "token", "digest"];

/// A text without what may be a key. Read in one pass: what was cut out is not looked at again.
pub(super) fn without_keys(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (piece, secret) = if length > 0 {
            let (word, behind) = rest.split_at(length);
            let begin = text.len() - rest.len();
            match credential(&text[..begin], word, behind) {
                Some((between, own)) => (length + between, own),
                None if is_key(word) => (0, length),
                None => (0, bytes_in_words(rest)),
            }
        } else {
            (c.len_utf8(), if matches!(c, '[' | '(' | '{') { bytes_in_list(&rest[1..]) } else { 0 })
        };
        // A word that is no secret is said.
        let piece = if secret == 0 { piece.max(length) } else { piece };
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
    let in_base58 = |part: &str| solana::parse_signature(part).is_some();
    word.split(|c: char| !c.is_ascii_hexdigit()).any(|digits| digits.len() >= DIGITS)
        || word.split(['_', '-']).any(in_base58)
        || (word.len() >= SHORTEST && OF_SERVICES.iter().any(|begin| word.starts_with(begin)))
}

/// What stands between a name of HTTP's authentication and its value, and how long that is. What follows is looked at no
/// farther than it takes: a line may hold many names.
fn credential(before: &str, word: &str, behind: &str) -> Option<(usize, usize)> {
    let last = word.rsplit(['-', '_']).next().unwrap_or_default();
    let is_named = last.eq_ignore_ascii_case(AUTHORIZATION);
    if !is_named && !last.eq_ignore_ascii_case("auth") {
        return None;
    }
    let marks = ['"', '\'', '\\', ' '];
    let stop = behind.trim_start_matches(marks);
    let value = stop.strip_prefix([':', '='])?.trim_start_matches([' ', '\t', '\r']);
    if value.is_empty() || value.starts_with('\n') || value.starts_with(CUT) {
        return None;
    }
    let between = behind.len() - value.len();
    let of_line = || value.find('\n').unwrap_or(value.len());
    if !is_named && stop.starts_with('=') {
        return Some((between, of_line()));
    }
    // The path of a member, and no header.
    if before.ends_with('.') {
        return None;
    }
    let bare = value.trim_start_matches(['"', '\'', '\\']);
    let scheme = &bare[..bare.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(bare.len())];
    if SCHEMES.iter().any(|own| scheme.eq_ignore_ascii_case(own)) {
        return Some((between, of_line()));
    }
    let is_end = |c: char| c.is_whitespace() || marks.contains(&c);
    let near = bare.chars().take(NEAR).take_while(|c| !is_end(*c));
    if !near.clone().any(|c| c.is_ascii_digit()) || near.count() < SHORTEST {
        return None;
    }
    let own = &bare[..bare.find(is_end).unwrap_or(bare.len())];
    let is_alone = || {
        let is_quoted = bare.len() < value.len();
        let rest = bare[own.len()..].trim_start_matches([' ', '\t', '\r']);
        is_quoted || rest.is_empty() || rest.starts_with('\n')
    };
    // What has members is x402's own.
    (!own.starts_with(['{', '[']) && is_alone()).then(|| (between, value.len() - bare.len() + own.len()))
}

/// How long the numbers behind a bracket are, where they may be the bytes of a key.
fn bytes_in_list(list: &str) -> usize {
    let length = list.find(|c: char| !(c.is_ascii_digit() || c == ',' || c.is_whitespace())).unwrap_or(list.len());
    let count = list[..length].split(',').filter(|own| own.trim().parse::<u8>().is_ok()).count();
    if count >= NUMBERS { length } else { 0 }
}

/// How long the words of two hexadecimal digits are that a text begins with, where they may be the bytes of a key, as a
/// `Buffer` of Node is printed.
fn bytes_in_words(text: &str) -> usize {
    let is_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let is_byte = |three: &&[u8]| three[..2].iter().all(u8::is_ascii_hexdigit) && !is_word(three.get(2));
    let is_parted = |three: &[u8]| matches!(three.get(2), Some(b' ' | b':'));
    let mut count = 0;
    // Fewer are read again with the word behind them: no more than so many.
    for three in text.as_bytes().chunks(3).take_while(|three| three.len() > 1).take_while(is_byte) {
        count += 1;
        if !is_parted(three) {
            break;
        }
    }
    if count >= NUMBERS { 3 * count - 1 } else { 0 }
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
            ("proxy-authorization : s3s4s5s6\nHost: a".to_owned(), "proxy-authorization : <cut out>\nHost: a"),
            ("{authorization:'digest a=\"b\", c=\"d\"'}".to_owned(), "{authorization:<cut out>"),
            ("{\"authorization\":\"s3s4s5s6\",\"b\":1}".to_owned(), "{\"authorization\":<cut out>\",\"b\":1}"),
            (format!("new Uint8Array({list})"), "new Uint8Array(<cut out>)"),
            (format!("[]byte{{{list}}}"), "[]byte{<cut out>}"),
            (
                format!("<Buffer {} ... 14 more bytes>", vec!["ac"; 50].join(" ")),
                "<Buffer <cut out> ... 14 more bytes>",
            ),
            (format!("priv:\n    {}\npub:", vec!["0c"; 32].join(":")), "priv:\n    <cut out>\npub:"),
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
            "payload.authorization: Required",
            "payload.authorization: Token is missing",
            "missing authorization: signature was rejected by wallet",
            "{\"authorization\":{\"from\":\"0x1\",\"value\":\"10000\"}}",
            "authorization: 0x12345678 is used, authorization:\nBearer of news",
            "<Buffer ac 09 74 be c3 9a 17 e3 6b a4 a6 b4 d2 38 ff 94 4b ac b4 78 cb ed 5e fc ae 78 4d 7b f4 f2 ff>",
        ] {
            assert_eq!(without_keys(same), same);
        }
    }

    #[test]
    fn a_name_is_looked_at_no_farther_than_its_value() {
        // What follows is never reached: the same is found with nothing behind it.
        for (behind, own) in [(": s3s4s5s6", 8), (": Bearer s3", 9), ("=a", 1)] {
            let found = credential("", "auth", behind);
            assert_eq!(found, Some((behind.len() - own, own)), "{behind}");
            let many = format!("{behind}\n{}", "authorization: a b".repeat(1000));
            assert_eq!(credential("", "auth", &many), found);
        }
        for behind in [" is used", "", "; a: b"] {
            assert_eq!(credential("", "authorization", behind), None);
        }
    }
}
