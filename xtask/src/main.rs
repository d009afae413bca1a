//! Development tasks of this repository. Nothing of the product depends on it.
//!
//! | room | what it holds |
//! |---|---|
//! | [`arguments`] | the command line as domain values, and the usage text |
//! | [`suite`] | `cargo xtask test`: which steps there are, in which order |
//! | [`report`] | a step with its time and outcome; the closing table |
//! | [`tally`] | how many tests passed and failed |
//! | [`tools`] | what must be installed |
//! | [`interop`] | the official SDKs: their packages, and their run |
//! | [`isolation`] | no network but loopback, and the proof of it |
//! | [`docs`], [`findings`] | documents that are made from data |
//! | [`bench`] | measurements |
//! | [`process`] | the only place that starts another program |
//! | [`workspace`] | where things lie |
//! | [`terminal`] | the only place that prints |
//! | [`failure`] | why a task stopped |

use std::process::ExitCode;

use arguments::{Task, USAGE};
use failure::Failure;
use workspace::Workspace;

mod admin;
mod arguments;
mod bench;
mod docs;
mod failure;
mod findings;
mod interop;
mod isolation;
mod process;
mod report;
mod suite;
mod tally;
mod terminal;
mod tools;
mod workspace;

/// The command line is wrong (`EX_USAGE`).
const EXIT_USAGE: u8 = 64;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    match Task::parse(&words) {
        Ok(task) => perform(&task),
        Err(failure) => {
            terminal::error(&format!("error: {failure}"));
            terminal::error(USAGE);
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn perform(task: &Task) -> ExitCode {
    let outcome = match task {
        Task::Help => {
            terminal::line(USAGE);
            Ok(())
        }
        Task::Test(options) => return Workspace::find().map_or_else(refuse, |place| suite::run(&place, *options)),
        Task::Docs(mode) => Workspace::find().and_then(|place| docs::run(&place, *mode)),
        Task::Bench(words) => Workspace::find().and_then(|place| bench::run(&place, words)),
    };
    outcome.map_or_else(refuse, |()| ExitCode::SUCCESS)
}

#[expect(clippy::needless_pass_by_value, reason = "an error handler takes the error")]
fn refuse(failure: Failure) -> ExitCode {
    terminal::error(&format!("error: {failure}"));
    ExitCode::FAILURE
}
