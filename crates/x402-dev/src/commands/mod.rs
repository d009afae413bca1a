//! The commands, one file each; those of `mock` in a folder.

pub mod config;
pub mod mock;
