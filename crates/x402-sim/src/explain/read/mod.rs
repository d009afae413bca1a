//! What a text is: a header with or without its name, JSON, a transaction, a challenge, a reason, a transcript.
//!
//! Everything is looked at once from the left to the right: the work is linear in the text.

use alloy_primitives::hex;
use serde_json::Value;

use super::finding::Finding;
use super::kind::Kind;
use super::{manual, nearest, thrown};
use crate::networks::eip155::raw::RawTransaction;
use crate::networks::solana::transaction::{Transaction, base64_bytes};

mod amid;
mod body;
mod coding;
mod command;
mod digits;
mod header;
mod layers;
mod list;
mod literal;
mod log;
mod members;
mod message;
mod model;
mod parts;
mod pasted;
mod reshaped;
mod stand_in;
mod wrapping;

pub use header::NAMES;
pub(super) use header::carries_payments;
pub(super) use members::{placed, spelling};
use message::begins_as_json;
pub(super) use reshaped::written;

/// A text that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What it is.
    pub subject: Subject,
    /// The name of the header that it was given with.
    pub header: Option<String>,
    /// What is wrong with the way it is written.
    pub findings: Vec<Finding>,
    /// What is to be known about the way it is written, and is no mistake.
    pub notes: Vec<String>,
    /// The reason for a refusal that stands beside it in a longer text.
    pub beside: Option<String>,
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

/// What is to be known about something that was found within a longer text.
const WITHIN: &str = "it was found within a longer text";

/// The longest text that may be a reason string, in bytes.
const LONGEST_REASON: usize = 400;

/// Reads a text. Where it is nothing itself, what stands within it is read; and where it holds a reason, what was refused
/// for it.
pub fn read(text: &str) -> Reading {
    let plain = log::unescaped(text).map(|plain| whole(&plain));
    plain.filter(|reading| reading.subject != Subject::Nothing).unwrap_or_else(|| whole(text))
}

/// Reads a text with nothing around it that was written for machines.
fn whole(text: &str) -> Reading {
    let reading = itself(text);
    let reason = match &reading.subject {
        Subject::Reason(reason) if manual::is_known(reason) => Some(reason.clone()),
        _ => None,
    };
    let is_whole = match &reading.subject {
        Subject::Nothing => false,
        // An error of a client that quotes the offer is about the client.
        Subject::Reason(own) => thrown::message(own).is_some() || (reason.is_some() && own == text.trim()),
        Subject::Undecodable => !amid::is_log(text),
        _ => true,
    };
    let Some(found) = (if is_whole { None } else { amid::find(text) }) else { return reading };
    let said = reason.as_deref().filter(|reason| !amid::only_asks(reason));
    let mut reading = match found {
        amid::Found::Payment(payment) => {
            let log =
                || manual::within(text).map(|page| page.reason.as_str()).filter(|reason| !amid::only_asks(reason));
            Reading { beside: said.or_else(log).map(str::to_owned), ..itself(&payment) }
        }
        amid::Found::Refusal(reason) if said.is_none() => Reading::of(Subject::Reason(reason)),
        amid::Found::Other(own) if reason.is_none() => itself(&own),
        _ => return reading,
    };
    reading.notes.push(WITHIN.to_owned());
    reading
}

/// Reads a text that is one thing.
fn itself(text: &str) -> Reading {
    pasted::read_on(text, plainly(text))
}

fn plainly(text: &str) -> Reading {
    let text = text.trim().trim_start_matches('\u{feff}');
    if is_transcript(text) {
        return Reading::of(Subject::Transcript(text.to_owned()));
    }
    if let Some(reason) = as_reason(text) {
        return Reading::of(Subject::Reason(reason));
    }
    let copied = command::carried(text);
    let text = copied.as_deref().unwrap_or_else(|| wrapping::unquoted(text));
    let (name, value) = header::split(text);
    let is_known = name.is_some_and(|name| header::NAMES.contains(&name));
    if name.is_none()
        && let Some(value) = model::read(text)
    {
        let mut reading = Reading::of(Subject::Nothing);
        reading.take_value(value, layers::Source::Itself);
        return reading;
    }
    if !is_known && let Some(message) = thrown::message(text) {
        return Reading::of(Subject::Reason(message.to_owned()));
    }
    if !is_known && let Some(reason) = message::reason_within(text) {
        return Reading::of(Subject::Reason(reason));
    }
    let mut reading = Reading { header: name.map(str::to_owned), ..Reading::of(Subject::Nothing) };
    if name == Some(header::PROOF) {
        return reading.take_proof(value.trim());
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
        reading.name_the_rest(value.trim());
    }
    reading
}

impl Reading {
    /// JSON that a header carried, decoded by whoever kept it.
    pub fn carried(name: Option<&str>, value: Value) -> Self {
        let name = name.map(|name| header::split(&format!("{name}:")).0.unwrap_or(name).to_owned());
        let source = if name.is_some() { layers::Source::Header } else { layers::Source::Itself };
        let mut reading = Self { header: name, ..Self::of(Subject::Nothing) };
        reading.take_value(value, source);
        header::check_name(&mut reading);
        reading
    }

    /// A header whose value nobody could keep, and why: it stood there more than once, or was no text.
    pub fn unread(name: &str, why: &str) -> Self {
        let id = if why.contains("more than once") { "header_repeated" } else { "header_not_base64" };
        let findings = vec![Finding::new(id).seen(why)];
        Self { header: Some(name.to_owned()), findings, ..Self::of(Subject::Undecodable) }
    }

    /// The members of an invoice.
    pub fn invoice(members: Vec<(String, String)>) -> Self {
        Self::of(Subject::Invoice(members))
    }

    fn of(subject: Subject) -> Self {
        Self { subject, header: None, findings: Vec::new(), notes: Vec::new(), beside: None }
    }

    /// Takes what pays an invoice. It is a word, and may be one that stands for nothing.
    fn take_proof(mut self, value: &str) -> Self {
        self.findings.extend(stand_in::find(value, stand_in::Place::Carried));
        let is_proof = self.findings.is_empty();
        self.subject = if is_proof { Subject::Proof(value.to_owned()) } else { Subject::Undecodable };
        self
    }

    /// A header that carries payments or offers, and holds none, is never without a word about it.
    fn name_the_rest(&mut self, value: &str) {
        let is_nothing = matches!(self.subject, Subject::Undecodable | Subject::Nothing) && self.findings.is_empty();
        if !is_nothing || !self.is_carrier() || self.header.as_deref() == Some("WWW-Authenticate") {
            return;
        }
        self.subject = Subject::Undecodable;
        self.findings.push(if value.is_empty() {
            Finding::new("header_value_absent")
                .seen("the value is empty: official servers take it for no payment at all")
        } else {
            Finding::new("header_not_base64").seen(format!("it begins with `{}`", x402_wire::shape::shorten(value)))
        });
    }

    /// Whether it was found within a longer text.
    pub fn is_part(&self) -> bool {
        self.notes.iter().any(|note| note == WITHIN)
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
        for finding in self.findings.iter_mut().filter(|finding| !finding.is_proven()) {
            let proof = match finding.id {
                "header_quoted" => "without the quotes, it decodes",
                "header_name_in_value" => "without it, it decodes",
                "raw_json_header" => "in base64 it decodes",
                "header_data_url" => "without what stands before the comma, it decodes",
                "header_percent_encoded" | "bytes_as_text" => "as what it stands for, it decodes",
                "header_hex" => "read as hexadecimal, it is whole",
                "header_utf16" => "read as UTF-16, it is whole",
                "json_bom" => "without the mark, it is JSON",
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
    // `GET /report HTTP/1.1`, as it goes over the wire.
    let is_request = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        matches!(words[..], [method, _, version] if version.starts_with("HTTP/")
            && method.bytes().all(|byte| byte.is_ascii_uppercase()))
    };
    let is_wire = text.starts_with("HTTP/") || text.lines().next().is_some_and(is_request);
    is_wire || text.lines().take(4096).filter(|line| marked(line)).take(2).count() == 2
}

/// A word as reasons are written: `invalid_exact_evm_signature`, perhaps with more behind a colon, or one that is known in
/// capitals or with hyphens; the id or the title of a finding.
fn as_reason(text: &str) -> Option<String> {
    if text.len() > LONGEST_REASON || text.contains('\n') {
        return None;
    }
    if let Some(entry) = manual::finding_named(text) {
        return Some(entry.id.clone());
    }
    let word = text.split(':').next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_word = word.bytes().all(plain) && word.starts_with(|c: char| c.is_ascii_lowercase());
    if is_word && word.len() <= 120 && word.contains('_') {
        return Some(text.to_owned());
    }
    if is_class(text) {
        return Some(text.to_owned());
    }
    manual::respelt(text).map(str::to_owned)
}

/// Whether a text is a name as classes of errors have it, `TokenAccountNotFoundError`: words of letters, each with a
/// capital. Base64 of as many letters has a capital at every other place.
fn is_class(text: &str) -> bool {
    let capitals = text.bytes().filter(u8::is_ascii_uppercase).count();
    let is_name = text.len() <= 120 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_name && text.starts_with(|c: char| c.is_ascii_uppercase()) && capitals > 1 && text.len() >= 4 * capitals
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
