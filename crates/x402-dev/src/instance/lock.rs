//! The lock of an instance. The kernel holds it for the server and lets it go when the server ends, however it ends.
//!
//! It is a record lock (`fcntl`), because the kernel tells who holds such a lock without taking it: a question never
//! stands in the way of a start. It must be opened only once in the process that holds it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Flock, FlockType, fcntl_getlk};

/// The lock, held. It is let go when this is dropped, or the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// A process of this system.
    Process(u32),
    /// A process that cannot be seen from here, in another container.
    Elsewhere,
}

impl Lock {
    /// Takes the lock. `Ok(None)` where somebody holds it.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Holder {
    /// Who holds the lock at a path. A lock that does not exist is held by nobody.
    pub fn of(path: &Path) -> io::Result<Self> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Nobody),
            Err(error) => return Err(error),
        };
        let holder = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock))?;
        Ok(match holder {
            None => Self::Nobody,
            Some(lock) => lock
                .pid
                .and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok())
                .map_or(Self::Elsewhere, Self::Process),
        })
    }
}
