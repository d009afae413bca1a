//! Faults where requests pass: which are played, and how answers are spoiled.
//!
//! | room | what it holds |
//! |---|---|
//! | [`script`] | the faults of one request: those of the world, and those that it asks for itself |
//! | [`till`] | a settlement with all that may go wrong, the same at both doors |
//! | [`call`] | what a resource server hears of the facilitator in its own process |
//! | [`wire`] | answers that go wrong on their way |
//! | [`receipt`] | receipts that say something wrong |
//! | [`line`] | connections that are reset |

pub mod call;
pub mod line;
pub mod receipt;
pub mod script;
pub mod till;
pub mod wire;

pub use script::{FAULT_HEADER, Script};
