//! The only place that starts another program. No program started here gets a standard input.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::failure::Failure;

/// A program with its arguments, not yet started.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    words: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
}

impl Process {
    /// A program, by its name or path.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self { words: vec![program.as_ref().to_owned()], environment: Vec::new(), directory: None }
    }

    /// The cargo that runs this task.
    pub(crate) fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Adds arguments.
    pub(crate) fn args(mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.words.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// Adds an environment variable.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Runs in this directory.
    pub(crate) fn inside(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_owned());
        self
    }

    /// Is started by another command, which takes this one as its last arguments.
    pub(crate) fn behind(mut self, words: impl IntoIterator<Item = OsString>) -> Self {
        self.words.splice(0..0, words);
        self
    }

    /// Runs it, its output shown as it comes. Any end but success is a failure.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut child = self.spawn(Stdio::inherit(), Stdio::inherit())?;
        self.judge(child.wait())
    }

    /// Like [`Process::run`], but hands over its stdout, line by line as it comes, instead of showing it.
    pub(crate) fn run_reading(self, mut read: impl FnMut(&str)) -> Result<(), Failure> {
        let mut child = self.spawn(Stdio::piped(), Stdio::inherit())?;
        let pipe = child.stdout.take().expect("stdout was made a pipe above");
        for bytes in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            read(&String::from_utf8_lossy(&bytes));
        }
        self.judge(child.wait())
    }

    /// Runs it unseen; its stdout if it succeeded, nothing if it failed or is not installed.
    pub(crate) fn answer(self) -> Option<String> {
        let output = self.command().stdout(Stdio::piped()).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).envs(self.environment.iter().cloned()).stdin(Stdio::null());
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }

    fn spawn(&self, stdout: Stdio, stderr: Stdio) -> Result<Child, Failure> {
        let started = self.command().stdout(stdout).stderr(stderr).spawn();
        started.map_err(|cause| Failure::new(format!("`{}` cannot be started: {cause}", self.shown())))
    }

    fn judge(&self, end: std::io::Result<ExitStatus>) -> Result<(), Failure> {
        let status = end.map_err(|cause| Failure::new(format!("`{}` was lost: {cause}", self.shown())))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!("`{}` ended with {status}", self.shown())))
    }

    /// The command as a person would type it, the path of the program left out.
    fn shown(&self) -> String {
        let program = Path::new(&self.words[0]).file_name().unwrap_or(&self.words[0]);
        let words = std::iter::once(program).chain(self.words[1..].iter().map(OsString::as_os_str));
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::new("sh").args(["-c", script])
    }

    #[test]
    fn the_environment_the_directory_and_the_lines_arrive() {
        let mut lines = Vec::new();
        let process = shell("echo $WORD; pwd; printf last").with("WORD", "said").inside(Path::new("/"));
        process.run_reading(|line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["said", "/", "last"]);
    }

    #[test]
    fn a_command_can_stand_behind_another() {
        let answer = Process::new("echo").args(["x"]).behind(["env".into(), "A=b".into()]).answer();
        assert_eq!(answer.as_deref(), Some("x\n"));
    }

    #[test]
    fn every_bad_end_is_a_failure_that_names_the_command() {
        let failure = shell("exit 3").run().unwrap_err().to_string();
        assert_eq!(failure, "`sh -c exit 3` ended with exit status: 3");
        let failure = Process::new("/nowhere/no-such-program").run().unwrap_err().to_string();
        assert!(failure.starts_with("`no-such-program` cannot be started: "), "{failure}");
        assert_eq!(shell("echo x; exit 1").answer(), None);
    }
}
