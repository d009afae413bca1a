//! Instances: who is running, and where.
//!
//! Truth is a lock, not a number. A server holds a file lock for its whole life and takes it before it touches anything;
//! the kernel tells everybody else who holds it. Any program can hold any lock, so that the server signs it. A PID file is
//! written for people and other tools, and never believed: a process is ours only when it holds the lock and its PID, start
//! time and boot id are those of the signature or the record, and only such a process is ever signalled.
//!
//! | room | what it holds |
//! |---|---|
//! | [`home`] | the directory of an instance and the names of its files |
//! | [`lock`] | taking the lock, and asking who holds it |
//! | [`os`] | what only the operating system knows; the only file with `cfg(target_os)` |
//! | [`record`] | what a server says about itself: the state file |
//! | [`survey`] | is it running? what is stale? how did the last one end? |
//! | [`launch`] | starting a server in the background |
//! | [`halt`] | stopping one |
//! | [`hold`] | the server's own side: lock, record and PID file, for as long as it lives |
//! | [`log`] | the log file and its rotation |

pub mod halt;
pub mod hold;
pub mod home;
pub mod launch;
pub mod lock;
pub mod log;
pub mod os;
pub mod record;
pub mod survey;

pub use home::{Home, InstanceName, Place};
pub use record::Record;
pub use survey::{Standing, survey};
