//! The server's own side: the lock, the record and the PID file, for as long as it lives.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::home::{Place, remove};
use super::lock::{Holder, Lock};
use super::os::{Here, Identity, System};
use super::record::{Draining, Ending, Record};
use super::survey::{PidFile, write_pid};

/// How long a start waits for whoever holds the lock to say who it is.
const PATIENCE: u32 = 200;
const STEP: Duration = Duration::from_millis(10);

/// An instance that this process is.
#[derive(Debug)]
pub struct Hold {
    place: Place,
    identity: Identity,
    record: Option<Record>,
    // Let go last: whoever sees it free must find everything else in order.
    lock: Lock,
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
    #[error("Server already running (in another container: its lock {lock} is held)")]
    Elsewhere {
        /// The lock.
        lock: PathBuf,
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
    /// Takes the lock, before anything else is touched.
    pub fn take(place: Place) -> Result<Self, HoldError> {
        let directory = |source| HoldError::Directory { directory: place.directory().to_owned(), source };
        place.create().map_err(directory)?;
        for _ in 0..PATIENCE {
            if let Some(lock) = Lock::take(&place.lock()).map_err(directory)? {
                let pid = std::process::id();
                let unknown = || directory(io::Error::other("the system does not tell when this process started"));
                let identity = Here::identify(pid).ok_or_else(unknown)?;
                return Ok(Self { place, identity, record: None, lock });
            }
            match Holder::of(&place.lock()).map_err(directory)? {
                Holder::Elsewhere => return Err(HoldError::Elsewhere { lock: place.lock() }),
                Holder::Process(pid) if says_so(&place, pid) => return Err(HoldError::AlreadyRunning { pid }),
                // A server that starts, or nobody but a command that cleans up and is done in a moment.
                Holder::Process(_) | Holder::Nobody => std::thread::sleep(STEP),
            }
        }
        match Holder::of(&place.lock()).map_err(directory)? {
            Holder::Process(pid) => Err(HoldError::AlreadyRunning { pid }),
            Holder::Elsewhere | Holder::Nobody => Err(HoldError::Elsewhere { lock: place.lock() }),
        }
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

    /// Says that the server has been told to end, and what it waits for: nobody can ask it any more.
    pub fn drain(&mut self, draining: Draining) {
        if let Some(record) = self.record.as_mut().filter(|_| draining.in_flight > 0) {
            record.draining = Some(draining);
            // It ends in any case; a directory that vanished meanwhile cannot be told.
            let _ = record.write(&self.place.state());
        }
    }

    /// Says how the server ended, removes the PID file, and lets the lock go.
    pub fn end(self, ending: Ending) {
        // The server ends in any case; a directory that vanished meanwhile cannot be told.
        if let Some(mut record) = self.record {
            record.ending = Some(ending);
            let _ = record.write(&self.place.state());
        }
        if PidFile::read(&self.place.pid_file()) == PidFile::Pid(self.identity.pid) {
            let _ = remove(&self.place.pid_file());
        }
        drop(self.lock);
    }
}

/// Whether the holder of the lock is a server that listens.
fn says_so(place: &Place, pid: u32) -> bool {
    let identity = Here::identify(pid);
    Record::read(&place.state()).is_some_and(|record| Some(&record.identity) == identity.as_ref())
}
