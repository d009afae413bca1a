//! What a payer sends: the payment payload, of either protocol version, with all its members kept.

use serde_json::Value;

use crate::header::{self, DecodeError};

/// A payment payload as it was sent: a JSON value, judged in nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentPayload {
    value: Value,
}

impl PaymentPayload {
    /// Takes a payload as it stands in a document.
    pub const fn new(value: Value) -> Self {
        Self { value }
    }

    /// Decodes a payload from the value of a payment header.
    ///
    /// JSON that JavaScript takes for false (`null`, `0`, `false`, `""`) is no payment to the official servers either.
    pub fn from_header(text: &str) -> Result<Self, DecodeError> {
        let value = header::decode(text)?;
        let nothing = match &value {
            Value::Null => true,
            Value::Bool(flag) => !flag,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(_) | Value::Object(_) => false,
        };
        if nothing { Err(DecodeError::NoPayment) } else { Ok(Self::new(value)) }
    }

    /// The whole payload.
    pub const fn value(&self) -> &Value {
        &self.value
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

/// A small whole number that was written with a point: `2.0` is 2 to JavaScript.
fn small_whole(number: f64) -> Option<u64> {
    (0..=9u8).find(|small| f64::from(*small).to_bits() == number.to_bits()).map(u64::from)
}
