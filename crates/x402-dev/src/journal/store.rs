//! The directory of purchases.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::entry::{Entry, Errand, FORM};
use super::page::{BODY, ENTRY, HISTORY, Page, create, sync};

/// The journal of a user.
#[derive(Clone, Debug)]
pub struct Journal {
    root: PathBuf,
}

/// The journal, while nobody else opens a purchase in it.
#[derive(Debug)]
pub struct Shelf<'a> {
    journal: &'a Journal,
    /// Held until this is dropped.
    _lock: File,
}

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Something cannot be read or written.
    #[error("cannot use the journal of purchases at {path}")]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that is none of ours.
    #[error("{path} is no entry of the journal")]
    Strange {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A file of another version of this program.
    #[error("{path} has form {form}; this version reads form {FORM}")]
    Form {
        /// The file.
        path: PathBuf,
        /// Its form.
        form: u32,
    },
    /// No purchase of that name is open.
    #[error("no open purchase is called `{id}`")]
    Unknown {
        /// The name.
        id: String,
    },
    /// Another process works on it.
    #[error("another process is working on purchase {id}")]
    Busy {
        /// The purchase.
        id: String,
    },
}

impl Journal {
    /// The journal in a home. Nothing is made before something is written.
    pub fn new(home: &Path) -> Self {
        Self { root: home.join("purchases") }
    }

    /// Waits until nobody else looks back and opens a purchase, which takes no longer than a few writes. The directory is
    /// made for this user only.
    pub fn shelf(&self) -> Result<Shelf<'_>, JournalError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.root).map_err(at(&self.root))?;
        let lock = File::open(&self.root).map_err(at(&self.root))?;
        lock.lock().map_err(at(&self.root))?;
        Ok(Shelf { journal: self, _lock: lock })
    }

    /// Takes up a purchase that is open, with the body of its request.
    pub fn resume(&self, id: &str) -> Result<(Page, Option<Vec<u8>>), JournalError> {
        let unknown = || JournalError::Unknown { id: id.to_owned() };
        let named = id.starts_with("pay_") && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let place = self.root.join(id);
        if !named || !place.join(ENTRY).exists() {
            return Err(unknown());
        }
        let Some(page) = self.take(&place)? else {
            // Whoever closes it has written its end already.
            let ended = read(&place)?.is_none_or(|entry| entry.ending.is_some());
            return Err(if ended { unknown() } else { JournalError::Busy { id: id.to_owned() } });
        };
        if page.entry.ending.is_some() {
            page.finish()?;
            return Err(unknown());
        }
        let path = place.join(BODY);
        let body = page.entry.errand.body.is_some().then(|| fs::read(&path).map_err(at(&path))).transpose()?;
        Ok((page, body))
    }

    /// The purchases that have no end yet, the oldest first, whoever works on them. What a process that was killed in the
    /// middle of closing has left is closed.
    pub fn open_purchases(&self) -> Result<Vec<Entry>, JournalError> {
        let places = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(at(&self.root))?,
        };
        let mut found = Vec::new();
        for place in places.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
            // A place that was made, and nothing was written before its process ended: nothing was sent.
            let Some(entry) = read(&place)? else { continue };
            if entry.ending.is_none() {
                found.push(entry);
            } else if let Some(page) = self.take(&place)? {
                page.finish()?;
            }
        }
        found.sort_by(|left: &Entry, right| (left.began, &left.id).cmp(&(right.began, &right.id)));
        Ok(found)
    }

    /// The oldest of them that is for this very request, paid by one of these accounts. The body is that of the request
    /// before redirects.
    pub fn open_for(
        &self,
        errand: &Errand,
        body: Option<&[u8]>,
        payers: &[String],
    ) -> Result<Option<Entry>, JournalError> {
        let paid_by = |entry: &Entry| payers.iter().any(|payer| entry.is_of(payer));
        for entry in self.open_purchases()?.into_iter().filter(paid_by) {
            let path = self.root.join(&entry.id).join(BODY);
            let own = match fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                other => Some(other.map_err(at(&path))?),
            };
            if entry.errand.is_same(own.as_deref(), errand, body) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// The last purchases that have ended, the newest last.
    pub fn history(&self, most: usize) -> Result<Vec<Entry>, JournalError> {
        let path = self.root.join(HISTORY);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(at(&path))?,
        };
        // A line that was cut off when the machine lost its power is no entry.
        let lines = bytes.rsplit(|byte| *byte == b'\n');
        let mut last: Vec<Entry> = lines.filter_map(|line| serde_json::from_slice(line).ok()).take(most).collect();
        last.reverse();
        Ok(last)
    }

    /// A purchase, open or ended, whoever works on it. Nothing is changed.
    pub fn look(&self, id: &str) -> Result<Option<Entry>, JournalError> {
        if let Some(entry) = read(&self.root.join(id))? {
            return Ok(Some(entry));
        }
        Ok(self.history(usize::MAX)?.into_iter().rfind(|entry| entry.id == id))
    }

    /// A place of its own for this process; `None` where another one works on it, or it is no more.
    fn take(&self, place: &Path) -> Result<Option<Page>, JournalError> {
        let lock = match File::open(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(at(place))?,
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(at(place)(source)),
        }
        // It may have changed, or ended, while we waited for nobody.
        Ok(read(place)?.map(|entry| Page::new(entry, place.to_owned(), self.root.clone(), lock)))
    }
}

impl Shelf<'_> {
    /// Opens a page for a purchase, on the disk when this returns.
    pub fn open(&self, entry: Entry, body: Option<&[u8]>) -> Result<Page, JournalError> {
        let root = &self.journal.root;
        let place = root.join(&entry.id);
        DirBuilder::new().mode(0o700).create(&place).map_err(at(&place))?;
        let lock = File::open(&place).map_err(at(&place))?;
        lock.try_lock().map_err(|_| JournalError::Busy { id: entry.id.clone() })?;
        if let Some(body) = body {
            let path = place.join(BODY);
            let written = create(&path).and_then(|mut file| file.write_all(body).and_then(|()| file.sync_all()));
            written.map_err(at(&path))?;
        }
        let page = Page::new(entry, place, root.clone(), lock);
        page.save()?;
        sync(root)?;
        Ok(page)
    }
}

/// The entry of a place; `None` where there is none, or no more. It is replaced at once, so that no lock is needed.
fn read(place: &Path) -> Result<Option<Entry>, JournalError> {
    let path = place.join(ENTRY);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(at(&path))?,
    };
    let strange = |source| JournalError::Strange { path: path.clone(), source };
    let entry: Entry = serde_json::from_slice(&bytes).map_err(strange)?;
    if entry.form == FORM { Ok(Some(entry)) } else { Err(JournalError::Form { path, form: entry.form }) }
}

/// An error at a path.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> JournalError + '_ {
    move |source| JournalError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
