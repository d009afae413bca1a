//! `mock list`: every instance of this user.

use serde_json::json;

use super::ending::ended;
use super::{Form, home, unreadable};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::survey::Listens;
use crate::instance::{Place, Standing, survey};
use crate::terminal;

/// One line of the list.
struct Row {
    name: String,
    pid: Option<u32>,
    url: Option<String>,
    note: String,
}

/// Lists every instance; PID files of dead ones are removed.
pub fn list(context: &Context, form: Form) -> Result<Exit, Error> {
    let home = home(context)?;
    let places = home.places().map_err(|source| unreadable(&home, source))?;
    let rows: Vec<_> = places.iter().map(row).collect();
    terminal::result(&match form {
        Form::Json => {
            let rows = rows.iter().map(|row| {
                json!({ "name": row.name, "running": row.pid.is_some(), "pid": row.pid, "url": row.url, "note": row.note })
            });
            serde_json::Value::Array(rows.collect()).to_string()
        }
        Form::Text if rows.is_empty() => "No instance has been started yet".to_owned(),
        Form::Text => rows.iter().map(Row::line).collect::<Vec<_>>().join("\n"),
    });
    Ok(Exit::Success)
}

fn row(place: &Place) -> Row {
    let name = place.name.to_string();
    match survey(place) {
        // One that cannot be asked must not hide the others.
        Err(error) => Row { name, pid: None, url: None, note: format!("unknown: {error}") },
        Ok(Standing::Running(running)) => Row {
            name,
            pid: Some(running.identity.pid),
            url: running.record.as_ref().map(|record| record.url.clone()),
            note: match running.listens {
                Listens::Yes => "running",
                Listens::NotYet => "starting",
                Listens::WithoutRecord => "running; its record was damaged or removed",
            }
            .to_owned(),
        },
        Ok(Standing::Elsewhere(_)) => {
            Row { name, pid: None, url: None, note: "running in another container, or on another machine".to_owned() }
        }
        Ok(Standing::Stranger(stranger)) => {
            let note = format!("not running: its lock is held by {}, no server of x402-dev", stranger.describe());
            Row { name, pid: None, url: None, note }
        }
        Ok(Standing::Stopped(stopped)) => {
            let last = stopped.last.as_ref().map(|last| ended(last).words());
            let stale = stopped.stale.map(|_| "stale PID removed; ").unwrap_or_default();
            let note = format!("{stale}{}", last.unwrap_or_else(|| "not running".to_owned()));
            Row { name, pid: None, url: None, note }
        }
    }
}

impl Row {
    fn line(&self) -> String {
        let pid = self.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        format!("{:<16} {pid:<8} {:<28} {}", self.name, self.url.as_deref().unwrap_or("-"), self.note)
    }
}
