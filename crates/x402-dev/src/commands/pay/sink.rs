//! Where content goes: stdout, a file that is whole or not there, or a device.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::content::Content;
use super::error::PayError;
use super::story::safe_content;
use crate::journal;

/// How many symbolic links may lead to a file; the kernel follows as many.
const LINKS: usize = 40;

/// Where content goes.
#[derive(Debug)]
pub enum Sink {
    /// To stdout.
    Stdout,
    /// To a file, by way of a draft beside it.
    File {
        /// The file, behind all links.
        path: PathBuf,
        /// The draft.
        draft: PathBuf,
        /// The draft, open.
        file: File,
    },
    /// Into something that is no regular file, such as a device or a pipe: it is never replaced.
    Into {
        /// Its name.
        path: PathBuf,
        /// The same, open.
        file: File,
    },
}

impl Sink {
    /// Opens it before anything is paid: what cannot be written is known before.
    pub fn open(directory: &Path, file: Option<&Path>) -> Result<Self, PayError> {
        let Some(file) = file else { return Ok(Self::Stdout) };
        let named = directory.join(file);
        Self::to(&named).map_err(|source| PayError::Unwritable { path: named, source })
    }

    fn to(named: &Path) -> io::Result<Self> {
        let path = behind_links(named)?;
        let there = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            other => Some(other?),
        };
        if there.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
        }
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            return Ok(Self::Into { file: OpenOptions::new().write(true).open(&path)?, path });
        }
        let draft = path.with_file_name(format!(".{}.draft", journal::random_id()?));
        let file = OpenOptions::new().write(true).create_new(true).open(&draft)?;
        let sink = Self::File { path, draft, file };
        if let (Some(there), Self::File { path, file, .. }) = (there, &sink) {
            // Who may not write a file may not replace it; and its modes stay.
            OpenOptions::new().write(true).open(path)?;
            file.set_permissions(there.permissions())?;
        }
        Ok(sink)
    }

    /// Writes the head of an answer, if there is one, and its content.
    pub fn write(&self, head: &str, content: &Content) -> Result<(), PayError> {
        let unwritable = |path: &Path, source| PayError::Unwritable { path: path.to_owned(), source };
        match self {
            Self::Stdout => print(|out, is_terminal| {
                if is_terminal {
                    // A person's terminal is steered by nobody else.
                    let mut shown = Shown { out, rest: Vec::new() };
                    shown.write_all(head.as_bytes())?;
                    content.write_to(&mut shown)?;
                    shown.finish()
                } else {
                    out.write_all(head.as_bytes())?;
                    content.write_to(out)
                }
            }),
            Self::File { path, draft, file } => {
                let written = fill(file, head, content).and_then(|()| fs::rename(draft, path));
                written.map_err(|source| unwritable(path, source))
            }
            Self::Into { path, file } => {
                or_enough(fill(file, head, content)).map_err(|source| unwritable(path, source))
            }
        }
    }
}

/// Writes to stdout, and says whether it came there. A reader that has seen enough is no failure.
pub fn print(write: impl FnOnce(&mut dyn Write, bool) -> io::Result<()>) -> Result<(), PayError> {
    let mut out = io::stdout().lock();
    let is_terminal = out.is_terminal();
    let written = write(&mut out, is_terminal).and_then(|()| out.flush());
    or_enough(written).map_err(|source| PayError::Unwritable { path: "stdout".into(), source })
}

fn or_enough(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn fill(file: &File, head: &str, content: &Content) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    out.write_all(head.as_bytes())?;
    content.write_to(&mut out)
}

/// A terminal, to which nothing comes that would steer it; large content by and by.
struct Shown<'a> {
    out: &'a mut dyn Write,
    /// The beginning of a character whose end is still to come.
    rest: Vec<u8>,
}

impl Shown<'_> {
    /// Shows what is left, although it is no whole character.
    fn finish(self) -> io::Result<()> {
        self.out.write_all(safe_content(&self.rest).as_bytes())
    }
}

impl Write for Shown<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        // How many bytes a character has stands in its first.
        let length = self.rest.len();
        let is_cut = |back: &usize| match self.rest[length - back] {
            0xf0.. => *back < 4,
            0xe0.. => *back < 3,
            0xc0.. => *back < 2,
            _ => false,
        };
        let whole = (1..=length.min(3)).find(is_cut).map_or(length, |back| length - back);
        let text = safe_content(&self.rest[..whole]);
        self.rest.drain(..whole);
        self.out.write_all(text.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The file that a name means, behind all symbolic links; the last may lead to nothing yet.
fn behind_links(named: &Path) -> io::Result<PathBuf> {
    let mut path = named.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("/")).join(target),
            // No link, or nothing.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Self::File { draft, .. } = self {
            // It is not there any more once it has become the file.
            let _ = fs::remove_file(draft);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_shown_whole_characters_wherever_they_are_cut() {
        let text = "a\u{1b}[2J für 1 € \u{1f4b0}\u{202e}\n".as_bytes();
        let expected = "a\\u{1b}[2J für 1 € \u{1f4b0}\\u{202e}\n";
        for size in 1..text.len() {
            let mut out = Vec::new();
            let mut shown = Shown { out: &mut out, rest: Vec::new() };
            for piece in text.chunks(size) {
                shown.write_all(piece).unwrap();
            }
            shown.write_all(b"\xe2\x82").unwrap();
            shown.finish().unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\u{fffd}"), "{size}");
        }
    }
}
