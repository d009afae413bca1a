//! The lock says whether an instance runs; records that disagree with it are not believed.

use std::io::Write;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::Request;
use crate::site::{Proc, Site, Up, assert_ends, eventually, send};

/// Changes the state file behind the back of everybody.
fn forge(site: &Site, change: impl Fn(&mut Value)) {
    let mut state = site.state();
    change(&mut state);
    std::fs::write(site.state_file(), state.to_string()).unwrap();
}

fn sleep(site: &Site) -> Proc {
    let mut command = site.program("sleep");
    command.arg("600");
    Proc::spawn(command)
}

/// The state of a process in words of the kernel: PID, start time.
fn started(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap()
}

fn kill(up: &Up) {
    send(up.pid, Signal::KILL);
    assert_ends(up.pid);
}

#[test]
fn a_killed_server_is_said_to_have_crashed_and_can_be_started_again() {
    let site = Site::new();
    let first = site.detach("");
    kill(&first);
    let status = site.mock("status");
    status.assert(2).says(&["Server is not running (stale PID removed)", "last run", "crashed or was killed"]);
    // With the last lines of its log.
    assert!(status.out.contains("curl "), "{status:?}");
    let status = site.json_of_a_dead_one();
    assert_eq!(status["last_run"]["pid"], first.pid);
    assert_eq!(status["last_run"]["last_lines"].as_array().unwrap().len(), 5);
    let second = site.detach("");
    kill(&second);
    let restarted = site.mock("restart --json").assert(0).up();
    assert_eq!(restarted.port(), second.port(), "a restart keeps the bound port");
    restarted.assert_serves();
    kill(&restarted);
    site.mock("stop").assert(2).complains(&["Server is not running (stale PID file removed)"]);
    let (foreground, _) = site.foreground("");
    foreground.signal(Signal::KILL);
    assert_eq!(foreground.wait().signal, Some(9));
    site.mock("status").assert(2).says(&["stale PID removed", "crashed or was killed"]);
}

#[test]
fn a_server_of_another_boot_is_said_to_have_ended_with_it() {
    let site = Site::new();
    let up = site.detach("");
    kill(&up);
    forge(&site, |state| state["identity"]["boot_id"] = json!("00000000-0000-0000-0000-000000000000"));
    site.mock("status").assert(2).says(&["last run", "ended with the system", "another machine"]);
    assert_eq!(site.json_of_a_dead_one()["last_run"]["cause"], "system");
    for line in ["stop", "reload", "env"] {
        let run = site.mock(line);
        run.complains(&["Server is not running", "ended with the system"]);
    }
    site.mock("list").assert(0).says(&["ended with the system"]);
    site.detach("").assert_serves();
}

#[test]
fn a_crash_is_told_from_a_kill_by_the_last_words_in_the_log() {
    let site = Site::new();
    let up = site.detach("");
    assert_eq!(up.send(&Request::get("/health")).status, 200);
    // Without memory, the run time of Rust says so and aborts: a crash as real as any.
    let pid = rustix::process::Pid::from_raw(i32::try_from(up.pid).unwrap());
    let none = rustix::process::Rlimit { current: Some(1 << 20), maximum: Some(1 << 20) };
    rustix::process::prlimit(pid, rustix::process::Resource::Data, none).unwrap();
    let handle = crate::site::open(up.pid).unwrap();
    eventually("it has no memory left", || {
        // It dies while it reads a large body: its client is not told.
        if let Ok(mut stream) = std::net::TcpStream::connect(up.address) {
            let _ = stream.write_all(&Request::post("/verify", vec![b'x'; 900_000]).bytes());
        }
        crate::site::has_ended(&handle, std::time::Duration::from_millis(50))
    });
    let status = site.mock("status");
    status.assert(2).says(&[
        "Server is not running (stale PID removed)",
        "last run  crashed: ",
        "memory allocation of",
    ]);
    assert_eq!(site.json_of_a_dead_one()["last_run"]["cause"], "crash");
}

#[test]
fn a_state_file_that_names_a_stranger_is_not_believed() {
    let site = Site::new();
    let stranger = sleep(&site);
    let up = site.detach("");
    kill(&up);
    // Everything about the stranger is right; only the lock is not held.
    let start_time = started(stranger.pid);
    for identity in [
        json!({"pid": stranger.pid, "start_time": start_time}),
        json!({"pid": stranger.pid, "start_time": start_time + 1}),
        json!({"pid": stranger.pid}),
        json!({"pid": 1}),
    ] {
        for (line, code) in [("status", 2), ("stop", 2), ("stop --force", 2), ("list", 0), ("reload", 1)] {
            forge(&site, |state| {
                for (key, value) in identity.as_object().unwrap() {
                    state["identity"][key] = value.clone();
                }
            });
            std::fs::write(site.pid_file(), stranger.pid.to_string()).unwrap();
            let run = site.mock(line);
            assert_eq!(run.code, Some(code), "{line}: {run:?}");
            assert!(stranger.is_running(), "{line}");
        }
    }
    site.detach("");
    assert!(stranger.is_running());
}

#[test]
fn a_state_file_that_lies_about_a_running_server_does_no_harm() {
    for (what, change) in LIES {
        let site = Site::new();
        let stranger = sleep(&site);
        let up = site.detach("");
        let pid = stranger.pid;
        forge(&site, |state| change(state, pid));
        let status = site.mock("status");
        assert_eq!(status.code, Some(0), "{what}: {status:?}");
        assert!(status.out.starts_with(&format!("Server is running (PID: {})", up.pid)), "{what}: {status:?}");
        site.mock("-d --port 0").assert(3);
        site.mock("stop").assert(0);
        assert_ends(up.pid);
        assert!(stranger.is_running(), "{what}");
        assert_eq!(site.pid_text(), None, "{what}");
    }
}

/// Changes a state; the number is a stranger's PID.
type Lie = (&'static str, fn(&mut Value, u32));

const LIES: [Lie; 7] = [
    ("start time", |state, _| state["identity"]["start_time"] = json!(1)),
    ("boot id", |state, _| state["identity"]["boot_id"] = json!("00000000-0000-0000-0000-000000000000")),
    ("pid", |state, pid| state["identity"]["pid"] = json!(pid)),
    ("token", |state, _| state["token"] = json!("0")),
    ("url", |state, _| state["url"] = json!("http://127.0.0.1:1")),
    ("format", |state, _| state["format"] = json!(99)),
    ("everything", |state, _| *state = json!([])),
];

#[test]
fn a_server_whose_files_were_removed_is_found_by_its_lock() {
    let site = Site::new();
    let up = site.detach("");
    std::fs::remove_file(site.pid_file()).unwrap();
    std::fs::write(site.state_file(), "").unwrap();
    site.mock("status").assert(0).says(&[&format!("Server is running (PID: {})", up.pid)]);
    site.mock("stop").assert(0).says(&[&format!("Stopping server (PID: {})...", up.pid), "stopped successfully"]);
    assert_ends(up.pid);
}

#[test]
fn whoever_asks_while_a_server_ends_leaves_no_pid_file_behind() {
    let site = Site::new();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let status = site.mock("status");
                    assert!(!status.out.contains("held by") && !status.out.contains("removed"), "{status:?}");
                }
            });
        }
        for _ in 0..40 {
            // Ended by others than `mock stop`, which would clean up.
            let up = site.detach("");
            send(up.pid, Signal::TERM);
            assert_ends(up.pid);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(site.pid_text(), None);
}

#[test]
fn whoever_cleans_up_is_never_taken_for_a_server() {
    // Commands that clean up at one instant hold each other up for a moment, and must not mistake each other for a
    // server that starts.
    let site = Site::new();
    std::fs::create_dir_all(site.home()).unwrap();
    for round in 0..30 {
        std::fs::write(site.pid_file(), "99999").unwrap();
        let asked = ["status", "stop", "status", "stop", "wait --timeout 0ms", "list"]
            .map(|line| Proc::spawn(site.command(&["mock"].into_iter().chain(line.split(' ')).collect::<Vec<_>>())));
        for (place, command) in asked.into_iter().enumerate() {
            let run = command.wait();
            let allowed = [&[2][..], &[1, 2], &[2], &[1, 2], &[2], &[0]][place];
            assert!(run.code.is_some_and(|code| allowed.contains(&code)), "{round}, {place}: {run:?}");
            assert!(!run.out.contains("PID: ") && !run.out.contains("starting"), "{round}, {place}: {run:?}");
        }
    }
}

impl Site {
    fn json_of_a_dead_one(&self) -> Value {
        self.mock("status --json").assert(2).json()
    }
}
