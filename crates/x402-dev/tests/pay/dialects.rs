//! Versions 1 and 2 and invoices, against the mock.

use crate::buyer::Buyer;
use crate::fault_hand::{add, admin, settlements};
use crate::harness::Test;
use crate::seller::{Reply, Seller, says};

#[test]
fn every_dialect_of_the_mock_is_paid() {
    let mock = Test::new().start();
    let url = format!("{}/report", mock.url);
    for (dialect, network) in [("x402v2", "eip155:84532"), ("x402v1", "base-sepolia"), ("invoice", "devnet")] {
        let buyer = Buyer::new();
        let report = buyer.report(&[&url, "--dialect", dialect, "--as", "bob"]);
        assert_eq!(
            (report["exit"].as_i64(), report["outcome"].as_str()),
            (Some(0), Some("paid")),
            "{dialect}: {report}"
        );
        assert_eq!(report["purchase"]["authorizations"][0]["network"], network);
        assert_eq!(report["findings"], serde_json::json!([]), "{dialect}");
        let receipt = report["receipt"]["transaction"].as_str();
        let named = report["purchase"]["authorizations"][0]["transactions"].as_array().map(Vec::len);
        assert_eq!(named, Some(1), "{dialect}: {report}");
        assert_eq!(receipt.is_some_and(|transaction| transaction.len() == 66), dialect != "invoice", "{report}");
    }
    let page = admin(&mock, "GET", "/purchases?limit=10", None).assert_status(200).json();
    assert_eq!(page["purchases"].as_array().unwrap().len(), 3, "{page}");
    let paid = |own: &serde_json::Value| own["settlements"] == 1 && own["authorizations"] == 1;
    assert!(page["purchases"].as_array().unwrap().iter().all(paid), "{page}");
}

#[test]
fn every_scheme_and_family_of_the_mock_is_paid_once() {
    let config = "
resources:
  - match: /permit2
    price: $0.02
    accepts: [{network: base-sepolia, asset_transfer_method: permit2}]
  - match: /upto
    price: {upto: $0.10, charge: $0.03}
    accepts: [base-sepolia]
";
    let mock = Test::new().config(config).start();
    let solana = format!("{}/_x402/rpc/solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", mock.url);
    let evm = format!("{}/_x402/rpc/eip155:84532", mock.url);
    for (path, args, instrument, part) in [
        ("/permit2", &["--rpc", &evm][..], "permit2", "paid 0.02 USDC to 0xa0Ee"),
        ("/upto", &["--rpc", &evm, "--scheme", "upto"], "permit2", "paid 0.03 USDC of at most 0.1 USDC to 0xa0Ee"),
        ("/v2", &["--rpc", &solana, "--network", "solana-devnet"], "solana", "paid 0.01 USDC to 2yaW8"),
        ("/v1", &["--rpc", &solana, "--network", "solana-devnet", "--dialect", "v1"], "solana", "on solana-devnet"),
    ] {
        let buyer = Buyer::new();
        let url = format!("{}{path}", mock.url);
        buyer.pay(&[&[url.as_str(), "--as", "bob"], args].concat()).assert(0, &[part]);
        let purchase = buyer.purchase();
        assert_eq!(purchase["authorizations"][0]["instrument"], instrument, "{purchase}");
        assert_eq!(purchase["authorizations"][0]["transactions"].as_array().unwrap().len(), 1, "{purchase}");
        let page = admin(&mock, "GET", "/purchases?limit=10", None).assert_status(200).json();
        let last = page["purchases"].as_array().unwrap().last().unwrap().clone();
        let counts = ["attempts", "authorizations", "settlements"].map(|key| last[key].as_u64());
        assert_eq!((counts, last["verdict"].as_str()), ([Some(1); 3], Some("clean")), "{path}: {last}");
    }
    let nowhere = Buyer::new().pay(&[&format!("{}/a", mock.url), "--network", "solana-devnet"]);
    nowhere.assert(64, &["the offer says no recent blockhash", "--rpc"]);
}

#[test]
fn a_lost_answer_to_any_scheme_is_asked_about_with_the_same_authorization() {
    let config = "resources: [{match: /permit2, accepts: [{network: base-sepolia, asset_transfer_method: permit2}]}]\n";
    let mock = Test::new().config(config).start();
    add(&mock, &serde_json::json!({"preset": "5xx_after_settle", "match": {"door": "resources"}}));
    let solana = format!("{}/_x402/rpc/solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", mock.url);
    let evm = format!("{}/_x402/rpc/eip155:84532", mock.url);
    for (path, args, part) in [
        ("/permit2", &["--rpc", &evm][..], "on eip155:84532 was paid by 0x"),
        (
            "/a",
            &["--rpc", &solana, "--network", "solana-devnet"],
            "on solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1 was paid by",
        ),
    ] {
        let buyer = Buyer::new();
        let before = settlements(&mock);
        let url = format!("{}{path}", mock.url);
        buyer.pay(&[&[url.as_str(), "--retry-delay", "0"], args].concat()).assert(4, &[part, "presented 2 times"]);
        assert_eq!(settlements(&mock) - before, 1, "{path}");
        assert_eq!(buyer.purchase()["authorizations"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn what_is_free_is_not_paid() {
    let mock = Test::new().config("resources:\n  - match: /free\n    price: free\n").start();
    let buyer = Buyer::new();
    let run = buyer.pay(&[&format!("{}/free", mock.url)]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!run.stdout.is_empty() && run.stderr.is_empty(), "{run:?}");
    assert!(buyer.open().is_empty() && buyer.ended().is_empty());
    assert_eq!(buyer.report(&[&format!("{}/free", mock.url)])["outcome"], "free");
}

#[test]
fn an_answer_that_asks_for_nothing_and_gives_nothing_is_a_failure() {
    let seller = Seller::start(|_, _| Reply::Says(says("404 Not Found", &[], "not here")));
    let run = Buyer::new().pay(&[&seller.url]);
    run.assert(1, &["404 Not Found; no payment was asked for, and nothing was signed"]);
    assert_eq!(run.text(), "not here");
}

#[test]
fn a_402_that_cannot_be_read_says_what_is_wrong_with_it() {
    for (headers, body, part) in [
        (&[("payment-required", "not-base64!")][..], "{}", "PAYMENT-REQUIRED header: it is"),
        (&[], "{\"x402Version\":1,\"accepts\":[]}", "its body: its `accepts` holds nothing"),
        (&[], "<html>", "nothing in it can be paid"),
        (&[], "", "nothing in it can be paid"),
    ] {
        let answer = says("402 Payment Required", headers, body);
        let seller = Seller::start(move |_, _| Reply::Says(answer.clone()));
        let buyer = Buyer::new();
        buyer.pay(&[&seller.url]).assert(5, &[part]);
        assert!(buyer.report(&[&seller.url])["error"].as_str().unwrap().contains("answers 402"));
    }
}
