//! A user who runs `pay`, with a home of their own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A user with a home.
#[derive(Debug)]
pub(crate) struct Buyer {
    directory: TempDir,
    env: Vec<(String, String)>,
}

/// A run of `pay` that has ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Buyer {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), env: Vec::new() }
    }

    /// A user whose home is somebody's.
    pub(crate) fn at_home(home: &Path) -> Self {
        Self::new().env("X402_DEV_HOME", home.to_str().unwrap())
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A file in the working directory.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs `pay` to its end.
    pub(crate) fn pay(&self, args: &[&str]) -> Run {
        self.pay_reading(args, b"")
    }

    /// Runs `pay` with something to read.
    pub(crate) fn pay_reading(&self, args: &[&str], stdin: &[u8]) -> Run {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let stdin = stdin.to_vec();
        let writer = std::thread::spawn(move || {
            // Who reads nothing closes it.
            let _ = pipe.write_all(&stdin);
        });
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Run { code: status.code(), stdout, stderr: String::from_utf8(stderr).unwrap() }
    }

    /// Runs `pay --json`, and gives what it says.
    #[track_caller]
    pub(crate) fn report(&self, args: &[&str]) -> Value {
        let run = self.pay(&[args, &["--json"]].concat());
        let report: Value = serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
        assert_eq!(report["exit"], run.code.unwrap(), "{report}");
        report
    }

    /// Starts `pay`, which is killed when the guard is dropped.
    pub(crate) fn start(&self, args: &[&str]) -> Killed {
        Killed(self.command(args).stdin(Stdio::null()).spawn().unwrap())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_x402-dev"));
        command.arg("pay").args(args).current_dir(self.directory.path());
        command.env_clear().env("X402_DEV_HOME", self.directory.path().join("home"));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What the journal holds of purchases without an end.
    pub(crate) fn open(&self) -> Vec<Value> {
        let Ok(places) = std::fs::read_dir(self.journal()) else { return Vec::new() };
        let entries = places.flatten().map(|place| place.path().join("entry.json")).filter(|path| path.exists());
        entries.map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
    }

    /// What the journal holds of purchases that have ended.
    pub(crate) fn ended(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.journal().join("history.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The only purchase that the journal knows.
    #[track_caller]
    pub(crate) fn purchase(&self) -> Value {
        let all = [self.open(), self.ended()].concat();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.directory.path().join("home/purchases")
    }
}

impl Run {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn assert(&self, code: i32, parts: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is not in: {}", self.stderr);
        }
        self
    }
}

/// A run that ends by SIGKILL.
#[derive(Debug)]
pub(crate) struct Killed(Child);

impl Killed {
    /// Kills it, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Waits for its end by itself.
    pub(crate) fn wait(mut self) -> Run {
        let status = self.0.wait().unwrap();
        let (mut stdout, mut stderr) = (Vec::new(), String::new());
        std::io::Read::read_to_end(self.0.stdout.as_mut().unwrap(), &mut stdout).unwrap();
        std::io::Read::read_to_string(self.0.stderr.as_mut().unwrap(), &mut stderr).unwrap();
        Run { code: status.code(), stdout, stderr }
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
