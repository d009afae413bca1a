//! `mock reload` and SIGHUP: another configuration for the same ledger and the same connections.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;

use crate::client::Request;
use crate::payer::{Payment, encoded};
use crate::site::{PROGRAM, Proc, Site, Up, eventually, send};

#[test]
fn it_says_what_has_changed() {
    let site = Site::new();
    site.write(".x402dev.yaml", "pricing: {default: $0.02}");
    let up = site.detach("");
    site.mock("reload").assert(0).says(&["Configuration reloaded: nothing has changed"]);
    site.write(".x402dev.yaml", "pricing: {default: $0.03}");
    site.mock("reload").assert(0).says(&["Configuration reloaded: pricing.default"]);
    assert_eq!(up.price(), "30000");
    assert_eq!(site.json("reload")["changed"], serde_json::json!([]));
}

#[test]
fn what_is_in_force_is_told_by_env_and_kept_in_the_record() {
    let site = Site::new();
    site.detach("");
    assert_eq!(site.json("env")["X402_NETWORK"], "eip155:84532");
    let file = site.write(".x402dev.yaml", "accepts: [\"eip155:8453\"]\nnetworks: [\"eip155:8453\"]");
    site.mock("reload").assert(0).says(&["accepts"]);
    assert_eq!(site.json("env")["X402_NETWORK"], "eip155:8453");
    assert_eq!(site.json("status")["config"], file.display().to_string());
}

#[test]
fn flags_win_over_a_file_also_when_it_is_read_again() {
    let site = Site::new();
    let up = site.detach("--price 0.5");
    site.write(".x402dev.yaml", "pricing: {default: $0.03}\nverification: reject");
    site.mock("reload").assert(0).says(&["verification"]);
    assert_eq!(up.price(), "500000");
}

#[test]
fn an_invalid_file_keeps_the_old_configuration_and_says_why() {
    let site = Site::new();
    site.write(".x402dev.yaml", "pricing: {default: $0.02}");
    let up = site.detach("");
    site.write(".x402dev.yaml", "pricing:\n  defualt: $0.03\n");
    let run = site.mock("reload");
    run.assert(78).complains(&[".x402dev.yaml:2", "`default`", "The old configuration is still in force"]);
    let json = site.mock("reload --json").assert(78).json();
    assert!(json["error"].as_str().unwrap().contains("defualt"), "{json}");
    assert_eq!(up.price(), "20000");
}

#[test]
fn what_cannot_change_live_is_refused_by_name() {
    let site = Site::new();
    let up = site.detach("");
    for (yaml, key) in [
        ("server: {port: 1}", "server.port"),
        ("server: {host: 0.0.0.0}", "server.host"),
        ("server: {facilitator: prefixed}", "server.facilitator"),
        ("seed: 7", "seed"),
    ] {
        site.write(".x402dev.yaml", &format!("{yaml}\npricing: {{default: $0.03}}"));
        // A flag wins over the file: then the port does not change.
        let code = if key == "server.port" { 0 } else { 78 };
        let run = site.mock("reload");
        assert_eq!(run.code, Some(code), "{key}: {run:?}");
        if code == 78 {
            run.complains(&[key, "cannot change while the server runs", "mock restart"]);
        }
    }
    up.assert_serves();
    site.mock("stop").assert(0);
    // The port of a file.
    site.write(".x402dev.yaml", "server: {port: 0}");
    let mut start = site.command(&["mock", "-d", "--json"]);
    start.current_dir(site.work());
    let up = crate::site::finish(start).assert(0).up();
    site.write(".x402dev.yaml", "server: {port: 1}\npricing: {default: $0.03}");
    site.mock("reload").assert(78).complains(&["server.port", "cannot change while the server runs"]);
    assert_eq!(up.price(), "10000", "refused as a whole");
}

/// Asks over kept connections until told to stop. Gives how many answers there were; each is what it should be.
fn load(up: &Up, done: &AtomicBool) -> usize {
    let mut connection = up.connect();
    let mut answers = 0;
    while !done.load(Ordering::Relaxed) {
        let answer = connection.send(&Request::get("/a"));
        let amount = answer.assert_status(402).offer()["accepts"][0]["amount"].clone();
        assert!(amount == "20000" || amount == "30000", "{amount}");
        assert_eq!(answer.header("connection"), None);
        answers += 1;
    }
    answers
}

#[test]
fn under_load_no_request_fails_and_the_ledger_is_kept() {
    let site = Site::new();
    site.write(".x402dev.yaml", "pricing: {default: $0.02}");
    let up = site.detach("");
    let paid = Request::get("/a").header("PAYMENT-SIGNATURE", encoded(&Payment::of(&up.asked()).v2()));
    up.send(&paid).assert_status(200);
    let done = AtomicBool::new(false);
    let answers: Vec<usize> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(|| load(&up, &done))).collect();
        for round in 0..10 {
            let good = format!("pricing: {{default: $0.0{}}}", 2 + (round + 1) % 2);
            site.write(".x402dev.yaml", if round % 3 == 2 { "pricing: [" } else { &good });
            site.mock("reload").assert(if round % 3 == 2 { 78 } else { 0 });
        }
        done.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answers| *answers > 10), "{answers:?}");
    // The price is another one, the payment is remembered.
    site.write(".x402dev.yaml", "pricing: {default: $0.02}");
    site.mock("reload").assert(0);
    let again = up.send(&paid);
    assert_eq!(again.assert_status(402).offer()["error"], "invalid_exact_evm_nonce_already_used");
    assert_eq!(site.json("status")["payments"], 1);
}

#[test]
fn a_hang_up_reloads_also_a_server_without_an_instance() {
    let site = Site::new();
    // In a session of its own, it has no terminal also where a person runs this.
    let mut command = site.program("setsid");
    command.args([PROGRAM, "mock", "--no-instance", "--port", "0", "--json"]);
    let server = Proc::spawn(command);
    let up = server.ready();
    site.write(".x402dev.yaml", "pricing: {default: $0.03}");
    server.signal(Signal::HUP);
    server.err.line("reloaded: pricing.default", &server.out);
    assert_eq!(up.price(), "30000");
}

#[test]
fn a_hang_up_without_a_terminal_reloads() {
    let site = Site::new();
    site.write(".x402dev.yaml", "pricing: {default: $0.02}");
    let up = site.detach("");
    site.write(".x402dev.yaml", "pricing: {default: $0.03}");
    send(up.pid, Signal::HUP);
    eventually("the price has changed", || up.price() == "30000");
    site.write(".x402dev.yaml", "pricing: [");
    send(up.pid, Signal::HUP);
    eventually("the log says why not", || {
        std::fs::read_to_string(site.log_file()).unwrap().contains("reload refused, the old configuration holds")
    });
    assert_eq!(up.price(), "30000");
}
