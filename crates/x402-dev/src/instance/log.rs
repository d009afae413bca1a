//! The log file of a server in the background: whole lines, rotated by size.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file is put aside when it has reached this size, in bytes.
const LIMIT: u64 = 10 * 1024 * 1024;

/// How many files are kept besides the current one.
const KEPT: u32 = 5;

/// Where lines are appended.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
}

impl LogFile {
    /// Opens the log for appending, and makes stdout and stderr the same file, so that whatever the process says is in it.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let file = append_to(&path)?;
        take_outputs(&file)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size })
    }

    /// Appends lines in one write. The file is rotated between lines, never within one.
    pub fn write(&mut self, lines: &str) -> io::Result<()> {
        let rotated = if self.size > 0 && self.size + lines.len() as u64 > LIMIT { self.rotate() } else { Ok(()) };
        // A file that cannot be put aside grows on: no line is lost for it.
        self.file.write_all(lines.as_bytes())?;
        self.size += lines.len() as u64;
        rotated
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..KEPT).rev() {
            let (from, to) = (rotated(&self.path, number), rotated(&self.path, number + 1));
            move_aside(&from, &to)?;
        }
        move_aside(&self.path, &rotated(&self.path, 1))?;
        self.file = append_to(&self.path)?;
        self.size = 0;
        take_outputs(&self.file)
    }
}

fn take_outputs(file: &File) -> io::Result<()> {
    rustix::stdio::dup2_stderr(file)?;
    rustix::stdio::dup2_stdout(file)?;
    Ok(())
}

/// The files of a log that exist, the oldest first.
pub fn files(path: &Path) -> Vec<PathBuf> {
    let old = (1..=KEPT).rev().map(|number| rotated(path, number));
    old.chain([path.to_owned()]).filter(|file| file.is_file()).collect()
}

/// Renames a file. One that does not exist, or was removed by hand, needs no renaming.
fn move_aside(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn rotated(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
