//! What is never printed or kept: keys, tokens, cookies, what a user says to a server in confidence. Signatures may stay.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
pub use x402_sim::explain::confided::CUT;
use x402_sim::networks::solana::{ed25519, parse_signature};

/// Parts of names whose values are secrets, wherever they stand. Without case, `-` and `_`.
const NAMES: [&str; 13] = [
    "privatekey",
    "secret",
    "apikey",
    "password",
    "passwd",
    "mnemonic",
    "seedphrase",
    "cookie",
    "bearer",
    "accesstoken",
    "refreshtoken",
    "sessiontoken",
    "authtoken",
];

/// Names that are secrets in the query of an address; elsewhere a token is an asset, and a key a place.
const QUERY_NAMES: [&str; 8] = ["token", "key", "sig", "signature", "auth", "session", "jwt", "pass"];

/// How many hexadecimal digits a key has.
const KEY: usize = 64;

/// How long a key pair of Solana is in base58, in characters: at least, and at most.
const PAIR: std::ops::RangeInclusive<usize> = 64..=90;

/// The least length of a token behind `Bearer`, in bytes: shorter ones are words of a sentence.
const TOKEN: usize = 8;

/// Whether a word looks like a private key: as many hexadecimal digits, or a key pair of Solana, in base58 or as a JSON array.
pub fn is_like_a_key(word: &str) -> bool {
    let word = word.trim();
    let is_hex = word.split(|c: char| !c.is_ascii_hexdigit()).any(|digits| digits.len() >= KEY);
    let numbers = || serde_json::from_str::<Vec<u8>>(word).is_ok_and(|bytes| bytes.len() == 64);
    is_hex || parse_signature(word).is_some() || (word.starts_with('[') && numbers())
}

/// A text without secrets. JSON stays JSON.
pub fn cleaned_json(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_))) => {
            if clean_members(&mut value) {
                value.to_string()
            } else {
                text.to_owned()
            }
        }
        _ => cleaned(text),
    }
}

/// Whether a word is a key pair of Solana in base58, and no signature.
fn is_pair(word: &str) -> bool {
    PAIR.contains(&word.len()) && parse_signature(word).is_some_and(|bytes| ed25519::is_pair(&bytes))
}

/// A text without key pairs of Solana.
pub fn without_pairs(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(begin) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let length = rest[begin..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len() - begin);
        let word = &rest[begin..begin + length];
        out.push_str(&rest[..begin]);
        out.push_str(if is_pair(word) { CUT } else { word });
        rest = &rest[begin + length..];
    }
    out + rest
}

/// Cuts the members out that are secrets by their names, and key pairs of Solana; whether there were any.
pub fn clean_members(value: &mut Value) -> bool {
    match value {
        Value::Object(members) => members.iter_mut().fold(false, |any, (name, member)| {
            if is_named_secret(name) {
                *member = CUT.into();
                return true;
            }
            clean_members(member) || any
        }),
        Value::Array(items) => {
            let mut any = false;
            for item in items {
                any |= clean_members(item);
            }
            any
        }
        Value::String(text) if is_pair(text.trim()) => {
            CUT.clone_into(text);
            true
        }
        _ => false,
    }
}

/// A text without secrets.
pub fn cleaned(text: &str) -> String {
    let mut text = text.to_owned();
    clean(&mut text);
    text
}

/// Whether a parameter of a query is a secret by its name.
pub fn is_secret_parameter(name: &str) -> bool {
    is_named_secret(name) || QUERY_NAMES.contains(&plain(name).as_str())
}

/// Whether a header field is a secret by its name. One that names an attempt is none.
pub fn is_secret_header(name: &str) -> bool {
    let plain = plain(name);
    let is_word = |word: &str| QUERY_NAMES.contains(&word.to_ascii_lowercase().as_str());
    let said = plain.contains("authorization") || is_named_secret(name) || name.split(['-', '_']).any(is_word);
    said && plain != "idempotencykey"
}

/// Whether a name says that its value is a secret.
pub fn is_named_secret(name: &str) -> bool {
    let plain = plain(name);
    NAMES.iter().any(|secret| plain.contains(secret))
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect()
}

/// Cuts the secrets of a text out.
pub fn clean(text: &mut String) {
    // Nothing can be told from so little.
    if text.len() < 3 {
        return;
    }
    *text = without_pairs(&without_named(&without_query(&without_user(text))));
}

/// A text whose addresses name no user and no password.
fn without_user(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace());
        let host = &after[..end.unwrap_or(after.len())];
        rest = match host.rfind('@') {
            Some(at) => {
                out.push_str(CUT);
                &after[at..]
            }
            None => after,
        };
    }
    out + rest
}

/// A text in which the values of secret parameters of addresses are cut out.
pub fn without_query(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(['?', '&']) {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        rest = after;
        let end =
            after.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(after.len());
        let Some(value) = after[end..].strip_prefix('=') else { continue };
        let name = &after[..end];
        if value.starts_with(CUT) {
            continue;
        }
        if is_secret_parameter(name) {
            let value_end = value.find(|c: char| matches!(c, '&' | '"' | '\'' | '#' | '<') || c.is_whitespace());
            out.push_str(&after[..=end]);
            out.push_str(CUT);
            rest = &value[value_end.unwrap_or(value.len())..];
        }
    }
    out + rest
}

/// A text in which the values of what is named as a secret are cut out: `"privateKey": "..."`, `apiKey is ...`.
fn without_named(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut last = "";
    while let Some(begin) = rest.find(is_word) {
        let quote = quote_before(&rest[..begin]);
        out.push_str(&rest[..begin]);
        let word_end = rest[begin..].find(|c| !is_word(c)).map_or(rest.len(), |length| begin + length);
        let word = &rest[begin..word_end];
        out.push_str(word);
        rest = &rest[word_end..];
        let length = credential(word, rest, last);
        last = word;
        if let Some(length) = length {
            out.push(' ');
            out.push_str(CUT);
            rest = &rest[1 + length..];
            continue;
        }
        if !is_named_secret(word.rsplit('.').next().unwrap_or_default()) {
            continue;
        }
        let end = if plain(word).contains("cookie") { End::OfLine(quote) } else { End::OfValue };
        while let Some(length) = value_begins(rest) {
            out.push_str(&rest[..length]);
            out.push_str(CUT);
            rest = &rest[length + value_length(&rest[length..], end)..];
        }
    }
    out + rest
}

/// How long what stands between a name and its value is, if a value follows.
fn value_begins(rest: &str) -> Option<usize> {
    if let Some(other) = rest.strip_prefix(", the requirements' is ") {
        return Some(rest.len() - other.len());
    }
    let bare = rest.trim_start_matches(['"', '\'', '\\']).trim_start();
    let value = bare.strip_prefix([':', '=']).or_else(|| bare.strip_prefix("is "))?.trim_start();
    // What was cut out stays cut out.
    let is_cut = value.is_empty() || value.starts_with(CUT);
    (!is_cut).then_some(rest.len() - value.len())
}

/// How long the credential is that stands behind a word of HTTP's authentication and a space. `last` is the word before.
fn credential(word: &str, rest: &str, last: &str) -> Option<usize> {
    // What was cut out stays cut out.
    let own = rest.strip_prefix(' ').filter(|own| !own.starts_with(CUT))?;
    let own =
        &own[..own.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ',')).unwrap_or(own.len())];
    let is_said = || own.len() >= TOKEN && own.bytes().any(|byte| byte.is_ascii_digit());
    let is_token = !own.is_empty() && (is_authorization(last) || is_said());
    let is_user = || STANDARD.decode(own).is_ok_and(|bytes| bytes.contains(&b':'));
    let is_one = match word.to_ascii_lowercase().as_str() {
        "bearer" => is_token,
        "basic" => is_user(),
        _ => false,
    };
    is_one.then_some(own.len())
}

/// Whether a word is the name of the header, or ends with it.
fn is_authorization(word: &str) -> bool {
    word.rsplit(['-', '.']).next().is_some_and(|last| last.eq_ignore_ascii_case("authorization"))
}

/// Where a value ends.
#[derive(Clone, Copy)]
enum End<'a> {
    OfValue,
    /// That of a cookie has parts, to the end of its line or to the quote that stood before its name.
    OfLine(&'a str),
}

/// The quote that a text ends with, and what escapes it.
fn quote_before(text: &str) -> &str {
    let bare = text.strip_suffix(['"', '\'']).unwrap_or(text);
    if bare.len() == text.len() { "" } else { &text[bare.trim_end_matches('\\').len()..] }
}

/// How long a line is, up to such a quote. That around the value alone is a part of it.
fn line_length(value: &str, quote: &str) -> usize {
    let line = value.find('\n').unwrap_or(value.len());
    if quote.is_empty() {
        return line;
    }
    let (begin, own) = if value.starts_with(quote) { (quote.len(), quote.len()) } else { (0, 0) };
    // What is escaped once more ends nothing.
    let mut ends = value[begin..].match_indices(quote).map(|(at, _)| begin + at);
    let end = ends.find(|at| !value[..*at].ends_with('\\'));
    end.map_or(line, |at| if own > 0 { at + own } else { at.min(line) })
}

/// How long a value is.
fn value_length(value: &str, end: End<'_>) -> usize {
    if let End::OfLine(quote) = end {
        return line_length(value, quote);
    }
    let quoted = ["\\\"", "\"", "'"].iter().find_map(|quote| {
        let inner = value.strip_prefix(quote)?;
        Some(inner.find(quote).map_or(value.len(), |end| end + 2 * quote.len()))
    });
    let ends = [',', '}', ']', ')', ';', '&', '\n', ' '];
    quoted.unwrap_or_else(|| value.find(ends).unwrap_or(value.len()))
}

#[cfg(test)]
mod tests {
    use x402_sim::networks::solana::signature_text;

    use super::*;

    #[test]
    fn every_secret_of_a_text_is_cut_out_and_nothing_else() {
        for (text, expected) in [
            (
                "http://a/?x=1&Token=s3&y=2 http://b/?token=s3#f",
                "http://a/?x=1&Token=<cut out>&y=2 http://b/?token=<cut out>#f",
            ),
            ("http://a/?apiKey=s3&password=s3", "http://a/?apiKey=<cut out>&password=<cut out>"),
            (r#"{"a": 1, "privateKey": "s3", "b": 2}"#, r#"{"a": 1, "privateKey": <cut out>, "b": 2}"#),
            (r#"{\"api_key\":\"s3\",\"b\":2}"#, r#"{\"api_key\":<cut out>,\"b\":2}"#),
            ("{'client_secret': 's3'}", "{'client_secret': <cut out>}"),
            (
                "extra.apiKey is s3, the requirements' is s4",
                "extra.apiKey is <cut out>, the requirements' is <cut out>",
            ),
            ("password=s3; other=4", "password=<cut out>; other=4"),
            ("the token 0x036C is USDC, and ? & : stay", "the token 0x036C is USDC, and ? & : stay"),
            ("accepted.asset is 1, the requirements' is 2", "accepted.asset is 1, the requirements' is 2"),
            ("secret: ", "secret: "),
            ("Cookie: a=s3; sid=s4\nHost: x", "Cookie: <cut out>\nHost: x"),
            ("Cookie: a=\"x\"; session=s3}; b='s4'\nHost: x", "Cookie: <cut out>\nHost: x"),
            ("curl -H 'Cookie: a=\"x\"; b=s3' http://a/", "curl -H 'Cookie: <cut out>' http://a/"),
            (r#"{"Cookie": "a=\"x\"; b=s3", "c": 1}"#, r#"{"Cookie": <cut out>, "c": 1}"#),
            (r#"{\"cookie\":\"a=\\\"x\\\"; b=s3\",\"c\":1}"#, r#"{\"cookie\":<cut out>,\"c\":1}"#),
            ("Authorization: Bearer supers3\nHost: x", "Authorization: Bearer <cut out>\nHost: x"),
            (r#"{"authorization": "bearer s3", "b": 1}"#, r#"{"authorization": "bearer <cut out>", "b": 1}"#),
            ("Error: Bearer s3s4s3s4s3 was refused", "Error: Bearer <cut out> was refused"),
            ("Error: Basic czM6czQ= was refused", "Error: Basic <cut out> was refused"),
            ("a bearer of good news, and a Basic question", "a bearer of good news, and a Basic question"),
        ] {
            let once = cleaned(text);
            assert_eq!(once, expected);
            assert_eq!(cleaned(&once), once);
            assert!(!once.contains("s3") && !once.contains("s4"), "{once}");
        }
    }

    #[test]
    fn members_of_json_are_cut_out_and_the_rest_is_as_it_was() {
        let text = r#"{"b":1.50,"a":[{"privateKey":"s3","x":{"api_key":["s4"]}}]}"#;
        let clean = cleaned_json(text);
        let value: Value = serde_json::from_str(&clean).unwrap();
        assert_eq!((&value["a"][0]["privateKey"], &value["a"][0]["x"]["api_key"]), (&CUT.into(), &CUT.into()));
        for same in [r#"{"b":1.50, "a": []}"#, "[1.0]"] {
            assert_eq!(cleaned_json(same), same);
        }
        assert_eq!(cleaned_json("apiKey=s3"), "apiKey=<cut out>");
    }

    #[test]
    fn every_form_of_a_key_looks_like_one() {
        let array = format!("[{}]", vec!["7"; 64].join(","));
        let base58 = x402_sim::networks::solana::signature_text(&[7; 64]);
        for word in ["ab".repeat(32), format!("0x{}", "1".repeat(64)), array, base58] {
            assert!(is_like_a_key(&word), "{word}");
        }
        for word in [
            "",
            "alice",
            "[1,2]",
            "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
            "oeYf6KAJkLYhBuR8CiGc6L4D4Xtfepr85fuDgA9kq96",
        ] {
            assert!(!is_like_a_key(word), "{word}");
        }
    }

    #[test]
    fn a_key_pair_is_cut_out_wherever_it_stands_and_a_signature_stays() {
        let own = |bytes: [[u8; 32]; 2]| signature_text(&bytes.concat().try_into().unwrap());
        let (pair, signature) = (own([[1; 32], ed25519::key_of(&[1; 32]).0]), own([[1; 32], [2; 32]]));
        assert_eq!(cleaned(&format!("`{pair}`, {signature}é")), format!("`{CUT}`, {signature}é"));
        let mut value = serde_json::json!({"a": [pair, signature]});
        assert!(clean_members(&mut value));
        assert_eq!(value, serde_json::json!({"a": [CUT, signature]}));
    }

    #[test]
    fn pieces_of_all_that_is_looked_for_are_read_in_any_order() {
        let pieces =
            ["apiKey", "://a@", "?key=", "secret", ": ", "is ", "\"", "\\\"", "é", ", the requirements' is ", ""];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    for d in pieces {
                        let once = cleaned(&[a, b, c, d].concat());
                        assert!(once.len() < 200);
                    }
                }
            }
        }
    }
}
