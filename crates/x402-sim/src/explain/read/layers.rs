//! What is left when base64, quotes and names are taken off.

use serde_json::Value;

use super::digits;
use super::literal::{self, Literal};
use super::stand_in::{self, Place};
use super::{
    LONGEST_REASON, NAMES, Reading, Subject, begins_as_json, body, challenge, coding, evm, header, is_archive,
    is_solana, members, read,
};
use super::{reshaped, wrapping};
use crate::explain::finding::Finding;
use crate::explain::kind::Kind;
use crate::explain::proof;

/// How many layers of wrapping are taken off at most.
const LAYERS: usize = 4;

/// The headers that carry a payment or an offer.
const CARRIERS: [&str; 3] = ["PAYMENT-SIGNATURE", "X-PAYMENT", "PAYMENT-REQUIRED"];

/// What was taken off.
#[derive(Clone, Copy, Debug, Default)]
struct Peeled {
    /// Layers of base64.
    encoded: usize,
    /// Quotes within them.
    quoted: usize,
}

/// What is left of a value when a layer is taken off, or what it is.
enum Step {
    Within(String),
    Is(Subject),
}

/// Where JSON came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Out of a header, or out of base64.
    Header,
    /// It is the thing itself.
    Itself,
}

impl Reading {
    /// Takes what a header carries, or the thing itself.
    pub(super) fn take(&mut self, value: &str) {
        let value = self.without_its_name(value.trim());
        if self.header.is_none() && self.take_body(value) {
            return;
        }
        let place = if self.is_carrier() { Place::Carried } else { Place::Alone };
        if let Some(finding) = stand_in::find(value, place).or_else(|| proof::in_payment(self.header.as_deref(), value))
        {
            let as_body = if self.header.is_none() { body::as_body(&finding) } else { None };
            self.findings.push(finding);
            self.findings.extend(as_body);
            self.subject = Subject::Undecodable;
            return;
        }
        let value = &self.plain(value);
        if let Some(parameters) = challenge(value) {
            self.subject = Subject::Invoice(parameters);
            return;
        }
        if let Some(bytes) = evm(value) {
            self.subject = Subject::Evm(bytes);
            return;
        }
        if begins_as_json(value) {
            let source = if self.header.is_some() { Source::Header } else { Source::Itself };
            if source == Source::Header {
                self.findings.push(Finding::new("raw_json_header"));
            }
            self.take_json(value, source);
            return;
        }
        self.subject = self.unwrap(value);
        if self.subject == Subject::Nothing
            && value.len() <= LONGEST_REASON
            && value.contains(' ')
            && self.header.is_none()
        {
            self.findings.clear();
            self.subject = Subject::Reason(value.clone());
        }
    }

    /// Whether it was given as one of the headers that carry x402.
    pub(super) fn is_carrier(&self) -> bool {
        self.header.as_ref().is_some_and(|name| NAMES.contains(&name.as_str()))
    }

    /// Takes the header's own name off, where it stands in the value once more.
    fn without_its_name<'a>(&mut self, value: &'a str) -> &'a str {
        match header::split(value) {
            (Some(name), rest) if self.header.is_some() && NAMES.contains(&name) => {
                let seen = format!("it begins with `{name}:`");
                self.findings.push(Finding::new("header_name_in_value").seen(seen));
                rest.trim()
            }
            _ => value,
        }
    }

    /// Takes off what stands around the whole value, whatever is within: the address that a browser makes of data, the
    /// percent signs of a form, bytes as they are printed.
    fn plain(&mut self, value: &str) -> String {
        let mut value = value.to_owned();
        if let Some(inner) = wrapping::within_data_url(&value) {
            if self.header.is_some() {
                self.findings.push(Finding::new("header_data_url").seen("it begins with `data:` and `base64,`"));
            }
            value = inner.to_owned();
        }
        if ["%7b", "%22", "%5b"].iter().any(|begin| value.get(..3).is_some_and(|own| own.eq_ignore_ascii_case(begin))) {
            self.findings.push(Finding::new("header_percent_encoded").seen("it holds `%` and hexadecimal digits"));
            let decoded = header::percent_decoded(&value.replace('+', " "));
            decoded.trim().clone_into(&mut value);
        }
        if let Some(inner) = wrapping::printed_bytes(&value) {
            self.findings.push(Finding::new("bytes_as_text").seen(begins(&value)));
            inner.trim().clone_into(&mut value);
        }
        value
    }

    /// Takes base64 and quotes off until JSON or a transaction is left.
    fn unwrap(&mut self, value: &str) -> Subject {
        let mut value = value.to_owned();
        let mut peeled = Peeled::default();
        for layer in 0..LAYERS {
            match self.peel(value, layer, &mut peeled) {
                Step::Within(inner) => value = inner,
                Step::Is(subject) => return subject,
            }
        }
        Subject::Undecodable
    }

    /// Takes off one layer.
    fn peel(&mut self, value: String, layer: usize, peeled: &mut Peeled) -> Step {
        let stands = if layer > 0 { stand_in::find(&value, Place::Carried) } else { None };
        if let Some(finding) = stands {
            self.findings.push(finding.seen("that is what its base64 says"));
            return Step::Is(Subject::Undecodable);
        }
        if begins_as_json(&value) {
            if peeled.encoded > 1 || peeled.quoted > 0 {
                self.findings.push(
                    Finding::new("double_encoded")
                        .seen(format!(
                            "JSON stands behind {} layers of base64 or quotes",
                            peeled.encoded + peeled.quoted
                        ))
                        .proven("encoded once, it decodes"),
                );
            }
            self.take_json(&value, Source::Header);
            return Step::Is(std::mem::replace(&mut self.subject, Subject::Nothing));
        }
        if let Some(inner) = wrapping::within_quotes(&value) {
            if layer == 0 && !inner.trim_start().starts_with('{') {
                self.findings.push(Finding::new("header_quoted"));
            }
            // Quotes around the whole are another mistake than JSON that became a text before it was encoded.
            peeled.quoted += usize::from(peeled.encoded > 0);
            return Step::Within(inner.trim().to_owned());
        }
        let hexadecimal = coding::hexadecimal(&value).map(|inner| ("header_hex", inner));
        if let Some((id, inner)) = hexadecimal.or_else(|| Some(("bytes_as_text", wrapping::printed_bytes(&value)?))) {
            self.findings.push(Finding::new(id).seen(begins(&value)));
            return Step::Within(inner.trim().to_owned());
        }
        if let Some(finding) = coding::lost_case(&value) {
            self.findings.push(finding);
            return Step::Is(Subject::Undecodable);
        }
        if layer == 0 && is_solana(&value) {
            return Step::Is(Subject::Solana(value));
        }
        self.decode(&value, layer, peeled)
    }

    /// Takes off base64.
    fn decode(&mut self, value: &str, layer: usize, peeled: &mut Peeled) -> Step {
        // A short word is no header that somebody forgot to name.
        let bare = header::scheme(value).map_or(value, |(_, rest)| rest).trim();
        let meant = header::looks_encoded(bare) || header::looks_encoded_json(bare);
        if layer == 0 && self.header.is_none() && !meant {
            return Step::Is(Subject::Nothing);
        }
        let Some(decoded) = header::decode(value, layer == 0, &mut self.findings) else {
            let is_meant = self.header.is_some() || header::looks_encoded(value);
            return Step::Is(if is_meant { Subject::Undecodable } else { Subject::Nothing });
        };
        peeled.encoded += 1;
        let Some(text) = coding::text(decoded, &mut self.findings) else { return Step::Is(Subject::Undecodable) };
        let text = text.trim().to_owned();
        let goes_on = text.starts_with(['{', '[', '"'])
            || header::looks_encoded(&text)
            || stand_in::find(&text, Place::Carried).is_some()
            || wrapping::printed_bytes(&text).is_some();
        if layer > 0 || goes_on {
            return Step::Within(text);
        }
        if self.header.is_none() && !header::looks_encoded_json(&text) {
            return Step::Is(Subject::Nothing);
        }
        if text.is_empty() {
            let seen = format!("`{value}` is base64 of an empty line: the variable that was encoded held nothing");
            self.findings.push(Finding::new("header_value_absent").seen(seen));
            return Step::Is(Subject::Undecodable);
        }
        let begin = text.chars().take(24).flat_map(char::escape_debug).collect::<String>();
        self.findings
            .push(Finding::new("header_not_json").seen(format!("it decodes to a text that begins with \"{begin}\"")));
        Step::Is(Subject::Undecodable)
    }

    /// Takes JSON, or what is nearly JSON.
    fn take_json(&mut self, text: &str, source: Source) {
        let error = match serde_json::from_str::<Value>(text) {
            Ok(value) if is_archive(&value) => {
                self.subject = Subject::Transcript(text.to_owned());
                return;
            }
            Ok(value) => return self.take_whole(value, text, source),
            Err(error) => error,
        };
        if let Some(literal) = literal::read(text) {
            return self.take_literal(literal, source);
        }
        let seen = format!("the JSON is broken: {error}");
        let finding = match (source, error.is_eof()) {
            (Source::Header, true) => header::truncated(text.len(), &error.to_string()),
            (Source::Header, false) => Finding::new("header_not_json").seen(seen),
            (Source::Itself, _) => Finding::new("json_broken").seen(seen),
        };
        self.findings.push(finding);
        self.subject = Subject::Undecodable;
    }

    /// Takes JSON with every digit that is written in it.
    fn take_whole(&mut self, value: Value, text: &str, source: Source) {
        let quoted = digits::quoted(text).and_then(|(own, large)| Some((serde_json::from_str(&own).ok()?, large)));
        let (value, large) = quoted.unwrap_or((value, Vec::new()));
        self.take_value(value, source);
        let found: Vec<_> = large.iter().map(|(key, digits)| digits::finding(key, digits, self.json())).collect();
        self.findings.extend(found);
    }

    /// Takes an object as a language writes it. What somebody printed to look at it is no mistake.
    fn take_literal(&mut self, Literal { value, marks }: Literal, source: Source) {
        let is_partial = marks.contains(&literal::LEFT_OUT);
        let id = if marks == [literal::TRAILING_COMMA] { "json_trailing_comma" } else { "json_literal" };
        if source == Source::Header || is_partial || id == "json_trailing_comma" {
            let finding = Finding::new(id).seen(format!("it has {}", marks.join(", ")));
            self.findings.push(if is_partial { finding } else { finding.proven("written as JSON, it is read") });
        } else {
            self.notes.push(format!(
                "it is no JSON, but an object as a language prints it ({}): sent like this, nobody reads it",
                marks.join(", ")
            ));
        }
        if is_partial {
            self.subject = Subject::Undecodable;
        } else {
            self.take_value(value, source);
        }
    }

    /// Takes JSON that was decoded.
    pub(super) fn take_value(&mut self, value: Value, source: Source) {
        if let Some((name, carried)) = wrapping::header_of(&value).filter(|_| self.header.is_none()) {
            *self = read(&format!("{name}: {carried}"));
            return;
        }
        let value = match value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            Some(inner) if inner.is_object() => {
                let finding = Finding::new("double_encoded").seen("it decodes to a text that holds JSON");
                self.findings.push(finding.proven("encoded once, it decodes"));
                inner
            }
            _ => value,
        };
        let is_offer = self.header.as_deref() == Some("PAYMENT-REQUIRED");
        let wrapped = if source == Source::Header { wrapping::payload_within(&value, is_offer) } else { None };
        let value = match wrapped {
            Some((at, inner)) => {
                let finding = Finding::new("payload_wrapped").at(at.clone()).seen(format!("it stands within `{at}`"));
                self.findings.push(finding.proven("taken out, it is what servers look for at the top"));
                inner
            }
            None => value,
        };
        let value = self.take_list(value);
        let (value, findings) = reshaped::reshaped(value);
        self.findings.extend(findings);
        let (value, finding) = members::renamed(value);
        self.findings.extend(finding);
        let kind = Kind::of(&value);
        let is_asked = self.header.as_deref().is_some_and(|name| CARRIERS.contains(&name));
        if kind == Kind::Other && is_asked {
            self.findings.push(stand_in::of_json(&value));
        }
        self.subject = Subject::Json(kind, value);
    }
}

/// How a value begins, as something seen.
fn begins(value: &str) -> String {
    format!("the value begins with `{}`", value.chars().take(12).collect::<String>())
}
