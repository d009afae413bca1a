//! What a facilitator was sent: said of a whole body and of an instance's record of it alike, and whose mistake it is.

use serde_json::Value;
use x402_sim::explain::case::{Depth, Question, Record, explain};
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Side;
use x402_sim::explain::read::{Reading, read};

macro_rules! case {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../../../fixtures/explain/", $name, ".json"))).unwrap()
    };
}

/// A body as an instance keeps it that refused it: the payment, and its requirements besides.
fn kept(case: &Value, reason: &str) -> Explanation {
    let body: Value = serde_json::from_str(case["input"].as_str().unwrap()).unwrap();
    let reading = Reading::carried(None, body["paymentPayload"].clone());
    refused(case, reading, Some(body["paymentRequirements"].clone()), reason)
}

fn refused(case: &Value, reading: Reading, requirements: Option<Value>, reason: &str) -> Explanation {
    let record = Record { reason: reason.to_owned(), ..Record::default() };
    let now = case["at"].as_u64().unwrap();
    explain(&Question { reading, requirements, now, real: None, record: Some(record), depth: Depth::Judge })
}

fn ids(explanation: &Explanation) -> Vec<&str> {
    explanation.findings.iter().map(|finding| finding.id).collect()
}

#[test]
fn a_record_of_a_facilitator_is_read_as_the_body_that_it_was() {
    for (case, id) in [
        (case!("body-parts-swapped"), "parts_swapped"),
        (case!("body-with-whole-offer"), "offer_for_entry"),
        (case!("body-amount-is-number"), "number_not_text"),
        (case!("body-extra-as-text"), "nested_json"),
    ] {
        let told = kept(&case, "invalid_payload");
        assert_eq!(ids(&told), [id]);
        assert_eq!(told.findings[0].side, Side::Server, "{id}");
        assert!(told.verdict.is_none_or(|verdict| !verdict.valid), "{id}");
    }
}

#[test]
fn what_was_refused_is_never_said_to_be_good() {
    let case = case!("offer-sent-back");
    let (_, value) = case["input"].as_str().unwrap().split_once(": ").unwrap();
    for name in ["PAYMENT-SIGNATURE: ", "X-PAYMENT: ", ""] {
        let told = refused(&case, read(&format!("{name}{value}")), None, "No matching payment requirements");
        assert!(told.verdict.as_ref().is_none_or(|verdict| !verdict.valid), "{name}");
        assert_eq!(ids(&told).contains(&"offer_sent_back"), !name.is_empty(), "{name}");
    }
}

#[test]
fn the_whole_payment_in_a_body_is_written_by_whoever_calls_the_facilitator() {
    for (case, id) in [
        (case!("body-with-header-text"), "base64_in_json"),
        (case!("body-encoded-twice"), "nested_json"),
        (case!("body-snake-case"), "misnamed_field"),
        (case!("body-as-form"), "form_body"),
    ] {
        let reading = read(case["input"].as_str().unwrap());
        let told = refused(&case, reading, None, "HTTP 400");
        assert_eq!((ids(&told), told.findings[0].side), (vec![id], Side::Server));
    }
}
