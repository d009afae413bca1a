//! `mock list`: every instance of this user.

use serde_json::json;

use super::status::ending_text;
use super::{Form, home};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
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
    let rows: Vec<_> = home(context)?.places().iter().map(row).collect();
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
            note: if running.record.is_some() { "running" } else { "starting" }.to_owned(),
        },
        Ok(Standing::Elsewhere) => Row { name, pid: None, url: None, note: "running in another container".to_owned() },
        Ok(Standing::Stopped(stopped)) => {
            let last = stopped.last.as_ref().map(ending_text);
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
