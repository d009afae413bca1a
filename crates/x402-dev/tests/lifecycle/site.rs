//! `Site`: an own home for instances, with a working directory. `Proc`: a process that a test has started.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Answer, Connection, Request};
use crate::output::{Run, Text};

/// How long anything may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_x402-dev");

/// A home of its own, and a working directory. Whatever still runs there is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Site {
    directory: TempDir,
    env: Vec<(String, String)>,
    background: Mutex<Vec<OwnedFd>>,
}

/// A process that this test has started. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Proc {
    pub(crate) pid: u32,
    pub(crate) out: Text,
    pub(crate) err: Text,
    handle: OwnedFd,
    ended: Receiver<(Option<i32>, Option<i32>)>,
}

/// A server that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Up {
    pub(crate) url: String,
    pub(crate) pid: u32,
    pub(crate) address: SocketAddr,
}

impl Site {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("work")).unwrap();
        Self { directory, env: Vec::new(), background: Mutex::default() }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where instances leave their files.
    pub(crate) fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// Where commands run.
    pub(crate) fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    pub(crate) fn pid_file(&self) -> PathBuf {
        self.home().join("mock-server.pid")
    }

    pub(crate) fn state_file(&self) -> PathBuf {
        self.home().join("mock-server.json")
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.home().join("mock-server.log")
    }

    /// What the PID file says.
    pub(crate) fn pid_text(&self) -> Option<String> {
        std::fs::read_to_string(self.pid_file()).ok().map(|text| text.trim().to_owned())
    }

    pub(crate) fn state(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.state_file()).unwrap()).unwrap()
    }

    /// Writes a file into the working directory.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.work().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Any program, in the working directory, with an environment that holds nothing but what is needed.
    pub(crate) fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.work()).stdin(Stdio::null()).env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("X402_DEV_HOME", self.home()).env("BIN", PROGRAM);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The program with these arguments.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.program(PROGRAM);
        command.args(args);
        command
    }

    /// Runs the program to its end.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        finish(self.command(args))
    }

    /// Runs `mock` with these words to its end.
    #[track_caller]
    pub(crate) fn mock(&self, line: &str) -> Run {
        let words: Vec<_> = ["mock"].into_iter().chain(line.split_whitespace()).collect();
        self.run(&words)
    }

    /// Runs `mock` with these words and `--json`; it must succeed.
    #[track_caller]
    pub(crate) fn json(&self, line: &str) -> Value {
        self.mock(&format!("{line} --json")).assert(0).json()
    }

    /// Runs a script of the shell, in which `$BIN` is the program.
    #[track_caller]
    pub(crate) fn shell(&self, script: &str) -> Run {
        let mut command = self.program("sh");
        command.arg("-c").arg(script);
        finish(command)
    }

    /// Starts a server in the background, on a free port unless these words name one.
    #[track_caller]
    pub(crate) fn detach(&self, line: &str) -> Up {
        let port = if line.contains("--port") { "" } else { "--port 0" };
        let up = self.mock(&format!("-d --json {port} {line}")).assert(0).up();
        self.remember(up.pid);
        up
    }

    /// A process in the background that shall be killed at the end, whatever the product thinks of it.
    pub(crate) fn remember(&self, pid: u32) {
        if let Some(handle) = open(pid) {
            self.background.lock().unwrap().push(handle);
        }
    }

    /// Starts a server in the foreground and waits until it is ready.
    #[track_caller]
    pub(crate) fn foreground(&self, line: &str) -> (Proc, Up) {
        let port = if line.contains("--port") { "" } else { "--port 0" };
        let line = format!("mock --json {port} {line}");
        let server = Proc::spawn(self.command(&line.split_whitespace().collect::<Vec<_>>()));
        let ready = server.ready();
        (server, ready)
    }

    #[track_caller]
    pub(crate) fn assert_stopped(&self) {
        let status = self.mock("status").assert(2).clone();
        assert!(status.out.starts_with("Server is not running"), "{status:?}");
        assert_eq!(self.pid_text(), None);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let mut command = self.command(&["mock", "stop", "--all", "--force", "--timeout", "0ms"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Ok(mut child) = command.spawn() {
            // A product that cannot stop its servers is a failure of the test that found it, not of this.
            let _ = child.wait();
        }
        for process in self.background.get_mut().unwrap().drain(..) {
            let _ = pidfd_send_signal(&process, Signal::KILL);
        }
    }
}

impl Proc {
    /// Starts a process whose outputs are collected, unless they were set.
    #[track_caller]
    pub(crate) fn spawn(mut command: Command) -> Self {
        Self::over(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Takes over a child, with the outputs that are pipes.
    pub(crate) fn over(mut child: Child) -> Self {
        let (out, err) = (Text::default(), Text::default());
        let pid = child.id();
        let handle = open(pid).expect("a child that nobody has waited for");
        if let Some(pipe) = child.stdout.take() {
            out.collect(pipe);
        }
        if let Some(pipe) = child.stderr.take() {
            err.collect(pipe);
        }
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || {
            let status = child.wait().unwrap();
            // Nobody listens when the test has ended already.
            let _ = sender.send((status.code(), status.signal()));
        });
        Self { pid, out, err, handle, ended }
    }

    /// The server that this process is, when it is ready.
    #[track_caller]
    pub(crate) fn ready(&self) -> Up {
        let line = self.out.line("\"url\"", &self.err);
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["pid"], self.pid, "{ready}");
        Up::of(&ready)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        pidfd_send_signal(&self.handle, signal).unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(&self) -> Run {
        let Ok((code, signal)) = self.ended.recv_timeout(DEADLINE) else {
            let _ = pidfd_send_signal(&self.handle, Signal::KILL);
            panic!("it should have ended; stdout: {}; stderr: {}", self.out.now(), self.err.now());
        };
        Run { code, signal, out: self.out.to_end(), err: self.err.to_end() }
    }

    pub(crate) fn is_running(&self) -> bool {
        !has_ended(&self.handle, Duration::ZERO)
    }
}

impl Drop for Proc {
    fn drop(&mut self) {
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
    }
}

impl Up {
    #[track_caller]
    pub(crate) fn of(ready: &Value) -> Self {
        let url = ready["url"].as_str().unwrap_or_else(|| panic!("no url: {ready}")).to_owned();
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        Self { pid: u32::try_from(ready["pid"].as_u64().unwrap()).unwrap(), url, address }
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    #[track_caller]
    pub(crate) fn send(&self, request: &Request) -> Answer {
        self.connect().send(request)
    }

    /// The first requirements that it asks for `/a`.
    #[track_caller]
    pub(crate) fn asked(&self) -> Value {
        self.send(&Request::get("/a")).assert_status(402).offer()["accepts"][0].clone()
    }

    /// The price of `/a` in atomic units.
    #[track_caller]
    pub(crate) fn price(&self) -> String {
        self.asked()["amount"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn assert_serves(&self) {
        self.send(&Request::get("/health")).assert_status(200);
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn finish(command: Command) -> Run {
    Proc::spawn(command).wait()
}

/// A handle of a process; `None` where it has ended and was taken note of.
pub(crate) fn open(pid: u32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(i32::try_from(pid).unwrap())?, PidfdFlags::empty()).ok()
}

/// Sends a signal to a process of this test that runs.
pub(crate) fn send(pid: u32, signal: Signal) {
    pidfd_send_signal(open(pid).expect("it runs"), signal).unwrap();
}

/// Suspends a process of this test. The signal is on its way to a thread that runs for a moment longer.
pub(crate) fn suspend(pid: u32) {
    send(pid, Signal::STOP);
    let tasks = format!("/proc/{pid}/task");
    let is_stopped = |task: std::io::Result<std::fs::DirEntry>| {
        let state = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap();
        // The state stands behind the name, which is in parentheses.
        state.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
    };
    eventually("it is suspended", || std::fs::read_dir(&tasks).unwrap().all(is_stopped));
}

/// Whether a process ends in a time; a zombie has ended.
pub(crate) fn has_ended(process: &OwnedFd, time: Duration) -> bool {
    let time = Timespec::try_from(time).unwrap();
    loop {
        match poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&time)) {
            Err(rustix::io::Errno::INTR) => {}
            ready => return ready.unwrap() > 0,
        }
    }
}

/// Waits until a process has ended.
#[track_caller]
pub(crate) fn assert_ends(pid: u32) {
    assert!(open(pid).is_none_or(|process| has_ended(&process, DEADLINE)), "{pid} should have ended");
}

/// Waits until something holds that nothing announces.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < until, "{what} should have come true");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// Says aloud that a test cannot be made here.
pub(crate) fn skip(why: &str) {
    #[expect(clippy::print_stderr, reason = "a test that is left out is said")]
    {
        eprintln!("SKIPPED: {why}");
    }
}

/// Whether a path exists, also as a link to nowhere.
pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
