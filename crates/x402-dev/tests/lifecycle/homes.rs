//! Where instances live: names side by side, homes that cannot be used, ports that are taken.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use serde_json::json;

use crate::site::{Site, Up, assert_ends, exists, finish, send, skip};

#[test]
fn names_live_side_by_side() {
    let site = Site::new();
    let default = site.detach("");
    let others: Vec<Up> = ["a", "b.c", "ci-1"].iter().map(|name| site.detach(&format!("--name {name}"))).collect();
    assert!(site.home().join("instances/ci-1/mock-server.pid").is_file());
    for (name, up) in ["a", "b.c", "ci-1"].iter().zip(&others) {
        assert_eq!(site.json(&format!("status --name {name}"))["url"], up.url);
        site.mock(&format!("-d --port 0 --name {name}")).assert(3);
        site.mock(&format!("env --name {name}")).assert(0).says(&[&up.url]);
        site.mock(&format!("wait --name {name}")).assert(0);
    }
    let port = others[0].port();
    assert_eq!(site.mock("restart --name a --json").assert(0).up().port(), port);
    site.mock("stop --name b.c").assert(0);
    site.mock("stop --name b.c").assert(1);
    send(others[2].pid, Signal::KILL);
    assert_ends(others[2].pid);
    let list = site.mock("list");
    list.assert(0).says(&[
        "a ",
        "running\n",
        "b.c ",
        "stopped by `mock stop`",
        "ci-1 ",
        "stale PID removed; crashed",
        "default",
    ]);
    assert!(!exists(&site.home().join("instances/ci-1/mock-server.pid")), "the dead one was cleaned");
    assert_eq!(list.out.lines().count(), 4);
    default.assert_serves();
    let all = site.mock("stop --all");
    all.assert(0).says(&["a:\n", "stopped successfully", "default:\n", "stopped successfully"]);
    site.mock("stop --all").assert(0).says(&["No server is running"]);
    assert!(site.json("list").as_array().unwrap().iter().all(|row| row["running"] == json!(false)));
}

#[test]
fn one_instance_that_cannot_be_asked_hides_no_other() {
    let site = Site::new();
    let up = site.detach("--name good");
    let bad = site.home().join("instances/bad");
    std::fs::create_dir_all(bad.join("mock-server.pid/precious")).unwrap();
    site.mock("list").assert(0).says(&["bad ", "unknown: ", "mock-server.pid", "good ", &up.url]);
}

#[test]
fn an_unmanaged_server_leaves_no_files() {
    let site = Site::new();
    let (server, up) = site.foreground("--no-instance");
    up.assert_serves();
    assert!(!exists(&site.home()));
    site.mock("status").assert(2);
    let asked = crate::client::Request::get("/_x402/api/instance").header("Host", up.address.to_string());
    assert!(up.send(&asked).assert_status(403).text().contains("\"code\":\"no_instance\""));
    server.signal(Signal::TERM);
    server.wait().assert(0);
    assert!(!exists(&site.home()));
    // It needs no home at all.
    let mut homeless = site.command(&["mock", "--no-instance", "--port", "0", "--json"]);
    homeless.env_remove("X402_DEV_HOME");
    let server = crate::site::Proc::spawn(homeless);
    server.ready().assert_serves();
    server.signal(Signal::TERM);
    server.wait().assert(0);
}

#[test]
fn a_home_that_cannot_be_used_exits_73_and_says_what_to_do() {
    let below = Site::new();
    let file = below.write("file", "");
    let below = below.env("X402_DEV_HOME", file.join("below").to_str().unwrap());
    let proc = Site::new().env("X402_DEV_HOME", "/proc/x402dev");
    for site in [&below, &proc] {
        for line in ["--port 0", "-d --port 0", "-d --port 0 --name a", "restart --port 0"] {
            let run = site.mock(line);
            assert_eq!((run.code, run.out.contains("is running")), (Some(73), false), "{line}: {run:?}");
            run.complains(&["X402_DEV_HOME", "--no-instance"]);
        }
    }
    let site = Site::new();
    for line in ["mock --port 0", "mock -d --port 0", "mock status", "mock list"] {
        let mut homeless = site.command(&line.split(' ').collect::<Vec<_>>());
        homeless.env_remove("X402_DEV_HOME");
        finish(homeless).assert(73).complains(&["home directory", "X402_DEV_HOME", "--no-instance"]);
    }
}

#[test]
fn a_user_without_a_home_is_told_and_nothing_is_made() {
    let site = Site::new();
    let file = site.write("file", "");
    let missing = site.work().join("missing");
    for home in [&missing, &file, &file.join("below")] {
        for line in ["--port 0", "-d --port 0", "status", "stop", "stop --all", "restart", "list", "logs", "env --json"]
        {
            let mut command = site.command(&["mock"]);
            command.args(line.split(' ')).env_remove("X402_DEV_HOME").env("HOME", home);
            let run = finish(command);
            run.assert(73).complains(&[
                "home directory",
                &home.display().to_string(),
                "X402_DEV_HOME",
                "--no-instance",
            ]);
            assert!(!exists(&missing), "{line}");
        }
    }
    // Where a home is named, it is made; and no home is needed without an instance.
    let deep = missing.join("deep");
    let named = Site::new().env("X402_DEV_HOME", deep.to_str().unwrap()).env("HOME", missing.to_str().unwrap());
    named.detach("").assert_serves();
    named.mock("stop").assert(0);
    assert!(exists(&deep.join("mock-server.lock")));
}

#[test]
fn every_trouble_with_the_directory_names_both_ways_out() {
    // Each thing in turn is a directory that cannot be replaced.
    for name in ["mock-server.lock", "mock-server.json", "mock-server.log", "mock-server.pid"] {
        let site = Site::new();
        let thing = site.home().join(name);
        std::fs::create_dir_all(thing.join("precious")).unwrap();
        for line in ["-d --port 0", "--port 0"] {
            if name == "mock-server.log" && line == "--port 0" {
                continue;
            }
            let run = site.mock(line);
            run.assert(73).complains(&["X402_DEV_HOME", "--no-instance"]);
            assert!(!exists(&site.pid_file()) || name == "mock-server.pid", "{name}: {line}");
        }
        std::fs::remove_dir_all(thing).unwrap();
        site.mock("status").assert(2);
    }
}

#[test]
fn one_instance_that_cannot_be_stopped_keeps_no_other_running() {
    let site = Site::new();
    let bad = site.home().join("instances/bad");
    std::fs::create_dir_all(bad.join("mock-server.pid/precious")).unwrap();
    let ups = ["a", "c"].map(|name| site.detach(&format!("--name {name}")));
    let run = site.mock("stop --all");
    run.assert(73).says(&["a:\n", "stopped successfully", "bad:\n", "c:\n", "stopped successfully"]);
    run.complains(&["instance bad", "mock-server.pid"]);
    for up in ups {
        assert_ends(up.pid);
    }
}

#[test]
fn a_full_home_exits_73_and_leaves_nothing_half_written() {
    let site = Site::new();
    std::fs::create_dir(site.home()).unwrap();
    let script = r#"
        mount -t tmpfs -o size=4k none "$X402_DEV_HOME" && printf '%4096s' x > "$X402_DEV_HOME/fill" || exit 99
        "$BIN" mock --port 0; echo "foreground $?"
        "$BIN" mock -d --port 0; echo "background $?"
        cd "$X402_DEV_HOME" && find . -type f ! -name fill -size +0 | sed 's/^/LEFT /'
        [ -e mock-server.pid ] && echo LEFT the PID file
        true
    "#;
    let mut command = site.program("unshare");
    command.args(["-m", "sh", "-c", script]);
    let run = finish(command);
    if run.code != Some(0) {
        skip(&format!("no small file system can be mounted here: {}", run.err));
        return;
    }
    run.says(&["foreground 73", "background 73"]).complains(&["X402_DEV_HOME", "--no-instance", "X402_DEV_HOME"]);
    assert!(!run.out.contains("LEFT"), "{run:?}");
}

#[test]
fn a_read_only_home_exits_73_but_can_be_asked() {
    let site = Site::new();
    site.detach("");
    site.mock("stop").assert(0);
    let script = r#"
        mount --bind "$X402_DEV_HOME" "$X402_DEV_HOME" && mount -o remount,ro,bind "$X402_DEV_HOME" || exit 99
        "$BIN" mock --port 0; echo "start $?"
        "$BIN" mock -d --port 0; echo "background $?"
        "$BIN" mock status; echo "status $?"
        true
    "#;
    let mut command = site.program("unshare");
    command.args(["-m", "sh", "-c", script]);
    let run = finish(command);
    if run.code != Some(0) {
        skip(&format!("nothing can be mounted here: {}", run.err));
        return;
    }
    run.says(&["start 73", "background 73", "Server is not running", "status 2"]);
    run.complains(&["X402_DEV_HOME", "--no-instance"]);
}

#[test]
fn its_files_are_for_this_user_only() {
    let site = Site::new();
    site.detach("--name a");
    site.detach("");
    let mode = |path: std::path::PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    for directory in [site.home(), site.home().join("instances"), site.home().join("instances/a")] {
        assert_eq!(mode(directory), 0o700);
    }
    for file in [site.state_file(), site.log_file(), site.home().join("mock-server.lock")] {
        assert_eq!(mode(file), 0o600);
    }
}

#[test]
fn two_homes_know_nothing_of_each_other() {
    let (ours, theirs) = (Site::new(), Site::new());
    let up = ours.detach("");
    theirs.mock("status").assert(2);
    theirs.mock("stop").assert(1);
    theirs.mock("stop --all --force").assert(0);
    assert_ne!(theirs.detach("").pid, up.pid);
    up.assert_serves();
}

#[test]
fn a_port_in_use_is_named_with_its_holder() {
    let site = Site::new();
    let first = site.detach("");
    let port = first.port();
    for line in [format!("--name b --port {port}"), format!("-d --name b --port {port}")] {
        let run = site.mock(&line);
        let holder = format!("port {port} is in use by x402-dev (PID {})", first.pid);
        run.assert(69).complains(&[&holder, "--port 0"]);
        assert_eq!(run.out, "", "{line}");
    }
    let ours = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = ours.local_addr().unwrap().port();
    let holder = format!("(PID {})", std::process::id());
    site.mock(&format!("--name b --port {port}")).assert(69).complains(&[&format!("port {port}"), &holder]);
    site.mock("status --name b").assert(2);
    site.mock(&format!("restart --name b --port {port}")).assert(69).complains(&[&format!("port {port}"), &holder]);
}

#[test]
fn the_log_has_the_time_of_a_start_that_failed() {
    let site = Site::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    site.mock(&format!("-d --port {}", taken.local_addr().unwrap().port())).assert(69);
    let logs = site.mock("logs --since 1m");
    assert!(logs.assert(0).out.starts_with("20") && logs.out.contains("Z error: cannot listen"), "{logs:?}");
}

#[test]
fn a_broken_configuration_in_the_background_exits_78() {
    let site = Site::new();
    site.write(".x402dev.yaml", "server: {prot: 1}");
    site.mock("-d").assert(78).complains(&[".x402dev.yaml:1", "`port`"]);
    assert!(!exists(&site.log_file()), "it was refused before anything was made");
    site.mock("--name a").assert(78);
    site.mock("status").assert(2);
}
