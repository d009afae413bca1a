//! What a server says about itself: the state file. It holds a token and is readable by its user only.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::home::write_atomically;
use super::os::Identity;
use crate::config::Overrides;

/// The format that this version writes and reads.
const FORMAT: u32 = 1;

/// The largest state file that is read, in bytes.
const LIMIT: u64 = 1024 * 1024;

/// An effective value: key, value, origin.
pub type Setting = (String, serde_json::Value, String);

/// A server, as it was when it began to listen, or read its configuration again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    format: u32,
    /// The process.
    pub identity: Identity,
    /// What admin requests must know.
    pub token: String,
    /// The address for clients.
    pub url: String,
    /// The port that it listens on.
    pub port: u16,
    /// The version of the program.
    pub version: String,
    /// When it began to listen, in milliseconds since 1970.
    pub started_at: u64,
    /// Every effective value: key, value, origin.
    pub configuration: Vec<Setting>,
    /// How it was started: what `restart` replays.
    pub command: StartedBy,
    /// The log file of a server in the background.
    pub log: Option<PathBuf>,
    /// What it waits for since it was told to end.
    #[serde(default)]
    pub draining: Option<Draining>,
    /// How it ended; `None` while it runs, and for one that could not say.
    pub ending: Option<Ending>,
    /// The run before this one, where that is known.
    #[serde(default)]
    pub last_run: Option<Box<LastRun>>,
}

/// A run that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// The PID of its process.
    pub pid: u32,
    /// The address for clients that it had.
    pub url: String,
    /// When it began to listen, in milliseconds since 1970.
    pub started_at: u64,
    /// When it ended, in milliseconds since 1970, if it could say so.
    pub ended_at: Option<u64>,
    /// Why it ended, in one word.
    pub cause: String,
    /// Why it ended, in words.
    pub ending: String,
    /// The last lines of its log, if it could not say why it ended.
    pub last_lines: Vec<String>,
}

/// How a server was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedBy {
    /// The flags.
    pub overrides: Overrides,
    /// The working directory.
    pub working_dir: PathBuf,
    /// The environment variables that are configuration.
    pub environment: BTreeMap<String, String>,
    /// The process with which it ends.
    #[serde(default)]
    pub parent: Option<Identity>,
}

/// What a server waits for since it was told to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draining {
    /// How many requests were in flight then.
    pub in_flight: u64,
    /// When, in milliseconds since 1970.
    pub since: u64,
}

/// How a server ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Why.
    pub cause: Cause,
    /// When, in milliseconds since 1970.
    pub at: u64,
}

/// Why a server ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It was told to by a signal: `SIGTERM`, `SIGINT`, `SIGHUP`.
    Signal(String),
    /// It was told to by one of our commands: `mock stop`, `mock restart`.
    Stopped(String),
    /// The process that it was bound to ended.
    Parent,
    /// It was killed by `mock stop --force`, because it did not end in time.
    Killed,
    /// It failed.
    Failed(String),
}

/// What a server knows when it begins to listen.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The process.
    pub identity: Identity,
    /// What admin requests must know.
    pub token: String,
    /// The address for clients.
    pub url: String,
    /// The port that it listens on.
    pub port: u16,
    /// When it began to listen, in milliseconds since 1970.
    pub started_at: u64,
    /// Every effective value: key, value, origin.
    pub configuration: Vec<Setting>,
    /// How it was started.
    pub command: StartedBy,
    /// The log file, if it writes one.
    pub log: Option<PathBuf>,
    /// The run before this one, where that is known.
    pub last_run: Option<Box<LastRun>>,
}

impl Record {
    /// The record of a server that has begun to listen.
    pub fn new(facts: Facts) -> Self {
        let Facts { identity, token, url, port, started_at, configuration, command, log, last_run } = facts;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self {
            format: FORMAT,
            identity,
            token,
            url,
            port,
            version,
            started_at,
            configuration,
            command,
            log,
            draining: None,
            ending: None,
            last_run,
        }
    }

    /// Reads a state file. `None` where there is none, or none that this version can read.
    pub fn read(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        if !metadata.is_file() || metadata.len() > LIMIT {
            return None;
        }
        let record: Self = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        (record.format == FORMAT).then_some(record)
    }

    /// Writes the state file in one step.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let json = serde_json::to_vec_pretty(self).expect("a record has string keys");
        write_atomically(path, &json)
    }
}
