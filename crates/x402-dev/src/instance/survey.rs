//! Is an instance running? The lock answers; everything else is compared with it, and repaired or removed.

use std::io;
use std::path::Path;

use super::home::{Place, remove, write_atomically};
use super::lock::{Holder, Lock};
use super::os::{Here, Identity, System};
use super::record::Record;

/// The largest PID file that is read, in bytes.
const PID_LIMIT: u64 = 64;

/// How an instance stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A process holds the lock.
    Running(Box<Running>),
    /// A process holds the lock that cannot be seen from here, such as one in another container.
    Elsewhere,
    /// Nobody holds the lock.
    Stopped(Box<Stopped>),
}

/// A running instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The process.
    pub identity: Identity,
    /// What it says about itself; `None` until it listens.
    pub record: Option<Record>,
    /// What was wrong with the PID file and has been mended.
    pub repaired: Option<PidFile>,
}

/// An instance that does not run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// A PID file that was left behind and has been removed.
    pub stale: Option<PidFile>,
    /// The last server, if it left a record.
    pub last: Option<Record>,
}

/// What a PID file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PidFile {
    /// There is none.
    Missing,
    /// A number.
    Pid(u32),
    /// Something else, in a few words.
    Garbage(String),
}

impl PidFile {
    /// Reads a PID file; nothing that stands there is an error.
    pub fn read(path: &Path) -> Self {
        let Ok(metadata) = path.symlink_metadata() else { return Self::Missing };
        // Reading a pipe, or what a link points to, might never end.
        let kind = metadata.file_type();
        if !kind.is_file() {
            let what = if kind.is_dir() {
                "a directory"
            } else if kind.is_symlink() {
                "a link"
            } else {
                "no file"
            };
            return Self::Garbage(what.to_owned());
        }
        if metadata.len() > PID_LIMIT {
            return Self::Garbage(format!("{} bytes", metadata.len()));
        }
        match std::fs::read(path) {
            Err(error) => Self::Garbage(format!("unreadable: {error}")),
            Ok(bytes) if bytes.is_empty() => Self::Garbage("empty".to_owned()),
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let number = text.trim().parse().ok().filter(|pid| *pid > 0);
                number.map_or_else(|| Self::Garbage(format!("`{}`", text.trim().escape_debug())), Self::Pid)
            }
        }
    }

    /// What it says, in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Missing => "missing".to_owned(),
            Self::Pid(pid) => format!("PID {pid}"),
            Self::Garbage(what) => what.clone(),
        }
    }
}

/// Asks how an instance stands. Mends the PID file of a running one, removes the one that a dead one left behind.
pub fn survey(place: &Place) -> io::Result<Standing> {
    match Holder::of(&place.lock())? {
        Holder::Elsewhere => Ok(Standing::Elsewhere),
        Holder::Process(pid) => match Here::identify(pid) {
            Some(identity) => Ok(Standing::Running(Box::new(running(place, identity)))),
            // It ended between the two questions, and the kernel has taken the lock from it.
            None => stopped(place),
        },
        Holder::Nobody => stopped(place),
    }
}

fn running(place: &Place, identity: Identity) -> Running {
    let record = Record::read(&place.state()).filter(|record| record.identity == identity);
    let found = PidFile::read(&place.pid_file());
    let wrong = record.is_some() && found != PidFile::Pid(identity.pid);
    // A file that cannot be mended, in a directory that became read-only, changes nothing about the truth.
    let mended = wrong && write_pid(place, identity.pid).is_ok();
    Running { repaired: mended.then_some(found), identity, record }
}

fn stopped(place: &Place) -> io::Result<Standing> {
    let mut stopped = Stopped { stale: None, last: Record::read(&place.state()) };
    let found = PidFile::read(&place.pid_file());
    if found == PidFile::Missing {
        return Ok(Standing::Stopped(Box::new(stopped)));
    }
    // Under the lock, so that the PID file of a server that starts right now is not taken for the old one.
    place.create()?;
    match Lock::tidy(&place.lock())? {
        None => survey(place),
        Some(lock) => {
            remove(&place.pid_file())?;
            drop(lock);
            stopped.stale = Some(found);
            Ok(Standing::Stopped(Box::new(stopped)))
        }
    }
}

/// Writes the PID file in one step. A directory that stands in its place is removed if it is empty.
pub fn write_pid(place: &Place, pid: u32) -> io::Result<()> {
    if place.pid_file().is_dir() {
        remove(&place.pid_file())?;
    }
    write_atomically(&place.pid_file(), format!("{pid}\n").as_bytes())
}
