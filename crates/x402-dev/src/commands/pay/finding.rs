//! What is to be said about a seller besides the outcome.

use serde::Serialize;

/// Something that the buyer should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its stable name.
    pub code: &'static str,
    /// What it is, in a sentence.
    pub text: String,
}

impl Finding {
    /// A finding.
    pub const fn new(code: &'static str, text: String) -> Self {
        Self { code, text }
    }

    /// Adds a finding, unless it was made before.
    pub fn add(self, to: &mut Vec<Self>) {
        if !to.contains(&self) {
            to.push(self);
        }
    }
}
