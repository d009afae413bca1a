//! What is left when base64, quotes and names are taken off.

use serde_json::Value;

use super::{
    LONGEST_REASON, NAMES, Reading, Subject, challenge, evm, header, is_archive, is_solana, members, read, wrapping,
};
use crate::explain::finding::Finding;
use crate::explain::kind::Kind;

/// How many layers of wrapping are taken off at most.
const LAYERS: usize = 4;

impl Reading {
    /// Takes what a header carries, or the thing itself.
    pub(super) fn take(&mut self, value: &str) {
        let value = self.without_its_name(value.trim());
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
                self.findings.push(Finding::new("raw_json_header"));
            }
            self.take_json(value, self.header.is_some());
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
                self.take_json(&value, true);
                return std::mem::replace(&mut self.subject, Subject::Nothing);
            }
            if let Some(inner) = wrapping::within_quotes(&value) {
                if layer == 0 && !inner.trim_start().starts_with('{') {
                    self.findings.push(Finding::new("header_quoted"));
                }
                // Quotes around the whole are another mistake than JSON that became a text before it was encoded.
                quoted += usize::from(encoded > 0);
                inner.trim().clone_into(&mut value);
                continue;
            }
            if layer == 0 && is_solana(&value) {
                return Subject::Solana(value);
            }
            // A short word is no header that somebody forgot to name.
            let bare = header::scheme(&value).map_or(value.as_str(), |(_, rest)| rest).trim();
            let meant = header::looks_encoded(bare) || header::looks_encoded_json(bare);
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

    /// Takes JSON, which came out of a header, or is one, or is the thing itself.
    fn take_json(&mut self, text: &str, by_header: bool) {
        match serde_json::from_str::<Value>(text) {
            Ok(value) if is_archive(&value) => self.subject = Subject::Transcript(text.to_owned()),
            Ok(value) => {
                if let Some((name, carried)) = wrapping::header_of(&value).filter(|_| self.header.is_none()) {
                    *self = read(&format!("{name}: {carried}"));
                    return;
                }
                let (value, finding) = members::renamed(value);
                self.findings.extend(finding);
                self.subject = Subject::Json(Kind::of(&value), value);
            }
            Err(error) => {
                let seen = format!("the JSON is broken: {error}");
                let finding = match (by_header, error.is_eof()) {
                    (true, true) => header::truncated(text.len(), &error.to_string()),
                    (true, false) => Finding::new("header_not_json").seen(seen),
                    (false, _) => Finding::new("json_broken").seen(seen),
                };
                self.findings.push(finding);
                self.subject = Subject::Undecodable;
            }
        }
    }
}
