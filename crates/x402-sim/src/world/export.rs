//! A snapshot as a file: JSON Lines with a header and a checksum, written line by line, so that its size does not matter.
//! The format is described in docs/world.md.

use std::sync::Arc;

use alloy_primitives::Keccak256;

use super::line::{Atomic, Bytes, FORMAT, Header, Line, NamedAsset, VERSION};
use super::snapshot::SnapshotError;
use super::{Roots, World};
use crate::catalog::Catalog;
use crate::fault;
use crate::fault::table::{Count, Origin};

/// A state that can be written down, however long that takes: it does not change.
#[derive(Debug)]
pub struct Export {
    roots: Roots,
    catalog: Arc<Catalog>,
    saved_at: u64,
}

impl World {
    /// A state to be written down: of a snapshot, or of now.
    ///
    /// # Errors
    ///
    /// An unknown name, or a state with settlements that are pending.
    pub fn export(&self, name: Option<&str>, now: u64) -> Result<Export, SnapshotError> {
        let (roots, saved_at) = match name {
            Some(name) => self.kept(name).map(|kept| (kept.roots.clone(), kept.saved_at))?,
            None => (self.roots.clone(), now),
        };
        if !roots.agenda.is_settled() {
            return Err(SnapshotError::Pending);
        }
        Ok(Export { roots, catalog: Arc::clone(&self.catalog), saved_at })
    }
}

impl Export {
    /// Writes every line to a sink, each with its end.
    ///
    /// # Errors
    ///
    /// What the sink says; nothing more is written then.
    pub fn write<E>(&self, sink: &mut dyn FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        let (mut hash, mut lines) = (Keccak256::new(), 0);
        let mut put = |text: String| {
            let text = text + "\n";
            hash.update(text.as_bytes());
            lines += 1;
            sink(&text)
        };
        put(json(&self.header()))?;
        self.lines(&mut |line| put(json(&line)))?;
        let end = Line::End { lines, checksum: Bytes(hash.finalize().0) };
        sink(&(json(&end) + "\n"))
    }

    fn header(&self) -> Header {
        let assets = self.catalog.assets().map(|(id, network, asset)| NamedAsset {
            asset: id.0,
            network: network.to_owned(),
            address: asset.address.clone(),
        });
        let (format, version) = (FORMAT.to_owned(), VERSION);
        Header { format, version, saved_at: self.saved_at, assets: assets.collect() }
    }

    fn lines<E>(&self, put: &mut dyn FnMut(Line) -> Result<(), E>) -> Result<(), E> {
        // The bytes of raw transactions are not exported: of imported ones, the ledger's record is known.
        let Roots { ledger, memos, clock, agenda, book, faults, random, raws: _ } = &self.roots;
        put(Line::Clock(*clock))?;
        let position = random.get_word_pos().to_string();
        put(Line::Random { seed: Bytes(random.get_seed()), stream: random.get_stream(), position })?;
        put(Line::Invoices { key: Bytes(memos.key), issued: memos.issued })?;
        memos.spent.iter().try_for_each(|memo| put(Line::SpentInvoice(Bytes(*memo))))?;
        book.made().try_for_each(|made| put(Line::Account { name: made.name.clone(), key: Bytes(made.key) }))?;
        ledger.sequences().try_for_each(|(id, account, transactions)| {
            put(Line::Transactions { chain: id, account, count: transactions })
        })?;
        ledger.minted().try_for_each(|(asset, amount)| put(Line::Minted { asset: asset.0, amount: Atomic(amount) }))?;
        ledger.balances().try_for_each(|(asset, account, amount)| {
            put(Line::Balance { asset: asset.0, account, amount: Atomic(amount) })
        })?;
        ledger.blocked().try_for_each(|account| put(Line::Blocked(account)))?;
        ledger.cancelled().try_for_each(|once| put(Line::Cancelled(once)))?;
        ledger.allowances().try_for_each(|(asset, owner, spender, amount)| {
            put(Line::Allowance { asset: asset.0, owner, spender, amount: Atomic(amount) })
        })?;
        ledger
            .permits_taken()
            .try_for_each(|(asset, owner, count)| put(Line::Permits { asset: asset.0, owner, count }))?;
        ledger.records().try_for_each(|record| put(Line::of_record(record)))?;
        ledger.undone().try_for_each(|number| put(Line::Undone(number)))?;
        agenda.undos().try_for_each(&mut *put)?;
        faults.iter().try_for_each(|(_, slot)| {
            let (configured, Count { met, played }) = (slot.origin == Origin::Config, slot.count);
            put(Line::Fault { configured, met, played, fault: fault::read::written(&slot.fault) })
        })
    }
}

fn json(line: &impl serde::Serialize) -> String {
    serde_json::to_string(line).expect("lines have string keys")
}
