//! `mock stop`: ends an instance, and nobody else.

use std::time::Duration;

use serde_json::{Value, json};

use super::form::{absent, failure};
use super::{Form, home, place, standing, unreadable};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::halt::{Halt, Halted, Patience, halt};
use crate::instance::os::Identity;
use crate::instance::record::Draining;
use crate::instance::survey::Running;
use crate::instance::{InstanceName, Place, Standing};
use crate::terminal::{self, Colour};

/// Which instances to stop.
#[derive(Clone, Debug)]
pub enum Whom {
    /// One.
    One(InstanceName),
    /// All of this user.
    All,
}

/// How a stop went, for programs.
struct Stopped {
    exit: Exit,
    said: Value,
}

/// Stops instances.
pub fn stop(context: &Context, whom: &Whom, time: Duration, patience: Patience, form: Form) -> Result<Exit, Error> {
    let how = Halt { by: "mock stop", time, patience };
    let (exit, said) = match whom {
        Whom::One(name) => {
            let Stopped { exit, said } = stop_one(&place(context, name)?, how, form)?;
            (exit, said)
        }
        Whom::All => {
            let home = home(context)?;
            stop_all(&home.places().map_err(|source| unreadable(&home, source))?, how, form)
        }
    };
    if form == Form::Json {
        terminal::result(&said.to_string());
    }
    Ok(exit)
}

fn stop_all(places: &[Place], how: Halt, form: Form) -> (Exit, Value) {
    let mut stopped = Vec::new();
    for place in places {
        let standing = standing(place);
        if matches!(standing, Ok(Standing::Stopped(_))) {
            continue;
        }
        say(form, &format!("{}:", place.name));
        // One that cannot be stopped must not keep the others running.
        let outcome = standing.and_then(|_| stop_one(place, how, form)).unwrap_or_else(|error| {
            let report = error.report(Colour::Off);
            terminal::error(&report);
            Stopped { exit: error.exit(), said: named(place, failure(&report, error.exit())) }
        });
        stopped.push(outcome);
    }
    if stopped.is_empty() {
        say(form, "No server is running");
    }
    let worst = stopped.iter().map(|outcome| outcome.exit).max().unwrap_or(Exit::Success);
    (worst, stopped.into_iter().map(|outcome| outcome.said).collect())
}

fn stop_one(place: &Place, how: Halt, form: Form) -> Result<Stopped, Error> {
    let begun = &mut |identity: &Identity| say(form, &format!("Stopping server (PID: {})...", identity.pid));
    let failed = |source| Error::State { name: place.name.clone(), source };
    let halted = halt(place, how, begun).map_err(failed)?;
    let (exit, text, facts) = match &halted {
        Halted::Stopped(server) => {
            say(form, "Server stopped successfully");
            return Ok(ended(place, server, "stopped"));
        }
        Halted::Killed(server) => {
            say(form, "Server killed: it did not stop in time");
            return Ok(ended(place, server, "killed"));
        }
        Halted::NotRunning { stale: None } => {
            let standing = standing(place)?;
            (Exit::Failure, absent(place, &standing), json!({}))
        }
        Halted::NotRunning { stale: Some(found) } => {
            let found = found.describe();
            let text = format!("Server is not running (stale PID file removed)\nremoved   {found}");
            (Exit::NotRunning, text, json!({ "stale": found }))
        }
        Halted::Elsewhere => (Exit::Failure, absent(place, &Standing::Elsewhere(None)), json!({})),
        Halted::Stranger(stranger) => {
            (Exit::Failure, absent(place, &Standing::Stranger(stranger.clone())), json!({ "holder": stranger.pid }))
        }
        Halted::Draining(running) => {
            let draining = running.record.as_ref().and_then(|record| record.draining.as_ref());
            let facts = json!({ "pid": running.identity.pid, "draining": draining });
            (Exit::Failure, self::draining(running, how.time), facts)
        }
    };
    terminal::error(&text);
    let mut said = named(place, failure(&text, exit));
    if let (Value::Object(said), Value::Object(facts)) = (&mut said, facts) {
        said.extend(facts);
    }
    Ok(Stopped { exit, said })
}

fn ended(place: &Place, server: &Identity, how: &str) -> Stopped {
    Stopped { exit: Exit::Success, said: named(place, json!({ "pid": server.pid, "outcome": how })) }
}

/// The same facts, with the name of the instance.
fn named(place: &Place, mut facts: Value) -> Value {
    facts["name"] = Value::from(place.name.to_string());
    facts
}

fn say(form: Form, text: &str) {
    if form == Form::Text {
        terminal::result(text);
    }
}

/// `2 requests that were in flight when it was told to end`.
pub fn waiting_for(draining: &Draining) -> String {
    let (plural, were) = if draining.in_flight == 1 { ("", "was") } else { ("s", "were") };
    format!("{} request{plural} that {were} in flight when it was told to end", draining.in_flight)
}

/// What a server that does not end waits for.
pub fn draining(running: &Running, time: Duration) -> String {
    let draining = running.record.as_ref().and_then(|record| record.draining.as_ref());
    let (pid, time) = (running.identity.pid, time.as_millis());
    match draining {
        Some(draining) => format!(
            "Server (PID: {pid}) is still draining after {time} ms: it waits for {}\nhint: it ends by itself, or at once \
             with `x402-dev mock stop --force`",
            waiting_for(draining)
        ),
        None => format!(
            "Server (PID: {pid}) still runs after {time} ms: it has not said what it waits for, and may be suspended\n\
             hint: end it at once with `x402-dev mock stop --force`"
        ),
    }
}
