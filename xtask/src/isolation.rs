//! No network but loopback: the interop tests run official software, and nothing of it may ask anybody else.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::process::Process;
use crate::workspace::Workspace;

/// The ways to keep a program from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// A network namespace of its own.
    Namespace,
    /// A preloaded library that refuses other addresses.
    Preload,
}

/// How programs are started so that they see loopback only.
#[derive(Clone, Debug)]
pub(crate) struct Isolation {
    wall: Wall,
    /// Where the scripts and the source of the library lie.
    folder: PathBuf,
}

#[derive(Clone, Debug)]
enum Wall {
    /// A namespace that `unshare` makes with these arguments.
    Namespace(&'static [&'static str]),
    /// This library, preloaded.
    Preload(PathBuf),
}

/// As root, and else as a user who is root inside only.
const UNSHARE: &[&[&str]] = &[&["--net"], &["--map-root-user", "--net"]];

impl Isolation {
    /// The means that was asked for, or the first that this system allows.
    pub(crate) fn choose(workspace: &Workspace, means: Option<Means>) -> Result<Self, Failure> {
        match means {
            Some(Means::Namespace) => Self::namespace(workspace)
                .ok_or_else(|| Failure::new("this system allows no network namespace: try `--isolation preload`")),
            Some(Means::Preload) => Self::preload(workspace),
            None => Self::namespace(workspace).map_or_else(|| Self::preload(workspace), Ok),
        }
    }

    fn namespace(workspace: &Workspace) -> Option<Self> {
        let allowed = |words: &[&str]| Process::new("unshare").args(words).args(["true"]).answer().is_some();
        let unshare = UNSHARE.iter().copied().find(|words| allowed(words))?;
        Some(Self { wall: Wall::Namespace(unshare), folder: workspace.isolation() })
    }

    fn preload(workspace: &Workspace) -> Result<Self, Failure> {
        let folder = workspace.isolation();
        let library = workspace.binaries().join("loopback_only.so");
        Process::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([library.as_path(), &folder.join("loopback_only.c")])
            .args(["-ldl"])
            .run()?;
        Ok(Self { wall: Wall::Preload(library), folder })
    }

    /// The same program, with loopback only.
    pub(crate) fn enclose(&self, process: Process) -> Process {
        match &self.wall {
            Wall::Namespace(unshare) => {
                let mut words: Vec<OsString> = vec!["unshare".into()];
                words.extend(unshare.iter().map(Into::into));
                words.extend(["python3".into(), self.folder.join("loopback.py").into(), "--".into()]);
                process.behind(words)
            }
            Wall::Preload(library) => process.with("LD_PRELOAD", library),
        }
    }

    /// A program that fails unless it reaches loopback and nothing else. It is never started outside of an isolation.
    pub(crate) fn proof(&self) -> Process {
        self.enclose(Process::new("python3").args([self.folder.join("proof.py")]))
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wall {
            Wall::Namespace(unshare) => write!(out, "a network namespace (unshare {})", unshare.join(" ")),
            Wall::Preload(_) => out.write_str("a preloaded library (this is no network namespace)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preloaded_library_lets_loopback_through_and_nothing_else() {
        assert!(Isolation::preload(&Workspace::find().unwrap()).unwrap().proof().answer().is_some());
    }

    #[test]
    fn a_namespace_lets_loopback_through_and_nothing_else() {
        let Some(isolation) = Isolation::namespace(&Workspace::find().unwrap()) else { return };
        assert!(isolation.proof().answer().is_some());
    }

    #[test]
    fn the_proof_fails_in_a_namespace_whose_loopback_is_down() {
        let Some(isolation) = Isolation::namespace(&Workspace::find().unwrap()) else { return };
        let Wall::Namespace(unshare) = isolation.wall else { unreachable!("it was made above") };
        let script = isolation.folder.join("proof.py");
        let proof = Process::new("unshare").args(unshare).args(["python3"]).args([script]);
        assert!(proof.answer().is_none());
    }
}
