//! The lines of an exported snapshot: JSON Lines, as docs/world.md describes them.

use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::ledger::{Account, AssetId, Entry, Once, Record, text};
use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::signature::Ecdsa;

/// What the first line calls the format.
pub(super) const FORMAT: &str = "x402-dev snapshot";

/// The version that is written and read.
pub(super) const VERSION: u32 = 2;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u32,
    /// Milliseconds of the world's clock.
    pub(super) saved_at: u64,
    /// What the numbers of assets mean; 0 is the currency of invoices.
    pub(super) assets: Vec<NamedAsset>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct NamedAsset {
    pub(super) asset: u16,
    pub(super) network: String,
    pub(super) address: String,
}

/// Every other line. Amounts are decimal texts, in atomic units; bytes are hexadecimal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    Clock(Clock),
    Random { seed: Bytes<32>, stream: u64, position: String },
    Invoices { key: Bytes<32>, issued: u32 },
    SpentInvoice(Bytes<16>),
    Account { name: Option<String>, key: Bytes<32> },
    Transactions { chain: u64, account: Account, count: u32 },
    Minted { asset: u16, amount: Atomic },
    Balance { asset: u16, account: Account, amount: Atomic },
    Blocked(Account),
    Cancelled(Once),
    Allowance { asset: u16, owner: Account, spender: Account, amount: Atomic },
    Permits { asset: u16, owner: Account, count: u64 },
    Transaction(Transaction),
    Call(Box<Entry>),
    Undone(u32),
    UndoAt { time: u64, transaction: u32, payment: Bytes<8> },
    UndoAfter { transactions: u64, transaction: u32, payment: Bytes<8> },
    Fault { configured: bool, met: u32, played: u32, fault: serde_json::Value },
    End { lines: u64, checksum: Bytes<32> },
}

/// A transaction of the commonest kind: `transferWithAuthorization`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transaction {
    asset: u16,
    from: Bytes<20>,
    to: Bytes<20>,
    value: Atomic,
    valid_after: Atomic,
    valid_before: Atomic,
    nonce: Bytes<32>,
    /// `r`, `s` and the last byte.
    signature: Bytes<65>,
    sequence: u32,
    at: u64,
}

/// Bytes as hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<const N: usize>(pub(super) [u8; N]);

/// A number of 256 bits as decimal digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atomic(pub(super) U256);

impl Line {
    pub(super) fn of_record(record: &Record) -> Self {
        match record {
            Record::Authorized { authorization, signature, asset, sequence, at } => {
                let Authorization { from, to, value, valid_after, valid_before, nonce } = *authorization;
                Self::Transaction(Transaction {
                    asset: asset.0,
                    from: Bytes(from.into_array()),
                    to: Bytes(to.into_array()),
                    value: Atomic(value),
                    valid_after: Atomic(valid_after),
                    valid_before: Atomic(valid_before),
                    nonce: Bytes(nonce.0),
                    signature: Bytes(signature.bytes()),
                    sequence: *sequence,
                    at: *at,
                })
            }
            Record::Other(entry) => Self::Call(Box::new(Entry::clone(entry))),
        }
    }
}

impl Transaction {
    /// The number of its asset, as this file counts them.
    pub(super) const fn asset(&self) -> u16 {
        self.asset
    }

    /// The record, in an asset as this world counts them.
    pub(super) fn record(&self, asset: AssetId) -> Record {
        let authorization = Authorization {
            from: Address::from(self.from.0),
            to: Address::from(self.to.0),
            value: self.value.0,
            valid_after: self.valid_after.0,
            valid_before: self.valid_before.0,
            nonce: B256::from(self.nonce.0),
        };
        let signature = Ecdsa::from_bytes(&self.signature.0);
        Record::Authorized { authorization, signature, asset, sequence: self.sequence, at: self.at }
    }
}

impl<const N: usize> Serialize for Bytes<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text::write(&self.0, serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Bytes<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer).map(Self)
    }
}

impl Serialize for Atomic {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text::atomic::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Atomic {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::atomic::deserialize(deserializer).map(Self)
    }
}
