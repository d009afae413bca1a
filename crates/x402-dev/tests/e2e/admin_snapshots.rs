//! Snapshots, kept, brought back, and as files.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::admin::Door;
use crate::client::Request;
use crate::harness::{Mock, Test};
use crate::payer::{Payment, requirements};

fn start() -> Mock {
    Test::new().arg("--seed").arg("1").arg("--network").arg("eip155:84532").start()
}

fn pay(mock: &Mock, payment: &Payment) -> bool {
    mock.settle(&payment.request())["success"] == true
}

#[test]
fn a_snapshot_brings_everything_back() {
    let mock = start();
    let door = Door(&mock);
    assert_eq!(door.say("snapshot list"), "there are no snapshots: `x402-dev snapshot save NAME` makes one\n");
    door.say("clock set 1800000000");
    door.say("clock freeze");
    assert!(door.say("snapshot save before").starts_with("saved before: 0 transactions, 2027-01-15T08:00:00."));
    let payment = Payment::of(&requirements()).valid_before(1_900_000_000);
    assert!(pay(&mock, &payment));
    assert!(!pay(&mock, &payment), "a nonce pays once");
    door.say("accounts new carol");
    door.say("accounts block 0");
    door.say("clock advance 1h");
    let kept: Value = serde_json::from_str(&door.say("snapshot save after --json")).unwrap();
    assert_eq!((&kept["name"], &kept["transactions"]), (&json!("after"), &json!(1)));
    let listed = door.get("/snapshots");
    let names: Vec<_> = listed["snapshots"].as_array().unwrap().iter().map(|kept| kept["name"].clone()).collect();
    assert_eq!(names, ["after", "before"]);
    assert!(door.say("snapshot restore before").starts_with("restored before: 0 transactions"));
    assert_eq!(door.send(Request::get("/_x402/api/accounts/carol")).status, 404);
    assert!(pay(&mock, &payment), "the nonce is fresh, the account is not blocked, the clock is back");
    door.say("snapshot restore after");
    assert_eq!(door.get("/accounts/carol")["index"], 20);
    assert!(!pay(&mock, &payment));
    assert_eq!(door.say("snapshot drop after"), "snapshot after was dropped\n");
    assert_eq!(door.run("snapshot drop after").code, Some(1));
    let run = door.run("snapshot restore after");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_snapshot!(run.stderr, @r#"
    error: there is no snapshot "after"; there are: before
    hint: `x402-dev snapshot list` lists them
    "#);
    assert_eq!(door.say("reset"), "the world is as it was at the start\n");
    assert_eq!(door.get("/clock")["offset_ms"], 0);
    assert!(door.changes().contains(&"snapshot before was restored".to_owned()), "events stay");
}

#[test]
fn a_name_is_a_name_and_there_are_a_thousand_at_most() {
    let mock = start();
    let door = Door(&mock);
    let save = |name: &str| door.send(Request::new("PUT", format!("/_x402/api/snapshots/{name}")));
    for name in ["a%20b", "%2e%2e%2fa", "%C3%A9", &"a".repeat(65), "a%00"] {
        save(name).problem(400, "invalid_value");
    }
    for number in 0..1_000 {
        save(&format!("s{number}")).assert_status(200);
    }
    save("one-more").problem(409, "too_many_snapshots");
    save("s7").assert_status(200);
    let unknown = door.send(Request::new("POST", "/_x402/api/snapshots/x/restore")).problem(404, "unknown_snapshot");
    assert!(unknown["detail"].as_str().unwrap().ends_with("and 990 more"), "{unknown}");
    door.send(Request::new("DELETE", "/_x402/api/snapshots/s7")).assert_status(200);
    save("one-more").assert_status(200);
}

#[test]
fn an_exported_snapshot_is_the_same_state_in_another_server() {
    let mock = start();
    let door = Door(&mock);
    let file = mock.directory().join("state.jsonl");
    let file = file.to_str().unwrap();
    let payment = Payment::of(&requirements());
    assert!(pay(&mock, &payment));
    for line in ["accounts new carol", "fund carol 5 --set", "accounts block 2", "clock advance 10m"] {
        door.say(line);
    }
    assert!(door.say(&format!("snapshot export --now {file}")).starts_with("wrote "));
    let text = std::fs::read_to_string(file).unwrap();
    let other = Test::new().arg("--network").arg("eip155:84532").start();
    let there = Door(&other);
    assert!(there.say(&format!("snapshot import {file} mine")).starts_with("imported mine: 1 transactions"));
    there.say("snapshot restore mine");
    assert!(!pay(&other, &payment), "its nonce is used");
    assert_eq!(there.get("/accounts/carol"), door.get("/accounts/carol"));
    assert_eq!(there.get("/accounts/2")["blocked"], true);
    assert_eq!(there.get("/clock")["offset_ms"], 600_000);
    // Written down again, it is the same file, but for when it was saved.
    let again = there.send(Request::get("/_x402/api/snapshots/mine/export"));
    assert_eq!(again.header("content-type"), Some("application/jsonl"));
    assert_eq!(dechunked(&again.text()), text);
    let made = |door: Door<'_>| door.tell("/accounts", &json!({}))["key"].clone();
    there.say("snapshot restore mine");
    assert_eq!(made(there), made(door), "the random stream is the same");
}

/// Whatever the framing of the body.
fn dechunked(text: &str) -> String {
    if text.starts_with('{') {
        return text.to_owned();
    }
    let mut rest = text;
    let mut whole = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole.push_str(&after[..size]);
        rest = &after[size + 2..];
    }
    whole
}

#[test]
fn a_file_that_is_damaged_or_foreign_is_refused_and_nothing_changes() {
    let mock = start();
    let door = Door(&mock);
    assert!(pay(&mock, &Payment::of(&requirements())));
    let text = dechunked(&door.send(Request::get("/_x402/api/export")).text());
    let import = |text: &str| {
        let request = Request::post("/_x402/api/snapshots/x/import", text).header("Content-Type", "application/jsonl");
        door.send(request)
    };
    let lines: Vec<&str> = text.lines().collect();
    let without_last = lines[..lines.len() - 1].join("\n");
    let swapped = text.replacen("\"amount\":\"10000\"", "\"amount\":\"90000\"", 1);
    assert_ne!(swapped, text);
    for (text, code) in [
        (String::new(), "damaged_snapshot"),
        ("hello".to_owned(), "damaged_snapshot"),
        ("{}".to_owned(), "damaged_snapshot"),
        (text[..text.len() / 2].to_owned(), "damaged_snapshot"),
        (without_last, "damaged_snapshot"),
        (swapped, "damaged_snapshot"),
        (format!("{text}{text}"), "damaged_snapshot"),
        (lines[1..].join("\n"), "damaged_snapshot"),
        (text.replacen("\"version\":2", "\"version\":1", 1), "foreign_snapshot"),
        ("x".repeat(3 * 1024 * 1024), "damaged_snapshot"),
    ] {
        let problem = import(&text).problem(422, code);
        assert!(problem["hint"].is_string(), "{problem}");
    }
    assert_eq!(door.get("/snapshots"), json!({"snapshots": []}));
    import(&text).assert_status(200);
    // What has paid in an asset that is not enabled cannot be taken over.
    let other = Test::new().arg("--network").arg("eip155:421614").start();
    let request = Request::post("/_x402/api/snapshots/x/import", text).header("Content-Type", "application/jsonl");
    let problem = Door(&other).send(request).problem(422, "foreign_snapshot");
    assert!(problem["detail"].as_str().unwrap().contains("eip155:84532"), "{problem}");
    for (line, code) in [("snapshot export x /no/such/folder/f", 73), ("snapshot import /no/such/file y", 64)] {
        assert_eq!(door.run(line).code, Some(code), "{line}");
    }
}
