//! The official SDKs: their packages, from the committed lock files, and their run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::isolation::Isolation;
use crate::process::Process;
use crate::report::Outcome;
use crate::tally::Tally;
use crate::terminal;
use crate::workspace::Workspace;

/// Fetches the npm packages, unless they are there.
pub(crate) fn npm_packages(workspace: &Workspace) -> Result<Outcome, Failure> {
    let folder = workspace.interop();
    // npm removes the whole folder first, and so the mark with it: a fetch that broke off leaves none.
    let mark = Mark { lock: folder.join("package-lock.json"), stamp: folder.join("node_modules/.lock-of-this-folder") };
    if mark.is_current() {
        return Ok(Outcome::Done("already there".to_owned()));
    }
    Process::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).inside(&folder).run()?;
    mark.set().map(|()| Outcome::Done("fetched".to_owned()))
}

/// Fetches the Python packages of a folder into its virtual environment, unless they are there.
pub(crate) fn python_packages(folder: &Path) -> Result<Outcome, Failure> {
    let mark = Mark { lock: folder.join("requirements.txt"), stamp: folder.join(".venv/.lock-of-this-folder") };
    let python = folder.join(".venv/bin/python");
    if mark.is_current() && python.exists() {
        return Ok(Outcome::Done("already there".to_owned()));
    }
    // This removes the mark of an older environment.
    Process::new("python3").args(["-m", "venv", "--clear", ".venv"]).inside(folder).run()?;
    let words = "-m pip install --disable-pip-version-check --no-input --progress-bar off --require-hashes \
                 -r requirements.txt";
    Process::new(&python).args(words.split_whitespace()).inside(folder).run()?;
    mark.set().map(|()| Outcome::Done("fetched".to_owned()))
}

/// Runs the tests with the official SDKs against the product that cargo built.
pub(crate) fn run(workspace: &Workspace, isolation: &Isolation, tally: &mut Tally) -> Result<(), Failure> {
    let folder = workspace.interop();
    let mut files = test_files(&folder)?;
    for differential in ["differential", "svm-differential"] {
        files.extend(test_files(&folder.join(differential))?);
    }
    let process = Process::new("node")
        .args(["--test", "--test-reporter=spec"])
        .args(files.iter().map(|file| file.strip_prefix(&folder).unwrap_or(file)))
        .with("X402_DEV_BIN", workspace.binaries().join("x402-dev"))
        .inside(&folder);
    isolation.enclose(process).run_reading(|line| {
        terminal::line(line);
        tally.read_node(line);
    })
}

/// The test files of a folder, in the order of their names; a folder without any is a mistake.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(|cause| Failure::file(folder, &cause))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::new(format!("{} holds no test", folder.display())));
    }
    Ok(files)
}

/// Says which lock file a folder of packages was made from: a copy of it, written when the folder was complete.
struct Mark {
    lock: PathBuf,
    stamp: PathBuf,
}

impl Mark {
    fn is_current(&self) -> bool {
        matches!((fs::read(&self.lock), fs::read(&self.stamp)), (Ok(lock), Ok(stamp)) if lock == stamp)
    }

    fn set(&self) -> Result<(), Failure> {
        fs::copy(&self.lock, &self.stamp).map(drop).map_err(|cause| Failure::file(&self.stamp, &cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_current_until_the_lock_changes() {
        let folder = std::env::temp_dir().join(format!("xtask-mark-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mark = Mark { lock: folder.join("lock"), stamp: folder.join("stamp") };
        assert!(!mark.is_current());
        fs::write(&mark.lock, "one").unwrap();
        assert!(!mark.is_current());
        mark.set().unwrap();
        assert!(mark.is_current());
        fs::write(&mark.lock, "two").unwrap();
        assert!(!mark.is_current());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_committed_tests_are_found_and_an_empty_folder_is_refused() {
        let folder = Workspace::find().unwrap().interop();
        let names: Vec<String> =
            test_files(&folder).unwrap().iter().map(|path| path.to_string_lossy().into_owned()).collect();
        assert!(names.iter().any(|name| name.ends_with("/mock.test.mjs")), "{names:?}");
        assert_eq!(test_files(&folder.join("differential")).unwrap().len(), 3);
        assert_eq!(test_files(&folder.join("svm-differential")).unwrap().len(), 1);
        assert!(test_files(&folder.join("clients")).is_err());
    }
}
