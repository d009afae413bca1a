//! Under a service manager, and as the first process of a container.

use std::os::unix::net::UnixDatagram;

use rustix::process::Signal;
use serde_json::json;

use crate::site::{DEADLINE, Proc, Site, eventually, skip};

/// What the manager hears next.
fn heard(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 4096];
    let length = manager.recv(&mut buffer).expect("a message within the deadline");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[test]
fn a_service_manager_is_told() {
    let site = Site::new();
    let socket = site.work().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let site = site.env("NOTIFY_SOCKET", socket.to_str().unwrap());
    let (server, up) = site.foreground("");
    assert_eq!(heard(&manager), "READY=1");
    // `setsid` is not needed: a test has no terminal, unless a person runs it.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", up.pid)).unwrap();
    let terminal = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(4).unwrap() != "0";
    if terminal {
        skip("with a terminal, a hang-up is no reload");
    } else {
        server.signal(Signal::HUP);
        let reloading = heard(&manager);
        let (state, since) = reloading.split_once('\n').unwrap();
        assert_eq!(state, "RELOADING=1");
        let microseconds: u64 = since.strip_prefix("MONOTONIC_USEC=").unwrap().parse().unwrap();
        assert!(microseconds > 0);
        assert_eq!(heard(&manager), "READY=1");
    }
    server.signal(Signal::TERM);
    assert_eq!(heard(&manager), "STOPPING=1");
    server.wait().assert(0);
}

#[test]
fn a_service_manager_is_told_of_every_reload() {
    let site = Site::new();
    let socket = site.work().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let site = site.env("NOTIFY_SOCKET", socket.to_str().unwrap());
    site.detach("");
    assert_eq!(heard(&manager), "READY=1");
    let mut last = 0;
    // One that is refused is over, too.
    for (yaml, code) in [("pricing: {default: $0.02}", 0), ("pricing: [", 78), ("", 0)] {
        site.write(".x402dev.yaml", yaml);
        site.mock("reload").assert(code);
        let reloading = heard(&manager);
        let since = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap_or_else(|| panic!("{reloading}"));
        let since: u64 = since.parse().unwrap();
        assert!(since > last, "{since} after {last}");
        last = since;
        assert_eq!(heard(&manager), "READY=1");
    }
    site.mock("stop").assert(0);
    assert_eq!(heard(&manager), "STOPPING=1");
}

#[test]
fn a_manager_that_does_not_listen_is_no_trouble() {
    let site = Site::new().env("NOTIFY_SOCKET", "/nowhere/at/all");
    let (server, up) = site.foreground("");
    up.assert_serves();
    server.signal(Signal::TERM);
    server.wait().assert(0);
}

/// Binds a port, and becomes the program that is named with the socket as file 3.
const ACTIVATE: &str = r"
import os, socket, sys
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(16)
port = listener.getsockname()[1]
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
print(port, flush=True)
os.execv(sys.argv[1], sys.argv[1:])
";

#[test]
fn a_socket_that_a_manager_has_opened_is_used() {
    let site = Site::new();
    let mut command = site.program("python3");
    command.args(["-c", ACTIVATE, crate::site::PROGRAM, "mock", "--json"]);
    let server = Proc::spawn(command);
    let port: u16 = server.out.line("", &server.err).parse().unwrap();
    let up = server.ready();
    assert_eq!(up.port(), port);
    up.assert_serves();
    assert_eq!(site.json("status")["url"], up.url);
    server.signal(Signal::TERM);
    server.wait().assert(0);
}

#[test]
fn a_socket_for_another_process_is_left_alone() {
    let site = Site::new().env("LISTEN_FDS", "1").env("LISTEN_PID", "1");
    let (_server, up) = site.foreground("");
    up.assert_serves();
}

#[test]
fn as_the_first_process_of_a_container_it_reaps_and_ends_on_sigterm() {
    let site = Site::new();
    let allowed = site.shell("unshare --pid --fork --mount-proc true");
    if allowed.code != Some(0) {
        skip(&format!("no PID namespace can be made here: {}", allowed.err));
        return;
    }
    // In the namespace the shell is PID 1, and becomes the server.
    let mut command = site.program("unshare");
    command.args(["--pid", "--fork", "--mount-proc", "--kill-child"]);
    command.args(["sh", "-c", r#"exec "$BIN" mock --port 0 --json"#]);
    let container = Proc::spawn(command);
    let ready = container.out.line("\"url\"", &container.err);
    assert!(ready.contains("\"pid\":1,"), "{ready}");
    let children = format!("/proc/{0}/task/{0}/children", container.pid);
    let first = std::fs::read_to_string(children).unwrap().trim().to_owned();
    let inside = |script: &str| {
        let mut command = site.program("nsenter");
        command.args(["--pid", "--mount", "--target", &first, "sh", "-c", script]);
        command.current_dir("/");
        crate::site::finish(command)
    };
    inside(r#""$BIN" mock status"#).assert(0).says(&["Server is running (PID: 1)"]);
    // From outside, its number is another one.
    site.mock("status").assert(0).says(&[&format!("Server is running (PID: {first})"), "state     answers"]);
    assert_eq!(site.pid_text(), Some("1".to_owned()), "its PID file is for its container");
    // An orphan becomes its child; once it has ended it is taken note of, and is no zombie.
    let orphan = inside("sh -c 'sleep 600 > /dev/null 2>&1 & echo $!'").assert(0).out.trim().to_owned();
    let parent = format!("grep PPid /proc/{orphan}/status");
    eventually("the orphan is the server's", || inside(&parent).out == "PPid:\t1\n");
    inside(&format!("kill {orphan}")).assert(0);
    eventually("the orphan is gone", || inside(&format!("[ -e /proc/{orphan} ]")).code == Some(1));
    inside(r#""$BIN" mock status"#).assert(0);
    site.mock("stop").assert(0).says(&[&format!("Stopping server (PID: {first})..."), "Server stopped successfully"]);
    container.wait().assert(0);
    site.mock("status").assert(2).says(&["Server is not running\n", "stopped by `mock stop`"]);
}

/// What cannot be answered from where the server cannot be seen.
const ASKED: [(&str, i32); 5] =
    [("stop --all --force", 1), ("reload", 1), ("env", 2), ("env --json", 2), ("wait --timeout 0ms", 2)];

#[test]
fn a_server_in_another_container_is_seen_and_left_alone() {
    let site = Site::new();
    if site.shell("unshare --pid --fork --mount-proc true").code != Some(0) {
        skip("no PID namespace can be made here");
        return;
    }
    let up = site.detach("");
    for (line, code) in [("status", 0), ("list", 0), ("stop --force", 1), ("restart", 1), ("-d --port 0", 3), ("", 3)]
        .into_iter()
        .chain(ASKED)
    {
        let mut command = site.program("unshare");
        command.args(["--pid", "--fork", "--mount-proc", crate::site::PROGRAM, "mock"]).args(line.split_whitespace());
        let run = crate::site::finish(command);
        assert_eq!(run.code, Some(code), "{line}: {run:?}");
        assert!(format!("{}{}", run.out, run.err).contains("in another container"), "{line}: {run:?}");
        if line == "status" {
            run.says(&["record ", &format!("PID {} there", up.pid), &up.url]);
        }
    }
    let mut command = site.program("unshare");
    command.args(["--pid", "--fork", "--mount-proc", crate::site::PROGRAM, "mock", "status", "--json"]);
    let known = json!({ "running": true, "elsewhere": true, "pid": up.pid, "url": up.url });
    assert_eq!(crate::site::finish(command).assert(0).json(), known);
    up.assert_serves();
    assert_eq!(site.pid_text(), Some(up.pid.to_string()));
}
