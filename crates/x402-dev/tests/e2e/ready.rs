//! Start and end: the banner, the ready line, signals, exit codes.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use x402_sim::accounts::test_accounts;

use crate::client::Request;
use crate::harness::Test;
use crate::payer::{Payment, encoded};

#[test]
fn the_banner_says_everything_that_a_user_needs() {
    let mock = Test::new().start();
    mock.stderr.line("pay ");
    let banner = mock.stderr.text();
    let (url, pid) = (mock.url.clone(), mock.pid().to_string());
    for part in [
        url.as_str(),
        &pid,
        "Base Sepolia",
        "eip155:84532",
        "0.01 USDC",
        "public test keys: never send real funds",
        "in memory",
        "curl",
    ] {
        assert!(banner.contains(part), "`{part}` is not in:\n{banner}");
    }
    for account in test_accounts() {
        assert!(banner.contains(account.address) && banner.contains(account.key), "{} in:\n{banner}", account.index);
    }
}

#[test]
fn a_main_network_is_enabled_only_when_named_and_is_warned_of() {
    let usual = Test::new().start();
    usual.stderr.line("pay ");
    assert!(!usual.stderr.text().contains("eip155:8453)"), "{}", usual.stderr.text());
    let named = Test::new().arg("--network").arg("base").start();
    let warning = named.stderr.line("real chain");
    assert!(warning.contains("Base (eip155:8453)"), "{warning}");
    assert_eq!(named.asked("/a")["network"], "eip155:8453");
}

#[test]
fn the_banner_names_the_price_that_was_asked_for() {
    for flag in ["--price", "--pricing"] {
        let mock = Test::new().arg(flag).arg("0.05").start();
        assert!(mock.stderr.line("price").contains("0.05 USDC"));
        assert_eq!(mock.asked("/a")["amount"], "50000");
    }
}

#[test]
fn the_curl_lines_of_the_banner_work_when_pasted() {
    if Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let mock = Test::new().start();
    mock.stderr.line("pay ");
    let shell = |label: &str| {
        let line = mock.stderr.line(label);
        let script = line.strip_prefix(label).unwrap().trim().to_owned();
        let output = Command::new("sh").arg("-c").arg(&script).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let unpaid = shell("try ");
    assert!(unpaid.starts_with("HTTP/1.1 402 ") && unpaid.to_lowercase().contains("payment-required: "), "{unpaid}");
    let paid = shell("pay ");
    assert!(paid.contains("invoice: nothing was signed"), "{paid}");
}

#[test]
fn stdout_has_one_ready_line_with_json_and_nothing_without() {
    let mut with = Test::new().start();
    with.get("/a").assert_status(402);
    with.stop(Signal::TERM);
    let text = with.stdout.to_end();
    assert_eq!(text.lines().count(), 1, "{text}");
    let ready: Value = serde_json::from_str(&text).unwrap();
    let rpc = format!("{}/_x402/rpc", with.url);
    assert_eq!(ready, json!({"url": with.url, "rpc": rpc, "pid": with.pid()}));

    let mut without = Test::new().start_without_json();
    without.get("/a").assert_status(402);
    without.stop(Signal::TERM);
    assert_eq!(without.stdout.to_end(), "");
}

#[test]
fn sigint_and_sigterm_end_it_with_0_also_while_connections_are_open() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut mock = Test::new().start();
        let (mut kept, _unused) = (mock.connect(), mock.connect());
        kept.send(&Request::get("/a")).assert_status(402);
        let asked = Instant::now();
        mock.stop(signal);
        assert!(asked.elapsed() < Duration::from_secs(3), "{signal:?} took {:?}", asked.elapsed());
        assert!(kept.is_closed());
    }
}

#[test]
fn a_half_sent_head_does_not_keep_it_alive() {
    let mut mock = Test::new().start();
    let mut half = mock.connect();
    half.write(b"GET /a HTTP/1.1\r\nHost: ");
    mock.assert_serves();
    let asked = Instant::now();
    mock.stop(Signal::TERM);
    // The grace of 10 s is for requests; half a head is none.
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

#[test]
fn a_request_in_flight_is_answered_before_the_end() {
    let mut mock = Test::new().arg("--timeout-delay").arg("300ms").start();
    let payment = encoded(&Payment::of(&mock.asked("/a")).v2());
    let mut waiting = mock.connect();
    let head = Request::new("POST", "/a")
        .header("PAYMENT-SIGNATURE", payment)
        .header("X-Simulation-Mode", "timeout")
        .header("Expect", "100-continue")
        .header("Content-Length", "2");
    waiting.write(&head.bytes());
    // The server asks for the body: the request is in flight.
    waiting.read().assert_status(100);
    mock.signal(Signal::TERM);
    waiting.write(b"{}");
    waiting.read().assert_status(408);
    assert_eq!(mock.wait().code(), Some(0));
}

#[test]
fn a_wrong_command_line_exits_64() {
    for args in [
        &["mock", "--prot", "1"][..],
        &["mock", "--port", "65536"],
        &["mock", "--port", "x"],
        &["mock", "--quiet", "--verbose"],
        &["mock", "--log-format", "xml"],
        &["mock", "extra"],
        &["mokc"],
        &[],
    ] {
        let run = Test::new().run(args);
        assert_eq!((run.code, run.stdout.as_str()), (Some(64), ""), "{args:?}: {run:?}");
        assert!(!run.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn help_and_version_are_results() {
    for (args, part) in
        [(&["--help"][..], "Exit codes:"), (&["mock", "--help"], "--price"), (&["--version"], "x402-dev")]
    {
        let run = Test::new().run(args);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{args:?}: {run:?}");
        assert!(run.stdout.contains(part), "{args:?}: {}", run.stdout);
    }
}

#[test]
fn a_port_in_use_exits_69_and_is_named() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = Test::new().run(&["mock", "--port", &port]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(69), ""), "{run:?}");
    assert!(run.stderr.contains(&format!("127.0.0.1:{port}")) && run.stderr.contains("in use"), "{}", run.stderr);
    assert!(run.stderr.contains("--port 0"), "{}", run.stderr);
}

#[test]
fn an_invalid_configuration_exits_78() {
    for (args, part) in [
        (&["--price", "banana"][..], "banana"),
        (&["--network", "base-sepolai"], "base-sepolia"),
        (&["--host", "localhost"], "localhost"),
        (&["--config", "none.yaml"], "none.yaml"),
        (&["--verification", "lax"], "strict"),
        (&["--timeout-delay", "5"], "5s"),
    ] {
        let run = Test::new().run(&[&["mock", "--port", "0"], args].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(78), ""), "{args:?}: {run:?}");
        assert!(run.stderr.contains(part), "{args:?}: {}", run.stderr);
    }
    let run = Test::new().config("server: {prot: 1}").run(&["mock", "--port", "0"]);
    assert_eq!(run.code, Some(78), "{run:?}");
    assert!(run.stderr.contains("`port`"), "{}", run.stderr);
}

#[test]
fn it_listens_where_it_is_told_to() {
    for host in ["0.0.0.0", "::1"] {
        if TcpListener::bind((host, 0)).is_err() {
            continue;
        }
        let mock = Test::new().arg("--host").arg(host).start();
        let ip = mock.address.ip();
        assert!(ip.is_loopback() && ip.is_ipv6() == host.contains(':'), "{ip} is how {host} is reached from here");
        let url = mock.get("/a").offer()["resource"]["url"].clone();
        assert_eq!(url, "http://api.test/a");
        mock.assert_serves();
    }
}
