//! Every preset of faults, for every kind of payment: one authorization for each purchase, at most one settlement where
//! the server itself does not settle twice, and no word that is not so.

use serde_json::{Value, json};
use x402_sim::event::Door;
use x402_sim::fault::preset::{PRESETS, Preset};

use crate::buyer::Buyer;
use crate::crash_kinds::{KINDS, Kind, every_kind};
use crate::fault_hand::{add, admin, advance, newest, reset, settlements};
use crate::harness::Mock;

/// Pays; where the preset is slow by the mock's clock, moves it.
fn pay(mock: &Mock, buyer: &Buyer, preset: &str, kind: &Kind) -> Value {
    let args = kind.args(mock);
    let mut words: Vec<&str> = args.iter().map(String::as_str).collect();
    words.extend(["--retry-delay", "0", "-q", "--max-time", "3"]);
    let slow = match preset {
        "slow_answer" => 30_000,
        "accept_then_timeout" => 5_000,
        _ => return buyer.report(&words),
    };
    let since = newest(mock);
    words.push("--json");
    let running = buyer.start(&words);
    let wait = json!({"filter": {"kind": "faulted"}, "since": since, "count": 1, "timeout_ms": 2_000});
    admin(mock, "POST", "/events/wait", Some(&wait));
    advance(mock, slow);
    let run = running.wait();
    serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// What the events tell of this preset.
fn play(mock: &Mock, preset: &Preset, kind: &Kind) {
    let name = format!("{} {}", kind.name, preset.name);
    reset(mock);
    if !["slow_answer", "accept_then_timeout"].contains(&preset.name) {
        admin(mock, "POST", "/clock/resume", None).assert_status(200);
    }
    add(mock, &json!({"preset": preset.name, "match": {"door": "resources"}}));
    let buyer = Buyer::new();
    let report = pay(mock, &buyer, preset.name, kind);
    let settled = settlements(mock);
    let exit = report["exit"].as_i64().unwrap();
    let all = [buyer.open(), buyer.ended()].concat();
    let authorizations: usize = all.iter().map(|own| own["authorizations"].as_array().unwrap().len()).sum();
    assert!(all.len() <= 1 && authorizations <= 1, "{name}: {all:?}");
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let has = |code: &str| findings.iter().any(|finding| finding["code"] == code);
    // A transaction of the payer's own is on the chain once, whatever the seller does.
    if preset.name == "double_settlement" {
        assert_eq!(settled, if kind.name == "invoice" { 1 } else { 2 }, "{name}: {report}");
    }
    if settled > 1 {
        assert_eq!((preset.name, settled), ("double_settlement", 2), "{name}");
        assert!(has("settled_twice"), "{name}: {report}");
    }
    match exit {
        0 => assert!(settled > 0 || has("receipt_not_on_chain") || has("no_receipt"), "{name}: {report}"),
        // Whoever says that nothing was paid is right.
        1 | 5 | 69 => assert_eq!(settled, 0, "{name}: {report}"),
        4 => assert!(all.iter().any(|own| own["ending"].is_null()), "{name}: {report}"),
        other => panic!("{name}: {other}: {report}"),
    }
    if settled == 0 && exit == 4 {
        let message = report["message"].as_str().unwrap();
        assert!(!message.contains("was paid by"), "{name}: {message}");
    }
    let page = admin(mock, "GET", "/purchases?limit=1000", None).assert_status(200).json();
    let most = page["purchases"].as_array().unwrap().iter().filter_map(|own| own["authorizations"].as_u64()).max();
    assert!(most.unwrap_or(0) <= 1, "{name}: {page}");
}

fn play_all(kind: &Kind) {
    let mock = every_kind();
    let at_resources = |preset: &&Preset| preset.faults.iter().any(|(door, _)| *door == Door::Resources);
    for preset in PRESETS.iter().filter(at_resources) {
        play(&mock, preset, kind);
    }
}

#[test]
fn no_preset_makes_a_buyer_by_permit2_sign_twice() {
    play_all(&KINDS[0]);
}

#[test]
fn no_preset_makes_a_buyer_by_upto_sign_twice() {
    play_all(&KINDS[1]);
}

#[test]
fn no_preset_makes_a_buyer_on_solana_sign_twice() {
    play_all(&KINDS[2]);
}

#[test]
fn no_preset_makes_a_buyer_by_invoice_sign_twice() {
    play_all(&KINDS[3]);
}
