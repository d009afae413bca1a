//! Helper processes: each is spoken to in lines, waited for with a deadline, and ended when its handle goes.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::failure::Failure;

/// How long a helper may take for a line.
const DEADLINE: Duration = Duration::from_mins(1);

/// A process that this one started.
#[derive(Debug)]
pub(crate) struct Helper {
    name: &'static str,
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Helper {
    /// Starts a command. Its stderr is this process's.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Result<Self, Failure> {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(Failure::while_at(name))?;
        let input = child.stdin.take().expect("stdin was made a pipe above");
        let output = child.stdout.take().expect("stdout was made a pipe above");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { name, child, input, lines })
    }

    /// Starts this program again, with these words as its command line.
    pub(crate) fn of_this_program(name: &'static str, words: &[&str]) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::while_at("the path of this program"))?;
        Self::start(name, Command::new(program).args(words))
    }

    /// Starts the release binary of the product: a quiet server on a port that the system chooses.
    ///
    /// It lies beside this program. It finds no configuration: neither in its folder nor in the user's own.
    pub(crate) fn mock(empty: &Path) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::while_at("the path of this program"))?;
        let mut command = Command::new(program.with_file_name("x402-dev"));
        command.args(["mock", "--port", "0", "--json", "--quiet"]);
        command.env_clear().env("HOME", empty).current_dir(empty);
        Self::start("x402-dev", &mut command)
    }

    /// Sends a line.
    pub(crate) fn say(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.input, "{line}").and_then(|()| self.input.flush()).map_err(Failure::while_at(self.name))
    }

    /// Waits for the next line.
    pub(crate) fn hear(&self) -> Result<String, Failure> {
        self.lines
            .recv_timeout(DEADLINE)
            .map_err(|_| Failure::new(format!("{}: it ended, or said nothing for {} s", self.name, DEADLINE.as_secs())))
    }

    /// Waits for the next line and reads it as JSON.
    pub(crate) fn hear_json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Failure> {
        let line = self.hear()?;
        serde_json::from_str(&line).map_err(|cause| Failure::new(format!("{}: {cause} in `{line}`", self.name)))
    }

    /// Its resident memory in bytes.
    pub(crate) fn resident(&self) -> Result<u64, Failure> {
        resident(&format!("/proc/{}/status", self.child.id()))
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The resident memory of this process in bytes.
pub(crate) fn own_resident() -> Result<u64, Failure> {
    resident("/proc/self/status")
}

fn resident(path: &str) -> Result<u64, Failure> {
    let status = fs::read_to_string(path).map_err(Failure::while_at(path))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kibibytes.map(|size| size * 1024).ok_or_else(|| Failure::new(format!("{path} has no VmRSS")))
}
