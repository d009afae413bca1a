//! `snapshot`: states that are kept and brought back. `reset`: back to the start.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::Method;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde::Serialize;

use super::door::{Door, DoorError, columns, segment};
use super::mock::Form;
use crate::context::Context;
use crate::doors::admin::client::{Flow, Question};
use crate::doors::admin::routes::files::LINES;
use crate::doors::admin::routes::snapshots::{Done, Snapshot, Snapshots};
use crate::error::Error;
use crate::exit::Exit;
use crate::terminal;

/// How long an import may take: a large one is read for minutes.
const PATIENCE: Duration = Duration::from_mins(30);

/// How much of a file is read at once.
const PIECE: usize = 64 * 1024;

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Job {
    /// Keep the state of now.
    Save(String),
    /// Every snapshot.
    List,
    /// Bring one back.
    Restore(String),
    /// Forget one.
    Drop(String),
    /// Write one to a file, or the state of now.
    Export(Option<String>, PathBuf),
    /// Read one from a file.
    Import(PathBuf, String),
}

/// A file of a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// An export that was written.
#[derive(Debug, Serialize)]
struct Written {
    file: PathBuf,
    bytes: u64,
}

/// Does it.
pub fn run(context: &Context, door: &Door, job: Job) -> Result<Exit, Error> {
    let path = |name: &str| format!("/snapshots/{}", segment(name));
    match job {
        Job::Save(name) => {
            let question = Question::new(Method::PUT, &path(&name));
            door.ask(context, |remote| remote.ask::<Snapshot>(question), |kept| format!("saved {}", described(kept)))
        }
        Job::List => door.ask(context, |remote| remote.get::<Snapshots>("/snapshots"), list),
        Job::Restore(name) => {
            let path = format!("{}/restore", path(&name));
            door.ask(context, |remote| remote.tell::<Snapshot>(&path), |kept| format!("restored {}", described(kept)))
        }
        Job::Drop(name) => {
            let question = Question::new(Method::DELETE, &path(&name));
            door.ask(context, |remote| remote.ask::<Done>(question), |done| done.message.clone())
        }
        Job::Export(name, file) => {
            let path = name.map_or_else(|| "/export".to_owned(), |name| format!("{}/export", path(&name)));
            door.run(|| export(context, door, &path, &file))
        }
        Job::Import(file, name) => {
            let path = format!("{}/import", path(&name));
            door.run(|| {
                let question = sending(Question::new(Method::POST, &path), &file)?;
                let text = |kept: &Snapshot| format!("imported {}", described(kept));
                door.ask(context, |remote| remote.ask_within::<Snapshot>(question, PATIENCE), text)
            })
        }
    }
}

/// Brings the world back to its start.
pub fn reset(context: &Context, door: &Door) -> Result<Exit, Error> {
    door.ask(context, |remote| remote.tell::<Done>("/reset"), |done| done.message.clone())
}

/// Writes a file in one step: half an export never stands in its place.
fn export(context: &Context, door: &Door, path: &str, file: &Path) -> Result<Exit, Error> {
    let remote = door.open(context)?;
    let unwritable = |source| DoorError::File(FileError::Unwritable { file: file.to_owned(), source });
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = file.with_file_name(name);
    let mut out = BufWriter::new(File::create(&part).map_err(unwritable)?);
    let (mut bytes, mut failed) = (0, None);
    let outcome = remote.stream(Question::new(Method::GET, path), &mut |data| {
        bytes += u64::try_from(data.len()).unwrap_or(u64::MAX);
        Ok(match out.write_all(data) {
            Ok(()) => Flow::More,
            Err(error) => {
                failed = Some(error);
                Flow::Enough
            }
        })
    });
    let written = failed.map_or(Ok(()), Err).and_then(|()| out.flush());
    let kept = outcome
        .map_err(DoorError::from)
        .and_then(|()| written.and_then(|()| std::fs::rename(&part, file)).map_err(unwritable));
    if let Err(error) = kept {
        // What is left of it is of no use to anybody.
        let _ = std::fs::remove_file(&part);
        return Err(error.into());
    }
    let written = Written { file: file.to_owned(), bytes };
    terminal::result(&match door.form {
        Form::Text => format!("wrote {} ({bytes} bytes)", file.display()),
        Form::Json => serde_json::to_string(&written).expect("what is printed has string keys"),
    });
    Ok(Exit::Success)
}

/// The question with a file as its body, read as it is sent.
fn sending(question: Question, file: &Path) -> Result<Question, Error> {
    let unreadable = |source| DoorError::File(FileError::Unreadable { file: file.to_owned(), source });
    let mut opened = File::open(file).map_err(unreadable)?;
    if opened.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(unreadable(io::ErrorKind::IsADirectory.into()).into());
    }
    let pieces = stream::iter(std::iter::from_fn(move || {
        let mut piece = vec![0; PIECE];
        match opened.read(&mut piece) {
            Ok(0) => None,
            Ok(length) => {
                piece.truncate(length);
                Some(Ok(Frame::data(Bytes::from(piece))))
            }
            Err(error) => Some(Err(error)),
        }
    }));
    let body = BodyExt::boxed(StreamBody::new(pieces));
    Ok(Question { body: Some((LINES, body)), ..question })
}

fn list(all: &Snapshots) -> String {
    if all.snapshots.is_empty() {
        return "there are no snapshots: `x402-dev snapshot save NAME` makes one".to_owned();
    }
    let header = ["NAME", "SAVED", "TRANSACTIONS"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let row = |kept: &Snapshot| vec![kept.name.clone(), kept.saved.clone(), kept.transactions.to_string()];
    rows.extend(all.snapshots.iter().map(row));
    columns(&rows)
}

fn described(kept: &Snapshot) -> String {
    format!("{}: {} transactions, {}", kept.name, kept.transactions, kept.saved)
}
