//! Stopping an instance: only ever the process that holds its lock.

use std::io;
use std::time::Duration;

use super::home::{Place, remove};
use super::lock::Lock;
use super::os::{Here, Identity, Process, Signal, System};
use super::survey::{PidFile, Running, Standing, survey};

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
        return Ok(Halted::Draining(running));
    }
    process.signal(Signal::Kill)?;
    if process.wait(KILL_TIME) { tidy(place, Halted::Killed) } else { Ok(Halted::Draining(running)) }
}

/// Removes the PID file of a server that could not do it, unless a new one has started already.
fn tidy(place: &Place, halted: Halted) -> io::Result<Halted> {
    if PidFile::read(&place.pid_file()) != PidFile::Missing
        && let Some(_held) = Lock::take(&place.lock())?
    {
        remove(&place.pid_file())?;
    }
    Ok(halted)
}
