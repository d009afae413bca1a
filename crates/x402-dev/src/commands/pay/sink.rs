//! Where content goes: stdout, or a file that is whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::content::Content;
use super::error::PayError;
use super::story::safe_content;

/// Where content goes.
#[derive(Debug)]
pub enum Sink {
    /// To stdout.
    Stdout,
    /// To a file, by way of a draft beside it.
    File {
        /// The file.
        path: PathBuf,
        /// The draft.
        draft: PathBuf,
    },
}

impl Sink {
    /// Opens it before anything is paid: what cannot be written is known before.
    pub fn open(directory: &Path, file: Option<&Path>) -> Result<Self, PayError> {
        let Some(file) = file else { return Ok(Self::Stdout) };
        let path = directory.join(file);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let draft = path.with_file_name(format!(".{name}.{}.draft", std::process::id()));
        let opened = if path.is_dir() {
            Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"))
        } else {
            OpenOptions::new().write(true).create(true).truncate(true).open(&draft).map(drop)
        };
        opened.map_err(|source| PayError::Unwritable { path: path.clone(), source })?;
        Ok(Self::File { path, draft })
    }

    /// Writes the head of an answer, if there is one, and its content.
    pub fn write(&self, head: &str, content: &Content) -> Result<(), PayError> {
        match self {
            Self::Stdout => {
                let mut out = io::stdout().lock();
                let written = if out.is_terminal() {
                    // A person's terminal is steered by nobody else.
                    content
                        .to_vec()
                        .and_then(|bytes| write!(out, "{}{}", safe_content(head.as_bytes()), safe_content(&bytes)))
                } else {
                    out.write_all(head.as_bytes()).and_then(|()| content.write_to(&mut out))
                };
                match written.and_then(|()| out.flush()) {
                    // Its reader has seen enough.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    other => other.map_err(|source| PayError::Unwritable { path: "stdout".into(), source }),
                }
            }
            Self::File { path, draft } => {
                let written = File::create(draft).and_then(|file| {
                    let mut out = BufWriter::new(file);
                    out.write_all(head.as_bytes())?;
                    content.write_to(&mut out)
                });
                let placed = written.and_then(|()| fs::rename(draft, path));
                placed.map_err(|source| PayError::Unwritable { path: path.clone(), source })
            }
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Self::File { draft, .. } = self {
            // It is not there any more once it has become the file.
            let _ = fs::remove_file(draft);
        }
    }
}
