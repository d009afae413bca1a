//! `mock status`: whether an instance runs, and how the last one ended.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::ending::last_run;
use super::form::absent;
use super::stop::waiting_for;
use super::{Form, place, standing};
use crate::context::Context;
use crate::doors::admin::{Instance, client};
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::record::Record;
use crate::instance::survey::{Listens, Running, Stopped};
use crate::instance::{InstanceName, Standing};
use crate::terminal;

/// Says how an instance stands.
pub fn status(context: &Context, name: &InstanceName, form: Form) -> Result<Exit, Error> {
    let place = place(context, name)?;
    let standing = standing(&place)?;
    let (text, value, exit) = match &standing {
        Standing::Running(running) => {
            let asked = running.record.as_ref().and_then(|record| client::instance(record).ok());
            (running_text(running, asked.as_ref()), running_json(running, asked.as_ref()), Exit::Success)
        }
        Standing::Elsewhere(record) => {
            let (text, value) = elsewhere(record.as_deref().filter(|record| record.ending.is_none()));
            (text, value, Exit::Success)
        }
        Standing::Stranger(stranger) => {
            let value = json!({ "running": false, "stale": null, "last_run": null, "holder": stranger.pid });
            (absent(&place, &standing), value, Exit::NotRunning)
        }
        Standing::Stopped(stopped) => (stopped_text(stopped), stopped_json(stopped), Exit::NotRunning),
    };
    terminal::result(&match form {
        Form::Text => text,
        Form::Json => value.to_string(),
    });
    Ok(exit)
}

fn running_text(running: &Running, asked: Option<&Instance>) -> String {
    let mut text = format!("Server is running (PID: {})", running.identity.pid);
    let mut line = |label: &str, value: String| {
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, "\n{label:<10}{value}");
    };
    if let Some(record) = &running.record {
        line("url", record.url.clone());
        line("version", record.version.clone());
        line("config", config_files(record));
    }
    line("state", state(running, asked));
    if let Some(asked) = asked {
        line("uptime", human(Duration::from_millis(asked.uptime_ms)));
        line("requests", asked.requests.to_string());
        line("payments", asked.payments.to_string());
    }
    line("ledger", "in memory".to_owned());
    if let Some(log) = running.record.as_ref().and_then(|record| record.log.as_ref()) {
        line("log", log.display().to_string());
    }
    if let Some(found) = &running.repaired {
        line("repaired", format!("the PID file was {}", found.describe()));
    }
    if let Some(last) = running.record.as_ref().and_then(|record| record.last_run.as_deref()) {
        line("last run", last.ending.clone());
    }
    text
}

/// What a running server does now.
fn state(running: &Running, asked: Option<&Instance>) -> String {
    let Some(record) = &running.record else {
        return if running.listens == Listens::NotYet {
            "starting: it does not listen yet".to_owned()
        } else {
            "its record was damaged or removed: `mock stop` and `mock restart` work, nothing else does".to_owned()
        };
    };
    if asked.is_some() {
        return "answers".to_owned();
    }
    let draining = record.draining.as_ref().map(waiting_for);
    draining.map_or_else(|| "it does not answer".to_owned(), |what| format!("draining: it waits for {what}"))
}

/// What is known of a server that only its record describes.
fn elsewhere(record: Option<&Record>) -> (String, Value) {
    let mut text =
        "Server is running (in another container, or on another machine that shares its directory)".to_owned();
    if let Some(record) = record {
        let _ = write!(text, "\nrecord    PID {} there, {}", record.identity.pid, record.url);
    }
    let value = json!({
        "running": true,
        "elsewhere": true,
        "pid": record.map(|record| record.identity.pid),
        "url": record.map(|record| &record.url),
    });
    (text, value)
}

fn running_json(running: &Running, asked: Option<&Instance>) -> Value {
    let record = running.record.as_ref();
    json!({
        "running": true,
        "pid": running.identity.pid,
        "url": record.map(|record| &record.url),
        "version": record.map(|record| &record.version),
        "answers": asked.is_some(),
        "state": state(running, asked),
        "uptime_ms": asked.map(|asked| asked.uptime_ms),
        "requests": asked.map(|asked| asked.requests),
        "payments": asked.map(|asked| asked.payments),
        "in_flight": asked.map(|asked| asked.in_flight),
        "draining": record.and_then(|record| record.draining.as_ref()),
        "config": record.map(config_files),
        "ledger": "memory",
        "log": record.and_then(|record| record.log.as_ref()),
        "repaired": running.repaired.as_ref().map(crate::instance::survey::PidFile::describe),
        "last_run": record.and_then(|record| record.last_run.as_deref()),
    })
}

fn stopped_text(stopped: &Stopped) -> String {
    let mut text = "Server is not running".to_owned();
    if let Some(found) = &stopped.stale {
        let _ = write!(text, " (stale PID removed)\nremoved   {}", found.describe());
    }
    if let Some(last) = &stopped.last {
        let last = last_run(last);
        let _ = write!(text, "\nlast run  {}", last.ending);
        for line in last.last_lines {
            let _ = write!(text, "\n          {line}");
        }
    }
    text
}

fn stopped_json(stopped: &Stopped) -> Value {
    json!({
        "running": false,
        "stale": stopped.stale.as_ref().map(crate::instance::survey::PidFile::describe),
        "last_run": stopped.last.as_ref().map(last_run),
    })
}

/// The files that gave a value.
fn config_files(record: &Record) -> String {
    let mut files: Vec<String> = record
        .configuration
        .iter()
        .filter_map(|(_, _, origin)| {
            let (file, column) = origin.rsplit_once(':')?;
            let (file, line) = file.rsplit_once(':')?;
            (column.parse::<u32>().is_ok() && line.parse::<u32>().is_ok())
                .then(|| record.command.working_dir.join(file).display().to_string())
        })
        .collect();
    files.sort_unstable();
    files.dedup();
    if files.is_empty() { "no file".to_owned() } else { files.join(", ") }
}

/// A duration for people: `1h 02m 03s`.
pub fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, seconds) => format!("{hours}h {minutes:02}m {seconds:02}s"),
    }
}
