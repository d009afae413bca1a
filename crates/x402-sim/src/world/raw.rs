//! Transactions that others signed and sent to a chain's own door: what is kept of them, and how they are written.

use std::sync::Arc;

use alloy_primitives::{B256, U256, keccak256};
use imbl::{OrdMap, OrdSet};

use super::World;
use super::agenda::Task;
use super::settlement::Wait;
use crate::event::{Door, Facts, Kind, PaymentId};
use crate::ledger::{Account, AssetId, Call, Effect, Entry, Ledger, Record, UnknownAccounts};
use crate::networks::eip155::contracts::Log;
use crate::purchase::moves::{Direction, Move};

/// How many of their bytes' transactions are kept: the newest.
pub const KEPT: usize = 10_000;

/// How many bytes are kept in all.
const BYTES: usize = 64 * 1024 * 1024;

/// How many chains may stand still at once.
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
    /// Every payment that it made, and the id under which it was noted.
    pub(crate) payments: Vec<(PaymentId, Paid)>,
}

/// A ring of transactions, by their numbers in the ledger.
#[derive(Clone, Debug, Default)]
pub struct Raws {
    kept: OrdMap<u32, Slot>,
    /// How many bytes all slots take.
    bytes: usize,
    /// Transactions whose receipts never come.
    hidden: OrdSet<B256>,
    /// How chains stood when a fault made them stand still: by fault and network.
    stalled: OrdMap<(u32, String), Stand>,
}

/// A transaction in the ring.
#[derive(Clone, Debug)]
struct Slot {
    hash: B256,
    kept: Arc<Kept>,
    /// How many bytes it takes, with what the ledger keeps of it.
    bytes: usize,
}

/// How a chain stood at a time. A ledger is a few pointers.
#[derive(Clone, Debug)]
struct Stand {
    ledger: Ledger,
    /// Milliseconds of the world's clock.
    at: u64,
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
        self.kept.get(&number).filter(|slot| slot.hash == hash).map(|slot| &slot.kept)
    }

    /// Whether a transaction's receipt never comes.
    pub fn is_hidden(&self, hash: B256) -> bool {
        self.hidden.contains(&hash)
    }

    /// Keeps a transaction that changed so much.
    fn keep(&mut self, number: u32, hash: B256, kept: Kept, effects: usize) {
        let bytes = kept.bytes() + effects * size_of::<Effect>();
        self.bytes += bytes;
        self.kept.insert(number, Slot { hash, kept: Arc::new(kept), bytes });
        while self.kept.len() > KEPT || self.bytes > BYTES {
            let Some((number, gone)) = self.kept.get_min().cloned() else { return };
            self.bytes -= gone.bytes;
            self.hidden.remove(&gone.hash);
            self.kept.remove(&number);
        }
    }
}

impl Kept {
    /// How many bytes it takes.
    fn bytes(&self) -> usize {
        let log = |log: &Log| size_of::<Log>() + log.topics.len() * size_of::<B256>() + log.data.len();
        let logs: usize = self.logs.iter().map(log).sum();
        self.raw.len() + logs + self.payments.len() * size_of::<(PaymentId, Paid)>()
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

    /// Asks a chain as it stood when a fault first made it stand still, and at that time.
    pub(crate) fn stalled<T>(
        &mut self,
        (fault, network): (u32, &str),
        now: u64,
        ask: impl FnOnce(&mut Self, u64) -> T,
    ) -> T {
        let stalled = &mut self.roots.raws.stalled;
        if stalled.len() > STALLED {
            stalled.clear();
        }
        let stand = stalled.entry((fault, network.to_owned()));
        let Stand { ledger, at } =
            stand.or_insert_with(|| Stand { ledger: self.roots.ledger.clone(), at: now }).clone();
        let newest = std::mem::replace(&mut self.roots.ledger, ledger);
        let given = ask(self, at);
        self.roots.ledger = newest;
        given
    }

    /// Writes a transaction that was executed to the ledger, and tells what it was. Gives its number.
    pub(crate) fn include(&mut self, executed: Executed, hash: B256, now: u64) -> u32 {
        let Executed { entry, mut kept, payments, words } = executed;
        let reverted = matches!(entry.call, Call::Raw { reverted: true, .. });
        let effects = entry.effects.clone();
        let named = |(place, paid): (usize, Paid)| (paid.id.unwrap_or_else(|| unsigned(hash, place)), paid);
        let payments: Vec<_> = payments.into_iter().enumerate().map(named).collect();
        let main = payments.first().map_or_else(|| PaymentId::of_transaction(hash), |(id, _)| *id);
        if !reverted {
            kept.payments.clone_from(&payments);
        }
        let record = Record::Other(Arc::new(entry));
        let number = self.write(record, &effects, if reverted { PaymentId::default() } else { main });
        self.roots.raws.keep(number, hash, kept, effects.len());
        if let Some(record) = self.roots.ledger.record(number) {
            // So that it is found by its hash from now on.
            self.hashes.note(hash, number, record);
        }
        let transaction = Some(hash.to_string());
        if payments.is_empty() {
            let facts = Facts { message: words.clone(), transaction: transaction.clone(), ..Facts::default() };
            self.record(now, Kind::Changed, Door::Rpc, None, facts);
        }
        for (place, (id, paid)) in payments.iter().enumerate() {
            let kind = if reverted { Kind::SettleFailed } else { Kind::Settled };
            // The first one was noted when it was written.
            if !reverted && place > 0 {
                self.note_paid(*id, paid, Direction::Paid);
            }
            let facts =
                Facts { transaction: transaction.clone(), message: words.clone(), ..self.facts_of_payment(paid) };
            self.record(now, kind, Door::Rpc, Some(*id), facts);
        }
        number
    }

    /// After a transaction was undone: tells, of every payment that it made besides the one that it is known by, that the
    /// money is back.
    pub(super) fn tell_others_undone(&mut self, number: u32, at: u64, message: &str) {
        for (id, paid) in self.paid_by(number).into_iter().skip(1) {
            self.note_paid(id, &paid, Direction::Returned);
            let facts = Facts { message: Some(message.to_owned()), ..self.facts_of_payment(&paid) };
            self.record(at, Kind::Undone, Door::Chain, Some(id), facts);
        }
    }

    /// The payments that somebody's transaction made, as far as they are kept.
    fn paid_by(&self, number: u32) -> Vec<(PaymentId, Paid)> {
        if let Some(paid) = self.paid_on_solana(number) {
            return paid;
        }
        let kept = self.hash_of(number).and_then(|hash| self.roots.raws.get(number, hash));
        kept.map(|kept| kept.payments.clone()).unwrap_or_default()
    }

    /// Notes a payment, for its purchase.
    pub(super) fn note_paid(&mut self, id: PaymentId, paid: &Paid, direction: Direction) {
        let Paid { asset, value, .. } = *paid;
        if !value.is_zero() {
            self.moves.note(id, Move { direction, asset, value });
        }
    }

    /// Undoes the transactions that were made since the ledger had so many, when their time has come.
    pub(crate) fn undo_later(&mut self, since: usize, wait: Wait, now: u64) {
        let numbers = since..self.roots.ledger.len();
        for number in numbers.filter_map(|number| u32::try_from(number).ok()) {
            let payment = self.payment_of(number);
            self.schedule(wait, now, Task::Undo { number, payment });
        }
    }

    /// The payment that a transaction is known by: its first, or the one that its event told.
    fn payment_of(&self, number: u32) -> PaymentId {
        if let Some((id, _)) = self.paid_by(number).first() {
            return *id;
        }
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

    /// What is told of a payment.
    pub(super) fn facts_of_payment(&self, paid: &Paid) -> Facts {
        let asset = self.catalog.asset(paid.asset);
        Facts {
            network: asset.map(|(network, _)| network.to_owned()),
            amount: asset.map(|(_, asset)| asset.written(paid.value)),
            payer: asset.map(|(network, _)| crate::networks::written(network, paid.from)),
            ..Facts::default()
        }
    }
}

/// The id of a payment that nobody signed but the sender of its transaction, where it may stand beside others.
pub(super) fn unsigned(hash: B256, place: usize) -> PaymentId {
    if place == 0 {
        return PaymentId::of_transaction(hash);
    }
    PaymentId::of_transaction(keccak256([hash.as_slice(), &place.to_be_bytes()].concat()))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;

    use super::*;

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_they_are_too_large() {
        let kept = |size: usize| Kept { raw: vec![0; size], logs: Vec::new(), gas_used: 0, payments: Vec::new() };
        let mut raws = Raws::default();
        for number in 0..=10_000 {
            raws.keep(number, B256::ZERO, kept(1), 0);
        }
        assert!(raws.get(0, B256::ZERO).is_none());
        assert!(raws.get(1, B256::ZERO).is_some());
        assert!(raws.get(1, B256::repeat_byte(1)).is_none());
        for number in 10_001..11_000 {
            raws.keep(number, B256::ZERO, kept(BYTES / 8), 0);
        }
        assert_eq!((raws.kept.len(), raws.bytes), (8, BYTES));
        // What it emitted and changed counts as well.
        let log = Log { address: Address::ZERO, topics: vec![B256::ZERO; 4], data: vec![0; BYTES / 2] };
        raws.keep(11_000, B256::ZERO, Kept { logs: vec![log], ..kept(0) }, 0);
        assert_eq!(raws.kept.len(), 4);
        raws.keep(11_001, B256::ZERO, kept(1), BYTES / size_of::<Effect>());
        assert_eq!(raws.kept.keys().copied().collect::<Vec<_>>(), [11_001]);
    }
}
