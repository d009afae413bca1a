//! `mock restart`: the same server again, with what is said now.

use rustix::process::Signal;

use crate::client::Request;
use crate::payer::{Payment, encoded};
use crate::site::{Proc, Site, assert_ends, eventually, finish, open, send};

#[test]
fn it_keeps_port_and_price_and_says_what_it_does() {
    let site = Site::new();
    // A port that was free a moment ago.
    let port = site.detach("").port();
    site.mock("stop").assert(0);
    let old = site.detach(&format!("--port {port} --price 0.5"));
    let run = site.mock("restart");
    let stopping = format!("Stopping server (PID: {})...", old.pid);
    run.assert(0).says(&[&stopping, "Server stopped\n", "Starting server...\n", &old.url, "ledger", "fresh"]);
    assert_ends(old.pid);
    let new = site.mock("restart --json").assert(0).json();
    assert_eq!((&new["was_running"], new["url"].as_str()), (&serde_json::json!(true), Some(old.url.as_str())));
    let new = crate::site::Up::of(&new);
    assert_eq!(new.price(), "500000");
    // Flags given now win, and are kept by the next restart.
    site.mock("restart --price 0.25").assert(0);
    assert_eq!(site.mock("restart --json").assert(0).up().price(), "250000");
}

#[test]
fn it_keeps_the_free_port_that_was_bound() {
    let site = Site::new();
    let old = site.detach("--port 0");
    assert_eq!(site.mock("restart --json").assert(0).up().url, old.url);
    assert_eq!(site.mock("restart --json").assert(0).up().url, old.url);
    let moved = site.mock("restart --json --port 0").assert(0).up();
    assert_eq!(site.mock("restart --json").assert(0).up().url, moved.url);
}

#[test]
fn a_port_that_was_changed_in_the_file_is_meant() {
    let site = Site::new();
    // Ports that were free a moment ago.
    let (first, second) = (site.detach("").port(), site.detach("--name other").port());
    site.mock("stop --all").assert(0);
    site.write(".x402dev.yaml", &format!("server: {{port: {first}}}"));
    let old = site.mock("-d --json").assert(0).up();
    site.remember(old.pid);
    assert_eq!((old.port(), site.mock("restart --json").assert(0).up().port()), (first, first));
    site.write(".x402dev.yaml", &format!("server: {{port: {second}}}"));
    assert_eq!(site.mock("restart --json").assert(0).up().port(), second);
}

#[test]
fn it_keeps_environment_and_working_directory() {
    let site = Site::new();
    site.write("ci/prices.yaml", "pricing: {default: $0.07}");
    let mut start = site.command(&["mock", "-d", "--json", "--port", "0", "--config", "prices.yaml"]);
    start.current_dir(site.work().join("ci")).env("X402_DEV_VERIFICATION", "accept");
    finish(start).assert(0);
    // From elsewhere, with another environment, and with the file changed.
    site.write("ci/prices.yaml", "pricing: {default: $0.08}");
    let mut again = site.command(&["mock", "restart", "--json"]);
    again.current_dir("/").env("X402_DEV_VERIFICATION", "reject").env("X402_DEV_PRICING__DEFAULT", "$9");
    let up = finish(again).assert(0).up();
    assert_eq!(up.price(), "80000");
    let mut payload = Payment::of(&up.asked()).v2();
    payload["payload"]["signature"] = serde_json::json!(format!("0x{}", "11".repeat(65)));
    let paid = up.send(&Request::get("/a").header("PAYMENT-SIGNATURE", encoded(&payload)));
    assert_eq!(paid.assert_status(200).header("x-simulation-mode"), Some("accept"));
}

#[test]
fn a_file_that_is_named_now_is_meant_here() {
    let site = Site::new();
    site.detach("");
    let other = site.home().join("..").join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("new.yaml"), "pricing: {default: $0.09}").unwrap();
    let mut again = site.command(&["mock", "restart", "--json", "--config", "new.yaml"]);
    again.current_dir(&other);
    assert_eq!(finish(again).assert(0).up().price(), "90000");
}

#[test]
fn a_broken_file_leaves_the_old_server_up_and_untouched() {
    let site = Site::new();
    site.write(".x402dev.yaml", "pricing: {default: $0.02}");
    let up = site.detach("");
    let before = site.state();
    for (broken, why) in
        [("pricing: {defualt: $0.03}", "`default`"), ("pricing: [", "YAML"), ("server: {prot: 1}", "`port`")]
    {
        site.write(".x402dev.yaml", broken);
        let run = site.mock("restart");
        run.assert(78).complains(&[why]);
        assert_eq!(run.out, "", "nothing was stopped");
    }
    site.mock("restart --price banana").assert(78).complains(&["banana"]);
    assert_eq!((up.price().as_str(), site.state()), ("20000", before));
    assert_eq!(site.pid_text(), Some(up.pid.to_string()));
}

#[test]
fn a_port_that_is_taken_leaves_the_old_server_up_and_untouched() {
    let site = Site::new();
    let up = site.detach("--price 0.5");
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let before = site.state();
    let run = site.mock(&format!("restart --port {port}"));
    run.assert(69).complains(&[&format!("port {port} is in use"), &std::process::id().to_string(), "--port 0"]);
    assert_eq!(run.out, "", "nothing was stopped");
    site.mock("restart --host 192.0.2.1 --port 0").assert(69).complains(&["cannot listen on 192.0.2.1"]);
    assert_eq!((up.price().as_str(), site.state()), ("500000", before));
    assert_eq!(site.pid_text(), Some(up.pid.to_string()));
    // The own port is held by the old server, and taken over from it.
    let host = site.mock(&format!("restart --json --host 0.0.0.0 --port {}", up.port())).assert(0).up();
    assert_eq!(host.port(), up.port());
    drop(taken);
    assert_eq!(site.mock(&format!("restart --json --port {port}")).assert(0).up().port(), port);
}

#[test]
fn a_server_that_is_still_starting_is_asked_how_it_was_started() {
    let site = Site::new();
    site.mock("-d --port 0 --price 0.5 --no-wait").assert(0);
    // The child may not even hold its lock yet.
    eventually("it holds its lock", || site.mock("status").code == Some(0));
    assert_eq!(site.mock("restart --json").assert(0).up().price(), "500000");
}

#[test]
fn a_working_directory_that_has_gone_leaves_the_old_server_up() {
    let site = Site::new();
    let gone = site.work().join("gone");
    std::fs::create_dir(&gone).unwrap();
    let mut start = site.command(&["mock", "-d", "--json", "--port", "0"]);
    start.current_dir(&gone);
    let up = finish(start).assert(0).up();
    std::fs::remove_dir(&gone).unwrap();
    site.mock("restart").assert(73).complains(&["working directory"]);
    up.assert_serves();
}

#[test]
fn it_starts_one_when_none_runs() {
    let site = Site::new();
    let run = site.mock("restart --port 0 --json");
    assert_eq!(run.assert(0).json()["was_running"], false);
    let up = run.up();
    up.assert_serves();
    site.mock("stop").assert(0);
    let run = site.mock("restart");
    run.assert(0).says(&["Starting server...", &up.url]);
    assert!(!run.out.contains("Stopping"), "{run:?}");
}

#[test]
fn a_server_in_the_foreground_is_replaced_by_one_in_the_background() {
    let site = Site::new();
    let (server, old) = site.foreground("--price 0.5");
    let new = site.mock("restart --json").assert(0).up();
    server.wait().assert(0);
    assert_eq!((new.url.as_str(), new.price().as_str()), (old.url.as_str(), "500000"));
    assert_ne!(new.pid, old.pid);
}

#[test]
fn it_stays_bound_to_its_parent() {
    let site = Site::new();
    let mut parent = site.program("sleep");
    parent.arg("600");
    let parent = Proc::spawn(parent);
    site.detach(&format!("--exit-with-parent={}", parent.pid));
    let new = site.mock("restart --json").assert(0).up();
    let handle = open(new.pid).unwrap();
    parent.signal(Signal::KILL);
    assert!(crate::site::has_ended(&handle, crate::site::DEADLINE));
    site.mock("status").assert(2).says(&["when the process that it was bound to ended"]);
    // That parent is no more: the next one lives on its own.
    site.mock("restart --json").assert(0).up().assert_serves();
}

#[test]
fn payments_start_fresh() {
    let site = Site::new();
    let up = site.detach("");
    let paid = Request::get("/a").header("PAYMENT-SIGNATURE", encoded(&Payment::of(&up.asked()).v2()));
    up.send(&paid).assert_status(200);
    up.send(&paid).assert_status(402);
    let up = site.mock("restart --json").assert(0).up();
    up.send(&paid).assert_status(200);
    send(up.pid, Signal::TERM);
    assert_ends(up.pid);
    site.mock("status").assert(2).says(&["stopped by SIGTERM"]);
}
