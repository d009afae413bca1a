//! What is to happen: at a time of the clock, after a number of transactions, or when it is asked for.
//!
//! Nothing here runs by itself. Every command first does what has come due, so that the same commands at the same times
//! give the same world; the server wakes up for it too.

use imbl::OrdMap;

use super::World;
use super::line::{Bytes, Line};
use super::settlement::{Ending, Settled, Standing, Wait};
use crate::charge::Charge;
use crate::event::{Door, Facts, Kind, PaymentId};
use crate::ledger::Record;
use crate::networks;
use crate::reason::{Code, Reason};

/// Everything that is to happen.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    timed: OrdMap<(u64, u64), Task>,
    counted: OrdMap<(usize, u64), Task>,
    pending: OrdMap<PaymentId, Awaited>,
    /// What became of pending settlements whose answer nobody has asked for yet.
    concluded: OrdMap<PaymentId, Result<(Record, u32), Reason>>,
    issued: u64,
}

/// How many answers are kept for whoever asks again.
const CONCLUDED: usize = 10_000;

/// Something that is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A transaction is undone.
    Undo {
        /// Its number in the ledger.
        number: u32,
        /// The payment that it settled.
        payment: PaymentId,
    },
    /// A pending settlement ends.
    Confirm(PaymentId),
}

/// A settlement whose transaction is broadcast and not confirmed.
#[derive(Clone, Debug)]
pub struct Pending {
    /// What will move.
    pub charge: Charge,
    /// Its transaction.
    pub record: Record,
    /// How it ends.
    pub ending: Ending,
    /// The payment.
    pub payment: PaymentId,
}

#[derive(Clone, Debug)]
struct Awaited {
    pending: Pending,
    /// How many more times it must be asked for; `None` where it waits for something else.
    asks: Option<u32>,
}

impl World {
    /// Does what has come due at a time of the clock, in the order in which it came due.
    pub fn catch_up(&mut self, now: u64) {
        loop {
            let due = self.roots.agenda.next_due(now, self.roots.ledger.len());
            let Some((at, task)) = due else { return };
            self.perform(task, at.unwrap_or(now));
        }
    }

    /// The next time of the clock at which something comes due.
    pub fn next_due(&self) -> Option<u64> {
        self.roots.agenda.timed.get_min().map(|((at, _), _)| *at)
    }

    /// What became of a settlement that was asked for before and was pending then; `None` where there is none.
    ///
    /// Asking counts where the settlement waits to be asked; what ends by that is told as an event here. What has ended
    /// meanwhile is told once, without verifying again, as the official facilitator does by its pending store.
    pub fn ask_again(&mut self, payment: PaymentId, now: u64) -> Option<Result<Settled, Reason>> {
        if let Some(ended) = self.take_concluded(payment) {
            return Some(ended);
        }
        let awaited = self.roots.agenda.pending.get(&payment)?.clone();
        match awaited.asks {
            Some(left) if left <= 1 => self.confirm(payment, now),
            Some(left) => {
                let awaited = Awaited { asks: Some(left - 1), ..awaited };
                let record = awaited.pending.record.clone();
                self.roots.agenda.pending.insert(payment, awaited);
                Some(Ok(self.settled(record, None, Standing::Pending)))
            }
            None => Some(Ok(self.settled(awaited.pending.record, None, Standing::Pending))),
        }
    }

    fn take_concluded(&mut self, payment: PaymentId) -> Option<Result<Settled, Reason>> {
        let ended = self.roots.agenda.concluded.remove(&payment)?;
        Some(ended.map(|(record, number)| self.settled(record, Some(number), Standing::Confirmed)))
    }

    pub(super) fn schedule(&mut self, wait: Wait, now: u64, task: Task) {
        let blocks = self.roots.ledger.len();
        self.roots.agenda.add(wait, now, blocks, task);
    }

    pub(super) fn await_confirmation(&mut self, pending: Pending, wait: Wait, now: u64) {
        let payment = pending.payment;
        let asks = match wait {
            Wait::Asks(times) if pending.ending != Ending::Never => Some(times),
            _ => None,
        };
        if asks.is_none() && pending.ending != Ending::Never {
            self.schedule(wait, now, Task::Confirm(payment));
        }
        self.roots.agenda.pending.insert(payment, Awaited { pending, asks });
    }

    fn perform(&mut self, task: Task, at: u64) {
        match task {
            Task::Undo { number, payment } => {
                let undone = self.undo(number, payment);
                let message = if undone {
                    "the transaction was undone: the money is back, and the authorization can be used again"
                } else {
                    "the transaction should have been undone, and the payee no longer holds the amount"
                };
                let facts = Facts { message: Some(message.to_owned()), ..self.facts_of_record(number) };
                self.record(at, Kind::Undone, Door::Chain, Some(payment), facts);
                if undone {
                    self.tell_others_undone(number, at, message);
                }
            }
            Task::Confirm(payment) => {
                let Some(outcome) = self.conclude(payment, at) else { return };
                self.tell_end(payment, at, &outcome);
                self.roots.agenda.keep(payment, outcome);
            }
        }
    }

    /// Ends a pending settlement, and tells it.
    fn confirm(&mut self, payment: PaymentId, at: u64) -> Option<Result<Settled, Reason>> {
        let outcome = self.conclude(payment, at)?;
        self.tell_end(payment, at, &outcome);
        Some(outcome.map(|(record, number)| self.settled(record, Some(number), Standing::Confirmed)))
    }

    fn tell_end(&mut self, payment: PaymentId, at: u64, outcome: &Result<(Record, u32), Reason>) {
        let (kind, facts) = match outcome {
            Ok((record, number)) => {
                let transaction = Some(self.settled(record.clone(), Some(*number), Standing::Confirmed).name());
                (Kind::Settled, Facts { transaction, ..self.facts_of(record) })
            }
            Err(reason) => (Kind::SettleFailed, Facts { message: Some(reason.detail.clone()), ..Facts::default() }),
        };
        self.record(at, kind, Door::Chain, Some(payment), facts);
    }

    /// Ends a pending settlement.
    fn conclude(&mut self, payment: PaymentId, now: u64) -> Option<Result<(Record, u32), Reason>> {
        let Awaited { pending, .. } = self.roots.agenda.pending.remove(&payment)?;
        let Pending { charge, record, ending, .. } = pending;
        if ending == Ending::Fails {
            return Some(Err(Code::TransactionFailed.because("the transaction reverted after it was broadcast")));
        }
        let executed = charge.execute(&self.view(), now / 1000);
        Some(executed.map(|effects| {
            let number = self.write(record.clone(), &effects, payment);
            (record, number)
        }))
    }

    fn facts_of_record(&self, number: u32) -> Facts {
        self.roots.ledger.record(number).map(|record| self.facts_of(record)).unwrap_or_default()
    }

    /// What a transaction says in an event.
    pub(crate) fn facts_of(&self, record: &Record) -> Facts {
        let asset = self.catalog.asset(record.asset());
        Facts {
            network: asset.map(|(network, _)| network.to_owned()),
            amount: asset.map(|(_, asset)| asset.written(record.value())),
            payer: asset.map(|(network, _)| networks::written(network, record.from())),
            ..Facts::default()
        }
    }
}

impl Agenda {
    fn add(&mut self, wait: Wait, now: u64, blocks: usize, task: Task) {
        self.issued += 1;
        match wait {
            Wait::Milliseconds(after) => {
                self.timed.insert((now.saturating_add(after), self.issued), task);
            }
            Wait::Blocks(after) => {
                let after = usize::try_from(after).unwrap_or(usize::MAX);
                self.counted.insert((blocks.saturating_add(after), self.issued), task);
            }
            // Only a pending settlement can be asked for.
            Wait::Asks(_) => {}
        }
    }

    /// Takes the next thing that is due, and the time at which it came due where it waited for one.
    fn next_due(&mut self, now: u64, blocks: usize) -> Option<(Option<u64>, Task)> {
        if let Some((key, _)) = self.counted.get_min().filter(|((at, _), _)| *at <= blocks) {
            let key = *key;
            return self.counted.remove(&key).map(|task| (None, task));
        }
        let key = *self.timed.get_min().filter(|((at, _), _)| *at <= now).map(|(key, _)| key)?;
        self.timed.remove(&key).map(|task| (Some(key.0), task))
    }

    fn keep(&mut self, payment: PaymentId, outcome: Result<(Record, u32), Reason>) {
        if self.concluded.len() >= CONCLUDED
            && let Some(first) = self.concluded.get_min().map(|(payment, _)| *payment)
        {
            self.concluded.remove(&first);
        }
        self.concluded.insert(payment, outcome);
    }

    /// Whether no settlement is pending.
    pub fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }

    /// The transactions that are to be undone, as lines of a snapshot.
    pub(super) fn undos(&self) -> impl Iterator<Item = Line> {
        let timed = self.timed.iter().filter_map(|((time, _), task)| match *task {
            Task::Undo { number: transaction, payment } => {
                Some(Line::UndoAt { time: *time, transaction, payment: Bytes(payment.0) })
            }
            Task::Confirm(_) => None,
        });
        let counted = self.counted.iter().filter_map(|((blocks, _), task)| match *task {
            Task::Undo { number: transaction, payment } => {
                let transactions = u64::try_from(*blocks).unwrap_or(u64::MAX);
                Some(Line::UndoAfter { transactions, transaction, payment: Bytes(payment.0) })
            }
            Task::Confirm(_) => None,
        });
        timed.chain(counted)
    }

    /// Undoes a transaction at a time of the clock.
    pub(super) fn undo_at(&mut self, time: u64, number: u32, payment: PaymentId) {
        self.issued += 1;
        self.timed.insert((time, self.issued), Task::Undo { number, payment });
    }

    /// Undoes a transaction when the ledger holds so many.
    pub(super) fn undo_after(&mut self, transactions: u64, number: u32, payment: PaymentId) {
        self.issued += 1;
        let transactions = usize::try_from(transactions).unwrap_or(usize::MAX);
        self.counted.insert((transactions, self.issued), Task::Undo { number, payment });
    }

    /// Whether somebody may ask again for a settlement that was pending.
    pub(super) fn may_be_asked(&self) -> bool {
        !self.pending.is_empty() || !self.concluded.is_empty()
    }

    /// How many settlements are pending.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }
}
