//! What a text is: a header with or without its name, JSON, a transaction, a challenge, a reason, a transcript.
//!
//! Everything is looked at once from the left to the right: the work is linear in the text.

use alloy_primitives::hex;
use serde_json::Value;

use super::finding::Finding;
use super::kind::Kind;
use super::manual;
use crate::networks::eip155::raw::RawTransaction;
use crate::networks::solana::transaction::{Transaction, base64_bytes};

mod header;

/// A text that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What it is.
    pub subject: Subject,
    /// The name of the header that it was given with.
    pub header: Option<String>,
    /// What is wrong with the way it is written.
    pub findings: Vec<Finding>,
}

/// What a text is.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// JSON.
    Json(Kind, Value),
    /// The parameters of an invoice challenge.
    Invoice(Vec<(String, String)>),
    /// What pays an invoice: a memo, or the signature of a transaction.
    Proof(String),
    /// The bytes of a signed EVM transaction.
    Evm(Vec<u8>),
    /// The base64 of a Solana transaction.
    Solana(String),
    /// What may be a reason string.
    Reason(String),
    /// Requests and answers: a HAR, or what `curl -v` and `curl -i` print.
    Transcript(String),
    /// It was meant as something, and cannot be decoded.
    Undecodable,
    /// Nothing that is known.
    Nothing,
}

/// How many layers of wrapping are taken off at most.
const LAYERS: usize = 4;

/// The longest text that may be a reason string, in bytes.
const LONGEST_REASON: usize = 400;

/// The longest message in which a reason is looked for, in bytes.
const LONGEST_MESSAGE: usize = 4096;

/// Reads a text.
pub fn read(text: &str) -> Reading {
    let text = text.trim().trim_start_matches('\u{feff}');
    if is_transcript(text) {
        return Reading::of(Subject::Transcript(text.to_owned()));
    }
    if let Some(reason) = as_reason(text) {
        return Reading::of(Subject::Reason(reason.to_owned()));
    }
    let (name, value) = header::split(text);
    let is_known = name.is_some_and(|name| header::NAMES.contains(&name));
    if !is_known && let Some(reason) = reason_within(text) {
        return Reading::of(Subject::Reason(reason));
    }
    let mut reading = Reading { subject: Subject::Nothing, header: name.map(str::to_owned), findings: Vec::new() };
    if name == Some(header::PROOF) {
        reading.subject = Subject::Proof(value.trim().to_owned());
        return reading;
    }
    reading.take(value);
    header::check_name(&mut reading);
    reading
}

impl Reading {
    /// JSON that a header carried, decoded by whoever kept it.
    pub fn carried(name: Option<&str>, value: Value) -> Self {
        let name = name.map(|name| header::split(&format!("{name}:")).0.unwrap_or(name).to_owned());
        let mut reading = Self { subject: Subject::Json(Kind::of(&value), value), header: name, findings: Vec::new() };
        header::check_name(&mut reading);
        reading
    }

    fn of(subject: Subject) -> Self {
        Self { subject, header: None, findings: Vec::new() }
    }

    /// What JSON it is, if it is any.
    pub fn json(&self) -> Option<(Kind, &Value)> {
        match &self.subject {
            Subject::Json(kind, value) => Some((*kind, value)),
            _ => None,
        }
    }

    fn take(&mut self, value: &str) {
        let value = value.trim();
        if let Some(parameters) = challenge(value) {
            self.subject = Subject::Invoice(parameters);
            return;
        }
        if let Some(bytes) = evm(value) {
            self.subject = Subject::Evm(bytes);
            return;
        }
        if value.starts_with(['{', '[']) {
            if self.header.is_some() {
                self.findings.push(Finding::new("raw_json_header").proven("in base64 it decodes"));
            }
            self.take_json(value);
            return;
        }
        self.subject = self.unwrap(value);
        if self.subject == Subject::Nothing
            && value.len() <= LONGEST_REASON
            && value.contains(' ')
            && self.header.is_none()
        {
            self.findings.clear();
            self.subject = Subject::Reason(value.to_owned());
        }
    }

    /// Takes base64 and quotes off until JSON or a transaction is left.
    fn unwrap(&mut self, value: &str) -> Subject {
        let mut value = value.to_owned();
        let (mut encoded, mut quoted) = (0, 0);
        for layer in 0..LAYERS {
            if value.starts_with('{') || value.starts_with('[') {
                if encoded > 1 || quoted > 0 {
                    self.findings.push(
                        Finding::new("double_encoded")
                            .seen(format!("JSON stands behind {} layers of base64 or quotes", encoded + quoted))
                            .proven("encoded once, it decodes"),
                    );
                }
                self.take_json(&value);
                return std::mem::replace(&mut self.subject, Subject::Nothing);
            }
            if let Some(inner) = value.starts_with('"').then(|| serde_json::from_str::<String>(&value).ok()).flatten() {
                if layer == 0 && !inner.trim_start().starts_with('{') {
                    self.findings.push(Finding::new("header_quoted").proven("without the quotes, it decodes"));
                }
                // Quotes around the whole are another mistake than JSON that became a text before it was encoded.
                quoted += usize::from(encoded > 0);
                inner.trim().clone_into(&mut value);
                continue;
            }
            if layer == 0 && Transaction::from_base64(&value).is_ok() {
                return Subject::Solana(value);
            }
            // A short word is no header that somebody forgot to name.
            let meant = header::looks_encoded(value.trim()) || header::looks_encoded_json(&value);
            if layer == 0 && self.header.is_none() && !meant {
                return Subject::Nothing;
            }
            let Some(decoded) = header::decode(&value, layer == 0, &mut self.findings) else {
                return if self.header.is_some() || header::looks_encoded(&value) {
                    Subject::Undecodable
                } else {
                    Subject::Nothing
                };
            };
            encoded += 1;
            let Ok(text) = String::from_utf8(decoded) else {
                self.findings.push(Finding::new("header_not_json").seen("it decodes to bytes that are no text"));
                return Subject::Undecodable;
            };
            text.trim().clone_into(&mut value);
            if layer == 0 && !value.starts_with(['{', '[', '"']) && !header::looks_encoded(&value) {
                if self.header.is_none() && !header::looks_encoded_json(&value) {
                    return Subject::Nothing;
                }
                self.findings.push(Finding::new("header_not_json").seen(format!(
                    "it decodes to a text that begins with \"{}\"",
                    value.chars().take(24).flat_map(char::escape_debug).collect::<String>()
                )));
                return Subject::Undecodable;
            }
        }
        Subject::Undecodable
    }

    fn take_json(&mut self, text: &str) {
        match serde_json::from_str::<Value>(text) {
            Ok(value) if is_archive(&value) => self.subject = Subject::Transcript(text.to_owned()),
            Ok(value) => self.subject = Subject::Json(Kind::of(&value), value),
            Err(error) => {
                let finding = if error.is_eof() {
                    header::truncated(text.len(), &error.to_string())
                } else {
                    Finding::new("header_not_json").seen(format!("the JSON is broken: {error}"))
                };
                self.findings.push(finding);
                self.subject = Subject::Undecodable;
            }
        }
    }
}

fn is_archive(value: &Value) -> bool {
    value.get("log").is_some_and(|log| log.get("entries").is_some_and(Value::is_array))
}

/// Whether lines are marked as `curl -v` marks them, or begin as an answer does.
fn is_transcript(text: &str) -> bool {
    let marked = |line: &str| line.starts_with("> ") || line.starts_with("< ");
    text.starts_with("HTTP/") || text.lines().take(4096).filter(|line| marked(line)).take(2).count() == 2
}

/// A word as reasons are written: `invalid_exact_evm_signature`, perhaps with more behind a colon.
fn as_reason(text: &str) -> Option<&str> {
    let word = text.split(':').next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_word = word.bytes().all(plain) && word.starts_with(|c: char| c.is_ascii_lowercase());
    let short = text.len() <= LONGEST_REASON && word.len() <= 120 && !text.contains('\n');
    (is_word && short && word.contains('_')).then_some(text)
}

/// The known reason that a text holds which is nothing else: a message of an error, a Python dictionary, a revert.
fn reason_within(text: &str) -> Option<String> {
    if text.len() > LONGEST_MESSAGE || text.starts_with("0x") || header::looks_encoded_json(text) {
        return None;
    }
    let is_other = match serde_json::from_str::<Value>(text) {
        Ok(value) => Kind::of(&value) != Kind::Other || is_archive(&value),
        // JSON that was cut stays JSON; a dictionary of Python's has other quotes.
        Err(_) => text.starts_with(['{', '[']) && !text.starts_with("{'"),
    };
    manual::within(text).filter(|_| !is_other).map(|page| page.reason.clone())
}

/// The parameters of `x402-solana recipient=... amount=...`.
fn challenge(text: &str) -> Option<Vec<(String, String)>> {
    let rest = text.strip_prefix("x402-solana")?;
    let pairs = rest.split([' ', ',']).filter_map(|word| word.split_once('='));
    Some(pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().trim_matches('"').to_owned())).collect())
}

fn evm(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() > 128)?;
    let bytes = hex::decode(digits).ok()?;
    RawTransaction::decode(&bytes).is_ok().then_some(bytes)
}

/// Whether a text is the base64 of a Solana transaction.
pub fn is_solana(text: &str) -> bool {
    base64_bytes(text).is_ok_and(|bytes| Transaction::decode(&bytes).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart() {
        let of = |text: &str| read(text).subject;
        assert_eq!(of(""), Subject::Nothing);
        assert!(matches!(of("invalid_exact_evm_signature"), Subject::Reason(_)));
        assert!(matches!(of("invalid_exact_evm_transaction_failed: execution reverted"), Subject::Reason(_)));
        assert!(matches!(of("No matching payment requirements"), Subject::Reason(_)));
        assert!(matches!(of("x402-solana recipient=a amount=1"), Subject::Invoice(pairs) if pairs.len() == 2));
        assert!(matches!(of("{\"x402Version\":2,\"accepts\":[]}"), Subject::Json(Kind::OfferV2, _)));
        assert!(matches!(of("eyJ4NDAyVmVyc2lvbiI6MiwiYWNjZXB0cyI6W119"), Subject::Json(Kind::OfferV2, _)));
        assert!(matches!(of("> GET / HTTP/1.1\n> Host: a\n< HTTP/1.1 402 x"), Subject::Transcript(_)));
        assert!(matches!(of("HTTP/1.1 402 Payment Required\r\n\r\n{}"), Subject::Transcript(_)));
        assert!(matches!(of("{\"log\":{\"entries\":[]}}"), Subject::Transcript(_)));
        assert_eq!(of("\u{1b}[31m"), Subject::Nothing);
        assert_eq!(of("x-payment-proof: abc"), Subject::Proof("abc".to_owned()));
    }

    #[test]
    fn a_known_reason_is_found_in_what_others_print() {
        for (text, reason) in [
            ("Error: invalid_exact_evm_insufficient_balance", "invalid_exact_evm_insufficient_balance"),
            ("facilitator verify failed: 400 invalid_exact_evm_signature", "invalid_exact_evm_signature"),
            ("{'isValid': False, 'invalidReason': 'insufficient_funds'}", "insufficient_funds"),
            (r#"{"is_valid": false, "invalid_reason": "insufficient_funds"}"#, "insufficient_funds"),
            ("ERC20: transfer amount exceeds balance", "ERC20: transfer amount exceeds balance"),
            ("FiatTokenV2: invalid signature", "FiatTokenV2: invalid signature"),
            ("AuthorizationExpired", "AuthorizationExpired"),
            ("Error: execution reverted: AuthorizationExpired()", "AuthorizationExpired"),
        ] {
            assert_eq!(read(text).subject, Subject::Reason(reason.to_owned()), "{text}");
        }
        for text in [
            r#"{"isValid":false,"invalidReason":"insufficient_funds"}"#,
            r#"PAYMENT-RESPONSE: {"success":false,"errorReason":"insufficient_funds","transaction":""}"#,
            r#"{"x402Version":2,"error":"insufficient_funds","accepts":[]}"#,
        ] {
            assert!(read(text).json().is_some(), "{text}");
        }
    }

    #[test]
    fn a_decoded_payment_keeps_what_its_header_says() {
        let old = serde_json::json!({"x402Version": 1, "scheme": "exact", "payload": {}});
        let ids = |name: &str| {
            let reading = Reading::carried(Some(name), old.clone());
            reading.findings.iter().map(|finding| finding.id).collect::<Vec<_>>()
        };
        assert_eq!(ids("payment-signature"), ["v1_payload_in_v2_header"]);
        assert_eq!(ids("x-payment-signature"), ["header_name_unknown"]);
        assert!(ids("x-payment").is_empty());
    }

    #[test]
    fn what_is_wrong_with_the_writing_is_found() {
        let ids = |text: &str| read(text).findings.iter().map(|finding| finding.id).collect::<Vec<_>>();
        let json = r#"{"x402Version":2,"accepted":{"extra":{"a":"??>>??>>~~~"}},"payload":{}}"#;
        let good = x402_wire::header::encode_text(json);
        assert!(ids(&good).is_empty(), "{:?}", ids(&good));
        let url_safe = good.replace('+', "-").replace('/', "_");
        assert_ne!(url_safe, good);
        assert_eq!(ids(&url_safe), ["base64_url_safe"]);
        assert_eq!(ids(&format!("X-PAYMENT: {good}")), ["v1_header_name"]);
        assert_eq!(ids(&format!("PAYMENT-SIGNATURE: {json}")), ["raw_json_header"]);
        assert_eq!(ids(&x402_wire::header::encode_text(&good)), ["double_encoded"]);
        assert_eq!(ids(&good[..good.len() / 2]), ["header_truncated"]);
        assert_eq!(ids(&format!("PAYMENT-SIGNATURE: \"{good}\"")), ["header_quoted"]);
        assert_eq!(ids(&format!("X-PAYMENT-SIGNATURE: {good}")), ["header_name_unknown"]);
        assert_eq!(ids(&format!("PAYMENT-SIGNATURE: {good}, {good}")), ["header_repeated"]);
        let wrapped = format!("{}\n{}", &good[..40], &good[40..]);
        assert_eq!(ids(&wrapped), ["base64_whitespace"]);
        let unpadded = x402_wire::header::encode_text("{\"x402Version\":2,\"accepts\":[],\"a\":12}");
        assert!(unpadded.ends_with('='));
        assert_eq!(ids(unpadded.trim_end_matches('=')), ["base64_unpadded"]);
    }
}
