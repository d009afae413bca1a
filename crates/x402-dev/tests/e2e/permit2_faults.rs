//! Payments by Permit2 with which something goes wrong on the way: the same at both doors.

use serde_json::{Value, json};

use crate::client::Request;
use crate::fault_hand::{add, admin, events, newest, reset, settlements};
use crate::harness::{Mock, Test};
use crate::permit2::{body, printed};

const YAML: &str = r"
networks: [base-sepolia]
accepts: [{network: base-sepolia, asset_transfer_method: permit2}]
resources:
- {match: GET /exact, price: $0.01}
- {match: GET /upto, price: {upto: $0.10, charge: $0.03}}
";

/// Why a payment that was good when it was verified is not settled: at the facilitator, and in the resource's receipt.
fn reasons(mock: &Mock, path: &str, effect: &str) -> [Value; 2] {
    reset(mock);
    let payment = printed(mock, path);
    add(mock, &json!({"stage": "settle", "effect": effect, "match": {"door": "facilitator"}}));
    assert_eq!(mock.verify(&body(&payment))["isValid"], true, "{path} {effect}");
    let settled = mock.settle(&body(&payment));
    assert_eq!((&settled["success"], settlements(mock)), (&json!(false), 0), "{path} {effect}: {settled}");
    reset(mock);
    let payment = printed(mock, path);
    add(mock, &json!({"stage": "settle", "effect": effect, "match": {"door": "resources"}}));
    let paid = Request::get(path).header("PAYMENT-SIGNATURE", payment["value"].as_str().unwrap());
    let receipt = mock.send(&paid).assert_status(402).decoded("payment-response");
    assert_eq!((&receipt["success"], settlements(mock)), (&json!(false), 0), "{path} {effect}: {receipt}");
    [settled["errorReason"].clone(), receipt["errorReason"].clone()]
}

#[test]
fn what_happens_between_verify_and_settle_has_one_name_at_both_doors() {
    let mock = Test::new().config(YAML).start();
    let failed = "invalid_exact_evm_transaction_failed";
    for (path, effect, reason) in [
        ("/exact", "drain", failed),
        ("/exact", "revoke_allowance", failed),
        ("/exact", "jump_clock:10m", "permit2_deadline_expired"),
        ("/upto", "drain", failed),
        ("/upto", "revoke_allowance", failed),
        ("/upto", "jump_clock:10m", "permit2_deadline_expired"),
    ] {
        assert_eq!(reasons(&mock, path, effect), [json!(reason), json!(reason)], "{path} {effect}");
    }
}

#[test]
fn exact_can_be_said_to_succeed_twice() {
    let mock = Test::new().config(YAML).start();
    let payment = body(&printed(&mock, "/exact"));
    assert_eq!(mock.settle(&payment)["success"], true);
    assert_eq!(mock.settle(&payment)["errorReason"], "permit2_invalid_nonce");
    add(&mock, &json!({"stage": "settle", "effect": "success_twice"}));
    let again = mock.settle(&payment);
    assert_eq!((&again["success"], settlements(&mock)), (&json!(true), 1), "{again}");
}

#[test]
fn a_fault_meets_the_scheme_that_it_names() {
    let mock = Test::new().config(YAML).start();
    add(&mock, &json!({"stage": "verify", "effect": "refuse:no_upto_today", "match": {"scheme": "upto"}}));
    let [exact, upto] = ["/exact", "/upto"].map(|path| mock.verify(&body(&printed(&mock, path))));
    assert_eq!((&exact["isValid"], &upto["invalidReason"]), (&json!(true), &json!("no_upto_today")), "{exact} {upto}");
    let refused = admin(
        &mock,
        "POST",
        "/faults",
        Some(&json!({"stage": "verify", "effect": "hang", "match": {"scheme": "upton"}})),
    );
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("upto"), "{}", refused.text());
}

/// Who says a text that is no address as its sender is told it back by whoever answers, and by nobody else.
#[test]
fn a_key_in_the_place_of_the_sender_is_in_no_event_even_if_a_fault_refuses() {
    const KEY: &str = "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";
    let mock = Test::new().config(YAML).start();
    let since = newest(&mock);
    for stage in ["verify", "settle"] {
        reset(&mock);
        add(&mock, &json!({"stage": stage, "effect": "refuse:not_today"}));
        for path in ["/exact", "/upto", "/eip3009"] {
            let mut payment = printed(&mock, path);
            let inner = &mut payment["payload"]["payload"];
            for place in ["permit2Authorization", "authorization"] {
                if let Some(said) = inner.get_mut(place) {
                    said["from"] = json!(KEY);
                }
            }
            mock.verify(&body(&payment));
            mock.settle(&body(&payment));
            let header = crate::payer::encoded(&payment["payload"]);
            mock.send(&Request::get(path).header("PAYMENT-SIGNATURE", header));
        }
    }
    let told = events(&mock, since);
    assert!(told.iter().any(|event| event["data"]["reason"] == "not_today"), "{told:#?}");
    assert!(!told.iter().any(|event| event.to_string().contains(&KEY[2..])), "{told:#?}");
}

/// A permit names neither the scheme nor the resource that it was signed for, but it is used once.
#[test]
fn a_permit_that_paid_for_one_resource_pays_for_no_other() {
    let yaml =
        format!("{YAML}- {{match: GET /other, price: $0.01}}\n- {{match: GET /third, price: {{upto: $0.01}}}}\n");
    let mock = Test::new().config(&yaml).start();
    let payment = printed(&mock, "/exact");
    let pay = |path: &str, header: &str| mock.send(&Request::get(path).header("PAYMENT-SIGNATURE", header));
    let header = payment["value"].as_str().unwrap();
    pay("/exact", header).assert_status(200);
    for path in ["/exact", "/other"] {
        assert_eq!(pay(path, header).assert_status(402).offer()["error"], "permit2_simulation_failed", "{path}");
    }
    // What was accepted is no longer what is asked.
    pay("/third", header).assert_status(402);
    // The same signature under the other scheme, and the other way round: another contract may spend it, and one witness lacks the facilitator.
    for (from, to, reason) in
        [("/exact", "/third", "unsupported_payload_type"), ("/third", "/exact", "invalid_permit2_spender")]
    {
        let mut swapped = printed(&mock, from);
        swapped["payload"]["accepted"] = mock.asked(to);
        let refused = pay(to, &crate::payer::encoded(&swapped["payload"]));
        assert_eq!(refused.assert_status(402).offer()["error"], reason, "{from} at {to}");
    }
    assert_eq!(settlements(&mock), 1);
}
