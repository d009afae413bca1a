//! Invoices that transactions of others pay.

use std::collections::BTreeSet;

use alloy_primitives::U256;
use x402_wire::amount::Decimal;
use x402_wire::invoice::{memo_bytes, memo_text};
use x402_wire::shape::shorten;

use super::World;
use super::raw::Paid;
use super::solana::moved;
use crate::accounts;
use crate::catalog::INVOICE_ASSET;
use crate::event::PaymentId;
use crate::ledger::{Call, Entry, Record};
use crate::memo::{self, InvoiceError, Terms};
use crate::networks::solana::transaction::Transaction;
use crate::networks::solana::{DEVNET, by_signature};
use crate::networks::written;

/// The length of `req-<uuid>` in bytes.
const MEMO_LENGTH: usize = 40;

/// So many of the newest events are looked through for what a memo was issued for: everybody else waits meanwhile.
const MOST_EVENTS: usize = 200;

impl World {
    /// Takes a transaction on Solana devnet, by its signature, for the payment of an invoice: it carries the invoice's
    /// memo, and moved the amount to the merchant. Gives who paid, and by what the payment is known.
    ///
    /// # Errors
    ///
    /// No such transaction, or one of something else; a memo that is not good.
    pub fn redeem_by_transaction(
        &mut self,
        signature: &[u8; 64],
        terms: Terms<'_>,
        now: u64,
    ) -> Result<(String, PaymentId), InvoiceError> {
        let ledger = self.ledger();
        let record = ledger.user_of(&by_signature(signature)).and_then(|number| ledger.record(number));
        let Some(Record::Other(entry)) = record else { return Err(InvoiceError::NoTransaction) };
        let Call::Svm { network, wire, settled, error } = &entry.call else {
            return Err(InvoiceError::NoTransaction);
        };
        if network != DEVNET {
            return Err(InvoiceError::OtherCluster { network: network.clone() });
        }
        if error.is_some() {
            return Err(InvoiceError::Failed);
        }
        let transaction = Transaction::decode(wire).map_err(|_| InvoiceError::NoTransaction)?;
        if *settled {
            return Err(InvoiceError::Settled);
        }
        let payer = self.payer_of_invoice(entry, &transaction, terms.amount)?;
        let id = PaymentId::of_transaction(transaction.identity().into());
        let texts = transaction.message.memos();
        let [text] = texts.as_slice() else { return Err(InvoiceError::MemoCount { count: texts.len() }) };
        let seconds = now / 1000;
        if memo_bytes(text).is_none() {
            return Err(self.altered(text, terms));
        }
        let memo = self.roots.memos.check(text, terms, seconds).map_err(|error| self.traced(error, text, terms))?;
        self.roots.memos.spend(memo, seconds);
        Ok((payer, id))
    }

    /// Who paid the amount to the merchant. Of what was moved instead, what comes nearest to it is told.
    fn payer_of_invoice(&self, entry: &Entry, transaction: &Transaction, amount: U256) -> Result<String, InvoiceError> {
        let (merchant, recipient) = (memo::account(accounts::MERCHANT), accounts::merchant().solana_address);
        let moves = moved(DEVNET, transaction, &entry.effects);
        let first = |is: &dyn Fn(&&Paid) -> bool| moves.iter().find(is);
        let is_currency = |paid: &Paid| paid.asset == INVOICE_ASSET;
        if let Some(paid) = first(&|paid| is_currency(paid) && paid.to == merchant && paid.value == amount) {
            return Ok(written(DEVNET, paid.from));
        }
        let told = |paid: &Paid| self.catalog().asset(paid.asset).map(|(_, asset)| asset.written(paid.value));
        let told = |paid: &Paid| told(paid).unwrap_or_else(|| paid.value.to_string());
        let asked = told(&Paid { id: None, asset: INVOICE_ASSET, from: merchant, to: merchant, value: amount });
        if let Some(paid) = first(&|paid| is_currency(paid) && paid.to == merchant) {
            return Err(InvoiceError::OtherAmount { moved: told(paid), asked });
        }
        if let Some(paid) = first(&|paid| paid.to == merchant) {
            return Err(InvoiceError::OtherCurrency { moved: told(paid), asked });
        }
        if let Some(paid) = first(&|paid| is_currency(paid)) {
            return Err(InvoiceError::OtherRecipient { moved: told(paid), to: written(DEVNET, paid.to), recipient });
        }
        Err(InvoiceError::NothingMoved { recipient })
    }

    /// What a memo was issued for, where it is not what is asked for now: what was asked for lately is tried, of which the
    /// events tell.
    pub(super) fn traced(&self, error: InvoiceError, text: &str, terms: Terms<'_>) -> InvoiceError {
        let Some(memo) = memo_bytes(text).filter(|_| error == InvoiceError::NotIssued) else { return error };
        let mut tried = BTreeSet::new();
        for event in self.events.iter().rev().take(MOST_EVENTS) {
            let (Some(method), Some(path)) = (&event.facts.method, &event.facts.path) else { continue };
            let said = event.facts.amount.as_deref().and_then(|own| Decimal::parse(own.split(' ').next()?).ok());
            for amount in said.and_then(|own| own.to_atomic(memo::DECIMALS).ok()).into_iter().chain([terms.amount]) {
                let other = Terms { method, path, amount };
                if tried.insert((method, path, amount)) && self.roots.memos.has_issued(memo, other) {
                    return InvoiceError::IssuedFor { resource: named(other), own: named(terms) };
                }
            }
        }
        error
    }

    /// What is wrong with a memo that is none of an invoice's: one of ours may stand within it, or in capitals, whether it is
    /// still good or not.
    fn altered(&self, text: &str, terms: Terms<'_>) -> InvoiceError {
        let lower = text.to_lowercase();
        let places = lower.match_indices("req-").filter_map(|(at, _)| lower.get(at..at + MEMO_LENGTH));
        let own = places.filter_map(memo_bytes).find(|memo| self.roots.memos.has_issued(*memo, terms));
        let seen = shorten(text);
        match own {
            Some(memo) => InvoiceError::MemoAltered { seen, memo: memo_text(memo) },
            None => InvoiceError::MemoForeign { seen },
        }
    }
}

/// Terms for people.
fn named(terms: Terms<'_>) -> String {
    format!("{} {} at {} USDC", terms.method, terms.path, Decimal::from_atomic(terms.amount, memo::DECIMALS))
}
