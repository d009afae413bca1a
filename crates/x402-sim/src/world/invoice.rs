//! Invoices that transactions of others pay.

use alloy_primitives::U256;
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
            return Err(self.altered(text, terms, seconds));
        }
        let memo = self.roots.memos.check(text, terms, seconds)?;
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

    /// What is wrong with a memo that is none of an invoice's: one of ours may stand within it, or in capitals.
    fn altered(&self, text: &str, terms: Terms<'_>, now: u64) -> InvoiceError {
        let lower = text.to_lowercase();
        let places = lower.match_indices("req-").filter_map(|(at, _)| lower.get(at..at + MEMO_LENGTH));
        let own = places.filter(|part| self.roots.memos.check(part, terms, now).is_ok()).find_map(memo_bytes);
        let seen = shorten(text);
        match own {
            Some(memo) => InvoiceError::MemoAltered { seen, memo: memo_text(memo) },
            None => InvoiceError::MemoForeign { seen },
        }
    }
}
