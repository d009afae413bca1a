//! In which form a command says its result, and what it says where there is none.

use serde_json::{Value, json};

use crate::exit::Exit;
use crate::instance::survey::Listens;
use crate::instance::{Place, Standing};
use crate::terminal;

use super::ending::{Ended, ended};

/// In which form a command says its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs: one JSON object on stdout, whatever the exit code.
    Json,
}

impl Form {
    /// JSON, or not.
    pub const fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

/// Says on stderr why a command did not do its work; in JSON on stdout, too.
pub fn refuse(form: Form, exit: Exit, report: &str) -> Exit {
    terminal::error(report);
    if form == Form::Json {
        terminal::result(&failure(report, exit).to_string());
    }
    exit
}

/// Why a command did not do its work, for programs. Reports of servers in the background come as text only, so that this
/// takes them apart.
pub fn failure(report: &str, exit: Exit) -> Value {
    let text = report.trim_end();
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let (error, hint) = text.split_once("\nhint: ").map_or((text, None), |(error, hint)| (error, Some(hint)));
    json!({ "error": error, "hint": hint, "exit": exit.number() })
}

/// Why a server cannot be asked, or told anything.
pub fn absent(place: &Place, standing: &Standing) -> String {
    match standing {
        Standing::Running(running) => {
            let pid = running.identity.pid;
            match running.listens {
                Listens::NotYet => {
                    format!("Server (PID: {pid}) does not listen yet\nhint: wait for it with `x402-dev mock wait`")
                }
                Listens::Yes | Listens::WithoutRecord => format!(
                    "Server (PID: {pid}) runs, but its record {} was damaged or removed, so that nobody knows its \
                     address\nhint: start it anew with `x402-dev mock restart` and the flags that it had",
                    place.state().display()
                ),
            }
        }
        Standing::Elsewhere(_) => {
            "Server is running in another container, or on another machine that shares its directory: it can be \
             addressed there only"
                .to_owned()
        }
        Standing::Stranger(stranger) => format!(
            "Server is not running: its lock {} is held by {}, which is not known to be a server of x402-dev and is left \
             alone\nhint: end that process yourself, or use another instance with --name",
            place.lock().display(),
            stranger.describe()
        ),
        Standing::Stopped(stopped) => {
            let text = "Server is not running".to_owned();
            // Whoever looks for a process that was there a minute ago wants to know this.
            match stopped.last.as_ref().map(ended) {
                Some(ended @ Ended::WithTheSystem) => format!("{text}: the last one {}", ended.words()),
                _ => text,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_taken_apart() {
        let said = failure("error: it failed: twice\nhint: look there\n", Exit::Unavailable);
        assert_eq!(said, json!({ "error": "it failed: twice", "hint": "look there", "exit": 69 }));
        let said = failure("Server is not running", Exit::Failure);
        assert_eq!(said, json!({ "error": "Server is not running", "hint": null, "exit": 1 }));
    }
}
