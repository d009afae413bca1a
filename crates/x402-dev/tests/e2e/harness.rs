//! `Test` builds a run of the binary; `Mock` is the guard of a server that it started.

use std::fs::File;
use std::io::{PipeReader, Read, Seek, Write};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Answer, Connection, DEADLINE, Request};

/// A run of the binary: in a fresh directory, with an environment of its own.
#[derive(Debug)]
pub(crate) struct Test {
    args: Vec<String>,
    env: Vec<(String, String)>,
    directory: TempDir,
    stdin: Option<File>,
    stdout: Stream,
    stderr: Stream,
}

/// Where an output of the process goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// To a thread that collects it.
    Collected,
    /// To a pipe that nobody reads.
    Unread,
    /// To a pipe that is full already, and that nobody reads.
    Full,
    /// To a pipe whose other end is closed.
    Closed,
    /// To a device that is full.
    NoSpace,
    /// To a terminal; a thread collects it.
    Terminal,
}

/// A server. It is stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Mock {
    pub(crate) address: SocketAddr,
    pub(crate) url: String,
    pub(crate) stderr: Output,
    pub(crate) stdout: Output,
    process: Process,
    directory: TempDir,
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What a process has written so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output {
    shared: Arc<(Mutex<Written>, Condvar)>,
}

#[derive(Debug, Default)]
struct Written {
    bytes: Vec<u8>,
    ended: bool,
    unread: Option<PipeReader>,
}

/// A child process. It is not reaped before it has ended and was waited for, so its id is its own as long as we use it.
#[derive(Debug)]
struct Process {
    child: Child,
    ended: Receiver<()>,
    reaped: bool,
}

impl Test {
    pub(crate) fn new() -> Self {
        Self {
            args: Vec::new(),
            env: Vec::new(),
            directory: tempfile::tempdir().unwrap(),
            stdin: None,
            stdout: Stream::Collected,
            stderr: Stream::Collected,
        }
    }

    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes the project's configuration file.
    pub(crate) fn config(self, yaml: &str) -> Self {
        self.file(".x402dev.yaml", yaml)
    }

    /// Writes a file into the working directory.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Gives the process something to read.
    pub(crate) fn stdin(mut self, content: impl AsRef<[u8]>) -> Self {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content.as_ref()).unwrap();
        file.rewind().unwrap();
        self.stdin = Some(file);
        self
    }

    pub(crate) fn stdout(mut self, stream: Stream) -> Self {
        self.stdout = stream;
        self
    }

    pub(crate) fn stderr(mut self, stream: Stream) -> Self {
        self.stderr = stream;
        self
    }

    /// Starts `mock --port 0 --json` and waits until it is ready.
    pub(crate) fn start(self) -> Mock {
        let test = Self { args: [&["--json".to_owned()], self.args.as_slice()].concat(), ..self };
        let mut mock = test.start_unready();
        let line = mock.stdout.wait_for("\n").unwrap_or_else(|| mock.fail("no ready line"));
        let ready: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
        assert_eq!(ready["pid"], json!(mock.pid()), "{ready}");
        mock.reach(ready["url"].as_str().unwrap());
        mock
    }

    /// Starts `mock --port 0` and reads the address from its banner.
    pub(crate) fn start_without_json(self) -> Mock {
        let mut mock = self.start_unready();
        mock.stderr.wait_for("is listening on http://").unwrap_or_else(|| mock.fail("no banner"));
        let banner = mock.stderr.wait_for("(PID ").unwrap_or_else(|| mock.fail("no banner"));
        let url = banner.split("is listening on ").nth(1).unwrap().split_whitespace().next().unwrap();
        mock.reach(url);
        mock
    }

    fn start_unready(mut self) -> Mock {
        self.args.splice(0..0, ["mock", "--port", "0"].map(str::to_owned));
        let (process, stdout, stderr) = self.spawn();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Mock { address: nowhere, url: String::new(), stderr, stdout, process, directory: self.directory }
    }

    /// Runs a command to its end.
    pub(crate) fn run(mut self, command: &[&str]) -> Finished {
        self.args.splice(0..0, command.iter().map(ToString::to_string));
        let (mut process, stdout, stderr) = self.spawn();
        let status = process.wait(DEADLINE).expect("the command should end by itself");
        Finished { code: status.code(), stdout: stdout.to_end(), stderr: stderr.to_end() }
    }

    fn spawn(&self) -> (Process, Output, Output) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_x402-dev"));
        command.args(&self.args).current_dir(self.directory.path());
        let stdin = self.stdin.as_ref().map(|file| file.try_clone().unwrap());
        command.stdin(stdin.map_or_else(Stdio::null, Stdio::from));
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("X402_DEV_HOME", self.directory.path().join("home"));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let (ours, theirs) = self.stdout.open();
        command.stdout(theirs);
        let (our_errors, their_errors) = self.stderr.open();
        command.stderr(their_errors);
        let child = command.spawn().unwrap();
        // The command holds the other ends of the pipes.
        drop(command);
        (Process::new(child), ours, our_errors)
    }
}

impl Stream {
    fn open(self) -> (Output, Stdio) {
        let output = Output::default();
        match self {
            Self::Collected => {
                let (reader, writer) = std::io::pipe().unwrap();
                output.collect(reader);
                (output, writer.into())
            }
            Self::Unread | Self::Full => {
                let (reader, mut writer) = std::io::pipe().unwrap();
                if self == Self::Full {
                    // As much as a pipe holds on Linux.
                    writer.write_all(&vec![b'.'; 64 * 1024]).unwrap();
                }
                output.shared.0.lock().unwrap().unread = Some(reader);
                (output, writer.into())
            }
            Self::NoSpace => {
                output.shared.0.lock().unwrap().ended = true;
                (output, File::options().write(true).open("/dev/full").unwrap().into())
            }
            Self::Closed => {
                output.shared.0.lock().unwrap().ended = true;
                (output, std::io::pipe().unwrap().1.into())
            }
            Self::Terminal => {
                use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
                let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
                grantpt(&ours).unwrap();
                unlockpt(&ours).unwrap();
                let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
                let theirs = File::options().read(true).write(true).open(name).unwrap();
                output.collect(File::from(ours));
                (output, theirs.into())
            }
        }
    }
}

impl Mock {
    pub(crate) fn pid(&self) -> u32 {
        self.process.child.id()
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn reach(&mut self, url: &str) {
        url.clone_into(&mut self.url);
        self.address = url.strip_prefix("http://").unwrap().parse().unwrap();
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        panic!("{what}; stdout: {}; stderr: {}", self.stdout.text(), self.stderr.text())
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Sends a request over a connection of its own. Every answer carries CORS.
    #[track_caller]
    pub(crate) fn send(&self, request: &Request) -> Answer {
        let answer = self.connect().send(request);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{answer:?}");
        let exposed = answer.header("access-control-expose-headers").unwrap_or_default();
        for name in ["PAYMENT-REQUIRED", "PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE", "WWW-Authenticate", "Retry-After"] {
            assert!(exposed.split(", ").any(|own| own == name), "{name} is not exposed: {exposed}");
        }
        answer
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.send(&Request::get(target))
    }

    /// The first of the requirements that a resource offers in version 2.
    #[track_caller]
    pub(crate) fn asked(&self, target: &str) -> Value {
        self.get(target).offer()["accepts"][0].clone()
    }

    /// Asks `/verify` over whatever version; the answer has what strict clients demand.
    #[track_caller]
    pub(crate) fn verify(&self, body: &Value) -> Value {
        let answer = self.send(&Request::post_json("/verify", body));
        let verdict = answer.assert_status(200).json();
        assert!(verdict["isValid"].is_boolean(), "{verdict}");
        verdict
    }

    /// Asks `/settle` over whatever version; the answer has what strict clients demand.
    #[track_caller]
    pub(crate) fn settle(&self, body: &Value) -> Value {
        let answer = self.send(&Request::post_json("/settle", body));
        let outcome = answer.assert_status(200).json();
        assert!(outcome["success"].is_boolean(), "{outcome}");
        assert!(outcome["network"].is_string(), "{outcome}");
        let transaction = outcome["transaction"].as_str().unwrap_or_else(|| panic!("no transaction: {outcome}"));
        assert_eq!(!transaction.is_empty(), outcome["success"] == true, "{outcome}");
        outcome
    }

    #[track_caller]
    pub(crate) fn assert_serves(&self) {
        assert_eq!(self.get("/health").assert_status(200).json(), json!({"status": "ok"}));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for the end, and for the last byte of the outputs that are collected.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait(DEADLINE).expect("the server should have ended")
    }

    /// Ends the server by a signal; it must end well.
    #[track_caller]
    pub(crate) fn stop(&mut self, signal: Signal) {
        self.signal(signal);
        let status = self.wait();
        assert_eq!((status.code(), status.signal()), (Some(0), None), "{}", self.stderr.text());
    }
}

impl Output {
    fn collect(&self, mut source: impl Read + Send + 'static) {
        let output = self.clone();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            loop {
                // A terminal whose other side has gone gives an error.
                let length = source.read(&mut chunk).unwrap_or(0);
                let (written, changed) = &*output.shared;
                let mut written = written.lock().unwrap();
                written.bytes.extend_from_slice(&chunk[..length]);
                written.ended = length == 0;
                changed.notify_all();
                if length == 0 {
                    return;
                }
            }
        });
    }

    /// Everything so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.shared.0.lock().unwrap().bytes).into_owned()
    }

    /// Waits until it holds a text; gives everything so far. `None` when it ends or the deadline passes before.
    pub(crate) fn wait_for(&self, part: &str) -> Option<String> {
        let holds = |written: &Written| String::from_utf8_lossy(&written.bytes).contains(part);
        let written = self.wait_until(|written| written.ended || holds(written));
        written.filter(|text| text.contains(part))
    }

    /// Waits for the first whole line with a text.
    #[track_caller]
    pub(crate) fn line(&self, part: &str) -> String {
        let find = |text: &str| {
            let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
            whole.lines().find(|line| line.contains(part)).map(str::to_owned)
        };
        let text = self.wait_until(|written| written.ended || find(&String::from_utf8_lossy(&written.bytes)).is_some());
        text.as_deref().and_then(find).unwrap_or_else(|| panic!("no line with `{part}` in:\n{}", self.text()))
    }

    /// Waits for its end; gives everything.
    #[track_caller]
    pub(crate) fn to_end(&self) -> String {
        self.wait_until(|written| written.ended).expect("the output should end with its process")
    }

    fn wait_until(&self, holds: impl Fn(&Written) -> bool) -> Option<String> {
        let until = Instant::now() + DEADLINE;
        let (written, changed) = &*self.shared;
        let mut written = written.lock().unwrap();
        while !holds(&written) {
            let left = until.checked_duration_since(Instant::now())?;
            written = changed.wait_timeout(written, left).unwrap().0;
        }
        Some(String::from_utf8_lossy(&written.bytes).into_owned())
    }
}

impl Process {
    fn new(child: Child) -> Self {
        let pid = Pid::from_child(&child);
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
            // Nobody listens when the guard has waited already.
            let _ = sender.send(());
        });
        Self { child, ended, reaped: false }
    }

    fn signal(&self, signal: Signal) {
        assert!(!self.reaped, "the process has ended");
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn wait(&mut self, deadline: Duration) -> Option<ExitStatus> {
        self.ended.recv_timeout(deadline).ok()?;
        self.reaped = true;
        Some(self.child.wait().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for signal in [Signal::TERM, Signal::KILL] {
            if !self.reaped {
                self.signal(signal);
                self.wait(Duration::from_secs(8));
            }
        }
    }
}
