//! What a mock saw of a payment before: that it was verified in time, that it was settled.

use serde_json::{Value, json};
use x402_wire::header::{decode, encode_text};

use crate::asker::{Asker, ids};
use crate::client::Request;
use crate::harness::{Mock, Test};

/// A body for a facilitator about a payment that lives for some seconds, signed `behind` seconds before the mock's time.
fn body(asker: &Asker, mock: &Mock, (lifetime, behind): (u64, u64), now: u64) -> Value {
    let mut offer: Value = mock.get("/report").decoded("payment-required");
    for entry in offer["accepts"].as_array_mut().unwrap() {
        entry["maxTimeoutSeconds"] = json!(lifetime);
    }
    asker.file("offer.json", offer.to_string());
    let run = asker.run(&["sign", "offer.json", "--body", "--now", &(now - behind).to_string()]);
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

/// Seconds since 1970 of this computer.
fn real() -> u64 {
    x402_dev::clock::now() / 1000
}

/// What `explain last` says of a payment that is verified, and some seconds later to be settled. The mock's clock comes to
/// agree with this computer's, so that nobody blames it.
fn verified_then_settled(lives: (u64, u64), later: u64) -> Value {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let now = real() - later;
    let clock = |args: &[&str]| {
        let run = asker.run(&[&["clock"][..], args, &["--url", &mock.url]].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
    };
    clock(&["set", &now.to_string()]);
    let body = body(&asker, &mock, lives, now);
    assert_eq!(mock.verify(&body)["isValid"], true);
    clock(&["advance", &format!("{later}s")]);
    let settled: Value = mock.send(&Request::post_json("/settle", &body)).json();
    assert_eq!(settled["success"], false, "{settled}");
    asker.json(&["explain", "last", "--url", &mock.url])
}

#[test]
fn a_slow_handler_lets_a_good_payment_end_and_nobodys_clock_is_to_blame() {
    for lifetime in [15, 9] {
        let told = verified_then_settled((lifetime, 0), 30);
        assert_eq!(ids(&told), ["settled_too_late"], "{told}");
        let finding = &told["findings"][0];
        assert_eq!((finding["certainty"].as_str(), finding["side"].as_str()), (Some("proven"), Some("server")));
        assert!(finding["fix"].as_str().unwrap().starts_with("With maxTimeoutSeconds 60 this one would"), "{finding}");
        assert!(!told.to_string().contains("NTP"), "{told}");
    }
    // Who came at the last moment was still good then, by the same clock: a longer offer is not promised to mend it.
    let told = verified_then_settled((60, 50), 30);
    assert_eq!(ids(&told), ["settled_too_late"], "{told}");
    assert!(told["findings"][0]["fix"].as_str().unwrap().starts_with("Settle at once after /verify"), "{told}");
    assert!(!told.to_string().contains("NTP") && told.to_string().contains("10s were left"), "{told}");
}

#[test]
fn after_a_payment_that_was_settled_nothing_is_to_be_explained() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let run = asker.run(&["pay", &format!("{}/report", mock.url), "-o", "content"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let run = asker.run(&["explain", "last", "--url", &mock.url]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stdout.starts_with("the newest payment was settled, and nothing is to be explained: Settled 0.01 USDC")
    );
    assert!(run.stdout.lines().next().unwrap().contains("transaction 0x"), "{run:?}");
    // A request without a payment behind it is what is asked about.
    mock.get("/report").assert_status(402);
    let run = asker.run(&["explain", "last", "--url", &mock.url]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("no payment was refused; GET /report was asked without a payment"), "{run:?}");
}

#[test]
fn after_a_payment_that_was_refused_and_settled_then_it_is_said_that_nothing_is_left_to_mend() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    asker.file("offer.b64", mock.get("/report").header("payment-required").unwrap());
    let header = asker.run(&["sign", "offer.b64"]).stdout;
    let fund = |amount: &str| {
        let run = asker.run(&["fund", "0", amount, "--set", "--url", &mock.url]);
        assert_eq!(run.code, Some(0), "{run:?}");
    };
    let pay = |status: u16| {
        mock.send(&Request::get("/report").header("payment-signature", header.trim())).assert_status(status);
    };
    fund("0");
    pay(402);
    let refused = asker.json(&["explain", "last", "--url", &mock.url]);
    assert_eq!(ids(&refused), ["insufficient_balance"], "{refused}");
    fund("5");
    pay(200);
    let told = asker.json(&["explain", "last", "--url", &mock.url]);
    assert!(ids(&told).is_empty(), "{told}");
    let title = told["title"].as_str().unwrap();
    let begin = "the newest payment was settled, after it had been refused, so that nothing is left to mend: Settled";
    assert!(title.starts_with(begin) && !title.contains("nothing is to be explained"), "{told}");
    // Why it was refused is explained by its name.
    let note = told["notes"].to_string();
    let name = note.split('`').nth(1).unwrap().strip_prefix("x402-dev explain ").unwrap();
    let before = asker.json(&["explain", name, "--url", &mock.url]);
    assert_eq!(ids(&before), ["insufficient_balance"], "{before}");
}

#[test]
fn the_record_says_what_was_offered_and_what_of_it_is_compared() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    asker.file("offer.b64", mock.get("/report").header("payment-required").unwrap());
    let offer = |told: &Value| {
        let sections = told["sections"].as_array().unwrap();
        let own = sections.iter().find(|own| own["title"] == "the instance's record").unwrap();
        own["fields"].as_array().unwrap().iter().find(|field| field["label"] == "offer").cloned().unwrap()
    };
    let last = |header: &str| {
        mock.send(&Request::get("/report").header("payment-signature", header)).assert_status(402);
        offer(&asker.json(&["explain", "last", "--url", &mock.url]))
    };
    let matched = last(asker.run(&["sign", "offer.b64", "--defect", "wrong-domain"]).stdout.trim());
    assert_eq!(matched["value"], "exact on eip155:84532");
    assert_eq!(matched["meaning"], "the entry that the payment was matched with");
    let mut payload: Value = decode(asker.run(&["sign", "offer.b64"]).stdout.trim()).unwrap();
    payload["accepted"]["network"] = json!("eip155:1");
    let unmatched = last(&encode_text(&payload.to_string()));
    assert_eq!(unmatched["value"], "exact on eip155:84532; exact on solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1");
    assert_eq!(unmatched["meaning"], "compared is the one that is nearest to the payment");
}

#[test]
fn the_first_line_says_how_old_a_refusal_is() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    mock.send(&Request::get("/report").header("payment-signature", "e30=")).assert_status(402);
    let told = asker.json(&["explain", "last", "--url", &mock.url]);
    assert!(told["age"].as_u64().unwrap() < 60, "{told}");
    let text = asker.run(&["explain", "last", "--url", &mock.url]).stdout;
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("REFUSED just now: ") || first.contains("s ago: "), "{text}");
}
