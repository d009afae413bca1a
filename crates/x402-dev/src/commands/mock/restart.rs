//! `mock restart`: the same server again, with what is said now.

use std::time::{Duration, Instant};

use serde_json::json;

use super::form::{absent, refuse};
use super::start::{start_child, unusable};
use super::{Form, place};
use crate::banner;
use crate::config::{self, Loaded, Overrides};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::halt::{Halt, Halted, Patience, halt};
use crate::instance::launch::Waiting;
use crate::instance::os::{Here, Identity, System};
use crate::instance::record::{Record, StartedBy};
use crate::instance::survey::Listens;
use crate::instance::{InstanceName, Place, Standing, survey};
use crate::{server, terminal};

/// How long to wait between two questions.
const STEP: Duration = Duration::from_millis(10);

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
    let standing = settled(&place, time)?;
    let old = match &standing {
        Standing::Running(running) => running.record.as_ref(),
        Standing::Stopped(stopped) => stopped.last.as_ref(),
        Standing::Elsewhere(_) | Standing::Stranger(_) => {
            return Ok(refuse(form, Exit::Failure, &absent(&place, &standing)));
        }
    };
    let said = now.port;
    let mut command = replay(context, now, old);
    let mut loaded = validated(context, &command)?;
    if let Some(port) = old.filter(|_| said.is_none()).and_then(|old| kept_port(old, &loaded)) {
        command.overrides.port = Some(port);
        loaded = validated(context, &command)?;
    }
    let was_running = matches!(standing, Standing::Running(_));
    if was_running {
        if old.is_none() {
            terminal::error(
                "warning: the record of the old server was damaged or removed: the new one has the flags that are given \
                 now, and no others",
            );
        }
        // Where it listens cannot be free, and without a record that is anywhere; another place must be, before the old one
        // is given up.
        if old.is_some_and(|old| old.port != loaded.config.server.port) {
            server::check_free(&loaded.config)?;
        }
        if let Some(exit) = stop_old(&place, time, form)? {
            return Ok(exit);
        }
        say(form, "Server stopped");
    }
    say(form, "Starting server...");
    let (url, pid) = start_child(context, &place, command, Waiting::For(time.max(Duration::from_secs(10))))?;
    match form {
        Form::Json => {
            let rpc = url.as_deref().map(banner::rpc);
            terminal::result(&json!({ "url": url, "rpc": rpc, "pid": pid, "was_running": was_running }).to_string());
        }
        Form::Text => {
            let url = url.unwrap_or_default();
            terminal::result(&format!(
                "Server is running on {url} (PID: {pid}); its ledger is in memory and starts fresh"
            ));
        }
    }
    Ok(Exit::Success)
}

/// The configuration of the new server, and that its directory is still there.
fn validated(context: &Context, command: &StartedBy) -> Result<Loaded, Error> {
    let replayed = context.replaying(&command.working_dir, &command.environment);
    let loaded = config::load(&replayed, &command.overrides)?;
    std::fs::read_dir(&command.working_dir)
        .map_err(|source| Error::WorkingDir { directory: command.working_dir.clone(), source })?;
    Ok(loaded)
}

/// How an instance stands, once a server that is starting has said how it was started.
fn settled(place: &Place, time: Duration) -> Result<Standing, Error> {
    let deadline = Instant::now() + time;
    loop {
        let standing = survey(place).map_err(unusable(place))?;
        let starting = matches!(&standing, Standing::Running(running) if running.listens == Listens::NotYet);
        if !starting || Instant::now() >= deadline {
            return Ok(standing);
        }
        std::thread::sleep(STEP);
    }
}

/// Stops the old server. An exit code where it would not stop.
fn stop_old(place: &Place, time: Duration, form: Form) -> Result<Option<Exit>, Error> {
    let begun = &mut |identity: &Identity| say(form, &format!("Stopping server (PID: {})...", identity.pid));
    let how = Halt { by: "mock restart", time, patience: Patience::Leave };
    let failed = |source| Error::State { name: place.name.clone(), source };
    let report = match halt(place, how, begun).map_err(failed)? {
        Halted::Stopped(_) | Halted::Killed(_) | Halted::NotRunning { .. } => return Ok(None),
        Halted::Draining(running) => super::stop::draining(&running, time),
        Halted::Elsewhere => absent(place, &Standing::Elsewhere(None)),
        Halted::Stranger(stranger) => absent(place, &Standing::Stranger(stranger)),
    };
    Ok(Some(refuse(form, Exit::Failure, &report)))
}

/// The port of the old server, where its configuration leaves the port open, or did not get the one it names. A port
/// that was changed in the configuration since then is meant.
fn kept_port(old: &Record, loaded: &Loaded) -> Option<u16> {
    let configured = loaded.config.server.port;
    let before = old.configuration.iter().find(|(key, _, _)| key == "server.port");
    let unchanged = before.is_none_or(|(_, before, _)| before.as_u64() == Some(configured.into()));
    (configured != old.port && (configured == 0 || unchanged)).then_some(old.port)
}

/// How the new server is started: as the last one was, where nothing else is said now.
fn replay(context: &Context, mut now: Overrides, old: Option<&Record>) -> StartedBy {
    // What is said now is meant here, not in the directory where the last one was started.
    now.config = now.config.map(|file| context.working_dir.join(file));
    let Some(old) = old else {
        let (working_dir, environment) = (context.working_dir.clone(), context.configuration());
        return StartedBy { overrides: now, working_dir, environment, parent: None };
    };
    let command = old.command.clone();
    let overrides = now.over(command.overrides);
    // A process that has ended meanwhile ends nothing any more.
    let parent = command.parent.filter(|parent| Here::identify(parent.pid).as_ref() == Some(parent));
    StartedBy { overrides, parent, ..command }
}

fn say(form: Form, text: &str) {
    if form == Form::Text {
        terminal::result(text);
    }
}
