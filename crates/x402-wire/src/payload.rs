//! What a payer sends: the payment payload, of either protocol version, with all its members kept.

use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::header::{self, DecodeError};

/// The members that no check judges. They are kept as they were written, and read by those who need them.
const ATTACHMENTS: [&str; 2] = ["resource", "extensions"];

/// A payment payload as it was sent, judged in nothing.
///
/// Most of a payload's bytes are often its attachments, and most payloads are judged without a look at them.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentPayload {
    value: Value,
    attachments: [Option<Box<str>>; 2],
}

impl PaymentPayload {
    /// Takes a payload as it stands in a document.
    pub fn new(mut value: Value) -> Self {
        let mut take = |name| Some(value.as_object_mut()?.remove(name)?.to_string().into());
        let attachments = ATTACHMENTS.map(&mut take);
        Self { value, attachments }
    }

    /// Decodes a payload from the value of a payment header.
    ///
    /// JSON that JavaScript takes for false (`null`, `0`, `false`, `""`) is no payment to the official servers either.
    pub fn from_header(text: &str) -> Result<Self, DecodeError> {
        let payload: Self = header::decode(text)?;
        let nothing = match &payload.value {
            Value::Null => true,
            Value::Bool(flag) => !flag,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(_) | Value::Object(_) => false,
        };
        if nothing { Err(DecodeError::NoPayment) } else { Ok(payload) }
    }

    /// The payload without `resource` and `extensions`.
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// The resource that it says it pays for, if that can be read.
    pub fn resource(&self) -> Option<Value> {
        self.attachment(0)
    }

    /// The extensions that it carries, if they can be read.
    pub fn extensions(&self) -> Option<Value> {
        self.attachment(1)
    }

    fn attachment(&self, place: usize) -> Option<Value> {
        serde_json::from_str(self.attachments[place].as_deref()?).ok()
    }

    /// The protocol version that it claims, if it is a whole number.
    pub fn version(&self) -> Option<u64> {
        match self.value.get("x402Version") {
            Some(Value::Number(number)) => number.as_u64().or_else(|| small_whole(number.as_f64()?)),
            _ => None,
        }
    }

    /// The claimed version as text, for messages; `undefined` where there is none.
    pub fn version_text(&self) -> String {
        match self.value.get("x402Version") {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "undefined".to_owned(),
        }
    }

    /// The requirements that the payer accepted (version 2).
    pub fn accepted(&self) -> Option<&Value> {
        self.value.get("accepted").filter(|accepted| !accepted.is_null())
    }
}

impl<'de> Deserialize<'de> for PaymentPayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut attachments = [None, None];
        let value = deserializer.deserialize_any(Reader(&mut attachments))?;
        Ok(Self { value, attachments })
    }
}

/// Reads any JSON value; of an object the attachments apart.
struct Reader<'a>(&'a mut [Option<Box<str>>; 2]);

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut rest = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            match ATTACHMENTS.iter().position(|attachment| *attachment == name) {
                Some(place) => self.0[place] = Some(members.next_value::<Box<RawValue>>()?.into()),
                None => drop(rest.insert(name, members.next_value()?)),
            }
        }
        Ok(Value::Object(rest))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Value, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(items))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }
}

/// A small whole number that was written with a point: `2.0` is 2 to JavaScript.
fn small_whole(number: f64) -> Option<u64> {
    (0..=9u8).find(|small| f64::from(*small).to_bits() == number.to_bits()).map(u64::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attachments_are_kept_and_stand_apart() {
        let written = json!({"x402Version": 2, "resource": {"url": "http://a/b"}, "extensions": {"x": [1.50, null]}});
        for payload in [PaymentPayload::new(written.clone()), serde_json::from_value(written).unwrap()] {
            assert_eq!(payload.value(), &json!({"x402Version": 2}));
            assert_eq!(payload.resource(), Some(json!({"url": "http://a/b"})));
            assert_eq!(payload.extensions(), Some(json!({"x": [1.50, null]})));
            assert_eq!(payload.version(), Some(2));
        }
    }

    #[test]
    fn a_payload_may_be_any_json() {
        for value in [json!(null), json!(true), json!(-1), json!(1.5), json!("x"), json!([1, {"a": "b"}]), json!({})] {
            assert_eq!(serde_json::from_str::<PaymentPayload>(&value.to_string()).unwrap().value(), &value);
        }
        let twice: PaymentPayload = serde_json::from_str(r#"{"resource": 1, "a": 1, "resource": 2, "a": 2}"#).unwrap();
        assert_eq!((twice.resource(), twice.value()), (Some(json!(2)), &json!({"a": 2})));
    }
}
