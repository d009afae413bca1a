//! Measurements. Nothing is measured yet, so the usage does not list this task.

use crate::failure::Failure;
use crate::workspace::Workspace;

/// Measures, and prints what it found. The words are the rest of the command line.
pub(crate) fn run(_workspace: &Workspace, _words: &[String]) -> Result<(), Failure> {
    Err(Failure::new("nothing is measured yet"))
}
