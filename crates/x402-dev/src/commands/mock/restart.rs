//! `mock restart`: the same server again, with what is said now.

use std::io;
use std::time::Duration;

use serde_json::json;

use super::start::{start_child, unusable};
use super::{Form, place};
use crate::config::{self, Overrides};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::halt::{Halted, Patience, halt};
use crate::instance::launch::Waiting;
use crate::instance::os::{Here, System};
use crate::instance::record::{Record, StartedBy};
use crate::instance::{InstanceName, Standing, survey};
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
    let standing = survey(&place).map_err(unusable(&place))?;
    let old = match &standing {
        Standing::Running(running) => running.record.as_ref(),
        Standing::Stopped(stopped) => stopped.last.as_ref(),
        Standing::Elsewhere => {
            terminal::error("Server is running in another container: restart it there");
            return Ok(Exit::Failure);
        }
    };
    let command = replay(context, now, old);
    let replayed = context.replaying(&command.working_dir, &command.environment);
    config::load(&replayed, &command.overrides)?;
    std::fs::read_dir(&command.working_dir).map_err(|source| {
        let text = format!("the server's working directory {}: {source}", command.working_dir.display());
        Error::State { name: name.clone(), source: io::Error::new(source.kind(), text) }
    })?;
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
    let (url, pid) = start_child(context, &place, command, Waiting::For(time.max(Duration::from_secs(10))))?;
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

/// How the new server is started: as the last one was, on its port, where nothing else is said now.
fn replay(context: &Context, mut now: Overrides, old: Option<&Record>) -> StartedBy {
    // What is said now is meant here, not in the directory where the last one was started.
    now.config = now.config.map(|file| context.working_dir.join(file));
    let Some(old) = old else {
        let (working_dir, environment) = (context.working_dir.clone(), context.configuration());
        return StartedBy { overrides: now, working_dir, environment, parent: None };
    };
    let said = now.port;
    let command = old.command.clone();
    let mut overrides = now.over(command.overrides);
    if said.is_none() && matches!(overrides.port, None | Some(0)) {
        overrides.port = Some(old.port);
    }
    // A process that has ended meanwhile ends nothing any more.
    let parent = command.parent.filter(|parent| Here::identify(parent.pid).as_ref() == Some(parent));
    StartedBy { overrides, parent, ..command }
}

fn say(form: Form, text: &str) {
    if form == Form::Text {
        terminal::result(text);
    }
}
