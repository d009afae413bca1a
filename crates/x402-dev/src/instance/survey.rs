//! Is an instance running? The lock answers; everything else is compared with it, and repaired or removed.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::home::{Place, remove, write_atomically};
use super::lock::{Holder, Lock};
use super::os::{Here, Identity, System};
use super::record::Record;

/// The largest PID file that is read, in bytes.
const PID_LIMIT: u64 = 64;

/// How often, and after which pause, somebody who holds the lock is asked again who it is: between taking the lock and
/// signing it, a server cannot be told from a stranger.
const ATTEMPTS: u32 = 60;
const STEP: Duration = Duration::from_millis(5);

/// How often a PID file that is missing is looked for again.
const MOMENTS: u32 = 3;

/// How an instance stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A server holds the lock.
    Running(Box<Running>),
    /// A process holds the lock that cannot be seen from here, such as one in another container; with the last record.
    Elsewhere(Option<Box<Record>>),
    /// A process holds the lock that is not known to be a server. It is left alone.
    Stranger(Stranger),
    /// No server holds the lock.
    Stopped(Box<Stopped>),
}

/// A process that is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// Its PID.
    pub pid: u32,
    /// Its name, if the system tells.
    pub name: Option<String>,
}

/// A running instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The process, under its number here.
    pub identity: Identity,
    /// What it says about itself; `None` until it listens, and where its record was damaged or removed.
    pub record: Option<Record>,
    /// What was wrong with the PID file and has been mended.
    pub repaired: Option<PidFile>,
    /// Whether it listens.
    pub listens: Listens,
}

/// Whether a server listens, as far as its files tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listens {
    /// As its record says.
    Yes,
    /// It is starting.
    NotYet,
    /// It did once, and its record was damaged or removed since.
    WithoutRecord,
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
                "neither a file nor a directory"
            };
            return Self::Garbage(what.to_owned());
        }
        if metadata.len() > PID_LIMIT {
            return Self::Garbage(format!("{} bytes", metadata.len()));
        }
        match std::fs::read(path) {
            // Removed since it was looked at: a server has just ended.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Missing,
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
    for _ in 0..ATTEMPTS {
        match Holder::of(&place.lock())? {
            Holder::Elsewhere => return Ok(Standing::Elsewhere(Record::read(&place.state()).map(Box::new))),
            Holder::Process { pid, signature } => {
                if let Some(running) = Here::identify(pid).and_then(|identity| running(place, identity, signature)) {
                    return Ok(Standing::Running(Box::new(running)));
                }
            }
            Holder::Nobody | Holder::Reader(_) => {
                if let Some(stopped) = stopped(place)? {
                    return Ok(Standing::Stopped(Box::new(stopped)));
                }
            }
        }
        // A server that has just taken the lock, or has just ended.
        std::thread::sleep(STEP);
    }
    Ok(match Holder::of(&place.lock())? {
        Holder::Process { pid, .. } => Standing::Stranger(Stranger::of(pid)),
        Holder::Elsewhere => Standing::Elsewhere(None),
        Holder::Nobody | Holder::Reader(_) => Standing::Stopped(Box::default()),
    })
}

impl Standing {
    /// What the running server says about itself; `None` where none runs that can be addressed.
    pub const fn record(&self) -> Option<&Record> {
        match self {
            Self::Running(running) => running.record.as_ref(),
            _ => None,
        }
    }
}

impl Stranger {
    /// The process with this PID.
    pub fn of(pid: u32) -> Self {
        Self { pid, name: Here::name(pid) }
    }

    /// `python3 (PID 17)`.
    pub fn describe(&self) -> String {
        match &self.name {
            Some(name) => format!("{} (PID {})", name.escape_debug(), self.pid),
            None => format!("PID {}", self.pid),
        }
    }
}

/// The server that holds the lock: the process that its record or its signature describes, and nobody else.
fn running(place: &Place, identity: Identity, signature: Option<Identity>) -> Option<Running> {
    let its_own = || Record::read(&place.state()).filter(|record| identity.is(&record.identity));
    let record = its_own();
    if record.is_none() && !signature.is_some_and(|signature| identity.is(&signature)) {
        return None;
    }
    let found = read_settled(place);
    // The PID file is written when the server listens, after the record: what was not there before may be there now.
    let Some(record) = record.or_else(its_own) else {
        let lost = matches!(found, PidFile::Pid(pid) if Here::numbers(identity.pid).contains(&pid));
        let listens = if lost { Listens::WithoutRecord } else { Listens::NotYet };
        return Some(Running { identity, record: None, repaired: None, listens });
    };
    // One that ends has removed it already.
    let wrong = found != PidFile::Pid(record.identity.pid) && Record::read(&place.state()).as_ref() == Some(&record);
    let mended = wrong && record.ending.is_none() && mend(place, identity.pid, record.identity.pid);
    Some(Running { identity, record: Some(record), repaired: mended.then_some(found), listens: Listens::Yes })
}

/// Reads the PID file of a server. Between its record and its PID file there is a moment, when it starts and when it ends.
fn read_settled(place: &Place) -> PidFile {
    for _ in 0..MOMENTS {
        let found = PidFile::read(&place.pid_file());
        if found != PidFile::Missing {
            return found;
        }
        std::thread::sleep(STEP);
    }
    PidFile::Missing
}

/// Writes the PID file of a server anew. A file that cannot be mended, in a directory that became read-only, changes
/// nothing about the truth.
fn mend(place: &Place, holder: u32, pid: u32) -> bool {
    if write_pid(place, pid).is_err() {
        return false;
    }
    if matches!(Holder::of(&place.lock()), Ok(Holder::Process { pid, .. }) if pid == holder) {
        return true;
    }
    // It ended meanwhile, and has removed the file that now stands there again.
    if let Ok(Some(_held)) = Lock::tidy(&place.lock()) {
        // What stays is found stale by the next command.
        let _ = remove(&place.pid_file());
    }
    false
}

/// An instance that does not run; `None` where a server starts at this moment.
fn stopped(place: &Place) -> io::Result<Option<Stopped>> {
    let mut stopped = Stopped { stale: None, last: Record::read(&place.state()) };
    let found = PidFile::read(&place.pid_file());
    if found == PidFile::Missing {
        return Ok(Some(stopped));
    }
    // Under the lock, so that the PID file of a server that starts right now is not taken for the old one.
    place.create()?;
    let Some(lock) = Lock::tidy(&place.lock())? else { return Ok(None) };
    remove(&place.pid_file())?;
    drop(lock);
    // A server that ended in order had removed its file: somebody who asked at that moment has put it back.
    let put_back = |record: &Record| record.ending.is_some() && found == PidFile::Pid(record.identity.pid);
    if !stopped.last.as_ref().is_some_and(put_back) {
        stopped.stale = Some(found);
    }
    Ok(Some(stopped))
}

/// Writes the PID file in one step. A directory that stands in its place is removed if it is empty.
pub fn write_pid(place: &Place, pid: u32) -> io::Result<()> {
    if place.pid_file().is_dir() {
        remove(&place.pid_file())?;
    }
    write_atomically(&place.pid_file(), format!("{pid}\n").as_bytes())
}
