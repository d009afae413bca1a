//! Every single fault of a payment has its official reason, on verify and on settle.

use serde_json::{Value, json};
use x402_sim::U256;

use crate::harness::{Mock, Test};
use crate::payer::{Payment, account, hex, now, request, requirements, requirements_v1};

const NOT_ON_SETTLE: &str = "invalid_exact_evm_signature";

/// Both doors refuse for these reasons, name payer and network, and keep serving.
#[track_caller]
fn assert_reasons(mock: &Mock, body: &Value, verify: &str, settle: &str) -> String {
    let verdict = mock.verify(body);
    assert_eq!((&verdict["isValid"], &verdict["invalidReason"]), (&json!(false), &json!(verify)), "{verdict}\n{body}");
    let outcome = mock.settle(body);
    assert_eq!((&outcome["success"], &outcome["errorReason"]), (&json!(false), &json!(settle)), "{outcome}\n{body}");
    let payload = &body["paymentPayload"];
    let network = if payload["x402Version"] == 1 { &payload["network"] } else { &payload["accepted"]["network"] };
    assert_eq!(&outcome["network"], network, "the request's own network");
    for answer in [&verdict, &outcome] {
        assert_eq!(answer["payer"], payload["payload"]["authorization"]["from"], "{answer}");
    }
    let message = verdict["invalidMessage"].as_str().unwrap_or_else(|| panic!("no message: {verdict}"));
    assert!(!message.is_empty() && outcome["errorMessage"].as_str().is_some_and(|text| !text.is_empty()), "{outcome}");
    message.to_owned()
}

/// Both doors refuse for the same reason.
#[track_caller]
fn assert_reason(mock: &Mock, body: &Value, reason: &str) -> String {
    assert_reasons(mock, body, reason, reason)
}

fn both() -> [Value; 2] {
    [requirements(), requirements_v1()]
}

/// Requirements with one member changed; the payment that is made of them agrees with it.
fn with(asked: &Value, pointer: &str, value: Value) -> Value {
    let mut asked = asked.clone();
    *asked.pointer_mut(pointer).unwrap() = value;
    asked
}

#[test]
fn scheme_network_and_domain() {
    let mock = Test::new().start();
    for asked in both() {
        let payload = Payment::of(&asked).payload();
        let mut other = payload.clone();
        let place = if asked.get("amount").is_some() { &mut other["accepted"] } else { &mut other };
        place["scheme"] = json!("upto");
        assert_reason(&mock, &request(&other, &asked), "invalid_exact_evm_scheme");

        let mut other = payload.clone();
        let (place, name) =
            if asked.get("amount").is_some() { (&mut other["accepted"], "eip155:8453") } else { (&mut other, "base") };
        place["network"] = json!(name);
        let message = assert_reason(&mock, &request(&other, &asked), "invalid_exact_evm_network_mismatch");
        assert!(message.contains(name) && message.contains(asked["network"].as_str().unwrap()), "{message}");

        for extra in [json!({}), json!({"name": "USDC"}), json!({"version": "2"}), json!({"name": "", "version": "2"})]
        {
            let body = request(&payload, &with(&asked, "/extra", extra));
            assert_reason(&mock, &body, "invalid_exact_evm_missing_eip712_domain");
        }
        assert_eq!(mock.settle(&request(&payload, &asked))["success"], true);
    }
}

#[test]
fn a_signature_for_another_domain_says_which_one_fits() {
    let mock = Test::new().start();
    for asked in both() {
        let payment = || Payment::of(&asked);
        for (body, parts) in [
            (payment().domain_name("USD Coin").request(), &["\"USD Coin\"", "\"USDC\""][..]),
            (payment().domain_version("1").request(), &["version", "\"1\"", "\"2\""]),
            (payment().chain(8453).request(), &["8453", "84532"]),
            (payment().from(account(1).evm()).request(), &[account(0).address, account(1).address]),
        ] {
            let message = assert_reason(&mock, &body, "invalid_exact_evm_signature");
            for part in parts {
                assert!(message.contains(part), "`{part}` is not in: {message}");
            }
        }
    }
}

#[test]
fn what_was_changed_after_signing_breaks_the_signature() {
    let mock = Test::new().start();
    for asked in both() {
        let good = Payment::of(&asked).request();
        for (member, value) in [
            ("to", json!(account(1).address)),
            ("value", json!("10001")),
            ("validAfter", json!("1")),
            ("validBefore", json!("9999999999")),
            ("nonce", json!(hex(&[7; 32]))),
        ] {
            let changed = with(&good, &format!("/paymentPayload/payload/authorization/{member}"), value);
            assert_reason(&mock, &changed, "invalid_exact_evm_signature");
        }
        assert_eq!(mock.settle(&good)["success"], true);
    }
}

#[test]
fn recipient_times_and_value() {
    let mock = Test::new().start();
    for asked in both() {
        let payment = || Payment::of(&asked);
        let v2 = asked.get("amount").is_some();
        let message =
            assert_reason(&mock, &payment().to(account(1).evm()).request(), "invalid_exact_evm_recipient_mismatch");
        assert!(message.contains(account(1).address) && message.contains(account(9).address), "{message}");
        for second in [0, 1, now() - 1, now() + 3] {
            let body = payment().valid_before(second).request();
            assert_reason(&mock, &body, "invalid_exact_evm_payload_authorization_valid_before");
        }
        let body = payment().valid_after(now() + 60).valid_before(now() + 600).request();
        assert_reason(&mock, &body, "invalid_exact_evm_payload_authorization_valid_after");
        let reason = if v2 {
            "invalid_exact_evm_payload_authorization_value_mismatch"
        } else {
            "invalid_exact_evm_authorization_value"
        };
        for value in [0, 9_999, 10_001] {
            let message = assert_reason(&mock, &payment().value(U256::from(value)).request(), reason);
            assert!(message.contains(&value.to_string()) && message.contains("10000"), "{message}");
        }
    }
}

#[test]
fn an_unknown_asset_has_no_contract() {
    let mock = Test::new().start();
    let nothing = json!("0x1111111111111111111111111111111111111111");
    for (asked, reason) in both().iter().zip(["asset_not_deployed_contract", "invalid_exact_evm_eip3009_not_supported"])
    {
        let asked = with(asked, "/asset", nothing.clone());
        let message = assert_reason(&mock, &Payment::of(&asked).request(), reason);
        assert!(message.contains("0x1111111111111111111111111111111111111111"), "{message}");
    }
}

#[test]
fn what_only_the_chain_knows_is_diagnosed_on_verify() {
    let mock = Test::new().config("accounts: {balance: 0.015}").start();
    for (index, asked) in both().into_iter().enumerate() {
        let payment = || Payment::of(&asked).by(index);
        let name = Payment::of(&with(&asked, "/extra/name", json!("USD Coin"))).by(index).request();
        let message = assert_reasons(&mock, &name, "invalid_exact_evm_token_name_mismatch", NOT_ON_SETTLE);
        assert!(message.contains("\"USD Coin\"") && message.contains("\"USDC\""), "{message}");
        let version = Payment::of(&with(&asked, "/extra/version", json!("1"))).by(index).request();
        assert_reasons(&mock, &version, "invalid_exact_evm_token_version_mismatch", NOT_ON_SETTLE);
        let first = payment().request();
        assert_eq!(mock.settle(&first)["success"], true);
        assert_reason(&mock, &first, "invalid_exact_evm_nonce_already_used");
        let message = assert_reason(&mock, &payment().request(), "invalid_exact_evm_insufficient_balance");
        assert!(message.contains("ERC20: transfer amount exceeds balance"), "{message}");
    }
}

#[test]
fn the_forms_of_a_signature() {
    let mock = Test::new().start();
    for asked in both() {
        let payment = Payment::of(&asked);
        let good = payment.signature();
        let signed = |signature: &str| with(&payment.request(), "/paymentPayload/payload/signature", json!(signature));
        let with_v = |v: u8| hex(&[&good[..64], &[v]].concat());
        // The official check takes v of 0 and 1 and any s; the token does not.
        let high = hex(&high_s(&good));
        let simulation = "invalid_exact_evm_transaction_simulation_failed";
        for (text, revert) in [
            (high, "ECRecover: invalid signature 's' value"),
            (with_v(good[64] - 27), "ECRecover: invalid signature 'v' value"),
        ] {
            let message = assert_reasons(&mock, &signed(&text), simulation, "invalid_exact_evm_signature");
            assert!(message.contains(revert), "{message}");
        }
        let other_parity = with_v(if good[64] == 27 { 28 } else { 27 });
        let (short, long) = (hex(&good[..64]), hex(&[&good[..], &[0]].concat()));
        let zeros = hex(&[0; 65]);
        let ones = hex(&[0xff; 65]);
        for text in [
            &with_v(29),
            &with_v(26),
            &with_v(255),
            &with_v(2),
            &other_parity,
            &short,
            &long,
            &zeros,
            &ones,
            "0x",
            "",
            "0xzz",
            "hello",
        ] {
            assert_reason(&mock, &signed(text), "invalid_exact_evm_signature");
        }
        assert_eq!(mock.settle(&signed(&hex(&good)))["success"], true);
    }
}

/// The other signature of the same message: s in the upper half, v flipped.
fn high_s(signature: &[u8; 65]) -> [u8; 65] {
    let order: U256 = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141".parse().unwrap();
    let s = order - U256::from_be_slice(&signature[32..64]);
    let mut high = *signature;
    high[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    high[64] = 27 + (28 - signature[64]);
    high
}

#[test]
fn a_wrapped_signature_needs_a_factory_that_is_allowed() {
    let mock = Test::new().start();
    let word = |value: u64| format!("{value:064x}");
    let factory = format!("{:0>64}", "11".repeat(20));
    let magic = "6492".repeat(16);
    let wrapped = format!("0x{factory}{}{}{}{}{magic}", word(96), word(128), word(0), word(0));
    for asked in both() {
        let body = with(&Payment::of(&asked).request(), "/paymentPayload/payload/signature", json!(wrapped));
        assert_reason(&mock, &body, "eip6492_factory_not_allowed");
    }
}

#[test]
fn of_two_faults_the_official_order_names_the_first() {
    let mock = Test::new().start();
    let asked = requirements();
    // The signature comes before the recipient, the recipient before the times, the times before the value.
    let everything = || Payment::of(&asked).to(account(1).evm()).valid_before(1).value(U256::from(1));
    assert_reason(&mock, &everything().domain_name("x").request(), "invalid_exact_evm_signature");
    assert_reason(&mock, &everything().request(), "invalid_exact_evm_recipient_mismatch");
    let late = Payment::of(&asked).valid_before(1).value(U256::from(1)).request();
    assert_reason(&mock, &late, "invalid_exact_evm_payload_authorization_valid_before");
}

#[test]
fn unknown_versions_schemes_and_networks_are_named() {
    let mock = Test::new().start();
    let payload = Payment::of(&requirements()).v2();
    for version in [json!(3), json!(0), json!("2"), json!(null), json!(-1), json!(1.5), json!({})] {
        let body = request(&with(&payload, "/x402Version", version), &requirements());
        assert_reason(&mock, &body, "invalid_x402_version");
    }
    for asked in both() {
        let payload = Payment::of(&asked).payload();
        let scheme =
            assert_reason(&mock, &request(&payload, &with(&asked, "/scheme", json!("upfo"))), "unsupported_scheme");
        assert!(scheme.contains("upfo"), "{scheme}");
        for network in ["eip155:1", "base", "eip155:x", "mars", "", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"] {
            let message =
                assert_reason(&mock, &request(&payload, &with(&asked, "/network", json!(network))), "invalid_network");
            assert!(message.contains(network), "{message}");
        }
    }
}
