//! The only place that prints. Every line is flushed, so that a log shows it when it happens.
//! A reader that went away is no reason to stop: the exit code still tells.

use std::io::{Write, stderr, stdout};

/// A line on stdout.
pub(crate) fn line(text: &str) {
    let mut out = stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A line on stderr.
pub(crate) fn error(text: &str) {
    let _ = writeln!(stderr().lock(), "{text}");
}
