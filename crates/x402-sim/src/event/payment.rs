//! What ties the events of one payment together.

use std::fmt;

use alloy_primitives::{B256, hex, keccak256};
use serde::{Serialize, Serializer};
use x402_wire::json::Json;
use x402_wire::payload::PaymentPayload;

use crate::networks::solana;

/// How its text begins.
const PREFIX: &str = "pay_";

/// What ties the events of one payment together: a hash of what the payer signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaymentId(pub [u8; 8]);

impl PaymentId {
    /// The id of a payload: the same for every attempt to use it, at every door.
    pub fn of(payload: &PaymentPayload<'_>) -> Self {
        let signed = payload.value().get("payload").unwrap_or(payload.value());
        // On Solana the message is what is paid once, whoever has signed it by now.
        if let Some(message) = signed.get("transaction").and_then(Json::as_str).and_then(solana::exact::identity_of) {
            return Self::of_transaction(message.into());
        }
        // The signature stands for all that it signs. What has none is hashed whole.
        match signed.get("signature").and_then(Json::as_str) {
            Some(signature) if signature.len() > 2 => Self::of_text(signature),
            _ => Self::of_text(&signed.to_string()),
        }
    }

    /// The id of the payment of an invoice.
    pub fn of_memo(memo: &str) -> Self {
        Self::of_text(&memo.trim().to_ascii_lowercase())
    }

    /// The id of a transaction that nobody signed but its sender.
    pub fn of_transaction(hash: B256) -> Self {
        Self::of_text(hex::Buffer::<32, true>::new().format(&hash.0))
    }

    /// The id of what somebody signed, from the signature's bytes: the same as where it stands in a payload.
    pub fn of_signature(signature: &[u8]) -> Self {
        Self::of_text(&hex::encode_prefixed(signature))
    }

    fn of_text(text: &str) -> Self {
        let hash = keccak256(text);
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        Self(id)
    }

    /// Reads `pay_` and 16 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        hex::decode_to_array(text.strip_prefix(PREFIX)?).ok().map(Self)
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PREFIX}{}", hex::encode(self.0))
    }
}

impl Serialize for PaymentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> PaymentId {
        PaymentId::of(&PaymentPayload::parse(text).unwrap())
    }

    #[test]
    fn a_signature_stands_for_a_payment_and_what_has_none_is_known_by_all_that_it_says() {
        let signed = id(r#"{"payload": {"signature": "0xab", "authorization": {"value": "1"}}}"#);
        assert_eq!(signed.0, keccak256("0xab")[..8]);
        let rendered = r#"{"authorization":{"from":"é","value":100.0},"signature":"0x"}"#;
        let written = r#"{"signature": "0x", "authorization": {"value": 1, "value": 1e2, "from": "\u00e9"}}"#;
        for payload in [rendered, written] {
            let payload = format!(r#"{{"x402Version": 2, "payload": {payload}, "resource": {}}}"#, payload.len());
            assert_eq!(id(&payload).0, keccak256(rendered)[..8], "{payload}");
        }
        assert_eq!(id(r#"{"x402Version": 2}"#).0, keccak256(r#"{"x402Version":2}"#)[..8]);
    }

    #[test]
    fn a_transaction_is_known_by_the_text_of_its_hash() {
        let hash = B256::repeat_byte(0xc7);
        assert_eq!(PaymentId::of_transaction(hash).0, keccak256(format!("0x{}", "c7".repeat(32)))[..8]);
        assert_eq!(PaymentId::of_signature(&hash.0), PaymentId::of_transaction(hash));
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = PaymentId([1, 2, 3, 4, 5, 6, 7, 255]);
        assert_eq!(PaymentId::parse(&id.to_string()), Some(id));
        for wrong in ["", "pay_", "pay_01", "0x01020304050607ff", "pay_01020304050607fg", "pay_01020304050607ff00"] {
            assert_eq!(PaymentId::parse(wrong), None, "{wrong}");
        }
    }
}
