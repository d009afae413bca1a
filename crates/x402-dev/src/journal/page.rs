//! One purchase in the journal.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::entry::Entry;
use super::store::{JournalError, at};

/// The file with everything but the body.
pub(super) const ENTRY: &str = "entry.json";

/// The file with the body of the request.
pub(super) const BODY: &str = "body";

/// The purchases that have ended, a line each.
pub(super) const HISTORY: &str = "history.jsonl";

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

impl Page {
    /// A page in a place that is locked.
    pub(super) const fn new(entry: Entry, place: PathBuf, root: PathBuf, lock: File) -> Self {
        Self { entry, place, root, _lock: lock }
    }

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
        add(&path, &self.entry).map_err(at(&path))?;
        self.clear()
    }

    /// Does what is left of closing, for a page whose end is written and whose process was killed after any step of it.
    pub(super) fn finish(self) -> Result<Entry, JournalError> {
        let path = self.root.join(HISTORY);
        if !holds(&path, &self.entry.id).map_err(at(&path))? {
            add(&path, &self.entry).map_err(at(&path))?;
        }
        self.clear()
    }

    fn clear(self) -> Result<Entry, JournalError> {
        fs::remove_dir_all(&self.place).map_err(at(&self.place))?;
        Ok(self.entry)
    }
}

/// Adds an entry to the history.
fn add(path: &Path, entry: &Entry) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    file.lock()?;
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    // A line that was cut off takes none with it that comes behind.
    let mut line = if last == [b'\n'] { Vec::new() } else { vec![b'\n'] };
    line.extend(serde_json::to_vec(entry).expect("entries have string keys"));
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_all()
}

/// Whether the history holds a purchase, in a whole line.
fn holds(path: &Path, id: &str) -> io::Result<bool> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    let is_it = |line: &[u8]| serde_json::from_slice(line).is_ok_and(|entry: Entry| entry.id == id);
    Ok(bytes.split(|byte| *byte == b'\n').any(is_it))
}

/// A file for this user only.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Puts the names in a directory on the disk.
pub(super) fn sync(directory: &Path) -> Result<(), JournalError> {
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(at(directory))
}
