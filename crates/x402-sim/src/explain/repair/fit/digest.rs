//! Digests that are put together otherwise than EIP-712 does it, and texts that are signed in its place.

use alloy_primitives::{B256, keccak256};
use serde_json::Value;

use super::{Found, Tries};
use crate::networks::eip155::permit2::permit::typed;

const AT: &str = "paymentPayload.payload.signature";

/// What wallets put in front of a message, so that no message is a transaction (EIP-191).
fn as_message(message: &[u8]) -> B256 {
    let head = format!("\x19Ethereum Signed Message:\n{}", message.len());
    keccak256([head.as_bytes(), message].concat())
}

/// What a signature fits that was made over a domain and a message, but not by EIP-712, or over a text.
pub(in crate::explain::repair) fn others(
    separator: B256,
    message: B256,
    texts: &[String],
    tries: &Tries,
) -> Option<Found> {
    let right = typed(separator, message);
    let digits = right.to_string();
    let messages: [(&[u8], &str); 5] = [
        (right.as_slice(), "the digest signed as a message (`personal_sign` of its 32 bytes)"),
        (digits.as_bytes(), "the digest's hexadecimal text signed as a message (`personal_sign` of \"0x...\")"),
        (&digits.as_bytes()[2..], "the digest's hexadecimal text without 0x signed as a message (`personal_sign`)"),
        (message.as_slice(), "the hash of the struct alone, without its domain, signed as a message (`personal_sign`)"),
        (separator.as_slice(), "the hash of the domain alone, signed as a message (`personal_sign`)"),
    ];
    for (bytes, what) in messages {
        if tries.fit(as_message(bytes)) {
            return Some(Found::new("signed_as_message", AT, what));
        }
    }
    let joined = |parts: &[&[u8]]| keccak256(parts.concat());
    let (domain, inner) = (separator.as_slice(), message.as_slice());
    let hashes = [
        (joined(&[domain, inner]), "the hash of domain and message without 0x1901 before them"),
        (message, "the hash of the message alone, without 0x1901 and without the domain"),
        (joined(&[&[0x19, 0x01], inner, domain]), "the hash of 0x1901, message and domain, in this sequence"),
        (joined(&[&[0x19, 0x01], inner]), "the hash of 0x1901 and the message, without the domain"),
        (joined(&[&[0x19], domain, inner]), "the hash of 0x19, domain and message, without 0x01"),
        (joined(&[right.as_slice()]), "the hash of the digest: it was hashed twice"),
        (joined(&[digits.as_bytes()]), "the hash of the digest's hexadecimal text: it was hashed twice"),
        (separator, "the hash of the domain alone"),
    ];
    for (digest, what) in hashes {
        if tries.fit(digest) {
            return Some(Found::new("digest_not_eip712", AT, what));
        }
    }
    texts.iter().find_map(|text| {
        let shown = x402_wire::shape::shorten(text);
        let what = if tries.fit(as_message(text.as_bytes())) {
            format!("the text {shown} signed as a message (`personal_sign`)")
        } else if tries.fit(keccak256(text)) {
            format!("the hash of the text {shown}")
        } else {
            return None;
        };
        Some(Found::new("signed_as_text", AT, what))
    })
}

/// What is signed, as the JSON that languages make of it: members as SDKs write them and by their names, numbers as texts
/// and as numbers, close together, with spaces, on lines of their own.
pub(super) fn texts_of(signed: &Value, keys: &[&str]) -> Vec<String> {
    let Some(members) = signed.as_object() else { return Vec::new() };
    let mut sorted: Vec<&str> = keys.to_vec();
    sorted.sort_unstable();
    let mut all = Vec::new();
    for keys in [keys, &sorted] {
        for as_numbers in [false, true] {
            let pairs: Vec<(&str, Value)> = keys
                .iter()
                .filter_map(|key| {
                    let value = members.get(*key)?;
                    let number = value.as_str().filter(|_| as_numbers).and_then(|text| text.parse::<u64>().ok());
                    Some((*key, number.map_or_else(|| value.clone(), Value::from)))
                })
                .collect();
            all.extend(written(&pairs));
        }
    }
    all
}

/// One object in every spacing.
fn written(pairs: &[(&str, Value)]) -> Vec<String> {
    let join = |colon: &str, comma: &str, open: &str, close: &str| {
        let members: Vec<String> = pairs.iter().map(|(key, value)| format!("\"{key}\"{colon}{value}")).collect();
        format!("{{{open}{}{close}}}", members.join(comma))
    };
    vec![
        join(":", ",", "", ""),
        join(": ", ", ", "", ""),
        join(": ", ",\n  ", "\n  ", "\n"),
        join(": ", ",\n    ", "\n    ", "\n"),
    ]
}
