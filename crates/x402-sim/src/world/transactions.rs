//! Transactions by what they are called: hashes and signatures, and the records behind them.
//!
//! A transaction is rebuilt from its record, and signing it is costly; so its hash is kept when it is first made. What
//! was made longer ago than the memory reaches is no longer found by its hash, as on a pruned node.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use alloy_primitives::{Address, B256};

use super::World;
use crate::accounts::TestAccount;
use crate::catalog::Catalog;
use crate::ledger::{Call, Record};
use crate::networks::eip155::transaction::{Signed, Transaction, settle_calldata, transfer_calldata};
use crate::networks::solana;

/// How many hashes are kept.
const KEPT: usize = 65_536;

/// How many of the newest records are signed again for a hash that is not known: those of an imported snapshot, say.
const TRIED: usize = 2_048;

/// Hashes of transactions, and their numbers in the ledger.
#[derive(Debug, Default)]
pub(super) struct Hashes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    numbers: BTreeMap<B256, u32>,
    /// The hash of each number, with what tells its record from another one of that number: after a snapshot was brought
    /// back, a number may mean another transaction.
    hashes: BTreeMap<u32, (u64, B256)>,
    order: VecDeque<(B256, u32)>,
}

impl Hashes {
    /// Remembers a transaction.
    pub(super) fn note(&self, hash: B256, number: u32, record: &Record) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let print = fingerprint(record);
        if known.numbers.insert(hash, number) == Some(number) && known.hashes.get(&number) == Some(&(print, hash)) {
            return;
        }
        known.hashes.insert(number, (print, hash));
        known.order.push_back((hash, number));
        if known.order.len() > KEPT
            && let Some((hash, number)) = known.order.pop_front()
        {
            // After a snapshot was brought back, the number may stand for a younger transaction by now.
            if known.numbers.get(&hash) == Some(&number) {
                known.numbers.remove(&hash);
            }
            if known.hashes.get(&number).is_some_and(|(_, last)| *last == hash) {
                known.hashes.remove(&number);
            }
        }
    }

    fn number(&self, hash: &B256) -> Option<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).numbers.get(hash).copied()
    }

    fn hash(&self, number: u32, record: &Record) -> Option<B256> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (print, hash) = *known.hashes.get(&number)?;
        (print == fingerprint(record)).then_some(hash)
    }
}

/// What tells records apart that stand under one number in two states of a world.
fn fingerprint(record: &Record) -> u64 {
    let mut hasher = DefaultHasher::new();
    (record.asset(), record.from(), record.to(), record.sequence(), record.at()).hash(&mut hasher);
    record.value().as_limbs().hash(&mut hasher);
    record.each_use(|once| once.hash(&mut hasher));
    hasher.finish()
}

impl World {
    /// The number of the transaction with a hash; for a Solana signature, the hash is its first 32 bytes. A transaction
    /// that was undone is found too: see [`Ledger::is_undone`](crate::ledger::Ledger::is_undone).
    pub fn find_transaction(&self, hash: B256) -> Option<u32> {
        let is_it = |number: u32| self.hash_of(number) == Some(hash);
        if let Some(number) = self.hashes.number(&hash).filter(|number| is_it(*number)) {
            return Some(number);
        }
        // Each is signed once at most: its hash is kept.
        let count = u32::try_from(self.roots.ledger.len()).unwrap_or(u32::MAX);
        let oldest = count.saturating_sub(u32::try_from(TRIED).unwrap_or(u32::MAX));
        (oldest..count).rev().find(|number| is_it(*number))
    }

    /// The hash of a transaction by its number, as in [`World::find_transaction`].
    pub fn hash_of(&self, number: u32) -> Option<B256> {
        let record = self.roots.ledger.record(number)?;
        if let Some(hash) = self.hashes.hash(number, record) {
            return Some(hash);
        }
        let hash = hash_of(record, &self.catalog, &self.facilitator)?;
        self.hashes.note(hash, number, record);
        Some(hash)
    }

    /// The facilitator's transaction behind a record, signed; `None` where somebody else made it, or on another family.
    pub fn transaction_of(&self, record: &Record) -> Option<Signed> {
        Some(unsigned(record, &self.catalog)?.sign(&self.facilitator.key_bytes()))
    }
}

/// The hash of a record's transaction, or the first 32 bytes of its signature where transactions have no other name.
pub(super) fn hash_of(record: &Record, catalog: &Catalog, facilitator: &TestAccount) -> Option<B256> {
    match record {
        Record::Other(entry) => match &entry.call {
            Call::Raw { hash, .. } => Some(*hash),
            Call::Permit2 { .. } => Some(unsigned(record, catalog)?.sign(&facilitator.key_bytes()).hash),
            Call::Svm { wire, .. } => solana::signature(wire)?.first_chunk().map(|half: &[u8; 32]| B256::from(*half)),
        },
        Record::Authorized { .. } => Some(unsigned(record, catalog)?.sign(&facilitator.key_bytes()).hash),
    }
}

/// A record's transaction as people and answers name it: a hash, or a signature in base58.
pub(super) fn name_of(record: &Record, hash: Option<B256>) -> String {
    if let Record::Other(entry) = record
        && let Call::Svm { wire, .. } = &entry.call
    {
        return solana::signature(wire).map(|signature| bs58::encode(signature).into_string()).unwrap_or_default();
    }
    hash.map(|hash| hash.to_string()).unwrap_or_default()
}

/// The facilitator's transaction behind a record, before it is signed.
pub(super) fn unsigned(record: &Record, catalog: &Catalog) -> Option<Transaction> {
    match record {
        Record::Authorized { authorization, signature, asset, sequence, .. } => {
            let token = catalog.token_by_id(*asset)?;
            Some(Transaction {
                chain_id: token.chain_id,
                nonce: u64::from(*sequence),
                to: token.contract,
                input: transfer_calldata(authorization, signature),
            })
        }
        Record::Other(entry) => match &entry.call {
            Call::Permit2 { permit, signature } => Some(Transaction {
                chain_id: permit.chain_id,
                nonce: u64::from(entry.sequence),
                to: permit.spender,
                input: settle_calldata(permit, entry.value, Address::from_slice(&entry.from.0[12..]), signature),
            }),
            Call::Raw { .. } | Call::Svm { .. } => None,
        },
    }
}
