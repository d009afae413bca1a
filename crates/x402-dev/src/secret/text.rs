//! A text without its secrets. Each of these walks reads it once, and looks no farther than at what it cuts out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x402_sim::explain::confided::is_pair;

use super::quote::Quote;
use super::value::{self, Name};
use super::{CUT, is_secret_parameter};

/// The least length of a token behind `Bearer`, in bytes: shorter ones are words of a sentence.
const TOKEN: usize = 8;

/// A text without key pairs of Solana.
pub fn without_pairs(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(begin) = rest.find(is_word) {
        out.push_str(&rest[..begin]);
        let length = rest[begin..].find(|c| !is_word(c)).unwrap_or(rest.len() - begin);
        let (word, behind) = rest[begin..].split_at(length);
        rest = behind;
        if is_pair(word) {
            out.push_str(CUT);
            rest = behind.trim_start_matches('=');
        } else {
            push_without_pairs(word, &mut out);
        }
    }
    out + rest
}

/// A text in which nothing stands as a signature that is as long as a private key.
pub(super) fn without_keys_as_signatures(text: &str) -> String {
    const NAME: &str = "signature";
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(NAME) {
        let behind = &rest[at + NAME.len()..];
        let value = behind.trim_start_matches(['"', '\'', '\\', ' ', ':', '=']);
        // What is longer is no key, and is not read to its end: a text may hold the name ten thousand times.
        let length = value.bytes().take(super::KEY + 3).take_while(u8::is_ascii_alphanumeric).count();
        let digits = value[..length].strip_prefix("0x").unwrap_or(&value[..length]);
        let is_key = digits.len() == super::KEY && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let begin = rest.len() - value.len();
        out.push_str(&rest[..begin]);
        rest = value;
        if is_key && value.len() < behind.len() {
            out.push_str(CUT);
            rest = &value[length..];
        }
    }
    out + rest
}

/// A word without those that stand between its marks.
fn push_without_pairs(word: &str, out: &mut String) {
    for part in word.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let own = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        out.push_str(if is_pair(own) { CUT } else { own });
        out.push_str(&part[own.len()..]);
    }
}

/// A text whose addresses name no user and no password.
pub(super) fn without_user(text: &str) -> String {
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
pub(super) fn without_named(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut last = "";
    while let Some(begin) = rest.find(is_word) {
        let quote = Quote::before(&rest[..begin]);
        out.push_str(&rest[..begin]);
        let word_end = rest[begin..].find(|c| !is_word(c)).map_or(rest.len(), |length| begin + length);
        let word = &rest[begin..word_end];
        out.push_str(word);
        rest = &rest[word_end..];
        let before = std::mem::replace(&mut last, word);
        if let Some(length) = credential(word, rest, before) {
            out.push(' ');
            out.push_str(CUT);
            rest = &rest[1 + length..];
            continue;
        }
        let Some(name) = Name::of(word, before) else { continue };
        while let Some((between, length)) = value::find(rest, name, quote) {
            out.push_str(&rest[..between]);
            out.push_str(CUT);
            rest = &rest[between + length..];
        }
    }
    out + rest
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
