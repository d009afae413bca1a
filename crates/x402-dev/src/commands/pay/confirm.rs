//! Asking a person.

use std::io::{self, BufRead, Write};

use super::error::PayError;
use super::story::safe;

/// What a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Yes.
    Given,
    /// Anything else.
    Declined,
}

/// Asks on stderr, and reads a line from stdin.
pub fn ask(question: &str) -> Result<Consent, PayError> {
    let system = |source| PayError::System { what: "cannot ask whether to pay", source };
    let mut out = io::stderr().lock();
    write!(out, "{} [y/N] ", safe(question)).and_then(|()| out.flush()).map_err(system)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(system)?;
    let yes = ["y", "yes"].iter().any(|yes| line.trim().eq_ignore_ascii_case(yes));
    Ok(if yes { Consent::Given } else { Consent::Declined })
}
