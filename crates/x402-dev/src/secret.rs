//! What is never printed or kept: keys, tokens, cookies, what a user says to a server in confidence. Signatures may stay.
//!
//! | room | what it holds |
//! |---|---|
//! | `text` | a text, from its begin to its end |
//! | `value` | where the value behind a name ends |
//! | `quote` | quotation marks, of languages and of shells |
//! | `phrase` | the words that an account is recovered with |

use serde_json::Value;
use x402_sim::explain::confided::{Form, is_pair, is_pair_in_json};
use x402_sim::networks::solana::parse_signature;
use x402_wire::header;

mod phrase;
mod quote;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use text::{without_pairs, without_query};
pub use x402_sim::explain::confided::CUT;

/// Parts of names whose values are secrets, wherever they stand. Without case, `-` and `_`.
const NAMES: [&str; 14] = [
    "privatekey",
    "secret",
    "apikey",
    "password",
    "passwd",
    "mnemonic",
    "seedphrase",
    "recoveryphrase",
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

/// Whether a word looks like a private key: as many hexadecimal digits, or a key pair of Solana in any form.
pub fn is_like_a_key(word: &str) -> bool {
    let word = word.trim();
    let is_hex = word.split(|c: char| !c.is_ascii_hexdigit()).any(|digits| digits.len() >= KEY);
    is_hex || parse_signature(word).is_some() || Form::of(word).is_some()
}

/// What is kept of the value of a header that carries a payment, where nobody could decode that: a key in its place is
/// named by its form, a secret within JSON is cut out, and the rest is as it came.
pub fn kept(value: &str) -> String {
    if let Some(form) = Form::of(value) {
        return form.mark().to_owned();
    }
    if let Some(clean) = without_members(value) {
        return clean;
    }
    let within = header::decode_text(value).ok().and_then(|json| without_members(&json));
    within.map_or_else(|| without_pairs(value), |json| header::encode_text(&json))
}

/// JSON without its secrets, where it has any.
fn without_members(text: &str) -> Option<String> {
    let mut value = serde_json::from_str(text).ok()?;
    clean_members(&mut value).then(|| value.to_string())
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

/// Cuts the members out that are secrets by their names, key pairs of Solana, and what stands as a signature and is as long
/// as a key; whether there were any.
pub fn clean_members(value: &mut Value) -> bool {
    if is_pair_in_json(value) {
        *value = CUT.into();
        return true;
    }
    match value {
        Value::Object(members) => members.iter_mut().fold(false, |any, (name, member)| {
            if is_named_secret(name) {
                *member = CUT.into();
                return true;
            }
            if let Some(form) = member.as_str().filter(|_| is_signature(name)).and_then(Form::of) {
                *member = form.mark().into();
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

/// Cuts the secrets of a text out.
pub fn clean(text: &mut String) {
    // Nothing can be told from so little.
    if text.len() < 3 {
        return;
    }
    let named = text::without_named(&without_query(&text::without_user(text)));
    *text = without_pairs(&text::without_keys_as_signatures(&named));
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

/// Whether a name is a signature's, in whose place a private key may stand. Signatures are longer, and may stay.
pub fn is_signature(name: &str) -> bool {
    name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("signature"))
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect()
}
