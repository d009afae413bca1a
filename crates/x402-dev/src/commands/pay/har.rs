//! The requests of a purchase as an HTTP archive (HAR 1.2), with payments decoded under `_x402`.
//!
//! Signatures, proofs, and what a user says to a server in confidence are cut out, also where a server repeats them.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use http::{HeaderMap, header};
use serde_json::{Value, json};
use x402_wire::document::Document;
use x402_wire::header::{
    PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, X_PAYMENT, X_PAYMENT_PROOF, X_PAYMENT_RESPONSE, decode,
};

use super::address;
use super::authorized::without_signature;
use super::echoes::Echoes;
use super::error::PayError;
use super::exchange::Exchange;
use crate::clock::timestamp;
use crate::secret::{CUT, is_secret_header, is_secret_parameter};

/// How much of a body is written down, in bytes.
const MOST: usize = 1024 * 1024;

/// Header fields that carry x402, and their names in the archive.
const DECODED: [(&str, &str); 5] = [
    (PAYMENT_REQUIRED, "paymentRequired"),
    (PAYMENT_SIGNATURE, "payment"),
    (X_PAYMENT, "payment"),
    (PAYMENT_RESPONSE, "receipt"),
    (X_PAYMENT_RESPONSE, "receipt"),
];

/// Whom a request was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Whoever sells. That a resource may speak JSON-RPC itself makes no endpoint of a chain out of it.
    Seller,
    /// A chain's JSON-RPC endpoint, whose address may hold a key.
    Chain,
}

/// What was sent and heard, or nothing where nobody wants to know.
#[derive(Debug, Default)]
pub struct Trace {
    file: Option<(PathBuf, File)>,
    entries: Vec<Value>,
    said: Echoes,
}

impl Trace {
    /// A record for a file, for this user only. It is opened before anything is sent: what cannot be written is known
    /// before.
    pub fn open(path: PathBuf) -> Result<Self, PayError> {
        match OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path) {
            Ok(file) => Ok(Self { file: Some((path, file)), ..Self::default() }),
            Err(source) => Err(PayError::Unwritable { path, source }),
        }
    }

    /// Writes a request down.
    pub fn add(&mut self, exchange: &Exchange, whom: Whom) {
        if self.file.is_some() {
            self.said.learn(&exchange.call, whom);
            self.entries.push(entry(exchange, whom));
        }
    }

    /// Writes the file.
    pub fn save(&self) -> Result<(), (PathBuf, io::Error)> {
        let Some((path, file)) = &self.file else { return Ok(()) };
        let creator = json!({ "name": "x402-dev", "version": env!("CARGO_PKG_VERSION") });
        let mut entries = Value::Array(self.entries.clone());
        self.said.cut(&mut entries);
        let log = json!({ "log": { "version": "1.2", "creator": creator, "entries": entries } });
        let text = serde_json::to_vec_pretty(&log).expect("the archive has string keys");
        let mut out = file;
        out.write_all(&text).map_err(|cause| (path.clone(), cause))
    }
}

fn entry(exchange: &Exchange, whom: Whom) -> Value {
    let call = &exchange.call;
    let time = exchange.time();
    let query = form_urlencoded::parse(call.url.query().unwrap_or_default().as_bytes());
    let query: Vec<Value> = query
        .map(|(name, value)| {
            let value = if is_secret_parameter(&name) { CUT.into() } else { value };
            json!({ "name": name, "value": value })
        })
        .collect();
    let (url, query) = match whom {
        Whom::Seller => (address::shown(&call.url), query),
        Whom::Chain => (address::shown_endpoint(&call.url), Vec::new()),
    };
    let mut request = json!({
        "method": call.method.as_str(), "url": url, "httpVersion": "HTTP/1.1", "cookies": [],
        "headers": fields(&call.headers), "queryString": query, "headersSize": -1,
        "bodySize": call.body.as_ref().map_or(0, bytes::Bytes::len), "_x402": decoded(&call.headers),
    });
    if let Some(body) = &call.body {
        request["postData"] = json!({
            "mimeType": text(&call.headers, &header::CONTENT_TYPE),
            "text": without_wire(body).unwrap_or_else(|| String::from_utf8_lossy(&body[..body.len().min(MOST)]).into_owned()),
        });
    }
    let response = match &exchange.outcome {
        Ok(answer) => {
            let head = answer.body.head();
            json!({
                "status": answer.status.as_u16(), "statusText": answer.status.canonical_reason().unwrap_or_default(),
                "httpVersion": "HTTP/1.1", "cookies": [], "headers": fields(&answer.headers),
                "content": {
                    "size": answer.body.len(), "mimeType": text(&answer.headers, &header::CONTENT_TYPE),
                    "text": String::from_utf8_lossy(&head[..head.len().min(MOST)]),
                },
                "redirectURL": text(&answer.headers, &header::LOCATION), "headersSize": -1, "bodySize": answer.body.len(),
                "_x402": decoded(&answer.headers), "_error": answer.broken.as_ref().map(ToString::to_string),
            })
        }
        Err(silence) => json!({
            "status": 0, "statusText": "", "httpVersion": "", "cookies": [], "headers": [],
            "content": { "size": 0, "mimeType": "" }, "redirectURL": "", "headersSize": -1, "bodySize": -1,
            "_error": silence.cause().to_string(),
        }),
    };
    json!({
        "startedDateTime": timestamp(exchange.began), "time": time, "request": request, "response": response, "cache": {},
        "timings": { "send": 0, "wait": time, "receive": 0 },
    })
}

/// A call that sends a transaction, without the transaction.
fn without_wire(body: &[u8]) -> Option<String> {
    let mut call: Value = serde_json::from_slice(body).ok()?;
    if call.get("method")? != "sendTransaction" {
        return None;
    }
    *call.get_mut("params")?.get_mut(0)? = json!(CUT);
    Some(call.to_string())
}

fn fields(headers: &HeaderMap) -> Vec<Value> {
    let shown = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let secret = is_secret(name.as_str()) || name == X_PAYMENT_PROOF;
        let value = String::from_utf8_lossy(value.as_bytes());
        let value = if secret { format!("<cut out: {} bytes>", value.len()).into() } else { value };
        json!({ "name": name.as_str(), "value": value })
    };
    headers.iter().map(shown).collect()
}

/// Whether the value of a header field is shown to nobody.
pub(super) fn is_secret(name: &str) -> bool {
    [PAYMENT_SIGNATURE, X_PAYMENT].contains(&name) || is_secret_header(name)
}

fn decoded(headers: &HeaderMap) -> Value {
    let found = DECODED.iter().filter_map(|(name, key)| {
        let document: Document = decode(headers.get(*name)?.to_str().ok()?).ok()?;
        let value = serde_json::to_value(without_signature(document)).ok()?;
        Some(((*key).to_owned(), value))
    });
    Value::Object(found.collect())
}

fn text(headers: &HeaderMap, name: &http::HeaderName) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}
