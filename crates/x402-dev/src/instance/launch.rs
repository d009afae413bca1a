//! Starting a server in the background: this program again, in a session of its own.
//!
//! The child is told what to do on stdin and says on stdout, in one line, that it listens or why it died. After that its
//! stdout and stderr are the log file.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::home::InstanceName;
use super::record::StartedBy;
use crate::context::Context;

/// The hidden command that reads a [`Job`].
pub const COMMAND: &str = "run-in-background";

/// What a child shall run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Which instance.
    pub name: String,
    /// With which configuration.
    pub command: StartedBy,
}

/// The one line that a child says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// It listens.
    Ready {
        /// Where.
        url: String,
        /// As which process.
        pid: u32,
    },
    /// It cannot.
    Failed {
        /// Why, for people.
        report: String,
        /// With which exit code.
        exit: u8,
    },
}

/// How a start in the background went.
#[derive(Debug)]
pub enum Launched {
    /// The child has said its line.
    Said(Word),
    /// It has not said it in time, and goes on trying.
    StillStarting {
        /// Its PID.
        pid: u32,
    },
    /// It died without a word.
    Died {
        /// How, in words.
        status: String,
    },
}

/// Whether to wait for the child's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Up to a time.
    For(Duration),
    /// Not at all.
    No,
}

/// Starts a server in the background.
pub fn launch(context: &Context, job: &Job, waiting: Waiting) -> io::Result<Launched> {
    let program = std::env::current_exe()?;
    let replayed = context.replaying(&job.command.working_dir, &job.command.environment);
    let mut child = Command::new(program)
        .args(["mock", COMMAND])
        .current_dir(&replayed.working_dir)
        .env_clear()
        .envs(&replayed.environment)
        .envs(context.home.iter().map(|home| ("X402_DEV_HOME", home)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let text = serde_json::to_vec(job).expect("a job has string keys");
    if let Some(mut stdin) = child.stdin.take() {
        // A child that died before it read its job is told by its silence.
        let _ = stdin.write_all(&text);
    }
    match waiting {
        Waiting::No => Ok(Launched::StillStarting { pid: child.id() }),
        Waiting::For(time) => listen(child, time),
    }
}

fn listen(mut child: Child, time: Duration) -> io::Result<Launched> {
    let pid = child.id();
    let stdout = child.stdout.take().ok_or_else(|| io::Error::other("the child has no stdout"))?;
    let (sender, line) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        // One line of at most 64 KiB; nobody listens any more after a time-out.
        let read = BufReader::new(stdout.take(64 * 1024)).read_line(&mut text);
        let _ = sender.send(read.map(|_| text));
    });
    match line.recv_timeout(time) {
        Ok(Ok(text)) if !text.is_empty() => {
            let word = serde_json::from_str(&text).map_err(io::Error::other)?;
            if matches!(word, Word::Failed { .. }) {
                child.wait()?;
            }
            Ok(Launched::Said(word))
        }
        Ok(_) => Ok(Launched::Died { status: child.wait()?.to_string() }),
        Err(_) => Ok(Launched::StillStarting { pid }),
    }
}

/// The child's side: reads its job from stdin.
pub fn read_job() -> io::Result<Job> {
    let mut text = Vec::new();
    io::stdin().take(4 * 1024 * 1024).read_to_end(&mut text)?;
    serde_json::from_slice(&text).map_err(io::Error::other)
}

impl Job {
    /// The instance's name; the default one where the text is none.
    pub fn instance(&self) -> InstanceName {
        self.name.parse().unwrap_or_default()
    }
}
