//! Why a measurement stopped.

use std::fmt;

/// A lowercase fragment that says what happened and to which thing. People read it; nobody matches on a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure(String);

impl Failure {
    /// A failure that says this.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What was being done when something else failed.
    pub(crate) fn while_at<E: fmt::Display>(what: &str) -> impl FnOnce(E) -> Self + use<'_, E> {
        move |cause| Self(format!("{what}: {cause}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
