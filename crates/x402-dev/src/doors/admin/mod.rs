//! The admin door: what the commands ask a running instance, with the instance's own token.
//!
//! | room | what it holds |
//! |---|---|
//! | [`routes`] | we answer |
//! | [`client`] | we ask |
//! | [`answer`](Instance) | what both sides say |

use serde::{Deserialize, Serialize};

pub mod client;
pub mod routes;

/// Where an instance tells how it is.
pub const INSTANCE: &str = "/_x402/api/instance";

/// Where an instance is told to read its configuration again.
pub const RELOAD: &str = "/_x402/api/reload";

/// How an instance is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// The process.
    pub pid: u32,
    /// The version of the program.
    pub version: String,
    /// For how long it has listened, in milliseconds.
    pub uptime_ms: u64,
    /// Requests that were taken.
    pub requests: u64,
    /// Payments that were settled.
    pub payments: u64,
    /// Requests that are being answered now, this one aside.
    pub in_flight: u64,
}

/// How a reload went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reloaded {
    /// These keys have other values now.
    Changed(Vec<String>),
    /// The old configuration holds; this is why.
    Refused(String),
}
