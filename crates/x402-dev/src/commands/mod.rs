//! The commands, one file each; those of `mock` and `sign` in folders. [`door`] is how they reach a server.

pub mod accounts;
pub mod assert;
pub mod clock;
pub mod config;
pub mod door;
pub mod events;
pub mod fault;
pub mod fund;
pub mod mock;
pub mod purchases;
pub mod sign;
pub mod snapshot;
