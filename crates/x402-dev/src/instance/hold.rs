//! The server's own side: the lock, the record and the PID file, for as long as it lives.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::home::{Place, remove};
use super::lock::{Holder, Lock};
use super::os::{Here, Identity, System};
use super::record::{Draining, Ending, Record, Setting};
use super::survey::{PidFile, Stranger, write_pid};

/// How long a start waits for whoever holds the lock to say who it is.
const PATIENCE: u32 = 200;
const STEP: Duration = Duration::from_millis(10);

/// An instance that this process is.
#[derive(Debug)]
pub struct Hold {
    place: Place,
    identity: Identity,
    record: Option<Record>,
    // `None` once the server has ended.
    lock: Option<Lock>,
}

/// Why an instance cannot be held.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// It runs already.
    #[error("Server already running (PID: {pid})")]
    AlreadyRunning {
        /// Whose PID.
        pid: u32,
    },
    /// Its lock is held where we cannot see.
    #[error("Server already running (in another container, or on another machine: its lock {lock} is held)")]
    Elsewhere {
        /// The lock.
        lock: PathBuf,
    },
    /// Its lock is held by somebody who is not known to be a server.
    #[error("the lock {lock} is held by {}, which is not known to be a server of x402-dev", holder.describe())]
    Stranger {
        /// The lock.
        lock: PathBuf,
        /// Who holds it.
        holder: Stranger,
    },
    /// Its directory cannot be used.
    #[error("cannot use {directory} for the state of the server")]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Hold {
    /// Takes the lock, before anything else is touched, and signs it.
    pub fn take(place: Place) -> Result<Self, HoldError> {
        let directory = |source| HoldError::Directory { directory: place.directory().to_owned(), source };
        place.create().map_err(directory)?;
        for _ in 0..PATIENCE {
            if let Some(lock) = Lock::take(&place.lock()).map_err(directory)? {
                let pid = std::process::id();
                let unknown = || directory(io::Error::other("the system does not tell when this process started"));
                let identity = Here::identify(pid).ok_or_else(unknown)?;
                lock.sign(&identity).map_err(directory)?;
                return Ok(Self { place, identity, record: None, lock: Some(lock) });
            }
            match Holder::of(&place.lock()).map_err(directory)? {
                Holder::Elsewhere => return Err(HoldError::Elsewhere { lock: place.lock() }),
                Holder::Process { pid, .. } if says_so(&place, pid) => return Err(HoldError::AlreadyRunning { pid }),
                // A server that starts, or nobody but a command that cleans up and is done in a moment.
                Holder::Process { .. } | Holder::Reader(_) | Holder::Nobody => std::thread::sleep(STEP),
            }
        }
        Err(held(&place, Holder::of(&place.lock()).map_err(directory)?))
    }

    /// Which process this is.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Says that the server listens: record first, PID file last, each in one step.
    pub fn announce(&mut self, record: Record) -> Result<(), HoldError> {
        let directory = |source| HoldError::Directory { directory: self.place.directory().to_owned(), source };
        record.write(&self.place.state()).map_err(directory)?;
        write_pid(&self.place, self.identity.pid).map_err(directory)?;
        self.record = Some(record);
        Ok(())
    }

    /// Says what is in force after a reload. Nothing is said any more once the server has ended.
    pub fn renew(&mut self, configuration: Vec<Setting>) -> io::Result<()> {
        let (Some(record), Some(_)) = (&mut self.record, &self.lock) else { return Ok(()) };
        record.configuration = configuration;
        record.write(&self.place.state())
    }

    /// Says that the server has been told to end, and what it waits for: nobody can ask it any more.
    pub fn drain(&mut self, draining: Draining) {
        if let Some(record) = self.record.as_mut().filter(|_| draining.in_flight > 0) {
            record.draining = Some(draining);
            // It ends in any case; a directory that vanished meanwhile cannot be told.
            let _ = record.write(&self.place.state());
        }
    }

    /// Says how the server ended, removes the PID file, and lets the lock go.
    pub fn end(&mut self, ending: Ending) {
        // The server ends in any case; a directory that vanished meanwhile cannot be told.
        if let Some(record) = &mut self.record {
            record.ending = Some(ending);
            let _ = record.write(&self.place.state());
        }
        if PidFile::read(&self.place.pid_file()) == PidFile::Pid(self.identity.pid) {
            let _ = remove(&self.place.pid_file());
        }
        // Last: whoever sees it free must find everything else in order.
        self.lock = None;
    }
}

/// Whether the holder of the lock is a server that listens.
fn says_so(place: &Place, pid: u32) -> bool {
    let Some(identity) = Here::identify(pid) else { return false };
    Record::read(&place.state()).is_some_and(|record| identity.is(&record.identity))
}

/// Why the lock cannot be had although nobody has said that a server listens.
fn held(place: &Place, holder: Holder) -> HoldError {
    match holder {
        // Signed by whoever holds it: a server whose start takes long, or whose record was removed.
        Holder::Process { pid, signature: Some(signature) }
            if Here::identify(pid).is_some_and(|identity| identity.is(&signature)) =>
        {
            HoldError::AlreadyRunning { pid }
        }
        Holder::Process { pid, .. } | Holder::Reader(Some(pid)) => {
            HoldError::Stranger { lock: place.lock(), holder: Stranger::of(pid) }
        }
        Holder::Elsewhere | Holder::Reader(None) | Holder::Nobody => HoldError::Elsewhere { lock: place.lock() },
    }
}
