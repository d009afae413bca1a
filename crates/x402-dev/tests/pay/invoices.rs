//! Invoices: paid by a transaction that the payer sends himself, whose name is the proof.

use serde_json::{Value, json};
use x402_sim::accounts;
use x402_sim::networks::solana::{ed25519, parse_signature};

use crate::buyer::Buyer;
use crate::fault_hand::{add, admin, advance, events, settlements};
use crate::gate::{Gate, rpc};
use crate::harness::{Mock, Test};
use crate::seller::{Reply, Seller, says};

const INVOICE: [&str; 2] = ["--dialect", "invoice"];

fn url(mock: &Mock) -> String {
    format!("{}/a", mock.url)
}

/// The name of the transaction in the journal.
fn signature(purchase: &Value) -> String {
    purchase["authorizations"][0]["transfer"]["signature"].as_str().unwrap().to_owned()
}

/// How many payments the events tell of as settled.
fn settled(mock: &Mock) -> usize {
    events(mock, 0).iter().filter(|event| event["kind"] == "settled").count()
}

#[test]
fn an_invoice_is_paid_by_a_transaction_on_its_chain() {
    let mock = Test::new().start();
    let buyer = Buyer::new();
    let run = buyer.pay(&[&[url(&mock).as_str(), "--as", "alice"], &INVOICE[..]].concat());
    let purchase = buyer.purchase();
    let name = signature(&purchase);
    assert!(parse_signature(&name).is_some(), "{name}");
    let merchant = accounts::merchant().solana_address;
    run.assert(0, &[&format!("paid 0.01 USDC to {merchant} on devnet, by invoice, transaction {name}")]);
    let status = rpc(&mock, "getSignatureStatuses", &json!([[name]]));
    assert_eq!(status["value"][0]["err"], Value::Null, "{status}");
    assert_eq!((settlements(&mock), settled(&mock)), (1, 1));
    assert_eq!(purchase["ending"], "delivered");
    // What could be sent again is in the journal no more.
    let secrets = ["wire", "rpc"].map(|key| purchase["authorizations"][0]["transfer"][key].as_str().map(str::len));
    assert_eq!(secrets, [Some(0); 2], "{purchase}");
    let page = admin(&mock, "GET", "/purchases?limit=10", None).assert_status(200).json();
    let counts = ["authorizations", "settlements"].map(|key| page["purchases"][0][key].as_u64());
    assert_eq!((counts, page["purchases"].as_array().map(Vec::len)), ([Some(1); 2], Some(1)), "{page}");
}

#[test]
fn a_memo_alone_is_presented_where_the_request_asks_for_a_played_payment() {
    let mock = Test::new().start();
    let buyer = Buyer::new();
    let played = ["-H", "X-Simulation-Mode: success"];
    let run = buyer.pay(&[&[url(&mock).as_str()], &INVOICE[..], &played].concat());
    run.assert(0, &["on devnet, by invoice\n"]);
    assert_eq!(buyer.purchase()["authorizations"][0]["transfer"], Value::Null);
    buyer.file("key", "11".repeat(32));
    let own = buyer.pay(&[&[url(&mock).as_str(), "--key-file", "key"], &INVOICE[..], &played].concat());
    own.assert(5, &["signs for another family"]);
}

#[test]
fn a_dry_run_shows_the_parts_and_signs_nothing() {
    let mock = Test::new().start();
    let gate = Gate::open(&mock);
    let at = url(&mock);
    let base = [&[at.as_str(), "--as", "alice", "--rpc", &gate.url], &INVOICE[..]].concat();
    let buyer = Buyer::new();
    let dry = buyer.pay(&[&base[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, Some(0), "{dry:?}");
    let alice = accounts::find("alice").unwrap().solana_address;
    for part in [
        "an invoice: 0.01 USDC ($0.01) to ",
        "transferChecked  0.01 USDC (10000 atomic units of 4zMMC9",
        "fee payer",
        alice,
        "memo             req-",
        "to    ",
    ] {
        assert!(dry.text().contains(part), "{part}: {}", dry.text());
    }
    let said = buyer.report(&[&base[..], &["--dry-run"]].concat());
    assert_eq!(
        (&said["outcome"], &said["bill"]["transaction"]["amount"]),
        (&json!("dry-run"), &json!("10000")),
        "{said}"
    );
    let dear = buyer.report(&[&base[..], &["--dry-run", "--max-amount", "$0.001"]].concat());
    assert_eq!((&dear["exit"], &dear["bill"]["objection"]), (&json!(5), &json!("over the limit of $0.001")), "{dear}");
    let declined = buyer.pay_reading(&[&base[..], &["--confirm"]].concat(), b"n\n");
    declined.assert(5, &["Pay 0.01 USDC to", alice, "declined"]);
    assert!(gate.sent().is_empty() && buyer.open().is_empty() && buyer.ended().is_empty());
    buyer.pay_reading(&[&base[..], &["--confirm"]].concat(), b"y\n").assert(0, &["by invoice, transaction"]);
    assert_eq!(gate.sent().len(), 1);
}

#[test]
fn every_step_is_told_and_the_transaction_itself_is_not() {
    let mock = Test::new().start();
    let gate = Gate::open(&mock);
    let buyer = Buyer::new();
    let args = [url(&mock), "-v".into(), "--trace".into(), "t.har".into(), "--rpc".into(), gate.url.clone()];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let run = buyer.pay(&[&args[..], &INVOICE].concat());
    let name = signature(&buyer.purchase());
    run.assert(0, &["an offer in invoice", "transferChecked", "goes to http", "it is on the chain", &name]);
    let trace = std::fs::read_to_string(buyer.path("t.har")).unwrap();
    assert!(trace.contains("sendTransaction") && trace.contains("getSignatureStatuses"), "{trace}");
    let wire = gate.sent().remove(0);
    assert!(!trace.contains(&wire) && !run.stderr.contains(&wire));
    let endpoint = format!("{}/_x402/rpc/solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1?dkey=s3cret", mock.url);
    let run = Buyer::new().pay(&[&[args[0], "-v", "--rpc", &endpoint], &INVOICE[..]].concat());
    run.assert(0, &["goes to http", "?<cut out>"]);
    assert!(!run.stderr.contains("s3cret"), "{}", run.stderr);
    let report = Buyer::new().report(&[&args[..1], &INVOICE].concat());
    let transactions = &report["purchase"]["authorizations"][0]["transactions"];
    assert_eq!((&report["outcome"], transactions.as_array().map(Vec::len)), (&json!("paid"), Some(1)), "{report}");
}

#[test]
fn what_would_fail_or_has_no_chain_is_not_signed() {
    let mock = Test::new().start();
    let testnet = format!("{}/_x402/rpc/solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z", mock.url);
    let at = url(&mock);
    let base = [&[at.as_str()], &INVOICE[..]].concat();
    let nobody = Seller::start(|_, _| Reply::Says(says("404 Not Found", &[], "")));
    for (args, exit, part) in [
        (&["--as", "broke"][..], 1, "would not take the transaction, and nothing was signed"),
        (&["--rpc", &testnet], 69, "it is the cluster solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z"),
        (&["--rpc", &nobody.url], 69, "404 Not Found to getGenesisHash"),
        (&["--max-amount", "$0.001"], 5, "over the limit"),
        (&["--network", "base-sepolia"], 5, "not asked for"),
        (&["--now", "2100-01-01T00:00:00Z"], 5, "the invoice ends at"),
    ] {
        let buyer = Buyer::new();
        buyer.pay(&[&base[..], args].concat()).assert(exit, &[part]);
        assert!(buyer.open().is_empty() && buyer.ended().is_empty(), "{part}");
    }
    assert_eq!(settlements(&mock), 0);
}

/// A seller that asks by invoice.
fn asking(network: &'static str) -> Seller {
    let recipient = accounts::merchant().solana_address;
    Seller::start(move |_, _| {
        let invoice = json!({"invoice": {"recipient": recipient, "amount": "0.01", "currency": "USDC", "memo": "req-1",
            "network": network, "timestamp": 1, "expires_at": 4_000_000_000_u64, "resource_path": "/"}});
        Reply::Says(says("402 Payment Required", &[], invoice.to_string()))
    })
}

#[test]
fn a_seller_elsewhere_names_no_chain_and_sees_no_secret_key() {
    // 0.0.0.0 is answered by this machine, and is no address of it.
    let seller = asking("devnet");
    let elsewhere = format!("http://0.0.0.0:{}/", seller.address.port());
    let buyer = Buyer::new();
    buyer.pay(&[&elsewhere]).assert(64, &["nobody has said where its chain is", "--rpc"]);
    let key = ed25519::key_of(&[7; 32]);
    buyer.file("pair.json", serde_json::to_string(&[[7; 32], key.0].concat()).unwrap());
    let mock = Test::new().start();
    let gate = Gate::open(&mock);
    let run = buyer.pay(&[&elsewhere, "--key-file", "pair.json", "--rpc", &gate.url]);
    run.assert(64, &["is not encrypted and not on this machine"]);
    let real = asking("mainnet-beta");
    buyer.pay(&[&real.url]).assert(5, &["real money", "--real-money"]);
    // With the word, the chain must be that main network, too.
    buyer.pay(&[&real.url, "--real-money", "--rpc", &gate.url]).assert(69, &["it is the cluster solana:EtW"]);
    assert!(gate.sent().is_empty() && buyer.open().is_empty());
}

#[test]
fn a_secret_key_of_solana_pays_an_invoice() {
    let mock = Test::new().start();
    let buyer = Buyer::new();
    let key = ed25519::key_of(&[7; 32]);
    let pair = serde_json::to_string(&[[7; 32], key.0].concat()).unwrap();
    let path = buyer.file("pair.json", pair);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let run = buyer.pay(&[&[url(&mock).as_str(), "--key-file", "pair.json"], &INVOICE[..]].concat());
    run.assert(0, &["by invoice, transaction"]);
    assert_eq!(buyer.purchase()["authorizations"][0]["from"], key.to_string());
}

#[test]
fn a_seller_that_says_no_after_the_money_has_moved_has_the_money() {
    let mock = Test::new().start();
    // The chain moves, and whoever sells does not know of it.
    let recipient = accounts::merchant().solana_address;
    let seller = Seller::start(move |_, _| {
        let invoice = json!({"error": "invoice_memo_not_issued", "invoice": {"recipient": recipient, "amount": "0.01",
            "currency": "USDC", "memo": "req-1", "network": "devnet", "timestamp": 1,
            "expires_at": 4_000_000_000_u64, "resource_path": "/"}});
        Reply::Says(says("402 Payment Required", &[], invoice.to_string()))
    });
    let gate = Gate::open(&mock);
    let buyer = Buyer::new();
    let args = [seller.url.as_str(), "--rpc", &gate.url, "--retry-delay", "0"];
    let report = buyer.report(&args);
    let name = signature(&buyer.purchase());
    assert_eq!((report["exit"].as_i64(), settlements(&mock)), (Some(4), 1), "{report}");
    assert!(report["message"].as_str().unwrap().contains(&format!("was paid by {name}")), "{report}");
    buyer.pay(&args).assert(4, &["has no known end"]);
    let on = buyer.report(&["--resume", "--again", "--rpc", &gate.url, "--retry", "0"]);
    assert_eq!(on["exit"], 4, "{on}");
    assert!(on["error"].as_str().unwrap().contains("Used"), "{on}");
    assert_eq!((settlements(&mock), gate.sent().len()), (1, 1));
}

#[test]
fn a_transaction_that_is_lost_is_sent_again_and_another_is_signed_only_when_it_is_dead() {
    let mock = Test::new().start();
    let gate = Gate::open(&mock);
    let lost = json!({"stage": "settle", "effect": "dropped", "match": {"door": "rpc"}});
    add(&mock, &lost);
    let buyer = Buyer::new();
    let at = url(&mock);
    let base = [&[at.as_str(), "--rpc", &gate.url, "--as", "alice"], &INVOICE[..]].concat();
    let quick = ["--retry", "0", "--max-time", "0.6"];
    let report = buyer.report(&[&base[..], &quick].concat());
    assert_eq!(report["exit"], 4, "{report}");
    assert!(report["message"].as_str().unwrap().contains("until its blockhash is too old"), "{report}");
    buyer.pay(&base).assert(4, &["has no known end"]);
    let again = [&["--resume", "--again", "--rpc", gate.url.as_str()][..], &quick].concat();
    let early = buyer.report(&again);
    assert_eq!(early["exit"], 4, "{early}");
    assert!(early["error"].as_str().unwrap().contains("Unused"), "{early}");
    let sent = gate.sent();
    assert!(sent.len() > 1 && sent.iter().all(|wire| *wire == sent[0]), "the same bytes, as often as need be");
    // A minute and a half later no block takes it any more.
    admin(&mock, "DELETE", "/faults", None);
    advance(&mock, 90_000);
    let report = buyer.report(&["--resume", "--again", "--rpc", &gate.url]);
    assert_eq!((&report["exit"], &report["outcome"]), (&json!(0), &json!("paid")), "{report}");
    let authorizations = buyer.purchase()["authorizations"].as_array().unwrap().clone();
    let dead: Vec<bool> = authorizations.iter().map(|own| own["dead"].is_string()).collect();
    assert_eq!((dead, settlements(&mock), settled(&mock)), (vec![true, false], 1, 1));
}

#[test]
fn a_transaction_that_never_came_is_void_when_its_blockhash_is_too_old() {
    let mock = Test::new().start();
    let gate = Gate::open(&mock);
    add(&mock, &json!({"stage": "settle", "effect": "dropped", "match": {"door": "rpc"}}));
    let buyer = Buyer::new();
    let at = url(&mock);
    let base = [&[at.as_str(), "--rpc", &gate.url, "--retry", "0", "--max-time", "0.3"], &INVOICE[..]].concat();
    assert_eq!(buyer.report(&base)["exit"], 4);
    advance(&mock, 90_000);
    let report = buyer.report(&["--resume", "--retry", "0"]);
    assert_eq!((&report["exit"], &report["outcome"]), (&json!(1), &json!("not-paid")), "{report}");
    assert_eq!((buyer.purchase()["ending"].as_str(), settlements(&mock)), (Some("void"), 0));
}

#[test]
fn a_transaction_that_is_on_the_chain_and_not_shown_is_presented() {
    let mock = Test::new().start();
    let gate = Gate::open(&mock);
    add(&mock, &json!({"stage": "settle", "effect": "no_receipt", "match": {"door": "rpc"}}));
    let buyer = Buyer::new();
    let at = url(&mock);
    let base = [&[at.as_str(), "--rpc", &gate.url, "--retry-delay", "0"], &INVOICE[..]].concat();
    let report = buyer.report(&base);
    assert!([0, 4].contains(&report["exit"].as_i64().unwrap()), "{report}");
    assert_eq!(settlements(&mock), 1, "{report}");
    let sent = gate.sent();
    assert!(sent.iter().all(|wire| *wire == sent[0]));
}
