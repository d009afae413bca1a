//! `kill -9` at every step of a payment by each kind, an invoice's transaction too, and `--resume`: one authorization, at
//! most one settlement.

use serde_json::{Value, json};
use x402_sim::networks::solana::DEVNET;

use crate::buyer::Buyer;
use crate::fault_hand::{add, admin, events, newest, reset, settlements};
use crate::gate::{Gate, Held};
use crate::harness::{Mock, Test};

/// A kind of payment: its path, its network, and the flags that choose it.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) network: &'static str,
    pub(crate) flags: &'static [&'static str],
}

const fn kind(name: &'static str, path: &'static str, network: &'static str, flags: &'static [&'static str]) -> Kind {
    Kind { name, path, network, flags }
}

/// Every kind besides EIP-3009, which `crash` and `presets` have.
pub(crate) const KINDS: [Kind; 4] = [
    kind("permit2", "/permit2", "eip155:84532", &[]),
    kind("upto", "/upto", "eip155:84532", &["--scheme", "upto"]),
    kind("solana", "/a", DEVNET, &["--network", "solana-devnet"]),
    kind("invoice", "/a", DEVNET, &["--dialect", "invoice"]),
];

/// A mock that sells by every kind.
pub(crate) fn every_kind() -> Mock {
    let config = "
resources:
  - match: /permit2
    accepts: [{network: base-sepolia, asset_transfer_method: permit2}]
  - match: /upto
    price: {upto: $0.10, charge: $0.03}
    accepts: [base-sepolia]
";
    Test::new().config(config).start()
}

impl Kind {
    pub(crate) fn args(&self, mock: &Mock) -> Vec<String> {
        let words = [format!("{}{}", mock.url, self.path), "--as".into(), "alice".into(), "--rpc".into()];
        let flags = self.flags.iter().map(ToString::to_string);
        words.into_iter().chain([format!("{}/_x402/rpc/{}", mock.url, self.network)]).chain(flags).collect()
    }
}

fn words(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// How often something was settled, as the events tell it; and how many payments were.
fn told(mock: &Mock, since: u64) -> (usize, usize) {
    let events = events(mock, since);
    let settled = || events.iter().filter(|event| event["kind"] == "settled");
    let payments: std::collections::BTreeSet<String> = settled().map(|event| event["payment"].to_string()).collect();
    (settled().count(), payments.len())
}

/// Kills a buyer while his mock withholds an answer, lets him go on, and sees that he has paid once.
fn killed_and_resumed(mock: &Mock, kind: &Kind, (stage, timing): (&str, &str)) {
    let name = format!("{} {stage} {timing}", kind.name);
    reset(mock);
    admin(mock, "POST", "/clock/resume", None);
    let since = newest(mock);
    add(mock, &json!({"stage": stage, "timing": timing, "effect": "delay:1h", "match": {"door": "resources"}}));
    let buyer = Buyer::new();
    let args = kind.args(mock);
    let running = buyer.start(&words(&args));
    let wait = json!({"filter": {"kind": "faulted"}, "since": since, "count": 1, "timeout_ms": 15_000});
    let met = admin(mock, "POST", "/events/wait", Some(&wait));
    assert_eq!(met.status, 200, "{name} meets no fault: {:?}", events(mock, since));
    running.kill();
    admin(mock, "DELETE", "/faults", None);
    let before = buyer.purchase();
    assert!(before["ending"].is_null(), "{name}: {before}");
    buyer.pay(&words(&args)).assert(4, &["has no known end"]);
    let report = buyer.report(&["--resume", "--retry-delay", "0", "--rpc", &args[4]]);
    assert!([0, 4].contains(&report["exit"].as_i64().unwrap()), "{name}: {report}");
    let after = buyer.purchase();
    assert_eq!(after["authorizations"].as_array().unwrap().len(), 1, "{name}");
    assert_eq!(after["authorizations"][0]["nonce"], before["authorizations"][0]["nonce"], "{name}");
    assert_eq!(settlements(mock), 1, "{name}: {report}");
    assert_eq!(told(mock, since), (1, 1), "{name}: {:?}", events(mock, since));
    if report["exit"] == 4 {
        // What was settled before the end is known to be paid.
        assert_eq!(report["chain"]["fate"], "used", "{name}: {report}");
    }
}

#[test]
fn a_buyer_of_any_kind_that_is_killed_pays_once_when_he_goes_on() {
    let mock = every_kind();
    let steps = [("verify", "before"), ("settle", "before"), ("settle", "after"), ("response", "before")];
    for kind in KINDS.iter().filter(|kind| kind.name != "invoice") {
        for step in steps {
            killed_and_resumed(&mock, kind, step);
        }
    }
    // Nothing of an invoice is verified or settled by a facilitator.
    killed_and_resumed(&mock, &KINDS[3], ("response", "before"));
}

#[test]
fn an_invoices_transaction_is_sent_once_wherever_its_payer_is_killed() {
    let mock = Test::new().start();
    for (method, nth, held, is_signed) in [
        // Before anything is signed.
        ("getLatestBlockhash", 1, Held::Before, false),
        ("simulateTransaction", 1, Held::After, false),
        // In the journal, and not sent.
        ("getSignatureStatuses", 1, Held::Before, true),
        ("sendTransaction", 1, Held::Before, true),
        // Sent, and not answered; answered, and not seen; seen, and not said.
        ("sendTransaction", 1, Held::After, true),
        ("getSignatureStatuses", 2, Held::Before, true),
        ("getSignatureStatuses", 2, Held::After, true),
    ] {
        let name = format!("{method} {nth} {held:?}");
        reset(&mock);
        admin(&mock, "POST", "/clock/resume", None);
        let since = newest(&mock);
        let gate = Gate::hold(&mock, method, nth, held);
        let buyer = Buyer::new();
        let url = format!("{}/a", mock.url);
        let args = [url.as_str(), "--dialect", "invoice", "--rpc", &gate.url, "--as", "alice"];
        let running = buyer.start(&args);
        gate.wait_for(method, nth);
        if held == Held::After && method == "sendTransaction" {
            let wait = json!({"filter": {"kind": "settled"}, "since": since, "count": 1, "timeout_ms": 15_000});
            admin(&mock, "POST", "/events/wait", Some(&wait)).assert_status(200);
        }
        running.kill();
        gate.release();
        if !is_signed {
            assert!(buyer.open().is_empty() && gate.sent().is_empty(), "{name}");
            continue;
        }
        let before = buyer.purchase();
        assert_eq!(before["authorizations"][0]["presented"], 1, "{name}");
        buyer.pay(&args).assert(4, &["has no known end"]);
        let run = buyer.pay(&["--resume"]);
        run.assert(0, &["by invoice, transaction"]);
        let after = buyer.purchase();
        let name_of = |purchase: &Value| purchase["authorizations"][0]["transfer"]["signature"].clone();
        assert_eq!(name_of(&after), name_of(&before), "{name}");
        assert_eq!(after["authorizations"].as_array().unwrap().len(), 1, "{name}");
        let wire = before["authorizations"][0]["transfer"]["wire"].as_str().unwrap();
        assert!(gate.sent().iter().all(|sent| sent == wire), "{name}: the bytes of the journal");
        assert_eq!((settlements(&mock), told(&mock, since).0), (1, 1), "{name}");
    }
}
