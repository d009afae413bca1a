//! What is no payment at all: wrong types, amounts, addresses. Never a 500, always a place that is named.

use serde_json::{Value, json};
use x402_sim::U256;

use crate::harness::{Mock, Test};
use crate::payer::{Payment, account, request, requirements, requirements_v1};

/// Both doors refuse for a reason; the message names the place.
#[track_caller]
fn assert_refused(mock: &Mock, body: &Value, reason: &str, place: &str) {
    let (verdict, outcome) = (mock.verify(body), mock.settle(body));
    assert_eq!(verdict["invalidReason"], reason, "{verdict}\n{body}");
    assert_eq!(outcome["errorReason"], reason, "{outcome}\n{body}");
    for message in [&verdict["invalidMessage"], &outcome["errorMessage"]] {
        assert!(message.as_str().unwrap().contains(place), "`{place}` is not in: {message}");
    }
    mock.assert_serves();
}

fn changed(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    match pointer.rsplit_once('/') {
        Some((parent, key)) => body.pointer_mut(parent).unwrap()[key] = value,
        None => body = value,
    }
    body
}

fn without(body: &Value, pointer: &str) -> Value {
    let mut body = body.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
    body
}

/// Where a place of the body stands in messages.
fn path(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn amount_key(asked: &Value) -> &'static str {
    if asked.get("amount").is_some() { "amount" } else { "maxAmountRequired" }
}

#[test]
fn numbers_where_strings_belong_are_an_invalid_payload() {
    let mock = Test::new().start();
    for asked in [requirements(), requirements_v1()] {
        let good = Payment::of(&asked).request();
        let amount = format!("/paymentRequirements/{}", amount_key(&asked));
        let signed = "/paymentPayload/payload/authorization";
        let mut places: Vec<String> =
            ["from", "to", "value", "validAfter", "validBefore", "nonce"].map(|key| format!("{signed}/{key}")).into();
        places.push("/paymentPayload/payload/signature".to_owned());
        places.extend([amount, "/paymentRequirements/asset".to_owned(), "/paymentRequirements/payTo".to_owned()]);
        for place in &places {
            for value in [json!(10000), json!(true), json!(["10000"]), json!({}), json!(1e300)] {
                assert_refused(&mock, &changed(&good, place, value), "invalid_payload", &path(place));
            }
            for missing in [without(&good, place), changed(&good, place, json!(null))] {
                assert_refused(&mock, &missing, "invalid_payload", &path(place));
            }
        }
        assert_eq!(mock.settle(&good)["success"], true);
    }
}

#[test]
fn parts_of_the_wrong_shape_are_an_invalid_payload() {
    let mock = Test::new().start();
    let good = Payment::of(&requirements()).request();
    for place in ["/paymentPayload/payload", "/paymentPayload/payload/authorization", "/paymentPayload/accepted"] {
        for value in [json!(null), json!("x"), json!([]), json!(1)] {
            assert_refused(&mock, &changed(&good, place, value), "invalid_payload", &path(place));
        }
    }
    for place in ["/paymentRequirements/scheme", "/paymentRequirements/network"] {
        for value in [json!(null), json!(1), json!([])] {
            assert_refused(&mock, &changed(&good, place, value), "invalid_payload", &path(place));
        }
    }
    assert_eq!(mock.settle(&good)["success"], true);
}

#[test]
fn amounts_are_decimal_integers() {
    let mock = Test::new().start();
    for asked in [requirements(), requirements_v1()] {
        let good = Payment::of(&asked).request();
        let places = [
            format!("/paymentRequirements/{}", amount_key(&asked)),
            "/paymentPayload/payload/authorization/value".to_owned(),
            "/paymentPayload/payload/authorization/validAfter".to_owned(),
            "/paymentPayload/payload/authorization/validBefore".to_owned(),
        ];
        for place in &places {
            for text in [
                "0x2710", "", "-1", "-10000", "1.0", "1e4", " 10000", "10000 ", "10_000", "+1", "NaN", "ten", "\u{661}",
            ] {
                assert_refused(&mock, &changed(&good, place, json!(text)), "invalid_payload", &path(place));
            }
        }
    }
}

#[test]
fn two_to_the_256_is_no_value_that_can_be_signed_and_no_amount_that_can_be_met() {
    let mock = Test::new().start();
    let huge = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
    for (asked, mismatch) in [
        (requirements(), "invalid_exact_evm_payload_authorization_value_mismatch"),
        (requirements_v1(), "invalid_exact_evm_authorization_value"),
    ] {
        let good = Payment::of(&asked).request();
        let value = "/paymentPayload/payload/authorization/value";
        assert_refused(&mock, &changed(&good, value, json!(huge)), "invalid_exact_evm_signature", "2^256");
        let amount = format!("/paymentRequirements/{}", amount_key(&asked));
        assert_refused(&mock, &changed(&good, &amount, json!(huge)), mismatch, "2^256");
        let long = "9".repeat(100_000);
        assert_refused(&mock, &changed(&good, value, json!(long)), "invalid_exact_evm_signature", "2^256");
        // One less fits, and nobody has so much.
        let mut most = asked.clone();
        most[amount_key(&asked)] = json!(U256::MAX.to_string());
        let body = Payment::of(&most).request();
        assert_eq!(mock.verify(&body)["invalidReason"], "invalid_exact_evm_insufficient_balance");
        assert_eq!(mock.settle(&body)["errorReason"], "invalid_exact_evm_insufficient_balance");
        assert_eq!(mock.settle(&good)["success"], true);
    }
}

/// An address in upper case, and with one letter's case wrong.
fn misspelt(address: &str) -> [String; 2] {
    let upper = format!("0x{}", address[2..].to_uppercase());
    let at = address.rfind(|letter: char| letter.is_ascii_alphabetic()).unwrap();
    let letter = address.as_bytes()[at] as char;
    let other = if letter.is_ascii_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() };
    let mut wrong = address.to_owned();
    wrong.replace_range(at..=at, &other.to_string());
    [upper, wrong]
}

#[test]
fn a_signed_address_may_be_lower_case_but_not_misspelt() {
    let mock = Test::new().start();
    for asked in [requirements(), requirements_v1()] {
        for member in ["from", "to"] {
            let good = Payment::of(&asked).request();
            let place = format!("/paymentPayload/payload/authorization/{member}");
            let spelt = good.pointer(&place).unwrap().as_str().unwrap().to_owned();
            for wrong in misspelt(&spelt) {
                assert_refused(&mock, &changed(&good, &place, json!(wrong)), "invalid_exact_evm_signature", &spelt);
            }
            let lower = changed(&good, &place, json!(spelt.to_lowercase()));
            let verdict = mock.verify(&lower);
            assert_eq!(verdict["isValid"], true, "{verdict}");
            assert_eq!(verdict["payer"], lower["paymentPayload"]["payload"]["authorization"]["from"], "echoed");
            assert_eq!(mock.settle(&lower)["success"], true);
        }
    }
}

#[test]
fn the_requirements_addresses_may_be_in_any_case() {
    let mock = Test::new().start();
    for asked in [requirements(), requirements_v1()] {
        for member in ["asset", "payTo"] {
            let spelt = asked[member].as_str().unwrap();
            let [upper, wrong] = misspelt(spelt);
            for text in [upper, wrong, spelt.to_lowercase()] {
                let payload = Payment::of(&asked).payload();
                let body = request(&payload, &changed(&asked, &format!("/{member}"), json!(text)));
                let verdict = mock.verify(&body);
                assert_eq!(verdict["isValid"], true, "{member} {text}: {verdict}");
                assert_eq!(mock.settle(&body)["success"], true, "{member} {text}");
            }
        }
    }
}

#[test]
fn what_is_no_address_is_an_invalid_payload() {
    let mock = Test::new().start();
    let good = Payment::of(&requirements()).request();
    let short = &account(0).address[..41];
    let bare = &account(0).address[2..];
    let shouted = account(0).address.replace("0x", "0X");
    let long = format!("{}0", account(0).address);
    for text in ["", "0x", short, bare, &shouted, &long, "0xzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "vitalik.eth"] {
        for place in [
            "/paymentPayload/payload/authorization/from",
            "/paymentPayload/payload/authorization/to",
            "/paymentRequirements/asset",
            "/paymentRequirements/payTo",
        ] {
            assert_refused(&mock, &changed(&good, place, json!(text)), "invalid_payload", &path(place));
        }
    }
    assert_eq!(mock.settle(&good)["success"], true);
}

#[test]
fn a_prefix_that_stands_twice_is_no_hexadecimal() {
    let mock = Test::new().start();
    let good = Payment::of(&requirements()).request();
    for place in [
        "/paymentPayload/payload/signature",
        "/paymentPayload/payload/authorization/nonce",
        "/paymentPayload/payload/authorization/from",
        "/paymentPayload/payload/authorization/to",
    ] {
        let twice = format!("0x{}", good.pointer(place).and_then(Value::as_str).unwrap());
        let body = changed(&good, place, json!(twice));
        assert_eq!(mock.verify(&body)["isValid"], false, "{place}");
        assert_eq!(mock.settle(&body)["success"], false, "{place}");
    }
    assert_eq!(mock.settle(&good)["success"], true);
}

#[test]
fn hostile_text_in_every_place_is_refused_with_a_short_message() {
    let mock = Test::new().start();
    let good = Payment::of(&requirements()).request();
    let long = "x".repeat(200_000);
    for text in [&long, "\u{0}", "\u{1b}[2J", "\u{202e}", "\u{1f4a9}"] {
        for place in [
            "/paymentPayload/payload/authorization/from",
            "/paymentPayload/payload/authorization/value",
            "/paymentPayload/payload/authorization/nonce",
            "/paymentPayload/payload/signature",
            "/paymentPayload/accepted/network",
            "/paymentRequirements/network",
            "/paymentRequirements/scheme",
            "/paymentRequirements/extra/name",
        ] {
            let body = changed(&good, place, json!(text));
            let verdict = mock.verify(&body);
            assert_eq!(verdict["isValid"], false, "{place}");
            let message = verdict["invalidMessage"].as_str().unwrap();
            assert!(message.len() < 1_000, "{place}: the message repeats {} bytes of the request", message.len());
            assert_eq!(mock.settle(&body)["success"], false, "{place}");
        }
    }
    mock.assert_serves();
    assert_eq!(mock.settle(&good)["success"], true);
}

#[test]
fn a_version_that_is_none_is_named_as_it_is() {
    let mock = Test::new().start();
    let good = Payment::of(&requirements()).request();
    for (version, said) in [
        (Some(json!("2")), "paymentPayload.x402Version is the text \"2\"; it must be the number 1 or 2"),
        (Some(json!(3)), "paymentPayload.x402Version is 3; it must be the number 1 or 2"),
        (Some(json!(null)), "paymentPayload.x402Version is null; it must be the number 1 or 2"),
        (None, "paymentPayload.x402Version is missing; it must be the number 1 or 2"),
    ] {
        let mut body = good.clone();
        match version {
            Some(version) => body["paymentPayload"]["x402Version"] = version,
            None => drop(body["paymentPayload"].as_object_mut().unwrap().remove("x402Version")),
        }
        let verdict = mock.verify(&body);
        assert_eq!(verdict["invalidReason"], "invalid_x402_version");
        assert_eq!(verdict["invalidMessage"], said);
    }
}
