//! Every preset of faults: one authorization for each purchase, at most one settlement where the server itself does not
//! settle twice, and an outcome that says what is known, with a chain to ask and without.

use serde_json::{Value, json};
use x402_sim::event::Door;
use x402_sim::fault::preset::{PRESETS, Preset};

use crate::buyer::Buyer;
use crate::fault_hand::{add, admin, advance, newest, reset, settlements};
use crate::harness::{Mock, Test};

/// Whether the buyer can ask the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chain {
    Silent,
    Asked,
}

/// What `pay` ends with: its exit code, and what it must report.
fn expected(preset: &str, chain: Chain) -> (i32, Option<&'static str>) {
    match (preset, chain) {
        // Settled, and the content is lost; or the seller's side does not work, and may settle later; or the
        // authorization was used, and by nobody who paid.
        (
            "accept_then_timeout"
            | "5xx_after_settle"
            | "reset_after_settle"
            | "double_402"
            | "truncated"
            | "pending_forever"
            | "facilitator_down"
            | "redirect_308"
            | "nonce_cancelled",
            _,
        ) => (4, None),
        ("insufficient_funds" | "drained_between", _) => (1, None),
        ("price_bait", _) => (1, Some("price_changed")),
        ("network_swap", _) => (5, None),
        ("lost_receipt", _) => (0, Some("no_receipt")),
        ("fake_delivery", _) => (0, Some("empty_content")),
        ("cacheable_content", _) => (0, Some("cacheable_content")),
        // What only the chain knows.
        ("double_settlement", Chain::Asked) => (0, Some("settled_twice")),
        ("noop_success" | "wrong_receipt", Chain::Asked) => (0, Some("receipt_not_on_chain")),
        _ => (0, None),
    }
}

/// Pays; where the preset is slow by the mock's clock, moves it.
fn pay(mock: &Mock, buyer: &Buyer, preset: &str, chain: Chain) -> Value {
    let (url, rpc) = (format!("{}/a", mock.url), format!("{}/_x402/rpc/eip155:84532", mock.url));
    let mut args = vec![url.as_str(), "--retry-delay", "0", "-q", "--as", "alice"];
    if chain == Chain::Asked {
        args.extend(["--rpc", &rpc]);
    }
    let slow = match preset {
        "slow_answer" => 30_000,
        "accept_then_timeout" => 5_000,
        _ => return buyer.report(&args),
    };
    let since = newest(mock);
    args.push("--json");
    let running = buyer.start(&args);
    let wait = json!({"filter": {"kind": "faulted"}, "since": since, "count": 1, "timeout_ms": 15_000});
    admin(mock, "POST", "/events/wait", Some(&wait)).assert_status(200);
    advance(mock, slow);
    let run = running.wait();
    serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn play(mock: &Mock, preset: &Preset, chain: Chain) {
    let name = preset.name;
    reset(mock);
    // The signer's clock is the computer's, and so is the mock's again.
    if !["slow_answer", "accept_then_timeout"].contains(&name) {
        admin(mock, "POST", "/clock/resume", None).assert_status(200);
    }
    add(mock, &json!({"preset": name, "match": {"door": "resources"}}));
    let buyer = Buyer::new();
    let report = pay(mock, &buyer, name, chain);
    let (exit, finding) = expected(name, chain);
    assert_eq!(report["exit"], exit, "{name}: {report}");
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let codes: Vec<&str> = findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert_eq!(codes, finding.into_iter().collect::<Vec<_>>(), "{name}: {report}");
    let settled = settlements(mock);
    if name == "double_settlement" {
        assert_eq!(settled, 2, "the server itself settles twice");
    } else {
        assert!(settled <= 1, "{name}: {settled} settlements");
    }
    if name == "network_swap" {
        assert!(buyer.open().is_empty() && buyer.ended().is_empty(), "nothing was signed");
        return;
    }
    let purchase = buyer.purchase();
    assert_eq!(purchase["authorizations"].as_array().unwrap().len(), 1, "{name}: {purchase}");
    assert_eq!(purchase["ending"].is_null(), exit == 4, "{name}: {purchase}");
    let page = admin(mock, "GET", "/purchases?limit=1000", None).assert_status(200).json();
    let last = page["purchases"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["authorizations"], 1, "{name}: {last}");
    assert_eq!(last["settlements"], settled, "{name}: {last}");
}

fn play_all(chain: Chain) {
    let mock = Test::new().start();
    let at_resources = |preset: &&Preset| preset.faults.iter().any(|(door, _)| *door == Door::Resources);
    for preset in PRESETS.iter().filter(at_resources) {
        play(&mock, preset, chain);
    }
}

#[test]
fn no_preset_makes_a_buyer_sign_twice() {
    play_all(Chain::Silent);
}

#[test]
fn a_buyer_that_asks_the_chain_knows_more() {
    play_all(Chain::Asked);
}
