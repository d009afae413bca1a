//! Parameters: what a caller sent, read strictly enough to say what is wrong with it.

use alloy_primitives::{Address, B256, U256, hex};
use serde_json::Value;
use x402_wire::shape::shorten;

use crate::networks::eip155::parse_address;
use crate::rpc::RpcError;

/// The parameters of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Params<'a>(&'a [Value]);

impl<'a> Params<'a> {
    /// Reads the list of parameters; nothing is an empty list.
    pub(super) fn of(params: &'a Value) -> Result<Self, RpcError> {
        match params {
            Value::Null => Ok(Self(&[])),
            Value::Array(list) => Ok(Self(list)),
            other => Err(RpcError::invalid_params(format!("params: expected a list, got {}", kind(other)))),
        }
    }

    /// A parameter, where there is one.
    pub(super) fn get(self, index: usize) -> Option<&'a Value> {
        self.0.get(index).filter(|value| !value.is_null())
    }

    /// A parameter that must be there.
    pub(super) fn required(self, index: usize) -> Result<&'a Value, RpcError> {
        self.get(index).ok_or_else(|| RpcError::invalid_params(format!("missing value for required argument {index}")))
    }

    /// An address.
    pub(super) fn address(self, index: usize) -> Result<Address, RpcError> {
        address(self.required(index)?).map_err(|what| wrong(index, &what))
    }

    /// A hash of 32 bytes.
    pub(super) fn hash(self, index: usize) -> Result<B256, RpcError> {
        word(self.required(index)?).map_err(|what| wrong(index, &what))
    }

    /// Bytes.
    pub(super) fn bytes(self, index: usize) -> Result<Vec<u8>, RpcError> {
        bytes(self.required(index)?).map_err(|what| wrong(index, &what))
    }

    /// A number.
    pub(super) fn quantity(self, index: usize) -> Result<u64, RpcError> {
        number(self.required(index)?).map_err(|what| wrong(index, &what))
    }

    /// `true` or `false`; nothing is `false`.
    pub(super) fn flag(self, index: usize) -> Result<bool, RpcError> {
        match self.get(index) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(wrong(index, &format!("expected true or false, got {}", kind(other)))),
        }
    }
}

/// An argument that cannot be read.
pub(super) fn wrong(index: usize, what: &str) -> RpcError {
    RpcError::invalid_params(format!("invalid argument {index}: {what}"))
}

/// An address in any case.
pub(super) fn address(value: &Value) -> Result<Address, String> {
    parse_address(text(value)?).ok_or_else(|| format!("expected an address of 20 bytes, got {}", shown(value)))
}

/// 32 bytes.
pub(super) fn word(value: &Value) -> Result<B256, String> {
    let read = bytes(value)?;
    B256::try_from(read.as_slice()).map_err(|_| format!("expected 32 bytes, got {}", read.len()))
}

/// Hexadecimal digits after `0x`, two for each byte.
pub(super) fn bytes(value: &Value) -> Result<Vec<u8>, String> {
    let digits = text(value)?
        .strip_prefix("0x")
        .ok_or_else(|| format!("expected 0x and hexadecimal digits, got {}", shown(value)))?;
    if digits.starts_with("0x") {
        return Err(format!("expected 0x once, got {}", shown(value)));
    }
    hex::decode(digits).map_err(|error| format!("expected hexadecimal digits: {error}"))
}

/// A number of 256 bits: `0x` and its digits.
pub(super) fn big(value: &Value) -> Result<U256, String> {
    let digits = text(value)?.strip_prefix("0x").filter(|digits| !digits.is_empty() && digits.len() <= 64);
    let number = digits.and_then(|digits| U256::from_str_radix(digits, 16).ok());
    number.ok_or_else(|| format!("expected a number such as 0x1b4, got {}", shown(value)))
}

/// A number of 64 bits; nodes take a JSON number as well.
pub(super) fn number(value: &Value) -> Result<u64, String> {
    if let Some(number) = value.as_u64() {
        return Ok(number);
    }
    u64::try_from(big(value)?).map_err(|_| format!("{} does not fit 64 bits", shown(value)))
}

/// A number as answers write it.
pub(super) fn quantity(number: impl TryInto<U256>) -> Value {
    let number = number.try_into().unwrap_or_default();
    Value::String(format!("{number:#x}"))
}

/// Bytes as answers write them.
pub(super) fn data(bytes: impl AsRef<[u8]>) -> Value {
    Value::String(hex::encode_prefixed(bytes))
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("expected a text, got {}", kind(value)))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| kind(value).to_owned(), |text| format!("\"{}\"", shorten(text)))
}

/// What a value is, for people.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
