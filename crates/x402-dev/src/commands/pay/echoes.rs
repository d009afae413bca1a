//! Secrets that were sent, looked for in all that is written down: a server may say them again.

use std::collections::BTreeSet;

use http::HeaderMap;
use serde_json::Value;
use x402_wire::document::Document;
use x402_wire::header::{PAYMENT_SIGNATURE, X_PAYMENT, decode};

use super::address::keys_of_endpoint;
use super::exchange::Call;
use super::har::{Whom, is_secret};
use crate::secret::{CUT, is_secret_parameter};

/// From how many bytes on a credential is looked for: a shorter one is a part of words.
const LEAST: usize = 4;

/// The same for what may be no secret: the parts of a cookie, the parameters of a query.
const LEAST_PART: usize = 8;

/// The secrets that were sent, in every form that they may come back in.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    forms: BTreeSet<String>,
}

impl Echoes {
    /// Remembers what a request says in confidence. The proof of an invoice is the public name of a transaction.
    pub(super) fn learn(&mut self, call: &Call, whom: Whom) {
        for (name, value) in call.headers.iter().filter(|(name, _)| is_secret(name.as_str())) {
            let value = String::from_utf8_lossy(value.as_bytes());
            self.add(&value, LEAST);
            // `Bearer TOKEN`, `name=value; name=value`.
            if let Some((_, credential)) = value.trim().split_once(' ') {
                self.add(credential, LEAST);
            }
            for part in value.split(';').filter_map(|part| part.split_once('=')).map(|(_, part)| part) {
                self.add(part, LEAST_PART);
            }
            if [PAYMENT_SIGNATURE, X_PAYMENT].contains(&name.as_str()) {
                self.sign(&call.headers, name.as_str());
            }
        }
        if whom == Whom::Chain {
            keys_of_endpoint(&call.url).for_each(|key| self.add(key, LEAST_PART));
        }
        let query = form_urlencoded::parse(call.url.query().unwrap_or_default().as_bytes());
        for (_, value) in query.filter(|(name, _)| is_secret_parameter(name)) {
            self.add(&value, LEAST_PART);
        }
    }

    /// Remembers what was signed: the signature, and the transaction that holds one.
    fn sign(&mut self, headers: &HeaderMap, name: &str) {
        let text = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Ok(document) = decode::<Document>(text) else { return };
        for key in ["signature", "transaction"] {
            let signed = document.get("payload").and_then(|payload| payload.get(key)).and_then(Document::text);
            let signed = signed.unwrap_or_default();
            self.add(signed.strip_prefix("0x").unwrap_or(signed), LEAST_PART);
        }
    }

    fn add(&mut self, secret: &str, least: usize) {
        // What fills base64 up may be missing, or written in another way.
        let plain = secret.trim().trim_end_matches('=');
        if plain.len() < least {
            return;
        }
        let quoted = Value::from(plain).to_string();
        let inner = quoted[1..quoted.len() - 1].to_owned();
        let encoded: String = form_urlencoded::byte_serialize(plain.as_bytes()).collect();
        let forms = [plain.to_owned(), encoded.replace('+', "%20"), encoded, inner.replace('/', "\\/"), inner];
        self.forms.extend(forms);
        self.forms.insert(plain.replace('+', "-").replace('/', "_"));
    }

    /// Cuts them out of every text.
    pub(super) fn cut(&self, value: &mut Value) {
        // The longest first: one may be a part of another.
        let mut forms: Vec<&str> = self.forms.iter().map(String::as_str).collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        cut_all(&forms, value);
    }
}

fn cut_all(forms: &[&str], value: &mut Value) {
    match value {
        Value::String(text) => {
            for form in forms {
                if text.contains(form) {
                    *text = text.replace(form, CUT);
                }
            }
            // A document in base64, as receipts and offers are, may hold one inside.
            let inside = decode::<Value>(text).is_ok_and(|mut inside| {
                let before = inside.clone();
                cut_all(forms, &mut inside);
                inside != before
            });
            if inside {
                CUT.clone_into(text);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| cut_all(forms, value)),
        Value::Object(members) => members.values_mut().for_each(|value| cut_all(forms, value)),
        _ => {}
    }
}
