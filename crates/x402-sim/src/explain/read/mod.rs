//! What a text is: a header with or without its name, JSON, a transaction, a challenge, a reason, a transcript.
//!
//! Everything is looked at once from the left to the right: the work is linear in the text.

use alloy_primitives::hex;
use serde_json::Value;

use super::finding::Finding;
use super::kind::Kind;
use super::{manual, nearest};
use crate::networks::eip155::raw::RawTransaction;
use crate::networks::solana::transaction::{Transaction, base64_bytes};

mod header;
mod layers;
mod members;
mod wrapping;

pub use header::NAMES;

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
    let text = wrapping::unquoted(text);
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
    if reading.is_of_another_header(value) {
        // What is written there is nothing of ours, and no mistake.
        return Reading { subject: Subject::Nothing, findings: Vec::new(), ..reading };
    }
    reading.prove();
    // What was taken out of an object of headers was looked at with the name that it has there.
    if reading.header.as_deref() == name {
        header::check_name(&mut reading);
    }
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

    /// Whether it was given with the name of a header that carries nothing of x402, and holds nothing of it.
    fn is_of_another_header(&self, value: &str) -> bool {
        let is_other = |name: &String| !NAMES.contains(&name.as_str()) && nearest(name, NAMES).is_none();
        let is_nothing = matches!(self.subject, Subject::Undecodable | Subject::Nothing);
        is_nothing && self.header.as_ref().is_some_and(is_other) && !header::looks_encoded_json(value.trim())
    }

    /// What was said to be too much is proven to be by what is left.
    fn prove(&mut self) {
        if matches!(self.subject, Subject::Undecodable | Subject::Nothing | Subject::Reason(_)) {
            return;
        }
        for finding in &mut self.findings {
            let proof = match finding.id {
                "header_quoted" => "without the quotes, it decodes",
                "header_name_in_value" => "without it, it decodes",
                "raw_json_header" => "in base64 it decodes",
                _ => continue,
            };
            *finding = finding.clone().proven(proof);
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

/// The longest text that may be a Solana transaction, in base64: they fit into one packet of 1232 bytes.
const LONGEST_TRANSACTION: usize = 4096;

/// Whether a text is the base64 of a Solana transaction that somebody is to sign: zeros are none.
pub fn is_solana(text: &str) -> bool {
    let bytes = if text.len() > LONGEST_TRANSACTION { None } else { base64_bytes(text).ok() };
    let decoded = bytes.and_then(|bytes| Transaction::decode(&bytes).ok());
    decoded.is_some_and(|transaction| !transaction.signatures.is_empty())
}

#[cfg(test)]
mod tests;
