//! The `solana` family: its clusters, transactions and programs.
//!
//! | room | what it holds |
//! |---|---|
//! | [`assets`] | the clusters, version 1 names, mints |
//! | [`key`], [`spelling`], [`ed25519`] | addresses, derived ones too, and their texts; signing and verifying |
//! | [`reader`], [`message`], [`compile`], [`transaction`] | what goes over the wire, in both directions |
//! | [`program`], [`runtime`] | the programs that can be called, and the chain that runs them |
//! | [`blockhash`] | slots, and blockhashes that say themselves how old they are |
//! | [`directory`], [`tables`] | whose token account is whose; lookup tables |
//! | [`rpc`] | the JSON-RPC methods |
//! | [`exact`] | `exact` by `TransferChecked`: claim, checks, both orders, charge |
//! | [`family`] | what the registry knows of this family |

use alloy_primitives::B256;

use crate::accounts::{self, TestAccount};
use crate::ledger::Once;

pub mod assets;
pub mod blockhash;
pub mod compile;
pub mod directory;
pub mod ed25519;
pub mod exact;
pub mod explain;
pub mod family;
pub mod key;
pub mod message;
pub mod program;
pub mod reader;
pub mod rpc;
pub mod runtime;
pub mod spelling;
pub mod tables;
pub mod transaction;

pub use assets::{DEVNET, known};
use key::Key;
pub use spelling::parse_address;

/// Lamports have no mint; the ledger counts them under the System program's address.
pub const NATIVE: Key = program::SYSTEM;

/// The addresses of the test accounts 0-19: the test mnemonic by SLIP-0010 at `m/44'/501'/i'/0'`.
pub const TEST_ADDRESSES: [&str; 20] = [
    "oeYf6KAJkLYhBuR8CiGc6L4D4Xtfepr85fuDgA9kq96",
    "AqynRZwvVqUPRwRJXvm6odUb3t93fDjnWe3p6BeuUFxD",
    "CqMbRgMuEhQi9BUS8xP44Wk5nENm48FqJnfjEi4eNb1k",
    "9Tj3srBSxH7RFRCm8uharreY7ZBS49XSfpwCeYa7Xaqp",
    "6gYw7q94fJdEwL8WkT1a6LHBdTMbix1aciALwEWPx3Wp",
    "7EeV8eiRuGoR8bFHCjdCRGQd1RM5sR2dAkdiTEtC9ko7",
    "F9fVg2LeE2RhM6CfNn888hbjqovZDEWY3vm2hEkvX3Nh",
    "26roUwgM5T6bccX41hakjiW4fDiKFSao1RyoFsAxr6e6",
    "5mCGtMUD21HEvWJxKGKS6HEAH7ezzy12MWGs4bPgcJwV",
    "2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab",
    "6FvbTFsvAeiN6agSCxqsh2WM5xGw3GNAQ2A4M1xWPYfc",
    "Co9iaX5MKFXUds9wbdhtJw4eVCqiUJHJEqEyzrJAh7Dt",
    "85FUbwziFK8H2LzwG3sQ78iT9axkrct91cLCpet6hZPC",
    "BLTqd86WFbBVzwscvVVSnQZEeJZnYP8xRbaHBqGmPrEh",
    "5Jnn8wes5Adzc7RKmEZZLmbd2Yr37HW6nGU8x8V37v2w",
    "F2HeEd4ENcce9tmnFsxJtjkDDEs3JtfLEZgCmngyG2Fz",
    "4fNNXcemx1jQ1crbXfADJ8tdkB5sTccjRp6bH6HJFnV5",
    "9hPmaarJSc15DQz2zUkKmr67bUUsrbwMp1Zrzw7mhxt2",
    "98jmNurpJPD6G1i9PEbSTzBEcKBQfeN88P1YLzfSV9wA",
    "5AWnYCGhpNR6pXax2xpvUujjtZogmJb9RrWHApWQqe4W",
];

/// How long 64 bytes are in base58, in characters.
pub const SIGNATURE_LENGTH: std::ops::RangeInclusive<usize> = 64..=88;

/// The signature in a text, if it is base58 of exactly 64 bytes.
pub fn parse_signature(text: &str) -> Option<ed25519::Bytes> {
    if !SIGNATURE_LENGTH.contains(&text.len()) {
        return None;
    }
    let mut bytes = [0; 64];
    let length = bs58::decode(text).onto(&mut bytes).ok()?;
    (length == 64).then_some(bytes)
}

/// A signature as texts have it: base58. It is how a transaction is called.
pub fn signature_text(signature: &ed25519::Bytes) -> String {
    bs58::encode(signature).into_string()
}

/// The address of a test account.
///
/// # Panics
///
/// Never: the table is tested.
pub fn key_of(account: &TestAccount) -> Key {
    Key::parse(account.solana_address).expect("the table holds addresses")
}

/// Who can mint tokens of every mint: test account 0.
///
/// # Panics
///
/// Never: the test accounts exist.
pub fn mint_authority() -> Key {
    key_of(&accounts::all().next().expect("the table is not empty"))
}

/// The signature that names a transaction, of its bytes.
pub fn signature(wire: &[u8]) -> Option<ed25519::Bytes> {
    let mut reader = reader::Reader::new(wire);
    if reader.length() == 0 { None } else { reader.array().ok() }
}

/// That a transaction with a signature is on the chain, as the ledger remembers it.
pub(crate) fn by_signature(signature: &ed25519::Bytes) -> Once {
    Once::Message(B256::from(tables::name(&[b"signature", signature])))
}

/// That a token account was made, as the ledger remembers it.
pub(crate) fn creation(network: &str, account: Key) -> Once {
    Once::Message(B256::from(tables::name(&[b"token account", network.as_bytes(), &account.0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_addresses_and_mints_are_32_bytes() {
        let mints = known().into_iter().flat_map(|network| network.assets).map(|asset| asset.address);
        for address in TEST_ADDRESSES.iter().map(ToString::to_string).chain(mints) {
            assert!(parse_address(&address).is_some(), "{address}");
        }
    }
}
