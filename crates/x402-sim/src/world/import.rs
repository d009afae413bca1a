//! A snapshot read from a file, line by line: what is damaged, cut off, of another version or about something else is
//! refused, and nothing changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{Keccak256, U256};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use x402_wire::shape::shorten;

use super::agenda::Agenda;
use super::line::{Atomic, Bytes, FORMAT, Header, Line, NamedAsset, VERSION};
use super::snapshot::{Kept, Listed, SnapshotError};
use super::{Roots, World};
use crate::accounts::book::Book;
use crate::catalog::{Catalog, INVOICE_ASSET};
use crate::event::PaymentId;
use crate::fault::table::{Count, Origin};
use crate::fault::{self, Fault};
use crate::ledger::{AssetId, Effect, Ledger, Record};
use crate::memo::Memos;
use crate::networks::eip155::secp;

/// Reads a state, line by line.
#[derive(Debug)]
pub struct Import {
    catalog: Arc<Catalog>,
    roots: Roots,
    /// What the file's numbers of assets mean here; `None` where it is not enabled, with what it is.
    assets: BTreeMap<u16, Result<AssetId, String>>,
    faults: Vec<(Fault, Origin, Count)>,
    hash: Keccak256,
    saved_at: u64,
    lines: u64,
    ended: bool,
}

/// A file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Something else than a snapshot.
    #[error("this is no exported snapshot: its first line is not the header")]
    NoSnapshot,
    /// Of another version.
    #[error("this snapshot has version {version} of the format, and this program reads version {VERSION}")]
    Version {
        /// Its version.
        version: u32,
    },
    /// A line that cannot be right.
    #[error("line {line} is damaged: {what}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// The end is missing.
    #[error("the snapshot breaks off after {lines} lines: its last line, the checksum, is missing")]
    Truncated {
        /// How many there are.
        lines: u64,
    },
    /// Something was changed.
    #[error("the snapshot is damaged: its checksum does not fit its {lines} lines")]
    Checksum {
        /// How many there are.
        lines: u64,
    },
    /// It is as it was written, and cannot be a state.
    #[error("the snapshot cannot be a state of a world: {what}")]
    Unsound {
        /// Why.
        what: String,
    },
    /// An asset that is not enabled here.
    #[error("line {line} is about {asset}, which is not enabled here")]
    Asset {
        /// Counted from 1.
        line: u64,
        /// Its network and address.
        asset: String,
    },
    /// It cannot be kept under that name.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl World {
    /// A reader of a state for this world.
    pub fn import(&self) -> Import {
        let mut roots = self.start.clone();
        roots.ledger = Ledger::default();
        roots.agenda = Agenda::default();
        roots.book = Book::default();
        Import {
            catalog: Arc::clone(&self.catalog),
            roots,
            assets: BTreeMap::from([(INVOICE_ASSET.0, Ok(INVOICE_ASSET))]),
            faults: Vec::new(),
            hash: Keccak256::new(),
            saved_at: 0,
            lines: 0,
            ended: false,
        }
    }

    /// Keeps a state that was read to its end, in place of an earlier one of that name.
    ///
    /// # Errors
    ///
    /// What is wrong with the file as a whole, or with the name; nothing changes then.
    pub fn keep(&mut self, name: &str, import: Import) -> Result<Listed, ImportError> {
        let Import { mut roots, faults, saved_at, lines, ended, .. } = import;
        if !ended {
            return Err(ImportError::Truncated { lines });
        }
        roots.faults = fault::Table::default();
        // Names in faults mean accounts of that state.
        let now = std::mem::replace(&mut self.roots, roots);
        let added = faults.into_iter().try_for_each(|(fault, origin, count)| {
            let ids = self.add_faults(vec![fault], origin)?;
            for id in ids {
                self.roots.faults.recount(id, count);
            }
            Ok::<_, fault::model::FaultError>(())
        });
        let roots = std::mem::replace(&mut self.roots, now);
        added.map_err(|error| ImportError::Unsound { what: error.to_string() })?;
        Ok(self.shelve(name, Kept { roots, saved_at })?)
    }
}

impl Import {
    /// Reads the next line, without its end.
    ///
    /// # Errors
    ///
    /// What is wrong with it. The reader is of no use then.
    pub fn line(&mut self, text: &str) -> Result<(), ImportError> {
        self.lines += 1;
        if self.lines == 1 {
            self.header(text)?;
        } else {
            if self.ended {
                return Err(self.damaged("something stands behind the checksum"));
            }
            let line = serde_json::from_str(text).map_err(|error| self.damaged(&error.to_string()))?;
            if let Line::End { lines, checksum } = line {
                return self.end(lines, checksum);
            }
            self.take(line)?;
        }
        self.hash.update(text.as_bytes());
        self.hash.update(b"\n");
        Ok(())
    }

    fn header(&mut self, text: &str) -> Result<(), ImportError> {
        let header: serde_json::Value = serde_json::from_str(text).map_err(|_| ImportError::NoSnapshot)?;
        if header.get("format").and_then(serde_json::Value::as_str) != Some(FORMAT) {
            return Err(ImportError::NoSnapshot);
        }
        let version = header.get("version").and_then(serde_json::Value::as_u64);
        let version = version.and_then(|version| u32::try_from(version).ok()).ok_or(ImportError::NoSnapshot)?;
        if version != VERSION {
            return Err(ImportError::Version { version });
        }
        let header: Header = serde_json::from_value(header).map_err(|error| self.damaged(&error.to_string()))?;
        self.saved_at = header.saved_at;
        for NamedAsset { asset, network, address } in header.assets {
            let known = self.catalog.number(&network, &address);
            let known = known.ok_or_else(|| format!("{} on {}", shorten(&address), shorten(&network)));
            if asset != INVOICE_ASSET.0 {
                self.assets.insert(asset, known);
            }
        }
        Ok(())
    }

    fn take(&mut self, line: Line) -> Result<(), ImportError> {
        let ledger = &mut self.roots.ledger;
        match line {
            Line::Clock(clock) if clock.is_possible() => self.roots.clock = clock,
            Line::Clock(_) => return Err(self.damaged("the clock stands beyond the year 9999")),
            Line::Random { seed, stream, position } => {
                let position = position.parse().map_err(|_| self.damaged("the position is no number"))?;
                let mut random = ChaCha12Rng::from_seed(seed.0);
                random.set_stream(stream);
                random.set_word_pos(position);
                self.roots.random = random;
            }
            Line::Invoices { key, issued } => {
                self.roots.memos = Memos::new(key.0);
                self.roots.memos.issued = issued;
            }
            Line::SpentInvoice(memo) => drop(self.roots.memos.spent.insert(memo.0)),
            Line::Account { name, key } => {
                let address = secp::address_of(&key.0).ok_or_else(|| self.damaged("the key is none"))?;
                let added = self.roots.book.add(name, key.0, address);
                added.map_err(|error| self.damaged(&error.to_string()))?;
            }
            Line::Transactions { chain, account, count } => ledger.load_sequence(chain, account, count),
            Line::Minted { asset, amount } => {
                let asset = self.asset(asset)?;
                self.roots.ledger.load_minted(asset, amount.0);
            }
            Line::Balance { asset, account, amount } => {
                let asset = self.asset(asset)?;
                if amount.0 > U256::MAX >> 1 {
                    return Err(self.damaged("no balance is so large"));
                }
                self.roots.ledger.load_balance(asset, account, amount.0);
            }
            Line::Blocked(account) => ledger.apply(&[Effect::Block(account)]),
            Line::Cancelled(once) => self.apply(Effect::Cancel(once))?,
            Line::Allowance { asset, owner, spender, amount: Atomic(after) } => {
                let asset = AssetId(asset);
                self.apply(Effect::Approve { asset, owner, spender, before: U256::ZERO, after })?;
            }
            Line::Permits { asset, owner, count: after } => {
                self.apply(Effect::Permits { asset: AssetId(asset), owner, before: 0, after })?;
            }
            Line::Transaction(transaction) => {
                let asset = self.asset(transaction.asset())?;
                if self.catalog.token_by_id(asset).is_none() {
                    return Err(self.damaged("that asset has no `transferWithAuthorization`"));
                }
                self.roots.ledger.append(transaction.record(asset));
            }
            Line::Call(entry) => {
                let entry = entry.renumbered(|asset| self.asset(asset.0))?;
                self.roots.ledger.append(Record::Other(Arc::new(entry)));
            }
            Line::Undone(number) => ledger.apply(&[Effect::Undo(number)]),
            Line::UndoAt { time, transaction, payment } => {
                self.roots.agenda.undo_at(time, transaction, PaymentId(payment.0));
            }
            Line::UndoAfter { transactions, transaction, payment } => {
                self.roots.agenda.undo_after(transactions, transaction, PaymentId(payment.0));
            }
            Line::Fault { configured, met, played, fault } => {
                let origin = if configured { Origin::Config } else { Origin::Live };
                let faults = fault::read::read(&fault).map_err(|error| self.damaged(&error.to_string()))?;
                self.faults.extend(faults.into_iter().map(|fault| (fault, origin, Count { met, played })));
            }
            Line::End { .. } => {}
        }
        Ok(())
    }

    fn end(&mut self, lines: u64, checksum: Bytes<32>) -> Result<(), ImportError> {
        let read = self.lines - 1;
        if lines != read || self.hash.clone().finalize().0 != checksum.0 {
            return Err(ImportError::Checksum { lines: read });
        }
        if !self.roots.ledger.is_sound() {
            let what = "its balances are not what was minted, or what was undone never happened".to_owned();
            return Err(ImportError::Unsound { what });
        }
        self.ended = true;
        Ok(())
    }

    /// Applies an effect that is written with the file's numbers of assets.
    fn apply(&mut self, mut effect: Effect) -> Result<(), ImportError> {
        if let Some(asset) = effect.asset_mut() {
            *asset = self.asset(asset.0)?;
        }
        self.roots.ledger.apply(&[effect]);
        Ok(())
    }

    fn asset(&self, number: u16) -> Result<AssetId, ImportError> {
        match self.assets.get(&number) {
            Some(Ok(asset)) => Ok(*asset),
            Some(Err(asset)) => Err(ImportError::Asset { line: self.lines, asset: asset.clone() }),
            None => Err(self.damaged(&format!("the header names no asset {number}"))),
        }
    }

    fn damaged(&self, what: &str) -> ImportError {
        ImportError::Line { line: self.lines, what: what.to_owned() }
    }
}
