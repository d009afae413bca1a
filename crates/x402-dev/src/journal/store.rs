//! The directory of purchases.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::entry::{Entry, Errand, FORM};

/// The file with everything but the body.
const ENTRY: &str = "entry.json";

/// The file with the body of the request.
const BODY: &str = "body";

/// The purchases that have ended, a line each.
const HISTORY: &str = "history.jsonl";

/// The journal of a user.
#[derive(Clone, Debug)]
pub struct Journal {
    root: PathBuf,
}

/// A purchase that this process works on, and nobody else.
#[derive(Debug)]
pub struct Page {
    /// What is written.
    pub entry: Entry,
    place: PathBuf,
    root: PathBuf,
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

    /// The directory, made for this user only.
    pub fn shelf(&self) -> Result<&Path, JournalError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.root).map_err(at(&self.root))?;
        Ok(&self.root)
    }

    /// Opens a page for a purchase, on the disk when this returns.
    pub fn open(&self, entry: Entry, body: Option<&[u8]>) -> Result<Page, JournalError> {
        let place = self.shelf()?.join(&entry.id);
        DirBuilder::new().mode(0o700).create(&place).map_err(at(&place))?;
        let lock = File::open(&place).map_err(at(&place))?;
        lock.try_lock().map_err(|_| JournalError::Busy { id: entry.id.clone() })?;
        if let Some(body) = body {
            let path = place.join(BODY);
            let written = create(&path).and_then(|mut file| file.write_all(body).and_then(|()| file.sync_all()));
            written.map_err(at(&path))?;
        }
        let page = Page { entry, place, root: self.root.clone(), _lock: lock };
        page.save()?;
        sync(&self.root)?;
        Ok(page)
    }

    /// Takes up a purchase that is open, with the body of its request.
    pub fn resume(&self, id: &str) -> Result<(Page, Option<Vec<u8>>), JournalError> {
        let unknown = || JournalError::Unknown { id: id.to_owned() };
        let named = id.starts_with("pay_") && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let place = self.root.join(id);
        if !named || !place.join(ENTRY).exists() {
            return Err(unknown());
        }
        let lock = File::open(&place).map_err(at(&place))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Busy { id: id.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(at(&place)(source)),
        }
        // It may have ended while we waited for nobody.
        let entry = read(&place.join(ENTRY)).map_err(|error| if place.exists() { error } else { unknown() })?;
        let path = place.join(BODY);
        let body = entry.errand.body.is_some().then(|| fs::read(&path).map_err(at(&path))).transpose()?;
        let page = Page { entry, place, root: self.root.clone(), _lock: lock };
        if page.entry.ending.is_some() {
            // Its process ended between the two steps of its closing.
            page.close()?;
            return Err(unknown());
        }
        Ok((page, body))
    }

    /// The purchases that have no end yet and that nobody works on, the oldest first.
    pub fn waiting(&self) -> Result<Vec<Entry>, JournalError> {
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(at(&self.root))?,
        };
        let mut found = Vec::new();
        for place in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
            if let Some(entry) = waiting(&place)? {
                found.push(entry);
            }
        }
        found.sort_by(|left: &Entry, right| (left.began, &left.id).cmp(&(right.began, &right.id)));
        Ok(found)
    }

    /// The oldest of them that is for this very request, paid by this account.
    pub fn waiting_for(
        &self,
        errand: &Errand,
        body: Option<&[u8]>,
        payer: &str,
    ) -> Result<Option<Entry>, JournalError> {
        for entry in self.waiting()?.into_iter().filter(|entry| entry.is_for(errand, payer)) {
            let path = self.root.join(&entry.id).join(BODY);
            let own = entry.errand.body.is_some().then(|| fs::read(&path).map_err(at(&path))).transpose()?;
            if own.as_deref() == body {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// The last purchases that have ended, the newest last.
    pub fn history(&self, most: usize) -> Result<Vec<Entry>, JournalError> {
        let path = self.root.join(HISTORY);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(at(&path))?,
        };
        // A line that was cut off when the machine lost its power is no entry.
        let mut last: Vec<Entry> =
            text.lines().rev().filter_map(|line| serde_json::from_str(line).ok()).take(most).collect();
        last.reverse();
        Ok(last)
    }
}

impl Page {
    /// Writes the entry. It is on the disk when this returns: whoever reads it after a crash sees it, or the one before.
    pub fn save(&self) -> Result<(), JournalError> {
        let (path, draft) = (self.place.join(ENTRY), self.place.join("entry.draft"));
        let text = serde_json::to_vec_pretty(&self.entry).expect("entries have string keys");
        let written = create(&draft).and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()));
        written.and_then(|()| fs::rename(&draft, &path)).map_err(at(&path))?;
        sync(&self.place)
    }

    /// Writes the end of the purchase into the history, and clears its place.
    pub fn close(mut self) -> Result<Entry, JournalError> {
        self.entry = self.entry.without_secrets();
        self.save()?;
        let path = self.root.join(HISTORY);
        let mut line = serde_json::to_vec(&self.entry).expect("entries have string keys");
        line.push(b'\n');
        let history = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        history.and_then(|mut file| file.write_all(&line).and_then(|()| file.sync_all())).map_err(at(&path))?;
        fs::remove_dir_all(&self.place).map_err(at(&self.place))?;
        Ok(self.entry)
    }
}

/// The entry of a place, where it waits for somebody.
fn waiting(place: &Path) -> Result<Option<Entry>, JournalError> {
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let lock = match File::open(place) {
        Err(error) if gone(&error) => return Ok(None),
        other => other.map_err(at(place))?,
    };
    if lock.try_lock_shared().is_err() {
        return Ok(None);
    }
    match read(&place.join(ENTRY)) {
        // A place that was made, and nothing was written before its process ended: nothing was sent.
        Err(JournalError::Io { source, .. }) if gone(&source) => Ok(None),
        Ok(entry) if entry.ending.is_some() => Ok(None),
        other => other.map(Some),
    }
}

fn read(path: &Path) -> Result<Entry, JournalError> {
    let bytes = fs::read(path).map_err(at(path))?;
    let strange = |source| JournalError::Strange { path: path.to_owned(), source };
    let entry: Entry = serde_json::from_slice(&bytes).map_err(strange)?;
    if entry.form == FORM { Ok(entry) } else { Err(JournalError::Form { path: path.to_owned(), form: entry.form }) }
}

/// A file for this user only.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Puts the names in a directory on the disk.
fn sync(directory: &Path) -> Result<(), JournalError> {
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(at(directory))
}

fn at(path: &Path) -> impl Fn(io::Error) -> JournalError + '_ {
    move |source| JournalError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::journal::{Ending, Errand, random_id};

    fn entry() -> Entry {
        Entry {
            form: FORM,
            id: random_id().unwrap(),
            began: 1,
            errand: Errand {
                method: "POST".to_owned(),
                url: "http://a.test/".to_owned(),
                headers: vec![("authorization".to_owned(), "secret".to_owned())],
                body: Some(4),
            },
            authorizations: Vec::new(),
            ending: None,
        }
    }

    #[test]
    fn a_purchase_waits_until_somebody_takes_it_up_and_ends_as_a_line() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::new(home.path());
        assert!(journal.waiting().unwrap().is_empty() && journal.history(9).unwrap().is_empty());
        let page = journal.open(entry(), Some(b"body")).unwrap();
        let id = page.entry.id.clone();
        assert!(journal.waiting().unwrap().is_empty(), "it is being worked on");
        assert!(matches!(journal.resume(&id), Err(JournalError::Busy { .. })));
        drop(page);
        assert_eq!(journal.waiting().unwrap().len(), 1);
        let (mut page, body) = journal.resume(&id).unwrap();
        assert_eq!(body.as_deref(), Some(&b"body"[..]));
        page.entry.ending = Some(Ending::Refused);
        page.close().unwrap();
        assert!(matches!(journal.resume(&id), Err(JournalError::Unknown { .. })));
        let text = fs::read_to_string(home.path().join("purchases").join(HISTORY)).unwrap();
        assert!(text.contains(&id) && !text.contains("secret"), "{text}");
        assert_eq!(journal.history(9).unwrap()[0].ending, Some(Ending::Refused));
    }

    #[test]
    fn an_end_that_was_cut_short_is_finished() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::new(home.path());
        let mut page = journal.open(entry(), Some(b"body")).unwrap();
        page.entry.ending = Some(Ending::Delivered);
        page.save().unwrap();
        let id = page.entry.id.clone();
        drop(page);
        assert!(journal.waiting().unwrap().is_empty());
        assert!(matches!(journal.resume(&id), Err(JournalError::Unknown { .. })));
        assert_eq!(journal.history(9).unwrap()[0].id, id);
        assert_eq!(fs::read_dir(&journal.root).unwrap().count(), 1, "the history alone");
    }

    #[test]
    fn nobody_else_can_read_it() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::new(home.path());
        let page = journal.open(entry(), Some(b"body")).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(&page.root), mode(&page.place)], [0o700; 2]);
        assert_eq!([mode(&page.place.join(ENTRY)), mode(&page.place.join(BODY))], [0o600; 2]);
        let root = page.root.clone();
        page.close().unwrap();
        assert_eq!(mode(&root.join(HISTORY)), 0o600);
    }

    #[test]
    fn what_is_no_entry_is_named() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::new(home.path());
        for bad in ["", "..", "pay_", "pay_../x", "instances", "pay_0"] {
            assert!(matches!(journal.resume(bad), Err(JournalError::Unknown { .. })), "{bad}");
        }
        let place = journal.shelf().unwrap().join("pay_1");
        fs::create_dir(&place).unwrap();
        assert!(journal.waiting().unwrap().is_empty(), "nothing was sent yet");
        fs::write(place.join(ENTRY), "{").unwrap();
        assert!(matches!(journal.waiting(), Err(JournalError::Strange { .. })));
        let other = Entry { form: 99, ..entry() };
        fs::write(place.join(ENTRY), serde_json::to_vec(&other).unwrap()).unwrap();
        assert!(journal.waiting().unwrap_err().to_string().contains("form 99"));
    }
}
