//! Stopping an instance: only ever the process that holds its lock.

use std::io;
use std::time::Duration;

use super::home::{Place, remove};
use super::lock::Lock;
use super::os::{Here, Identity, Process, Signal, System};
use super::record::{Cause, Ending, Record};
use super::survey::{PidFile, Running, Standing, survey};
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
    /// It has ended.
    Stopped,
    /// It has ended because it was killed.
    Killed,
    /// It still runs.
    Draining(Box<Running>),
}

/// Stops an instance. `begun` is told whom, before the signal is sent.
pub fn halt(place: &Place, time: Duration, patience: Patience, begun: &mut dyn FnMut(&Identity)) -> io::Result<Halted> {
    let running = match survey(place)? {
        Standing::Running(running) => running,
        Standing::Elsewhere => return Ok(Halted::Elsewhere),
        Standing::Stopped(stopped) => return Ok(Halted::NotRunning { stale: stopped.stale }),
    };
    begun(&running.identity);
    // It may have ended by itself meanwhile: then there is nobody to signal.
    let Some(process) = Here::open(&running.identity) else { return tidy(place, Halted::Stopped) };
    process.signal(Signal::Terminate)?;
    if process.wait(time) {
        return tidy(place, Halted::Stopped);
    }
    if patience == Patience::Leave {
        let record = Record::read(&place.state()).filter(|record| record.identity == running.identity);
        return Ok(Halted::Draining(Box::new(Running { record, ..*running })));
    }
    process.signal(Signal::Kill)?;
    if !process.wait(KILL_TIME) {
        return Ok(Halted::Draining(running));
    }
    confess(place, &running.identity)?;
    tidy(place, Halted::Killed)
}

/// Says in the record of a server that it was killed: it could not do so itself.
fn confess(place: &Place, killed: &Identity) -> io::Result<()> {
    let Some(_held) = Lock::tidy(&place.lock())? else { return Ok(()) };
    match Record::read(&place.state()) {
        Some(mut record) if record.identity == *killed && record.ending.is_none() => {
            record.ending = Some(Ending { cause: Cause::Killed, at: clock::now() });
            record.write(&place.state())
        }
        _ => Ok(()),
    }
}

/// Removes the PID file of a server that could not do it, unless a new one has started already.
fn tidy(place: &Place, halted: Halted) -> io::Result<Halted> {
    if PidFile::read(&place.pid_file()) != PidFile::Missing
        && let Some(_held) = Lock::tidy(&place.lock())?
    {
        remove(&place.pid_file())?;
    }
    Ok(halted)
}
