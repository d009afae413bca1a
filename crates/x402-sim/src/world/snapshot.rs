//! States that are kept under a name and brought back: balances, authorizations, transactions, clock, accounts, all or
//! nothing. Saving and restoring copies a few pointers, however large the ledger is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Roots, World};

/// How many snapshots are kept.
pub const LIMIT: usize = 1_000;

/// How long a name may be, in bytes.
const NAME_LENGTH: usize = 64;

/// The snapshots by their names.
#[derive(Debug, Default)]
pub struct Shelf(BTreeMap<String, Kept>);

#[derive(Debug)]
pub(super) struct Kept {
    pub(super) roots: Roots,
    pub(super) saved_at: u64,
}

/// A snapshot in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// When it was saved, in milliseconds of the world's clock.
    pub saved_at: u64,
    /// How many transactions it holds.
    pub transactions: usize,
}

/// A snapshot cannot be kept or brought back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// No such snapshot.
    #[error("there is no snapshot \"{name}\"; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Not a name.
    #[error("\"{name}\" is no name for a snapshot: 1 to {NAME_LENGTH} letters, digits, `-`, `_` and `.`")]
    BadName {
        /// The text.
        name: String,
    },
    /// Too many.
    #[error("there are {LIMIT} snapshots already")]
    TooMany,
    /// Not to be written down now.
    #[error("settlements are pending in that state, or have ended and nobody has asked how: it cannot be exported")]
    Pending,
}

impl World {
    /// Keeps the state of now, in place of an earlier one of that name.
    ///
    /// # Errors
    ///
    /// A text that is no name, or too many snapshots.
    pub fn save(&mut self, name: &str, now: u64) -> Result<Listed, SnapshotError> {
        self.shelve(name, Kept { roots: self.roots.clone(), saved_at: now })
    }

    /// Puts a state on the shelf.
    pub(super) fn shelve(&mut self, name: &str, kept: Kept) -> Result<Listed, SnapshotError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > NAME_LENGTH || !name.bytes().all(allowed) {
            return Err(SnapshotError::BadName { name: x402_wire::shape::shorten(name) });
        }
        if self.shelf.0.len() >= LIMIT && !self.shelf.0.contains_key(name) {
            return Err(SnapshotError::TooMany);
        }
        let listed = kept.listed(name);
        self.shelf.0.insert(name.to_owned(), kept);
        Ok(listed)
    }

    /// Brings a state back. Snapshots, events and purchases stay; purchases of before are closed.
    ///
    /// # Errors
    ///
    /// An unknown name; nothing changes then.
    pub fn restore(&mut self, name: &str) -> Result<Listed, SnapshotError> {
        let kept = self.kept(name)?;
        let listed = kept.listed(name);
        self.roots = kept.roots.clone();
        self.purchases.turn_page();
        Ok(listed)
    }

    /// Forgets a snapshot.
    ///
    /// # Errors
    ///
    /// An unknown name.
    pub fn drop_snapshot(&mut self, name: &str) -> Result<(), SnapshotError> {
        match self.shelf.0.remove(name) {
            Some(_) => Ok(()),
            None => Err(self.unknown(name)),
        }
    }

    /// Every snapshot, by name.
    pub fn snapshots(&self) -> Vec<Listed> {
        self.shelf.0.iter().map(|(name, kept)| kept.listed(name)).collect()
    }

    /// Goes back to the start: the ledger, the clock, the accounts and the random stream are as they were. Snapshots,
    /// events and purchases stay.
    pub fn reset(&mut self) {
        self.roots = self.start.clone();
        self.purchases.turn_page();
    }

    /// The state of that name.
    pub(super) fn kept(&self, name: &str) -> Result<&Kept, SnapshotError> {
        self.shelf.0.get(name).ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> SnapshotError {
        let known = self.shelf.0.keys().map(String::as_str).collect::<Vec<_>>();
        let known = match known.as_slice() {
            [] => "none".to_owned(),
            few if few.len() <= 10 => few.join(", "),
            many => format!("{} and {} more", many[..10].join(", "), many.len() - 10),
        };
        SnapshotError::Unknown { name: x402_wire::shape::shorten(name), known }
    }
}

impl Kept {
    fn listed(&self, name: &str) -> Listed {
        Listed { name: name.to_owned(), saved_at: self.saved_at, transactions: self.roots.ledger.len() }
    }
}
