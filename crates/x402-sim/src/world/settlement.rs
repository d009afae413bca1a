//! Charges executed for real, and what may become of them.

use std::sync::Arc;

use alloy_primitives::B256;

use super::World;
use super::agenda::{Pending, Task};
use crate::accounts::TestAccount;
use crate::catalog::Catalog;
use crate::event::PaymentId;
use crate::ledger::{Account, Effect, Record};
use crate::networks::eip155::eip3009::Charge;
use crate::networks::eip155::signature::Ecdsa;
use crate::networks::eip155::transaction::{Signed, Transaction, transfer_calldata};
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
    pub(super) record: Record,
    pub(super) catalog: Arc<Catalog>,
    pub(super) facilitator: TestAccount,
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
        let chain_id = charge.token().chain_id;
        let sequence = self.roots.ledger.reserve(chain_id);
        let Charge { asset, authorization, signature, .. } = *charge;
        let record = Record { authorization, signature, asset, sequence, at: now };
        match commitment {
            Commitment::Nothing => {}
            Commitment::Kept => drop(self.write(record, &effects, payment)),
            Commitment::Twice => {
                self.write(record, &effects, payment);
                self.write_again(record, chain_id, payment);
            }
            Commitment::Undone(wait) => {
                let number = self.write(record, &effects, payment);
                self.schedule(wait, now, Task::Undo { number, payment });
            }
            Commitment::Pending(ending, wait) => {
                let pending = Pending { charge: charge.clone(), record, ending, payment };
                self.await_confirmation(pending, wait, now);
                return Ok(self.settled(record, Standing::Pending));
            }
        }
        Ok(self.settled(record, Standing::Confirmed))
    }

    /// Writes a transaction and its effects to the ledger. Gives its number.
    pub(super) fn write(&mut self, record: Record, effects: &[Effect], payment: PaymentId) -> u32 {
        self.note_move(payment, Direction::Paid, &record);
        self.roots.ledger.apply(effects);
        self.roots.ledger.append(record)
    }

    /// Moves the same amount once more, if the payer still has it.
    fn write_again(&mut self, record: Record, chain_id: u64, payment: PaymentId) {
        let (from, to): (Account, Account) = (record.authorization.from.into(), record.authorization.to.into());
        let value = record.authorization.value;
        if self.view().balance(record.asset, from) < value {
            return;
        }
        let sequence = self.roots.ledger.reserve(chain_id);
        self.write(Record { sequence, ..record }, &[Effect::Move { asset: record.asset, from, to, value }], payment);
    }

    /// Notes what moved, for the purchase of the payment.
    pub(super) fn note_move(&mut self, payment: PaymentId, direction: Direction, record: &Record) {
        self.moves.note(payment, Move { direction, asset: record.asset, value: record.authorization.value });
    }

    pub(super) fn settled(&self, record: Record, standing: Standing) -> Settled {
        Settled { standing, record, catalog: Arc::clone(&self.catalog), facilitator: self.facilitator }
    }

    /// Undoes a transaction: the money goes back, and the authorization can be used again. `false` where the payee no
    /// longer holds the amount.
    pub(super) fn undo(&mut self, number: u32, payment: PaymentId) -> bool {
        let Some(record) = self.roots.ledger.record(number).copied() else { return false };
        let (from, to): (Account, Account) = (record.authorization.from.into(), record.authorization.to.into());
        let (asset, value) = (record.asset, record.authorization.value);
        if self.roots.ledger.is_undone(number) || self.view().balance(asset, to) < value {
            return false;
        }
        self.roots.ledger.apply(&[Effect::Move { asset, from: to, to: from, value }, Effect::Undo(number)]);
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
    /// The facilitator's transaction, rebuilt from the record.
    ///
    /// # Panics
    ///
    /// Never: the record names a token of the catalog.
    pub fn transaction(&self) -> Signed {
        let token = self.catalog.token_by_id(self.record.asset).expect("the record was made with this catalog");
        let Ecdsa { compact, v } = self.record.signature;
        let transaction = Transaction {
            chain_id: token.chain_id,
            nonce: u64::from(self.record.sequence),
            to: token.contract,
            input: transfer_calldata(&self.record.authorization, &Ecdsa { compact, v }),
        };
        transaction.sign(&self.facilitator.key_bytes())
    }

    /// The transaction's hash.
    pub fn hash(&self) -> B256 {
        self.transaction().hash
    }
}
