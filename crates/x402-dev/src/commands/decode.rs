//! `x402-dev decode`: what something says. It is `explain` without judgement.

use super::explain::{self, Job};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Decodes something and prints what it says.
pub fn run(context: &Context, job: &Job) -> Result<Exit, Error> {
    explain::run(context, job)
}
