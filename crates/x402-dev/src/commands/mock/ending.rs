//! Why the last server of an instance ended: what it said itself, or what can still be known.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::clock;
use crate::instance::os::{Here, System};
use crate::instance::record::{Cause, Ending, LastRun, Record};

/// How many lines of the log of a crashed server are shown.
const LAST_LINES: usize = 5;

/// How much of the log is looked at, in bytes.
const TAIL: u64 = 64 * 1024;

/// What the run time of Rust and a server that panicked say before the process ends.
const LAST_WORDS: [&str; 4] = [PANICKED, "has overflowed its stack", "memory allocation of", "fatal runtime error"];

/// What a server says that ends because of a panic.
pub const PANICKED: &str = "bug: the server ends with a panic";

/// How a server ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As it said itself.
    Said(Ending),
    /// It runs in no boot of this system that is now.
    WithTheSystem,
    /// Its log says of what.
    Crashed(String),
    /// Nobody is left to say.
    Unknown,
}

/// How a server ended that does not run any more.
pub fn ended(last: &Record) -> Ended {
    if let Some(ending) = &last.ending {
        return Ended::Said(ending.clone());
    }
    let here = Here::identify(std::process::id());
    if here.is_some_and(|here| here.boot_id != last.identity.boot_id) {
        return Ended::WithTheSystem;
    }
    let lines = tail(last);
    let word = lines.iter().rev().take(LAST_LINES).find(|line| LAST_WORDS.iter().any(|word| line.contains(word)));
    word.map_or(Ended::Unknown, |line| Ended::Crashed(line.clone()))
}

impl Ended {
    /// In words that go on after `the last one`.
    pub fn words(&self) -> String {
        let ending = match self {
            Self::Said(ending) => ending,
            Self::WithTheSystem => {
                return "ended with the system: that was restarted meanwhile, or the server ran on another machine that \
                        shares this directory"
                    .to_owned();
            }
            Self::Crashed(word) => return format!("crashed: {word}"),
            Self::Unknown => return "crashed or was killed: it could not say why".to_owned(),
        };
        let at = clock::timestamp(ending.at);
        match &ending.cause {
            Cause::Stopped(command) => format!("stopped by `{command}` at {at}"),
            Cause::Signal(name) => format!("stopped by {name} at {at}"),
            Cause::Parent => format!("stopped at {at}, when the process that it was bound to ended"),
            Cause::Killed => format!("killed by `mock stop --force` at {at}"),
            Cause::Failed(why) => format!("failed at {at}: {why}"),
        }
    }

    /// In one word, for programs.
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::Said(ending) => match ending.cause {
                Cause::Stopped(_) => "stop",
                Cause::Signal(_) => "signal",
                Cause::Parent => "parent",
                Cause::Killed => "killed",
                Cause::Failed(_) => "failed",
            },
            Self::WithTheSystem => "system",
            Self::Crashed(_) => "crash",
            Self::Unknown => "unknown",
        }
    }
}

/// A run that is over, as far as it can be known now.
pub fn last_run(last: &Record) -> LastRun {
    let ended = ended(last);
    LastRun {
        pid: last.identity.pid,
        url: last.url.clone(),
        started_at: last.started_at,
        ended_at: last.ending.as_ref().map(|ending| ending.at),
        cause: ended.cause().to_owned(),
        ending: ended.words(),
        last_lines: last_lines(last),
    }
}

/// The last lines of the log of a server that could not say why it ended.
fn last_lines(last: &Record) -> Vec<String> {
    let mut lines = if last.ending.is_none() { tail(last) } else { Vec::new() };
    lines.split_off(lines.len().saturating_sub(LAST_LINES))
}

/// The end of a server's log. One that has none, or whose log was removed, has no lines.
fn tail(last: &Record) -> Vec<String> {
    let text = last.log.as_deref().and_then(|log| read_tail(log).ok()).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
}

fn read_tail(log: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut text = Vec::new();
    file.take(TAIL).read_to_end(&mut text)?;
    Ok(text)
}
