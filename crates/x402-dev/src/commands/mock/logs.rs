//! `mock logs`: what a server in the background has written, followed across rotation.

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::form::refuse;
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
    let Some((mut reader, text)) = Reader::open(place.log()).map_err(failed)? else {
        let text = "Server has no log: only servers in the background (`mock -d`) write one";
        return Ok(refuse(form, Exit::Failure, text));
    };
    let mut heard = print(select(&text, excerpt).into_iter(), form);
    while heard == Heard::Yes && excerpt.follow == Follow::Yes {
        std::thread::sleep(STEP);
        let lines = reader.new_lines().map_err(failed)?;
        heard = print(lines.iter().map(String::as_str), form);
    }
    Ok(Exit::Success)
}

/// Whether somebody still listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Yes,
    No,
}

/// Prints lines, as long as somebody listens: a closed pipe ends even what would go on for ever.
fn print<'a>(mut lines: impl Iterator<Item = &'a str>, form: Form) -> Heard {
    let mut stdout = BufWriter::new(io::stdout().lock());
    let printed = lines.try_for_each(|line| writeln!(stdout, "{}", shape(line, form)));
    match printed.and_then(|()| stdout.flush()) {
        Ok(()) => Heard::Yes,
        Err(cause) => {
            terminal::lose(&cause);
            Heard::No
        }
    }
}

fn select(text: &str, excerpt: Excerpt) -> Vec<&str> {
    let from = excerpt.since.map(|since| {
        let since = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        clock::timestamp(clock::now().saturating_sub(since))
    });
    // A line without a time, such as one of a backtrace, belongs to the one before it.
    let mut time = String::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        if from.is_some() {
            time = stamp(line).map(str::to_owned).or_else(|| event_stamp(line)).unwrap_or(time);
        }
        if from.as_ref().is_none_or(|from| time >= *from) {
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

/// The time of a line in JSON.
fn event_stamp(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line).ok()?;
    event.get("at")?.as_u64().map(clock::timestamp)
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

/// Reads a log to its end, and then what is appended to it, across rotation.
struct Reader {
    path: PathBuf,
    file: File,
    rest: Vec<u8>,
}

impl Reader {
    /// Everything that a log holds, and a reader of what comes after. `None` where there is no log.
    fn open(path: PathBuf) -> io::Result<Option<(Self, String)>> {
        let mut text = Vec::new();
        let mut last = None;
        for mut file in open_all(&path)? {
            file.read_to_end(&mut text)?;
            last = Some(file);
        }
        let Some(file) = last else { return Ok(None) };
        // Half a line is shown when it is whole.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let rest = text.split_off(whole);
        Ok(Some((Self { path, file, rest }, String::from_utf8_lossy(&text).into_owned())))
    }

    fn new_lines(&mut self) -> io::Result<Vec<String>> {
        self.file.read_to_end(&mut self.rest)?;
        if self.path.metadata().is_ok_and(|now| !same(&now, &self.file)) {
            // What was written between the last read and the rotation comes first.
            self.file.read_to_end(&mut self.rest)?;
            let files = open_all(&self.path)?;
            let place = files.iter().position(|file| file.metadata().is_ok_and(|file| same(&file, &self.file)));
            // Where ours was rotated away altogether, all that is kept is newer.
            for mut file in files.into_iter().skip(place.map_or(0, |place| place + 1)) {
                file.read_to_end(&mut self.rest)?;
                self.file = file;
            }
        }
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Ok(Vec::new()) };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        Ok(String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect())
    }
}

/// The files of a log, the oldest first, none left out: when it is rotated meanwhile, they are opened again.
fn open_all(path: &Path) -> io::Result<Vec<File>> {
    loop {
        let mut opened = Vec::new();
        for file in files(path) {
            match File::open(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                file => opened.extend(file),
            }
        }
        let now: Vec<_> = files(path).iter().filter_map(|file| file.metadata().ok()).collect();
        if now.len() == opened.len() && now.iter().zip(&opened).all(|(now, file)| same(now, file)) {
            return Ok(opened);
        }
    }
}

fn same(metadata: &Metadata, file: &File) -> bool {
    file.metadata().is_ok_and(|own| own.ino() == metadata.ino())
}
