//! What a payer sends: the payment payload, of either protocol version, with all its members kept.

use serde::{Deserialize, Deserializer};

use crate::header::DecodeError;
use crate::json::{Json, Plain, Reader};

/// The members that no check judges. They are kept as they were written, and read by those who need them.
const ATTACHMENTS: [&str; 2] = ["resource", "extensions"];

/// A payment payload as it was sent, judged in nothing. It borrows from the text that it was read from.
///
/// Most of a payload's bytes are often its attachments, and most payloads are judged without a look at them.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentPayload<'a> {
    value: Json<'a>,
    attachments: [Option<&'a str>; 2],
}

impl<'a> PaymentPayload<'a> {
    /// Reads a payload from the JSON of a payment header; see [`header::decode_text`](crate::header::decode_text).
    ///
    /// JSON that JavaScript takes for false (`null`, `0`, `false`, `""`) is no payment to the official servers either.
    pub fn parse(json: &'a str) -> Result<Self, DecodeError> {
        let payload = match Plain::read(json, Self::read) {
            Some(payload) => payload,
            None => serde_json::from_str(json).map_err(|error| DecodeError::not_json(&error))?,
        };
        if payload.value.is_truthy() { Ok(payload) } else { Err(DecodeError::NoPayment) }
    }

    /// Reads a payload that is an object.
    pub(crate) fn read(text: &mut Plain<'a>) -> Option<Self> {
        let mut attachments = [None; ATTACHMENTS.len()];
        let value = text.object(|text, name| {
            if let Some(place) = ATTACHMENTS.iter().position(|aside| *aside == name) {
                attachments[place] = Some(text.skip()?);
                return Some(None);
            }
            let value = if name == "accepted" { text.recurring()? } else { text.value()? };
            Some(Some(value))
        })?;
        Some(Self { value, attachments })
    }

    /// The payload without `resource` and `extensions`.
    pub const fn value(&self) -> &Json<'a> {
        &self.value
    }

    /// The resource that it says it pays for, if that can be read.
    pub fn resource(&self) -> Option<Json<'a>> {
        self.attachment(0)
    }

    /// The extensions that it carries, if they can be read.
    pub fn extensions(&self) -> Option<Json<'a>> {
        self.attachment(1)
    }

    /// One of the extensions that it carries. Costs next to nothing where it carries none of that name.
    pub fn extension(&self, name: &str) -> Option<Json<'a>> {
        let text = self.attachments[1]?;
        // A name may be written with escapes.
        if !text.contains(name) && !text.contains('\\') {
            return None;
        }
        self.extensions()?.get(name).cloned()
    }

    fn attachment(&self, place: usize) -> Option<Json<'a>> {
        serde_json::from_str(self.attachments[place]?).ok()
    }

    /// The protocol version that it claims, if it is a whole number.
    pub fn version(&self) -> Option<u64> {
        match self.value.get("x402Version") {
            Some(Json::Number(number)) => number.as_u64().or_else(|| small_whole(number.as_f64()?)),
            _ => None,
        }
    }

    /// The claimed version as text, for messages; `undefined` where there is none.
    pub fn version_text(&self) -> String {
        match self.value.get("x402Version") {
            Some(Json::Text(text)) => text.clone().into_owned(),
            Some(other) => other.to_string(),
            None => "undefined".to_owned(),
        }
    }

    /// The requirements that the payer accepted (version 2).
    pub fn accepted(&self) -> Option<&Json<'a>> {
        self.value.get("accepted").filter(|accepted| !accepted.is_null())
    }
}

impl<'de> Deserialize<'de> for PaymentPayload<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut attachments = [None; ATTACHMENTS.len()];
        let value = deserializer.deserialize_any(Reader { aside: &ATTACHMENTS, texts: &mut attachments })?;
        Ok(Self { value, attachments })
    }
}

/// A small whole number that was written with a point: `2.0` is 2 to JavaScript.
fn small_whole(number: f64) -> Option<u64> {
    (0..=9u8).find(|small| f64::from(*small).to_bits() == number.to_bits()).map(u64::from)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn render(json: Option<Json<'_>>) -> Option<String> {
        json.map(|json| json.to_string())
    }

    #[test]
    fn attachments_are_kept_and_stand_apart() {
        let text = r#"{"x402Version": 2, "resource": {"url": "http://a/b"}, "extensions": {"x": [1.50, null]}}"#;
        let payload = PaymentPayload::parse(text).unwrap();
        assert_eq!(payload.value().to_string(), r#"{"x402Version":2}"#);
        assert_eq!(render(payload.resource()).as_deref(), Some(r#"{"url":"http://a/b"}"#));
        assert_eq!(render(payload.extensions()).as_deref(), Some(r#"{"x":[1.5,null]}"#));
        assert_eq!(payload.version(), Some(2));
        assert_eq!(render(payload.extension("x")).as_deref(), Some("[1.5,null]"));
        assert_eq!([payload.extension("y"), payload.extension("null")], [None, None]);
        let escaped = PaymentPayload::parse(r#"{"extensions": {"\u0078": 1}}"#).unwrap();
        assert_eq!(render(escaped.extension("x")).as_deref(), Some("1"));
        let inside = PaymentPayload::parse(r#"{"payload": {"resource": 1}}"#).unwrap();
        assert_eq!(inside.value().to_string(), r#"{"payload":{"resource":1}}"#);
        assert_eq!(inside.resource(), None);
    }

    #[test]
    fn a_payload_may_be_any_json() {
        for value in [json!(null), json!(true), json!(-1), json!(1.5), json!("x"), json!([1, {"a": "b"}]), json!({})] {
            let text = value.to_string();
            let payload: PaymentPayload<'_> = serde_json::from_str(&text).unwrap();
            assert_eq!(payload.value(), &Json::from(&value));
        }
        let twice = PaymentPayload::parse(r#"{"resource": 1, "a": 1, "resource": 2, "a": 2}"#).unwrap();
        assert_eq!(
            (render(twice.resource()).as_deref(), twice.value().to_string()),
            (Some("2"), r#"{"a":2}"#.to_owned())
        );
    }

    #[test]
    fn a_payload_means_the_same_however_it_is_written_and_however_often_it_comes() {
        let plain =
            r#"{"accepted": {"scheme": "exact", "extra": {"name": "USDC"}}, "payload": {"accepted": {"a": 1}}}"#;
        let escaped = plain.replace("payload", "p\\u0061yload");
        let ways = [plain, &escaped].map(|text| Plain::read(text, PaymentPayload::read).is_some());
        assert_eq!(ways, [true, false]);
        for _ in 0..4 {
            let [plain, escaped] = [plain, &escaped].map(|text| PaymentPayload::parse(text).unwrap());
            assert_eq!((&plain, plain.accepted()), (&escaped, escaped.accepted()));
            assert_eq!(
                render(plain.accepted().cloned()).as_deref(),
                Some(r#"{"extra":{"name":"USDC"},"scheme":"exact"}"#)
            );
        }
        let other = plain.replace("USDC", "USDT");
        let other = PaymentPayload::parse(&other).unwrap();
        assert_eq!(render(other.accepted().cloned()).as_deref(), Some(r#"{"extra":{"name":"USDT"},"scheme":"exact"}"#));
    }

    #[test]
    fn a_version_may_be_written_with_a_point_and_nothing_else() {
        for (written, version, text) in [
            (json!(1), Some(1), "1"),
            (json!(2.0), Some(2), "2.0"),
            (json!(2.5), None, "2.5"),
            (json!("2"), None, "2"),
            (json!(null), None, "null"),
            (json!([2]), None, "[2]"),
        ] {
            let document = json!({ "x402Version": written }).to_string();
            let payload = PaymentPayload::parse(&document).unwrap();
            assert_eq!((payload.version(), payload.version_text()), (version, text.to_owned()));
        }
        assert_eq!(PaymentPayload::parse("{}").unwrap().version_text(), "undefined");
    }

    #[test]
    fn what_javascript_takes_for_false_is_no_payment() {
        for text in ["null", "0", "0.0", "false", r#""""#] {
            assert_eq!(PaymentPayload::parse(text), Err(DecodeError::NoPayment), "{text}");
        }
        let broken = |text| PaymentPayload::parse(text).map(|_| ()).unwrap_err().to_string();
        let detail = serde_json::from_str::<Value>("{").unwrap_err();
        assert_eq!(broken("{"), format!("it is base64, but not of JSON: {detail}"));
        for text in [r#"{"accepted": {"a": "\ud800"}}"#, r#"{"accepted": {"a" 1}}"#, r#"{"accepted": {}, "b": 1e999}"#]
        {
            let detail = serde_json::from_str::<Value>(text).unwrap_err();
            assert_eq!(broken(text), format!("it is base64, but not of JSON: {detail}"), "{text}");
        }
    }
}
