//! The table of the commands: exit codes and texts.

use rustix::process::Signal;

use crate::client::Request;
use crate::site::{Site, exists};

#[test]
fn a_server_in_the_foreground_says_who_it_is_and_cleans_up() {
    let site = Site::new();
    let (server, up) = site.foreground("--price 0.5");
    assert_eq!(site.pid_text(), Some(up.pid.to_string()));
    let pid = format!("(PID {})", up.pid);
    for part in [up.url.as_str(), &pid, "0.5 USDC"] {
        server.err.line(part, &server.out);
    }
    site.mock("").assert(3).complains(&[&format!("Server already running (PID: {})", up.pid)]);
    site.mock("start").assert(3).complains(&["Server already running"]);
    site.mock("-d").assert(3).complains(&[&format!("Server already running (PID: {})", up.pid)]);
    server.signal(Signal::INT);
    server.wait().assert(0);
    assert!(!exists(&site.pid_file()));
    site.mock("status").assert(2).says(&["Server is not running\n", "last run", "stopped by SIGINT at 20"]);
}

#[test]
fn start_is_the_same_as_mock_alone() {
    let site = Site::new();
    let run = site.mock("start -d --port 0 --json");
    let up = run.assert(0).up();
    assert_eq!(run.err, "");
    up.assert_serves();
    site.mock("stop").assert(0);
}

#[test]
fn a_server_in_the_background_answers_when_the_command_returns() {
    let site = Site::new();
    let run = site.mock("-d --port 0");
    run.assert(0).says(&["Server is running on http://127.0.0.1:", "(PID: "]);
    assert_eq!((run.out.lines().count(), run.err.as_str()), (1, ""), "{run:?}");
    let status = site.json("status");
    assert_eq!(site.pid_text(), Some(status["pid"].to_string()));
    let up = crate::site::Up::of(&status);
    up.assert_serves();
    // A session of its own: it leads it.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", up.pid)).unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    assert_eq!(fields[3], up.pid.to_string(), "session in {stat}");
    site.mock("stop")
        .assert(0)
        .says(&[&format!("Stopping server (PID: {})...", up.pid), "Server stopped successfully"]);
    assert!(!exists(&site.pid_file()));
    site.assert_stopped();
}

#[test]
fn no_wait_returns_at_once_and_wait_waits() {
    let site = Site::new();
    let run = site.mock("-d --port 0 --no-wait");
    run.assert(0).says(&["Server is starting (PID: "]);
    site.mock("wait --timeout 20s").assert(0).says(&["Server is running on http://127.0.0.1:", "(PID: "]);
    site.mock("stop").assert(0);
    site.mock("wait --timeout 50ms").assert(2).complains(&["Server is not running after 50 ms"]);
    assert_eq!(site.mock("-d --port 0 --no-wait --json").assert(0).json()["url"], serde_json::Value::Null);
    site.mock("wait").assert(0);
}

#[test]
fn a_wait_that_is_too_short_leaves_the_server_starting() {
    let site = Site::new();
    site.mock("-d --port 0 --wait-timeout 0ms").assert(70).complains(&["does not answer yet", "mock-server.log"]);
    site.mock("wait").assert(0);
}

#[test]
fn stop_with_nothing_to_stop() {
    let site = Site::new();
    site.mock("stop").assert(1).complains(&["Server is not running"]);
    site.mock("stop --all").assert(0).says(&["No server is running"]);
    site.detach("");
    site.mock("stop").assert(0);
    site.mock("stop").assert(1).complains(&["Server is not running"]);
}

#[test]
fn status_says_all_of_it() {
    let site = Site::new();
    site.mock("status").assert(2).says(&["Server is not running\n"]);
    let file = site.write(".x402dev.yaml", "pricing: {default: $0.02}");
    let up = site.detach("");
    up.send(&Request::get("/a")).assert_status(402);
    let running = format!("Server is running (PID: {})", up.pid);
    let parts = [
        &running,
        "url ",
        up.url.as_str(),
        "version ",
        "config ",
        "uptime ",
        "requests ",
        "payments ",
        "ledger ",
        "log ",
    ];
    let status = site.mock("status");
    status.assert(0).says(&parts);
    assert!(status.out.contains(&file.display().to_string()), "{status:?}");
    assert_eq!(site.json("status")["payments"], 0);
    // Asking is none of them.
    assert_eq!(site.json("status")["requests"], 1);
    assert_eq!(site.json("status")["last_run"], serde_json::Value::Null);
    assert!(!status.out.contains("last run"), "{status:?}");
    site.mock("stop").assert(0);
    site.mock("status").assert(2).says(&["Server is not running\n", "last run", "stopped by `mock stop` at 20"]);
    let last_run = site.mock("status --json").json()["last_run"].clone();
    site.detach("");
    site.mock("status").assert(0).says(&["Server is running", "last run  stopped by `mock stop` at 20"]);
    assert_eq!(site.json("status")["last_run"], last_run);
    site.mock("restart").assert(0);
    assert_eq!(
        site.json("status")["last_run"]["ending"].as_str().map(|words| &words[..25]),
        Some("stopped by `mock restart`")
    );
}

#[test]
fn what_needs_a_running_server_says_that_there_is_none() {
    let site = Site::new();
    for (line, code) in [("reload", 1), ("env", 2), ("stop", 1), ("logs", 1), ("wait --timeout 0ms", 2)] {
        let run = site.mock(line);
        assert_eq!((run.code, run.out.as_str()), (Some(code), ""), "{line}: {run:?}");
        assert!(run.err.starts_with("Server "), "{line}: {run:?}");
        let json = site.mock(&format!("{line} --json"));
        assert_eq!((json.code, json.err.as_str()), (Some(code), run.err.as_str()), "{line}: {run:?}");
        assert_eq!(json.json()["exit"], code, "{line}: {run:?}");
    }
    site.mock("list").assert(0).says(&["No instance"]);
    assert!(!exists(&site.home()), "asking leaves nothing behind");
}

#[test]
fn env_is_for_the_shell() {
    let site = Site::new();
    let up = site.detach("");
    let run = site.shell(
        r#"eval "$("$BIN" mock env)"
        echo "$X402_FACILITATOR_URL $X402_RESOURCE_URL $X402_NETWORK $X402_TEST_PRIVATE_KEY $X402_TEST_ADDRESS""#,
    );
    let words: Vec<_> = run.assert(0).out.split_whitespace().collect();
    assert_eq!(words[..3], [up.url.as_str(), &up.url, "eip155:84532"]);
    assert_eq!((words[3].len(), words[4].len()), (66, 42), "{words:?}");
    site.mock("env --shell fish").assert(0).says(&[&format!("set -gx X402_FACILITATOR_URL '{}'", up.url)]);
    let json = site.mock("env --shell json").assert(0).json();
    assert_eq!(json["X402_RESOURCE_URL"], up.url);
    site.mock("stop").assert(0);
    site.mock("env").assert(2);
    site.write(".x402dev.yaml", "server: {facilitator: prefixed}");
    let prefixed = site.detach("");
    let json = site.mock("env --shell json").assert(0).json();
    assert_eq!(json["X402_FACILITATOR_URL"], format!("{}/facilitator", prefixed.url));
}

#[test]
fn a_wrong_command_line_exits_64() {
    let site = Site::new();
    for line in [
        "stop --all --name a",
        "status extra",
        "wait --timeout 5",
        "logs -n x",
        "logs --since yesterday",
        "env --shell csh",
        "env --shell sh --json",
        "--no-wait",
        "--no-instance -d",
        "--no-instance --name a",
        "--exit-with-parent=x",
        "restart --port 99999",
        "reload --port 1",
        "frobnicate",
    ] {
        let run = site.mock(line);
        assert_eq!((run.code, run.out.as_str()), (Some(64), ""), "{line}: {run:?}");
        assert!(!run.err.is_empty(), "{line}");
    }
    for name in ["..", "a/b", "A", "", "-a", "a b", &"a".repeat(65)] {
        for command in ["start", "stop", "status", "restart", "reload", "wait", "logs", "env"] {
            let run = site.run(&["mock", command, &format!("--name={name}")]);
            assert_eq!((run.code, run.out.as_str()), (Some(64), ""), "{command} {name:?}: {run:?}");
        }
    }
    assert!(!exists(&site.home()));
}
