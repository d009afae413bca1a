//! The directory of an instance, and the names of its files.

use std::fmt;
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The name of the instance that commands mean when none is given.
pub const DEFAULT: &str = "default";

/// A name that can be a directory's: lower case, digits, `.`, `_` and `-`, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceName(String);

/// A text is no name of an instance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name of an instance; use up to 64 of a-z, 0-9, `.`, `_` and `-`, beginning with a letter or digit"
)]
pub struct BadName(String);

/// `~/.x402dev`, or where `X402_DEV_HOME` points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

/// Where the files of one instance lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The instance.
    pub name: InstanceName,
    directory: PathBuf,
}

impl FromStr for InstanceName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let right = text.len() <= 64
            && text.starts_with(plain)
            && text.chars().all(|c| plain(c) || matches!(c, '.' | '_' | '-'));
        if right { Ok(Self(text.to_owned())) } else { Err(BadName(text.escape_debug().to_string())) }
    }
}

impl Default for InstanceName {
    fn default() -> Self {
        Self(DEFAULT.to_owned())
    }
}

impl fmt::Display for InstanceName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Home {
    /// The home at a directory, which need not exist.
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where an instance's files lie: the default one directly in the home, others in `instances/NAME`.
    pub fn place(&self, name: &InstanceName) -> Place {
        let directory = if name.0 == DEFAULT { self.root.clone() } else { self.root.join("instances").join(&name.0) };
        Place { name: name.clone(), directory }
    }

    /// Every instance that has left a trace. A home that does not exist has none; the error names what cannot be read.
    pub fn places(&self) -> io::Result<Vec<Place>> {
        let mut names = vec![InstanceName::default()];
        let instances = self.root.join("instances");
        match fs::read_dir(&instances) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let text = format!("{} cannot be read: {error}", instances.display());
                return Err(io::Error::new(error.kind(), text));
            }
            Ok(entries) => names.extend(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())),
        }
        names.sort();
        names.dedup();
        let places = names.iter().map(|name| self.place(name));
        Ok(places.filter(|place| leads_somewhere(&place.lock()) || leads_somewhere(&place.pid_file())).collect())
    }

    /// The home itself.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// Whether something stands at a path, also if it may not be looked at.
fn leads_somewhere(path: &Path) -> bool {
    !matches!(path.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

impl Place {
    /// The PID as text, for people and other tools.
    pub fn pid_file(&self) -> PathBuf {
        self.directory.join("mock-server.pid")
    }

    /// The lock. It is never removed.
    pub fn lock(&self) -> PathBuf {
        self.directory.join("mock-server.lock")
    }

    /// What the server says about itself.
    pub fn state(&self) -> PathBuf {
        self.directory.join("mock-server.json")
    }

    /// The log of a server in the background.
    pub fn log(&self) -> PathBuf {
        self.directory.join("mock-server.log")
    }

    /// Makes the directory, for this user only.
    pub fn create(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// Writes a file for this user only, in one step: whoever reads it sees the old content or the new one.
pub fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_data()));
    let renamed = written.and_then(|()| fs::rename(&draft, path));
    if renamed.is_err() {
        // Nothing half written stays behind; a draft that cannot be removed is harmless.
        let _ = fs::remove_file(&draft);
    }
    renamed
}

/// Removes what stands at a path: a file, a link, or an empty directory somebody put there. The error names the path.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) if path.is_dir() => fs::remove_dir(path),
        other => other,
    };
    removed.map_err(|error| io::Error::new(error.kind(), format!("{} cannot be removed: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_home() {
        for bad in ["", "..", ".", "a/b", "/a", "-a", "A", "a b", "a\u{0}", &"a".repeat(65), "ä"] {
            assert!(bad.parse::<InstanceName>().is_err(), "{bad:?}");
        }
        for good in ["default", "ci-1", "a.b_c", "0"] {
            assert_eq!(good.parse::<InstanceName>().unwrap().to_string(), good);
        }
    }
}
