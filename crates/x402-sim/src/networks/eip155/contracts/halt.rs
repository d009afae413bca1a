//! Calls that changed nothing, and why.

use std::borrow::Cow;

use alloy_primitives::{Address, hex, keccak256};

use crate::networks::eip155::{abi, checksum};

/// Why a call changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The contract said no.
    Revert(Revert),
    /// It did more than a block can hold.
    OutOfGas,
    /// It needs code that is not simulated. The text names the address.
    Unknown(String),
}

/// A contract's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revert {
    /// The ABI-encoded error; nothing where the contract gives none.
    pub data: Vec<u8>,
    /// For people: the text of `Error(string)`, or the name of the contract's own error.
    pub words: Option<Cow<'static, str>>,
}

/// `Error(string)`.
const ERROR: [u8; 4] = hex!("08c379a0");

impl Revert {
    /// Without a word: a function that a contract does not have, or arguments that it cannot read.
    pub const SILENT: Self = Self { data: Vec::new(), words: None };

    /// `require` with a text.
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        let mut data = ERROR.to_vec();
        data.extend(abi::text(text.as_bytes()));
        Self { data, words: Some(text) }
    }

    /// An error of the contract's own: its signature, `InvalidNonce()`, and its arguments, encoded.
    pub fn custom(signature: &'static str, arguments: &[u8]) -> Self {
        let mut data = keccak256(signature)[..4].to_vec();
        data.extend_from_slice(arguments);
        Self { data, words: Some(signature.into()) }
    }

    /// The message of the JSON-RPC error. A node knows no contract's own errors: their names are in the data alone, and
    /// the official facilitator, which reads the message, tells them by that.
    pub fn message(&self) -> String {
        match &self.words {
            Some(words) if self.data.starts_with(&ERROR) => format!("execution reverted: {words}"),
            Some(_) | None => "execution reverted".to_owned(),
        }
    }
}

impl Halt {
    /// Without a word.
    pub const SILENT: Self = Self::Revert(Revert::SILENT);

    /// `require` with a text.
    pub fn text(text: &'static str) -> Self {
        Self::Revert(Revert::text(text))
    }

    /// Code at an address that is not simulated.
    pub fn unknown(address: Address, name: &str) -> Self {
        Self::Unknown(format!(
            "the code at {} ({name}) is not simulated; this chain knows the configured tokens, Permit2, the x402 proxies \
             and Multicall3",
            checksum(address)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by viem's `encodeErrorResult`.
    #[test]
    fn a_text_is_encoded_as_solidity_does() {
        let revert = Revert::text("ECRecover: invalid signature");
        let expected = "08c379a00000000000000000000000000000000000000000000000000000000000000020000000000000000000000000\
            000000000000000000000000000000000000001c45435265636f7665723a20696e76616c6964207369676e617475726500000000";
        assert_eq!(hex::encode(&revert.data), expected);
        assert_eq!(revert.message(), "execution reverted: ECRecover: invalid signature");
        assert_eq!(Revert::custom("InvalidNonce()", &[]).data, hex!("756688fe"));
        assert_eq!(Revert::SILENT.message(), "execution reverted");
    }
}
