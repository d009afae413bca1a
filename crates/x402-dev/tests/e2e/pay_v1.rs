//! Payments in `X-PAYMENT`.

use serde_json::{Value, json};

use crate::client::{Answer, Request};
use crate::harness::{Mock, Test};
use crate::payer::{Payment, account, encoded};

fn asked(mock: &Mock, target: &str) -> Value {
    mock.get(target).json()["accepts"][0].clone()
}

#[track_caller]
fn pay(mock: &Mock, target: &str, header: impl AsRef<[u8]>) -> Answer {
    mock.send(&Request::get(target).header("X-PAYMENT", header))
}

/// A refusal speaks version 1 alone: a body with the reason and the offer again.
#[track_caller]
fn assert_refused(mock: &Mock, answer: &Answer, reason: &str, payer: Option<&str>) {
    let body = answer.assert_status(402).json();
    assert_eq!((&body["x402Version"], &body["error"]), (&json!(1), &json!(reason)), "{body}");
    assert_eq!(body["accepts"].as_array().unwrap().len(), 2, "{body}");
    assert_eq!(body.get("payer").and_then(Value::as_str), payer, "{body}");
    assert!(body.get("invoice").is_none(), "{body}");
    for absent in ["payment-required", "payment-response", "x-payment-response", "www-authenticate"] {
        assert_eq!(answer.header(absent), None);
    }
    mock.assert_serves();
}

#[test]
fn a_good_payment_is_delivered_with_a_receipt() {
    let mock = Test::new().start();
    let answer = pay(&mock, "/a?b", encoded(&Payment::of(&asked(&mock, "/a?b")).by(5).v1()));
    let receipt = answer.assert_status(200).decoded("x-payment-response");
    let hash = receipt["transaction"].as_str().unwrap();
    assert!(hash.len() == 66 && hash.starts_with("0x"), "{receipt}");
    let payer = account(5).address;
    let expected = json!({"success": true, "transaction": hash, "network": "base-sepolia", "payer": payer});
    assert_eq!(receipt, expected);
    assert_eq!(answer.json()["dialect"], "x402v1");
    for absent in ["payment-required", "payment-response", "www-authenticate"] {
        assert_eq!(answer.header(absent), None);
    }
}

#[test]
fn a_refusal_by_verification_names_the_payer() {
    let mock = Test::new().start();
    let asked = asked(&mock, "/a");
    let header = encoded(&Payment::of(&asked).by(4).v1());
    pay(&mock, "/a", &header).assert_status(200);
    let payer = Some(account(4).address);
    assert_refused(&mock, &pay(&mock, "/a", &header), "invalid_exact_evm_nonce_already_used", payer);
    let wrong = encoded(&Payment::of(&asked).by(4).domain_name("USD Coin").v1());
    assert_refused(&mock, &pay(&mock, "/a", wrong), "invalid_exact_evm_signature", payer);
    let cheap = encoded(&Payment::of(&asked).by(4).value(x402_sim::U256::from(1)).v1());
    assert_refused(&mock, &pay(&mock, "/a", cheap), "invalid_exact_evm_authorization_value", payer);
}

#[test]
fn what_cannot_be_decoded_gets_version_1s_own_text() {
    let mock = Test::new().start();
    let good = encoded(&Payment::of(&asked(&mock, "/a")).v1());
    let url_safe = format!("-_{}", &good[2..]);
    for value in ["", "!", "{}", &url_safe, "AAAA", &good[..good.len() / 2], "\u{e4}"] {
        assert_refused(&mock, &pay(&mock, "/a", value), "Invalid or malformed payment header", None);
    }
    let twice = Request::get("/a").header("X-PAYMENT", &good).header("X-PAYMENT", &good);
    assert_refused(&mock, &mock.send(&twice), "Invalid or malformed payment header", None);
    pay(&mock, "/a", good.trim_end_matches('=')).assert_status(200);
}

#[test]
fn another_version_scheme_or_network_is_refused() {
    let mock = Test::new().start();
    let good = Payment::of(&asked(&mock, "/a")).v1();
    let with = |key: &str, value: Value| {
        let mut payload = good.clone();
        payload[key] = value;
        pay(&mock, "/a", encoded(&payload))
    };
    let unmatched = "Unable to find matching payment requirements";
    assert_refused(&mock, &with("scheme", json!("upto")), unmatched, None);
    assert_refused(&mock, &with("network", json!("polygon")), unmatched, None);
    assert_refused(&mock, &with("x402Version", json!(2)), "Unsupported x402 version: 2", None);
    assert_refused(&mock, &with("x402Version", json!("1")), "Unsupported x402 version: 1", None);
    assert_refused(&mock, &with("network", json!("mars")), "Invalid network", None);
    assert_refused(&mock, &with("network", json!(1)), "Invalid network", None);
    pay(&mock, "/a", encoded(&good)).assert_status(200);
}

#[test]
fn a_payment_of_version_2_in_this_header_is_refused() {
    let mock = Test::new().start();
    let payload = Payment::of(&mock.asked("/a")).v2();
    let body = pay(&mock, "/a", encoded(&payload)).assert_status(402).json();
    assert_eq!(body["x402Version"], 1, "{body}");
    mock.assert_serves();
}

#[test]
fn a_payment_for_a_cheap_route_does_not_pay_a_dear_one() {
    let mock = Test::new().config("resources: [{match: /cheap, price: 0.01}, {match: /dear, price: 0.5}]").start();
    let cheap = encoded(&Payment::of(&asked(&mock, "/cheap")).v1());
    let payer = Some(account(0).address);
    assert_refused(&mock, &pay(&mock, "/dear", &cheap), "invalid_exact_evm_authorization_value", payer);
    pay(&mock, "/cheap", &cheap).assert_status(200);
}

#[test]
fn both_versions_are_paid_at_one_address() {
    let mock = Test::new().start();
    let v1 = encoded(&Payment::of(&asked(&mock, "/a")).v1());
    let v2 = encoded(&Payment::of(&mock.asked("/a")).v2());
    pay(&mock, "/a", v1).assert_status(200);
    mock.send(&Request::get("/a").header("PAYMENT-SIGNATURE", v2)).assert_status(200);
}

#[test]
fn one_authorization_pays_once_whatever_the_version() {
    let mock = Test::new().start();
    let payment = Payment::of(&asked(&mock, "/a"));
    let mut v2 = Payment::of(&mock.asked("/a")).v2();
    v2["payload"] = payment.v1()["payload"].clone();
    pay(&mock, "/a", encoded(&payment.v1())).assert_status(200);
    let answer = mock.send(&Request::get("/a").header("PAYMENT-SIGNATURE", encoded(&v2)));
    assert_eq!(answer.assert_status(402).offer()["error"], "invalid_exact_evm_nonce_already_used");
}
