//! What of a seller's words is a refusal, and what leaves the end open.

use serde_json::{Value, json};

use crate::buyer::Buyer;
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, delivered, offer, says};

/// Pays at a seller that says this to every payment.
fn paid_at(then: Vec<u8>) -> Value {
    let seller = Seller::start(move |heard, _| match heard.payment() {
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
        Some(_) => Reply::Says(then.clone()),
    });
    Buyer::new().report(&[&seller.url, "--retry-delay", "0"])
}

/// An answer 402 with a receipt that says no.
fn failed(reason: &str, transaction: &str) -> Vec<u8> {
    let receipt =
        json!({"success": false, "transaction": transaction, "network": "eip155:84532", "errorReason": reason});
    let header = x402_wire::header::encode(&receipt);
    let asked = x402_wire::header::encode(&offer("10000", MERCHANT));
    says("402 Payment Required", &[("payment-required", &asked), ("payment-response", &header)], "{}")
}

#[test]
fn a_transaction_that_was_sent_may_still_pay() {
    for (reason, transaction, exit) in [
        ("invalid_exact_evm_signature", "", 1),
        ("invalid_exact_evm_transaction_simulation_failed", "", 1),
        ("settle_exact_svm_transaction_confirmation_timed_out", "", 4),
        ("settle_exact_svm_block_height_exceeded", "", 4),
        ("transaction_failed", "", 4),
        ("invalid_exact_evm_transaction_failed", "", 4),
        ("invalid_transaction_state", "", 4),
        // Whatever the words are: there is a transaction.
        ("invalid_exact_evm_signature", "0xaa", 4),
        ("insufficient_funds", "0xaa", 4),
    ] {
        let report = paid_at(failed(reason, transaction));
        assert_eq!(report["exit"], exit, "{reason} {transaction}: {report}");
        assert_eq!(report["purchase"]["ending"].is_null(), exit == 4, "{reason}: {report}");
        assert!(report["message"].as_str().unwrap().contains(if transaction.is_empty() { reason } else { "0xaa" }));
    }
    let gone = x402_wire::header::encode(&json!({"success": false, "transaction": "0xaa", "network": "eip155:84532"}));
    let report = paid_at(says("404 Not Found", &[("payment-response", &gone)], ""));
    assert_eq!(report["exit"], 4, "{report}");
}

#[test]
fn a_nonce_that_is_called_invalid_was_used() {
    let report = paid_at(failed("permit2_invalid_nonce", ""));
    assert_eq!(report["exit"], 4, "{report}");
    assert!(report["message"].as_str().unwrap().contains("was paid, says the seller"), "{report}");
}

#[test]
fn a_refusal_is_read_in_the_dialect_that_was_paid() {
    // A seller of both versions, whose header always asks the same of payers of version 2.
    let body = |error: &str| {
        json!({"x402Version": 1, "error": error, "accepts": [{
            "scheme": "exact", "network": "base-sepolia", "maxAmountRequired": "10000", "resource": "http://a/b",
            "description": "", "mimeType": "", "payTo": MERCHANT, "maxTimeoutSeconds": 300,
            "asset": crate::payer::USDC, "extra": {"name": "USDC", "version": "2"},
        }]})
        .to_string()
    };
    let asked = x402_wire::header::encode(&offer("5", MERCHANT));
    let seller = Seller::start(move |heard, _| {
        let error =
            if heard.header("x-payment").is_some() { "invalid_exact_evm_signature" } else { "X-PAYMENT is required" };
        Reply::Says(says("402 Payment Required", &[("payment-required", &asked)], body(error)))
    });
    let report = Buyer::new().report(&[&seller.url, "--dialect", "v1", "--retry-delay", "0"]);
    assert_eq!((report["exit"].as_i64(), &report["findings"]), (Some(1), &json!([])), "{report}");
    assert!(report["message"].as_str().unwrap().contains("invalid_exact_evm_signature"), "{report}");
}

#[test]
fn an_answer_to_head_is_empty_by_nature() {
    let seller = |body: &'static str| {
        Seller::start(move |heard, _| match heard.payment() {
            None => Reply::Says(asks(&offer("10000", MERCHANT))),
            Some(_) => Reply::Says(delivered(&[("payment-response", &crate::seller::receipt("0x01"))], body)),
        })
    };
    let codes = |report: &Value| {
        assert_eq!(report["exit"], 0, "{report}");
        report["findings"].as_array().unwrap().iter().map(|own| own["code"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&Buyer::new().report(&[&seller("").url])), ["empty_content"]);
    assert_eq!(codes(&Buyer::new().report(&[&seller("").url, "-X", "HEAD"])), [""; 0]);
}

#[test]
fn an_endless_offer_is_not_read_to_its_end() {
    let seller = Seller::start(|_, _| {
        let body = format!("{{\"x402Version\":1,\"accepts\":[],\"filler\":\"{}\"}}", "x".repeat(4 << 20));
        Reply::Says(says("402 Payment Required", &[], body))
    });
    Buyer::new().pay(&[&seller.url]).assert(5, &["it is cut off: it is larger than 1 MiB"]);
}
