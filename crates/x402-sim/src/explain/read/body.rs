//! The body of a request that was written otherwise than as JSON, or as JSON twice.

use serde_json::{Map, Value};
use x402_wire::header::decode;

use super::{Reading, Subject, header, layers, members};
use crate::explain::finding::{Finding, Side};
use crate::explain::kind::Kind;

/// The members of what a facilitator is sent, one of which a form has.
const PARTS: [&str; 2] = ["paymentPayload", "paymentRequirements"];

impl Reading {
    /// Takes a body that is a form, or an object in JSON within a text. Whether it was one.
    pub(super) fn take_body(&mut self, text: &str) -> bool {
        if text.starts_with("--") && text.contains("Content-Disposition: form-data") {
            self.findings.push(form().seen("it holds parts of `multipart/form-data`"));
            self.subject = Subject::Undecodable;
            return true;
        }
        if let Some(fields) = fields(text) {
            let names = fields.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let finding = form().seen(format!("its fields are {names}"));
            let is_object =
                |value: &Value| value.as_str().is_some_and(|text| decode::<Map<String, Value>>(text).is_ok());
            let is_whole = fields.iter().any(|(_, value)| value.is_object() || is_object(value));
            if is_whole {
                self.findings.push(finding.proven("as JSON, it is read"));
                self.take_value(Value::Object(fields), layers::Source::Itself);
            } else {
                self.findings.push(finding);
                self.subject = Subject::Undecodable;
            }
            return true;
        }
        let Some(inner) = text.starts_with('"').then(|| serde_json::from_str::<String>(text).ok()).flatten() else {
            return false;
        };
        let Some(value) = serde_json::from_str::<Value>(&inner).ok().filter(Value::is_object) else { return false };
        self.take_value(value, layers::Source::Itself);
        // Whatever else stands in quotes may have got them where it was copied.
        if self.json().is_some_and(|(kind, _)| kind == Kind::FacilitatorRequest) {
            let finding = Finding::new("nested_json").seen("the whole body is a text that holds JSON").fixed_by(
                "Give the HTTP client the object, or the text that was made of it, but not both: `json=body`.",
            );
            self.findings.insert(0, Finding { side: Side::Server, ..finding.proven("as an object, it is read") });
        }
        true
    }
}

fn form() -> Finding {
    Finding::new("form_body")
}

/// Whether a text is a form with a part of what a facilitator is sent, and no variable of such a name.
pub(super) fn is_form(text: &str) -> bool {
    text.contains(['%', '&']) && !text.contains(char::is_whitespace) && fields(text).is_some()
}

/// The fields of a form that holds a part of what a facilitator is sent.
fn fields(text: &str) -> Option<Map<String, Value>> {
    let (first, _) = text.split_once('=')?;
    members::spelling(first)?;
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let fields: Map<String, Value> = pairs
        .map(|(name, value)| {
            let value = header::percent_decoded(&value.replace('+', " "));
            (name.to_owned(), serde_json::from_str(&value).unwrap_or(Value::String(value)))
        })
        .collect();
    let is_part = |name: &String| members::spelling(name).is_some_and(|name| PARTS.contains(&name));
    fields.keys().any(is_part).then_some(fields)
}

#[cfg(test)]
mod tests {
    use x402_wire::header::encode_text;

    use super::super::read;
    use super::*;

    #[test]
    fn bodies_are_told_for_what_they_are() {
        let body = r#"{"paymentPayload":{"x402Version":2,"payload":{}},"paymentRequirements":{"scheme":"exact"}}"#;
        let form = "paymentPayload=%7B%22x402Version%22%3A+2%7D&paymentRequirements=%7B%7D";
        let bare = "x402Version=2&paymentPayload=x402Version&paymentPayload=payload";
        let parts = "--b\r\nContent-Disposition: form-data; name=\"paymentPayload\"\r\n\r\n{}\r\n--b--";
        for (text, id) in [
            (serde_json::to_string(body).unwrap(), Some("nested_json")),
            (form.to_owned(), Some("form_body")),
            (bare.to_owned(), Some("form_body")),
            (format!("paymentPayload={}", encode_text("{\"x402Version\":2}").replace('=', "%3D")), Some("form_body")),
            (parts.to_owned(), Some("form_body")),
            (body.to_owned(), None),
            (serde_json::to_string(r#"{"x402Version":2,"accepts":[]}"#).unwrap(), None),
            ("name=1&value=2".to_owned(), None),
        ] {
            let reading = read(&text);
            assert_eq!(reading.findings.first().map(|own| own.id), id, "{text}");
        }
        let (kind, value) = read(form).json().map(|(kind, value)| (kind, value.clone())).unwrap();
        assert_eq!((kind, &value["paymentPayload"]["x402Version"]), (Kind::FacilitatorRequest, &Value::from(2)));
    }
}
