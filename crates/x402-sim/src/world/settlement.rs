//! Charges executed for real, and what may become of them.

use std::sync::Arc;

use alloy_primitives::U256;
use rand_chacha::rand_core::Rng;

use super::World;
use super::agenda::{Pending, Task};
use super::transactions::{self, Hashes};
use crate::accounts::TestAccount;
use crate::catalog::Catalog;
use crate::charge::Charge;
use crate::event::PaymentId;
use crate::ledger::{Effect, Record};
use crate::purchase::moves::{Direction, Move};
use crate::reason::{Code, Reason};

/// What becomes of a settlement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Commitment {
    /// It is written to the ledger, as in production.
    #[default]
    Kept,
    /// Nothing moves, though there is a transaction.
    Nothing,
    /// It is written twice: the same authorization moves its amount two times. No real token does this.
    Twice,
    /// It is written, and undone later.
    Undone(Wait),
    /// Its transaction is broadcast, and not confirmed yet.
    Pending(Ending, Wait),
}

/// How a pending settlement ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is confirmed.
    Succeeds,
    /// Its transaction reverts.
    Fails,
    /// It never ends.
    Never,
}

/// How long something waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// For so many milliseconds of the world's clock.
    Milliseconds(u64),
    /// Until so many transactions more are in the ledger: one block a transaction.
    Blocks(u32),
    /// Until the same settlement was asked for so many times again.
    Asks(u32),
}

/// Whether a settlement counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its transaction is confirmed.
    Confirmed,
    /// Its transaction is broadcast, and not confirmed yet.
    Pending,
}

/// A settlement that was made. Its transaction is built when asked for: signing is costly.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Whether it counts.
    pub standing: Standing,
    /// How much was charged, in atomic units, where the answer says it.
    pub amount: Option<U256>,
    /// Its transaction; `None` where none was needed.
    record: Option<Record>,
    /// Its number in the ledger; `None` where nothing was written.
    number: Option<u32>,
    catalog: Arc<Catalog>,
    facilitator: TestAccount,
    hashes: Arc<Hashes>,
}

impl World {
    /// Executes a charge for real, at a time of the clock: all its effects, or none and the reason.
    ///
    /// # Errors
    ///
    /// The reason that the token's contract gives.
    pub fn settle(&mut self, charge: &Charge, now: u64) -> Result<Settled, Reason> {
        self.settle_as(charge, PaymentId::default(), Commitment::Kept, now)
    }

    /// The same, for a payment that something else than usual becomes of.
    ///
    /// # Errors
    ///
    /// The reason that the token's contract gives.
    pub fn settle_as(
        &mut self,
        charge: &Charge,
        payment: PaymentId,
        commitment: Commitment,
        now: u64,
    ) -> Result<Settled, Reason> {
        let effects = charge.execute(&self.view(), now / 1000)?;
        if !charge.has_transaction() {
            let amount = charge.said_amount();
            return Ok(Settled {
                amount,
                record: None,
                ..self.settled(charge.record(0, now, &[]), None, Standing::Confirmed)
            });
        }
        let sequence = match charge.sender() {
            Some((chain, account)) => self.roots.ledger.reserve(chain, account),
            None => 0,
        };
        let record = charge.record(sequence, now, &effects);
        let number = match commitment {
            Commitment::Nothing => None,
            Commitment::Kept => Some(self.write(record.clone(), &effects, payment)),
            Commitment::Twice => {
                let number = self.write(record.clone(), &effects, payment);
                self.write_again(charge, &record, payment);
                Some(number)
            }
            Commitment::Undone(wait) => {
                let number = self.write(record.clone(), &effects, payment);
                self.schedule(wait, now, Task::Undo { number, payment });
                Some(number)
            }
            Commitment::Pending(ending, wait) => {
                let pending = Pending { charge: charge.clone(), record: record.clone(), ending, payment };
                self.await_confirmation(pending, wait, now);
                return Ok(self.settled(record, None, Standing::Pending));
            }
        };
        Ok(self.settled(record, number, Standing::Confirmed))
    }

    /// A number from 1 to `most`, from the world's random stream; zero where `most` is.
    pub fn draw(&mut self, most: U256) -> U256 {
        let mut bytes = [0; 32];
        self.roots.random.fill_bytes(&mut bytes);
        if most.is_zero() { most } else { U256::from_be_bytes(bytes) % most + U256::ONE }
    }

    /// Writes a transaction and its effects to the ledger. Gives its number.
    pub(crate) fn write(&mut self, record: Record, effects: &[Effect], payment: PaymentId) -> u32 {
        self.note_move(payment, Direction::Paid, &record);
        self.meet_parties(&record);
        self.roots.ledger.apply(effects);
        self.roots.ledger.append(record)
    }

    /// Moves the same amount once more, if the payer still has it.
    fn write_again(&mut self, charge: &Charge, record: &Record, payment: PaymentId) {
        if self.view().balance(record.asset(), record.from()) < record.value() {
            return;
        }
        let sequence = match charge.sender() {
            Some((chain, account)) => self.roots.ledger.reserve(chain, account),
            None => 0,
        };
        let (again, effects) = record.again(sequence);
        self.write(again, &effects, payment);
    }

    /// Notes what moved, for the purchase of the payment.
    pub(super) fn note_move(&mut self, payment: PaymentId, direction: Direction, record: &Record) {
        let value = record.value();
        if !value.is_zero() {
            self.moves.note(payment, Move { direction, asset: record.asset(), value });
        }
    }

    pub(super) fn settled(&self, record: Record, number: Option<u32>, standing: Standing) -> Settled {
        let (catalog, hashes) = (Arc::clone(&self.catalog), Arc::clone(&self.hashes));
        let amount = match &record {
            Record::Other(entry) => entry.said_amount(),
            Record::Authorized { .. } => None,
        };
        Settled { standing, amount, record: Some(record), number, catalog, facilitator: self.facilitator, hashes }
    }

    /// Undoes a transaction: the money goes back, and what it used can be used again. `false` where a payee no longer
    /// holds the amount.
    pub(super) fn undo(&mut self, number: u32, payment: PaymentId) -> bool {
        let Some(left) = self.roots.ledger.without(number) else { return false };
        let Some(record) = self.roots.ledger.record(number).cloned() else { return false };
        self.roots.ledger = left;
        self.note_move(payment, Direction::Returned, &record);
        true
    }
}

/// The reason of a settlement whose transaction is not confirmed yet.
pub fn still_pending() -> Reason {
    Code::SettlementPending
        .because("the transaction is broadcast and not confirmed yet; the same settlement may be asked again")
}

impl Settled {
    /// What its transaction is called: its hash, or its signature; empty where there is none. Signing it is costly.
    pub fn name(&self) -> String {
        let Some(record) = &self.record else { return String::new() };
        let hash = transactions::hash_of(record, &self.catalog, &self.facilitator);
        if let (Some(hash), Some(number)) = (hash, self.number) {
            self.hashes.note(hash, number, record);
        }
        transactions::name_of(record, hash)
    }
}
