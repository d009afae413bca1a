//! `--repeat`: every purchase has its own name and receipt, and nobody else's server is loaded.

use std::collections::BTreeSet;

use crate::buyer::Buyer;
use crate::fault_hand::{add, admin, settlements};
use crate::harness::Test;
use crate::seller::Seller;

#[test]
fn a_load_pays_each_purchase_once() {
    let mock = Test::new().start();
    let url = format!("{}/a", mock.url);
    let buyer = Buyer::new();
    let report = buyer.report(&[&url, "--repeat", "60", "--concurrency", "8"]);
    assert_eq!(report["exit"], 0, "{report}");
    for key in ["purchases", "delivered", "receipts", "transactions"] {
        assert_eq!(report[key], 60, "{key}: {report}");
    }
    assert_eq!(report["spent"], "0.6 USDC");
    for latency in report["latency"].as_array().unwrap() {
        let at = |key: &str| latency[key].as_f64().unwrap();
        assert!(
            at("p50") > 0.0 && at("p50") <= at("p90") && at("p90") <= at("p99") && at("p99") <= at("max"),
            "{latency}"
        );
    }
    assert_eq!(settlements(&mock), 60);
    let page = admin(&mock, "GET", "/purchases?limit=1000", None).assert_status(200).json();
    let purchases = page["purchases"].as_array().unwrap();
    let names: BTreeSet<&str> = purchases.iter().map(|own| own["name"].as_str().unwrap()).collect();
    assert_eq!((purchases.len(), names.len()), (60, 60));
    assert!(purchases.iter().all(|own| own["grouping"] == "header" && own["verdict"] == "clean"), "{page}");
    assert!(!buyer.journal().exists(), "a load leaves no entries");
}

#[test]
fn a_load_that_meets_trouble_says_so() {
    let mock = Test::new().start();
    add(&mock, &serde_json::json!({"stage": "response", "effect": "status:503", "nth": 2}));
    let report = Buyer::new().report(&[&format!("{}/a", mock.url), "--repeat", "5"]);
    assert_eq!(
        (report["exit"].as_i64(), report["unknown"].as_u64(), report["delivered"].as_u64()),
        (Some(4), Some(1), Some(4)),
        "{report}"
    );
    assert!(report["failures"][0].as_str().unwrap().contains("503"), "{report}");
    let refused = Buyer::new().report(&[&format!("{}/a", mock.url), "--repeat", "3", "--as", "broke"]);
    assert_eq!((refused["exit"].as_i64(), refused["refused"].as_u64()), (Some(1), Some(3)), "{refused}");
    let invoices = Test::new().start();
    let paid = Buyer::new().report(&[&format!("{}/a", invoices.url), "--repeat", "3", "--dialect", "invoice"]);
    assert_eq!((paid["exit"].as_i64(), paid["delivered"].as_u64()), (Some(0), Some(3)), "{paid}");
    // They have no receipts; the transactions are the payer's own.
    assert_eq!((paid["receipts"].as_u64(), paid["transactions"].as_u64()), (Some(0), Some(3)), "{paid}");
    assert_eq!(paid["spent"], "0.03 USDC", "{paid}");
}

#[test]
fn a_load_of_what_is_not_acceptable_ends_as_one_purchase_does() {
    let seller = Seller::honest();
    for (args, part) in [
        (&["--max-amount", "$0.001"][..], "over the limit of $0.001 (--max-amount)"),
        (&["--scheme", "upto"], "not asked for"),
    ] {
        let report = Buyer::new().report(&[&[seller.url.as_str(), "--repeat", "3"], args].concat());
        assert_eq!((report["exit"].as_i64(), report["unsigned"].as_u64()), (Some(5), Some(3)), "{report}");
        assert!(report["failures"][0].as_str().unwrap().contains(part), "{report}");
        Buyer::new().pay(&[&[seller.url.as_str()], args].concat()).assert(5, &[part]);
    }
    assert!(seller.payments().is_empty());
}

#[test]
fn one_transaction_for_several_purchases_is_no_success() {
    let seller = Seller::honest();
    let run = Buyer::new().pay(&[&seller.url, "--repeat", "3"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.text().contains("different transactions  1"), "{}", run.text());
}

#[test]
fn nobody_elses_server_is_loaded() {
    // 0.0.0.0 is answered by this machine, and is no private address.
    let seller = Seller::honest();
    let url = format!("http://0.0.0.0:{}/", seller.address.port());
    let buyer = Buyer::new();
    buyer.pay(&[&url, "--repeat", "2"]).assert(64, &["0.0.0.0 is not on this machine", "--i-own-this-host"]);
    assert!(seller.heard().is_empty());
    assert_eq!(buyer.pay(&[&url, "--repeat", "1", "--i-own-this-host"]).code, Some(0));
    for args in [
        &["--repeat", "0"][..],
        &["--repeat", "100001"],
        &["--repeat", "2", "--concurrency", "257"],
        &["--repeat", "2", "--real-money"],
        &["--concurrency", "2"],
        &["--i-own-this-host"],
    ] {
        buyer.pay(&[&[seller.url.as_str()], args].concat()).assert(64, &["error"]);
    }
}
