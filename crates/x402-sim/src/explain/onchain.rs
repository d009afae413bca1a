//! What a payer shows in place of a payment who has sent a transaction himself: its hash, or the transaction.

use alloy_primitives::{B256, hex, keccak256};
use serde_json::Value;
use x402_wire::shape::shorten;

use super::confided::digits;
use super::finding::Finding;
use crate::networks::eip155::raw::RawTransaction;
use crate::networks::solana::transaction::Transaction;
use crate::networks::solana::{parse_signature, signature_text};

/// Under which names people show it, without case and marks.
const NAMES: [&str; 13] = [
    "transaction",
    "tx",
    "txhash",
    "transactionhash",
    "hash",
    "txid",
    "transactionid",
    "rawtransaction",
    "rawtx",
    "signedtransaction",
    "serializedtransaction",
    "paymenthash",
    "proof",
];

/// With any of these a payload is an authorization, however badly it is written; its nonce looks like a hash.
const OF_AUTHORIZATION: [&str; 5] = ["authorization", "permit2Authorization", "permitted", "nonce", "validBefore"];

/// What is shown.
enum Shown {
    Hash,
    Raw,
}

/// The name that a transaction has on its chain, of a text that is one, or that is such a name: a hash, or a signature.
pub fn name_of(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(digits) = digits(text) {
        return Some(format!("0x{}", digits.to_ascii_lowercase()));
    }
    if parse_signature(text).is_some() {
        return Some(text.to_owned());
    }
    if let Some(raw) = raw(text) {
        return Some(keccak256(raw).to_string());
    }
    // What is not signed by who pays the fee has no name yet.
    let id = Transaction::from_base64(text).ok()?.id();
    id.iter().any(|byte| *byte != 0).then(|| signature_text(&id))
}

/// The hash that a text is, behind whatever word.
pub fn hash_in(text: &str) -> Option<B256> {
    hex::decode_to_array(digits(text)?).ok().map(B256::new)
}

/// The finding for a payment, or what stands for one, that holds an EVM transaction or its hash, and nothing signed.
pub(super) fn finding(payment: &Value) -> Option<Finding> {
    let body = payment.get("payload").unwrap_or(payment);
    let (place, shown) = match body {
        Value::String(text) => ("payload".to_owned(), shown(text)?),
        Value::Object(members) if OF_AUTHORIZATION.iter().all(|name| !members.contains_key(*name)) => {
            members.iter().find_map(|(name, own)| {
                let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
                let is_named = NAMES.contains(&plain.to_ascii_lowercase().as_str());
                let shown = shown(own.as_str().filter(|_| is_named)?)?;
                Some((shorten(name), shown))
            })?
        }
        _ => return None,
    };
    let what = match shown {
        Shown::Hash => "64 hexadecimal digits, as the hash of an EVM transaction has",
        Shown::Raw => "a raw EVM transaction",
    };
    let nothing = "there is no signed authorization and no permit";
    Some(Finding::new("evm_transaction_sent").seen(format!("`{place}` holds {what}; {nothing}")))
}

fn shown(text: &str) -> Option<Shown> {
    let text = text.trim();
    match digits(text) {
        Some(_) => Some(Shown::Hash),
        None => raw(text).map(|_| Shown::Raw),
    }
}

/// The bytes of a raw EVM transaction, of whatever type, also of one that was cut.
fn raw(text: &str) -> Option<Vec<u8>> {
    let bytes = hex::decode(text).ok()?;
    // A cut one cannot be decoded; what begins like one may be a transaction of Solana.
    let is_typed = || text.starts_with("0x") && matches!(bytes[..], [1..=4, 0xf8..=0xfa, ..]);
    let is_one = RawTransaction::decode(&bytes).is_ok() || (is_typed() && Transaction::decode(&bytes).is_err());
    is_one.then_some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A transfer of tokens, as wallets sign it, of EIP-1559.
    fn raw_transfer() -> String {
        let input = [&hex!("a9059cbb")[..], &[7; 64]].concat();
        let to = crate::networks::eip155::PERMIT2;
        let own =
            crate::networks::eip155::transaction::Transaction { chain_id: 84532, nonce: 1, to, input: input.into() };
        own.sign(&[7; 32]).raw.to_string()
    }

    #[test]
    fn a_transaction_and_its_hash_have_one_name() {
        let raw = raw_transfer();
        let hash = name_of(&raw).unwrap();
        for text in [hash.clone(), hash.to_uppercase(), hash[2..].to_owned(), format!("Bearer {hash}")] {
            assert_eq!(name_of(&text).as_ref(), Some(&hash), "{text}");
        }
        let signature = signature_text(&[7; 64]);
        assert_eq!(name_of(&signature), Some(signature));
        for other in ["", "0x", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "eyJ4NDAyVmVyc2lvbiI6Mn0=", "0x01f7"] {
            assert_eq!(name_of(other), None, "{other}");
        }
    }

    #[test]
    fn what_holds_a_transaction_and_nothing_signed_is_found() {
        let (hash, raw) = (format!("0x{}", "c4".repeat(32)), raw_transfer());
        for body in [
            json!({"transaction": hash}),
            json!({"transaction": raw}),
            json!({"tx_hash": hash, "from": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"}),
            json!({"transactionHash": &hash[2..]}),
            json!({"rawTransaction": raw}),
            json!({"transaction": &raw[..100].replacen("0xf8", "0x02f8", 1)}),
            json!({"transaction": "0x02f8b1"}),
            json!(hash),
        ] {
            for payment in [json!({"x402Version": 2, "accepted": {}, "payload": body}), body.clone()] {
                let found = finding(&payment).unwrap_or_else(|| panic!("{payment}"));
                assert!(found.id == "evm_transaction_sent" && !found.is_proven(), "{found:?}");
            }
        }
    }

    #[test]
    fn what_is_signed_however_badly_is_no_transaction() {
        let (hash, signature) = (format!("0x{}", "c4".repeat(32)), format!("0x{}1b", "c4".repeat(64)));
        for body in [
            json!({"signature": signature, "authorization": {"nonce": hash}}),
            json!({"signature": signature, "nonce": hash, "from": "0x1"}),
            json!({"signature": hash, "authorization": {"nonce": hash}}),
            json!({"signature": signature}),
            json!({"signature": hash}),
            json!({"resourceHash": hash}),
            json!({"transaction": "AQAB"}),
            json!({"transaction": signature}),
            json!({"transaction": null}),
            json!([hash]),
        ] {
            assert_eq!(finding(&json!({"x402Version": 2, "payload": body})), None, "{body}");
        }
    }
}
