//! How a command reaches the admin door of a server, and how it says what it heard.

use http::Uri;
use serde::Serialize;
use serde_json::Value;

use super::mock::form::{absent, failure};
use super::mock::{Form, place, standing};
use crate::context::Context;
use crate::doors::admin::client::{CallError, Remote};
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::InstanceName;
use crate::terminal::{self, Colour};

/// The environment variable with the token of a server that is given by its URL.
pub const TOKEN: &str = "X402_DEV_TOKEN";

/// Which server, and in which form its answer is printed.
#[derive(Clone, Debug)]
pub struct Door {
    /// The instance of this user.
    pub name: InstanceName,
    /// The server at this address, in place of an instance.
    pub url: Option<Uri>,
    /// The form of the result.
    pub form: Form,
}

/// Why a server cannot be asked, or what it refused.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// No instance of that name can be asked.
    #[error("{}", .report.split('\n').next().unwrap_or_default())]
    NotRunning {
        /// The sentence, and what to do next where there is more to say than to start one.
        report: String,
        /// The instance.
        name: InstanceName,
    },
    /// No filter of events.
    #[error(transparent)]
    Filter(x402_sim::event::FilterError),
    /// No assertion.
    #[error(transparent)]
    Assertion(super::assert::BadAssertion),
    /// A file of this computer.
    #[error(transparent)]
    File(#[from] super::snapshot::FileError),
    /// It gave no answer, or a refusal.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl DoorError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotRunning { report, name } => {
                let hint = report.split_once("\nhint: ").map(|(_, hint)| hint.to_owned());
                let name = if *name == InstanceName::default() { String::new() } else { format!(" --name {name}") };
                Some(hint.unwrap_or_else(|| format!("start one with `x402-dev mock -d{name}`, or give --url")))
            }
            Self::Assertion(bad) => bad.error.hint.clone(),
            Self::File(_) => None,
            Self::Filter(_) => Some("such as --filter kind=settled --filter payer=alice".to_owned()),
            Self::Call(CallError::Refused(problem)) if &*problem.code == "token_required" => {
                Some(format!("set {TOKEN} to the token of the instance's state file, or use --name on its machine"))
            }
            Self::Call(CallError::Refused(problem)) => problem.hint.as_deref().map(str::to_owned),
            Self::Call(CallError::Unreachable { .. }) => {
                Some("see `x402-dev mock status` and `x402-dev mock logs`".to_owned())
            }
            Self::Call(CallError::Strange { .. }) => Some("is this the address of a server of x402-dev?".to_owned()),
        }
    }

    /// The exit code. What is wrong by its form is wrong on the command line.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotRunning { .. } => Exit::NotRunning,
            Self::Filter(_) | Self::Assertion(_) | Self::File(super::snapshot::FileError::Unreadable { .. }) => {
                Exit::Usage
            }
            Self::File(super::snapshot::FileError::Unwritable { .. }) => Exit::CannotCreate,
            Self::Call(CallError::Refused(problem)) if problem.status == 400 => Exit::Usage,
            Self::Call(CallError::Refused(_)) => Exit::Failure,
            Self::Call(CallError::Unreachable { .. } | CallError::Strange { .. }) => Exit::Unavailable,
        }
    }

    /// The stable code of a refusal.
    fn code(&self) -> Option<&str> {
        match self {
            Self::Call(CallError::Refused(problem)) => Some(&problem.code),
            _ => None,
        }
    }
}

impl Door {
    /// The server.
    pub fn open(&self, context: &Context) -> Result<Remote, Error> {
        if let Some(url) = &self.url {
            return Ok(Remote { url: url.clone(), token: context.variable(TOKEN).map(str::to_owned) });
        }
        let place = place(context, &self.name)?;
        let standing = standing(&place)?;
        let absent = || DoorError::NotRunning { report: absent(&place, &standing), name: self.name.clone() };
        let record = standing.record().ok_or_else(absent)?;
        Remote::of(record).map_err(|source| Error::State { name: self.name.clone(), source })
    }

    /// Does something with the server, and prints what it said: in JSON as it is, else as `text` words it.
    pub fn ask<T: Serialize>(
        &self,
        context: &Context,
        question: impl FnOnce(&Remote) -> Result<T, CallError>,
        text: impl FnOnce(&T) -> String,
    ) -> Result<Exit, Error> {
        self.run(|| {
            let answer = question(&self.open(context)?).map_err(DoorError::from)?;
            terminal::result(&match self.form {
                Form::Text => text(&answer),
                Form::Json => serde_json::to_string(&answer).expect("answers have string keys"),
            });
            Ok(Exit::Success)
        })
    }

    /// Runs a command. In JSON, a failure is said on stdout, too.
    pub fn run(&self, command: impl FnOnce() -> Result<Exit, Error>) -> Result<Exit, Error> {
        let outcome = command();
        if let (Err(error), Form::Json) = (&outcome, self.form) {
            let mut said = failure(&error.report(Colour::Off), error.exit());
            if let (Error::Door(error), Value::Object(fields)) = (error, &mut said) {
                fields.insert("code".to_owned(), error.code().into());
            }
            terminal::result(&said.to_string());
        }
        outcome
    }
}

/// A text as a segment of a path.
pub fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
    let escaped = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escaped).collect()
}

/// Lines of columns, each as wide as its widest cell; the last one as it is.
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..count).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_one_segment() {
        assert_eq!(segment("0xAb_1-~"), "0xAb_1-~");
        assert_eq!(segment("../a b?é"), "%2E%2E%2Fa%20b%3F%C3%A9");
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let row = |cells: &[&str]| cells.iter().map(ToString::to_string).collect();
        assert_eq!(columns(&[row(&["a", "bb", "c"]), row(&["aaa", "", "cc"])]), "a    bb  c\naaa      cc");
    }
}
