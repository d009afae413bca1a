//! Transactions that others signed and sent to a chain's own door: what is kept of them, and how they are written.

use std::sync::Arc;

use alloy_primitives::{B256, U256};
use imbl::{OrdMap, OrdSet};
use serde_json::Value;

use super::World;
use super::agenda::Task;
use super::settlement::Wait;
use crate::event::{Door, Facts, Kind, PaymentId};
use crate::ledger::{Account, AssetId, Call, Entry, Record, UnknownAccounts};
use crate::networks::eip155::contracts::Log;
use crate::purchase::moves::{Direction, Move};

/// How many of their bytes' transactions are kept: the newest.
pub const KEPT: usize = 10_000;

/// How many bytes are kept in all.
const BYTES: usize = 64 * 1024 * 1024;

/// How many answers of chains that stand still are kept.
const STALLED: usize = 1_000;

/// Among how many of the newest events that of a transaction is looked for.
const NEWS: u64 = 64;

/// What the ledger's record of a transaction does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its bytes.
    pub raw: Vec<u8>,
    /// What it emitted.
    pub logs: Vec<Log>,
    /// How much gas it used.
    pub gas_used: u64,
}

/// A ring of transactions, by their numbers in the ledger.
#[derive(Clone, Debug, Default)]
pub struct Raws {
    kept: OrdMap<u32, (B256, Arc<Kept>)>,
    bytes: usize,
    /// Transactions whose receipts never come.
    hidden: OrdSet<B256>,
    /// What a chain that stands still answers: by fault, network and method.
    stalled: OrdMap<(u32, String, String), Value>,
}

/// A transaction that was executed.
#[derive(Clone, Debug)]
pub(crate) struct Executed {
    /// What its record says.
    pub(crate) entry: Entry,
    /// What else is kept of it.
    pub(crate) kept: Kept,
    /// Every payment that it made; one that failed is here too.
    pub(crate) payments: Vec<Paid>,
    /// What is said of it for people, where it was no payment.
    pub(crate) words: Option<String>,
}

/// A payment that a transaction made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// What ties it to its attempts at other doors; none where nobody signed it but the sender.
    pub id: Option<PaymentId>,
    /// The asset.
    pub asset: AssetId,
    /// Who pays.
    pub from: Account,
    /// Who is paid.
    pub to: Account,
    /// How much, in atomic units.
    pub value: U256,
}

impl Raws {
    /// What is kept of a transaction, if it has not gone.
    pub fn get(&self, number: u32, hash: B256) -> Option<&Arc<Kept>> {
        self.kept.get(&number).filter(|(own, _)| *own == hash).map(|(_, kept)| kept)
    }

    /// Whether a transaction's receipt never comes.
    pub fn is_hidden(&self, hash: B256) -> bool {
        self.hidden.contains(&hash)
    }

    fn keep(&mut self, number: u32, hash: B256, kept: Kept) {
        self.bytes += kept.raw.len();
        self.kept.insert(number, (hash, Arc::new(kept)));
        while self.kept.len() > KEPT || self.bytes > BYTES {
            let Some((_, (hash, gone))) = self.kept.get_min().cloned() else { return };
            self.bytes -= gone.raw.len();
            self.hidden.remove(&hash);
            self.kept = self.kept.without(&self.kept.get_min().map_or(0, |(number, _)| *number));
        }
    }
}

impl World {
    /// What is kept of raw transactions.
    pub const fn raws(&self) -> &Raws {
        &self.roots.raws
    }

    /// What accounts hold that the world sees for the first time.
    pub fn unknown_accounts(&self) -> UnknownAccounts {
        self.grants.unknown
    }

    /// Hides the receipt of a transaction for ever.
    pub(crate) fn hide_receipt(&mut self, hash: B256) {
        self.roots.raws.hidden.insert(hash);
    }

    /// The first answer that a chain gave since a fault made it stand still.
    pub(crate) fn stall(&mut self, fault: u32, network: &str, method: &str, answer: Value) -> Value {
        let stalled = &mut self.roots.raws.stalled;
        if stalled.len() > STALLED {
            stalled.clear();
        }
        stalled.entry((fault, network.to_owned(), method.to_owned())).or_insert(answer).clone()
    }

    /// Writes a transaction that was executed to the ledger, and tells what it was. Gives its number.
    pub(crate) fn include(&mut self, executed: Executed, hash: B256, now: u64) -> u32 {
        let Executed { entry, kept, payments, words } = executed;
        let reverted = matches!(entry.call, Call::Raw { reverted: true, .. });
        let effects = entry.effects.clone();
        let main = payments.first().and_then(|paid| paid.id).unwrap_or_else(|| PaymentId::of_transaction(hash));
        let record = Record::Other(Arc::new(entry));
        let number = self.write(record, &effects, if reverted { PaymentId::default() } else { main });
        self.roots.raws.keep(number, hash, kept);
        // So that it is found by its hash from now on.
        let _ = self.hash_of(number);
        let transaction = Some(hash.to_string());
        if payments.is_empty() {
            let facts = Facts { message: words.clone(), transaction: transaction.clone(), ..Facts::default() };
            self.record(now, Kind::Changed, Door::Rpc, None, facts);
        }
        for (place, paid) in payments.iter().enumerate() {
            let id = if place == 0 { main } else { paid.id.unwrap_or_else(|| PaymentId::of_transaction(hash)) };
            let kind = if reverted { Kind::SettleFailed } else { Kind::Settled };
            if !reverted && place > 0 {
                let Paid { asset, value, .. } = *paid;
                self.moves.note(id, Move { direction: Direction::Paid, asset, value });
            }
            let facts =
                Facts { transaction: transaction.clone(), message: words.clone(), ..self.facts_of_payment(paid) };
            self.record(now, kind, Door::Rpc, Some(id), facts);
        }
        number
    }

    /// Undoes the transactions that were made since the ledger had so many, when their time has come.
    pub(crate) fn undo_later(&mut self, since: usize, wait: Wait, now: u64) {
        let numbers = since..self.roots.ledger.len();
        for number in numbers.filter_map(|number| u32::try_from(number).ok()) {
            let payment = self.payment_of(number);
            self.schedule(wait, now, Task::Undo { number, payment });
        }
    }

    /// The payment that a transaction settled, as its event told.
    fn payment_of(&self, number: u32) -> PaymentId {
        let hash = self.hash_of(number).map(|hash| hash.to_string());
        let newest = self.events.newest();
        let told = self.events.after(newest.saturating_sub(NEWS), usize::MAX);
        let told = told.filter(|event| event.facts.transaction == hash).last();
        told.and_then(|event| event.payment).unwrap_or_default()
    }

    /// Does something of which nothing is kept: the state, events and purchases are afterwards as they were before.
    pub(crate) fn pretend<T>(&mut self, what: impl FnOnce(&mut Self) -> T) -> T {
        let roots = self.roots.clone();
        let (events, purchases, moves) = (self.events.clone(), self.purchases.clone(), self.moves.clone());
        let given = what(self);
        self.roots = roots;
        (self.events, self.purchases, self.moves) = (events, purchases, moves);
        given
    }

    fn facts_of_payment(&self, paid: &Paid) -> Facts {
        let asset = self.catalog.asset(paid.asset);
        Facts {
            network: asset.map(|(network, _)| network.to_owned()),
            amount: asset.map(|(_, asset)| asset.written(paid.value)),
            payer: asset.map(|(network, _)| crate::networks::written(network, paid.from)),
            ..Facts::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_they_are_too_large() {
        let kept = |size: usize| Kept { raw: vec![0; size], logs: Vec::new(), gas_used: 0 };
        let mut raws = Raws::default();
        for number in 0..=10_000 {
            raws.keep(number, B256::ZERO, kept(1));
        }
        assert!(raws.get(0, B256::ZERO).is_none());
        assert!(raws.get(1, B256::ZERO).is_some());
        assert!(raws.get(1, B256::repeat_byte(1)).is_none());
        for number in 10_001..11_000 {
            raws.keep(number, B256::ZERO, kept(BYTES / 8));
        }
        assert_eq!((raws.kept.len(), raws.bytes), (8, BYTES));
    }
}
