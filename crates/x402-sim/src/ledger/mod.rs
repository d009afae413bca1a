//! The ledger: balances, used authorizations and the log of transactions, on structurally shared maps.
//!
//! Cloning a ledger copies a few pointers; a clone is a snapshot that later changes do not touch. `OrdMap` was measured
//! against `HashMap` of the same library and against `rpds`: at a million entries of 8 and 4 bytes it takes 30 bytes an
//! entry, the others 109 and 131, and it inserts faster.

use std::hash::{DefaultHasher, Hash, Hasher};

use alloy_primitives::{B256, U256};
use imbl::{OrdMap, Vector};

use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::signature::Ecdsa;

pub mod view;

pub use view::{Grants, UnknownAccounts, View};

/// An asset's number in a world's catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(pub u16);

/// An account of any family: 32 bytes; `eip155` addresses are padded on the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(pub [u8; 32]);

/// One atomic change. An executed call is a list of them, all or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A lazy grant becomes a real balance. Amount in atomic units.
    Mint(AssetId, Account, U256),
    /// Money moves. Amount in atomic units.
    Move {
        /// The asset.
        asset: AssetId,
        /// Whose balance shrinks.
        from: Account,
        /// Whose balance grows.
        to: Account,
        /// How much, in atomic units.
        value: U256,
    },
    /// An authorization's nonce is used up.
    UseAuthorization {
        /// The asset whose contract counts it.
        asset: AssetId,
        /// Who signed it.
        from: Account,
        /// The nonce.
        nonce: B256,
    },
}

/// A settled transfer: all that is needed to rebuild its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// What the payer signed.
    pub authorization: Authorization,
    /// The payer's signature.
    pub signature: Ecdsa,
    /// The asset.
    pub asset: AssetId,
    /// How many transactions the facilitator had made before on this network.
    pub sequence: u32,
    /// When it was settled, in milliseconds of the world's clock.
    pub at: u64,
}

/// Balances, used authorizations and transactions.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    balances: OrdMap<(AssetId, Account), U256>,
    minted: OrdMap<AssetId, U256>,
    /// From a fingerprint of (asset, signer, nonce) to the transaction that used it; see [`Ledger::authorization`].
    authorizations: OrdMap<u64, u32>,
    records: Vector<Record>,
    sequences: OrdMap<u64, u32>,
}

impl Ledger {
    /// A balance in atomic units, if the account was ever touched.
    pub fn balance(&self, asset: AssetId, account: Account) -> Option<U256> {
        self.balances.get(&(asset, account)).copied()
    }

    /// The number of the transaction that used an authorization.
    ///
    /// The index keeps eight bytes of each key; equality is decided on the record, and a different record with the same
    /// fingerprint is stepped over.
    pub fn authorization(&self, asset: AssetId, from: Account, nonce: B256) -> Option<u32> {
        let mut fingerprint = fingerprint(asset, from, nonce);
        while let Some(number) = self.authorizations.get(&fingerprint) {
            let record = self.record(*number)?;
            let key = (record.asset, Account::from(record.authorization.from), record.authorization.nonce);
            if key == (asset, from, nonce) {
                return Some(*number);
            }
            fingerprint = fingerprint.wrapping_add(1);
        }
        None
    }

    /// A transaction by its number.
    pub fn record(&self, number: u32) -> Option<&Record> {
        self.records.get(usize::try_from(number).ok()?)
    }

    /// How many transactions there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing was ever settled.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many transactions the facilitator has made on a chain: its next nonce there.
    pub fn sequence(&self, chain_id: u64) -> u32 {
        self.sequences.get(&chain_id).copied().unwrap_or(0)
    }

    /// Adds a transaction to the log and uses its authorization up.
    pub(crate) fn append(&mut self, record: Record, chain_id: u64) -> u32 {
        let number = u32::try_from(self.records.len()).expect("fewer than 2^32 settlements fit in memory");
        let mut key = fingerprint(record.asset, record.authorization.from.into(), record.authorization.nonce);
        while self.authorizations.contains_key(&key) {
            key = key.wrapping_add(1);
        }
        self.authorizations.insert(key, number);
        self.records.push_back(record);
        self.sequences.insert(chain_id, record.sequence + 1);
        number
    }

    /// Applies balance effects. They were computed on this very state, so that none can fail.
    pub(crate) fn apply(&mut self, effects: &[Effect]) {
        for effect in effects {
            match *effect {
                Effect::Mint(asset, account, value) => {
                    self.balances.insert((asset, account), value);
                    let minted = self.minted.get(&asset).copied().unwrap_or_default();
                    self.minted.insert(asset, minted.saturating_add(value));
                }
                Effect::Move { asset, from, to, value } => {
                    let left = self.balance(asset, from).unwrap_or_default();
                    self.balances.insert((asset, from), left - value);
                    let had = self.balance(asset, to).unwrap_or_default();
                    self.balances.insert((asset, to), had + value);
                }
                // The log itself is the record of used authorizations; see `append`.
                Effect::UseAuthorization { .. } => {}
            }
        }
    }

    /// The sum of all balances of an asset minus all that was ever minted of it: zero in every state.
    pub fn drift(&self, asset: AssetId) -> U256 {
        let held = self.balances.iter().filter(|((of, _), _)| *of == asset);
        let sum = held.fold(U256::ZERO, |sum, (_, balance)| sum.wrapping_add(*balance));
        sum.wrapping_sub(self.minted.get(&asset).copied().unwrap_or_default())
    }

    /// A hash over balances, mints, used authorizations, and how many transactions there are: equal states have equal
    /// hashes. A transaction's content follows from the authorization that it used.
    pub fn state_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for ((asset, account), balance) in &self.balances {
            (asset, account, balance.as_limbs()).hash(&mut hasher);
        }
        for (key, number) in &self.authorizations {
            (key, number).hash(&mut hasher);
        }
        for (asset, minted) in &self.minted {
            (asset, minted.as_limbs()).hash(&mut hasher);
        }
        (self.records.len(), self.sequences.iter().collect::<Vec<_>>()).hash(&mut hasher);
        hasher.finish()
    }
}

fn fingerprint(asset: AssetId, from: Account, nonce: B256) -> u64 {
    let mut hasher = DefaultHasher::new();
    (asset, from, nonce).hash(&mut hasher);
    hasher.finish()
}
