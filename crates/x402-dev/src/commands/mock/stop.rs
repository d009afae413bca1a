//! `mock stop`: ends an instance, and nobody else.

use std::time::Duration;

use super::{home, place};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::halt::{Halted, Patience, halt};
use crate::instance::record::Draining;
use crate::instance::survey::Running;
use crate::instance::{InstanceName, Place};
use crate::terminal;

/// Which instances to stop.
#[derive(Clone, Debug)]
pub enum Whom {
    /// One.
    One(InstanceName),
    /// All of this user.
    All,
}

/// Stops instances.
pub fn stop(context: &Context, whom: &Whom, time: Duration, patience: Patience) -> Result<Exit, Error> {
    match whom {
        Whom::One(name) => stop_one(&place(context, name)?, time, patience),
        Whom::All => stop_all(&home(context)?.places(), time, patience),
    }
}

fn stop_all(places: &[Place], time: Duration, patience: Patience) -> Result<Exit, Error> {
    let mut worst = Exit::Success;
    let mut stopped = 0;
    for place in places {
        if !matches!(super::standing(place)?, crate::instance::Standing::Running(_)) {
            continue;
        }
        terminal::result(&format!("{}:", place.name));
        match stop_one(place, time, patience)? {
            Exit::Success => stopped += 1,
            exit => worst = exit,
        }
    }
    if stopped == 0 && worst == Exit::Success {
        terminal::result("No server is running");
    }
    Ok(worst)
}

fn stop_one(place: &Place, time: Duration, patience: Patience) -> Result<Exit, Error> {
    let begun = &mut |identity: &crate::instance::os::Identity| {
        terminal::result(&format!("Stopping server (PID: {})...", identity.pid));
    };
    let failed = |source| Error::State { name: place.name.clone(), source };
    Ok(match halt(place, time, patience, begun).map_err(failed)? {
        Halted::Stopped => {
            terminal::result("Server stopped successfully");
            Exit::Success
        }
        Halted::Killed => {
            terminal::result("Server killed: it did not stop in time");
            Exit::Success
        }
        Halted::NotRunning { stale: None } => {
            terminal::error("Server is not running");
            Exit::Failure
        }
        Halted::NotRunning { stale: Some(found) } => {
            terminal::error(&format!("Server is not running (stale PID file removed)\nremoved   {}", found.describe()));
            Exit::NotRunning
        }
        Halted::Elsewhere => {
            terminal::error("Server is running in another container: stop it there");
            Exit::Failure
        }
        Halted::Draining(running) => {
            terminal::error(&draining(&running, time));
            Exit::Failure
        }
    })
}

/// `2 requests that were in flight when it was told to end`.
pub fn waiting_for(draining: &Draining) -> String {
    let (plural, were) = if draining.in_flight == 1 { ("", "was") } else { ("s", "were") };
    format!("{} request{plural} that {were} in flight when it was told to end", draining.in_flight)
}

/// What a server that does not end waits for.
pub fn draining(running: &Running, time: Duration) -> String {
    let draining = running.record.as_ref().and_then(|record| record.draining.as_ref());
    let waits = draining.map_or_else(|| "its connections".to_owned(), waiting_for);
    format!(
        "Server (PID: {}) is still draining after {} ms: it waits for {waits}; it ends by itself, or at once with --force",
        running.identity.pid,
        time.as_millis()
    )
}
