//! Payments in `PAYMENT-SIGNATURE`.

use serde_json::{Value, json};

use crate::client::{Answer, Request};
use crate::harness::{Mock, Test};
use crate::payer::{Payment, account, encoded};

#[track_caller]
fn pay(mock: &Mock, target: &str, header: impl AsRef<[u8]>) -> Answer {
    mock.send(&Request::get(target).header("PAYMENT-SIGNATURE", header))
}

/// A refusal speaks version 2 alone: an empty body, the reason and the offer again in the header.
#[track_caller]
fn assert_refused(mock: &Mock, answer: &Answer, reason: &str) {
    assert_eq!(answer.assert_status(402).json(), json!({}));
    let offer = answer.offer();
    assert_eq!((&offer["error"], &offer["x402Version"]), (&json!(reason), &json!(2)));
    assert_eq!(offer["accepts"].as_array().unwrap().len(), 2, "{offer}");
    for absent in ["payment-response", "x-payment-response", "www-authenticate"] {
        assert_eq!(answer.header(absent), None);
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    mock.assert_serves();
}

#[test]
fn a_good_payment_is_delivered_with_a_receipt() {
    let mock = Test::new().start();
    let payment = Payment::of(&mock.asked("/a?b")).by(2);
    let answer = pay(&mock, "/a?b", encoded(&payment.v2()));
    let receipt = answer.assert_status(200).decoded("payment-response");
    let hash = receipt["transaction"].as_str().unwrap();
    assert!(hash.len() == 66 && hash.starts_with("0x"), "{receipt}");
    assert!(hash[2..].bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{receipt}");
    let payer = account(2).address;
    let expected = json!({"success": true, "transaction": hash, "network": "eip155:84532", "payer": payer});
    assert_eq!(receipt, expected);
    let body = answer.json();
    assert_eq!([&body["payer"], &body["transaction"], &body["dialect"]], [payer, hash, "x402v2"]);
    assert_eq!([&body["resource"], &body["amount"]], ["http://api.test/a?b", "0.01 USDC"]);
    for absent in ["payment-required", "x-payment-response", "www-authenticate"] {
        assert_eq!(answer.header(absent), None);
    }
    assert!(answer.header("cache-control").unwrap().contains("private"), "{answer:?}");
}

#[test]
fn every_settlement_has_a_transaction_of_its_own() {
    let mock = Test::new().start();
    let asked = mock.asked("/a");
    let hash = || {
        let receipt = pay(&mock, "/a", encoded(&Payment::of(&asked).v2())).decoded("payment-response");
        receipt["transaction"].as_str().unwrap().to_owned()
    };
    assert_ne!(hash(), hash());
}

#[test]
fn a_replay_is_refused() {
    let mock = Test::new().start();
    let header = encoded(&Payment::of(&mock.asked("/a")).v2());
    pay(&mock, "/a", &header).assert_status(200);
    for _ in 0..2 {
        assert_refused(&mock, &pay(&mock, "/a", &header), "invalid_exact_evm_nonce_already_used");
    }
}

#[test]
fn a_bad_signature_is_refused_and_a_good_one_still_pays() {
    let mock = Test::new().start();
    let asked = mock.asked("/a");
    let wrong = Payment::of(&asked).domain_name("USD Coin").v2();
    assert_refused(&mock, &pay(&mock, "/a", encoded(&wrong)), "invalid_exact_evm_signature");
    pay(&mock, "/a", encoded(&Payment::of(&asked).v2())).assert_status(200);
}

#[test]
fn what_cannot_be_decoded_is_as_good_as_no_payment() {
    let mock = Test::new().start();
    let good = encoded(&Payment::of(&mock.asked("/a")).v2());
    let url_safe = format!("-_{}", &good[2..]);
    let no_json = x402_wire::header::encode(&json!("x")).replace('=', "") + "AAAA";
    for value in
        ["", "!", "{}", &url_safe, &no_json, "AAAA", &good[..good.len() / 2], "\u{e4}", "null", &"A".repeat(9_001)]
    {
        assert_refused(&mock, &pay(&mock, "/a", value), "Payment required");
    }
    pay(&mock, "/a", good).assert_status(200);
}

#[test]
fn a_value_that_is_json_of_another_kind_does_not_match() {
    let mock = Test::new().start();
    let (nothing, other) = ("Payment required", "Unsupported x402 version: undefined");
    for (value, error) in [
        (json!(null), nothing),
        (json!(false), nothing),
        (json!(0), nothing),
        (json!(""), nothing),
        (json!(1), other),
        (json!("x"), other),
        (json!([]), other),
        (json!(true), other),
        (json!({}), other),
        (json!({"x402Version": 2}), "No matching payment requirements"),
    ] {
        let answer = pay(&mock, "/a", encoded(&value));
        assert_eq!(answer.assert_status(402).offer()["error"], error, "{value}");
        mock.assert_serves();
    }
}

#[test]
fn padding_may_be_missing() {
    let mock = Test::new().start();
    let asked = mock.asked("/a");
    let mut payload = Payment::of(&asked).v2();
    // At least one of three lengths in a row needs padding.
    for extra in ["", "x", "xx"] {
        payload["extensions"] = json!({"e": extra});
        let padded = encoded(&payload);
        if padded.ends_with('=') {
            pay(&mock, "/a", padded.trim_end_matches('=')).assert_status(200);
            return;
        }
    }
    panic!("no payload needed padding");
}

#[test]
fn a_repeated_header_is_as_good_as_no_payment() {
    let mock = Test::new().start();
    let asked = mock.asked("/a");
    let [one, two] = [0, 1].map(|index| encoded(&Payment::of(&asked).by(index).v2()));
    for second in [&two, &one] {
        let twice = Request::get("/a").header("PAYMENT-SIGNATURE", &one).header("payment-signature", second);
        assert_refused(&mock, &mock.send(&twice), "Payment required");
        mock.stderr.line("more than once");
    }
    pay(&mock, "/a", one).assert_status(200);
}

#[test]
fn version_2_wins_over_version_1_even_when_it_cannot_be_decoded() {
    let mock = Test::new().start();
    let v1 = encoded(&Payment::of(&mock.get("/a").json()["accepts"][0]).v1());
    let v2 = encoded(&Payment::of(&mock.asked("/a")).v2());
    let both = |first: &str| Request::get("/a").header("X-PAYMENT", &v1).header("PAYMENT-SIGNATURE", first);
    assert_refused(&mock, &mock.send(&both("!")), "Payment required");
    let paid = mock.send(&both(&v2));
    assert_eq!(paid.assert_status(200).decoded("payment-response")["success"], true);
    assert_eq!(paid.header("x-payment-response"), None);
    // The payment of version 1 was not touched.
    mock.send(&Request::get("/a").header("X-PAYMENT", &v1)).assert_status(200);
}

#[test]
fn a_wrong_version_is_named() {
    let mock = Test::new().start();
    let good = Payment::of(&mock.asked("/a")).v2();
    for (version, said) in [(json!(9), "9"), (json!(0), "0"), (json!(3), "3")] {
        let mut payload = good.clone();
        payload["x402Version"] = version;
        assert_refused(&mock, &pay(&mock, "/a", encoded(&payload)), &format!("Unsupported x402 version: {said}"));
    }
    pay(&mock, "/a", encoded(&good)).assert_status(200);
}

#[test]
fn other_requirements_do_not_match() {
    let mock = Test::new().start();
    let asked = mock.asked("/a");
    let good = Payment::of(&asked).v2();
    for (key, value) in [
        ("scheme", json!("upto")),
        ("network", json!("eip155:8453")),
        ("amount", json!("9999")),
        ("amount", json!(10000)),
        ("asset", json!("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")),
        ("payTo", json!(account(1).address)),
        ("maxTimeoutSeconds", json!(301)),
        ("extra", json!({})),
        ("extra", json!({"name": "USD Coin", "version": "2"})),
        ("more", json!(1)),
    ] {
        let mut payload = good.clone();
        payload["accepted"][key] = value;
        assert_refused(&mock, &pay(&mock, "/a", encoded(&payload)), "No matching payment requirements");
    }
    for payload in [Payment::of(&asked).v1(), json!({"x402Version": 2}), json!({"x402Version": 2, "accepted": []})] {
        assert_refused(&mock, &pay(&mock, "/a", encoded(&payload)), "No matching payment requirements");
    }
    let mut more = good;
    more["accepted"]["extra"]["note"] = json!("a client may add to extra");
    pay(&mock, "/a", encoded(&more)).assert_status(200);
}

#[test]
fn a_payment_for_one_route_does_not_pay_another_with_other_requirements() {
    let mock = Test::new().config("resources: [{match: /cheap, price: 0.01}, {match: /dear, price: 0.5}]").start();
    let cheap = encoded(&Payment::of(&mock.asked("/cheap")).v2());
    assert_refused(&mock, &pay(&mock, "/dear", &cheap), "No matching payment requirements");
    // The amount in `accepted` is not the amount that was signed.
    let mut lying = Payment::of(&mock.asked("/cheap")).v2();
    lying["accepted"] = mock.asked("/dear");
    let reason = "invalid_exact_evm_payload_authorization_value_mismatch";
    assert_refused(&mock, &pay(&mock, "/dear", encoded(&lying)), reason);
    pay(&mock, "/cheap", &cheap).assert_status(200);
}

#[test]
fn broken_parts_of_a_matching_payment_are_refused() {
    let mock = Test::new().start();
    let good = Payment::of(&mock.asked("/a")).v2();
    for (pointer, value) in [
        ("/payload", json!(null)),
        ("/payload", json!({})),
        ("/payload/signature", json!(5)),
        ("/payload/authorization", json!([])),
        ("/payload/authorization/value", json!(10000)),
        ("/payload/authorization/nonce", json!("0x")),
        ("/payload/authorization/from", json!("me")),
    ] {
        let mut payload = good.clone();
        *payload.pointer_mut(pointer).unwrap() = value;
        let answer = pay(&mock, "/a", encoded(&payload));
        let error: Value = answer.assert_status(402).offer()["error"].clone();
        let known = ["invalid_payload", "invalid_exact_evm_signature"];
        assert!(known.iter().any(|known| error == *known), "{pointer}: {error}");
        mock.assert_serves();
    }
    pay(&mock, "/a", encoded(&good)).assert_status(200);
}

#[test]
fn a_payer_without_funds_is_refused() {
    let mock = Test::new().config("accounts: {balance: 0.015}").start();
    let asked = mock.asked("/a");
    pay(&mock, "/a", encoded(&Payment::of(&asked).v2())).assert_status(200);
    let second = encoded(&Payment::of(&asked).v2());
    assert_refused(&mock, &pay(&mock, "/a", second), "invalid_exact_evm_insufficient_balance");
    pay(&mock, "/a", encoded(&Payment::of(&asked).by(1).v2())).assert_status(200);
}

#[test]
fn a_dialect_that_is_off_takes_no_payment() {
    let mock = Test::new().config("dialects: [x402v1]").start();
    let both = Test::new().start();
    let header = encoded(&Payment::of(&both.asked("/a")).v2());
    let answer = pay(&mock, "/a", header);
    assert_eq!(answer.assert_status(402).json()["error"], "X-PAYMENT header is required");
    assert_eq!(answer.header("payment-required"), None);
}
