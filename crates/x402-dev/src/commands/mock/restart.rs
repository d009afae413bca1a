//! `mock restart`: the same server again, with what is said now.

use std::time::Duration;

use serde_json::json;

use super::start::start_child;
use super::{Form, place, standing};
use crate::config::{self, Overrides};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::halt::{Halted, Patience, halt};
use crate::instance::launch::Waiting;
use crate::instance::record::StartedBy;
use crate::instance::{InstanceName, Standing};
use crate::terminal;

/// Stops an instance, if it runs, and starts it anew in the background with its own flags, environment and directory.
///
/// The new configuration is validated before the old server is stopped.
pub fn restart(
    context: &Context,
    name: &InstanceName,
    now: Overrides,
    time: Duration,
    form: Form,
) -> Result<Exit, Error> {
    let place = place(context, name)?;
    let standing = standing(&place)?;
    let old = match &standing {
        Standing::Running(running) => running.record.as_ref(),
        Standing::Stopped(stopped) => stopped.last.as_ref(),
        Standing::Elsewhere => {
            terminal::error("Server is running in another container: restart it there");
            return Ok(Exit::Failure);
        }
    };
    let mut command = match old {
        Some(record) => {
            let old = record.command.clone();
            StartedBy { overrides: now.over(old.overrides), ..old }
        }
        None => {
            StartedBy { overrides: now, working_dir: context.working_dir.clone(), environment: context.configuration() }
        }
    };
    let replayed = context.replaying(&command.working_dir, &command.environment);
    config::load(&replayed, &command.overrides)?;
    if let (Standing::Running(running), None | Some(0)) = (&standing, command.overrides.port) {
        command.overrides.port = running.record.as_ref().map(|record| record.port);
    }
    let was_running = matches!(standing, Standing::Running(_));
    if was_running {
        let say = &mut |identity: &crate::instance::os::Identity| {
            say(form, &format!("Stopping server (PID: {})...", identity.pid));
        };
        let failed = |source| Error::State { name: name.clone(), source };
        if let Halted::Draining(running) = halt(&place, time, Patience::Leave, say).map_err(failed)? {
            terminal::error(&super::stop::draining(&running, time));
            return Ok(Exit::Failure);
        }
        self::say(form, "Server stopped");
    }
    say(form, "Starting server...");
    let (url, pid) = start_child(context, &place, command, None, Waiting::For(time.max(Duration::from_secs(10))))?;
    match form {
        Form::Json => terminal::result(&json!({ "url": url, "pid": pid, "was_running": was_running }).to_string()),
        Form::Text => {
            let url = url.unwrap_or_default();
            terminal::result(&format!(
                "Server is running on {url} (PID: {pid}); its ledger is in memory and starts fresh"
            ));
        }
    }
    Ok(Exit::Success)
}

fn say(form: Form, text: &str) {
    if form == Form::Text {
        terminal::result(text);
    }
}
