//! Why a task stopped.

use std::fmt;

/// A lowercase fragment that says what happened and to which thing. These tasks are read by people only: there is
/// nobody who would match on a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure(String);

impl Failure {
    /// A failure that says this.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A file or folder that could not be read or written.
    pub(crate) fn file(path: &std::path::Path, cause: &std::io::Error) -> Self {
        Self(format!("{}: {cause}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
