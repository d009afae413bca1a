//! The commands, one file each; those of `mock` and `sign` in folders.

pub mod config;
pub mod mock;
pub mod sign;
