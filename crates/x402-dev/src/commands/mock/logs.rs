//! `mock logs`: what a server in the background has written, followed across rotation.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Form, place};
use crate::clock;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::InstanceName;
use crate::instance::log::files;
use crate::terminal;

/// How often a followed log is looked at.
const STEP: Duration = Duration::from_millis(100);

/// What to show of a log.
#[derive(Clone, Copy, Debug)]
pub struct Excerpt {
    /// At most so many of the last lines.
    pub lines: usize,
    /// Only lines of the last so many milliseconds.
    pub since: Option<Duration>,
    /// Whether to go on as the log grows.
    pub follow: Follow,
}

/// Whether to go on as the log grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Until interrupted.
    Yes,
    /// Only what is there.
    No,
}

/// Prints the log of an instance.
pub fn logs(context: &Context, name: &InstanceName, excerpt: Excerpt, form: Form) -> Result<Exit, Error> {
    let place = place(context, name)?;
    let failed = |source| Error::State { name: name.clone(), source };
    let files = files(&place.log());
    if files.is_empty() {
        terminal::error("Server has no log: only servers in the background (`mock -d`) write one");
        return Ok(Exit::Failure);
    }
    let mut follower = Follower::at_end(&place.log()).map_err(failed)?;
    let mut text = String::new();
    for file in &files {
        let bytes = std::fs::read(file).map_err(failed)?;
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    for line in select(&text, excerpt) {
        terminal::result(&shape(line, form));
    }
    if excerpt.follow == Follow::No {
        return Ok(Exit::Success);
    }
    loop {
        for line in follower.new_lines(&place.log()).map_err(failed)? {
            terminal::result(&shape(&line, form));
        }
        std::thread::sleep(STEP);
    }
}

fn select(text: &str, excerpt: Excerpt) -> Vec<&str> {
    let from = excerpt.since.map(|since| {
        let since = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        clock::timestamp(clock::now().saturating_sub(since))
    });
    // A line without a time, such as one of a backtrace, belongs to the one before it.
    let mut time = "";
    let mut lines = Vec::new();
    for line in text.lines() {
        time = stamp(line).unwrap_or(time);
        if from.as_deref().is_none_or(|from| time >= from) {
            lines.push(line);
        }
    }
    let first = lines.len().saturating_sub(excerpt.lines);
    lines.split_off(first)
}

/// The time at the beginning of a line: `2026-11-22T21:50:07.123Z`.
fn stamp(line: &str) -> Option<&str> {
    let word = line.split(' ').next()?;
    let right = word.len() == 24 && word.ends_with('Z') && word.as_bytes()[10] == b'T';
    right.then_some(word)
}

fn shape(line: &str, form: Form) -> String {
    match form {
        Form::Text => line.to_owned(),
        Form::Json => {
            let event = serde_json::from_str::<Value>(line).ok().filter(Value::is_object);
            let time = stamp(line);
            let text = time.and_then(|time| line.get(time.len() + 1..)).unwrap_or(line);
            event.unwrap_or_else(|| json!({ "time": time, "text": text })).to_string()
        }
    }
}

/// Reads what is appended to a file, and goes over to the next one when it is rotated.
struct Follower {
    file: File,
    rest: String,
}

impl Follower {
    fn at_end(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, rest: String::new() })
    }

    fn new_lines(&mut self, path: &Path) -> io::Result<Vec<String>> {
        self.read()?;
        let rotated = path.metadata().is_ok_and(|now| self.file.metadata().is_ok_and(|old| old.ino() != now.ino()));
        if rotated {
            // What was written between the last read and the rotation comes first.
            self.read()?;
            self.file = File::open(path)?;
            self.read()?;
        }
        let Some(end) = self.rest.rfind('\n') else { return Ok(Vec::new()) };
        let whole: String = self.rest.drain(..=end).collect();
        Ok(whole.lines().map(str::to_owned).collect())
    }

    fn read(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        self.rest.push_str(&String::from_utf8_lossy(&bytes));
        Ok(())
    }
}
