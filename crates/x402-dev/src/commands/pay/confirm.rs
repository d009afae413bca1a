//! Asking a person.

use std::io::{self, BufRead, Write};

use super::buy::Why;
use super::error::PayError;
use crate::terminal::safe;

/// Asks on stderr, and reads a line from stdin. Why nothing is paid, where the answer is not yes.
pub fn ask(question: &str) -> Result<Option<Why>, PayError> {
    let system = |source| PayError::System { what: "cannot ask whether to pay", source };
    let mut out = io::stderr().lock();
    write!(out, "{} [y/N] ", safe(question)).and_then(|()| out.flush()).map_err(system)?;
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line).map_err(system)? == 0 {
        // Nobody has ended the line of the question.
        writeln!(out).map_err(system)?;
        return Ok(Some(Why::Unanswered));
    }
    let yes = ["y", "yes"].iter().any(|yes| line.trim().eq_ignore_ascii_case(yes));
    Ok((!yes).then_some(Why::Declined))
}
