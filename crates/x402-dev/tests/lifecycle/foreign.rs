//! A lock that is held by a process which is no server: it is named, and left alone.

use std::process::Stdio;

use rustix::process::Signal;
use serde_json::json;

use crate::site::{Proc, Site, assert_ends, exists};

/// Locks a file as its first argument says, says `held`, and waits to be killed.
const HOLD: &str = r"
import fcntl, struct, sys, time
how, path = sys.argv[1:]
file = open(path, 'r+b' if how != 'new' else 'w+b')
if how == 'open file':
    fcntl.fcntl(file, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))
else:
    fcntl.lockf(file, (fcntl.LOCK_SH if how == 'reader' else fcntl.LOCK_EX) | fcntl.LOCK_NB)
print('held', flush=True)
time.sleep(600)
";

/// A program of this user that has nothing to do with us, and holds the lock.
fn holder(site: &Site, how: &str) -> Proc {
    std::fs::create_dir_all(site.home()).unwrap();
    let mut command = site.program("python3");
    command.args(["-c", HOLD, how]).arg(site.home().join("mock-server.lock")).stdin(Stdio::null());
    let holder = Proc::spawn(command);
    holder.out.line("held", &holder.err);
    holder
}

/// Every command, with its exit code.
const COMMANDS: [(&str, i32); 14] = [
    ("stop", 1),
    ("stop --force --timeout 0ms", 1),
    ("stop --all --force --timeout 0ms", 1),
    ("restart --port 0", 1),
    ("reload", 1),
    ("env", 2),
    ("env --json", 2),
    ("wait --timeout 0ms", 2),
    ("status", 2),
    ("status --json", 2),
    ("list", 0),
    ("--port 0", 73),
    ("-d --port 0", 73),
    ("-d --port 0 --no-wait", 73),
];

#[test]
fn a_stranger_that_holds_the_lock_is_named_and_survives_everything() {
    let site = Site::new();
    let holder = holder(&site, "new");
    survives(&site, &holder);
    let known = json!({ "running": false, "stale": null, "last_run": null, "holder": holder.pid });
    assert_eq!(site.mock("status --json").assert(2).json(), known);
    let stop = site.mock("stop --json").assert(1).json();
    assert_eq!((&stop["holder"], &stop["exit"], &stop["name"]), (&json!(holder.pid), &json!(1), &json!("default")));
}

#[test]
fn a_stranger_that_took_the_lock_after_a_server_survives_everything() {
    let site = Site::new();
    site.detach("");
    site.mock("stop").assert(0);
    survives(&site, &holder(&site, "writer"));
}

#[test]
fn a_stranger_that_took_the_lock_after_a_crash_survives_everything() {
    let site = Site::new();
    let up = site.detach("");
    crate::site::send(up.pid, Signal::KILL);
    assert_ends(up.pid);
    let holder = holder(&site, "writer");
    // What the crash has left behind could name the stranger by now.
    std::fs::write(site.pid_file(), holder.pid.to_string()).unwrap();
    survives(&site, &holder);
    drop(holder);
    // Without it, everything works again.
    site.detach("").assert_serves();
    site.mock("stop").assert(0);
}

/// No command does anything to the holder of the lock but name it.
fn survives(site: &Site, holder: &Proc) {
    // All at once, as each of them waits a while for the holder to say who it is.
    let start =
        |line: &str| Proc::spawn(site.command(&["mock"].into_iter().chain(line.split(' ')).collect::<Vec<_>>()));
    for ((line, code), command) in COMMANDS.into_iter().zip(COMMANDS.map(|(line, _)| start(line))) {
        let run = command.wait();
        assert_eq!(run.code, Some(code), "{line}: {run:?}");
        let said = format!("{}{}", run.out, run.err);
        assert!(said.contains(&holder.pid.to_string()), "{line}: {run:?}");
        assert!(!said.contains("Stopping server"), "{line}: {run:?}");
        assert!(holder.is_running(), "{line}");
    }
    site.mock("stop").assert(1).complains(&["lock", "mock-server.lock", "held by python3 (PID ", "hint: ", "--name"]);
    site.mock("-d --port 0").assert(73).complains(&["held by python3 (PID ", "X402_DEV_HOME", "--no-instance"]);
}

#[test]
fn a_stranger_that_only_keeps_servers_from_starting_is_named_and_survives() {
    let site = Site::new();
    site.detach("");
    site.mock("stop").assert(0);
    let holder = holder(&site, "reader");
    site.mock("-d --port 0").assert(73).complains(&[&format!("held by python3 (PID {})", holder.pid)]);
    for (line, code) in [("status", 2), ("stop --force", 1), ("reload", 1)] {
        site.mock(line).assert(code);
        assert!(holder.is_running(), "{line}");
    }
}

#[test]
fn a_lock_without_a_process_is_nobody_to_signal() {
    let site = Site::new();
    site.detach("");
    site.mock("stop").assert(0);
    // The kernel tells no PID for a lock of an open file.
    let holder = holder(&site, "open file");
    for (line, code) in [("status", 0), ("stop --force", 1), ("restart --port 0", 1), ("-d --port 0", 3)] {
        site.mock(line).assert(code);
        assert!(holder.is_running(), "{line}");
    }
}

#[test]
fn a_server_whose_record_is_damaged_is_known_by_what_it_wrote_into_its_lock() {
    for damage in ["", "{", "[]"] {
        let site = Site::new();
        let up = site.detach("--price 0.5");
        std::fs::write(site.state_file(), damage).unwrap();
        let pid = format!("(PID: {})", up.pid);
        site.mock("status").assert(0).says(&["Server is running", &pid, "state ", "record was damaged"]);
        site.mock("list").assert(0).says(&["default", "record was damaged"]);
        site.mock("env").assert(2).complains(&[&pid, "mock-server.json", "hint: ", "restart"]);
        site.mock("reload").assert(1).complains(&[&pid, "mock-server.json"]);
        site.mock("-d --port 0").assert(3).complains(&["Server already running", &pid]);
        if damage == "{" {
            site.mock(&format!("restart --port {} --json", up.port()))
                .assert(0)
                .complains(&["warning: the record", "flags that are given now"]);
            continue;
        }
        site.mock("stop").assert(0).says(&["Stopping server", &pid, "Server stopped successfully"]);
        assert_ends(up.pid);
        assert!(!exists(&site.pid_file()));
    }
}

#[test]
fn a_server_that_nothing_proves_to_be_ours_is_left_alone() {
    let site = Site::new();
    let up = site.detach("");
    std::fs::write(site.state_file(), "").unwrap();
    std::fs::write(site.home().join("mock-server.lock"), "").unwrap();
    for line in ["stop", "stop --force", "restart"] {
        site.mock(line).assert(1).complains(&["held by x402-dev (PID ", "left alone", "hint: "]);
    }
    up.assert_serves();
    crate::site::send(up.pid, Signal::TERM);
    assert_ends(up.pid);
}
