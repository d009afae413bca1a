//! The body of an answer: in memory while it is small, beyond that in a file that has no name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::journal;

/// How much of a body stays in memory, in bytes.
const IN_MEMORY: usize = 16 * 1024 * 1024;

/// A body, as far as it came.
#[derive(Debug, Default)]
pub struct Content {
    memory: Vec<u8>,
    spilled: Option<File>,
    length: u64,
}

impl Content {
    /// Adds what came. `folder` is for what memory should not hold.
    pub fn push(&mut self, bytes: &[u8], folder: &Path) -> io::Result<()> {
        self.length += bytes.len() as u64;
        if let Some(file) = &mut self.spilled {
            return file.write_all(bytes);
        }
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > IN_MEMORY {
            let mut file = nameless(folder)?;
            file.write_all(&std::mem::take(&mut self.memory))?;
            self.spilled = Some(file);
        }
        Ok(())
    }

    /// How long it is, in bytes.
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Whether there is nothing.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// All of it where it is in memory; nothing where it is large and lies in a file.
    pub fn head(&self) -> &[u8] {
        &self.memory
    }

    /// Writes all of it.
    pub fn write_to(&self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        match &self.spilled {
            None => out.write_all(&self.memory)?,
            Some(file) => {
                let mut file = file;
                file.rewind()?;
                io::copy(&mut file, out)?;
            }
        }
        out.flush()
    }

    /// All of it as text, where it is text and not large.
    pub fn text(&self) -> Option<&str> {
        self.spilled.is_none().then(|| std::str::from_utf8(&self.memory).ok()).flatten()
    }
}

/// A file for this user only, that nobody finds, and that goes with the process.
fn nameless(folder: &Path) -> io::Result<File> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let path = folder.join(format!("content-{}", journal::random_id()?));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_body_is_whole_and_leaves_nothing_behind() {
        let shelf = tempfile::tempdir().unwrap();
        let (mut content, mut expected) = (Content::default(), Vec::new());
        assert!(content.is_empty());
        for index in 0..40_u8 {
            let piece = vec![index; 512 * 1024];
            content.push(&piece, shelf.path()).unwrap();
            expected.extend(piece);
        }
        assert!(content.spilled.is_some());
        assert_eq!(fs::read_dir(shelf.path()).unwrap().count(), 0);
        assert_eq!(content.len(), expected.len() as u64);
        for _ in 0..2 {
            let mut written = Vec::new();
            content.write_to(&mut written).unwrap();
            assert!(written == expected && content.text().is_none());
        }
    }
}
