//! Transactions by what they are called: hashes and signatures, and the records behind them.
//!
//! A transaction is rebuilt from its record, and signing it is costly; so its hash is kept when it is first made. What
//! was made longer ago than the memory reaches is no longer found by its hash, as on a pruned node.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use alloy_primitives::B256;
use alloy_primitives::map::B256HashMap;

use super::World;
use crate::accounts::TestAccount;
use crate::catalog::Catalog;
use crate::ledger::{Record, hash_words};
use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::transaction::{Signed, Transaction, transfer_calldata};

/// How many hashes are kept: those of so many numbers in a row.
const KEPT: usize = 65_536;

/// How many of the newest records are signed again for a hash that is not known: those of an imported snapshot, say.
const TRIED: usize = 2_048;

/// Hashes of transactions, and their numbers in the ledger.
#[derive(Debug, Default)]
pub(super) struct Hashes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    numbers: B256HashMap<u32>,
    /// By the number, in turn.
    places: Vec<Option<Place>>,
}

/// What is kept of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    number: u32,
    /// What tells its record from another one of that number: after a snapshot was brought back, a number may mean
    /// another transaction.
    print: u64,
    hash: B256,
}

impl Hashes {
    /// Remembers a transaction, in the place of another that is gone or long past.
    pub(super) fn note(&self, hash: B256, number: u32, record: &Record) {
        let place = Place { number, print: fingerprint(record), hash };
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = &mut *guard;
        let index = index(number);
        if known.places.len() <= index {
            known.places.resize(index + 1, None);
        }
        if let Some(before) = known.places[index].replace(place)
            && before.hash != hash
            && known.numbers.get(&before.hash) == Some(&before.number)
        {
            known.numbers.remove(&before.hash);
        }
        known.numbers.insert(hash, number);
    }

    fn number(&self, hash: &B256) -> Option<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).numbers.get(hash).copied()
    }

    fn hash(&self, number: u32, record: &Record) -> Option<B256> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (*known.places.get(index(number))?)?;
        (place.number == number && place.print == fingerprint(record)).then_some(place.hash)
    }
}

/// Where a number is kept.
const fn index(number: u32) -> usize {
    number as usize % KEPT
}

/// What tells records apart that stand under one number in two states of a world: all that their transactions are made
/// of.
fn fingerprint(record: &Record) -> u64 {
    let mut hasher = DefaultHasher::new();
    (record.asset(), record.sequence(), record.at()).hash(&mut hasher);
    match record {
        Record::Authorized { authorization, signature, .. } => {
            let Authorization { from, to, value, valid_after, valid_before, nonce } = authorization;
            hash_words([from, to], [value, valid_after, valid_before], *nonce, &signature.bytes(), &mut hasher);
        }
        Record::Other(entry) => {
            (entry.from, entry.to, entry.value.as_limbs()).hash(&mut hasher);
            entry.call.fingerprint(&mut hasher);
        }
    }
    hasher.finish()
}

/// The name of a transaction that says it itself: those that others signed, and all on Solana.
fn own_name(record: &Record) -> Option<B256> {
    let Record::Other(entry) = record else { return None };
    entry.call.own_name()
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
        let own = own_name(record);
        if own.is_none()
            && let Some(hash) = self.hashes.hash(number, record)
        {
            return Some(hash);
        }
        let hash = own.or_else(|| hash_of(record, &self.catalog, &self.facilitator))?;
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
    own_name(record).or_else(|| Some(unsigned(record, catalog)?.sign(&facilitator.key_bytes()).hash))
}

/// A record's transaction as people and answers name it: a hash, or a signature in base58.
pub(super) fn name_of(record: &Record, hash: Option<B256>) -> String {
    if let Record::Other(entry) = record
        && let Some(text) = entry.call.own_text()
    {
        return text;
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
        Record::Other(entry) => entry.transaction(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use alloy_primitives::{Address, U256};

    use super::*;
    use crate::ledger::{AssetId, Call, Entry};
    use crate::networks::eip155::permit2::permit::{Permit, Witness};
    use crate::networks::eip155::signature::Ecdsa;

    /// Everything that a transaction is made of tells it from another one that stood at its place.
    #[test]
    fn records_that_differ_in_what_was_called_alone_are_told_apart() {
        let (signature, other) = (Ecdsa { compact: [1; 64], v: 27 }, Ecdsa { compact: [1; 64], v: 28 });
        let authorization = Authorization {
            from: Address::ZERO,
            to: Address::ZERO,
            value: U256::ONE,
            valid_after: U256::ZERO,
            valid_before: U256::MAX,
            nonce: B256::ZERO,
        };
        let authorized = |authorization, signature| {
            fingerprint(&Record::Authorized { authorization, signature, asset: AssetId(0), sequence: 0, at: 0 })
        };
        let first = authorized(authorization, signature);
        assert_eq!(authorized(authorization, signature), first);
        assert_ne!(authorized(authorization, other), first);
        assert_ne!(authorized(Authorization { valid_before: U256::ONE, ..authorization }, signature), first);
        assert_ne!(authorized(Authorization { valid_after: U256::ONE, ..authorization }, signature), first);

        let called = |call| {
            let (from, to, value) = (Address::ZERO.into(), Address::ZERO.into(), U256::ONE);
            let entry = Entry { asset: AssetId(0), from, to, value, sequence: 0, at: 0, call, effects: Vec::new() };
            fingerprint(&Record::Other(Arc::new(entry)))
        };
        let witness = Witness { to: Address::ZERO, facilitator: None, valid_after: U256::ZERO };
        let permit = Permit {
            chain_id: 1,
            token: Address::ZERO,
            amount: U256::ONE,
            spender: Address::ZERO,
            nonce: U256::ZERO,
            deadline: U256::MAX,
            witness,
        };
        let raw = |hash| Call::Raw { chain: 1, sender: Address::ZERO, hash, reverted: false };
        let late = Witness { valid_after: U256::ONE, ..witness };
        let prints: std::collections::BTreeSet<u64> = [
            called(Call::Permit2 { permit, signature }),
            called(Call::Permit2 { permit, signature: other }),
            called(Call::Permit2 { permit: Permit { deadline: U256::ONE, ..permit }, signature }),
            called(Call::Permit2 { permit: Permit { witness: late, ..permit }, signature }),
            called(raw(B256::ZERO)),
            called(raw(B256::repeat_byte(1))),
        ]
        .into();
        assert_eq!(prints.len(), 6);
    }
}
