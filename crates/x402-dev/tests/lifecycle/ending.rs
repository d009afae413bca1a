//! How a server ends while requests are in flight, and what it waits for.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::client::{Connection, Request};
use crate::payer::{Payment, encoded};
use crate::site::{Proc, Site, Up, assert_ends, eventually, exists, suspend};

/// A request that is being answered for a time.
pub(crate) struct Slow(Connection);

impl Slow {
    /// Sends it; it is in flight when this returns.
    pub(crate) fn send(up: &Up) -> Self {
        let payment = encoded(&Payment::of(&up.asked()).v2());
        let mut connection = up.connect();
        let head = Request::new("POST", "/a")
            .header("PAYMENT-SIGNATURE", payment)
            .header("Expect", "100-continue")
            .header("Content-Length", "2");
        connection.write(&head.bytes());
        // The server asks for the body: the request is in flight.
        connection.read().assert_status(100);
        connection.write(b"{}");
        Self(connection)
    }

    #[track_caller]
    pub(crate) fn completes(mut self) {
        self.0.read().assert_status(408);
    }
}

const HALF_A_SECOND: &str = "--verification timeout --timeout-delay 500ms";
const TOO_LONG: &str = "--verification timeout --timeout-delay 9s";

#[test]
fn a_slow_request_is_finished_before_the_end() {
    let site = Site::new();
    let (server, up) = site.foreground(HALF_A_SECOND);
    let slow = Slow::send(&up);
    server.signal(Signal::TERM);
    slow.completes();
    server.wait().assert(0);
    let up = site.detach(HALF_A_SECOND);
    let slow = Slow::send(&up);
    site.mock("stop").assert(0).says(&["Stopping server", "Server stopped successfully"]);
    slow.completes();
}

#[test]
fn new_connections_are_refused_while_it_drains() {
    let site = Site::new();
    let (server, up) = site.foreground(HALF_A_SECOND);
    let slow = Slow::send(&up);
    server.signal(Signal::TERM);
    server.err.line("stopping: SIGTERM was received", &server.out);
    eventually("new connections are refused", || std::net::TcpStream::connect(up.address).is_err());
    slow.completes();
    server.wait().assert(0);
}

#[test]
fn a_request_that_is_longer_than_the_timeout_is_waited_for_unless_forced() {
    let site = Site::new();
    let up = site.detach(TOO_LONG);
    let _slow = Slow::send(&up);
    let draining = format!("Server (PID: {}) is still draining after 100 ms", up.pid);
    // Saying it twice is no insistence.
    for _ in 0..2 {
        site.mock("stop --timeout 100ms").assert(1).complains(&[&draining, "it waits for 1 request that", "--force"]);
    }
    site.mock("restart --timeout 100ms").assert(1).complains(&[&draining]);
    site.mock("status").assert(0).says(&["Server is running", "state ", "draining: it waits for 1 request that"]);
    assert_eq!(site.json("status")["draining"]["in_flight"], 1);
    site.mock("stop --timeout 100ms --force").assert(0).says(&["Stopping server", "Server killed"]);
    assert_ends(up.pid);
    assert!(!exists(&site.pid_file()));
    site.mock("status").assert(2).says(&["Server is not running\n", "killed by `mock stop --force`"]);
    site.mock("-d --port 0").assert(0);
}

#[test]
fn one_that_is_suspended_is_not_said_to_drain() {
    let site = Site::new();
    let up = site.detach("");
    suspend(up.pid);
    let asked = Instant::now();
    site.mock("wait --timeout 200ms").assert(2).complains(&[&format!("Server (PID: {}) does not answer", up.pid)]);
    assert!(asked.elapsed() < Duration::from_millis(1500), "{:?}", asked.elapsed());
    site.mock("stop --timeout 100ms").assert(1).complains(&["still runs after 100 ms", "may be suspended", "--force"]);
    site.mock("stop --timeout 100ms --force").assert(0).says(&["Server killed"]);
    assert_ends(up.pid);
}

#[test]
fn an_interrupt_twice_ends_it_at_once() {
    let site = Site::new();
    let (server, up) = site.foreground(TOO_LONG);
    let _slow = Slow::send(&up);
    server.signal(Signal::INT);
    server.err.line("stopping: SIGINT", &server.out);
    let asked = Instant::now();
    server.signal(Signal::INT);
    server.wait().assert(1).complains(&["ended with 1 request left without a whole answer"]);
    site.mock("status").assert(2).says(&["stopped by SIGINT"]);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert!(!exists(&site.pid_file()));
}

#[test]
fn the_first_interrupt_after_a_termination_ends_it_at_once() {
    let site = Site::new();
    let (server, up) = site.foreground(TOO_LONG);
    let slow = Slow::send(&up);
    server.signal(Signal::TERM);
    server.err.line("stopping: SIGTERM", &server.out);
    server.signal(Signal::INT);
    server.wait().assert(1).complains(&["ended with 1 request left without a whole answer"]);
    drop(slow);
    // Nobody is kept waiting where there is nothing in flight.
    let (server, _up) = site.foreground("");
    server.signal(Signal::INT);
    server.wait().assert(0);
}

#[test]
fn requests_that_outlive_the_grace_are_cut_off_and_said() {
    let site = Site::new();
    let (server, up) = site.foreground("--verification timeout --timeout-delay 60s");
    let _slow = Slow::send(&up);
    server.signal(Signal::TERM);
    server.wait().assert(1).complains(&["ended with 1 request left without a whole answer"]);
}

#[test]
fn idle_connections_do_not_hold_it_up() {
    let site = Site::new();
    let up = site.detach("");
    let mut idle: Vec<_> = (0..100).map(|_| up.connect()).collect();
    for connection in &mut idle {
        connection.send(&Request::get("/health")).assert_status(200);
    }
    let asked = Instant::now();
    site.mock("stop").assert(0);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert!(idle.iter_mut().all(Connection::is_closed));
}

/// Runs a script whose terminal is hung up when its stdin ends.
fn in_terminal(site: &Site, script: &str) -> Proc {
    let mut command = site.program("python3");
    command.args(["-c", PTY, script]);
    Proc::spawn(command)
}

/// Runs `sh -c` in a new session with a terminal, prints what it says until it says `up`, and hangs up.
const PTY: &str = r"
import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0:
    # Whoever runs the tests under nohup hands an ignored hang-up down to everything.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.execvp('sh', ['sh', '-c', sys.argv[1]])
said = b''
while b'up\r\n' not in said:
    said += os.read(terminal, 4096)
os.close(terminal)
os.waitpid(pid, 0)
";

#[test]
fn a_hang_up_of_its_terminal_ends_it_gracefully() {
    let site = Site::new();
    let terminal = in_terminal(&site, r#""$BIN" mock --port 0 2> log & "$BIN" mock wait; echo up; wait"#);
    terminal.wait().assert(0);
    // The shell has gone; the server was told as well.
    eventually("it has ended", || site.mock("status").code == Some(2));
    site.mock("status").assert(2).says(&["Server is not running\n", "stopped by SIGHUP"]);
}

#[test]
fn a_hang_up_does_not_reach_a_server_in_the_background_or_under_nohup() {
    let site = Site::new();
    in_terminal(&site, r#""$BIN" mock -d --port 0; echo up; sleep 600"#).wait().assert(0);
    site.mock("status").assert(0);
    site.mock("stop").assert(0);
    in_terminal(&site, r#"nohup "$BIN" mock --port 0 > log 2>&1 & "$BIN" mock wait; echo up; wait"#).wait().assert(0);
    site.mock("status").assert(0);
    site.mock("stop").assert(0);
}
