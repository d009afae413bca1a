//! The commands, one file each; those of `mock`, `pay` and `sign` in folders. [`door`] is how they reach a server.

pub mod accounts;
pub mod approve;
pub mod assert;
pub mod clock;
pub mod config;
pub mod decode;
pub mod door;
pub mod events;
pub mod explain;
pub mod fault;
pub mod fund;
pub mod mock;
pub mod pay;
pub mod purchases;
pub mod sign;
pub mod snapshot;
