//! The lock of an instance. The kernel holds it for the server and lets it go when the server ends, however it ends.
//!
//! It is a record lock (`fcntl`), because the kernel tells who holds such a lock without taking it: a question never
//! stands in the way of a start. It must be opened only once in the process that holds it.
//!
//! A server holds it for writing. A command that cleans up after one holds it for reading meanwhile: no server can start
//! then, and nobody takes the command for a server.
//!
//! Any program can lock any file, so that a lock alone proves nothing: the server signs the file with its identity as
//! soon as it holds the lock. Only a holder who is the one that signed is a server.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::os::Identity;

/// The longest signature that is read, in bytes.
const SIGNATURE: u64 = 512;

/// The lock, held. It is let go when this is dropped, or the process ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// A command that cleans up, or another program that only keeps servers from starting; its PID, if it can be seen.
    Reader(Option<u32>),
    /// A process of this system, which may be a server.
    Process {
        /// Its PID.
        pid: u32,
        /// Who says in the file to be the server.
        signature: Option<Identity>,
    },
    /// A process that cannot be seen from here, in another container or on another machine.
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
            Ok(()) => Ok(Some(Self { file })),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Says in the file who holds it. Where it cannot be said, the file is left as it was, or empty.
    pub fn sign(&self, identity: &Identity) -> io::Result<()> {
        let mut text = serde_json::to_vec(identity).expect("an identity has string keys");
        text.push(b'\n');
        self.file.write_all_at(&text, 0)?;
        self.file.set_len(text.len() as u64)
    }
}

impl Holder {
    /// Who holds the lock at a path. A lock that does not exist is held by nobody. An error names the path.
    pub fn of(path: &Path) -> io::Result<Self> {
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{} cannot be read: {error}", path.display()));
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Nobody),
            Err(error) => return Err(named(error)),
        };
        let holder = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)).map_err(|error| named(error.into()))?;
        let Some(lock) = holder else { return Ok(Self::Nobody) };
        let pid = lock.pid.and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
        Ok(match pid {
            pid if lock.typ == FlockType::ReadLock => Self::Reader(pid),
            None => Self::Elsewhere,
            Some(pid) => Self::Process { pid, signature: signature(&file) },
        })
    }
}

fn signature(file: &File) -> Option<Identity> {
    let mut text = Vec::new();
    file.take(SIGNATURE).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
