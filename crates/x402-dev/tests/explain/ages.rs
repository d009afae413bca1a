//! Records are judged by their own time, however long ago that was.

use serde_json::{Value, json};
use x402_wire::header::{decode, encode_text};

use crate::asker::{Asker, ids};
use crate::records_ways::Sample;

/// The time at which the sample was made, as HTTP, and as logs have it.
const DATE: &str = "Wed, 18 Nov 2026 11:06:40 GMT";
const TIME: &str = "2026-11-18T11:06:40.123Z";

/// The reason of a server that has seen the payment before.
const USED: &str = "invalid_exact_evm_nonce_already_used";

/// What is said of a text by the clock of this computer.
fn told(text: &str) -> Value {
    let asker = Asker::new();
    asker.file("kept.log", text);
    asker.json(&["explain", "kept.log"])
}

#[test]
fn an_old_log_is_judged_by_the_date_of_its_answers() {
    let own = Sample::new();
    let mut again: Value = decode(&own.offer).unwrap();
    again["error"] = json!(USED);
    let again = encode_text(&again.to_string());
    let log = format!(
        "> GET /report HTTP/1.1\n> Host: a\n>\n< HTTP/1.1 402 Payment Required\n< payment-required: {}\n<\n\
         > GET /report HTTP/1.1\n> Host: a\n> PAYMENT-SIGNATURE: {}\n>\n< HTTP/1.1 402 Payment Required\n\
         < payment-required: {again}\n< date: {DATE}\n<\n",
        own.offer, own.payment
    );
    let told = told(&log);
    assert_eq!(ids(&told), ["nonce_used"], "{told}");
}

#[test]
fn a_line_of_a_log_is_judged_by_its_own_time() {
    let own = Sample::new();
    let later = "2030-01-01T00:00:00Z";
    let log = format!("{TIME} starting\n{TIME} sending PAYMENT-SIGNATURE: {}\n{later} stopping", own.payment);
    let told = told(&log);
    assert!(ids(&told).iter().all(|id| id != "expired"), "{told}");
    assert_eq!(told["verdict"]["at"], 1_795_000_000, "{told}");
}

#[test]
fn a_payment_of_an_unknown_time_is_verified_as_before_its_end() {
    let own = Sample::new();
    let payment: Value = decode(&own.payment).unwrap();
    let end: u64 = payment["payload"]["authorization"]["validBefore"].as_str().unwrap().parse().unwrap();
    let log = |payment: &str| format!("sending PAYMENT-SIGNATURE: {payment}\nError: 402 {USED}");
    let sound = told(&log(&own.payment));
    assert!(ids(&sound).iter().all(|id| id != "expired"), "{sound}");
    assert_eq!(sound["verdict"]["at"], end - 10, "{sound}");
    assert!(sound["notes"].to_string().contains("10 seconds before its end"), "{sound}");
    // What is wrong with it besides is found, and it is not called good.
    let mut other = payment;
    other["payload"]["authorization"]["value"] = json!("10001");
    let wrong = told(&log(&encode_text(&other.to_string())));
    assert_eq!((&wrong["verdict"]["valid"], &wrong["verdict"]["at"]), (&json!(false), &json!(end - 10)), "{wrong}");
    assert!(ids(&wrong).iter().all(|id| id != "expired"), "{wrong}");
    assert_ne!(wrong["verdict"]["by"], "the text around it", "{wrong}");
}
