//! Processes around a server: the parent that it is bound to, one that does not reap, readers that have gone.

use std::process::Stdio;

use rustix::process::Signal;

use crate::client::Request;
use crate::site::{Proc, Site, Up, assert_ends, eventually, open};

/// A process that runs a script and lives until it is killed. It says a line of JSON when the server is ready.
fn parent(site: &Site, script: &str) -> (Proc, Up) {
    let mut command = site.program("sh");
    command.args(["-c", &format!("{script}\nexec sleep 600")]);
    let parent = Proc::spawn(command);
    let line = parent.out.line("\"url\"", &parent.err);
    let up = Up::of(&serde_json::from_str(&line).unwrap());
    site.remember(up.pid);
    (parent, up)
}

#[test]
fn a_server_ends_with_its_parent_also_when_that_is_killed() {
    for script in [
        r#""$BIN" mock --json --port 0 --exit-with-parent &"#,
        r#""$BIN" mock --json --port 0 --exit-with-parent -d"#,
        r#""$BIN" mock --json --port 0 --exit-with-parent=$$ -d"#,
    ] {
        for signal in [Signal::KILL, Signal::TERM] {
            let site = Site::new();
            let (parent, up) = parent(&site, script);
            let server = open(up.pid).unwrap();
            up.assert_serves();
            parent.signal(signal);
            assert!(crate::site::has_ended(&server, crate::site::DEADLINE), "{script}");
            eventually("the record is written", || site.mock("status").code == Some(2));
            site.mock("status").assert(2).says(&["Server is not running\n", "the process that it was bound to ended"]);
            assert_eq!(site.pid_text(), None);
        }
    }
}

#[test]
fn without_the_flag_it_outlives_its_parent() {
    let site = Site::new();
    let (parent, up) = parent(&site, r#""$BIN" mock --json --port 0 -d"#);
    parent.signal(Signal::KILL);
    parent.wait();
    up.assert_serves();
    site.mock("stop").assert(0);
}

#[test]
fn a_parent_that_does_not_exist_is_refused() {
    let site = Site::new();
    for line in ["--exit-with-parent=4194303", "--exit-with-parent=4194303 -d"] {
        site.mock(&format!("--port 0 {line}")).assert(64).complains(&["there is no process 4194303"]);
    }
}

/// A server whose parent waits for no child: `sleep`, which has taken the place of the shell that started it.
fn careless(site: &Site) -> (Proc, Up) {
    let mut command = site.program("sh");
    command.args(["-c", r#""$BIN" mock --json --port 0 & exec sleep 600"#]);
    let parent = Proc::spawn(command);
    let line = parent.out.line("\"url\"", &parent.err);
    (parent, Up::of(&serde_json::from_str(&line).unwrap()))
}

#[test]
fn a_zombie_is_not_running() {
    let site = Site::new();
    let (_parent, up) = careless(&site);
    let asked = std::time::Instant::now();
    site.mock("stop").assert(0).says(&["Server stopped successfully"]);
    assert!(asked.elapsed().as_secs() < 3, "{:?}", asked.elapsed());
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", up.pid)).unwrap();
    assert!(stat.contains(") Z "), "{stat}");
    site.assert_stopped();
    // Killed, it leaves its PID file behind; a zombie still has that number.
    let (parent, up) = careless(&site);
    crate::site::send(up.pid, Signal::KILL);
    assert_ends(up.pid);
    site.mock("status").assert(2).says(&["(stale PID removed)", "crashed or was killed"]);
    site.detach("").assert_serves();
    assert!(parent.is_running());
}

/// Asks so much that 64 KiB of pipe and the queue behind it are full.
fn fill(up: &Up) {
    let mut connection = up.connect();
    let batch = Request::new("HEAD", "/a/path/that/fills/the/log").bytes().repeat(50);
    for _ in 0..120 {
        connection.write(&batch);
        for _ in 0..50 {
            connection.read_head().assert_status(402);
        }
    }
}

#[test]
fn readers_that_have_gone_or_never_read_do_not_hold_it_up() {
    let site = Site::new();
    // Both outputs into pipes that nobody reads; then into pipes whose readers have gone.
    for reads in [true, false] {
        let (out, our_out) = std::io::pipe().unwrap();
        let (err, our_err) = std::io::pipe().unwrap();
        let mut command = site.command(&["mock", "--port", "0", "--json", "--verbose"]);
        command.stdout(Stdio::from(our_out)).stderr(Stdio::from(our_err));
        let server = Proc::over(command.spawn().unwrap());
        drop(command);
        let kept = reads.then_some((out, err));
        site.mock("wait").assert(0);
        let up = Up::of(&site.json("status"));
        fill(&up);
        up.assert_serves();
        site.mock("stop").assert(0);
        assert_eq!(server.wait().code, Some(0));
        drop(kept);
    }
}

#[test]
fn the_output_of_a_start_in_the_background_ends_with_the_command() {
    let site = Site::new();
    // `$(...)` waits until every writer has gone: a server that kept the pipe would hang it.
    let run = site.shell(r#"said=$("$BIN" mock -d --port 0 2>&1) && echo "said: $said""#);
    run.assert(0).says(&["said: Server is running on http://127.0.0.1:"]);
    site.shell(r#""$BIN" mock restart 2>&1 | cat"#).assert(0).says(&["Server is running on"]);
    // Commands whose stdout is closed have no less effect.
    site.shell(r#""$BIN" mock stop >&-"#);
    site.assert_stopped();
}
