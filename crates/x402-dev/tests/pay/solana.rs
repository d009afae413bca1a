//! `exact` on Solana: what became of a payment whose transaction's name only the facilitator knows, asked of the chain;
//! and the end of a purchase by it.

use serde_json::{Value, json};
use x402_sim::networks::solana::DEVNET;

use crate::buyer::Buyer;
use crate::fault_hand::{add, admin, advance, settlements};
use crate::harness::{Mock, Test};
use crate::seller::{Reply, Seller, says};

/// Pays on Solana, asking its chain.
fn args(mock: &Mock) -> Vec<String> {
    let rpc = format!("{}/_x402/rpc/{DEVNET}", mock.url);
    let url = format!("{}/a", mock.url);
    let words = [url.as_str(), "--network", "solana-devnet", "--rpc", &rpc, "--retry-delay", "0"];
    words.map(str::to_owned).to_vec()
}

fn run(buyer: &Buyer, args: &[String], more: &[&str]) -> Value {
    buyer.report(&[&args.iter().map(String::as_str).collect::<Vec<_>>()[..], more].concat())
}

fn message(report: &Value) -> &str {
    report["message"].as_str().unwrap_or_else(|| panic!("{report}"))
}

#[test]
fn the_chain_names_the_transaction_that_has_paid() {
    let mock = Test::new().start();
    add(&mock, &json!({"preset": "5xx_after_settle", "match": {"door": "resources"}}));
    let buyer = Buyer::new();
    let report = run(&buyer, &args(&mock), &[]);
    assert_eq!((report["exit"].as_i64(), settlements(&mock)), (Some(4), 1), "{report}");
    assert_eq!((&report["chain"]["fate"], report["findings"].as_array().map(Vec::len)), (&json!("used"), Some(0)));
    let name = report["chain"]["transactions"][0].as_str().unwrap();
    assert!(message(&report).contains(&format!("was paid by {name}, and the content did not come")), "{report}");
    let again = buyer.report(&["--resume", "--again", "--retry", "0", "--rpc", &args(&mock)[4]]);
    assert!(again["error"].as_str().unwrap().contains("Used"), "{again}");
    assert_eq!(buyer.purchase()["authorizations"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_transaction_is_told_from_others_of_the_same_payer() {
    let mock = Test::new().start();
    for _ in 0..3 {
        run(&Buyer::new(), &args(&mock), &[]);
    }
    // The next one is not settled at all.
    add(&mock, &json!({"stage": "settle", "effect": "status:503", "match": {"door": "resources"}}));
    let buyer = Buyer::new();
    let report = run(&buyer, &args(&mock), &["--retry", "0"]);
    assert_eq!((report["exit"].as_i64(), settlements(&mock)), (Some(4), 3), "{report}");
    assert_eq!(report["chain"]["fate"], "unused", "{report}");
    assert!(message(&report).contains("was not paid up to block"), "{report}");
    let rpc = args(&mock).remove(4);
    let early = buyer.report(&["--resume", "--again", "--retry", "0", "--rpc", &rpc]);
    assert!(early["error"].as_str().unwrap().contains("Unused"), "{early}");
    // Its blockhash dies, and with it the payment.
    admin(&mock, "DELETE", "/faults", None);
    advance(&mock, 240_000);
    let report = buyer.report(&["--resume", "--again", "--retry", "0", "--rpc", &rpc]);
    assert_eq!((&report["exit"], settlements(&mock)), (&json!(0), 4), "{report}");
    let authorizations = buyer.purchase()["authorizations"].as_array().unwrap().clone();
    assert_eq!(authorizations.len(), 2);
    assert!(authorizations[0]["dead"].as_str().unwrap().contains("Expired"), "{authorizations:?}");
}

#[test]
fn a_payment_that_was_never_settled_is_void_in_the_end() {
    let mock = Test::new().start();
    add(&mock, &json!({"stage": "settle", "effect": "status:503", "match": {"door": "resources"}}));
    let buyer = Buyer::new();
    assert_eq!(run(&buyer, &args(&mock), &["--retry", "0"])["exit"], 4);
    let rpc = args(&mock).remove(4);
    // Not while its blockhash may be good somewhere.
    advance(&mock, 100_000);
    let early = buyer.report(&["--resume", "--retry", "0", "--rpc", &rpc]);
    assert_eq!((&early["exit"], &early["chain"]["fate"]), (&json!(4), &json!("unused")), "{early}");
    advance(&mock, 140_000);
    let report = buyer.report(&["--resume", "--retry", "0", "--rpc", &rpc]);
    assert_eq!((&report["exit"], &report["outcome"]), (&json!(1), &json!("not-paid")), "{report}");
    assert_eq!(settlements(&mock), 0);
}

#[test]
fn another_cluster_and_a_chain_that_shows_nothing_prove_nothing() {
    let mock = Test::new().start();
    add(&mock, &json!({"preset": "5xx_after_settle", "match": {"door": "resources"}}));
    let buyer = Buyer::new();
    assert_eq!(run(&buyer, &args(&mock), &["--retry", "0"])["exit"], 4);
    let testnet = format!("{}/_x402/rpc/solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z", mock.url);
    let genesis = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG";
    let blind = Seller::start(move |heard, _| {
        let call: Value = serde_json::from_slice(&heard.body).unwrap();
        let result = match call["method"].as_str().unwrap() {
            "getGenesisHash" => json!(genesis),
            "getEpochInfo" => json!({"absoluteSlot": 9, "blockHeight": 9}),
            "getBlockTime" => json!(4_000_000_000_u64),
            "isBlockhashValid" => json!({"value": false}),
            // It lists a transaction, and does not show it.
            "getSignaturesForAddress" => json!([{"signature": "x", "err": null, "blockTime": null, "memo": null}]),
            "getTransaction" => Value::Null,
            other => panic!("{other}"),
        };
        Reply::Says(says("200 OK", &[], json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string()))
    });
    for (rpc, part) in [(&testnet, "it is the cluster solana:4uhc"), (&blind.url, "does not show transaction x")] {
        let report = buyer.report(&["--resume", "--retry", "0", "--rpc", rpc]);
        assert_eq!((&report["exit"], &report["chain"]), (&json!(4), &Value::Null), "{report}");
        assert_eq!(report["findings"][0]["code"], "chain_not_asked", "{report}");
        assert!(report["findings"][0]["text"].as_str().unwrap().contains(part), "{report}");
    }
}
