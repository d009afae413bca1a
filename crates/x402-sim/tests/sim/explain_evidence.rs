//! What findings rest on, in words that leave no doubt which side is meant, and what is not.

use serde_json::{Value, json};
use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, explain};
use x402_sim::explain::read::read;

/// The sound body of a facilitator's request, changed.
fn changed(change: impl Fn(&mut Value)) -> Explanation {
    let case: Value =
        serde_json::from_str(include_str!("../../../../fixtures/explain/control-facilitator-request.json")).unwrap();
    let mut body: Value = serde_json::from_str(case["input"].as_str().unwrap()).unwrap();
    change(&mut body);
    let (reading, now) = (read(&body.to_string()), case["at"].as_u64().unwrap());
    explain(&Question { reading, requirements: None, now, real: None, record: None, depth: Depth::Judge })
}

fn evidence(explanation: &Explanation) -> String {
    explanation.findings.iter().flat_map(|finding| finding.evidence.clone()).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_number_is_told_from_a_text_and_nothing_from_null() {
    let own = changed(|body| {
        body["paymentPayload"]["accepted"]["amount"] = json!(10000);
        body["paymentPayload"]["accepted"].as_object_mut().unwrap().remove("extra");
    });
    let seen = evidence(&own);
    assert!(seen.contains("accepted.amount is the number 10000, the requirements' is the text 10000"), "{seen}");
    assert!(seen.contains("accepted.extra.name is nothing, the requirements' is"), "{seen}");
}

/// A clock that is behind gives a window that began long ago, and not one that was too short from its beginning.
#[test]
fn a_window_that_is_shorter_than_was_asked_is_no_clock_that_is_behind() {
    let case: Value =
        serde_json::from_str(include_str!("../../../../fixtures/explain/control-facilitator-request.json")).unwrap();
    let now = case["at"].as_u64().unwrap();
    let own = changed(|body| {
        let authorization = &mut body["paymentPayload"]["payload"]["authorization"];
        authorization["validAfter"] = json!((now - 65).to_string());
        authorization["validBefore"] = json!((now - 2).to_string());
    });
    let expired = own.findings.iter().find(|finding| finding.id == "expired").unwrap();
    assert!(expired.evidence.iter().any(|seen| seen.contains("lives for 1m 3s")), "{expired:?}");
    assert!(!expired.fix.contains("NTP"), "{}", expired.fix);
}

#[test]
fn requirements_that_are_wrong_themselves_are_not_what_was_accepted_wrongly() {
    for (key, value, id) in [
        ("amount", "0.01", "decimal_amount"),
        ("asset", "USDC", "address_malformed"),
        ("network", "base-sepolia", "v1_network_name_in_v2"),
    ] {
        let own = changed(|body| body["paymentRequirements"][key] = json!(value));
        let ids: Vec<&str> = own.findings.iter().map(|finding| finding.id).collect();
        assert_eq!(ids, [id], "{key}");
        assert!(own.verdict.unwrap().by.starts_with("verify"), "{key}");
    }
}

#[test]
fn a_price_in_atomic_units_that_was_taken_for_dollars_is_asked_for() {
    let offer = |amount: &str| {
        let own = changed(|body| {
            body["paymentRequirements"]["amount"] = json!(amount);
            let entry = body["paymentRequirements"].take();
            *body = json!({"x402Version": 2, "resource": {"url": "http://127.0.0.1:3402/report"}, "accepts": [entry]});
        });
        assert_eq!(own.findings[0].id, "over_spend_limit");
        evidence(&own)
    };
    assert!(offer("10000000000").contains("as atomic units it would be 10000 (0.01 USDC)"));
    assert!(!offer("10000000001").contains("atomic units it would be"));
    assert!(!offer("20000000").contains("atomic units it would be"));
}
