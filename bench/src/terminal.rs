//! The only place that prints. A reader that went away is no reason to stop.

use std::io::{Write, stderr, stdout};

/// A text on stdout: results, and the words of a helper process.
pub(crate) fn line(text: &str) {
    let mut out = stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A line on stderr: progress and errors.
pub(crate) fn note(text: &str) {
    let _ = writeln!(stderr().lock(), "{text}");
}
