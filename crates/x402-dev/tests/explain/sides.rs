//! Whose mistake it is: what a server sends to a facilitator beside its offer, a payment for another resource's offer, a
//! version that the server does not speak.

use serde_json::{Value, json};
use x402_wire::header::{decode, encode_text};

use crate::asker::{Asker, ids};
use crate::records_ways::{Sample, URL, entry, evidence, explained};

/// What is said of a body to a facilitator whose requirements were changed.
fn sent(change: impl Fn(&mut Value)) -> Value {
    let own = Sample::new();
    let payload: Value = decode(&own.payment).unwrap();
    let mut asked = payload["accepted"].clone();
    change(&mut asked);
    let instance = Asker::new();
    instance.file("body.json", json!({ "paymentPayload": payload, "paymentRequirements": asked }).to_string());
    instance.json(&["explain", "body.json", "--at", "1795000000"])
}

#[test]
fn requirements_that_nobody_was_offered_are_the_servers_mistake() {
    let other = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    let told = sent(|asked| asked["payTo"] = other.into());
    assert_eq!(ids(&told), ["requirements_not_offered"], "{told}");
    assert_eq!(told["findings"][0]["side"], "server");
    assert!(evidence(&told).contains(other), "{told}");
    // `exact` cannot charge less.
    let told = sent(|asked| asked["amount"] = "4200".into());
    assert_eq!(ids(&told), ["requirements_not_offered"], "{told}");
    assert!(told["findings"][0]["fix"].as_str().unwrap().contains("offer `upto`"), "{told}");
    // Requirements of version 1 are the same server's.
    let told = sent(|asked| {
        asked["maxAmountRequired"] = asked["amount"].take();
        asked.as_object_mut().unwrap().remove("amount");
        asked["network"] = "base-sepolia".into();
    });
    let findings = told["findings"].as_array().unwrap();
    assert!(!findings.is_empty() && findings.iter().all(|own| own["side"] == "server"), "{told}");
    assert!(ids(&told).iter().all(|id| id != "network_mismatch"), "{told}");
    assert!(sent(|_| {})["findings"].as_array().unwrap().is_empty());
}

#[test]
fn a_payment_for_another_resources_offer_is_told_as_that() {
    let own = Sample::new();
    let mut dear: Value = decode(&own.offer).unwrap();
    let far = URL.replace("/report", "/dear");
    dear["resource"]["url"] = far.clone().into();
    dear["accepts"][0]["amount"] = "500000".into();
    dear["error"] = "No matching payment requirements".into();
    let dear = json!({ "PAYMENT-REQUIRED": encode_text(&dear.to_string()) });
    let told = explained(&[entry(("GET", &far, &own.pays()), (402, &dear, Some("{}")))]);
    assert_eq!(ids(&told), ["offer_of_other_resource"], "{told}");
    assert!(evidence(&told).contains("/dear"), "{told}");
    // Nothing here shows what the named resource asks, until the record does.
    assert_eq!(told["findings"][0]["certainty"], "possible", "{told}");
    let asked = entry(("GET", URL, &json!({})), (402, &own.asks(), Some("{}")));
    let told = explained(&[asked, entry(("GET", &far, &own.pays()), (402, &dear, Some("{}")))]);
    assert_eq!(ids(&told)[0], "offer_of_other_resource", "{told}");
    assert_eq!(told["findings"][0]["certainty"], "proven", "{told}");
    // At its own address the price has changed.
    let told = explained(&[entry(("GET", URL, &own.pays()), (402, &dear, Some("{}")))]);
    assert_eq!(ids(&told), ["price_changed"], "{told}");
}

#[test]
fn nobody_is_told_to_use_a_header_that_the_server_does_not_know() {
    let own = Sample::new();
    let offer: Value = decode(&own.offer).unwrap();
    let entry_of_1 = json!({
        "scheme": "exact", "network": "base-sepolia", "maxAmountRequired": "10000", "resource": URL, "description": "",
        "mimeType": "", "payTo": offer["accepts"][0]["payTo"], "maxTimeoutSeconds": 60,
        "asset": offer["accepts"][0]["asset"], "extra": offer["accepts"][0]["extra"],
    });
    let body = json!({ "x402Version": 1, "error": "Invalid network", "accepts": [entry_of_1] }).to_string();
    let pays = json!({ "X-PAYMENT": own.payment });
    let told = explained(&[entry(("GET", URL, &pays), (402, &json!({}), Some(&body)))]);
    assert_eq!(ids(&told), ["version_not_offered"], "{told}");
    // A server of both versions, or of the second alone, does know it.
    let told = explained(&[entry(("GET", URL, &pays), (402, &own.asks(), Some("{}")))]);
    assert_eq!(ids(&told)[0], "v1_header_name", "{told}");
}
