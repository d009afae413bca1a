//! What programs say while they run. Spelled only for whoever reads it: an address in base58 is costly to write, and a
//! verification has no reader.

use std::fmt;

use super::Failure;
use crate::networks::solana::key::Key;

/// A line of a transaction's log.
#[derive(Clone, Debug)]
pub enum Line {
    /// A program begins.
    Invoke(Key),
    /// It computed so many units of so many that were left.
    Consumed(Key, u64, u64),
    /// It is done.
    Success(Key),
    /// It failed.
    Failed(Key, Failure),
    /// The memo program saw a signature.
    Signed(Key),
    /// The memo program took a text.
    Memo(String),
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invoke(id) => write!(out, "Program {id} invoke [1]"),
            Self::Consumed(id, cost, before) => write!(out, "Program {id} consumed {cost} of {before} compute units"),
            Self::Success(id) => write!(out, "Program {id} success"),
            Self::Failed(id, failure) => write!(out, "Program {id} failed: {failure}"),
            Self::Signed(key) => write!(out, "Program log: Signed by {key}"),
            Self::Memo(text) => write!(out, "Program log: Memo (len {}): {text:?}", text.len()),
        }
    }
}
