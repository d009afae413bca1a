//! What a world keeps for its Solana clusters beside the ledger, and transactions that others sent to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{B256, U256};
use serde_json::Value;

use super::World;
use super::raw::{Paid, unsigned};
use crate::event::{Door, Facts, Kind, PaymentId};
use crate::ledger::{Account, AssetId, Call, Effect, Entry, Record};
use crate::networks::solana::directory::Directory;
use crate::networks::solana::key::Key;
use crate::networks::solana::runtime::site::apart;
use crate::networks::solana::runtime::{Mint, Site};
use crate::networks::solana::transaction::Transaction;
use crate::networks::solana::{NATIVE, blockhash, by_signature, program, tables};
use crate::purchase::moves::Direction;

/// What is kept beside the ledger. It is no state: what is known stays true, and a number that was given is given.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    directory: Directory,
    /// How many blockhashes were made.
    made: u64,
}

/// What an executed transaction did: its effects, and the error if it failed.
type Done = (Vec<Effect>, Option<Value>);

impl World {
    /// Whose token accounts are known by address.
    pub(crate) const fn directory(&self) -> &Directory {
        &self.clusters.directory
    }

    /// Remembers whoever of these can own a token account, so that it is known by address. Tells whether anybody was new.
    pub(crate) fn meet_owners(&mut self, network: &str, keys: impl Iterator<Item = Key>) -> bool {
        let mints = self.mints_of(network);
        // Programs and mints own no tokens, and what is off the curve is most likely a token account itself.
        let owns =
            |key: &Key| key.is_on_curve() && program::find(*key).is_none() && mints.iter().all(|mint| mint.key != *key);
        let mut met = false;
        for key in keys {
            if !self.clusters.directory.knows(network, key, mints.len()) && owns(&key) {
                self.clusters.directory.learn(network, key, mints.iter().copied());
                met = true;
            }
        }
        met
    }

    /// Remembers somebody who is said to own tokens: a program's address may too.
    pub(crate) fn meet_owner(&mut self, network: &str, owner: Key) -> bool {
        let mints = self.mints_of(network);
        let met = !self.clusters.directory.knows(network, owner, mints.len());
        if met {
            self.clusters.directory.learn(network, owner, mints.into_iter());
        }
        met
    }

    /// Remembers payer and payee of a payment that our facilitator settled.
    pub(super) fn meet_parties(&mut self, record: &Record) {
        if let Record::Other(entry) = record
            && let Call::Svm { network, settled: true, .. } = &entry.call
        {
            for owner in [entry.from, entry.to] {
                self.meet_owner(network, Key::from(owner));
            }
        }
    }

    fn mints_of(&self, network: &str) -> Vec<Mint> {
        let (catalog, view, directory) = (&*self.catalog, &self.view(), &Directory::new());
        Site { catalog, view, network, now: 0, directory }.mints().collect()
    }

    /// A blockhash of now that nobody had before.
    pub fn next_blockhash(&mut self, network: &str, now: u64) -> [u8; 32] {
        self.clusters.made += 1;
        blockhash::make(network, blockhash::slot(now), self.clusters.made)
    }

    /// The same in base58, and the last block height that it is good for.
    pub fn recent_blockhash(&mut self, network: &str, now: u64) -> (String, u64) {
        let made = bs58::encode(self.next_blockhash(network, now)).into_string();
        (made, blockhash::slot(now) + blockhash::LIFETIME)
    }

    /// By what the payment of a transaction is known, whose signature this is.
    pub fn payment_of_signature(&self, signature: &[u8; 64]) -> Option<PaymentId> {
        let record = self.ledger().record(self.ledger().user_of(&by_signature(signature))?)?;
        let Record::Other(entry) = record else { return None };
        let Call::Svm { wire, .. } = &entry.call else { return None };
        Some(PaymentId::of_transaction(Transaction::decode(wire).ok()?.identity().into()))
    }

    /// Writes a transaction that somebody sent, and that was executed on the state of now, and tells what it was: each
    /// move of tokens is a payment. What it moved of lamports is none.
    pub(crate) fn include_on_solana(&mut self, network: &str, transaction: &Transaction, done: Done, now: u64) {
        let (mut effects, error) = done;
        let identity = B256::from(transaction.identity());
        effects.push(Effect::Use(crate::ledger::Once::Message(identity)));
        effects.push(Effect::Use(by_signature(&transaction.id())));
        let failed = error.is_some();
        let payer = transaction.message.fee_payer().unwrap_or_default();
        let moved = moved(network, transaction, &effects);
        let payments = self.payments(network, identity, &moved);
        let nothing = Paid {
            id: None,
            asset: self.native(network).unwrap_or(AssetId(0)),
            from: payer.into(),
            to: payer.into(),
            value: U256::ZERO,
        };
        let main = payments.first().map(|(_, paid)| paid).or(moved.first()).unwrap_or(&nothing);
        let Paid { asset, from, to, value, .. } = *main;
        let call = Call::Svm { network: network.to_owned(), wire: transaction.encode(), settled: false, error };
        let entry = Entry { asset, from, to, value, sequence: 0, at: now, call, effects: effects.clone() };
        let record = Record::Other(Arc::new(entry));
        let facts = self.facts_of(&record);
        self.write(record, &effects, payments.first().map(|(id, _)| *id).unwrap_or_default());
        let transaction = Some(bs58::encode(transaction.id()).into_string());
        if payments.is_empty() {
            let kind = if failed { Kind::SettleFailed } else { Kind::Changed };
            let facts = Facts { payer: Some(payer.to_string()), transaction, ..facts };
            self.record(now, kind, Door::Rpc, Some(PaymentId::of_transaction(identity)), facts);
            return;
        }
        for (place, (id, paid)) in payments.into_iter().enumerate() {
            // The first one was noted when it was written.
            if place > 0 {
                self.note_paid(id, &paid, Direction::Paid);
            }
            let facts = Facts { transaction: transaction.clone(), ..self.facts_of_payment(&paid) };
            self.record(now, Kind::Settled, Door::Rpc, Some(id), facts);
        }
    }

    /// The payments of a transaction that somebody sent to a cluster; `None` where the record is of another kind.
    pub(super) fn paid_on_solana(&self, number: u32) -> Option<Vec<(PaymentId, Paid)>> {
        let Record::Other(entry) = self.ledger().record(number)? else { return None };
        let Call::Svm { network, wire, settled: false, .. } = &entry.call else { return None };
        let transaction = Transaction::decode(wire).ok()?;
        let moved = moved(network, &transaction, &entry.effects);
        Some(self.payments(network, transaction.identity().into(), &moved))
    }

    /// Each move of tokens is a payment of its own.
    fn payments(&self, network: &str, identity: B256, moved: &[Paid]) -> Vec<(PaymentId, Paid)> {
        let native = self.native(network);
        let tokens = moved.iter().filter(|paid| Some(paid.asset) != native).cloned();
        tokens.enumerate().map(|(place, paid)| (unsigned(identity, place), paid)).collect()
    }

    pub(super) fn native(&self, network: &str) -> Option<AssetId> {
        self.catalog().mint(network, &NATIVE.0).map(|mint| mint.id)
    }
}

/// What a transaction moved, in sequence: also lamports, and nothing that only became its owner's.
pub(super) fn moved(network: &str, transaction: &Transaction, effects: &[Effect]) -> Vec<Paid> {
    let metas = transaction.message.metas(|table| tables::find(network, table).unwrap_or_default()).unwrap_or_default();
    let strangers: BTreeMap<Account, Key> = metas.iter().flatten().map(|meta| (apart(meta.key), meta.key)).collect();
    let moves = effects.iter().filter_map(|effect| match *effect {
        Effect::Move { asset, from, to, value } if !strangers.contains_key(&from) => {
            // Whose owner nobody knows is called by its own address.
            let to = strangers.get(&to).map_or(to, |key| Account::from(*key));
            Some(Paid { id: None, asset, from, to, value })
        }
        _ => None,
    });
    moves.collect()
}
