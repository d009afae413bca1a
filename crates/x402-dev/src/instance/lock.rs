//! The lock of an instance. The kernel holds it for the server and lets it go when the server ends, however it ends.
//!
//! It is a record lock (`fcntl`), because the kernel tells who holds such a lock without taking it: a question never
//! stands in the way of a start. It must be opened only once in the process that holds it.
//!
//! A server holds it for writing. A command that cleans up after one holds it for reading meanwhile: no server can start
//! then, and nobody takes the command for a server.

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

/// Which server holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// None.
    Nobody,
    /// A process of this system.
    Process(u32),
    /// A process that cannot be seen from here, in another container.
    Elsewhere,
}

impl Lock {
    /// Takes the lock for a server. `Ok(None)` where somebody holds it.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        Self::open(path, FlockOperation::NonBlockingLockExclusive)
    }

    /// Keeps servers from starting while the files of one that has ended are put in order. `Ok(None)` where a server
    /// holds the lock.
    pub fn tidy(path: &Path) -> io::Result<Option<Self>> {
        Self::open(path, FlockOperation::NonBlockingLockShared)
    }

    fn open(path: &Path, operation: FlockOperation) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match fcntl_lock(&file, operation) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Holder {
    /// Which server holds the lock at a path. A lock that does not exist is held by nobody.
    pub fn of(path: &Path) -> io::Result<Self> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Nobody),
            Err(error) => return Err(error),
        };
        let holder = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock))?;
        Ok(match holder {
            None => Self::Nobody,
            // Somebody cleans up.
            Some(lock) if lock.typ == FlockType::ReadLock => Self::Nobody,
            Some(lock) => lock
                .pid
                .and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok())
                .map_or(Self::Elsewhere, Self::Process),
        })
    }
}
