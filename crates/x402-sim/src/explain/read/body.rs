//! The body of a request that was written otherwise than as JSON, or as JSON twice.

use serde_json::{Map, Value};
use x402_wire::header::decode;
use x402_wire::shape::shorten;

use super::stand_in::{self, Place};
use super::{Reading, Subject, header, layers, members, read};
use crate::explain::confided::without_keys;
use crate::explain::finding::{Finding, Side};
use crate::explain::kind::Kind;

/// The members of what a facilitator is sent, one of which a form has.
const PARTS: [&str; 2] = ["paymentPayload", "paymentRequirements"];

impl Reading {
    /// The body of a request to a facilitator, as an instance kept it that could not read it.
    pub fn body(text: &str) -> Self {
        if let Some(finding) = instead(text) {
            return Self { findings: vec![finding], ..Self::of(Subject::Undecodable) };
        }
        let mut reading = read(text);
        let printed = matches!(reading.subject, Subject::Json(..)) && serde_json::from_str::<Value>(text).is_err();
        let around = "`paymentPayload` and `paymentRequirements` belong side by side into an object around it";
        let finding = match (&reading.subject, reading.json()) {
            (Subject::Nothing | Subject::Reason(_), _) => Finding::new("malformed")
                .seen(format!("the body is `{}`", shorten(&without_keys(text.trim()))))
                .fixed_by("Send an object in JSON, with `x402Version`, `paymentPayload` and `paymentRequirements`."),
            (_, Some((Kind::PaymentV1 | Kind::PaymentV2, _))) => {
                Finding::new("missing_field").at(PARTS[0]).seen(format!("the body is the payment itself: {around}"))
            }
            (_, Some((Kind::Requirements, _))) => {
                Finding::new("missing_field").at(PARTS[1]).seen(format!("the body is the requirements alone: {around}"))
            }
            _ if printed && reading.findings.is_empty() => {
                // What is printed to be looked at is no mistake; what is sent is.
                let seen = reading.notes.drain(..).collect::<Vec<_>>().join("; ");
                Finding::new("json_literal").seen(seen).proven("written as JSON, it is read")
            }
            _ => return reading,
        };
        if reading.json().is_none() {
            reading.subject = Subject::Undecodable;
        }
        reading.findings.insert(0, Finding { side: Side::Server, ..finding });
        reading
    }

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

/// What stands where a body should, and is none.
fn instead(text: &str) -> Option<Finding> {
    let text = text.trim();
    if text.is_empty() {
        return Some(
            Finding::new("body_empty").seen("the request came without a body").proven("not a character of it came"),
        );
    }
    let found = stand_in::find(text, Place::Carried)?;
    let seen = found.evidence.first().cloned().unwrap_or_default().replacen("the value", "the body", 1);
    Some(match found.id {
        "object_as_text" => {
            Finding::new("body_as_text").seen(seen).proven("it is the name of what was sent, and no part of it")
        }
        "header_value_absent" => Finding::new("body_empty").seen(seen),
        _ => Finding { side: Side::Server, evidence: vec![seen], ..found },
    })
}

/// What else it may be that stands alone, and that nobody said was a header.
pub(super) fn as_body(found: &Finding) -> Option<Finding> {
    let seen = "where it came as the body of a request, an object was not made JSON of";
    (found.id == "object_as_text").then(|| Finding::new("body_as_text").seen(seen))
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

    #[test]
    fn a_body_that_is_none_is_told_with_what_to_give_in_its_place() {
        for (text, id, fix) in [
            ("", "body_empty", "JSON.stringify({ x402Version"),
            (" \n", "body_empty", "JSON.stringify({ x402Version"),
            ("undefined", "body_empty", "JSON.stringify({ x402Version"),
            ("[object Object]", "body_as_text", "`body: JSON.stringify(body)`"),
            ("[object FormData]", "body_as_text", "JSON.stringify"),
            ("[object Promise]", "promise_sent", "Await"),
            ("hello", "malformed", "Send an object in JSON"),
            ("7", "malformed", "Send an object in JSON"),
            ("{'paymentPayload': {'x402Version': 2}, 'paymentRequirements': {}}", "json_literal", "JSON function"),
            (r#"{"x402Version":2,"accepted":{},"payload":{}}"#, "missing_field", "Build it by the SDK"),
            (r#"{"scheme":"exact","network":"a","amount":"1","payTo":"b"}"#, "missing_field", "Build it"),
        ] {
            let reading = Reading::body(text);
            let first = reading.findings.first().unwrap_or_else(|| panic!("{text}"));
            assert_eq!((first.id, first.side), (id, Side::Server), "{text}");
            assert!(first.fix.contains(fix), "{text}: {}", first.fix);
            assert_ne!(reading.subject, Subject::Nothing, "{text}");
        }
        let form = "paymentPayload=%7B%22x402Version%22%3A+2%7D&paymentRequirements=%7B%7D";
        assert_eq!(Reading::body(form).findings[0].id, "form_body");
        // Alone it may have been a header or a body; behind a header's name it was a header.
        let ids = |text: &str| read(text).findings.iter().map(|own| own.id).collect::<Vec<_>>();
        assert_eq!(ids("[object Object]"), ["object_as_text", "body_as_text"]);
        assert_eq!(ids("X-PAYMENT: [object Object]"), ["object_as_text"]);
    }
}
