//! Parameters: a list, whose last member may be a configuration.

use serde_json::Value;
use x402_wire::shape::shorten;

use crate::networks::solana::ed25519;
use crate::networks::solana::key::Key;
use crate::networks::solana::parse_signature;
use crate::networks::solana::transaction::base64_bytes;
use crate::rpc::RpcError;

/// The most bytes of base58 that are read: what fits into a packet.
const BASE58: usize = 1683;

/// The parameters of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Params<'a>(&'a [Value]);

impl<'a> Params<'a> {
    pub(super) fn of(params: &'a Value) -> Result<Self, RpcError> {
        match params {
            Value::Null => Ok(Self(&[])),
            Value::Array(list) => Ok(Self(list)),
            _ => Err(RpcError::invalid_params("`params` should be an array")),
        }
    }

    /// A parameter; `null` counts as missing.
    pub(super) fn get(&self, place: usize) -> Option<&'a Value> {
        self.0.get(place).filter(|value| !value.is_null())
    }

    fn needed(&self, place: usize, what: &str) -> Result<&'a Value, RpcError> {
        let missing = || RpcError::invalid_params(format!("parameter {place} is missing: {what}"));
        self.get(place).ok_or_else(missing)
    }

    pub(super) fn text(&self, place: usize, what: &str) -> Result<&'a str, RpcError> {
        let value = self.needed(place, what)?;
        value.as_str().ok_or_else(|| wrong(place, what, value))
    }

    /// An address.
    pub(super) fn key(&self, place: usize) -> Result<Key, RpcError> {
        let what = "an address: base58 of 32 bytes";
        key(self.text(place, what)?).ok_or_else(|| wrong(place, what, &self.0[place]))
    }

    /// A signature.
    pub(super) fn signature(&self, place: usize) -> Result<ed25519::Bytes, RpcError> {
        let what = "a signature: base58 of 64 bytes";
        signature(self.text(place, what)?).ok_or_else(|| wrong(place, what, &self.0[place]))
    }

    pub(super) fn number(&self, place: usize) -> Result<u64, RpcError> {
        let what = "a whole number";
        let value = self.needed(place, what)?;
        value.as_u64().ok_or_else(|| wrong(place, what, value))
    }

    pub(super) fn list(&self, place: usize, what: &str) -> Result<&'a [Value], RpcError> {
        let value = self.needed(place, what)?;
        value.as_array().map(Vec::as_slice).ok_or_else(|| wrong(place, what, value))
    }

    /// The configuration at a place.
    pub(super) fn config(&self, place: usize) -> Result<Config<'a>, RpcError> {
        match self.get(place) {
            // A text is an old form: the commitment alone, or the encoding.
            None | Some(Value::String(_)) => Ok(Config(None)),
            Some(value) if value.is_object() => Ok(Config(Some(value))),
            Some(value) => Err(wrong(place, "an object", value)),
        }
    }

    /// The bytes of a transaction or a message.
    pub(super) fn bytes(&self, place: usize, encoding: &str) -> Result<Vec<u8>, RpcError> {
        let text = self.text(place, "an encoded transaction")?;
        match encoding {
            "base64" => base64_bytes(text)
                .map_err(|error| RpcError::invalid_params(format!("invalid base64 encoding: {error}"))),
            "base58" if text.len() > BASE58 => Err(RpcError::invalid_params(format!(
                "base58 encoded solana_transaction::versioned::VersionedTransaction too large: {} bytes (max: \
                 encoded/raw {BASE58}/1232)",
                text.len()
            ))),
            "base58" => bs58::decode(text)
                .into_vec()
                .map_err(|error| RpcError::invalid_params(format!("invalid base58 encoding: {error:?}"))),
            other => Err(unsupported(other, "base58 and base64")),
        }
    }

    /// Every address in the parameters: whoever may own a token account that is asked for next.
    pub(super) fn owners(&self) -> impl Iterator<Item = Key> + use<'a> {
        let lists = self.0.iter().filter_map(Value::as_array).flatten();
        self.0.iter().chain(lists).filter_map(Value::as_str).filter_map(key)
    }
}

/// The configuration of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Config<'a>(Option<&'a Value>);

impl<'a> Config<'a> {
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.0?.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(self, name: &str, usual: &'a str) -> Result<&'a str, RpcError> {
        let Some(value) = self.get(name) else { return Ok(usual) };
        value.as_str().ok_or_else(|| RpcError::invalid_params(format!("{name}: expected a string, found {value}")))
    }

    pub(super) fn flag(self, name: &str) -> Result<bool, RpcError> {
        let Some(value) = self.get(name) else { return Ok(false) };
        value
            .as_bool()
            .ok_or_else(|| RpcError::invalid_params(format!("{name}: expected true or false, found {value}")))
    }

    pub(super) fn number(self, name: &str) -> Result<Option<u64>, RpcError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let whole = value.as_u64();
        whole
            .map(Some)
            .ok_or_else(|| RpcError::invalid_params(format!("{name}: expected a whole number, found {value}")))
    }
}

/// The address in a text.
pub(super) fn key(text: &str) -> Option<Key> {
    Key::parse(text)
}

/// The signature in a text.
pub(super) fn signature(text: &str) -> Option<ed25519::Bytes> {
    parse_signature(text)
}

/// A parameter that is not what it should be.
pub(super) fn wrong(place: usize, expected: &str, found: &Value) -> RpcError {
    let found = shorten(&found.to_string());
    RpcError::invalid_params(format!("Invalid param: parameter {place}: expected {expected}, found {found}"))
}

/// An encoding that is not played.
pub(super) fn unsupported(encoding: &str, known: &str) -> RpcError {
    let encoding = shorten(encoding);
    RpcError::invalid_params(format!("unsupported encoding: {encoding}. Supported encodings: {known}"))
}
