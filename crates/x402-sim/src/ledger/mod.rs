//! The ledger: balances, used authorizations and the log of transactions, on structurally shared maps.
//!
//! Cloning a ledger copies a few pointers; a clone is a snapshot that later changes do not touch. `OrdMap` was measured
//! against `HashMap` of the same library and against `rpds`: at a million entries of 8 and 4 bytes it takes 30 bytes an
//! entry, the others 109 and 131, and it inserts faster.

use std::hash::{DefaultHasher, Hash, Hasher};

use alloy_primitives::{B256, U256};
use imbl::{OrdMap, OrdSet, Vector};

use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::signature::Ecdsa;

mod load;
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
    /// An authorization's nonce is cancelled: it never pays.
    CancelAuthorization {
        /// The asset whose contract counts it.
        asset: AssetId,
        /// Whose it is.
        from: Account,
        /// The nonce.
        nonce: B256,
    },
    /// Money appears in a balance that is real. Amount in atomic units.
    Grant(AssetId, Account, U256),
    /// Money disappears from a balance that is real and large enough. Amount in atomic units.
    Burn(AssetId, Account, U256),
    /// Every asset blacklists an account.
    Block(Account),
    /// No asset blacklists an account any more.
    Unblock(Account),
    /// A transaction, by its number, did not happen after all: its authorization can be used again.
    Undo(u32),
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
    cancelled: OrdSet<(AssetId, Account, B256)>,
    blocked: OrdSet<Account>,
    undone: OrdSet<u32>,
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
            if key == (asset, from, nonce) && !self.undone.contains(number) {
                return Some(*number);
            }
            fingerprint = fingerprint.wrapping_add(1);
        }
        None
    }

    /// Whether an authorization was cancelled.
    pub fn is_cancelled(&self, asset: AssetId, from: Account, nonce: B256) -> bool {
        self.cancelled.contains(&(asset, from, nonce))
    }

    /// Whether the assets have blacklisted an account.
    pub fn is_blocked(&self, account: Account) -> bool {
        self.blocked.contains(&account)
    }

    /// Whether a transaction was undone.
    pub fn is_undone(&self, number: u32) -> bool {
        self.undone.contains(&number)
    }

    /// The balances that were ever touched, in atomic units, ordered by asset and account.
    pub fn balances(&self) -> impl Iterator<Item = (AssetId, Account, U256)> {
        self.balances.iter().map(|((asset, account), balance)| (*asset, *account, *balance))
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

    /// Takes the facilitator's next nonce on a chain for a transaction.
    pub(crate) fn reserve(&mut self, chain_id: u64) -> u32 {
        let sequence = self.sequence(chain_id);
        self.sequences.insert(chain_id, sequence + 1);
        sequence
    }

    /// Adds a transaction to the log and uses its authorization up.
    pub(crate) fn append(&mut self, record: Record) -> u32 {
        let number = u32::try_from(self.records.len()).expect("fewer than 2^32 settlements fit in memory");
        let mut key = fingerprint(record.asset, record.authorization.from.into(), record.authorization.nonce);
        while self.authorizations.contains_key(&key) {
            key = key.wrapping_add(1);
        }
        self.authorizations.insert(key, number);
        self.records.push_back(record);
        number
    }

    /// Applies effects. They were computed on this very state, so that none can fail.
    pub(crate) fn apply(&mut self, effects: &[Effect]) {
        for effect in effects {
            match *effect {
                Effect::Mint(asset, account, value) => {
                    self.balances.insert((asset, account), value);
                    self.count_minted(asset, value);
                }
                Effect::Move { asset, from, to, value } => {
                    self.add(asset, from, value.wrapping_neg());
                    self.add(asset, to, value);
                }
                Effect::Grant(asset, account, value) => {
                    self.add(asset, account, value);
                    self.count_minted(asset, value);
                }
                Effect::Burn(asset, account, value) => {
                    self.add(asset, account, value.wrapping_neg());
                    self.count_minted(asset, value.wrapping_neg());
                }
                Effect::CancelAuthorization { asset, from, nonce } => drop(self.cancelled.insert((asset, from, nonce))),
                Effect::Block(account) => drop(self.blocked.insert(account)),
                Effect::Unblock(account) => drop(self.blocked.remove(&account)),
                Effect::Undo(number) => drop(self.undone.insert(number)),
                // The log itself is the record of used authorizations; see `append`.
                Effect::UseAuthorization { .. } => {}
            }
        }
    }

    /// Changes a real balance; what is taken away is added as its negative.
    fn add(&mut self, asset: AssetId, account: Account, value: U256) {
        let had = self.balance(asset, account).unwrap_or_default();
        self.balances.insert((asset, account), had.wrapping_add(value));
    }

    fn count_minted(&mut self, asset: AssetId, value: U256) {
        let minted = self.minted.get(&asset).copied().unwrap_or_default();
        self.minted.insert(asset, minted.wrapping_add(value));
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
        (&self.cancelled, &self.blocked, &self.undone).hash(&mut hasher);
        hasher.finish()
    }
}

fn fingerprint(asset: AssetId, from: Account, nonce: B256) -> u64 {
    let mut hasher = DefaultHasher::new();
    (asset, from, nonce).hash(&mut hasher);
    hasher.finish()
}
