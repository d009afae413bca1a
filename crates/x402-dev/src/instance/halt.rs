//! Stopping an instance: only ever the process that holds its lock.

use std::io;
use std::time::Duration;

use super::home::{Place, remove};
use super::lock::Lock;
use super::os::{Here, Identity, Process, Signal, System};
use super::record::{Cause, Ending, Record};
use super::survey::{PidFile, Running, Standing, Stranger, survey};
use crate::clock;

/// How long a killed process may take to vanish.
const KILL_TIME: Duration = Duration::from_secs(5);

/// What to do with a server that does not stop in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Leave it draining.
    Leave,
    /// Kill it.
    Kill,
}

/// How a stop ended.
#[derive(Debug)]
pub enum Halted {
    /// It did not run.
    NotRunning {
        /// A PID file that was left behind and has been removed.
        stale: Option<PidFile>,
    },
    /// Its lock is held where we cannot see.
    Elsewhere,
    /// Its lock is held by somebody who is not known to be a server, and was left alone.
    Stranger(Stranger),
    /// It has ended.
    Stopped(Identity),
    /// It has ended because it was killed.
    Killed(Identity),
    /// It still runs.
    Draining(Box<Running>),
}

/// Who stops an instance, and how.
#[derive(Clone, Copy, Debug)]
pub struct Halt {
    /// How the record shall say it: `mock stop`.
    pub by: &'static str,
    /// How long the server may take.
    pub time: Duration,
    /// What to do after that.
    pub patience: Patience,
}

/// Stops an instance. `begun` is told whom, before the signal is sent.
pub fn halt(place: &Place, how: Halt, begun: &mut dyn FnMut(&Identity)) -> io::Result<Halted> {
    let running = match survey(place)? {
        Standing::Running(running) => running,
        Standing::Elsewhere(_) => return Ok(Halted::Elsewhere),
        Standing::Stranger(stranger) => return Ok(Halted::Stranger(stranger)),
        Standing::Stopped(stopped) => return Ok(Halted::NotRunning { stale: stopped.stale }),
    };
    let identity = running.identity.clone();
    let described = running.record.as_ref().map_or_else(|| identity.clone(), |record| record.identity.clone());
    begun(&identity);
    // It may have ended by itself meanwhile: then there is nobody to signal.
    let Some(process) = Here::open(&identity) else {
        tidy(place)?;
        return Ok(Halted::Stopped(identity));
    };
    signal(&process, Signal::Terminate, &identity)?;
    if process.wait(how.time) {
        let by_us = |cause: &Option<Ending>| matches!(cause, Some(Ending { cause: Cause::Signal(_), .. }));
        explain(place, &described, Cause::Stopped(how.by.to_owned()), by_us);
        tidy(place)?;
        return Ok(Halted::Stopped(identity));
    }
    if how.patience == Patience::Leave {
        let record = Record::read(&place.state()).filter(|record| record.identity == described);
        return Ok(Halted::Draining(Box::new(Running { record, ..*running })));
    }
    signal(&process, Signal::Kill, &identity)?;
    if !process.wait(KILL_TIME) {
        return Ok(Halted::Draining(running));
    }
    explain(place, &described, Cause::Killed, Option::is_none);
    tidy(place)?;
    Ok(Halted::Killed(identity))
}

/// Sends a signal; the error says to whom.
fn signal(process: &impl Process, signal: Signal, identity: &Identity) -> io::Result<()> {
    process.signal(signal).map_err(|error| {
        io::Error::new(error.kind(), format!("the server (PID: {}) cannot be signalled: {error}", identity.pid))
    })
}

/// Says in the record of a server that has ended why: it does not know who has sent a signal, and one that was killed
/// could not say anything. It has ended in any case; a directory that became full or read-only cannot be told.
fn explain(place: &Place, ended: &Identity, why: Cause, unclear: fn(&Option<Ending>) -> bool) {
    let Ok(Some(_held)) = Lock::tidy(&place.lock()) else { return };
    let Some(mut record) = Record::read(&place.state()) else { return };
    if record.identity == *ended && unclear(&record.ending) {
        let at = record.ending.map_or_else(clock::now, |ending| ending.at);
        record.ending = Some(Ending { cause: why, at });
        let _ = record.write(&place.state());
    }
}

/// Removes the PID file of a server that could not do it, unless a new one has started already.
fn tidy(place: &Place) -> io::Result<()> {
    if PidFile::read(&place.pid_file()) != PidFile::Missing
        && let Some(_held) = Lock::tidy(&place.lock())?
    {
        remove(&place.pid_file())?;
    }
    Ok(())
}
