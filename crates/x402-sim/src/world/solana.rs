//! What a world keeps for its Solana clusters beside the ledger, and transactions that others sent to them.

use std::sync::Arc;

use alloy_primitives::{B256, U256};
use serde_json::Value;

use super::World;
use crate::accounts;
use crate::catalog::INVOICE_ASSET;
use crate::event::{Door, Facts, Kind, PaymentId};
use crate::ledger::{Account, AssetId, Call, Effect, Entry, Record};
use crate::memo::{self, InvoiceError, Terms};
use crate::networks::solana::directory::Directory;
use crate::networks::solana::key::Key;
use crate::networks::solana::runtime::Site;
use crate::networks::solana::transaction::Transaction;
use crate::networks::solana::{DEVNET, blockhash, by_signature};

/// What is kept beside the ledger. It is no state: what is known stays true, and a number that was given is given.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    directory: Directory,
    /// How many blockhashes were made.
    made: u64,
}

/// What an executed transaction did: its effects; asset, payer, payee and amount of each move; the error, if it failed.
type Done = (Vec<Effect>, Vec<(AssetId, Key, Key, u64)>, Option<Value>);

impl World {
    /// Whose token accounts are known by address.
    pub(crate) const fn directory(&self) -> &Directory {
        &self.clusters.directory
    }

    /// Remembers owners, so that their token accounts are known by address.
    pub(crate) fn meet_owners(&mut self, network: &str, owners: impl Iterator<Item = Key>) {
        let chain = self.chain();
        for owner in owners {
            let nobody = Directory::new();
            let (catalog, view) = (&chain.catalog, &chain.view);
            let site = Site { catalog, view, network, now: 0, directory: &nobody };
            if site.mint(owner).is_none() {
                self.clusters.directory.learn(network, owner, site.mints());
            }
        }
    }

    /// A blockhash of now that nobody had before.
    pub fn next_blockhash(&mut self, network: &str, now: u64) -> [u8; 32] {
        self.clusters.made += 1;
        blockhash::make(network, blockhash::slot(now), self.clusters.made)
    }

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
        let Call::Svm { network, wire, error: None, .. } = &entry.call else { return Err(InvoiceError::NoTransaction) };
        let decoded = Transaction::decode(wire).ok().filter(|_| network == DEVNET);
        let transaction = decoded.ok_or(InvoiceError::NoTransaction)?;
        let is_paid = |effect: &Effect| {
            matches!(effect, Effect::Move { asset, to, value, .. }
                if *asset == INVOICE_ASSET && *to == memo::account(accounts::MERCHANT) && *value == terms.amount)
        };
        if !entry.effects.iter().any(is_paid) {
            return Err(InvoiceError::OtherTransaction("it does not move the amount to the recipient"));
        }
        let (payer, id) = (Key::from(entry.from).to_string(), PaymentId::of_transaction(transaction.identity().into()));
        let texts = transaction.message.memos();
        let [text] = texts.as_slice() else {
            return Err(InvoiceError::OtherTransaction("it does not carry exactly one memo"));
        };
        let seconds = now / 1000;
        let memo = self.roots.memos.check(text, terms, seconds)?;
        self.roots.memos.spend(memo, seconds);
        Ok((payer, id))
    }

    /// Writes a transaction that somebody sent, and that was executed on the state of now, and tells what it was.
    pub(crate) fn include_on_solana(&mut self, network: &str, transaction: &Transaction, done: Done, now: u64) {
        let (mut effects, moves, error) = done;
        let identity = B256::from(transaction.identity());
        effects.push(Effect::Use(crate::ledger::Once::Message(identity)));
        effects.push(Effect::Use(by_signature(&transaction.id())));
        let (id, failed) = (PaymentId::of_transaction(identity), error.is_some());
        let payer = transaction.message.fee_payer().unwrap_or_default();
        let native = self.catalog().mint(network, &crate::networks::solana::NATIVE.0).map(|mint| mint.id);
        let first = moves.first().copied().filter(|_| !failed);
        let (asset, from, to, value) = first.unwrap_or((native.unwrap_or(AssetId(0)), payer, payer, 0));
        let call = Call::Svm { network: network.to_owned(), wire: transaction.encode(), settled: false, error };
        let entry = Entry {
            asset,
            from: Account::from(from),
            to: Account::from(to),
            value: U256::from(value),
            sequence: 0,
            at: now,
            call,
            effects: effects.clone(),
        };
        let record = Record::Other(Arc::new(entry));
        let mut facts = self.facts_of(&record);
        facts.transaction = Some(bs58::encode(transaction.id()).into_string());
        self.write(record, &effects, id);
        let is_payment = first.is_some_and(|(asset, ..)| Some(asset) != native);
        let kind = match (failed, is_payment) {
            (true, _) => Kind::SettleFailed,
            (false, true) => Kind::Settled,
            (false, false) => Kind::Changed,
        };
        let facts = if failed || is_payment { facts } else { Facts { payer: Some(payer.to_string()), ..facts } };
        self.record(now, kind, Door::Rpc, Some(id), facts);
    }
}
