//! Header names and the base64 that travels in them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The offer of protocol version 2, on 402 answers.
pub const PAYMENT_REQUIRED: &str = "payment-required";
/// The payment of protocol version 2, on requests.
pub const PAYMENT_SIGNATURE: &str = "payment-signature";
/// The receipt of protocol version 2, on answers.
pub const PAYMENT_RESPONSE: &str = "payment-response";
/// The payment of protocol version 1, on requests.
pub const X_PAYMENT: &str = "x-payment";
/// The receipt of protocol version 1, on answers.
pub const X_PAYMENT_RESPONSE: &str = "x-payment-response";
/// The memo of a paid invoice, on requests.
pub const X_PAYMENT_PROOF: &str = "x-payment-proof";
/// The test account that pays an invoice, on requests.
pub const X_PAYMENT_FROM: &str = "x-payment-from";

/// The size that the value of an offer's header must not exceed, in bytes: many proxies cut or refuse larger ones.
pub const OFFER_LIMIT: usize = 8 * 1024;

/// The official decoders accept missing padding, and stray bits in the last character, as JavaScript's `atob` does.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Why a header value could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A character of the url-safe alphabet.
    #[error("it is base64 of the url-safe alphabet (`-` or `_`); x402 headers use the standard one (`+` and `/`)")]
    UrlSafe,
    /// No base64 at all.
    #[error("it is not base64: {detail}")]
    NotBase64 {
        /// What the decoder stumbled over.
        detail: String,
    },
    /// JSON that holds nothing.
    #[error("it is base64 of JSON, but holds no payment")]
    NoPayment,
    /// Base64 of something that is not JSON.
    #[error("it is base64, but not of JSON: {detail}")]
    NotJson {
        /// What the JSON parser stumbled over.
        detail: String,
    },
}

/// Encodes a value as the official SDKs do: compact JSON, padded standard base64.
pub fn encode<T: Serialize>(value: &T) -> String {
    encode_text(&serde_json::to_string(value).expect("wire types have string keys and serialise to memory"))
}

/// Encodes JSON that was rendered before.
pub fn encode_text(json: &str) -> String {
    general_purpose::STANDARD.encode(json)
}

/// Encodes a piece of JSON behind the pieces before it, whose lengths must be multiples of three bytes.
pub fn encode_onto(json: &[u8], out: &mut String) {
    general_purpose::STANDARD.encode_string(json, out);
}

/// Decodes a header value as the official servers do (TS 2.27 `decodePaymentSignatureHeader`).
pub fn decode<T: DeserializeOwned>(text: &str) -> Result<T, DecodeError> {
    serde_json::from_str(&decode_text(text)?).map_err(|error| DecodeError::not_json(&error))
}

/// Decodes the base64 of a header value. What comes out need not be JSON. A byte order mark is dropped, as `TextDecoder`
/// drops it (TS 2.27 `safeBase64Decode`).
pub fn decode_text(text: &str) -> Result<String, DecodeError> {
    if text.bytes().any(|byte| byte == b'-' || byte == b'_') {
        return Err(DecodeError::UrlSafe);
    }
    let bytes = LENIENT.decode(text).map_err(|error| DecodeError::NotBase64 { detail: error.to_string() })?;
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

impl DecodeError {
    pub(crate) fn not_json(error: &serde_json::Error) -> Self {
        Self::NotJson { detail: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn decodes_what_it_encodes_with_and_without_padding() {
        for value in [json!({"a": 1}), json!({"a": "ü?>"}), json!([1, 2, 3, 4])] {
            let text = encode(&value);
            assert_eq!(decode::<Value>(&text), Ok(value.clone()));
            assert_eq!(decode::<Value>(text.trim_end_matches('=')), Ok(value));
        }
    }

    #[test]
    fn drops_one_byte_order_mark_as_official_servers_do() {
        assert_eq!(decode::<Value>(&encode_text("\u{feff}{\"a\":1}")), Ok(json!({"a": 1})));
        assert!(matches!(decode::<Value>(&encode_text("\u{feff}\u{feff}{}")), Err(DecodeError::NotJson { .. })));
    }

    #[test]
    fn says_why_a_value_does_not_decode() {
        assert_eq!(decode::<Value>("eyJhIjoiw7w_Pj4ifQ=="), Err(DecodeError::UrlSafe));
        assert!(matches!(decode::<Value>("not base64!"), Err(DecodeError::NotBase64 { .. })));
        assert!(matches!(decode::<Value>("bm90IGpzb24="), Err(DecodeError::NotJson { .. })));
        assert!(matches!(decode::<Value>(""), Err(DecodeError::NotJson { .. })));
        let deep = general_purpose::STANDARD.encode("[".repeat(10_000));
        assert!(matches!(decode::<Value>(&deep), Err(DecodeError::NotJson { .. })));
    }
}
