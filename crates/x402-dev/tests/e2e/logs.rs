//! What the log says, at which level and in which form, and what it never says.

use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::{Mock, Stream, Test};
use crate::payer::{Payment, account, encoded};
use rustix::process::Signal;
use x402_sim::accounts::test_accounts;

/// An unpaid request, a good payment, and the same payment again. Gives the payment's payload.
fn trade(mock: &Mock) -> Value {
    let payload = Payment::of(&mock.asked("/news?id=1")).by(3).v2();
    let request = Request::get("/news").header("PAYMENT-SIGNATURE", encoded(&payload));
    mock.send(&request).assert_status(200);
    mock.send(&request).assert_status(402);
    payload
}

#[test]
fn one_readable_line_tells_a_payment_event() {
    let mock = Test::new().start();
    let payload = trade(&mock);
    let payer = payload["payload"]["authorization"]["from"].as_str().unwrap();
    let offered = mock.stderr.line("payment required");
    assert!(offered.contains("GET /news") && offered.contains("0.01 USDC"), "{offered}");
    let (clock, _) = offered.split_once(' ').unwrap();
    assert!(clock.len() == 12 && clock.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte)), "{offered}");
    let settled = mock.stderr.line("settled");
    assert!(settled.contains("GET /news") && settled.contains("0.01 USDC") && settled.contains(payer), "{settled}");
    let refused = mock.stderr.line("refused");
    assert!(refused.contains("invalid_exact_evm_nonce_already_used") && refused.contains(payer), "{refused}");
    assert!(!mock.stderr.text().contains("  verified"), "{}", mock.stderr.text());
}

#[test]
fn verbose_tells_every_event() {
    let mock = Test::new().arg("--verbose").start();
    trade(&mock);
    let verified = mock.stderr.line("  verified");
    assert!(verified.contains("GET /news"), "{verified}");
}

#[test]
fn quiet_says_nothing() {
    let mut mock = Test::new().arg("--quiet").start();
    trade(&mock);
    mock.stop(Signal::TERM);
    assert_eq!(mock.stderr.to_end(), "");
}

#[test]
fn quiet_still_tells_errors() {
    let run = Test::new().arg("--quiet").arg("--price=-1").run(&["mock", "--port", "0"]);
    assert_eq!(run.code, Some(78), "{run:?}");
    assert!(run.stderr.contains("negative"), "{}", run.stderr);
}

#[test]
fn in_json_every_line_of_stderr_parses() {
    let mut mock = Test::new().arg("--log-format").arg("json").start();
    trade(&mock);
    mock.stop(Signal::TERM);
    let text = mock.stderr.to_end();
    for line in text.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()), "not JSON: {line}");
    }
}

#[test]
fn json_events_tie_one_payment_together() {
    let mock = Test::new().arg("--log-format").arg("json").arg("--verbose").start();
    let payload = trade(&mock);
    let event =
        |kind: &str| -> Value { serde_json::from_str(&mock.stderr.line(&format!("\"kind\":\"{kind}\""))).unwrap() };
    let (offered, verified, settled, refused) =
        (event("offered"), event("verified"), event("settled"), event("refused"));
    assert_eq!(offered["data"]["path"], "/news");
    assert_eq!(settled["data"]["payer"], payload["payload"]["authorization"]["from"]);
    assert_eq!((&settled["data"]["amount"], &settled["data"]["dialect"]), (&json!("0.01 USDC"), &json!("x402v2")));
    assert!(settled["payment"].as_str().unwrap().starts_with("pay_"), "{settled}");
    assert_eq!([&verified["payment"], &refused["payment"]], [&settled["payment"]; 2]);
    assert!(settled["data"]["transaction"].as_str().unwrap().starts_with("0x"), "{settled}");
    assert_eq!(refused["data"]["reason"], "invalid_exact_evm_nonce_already_used");
    let (purchase, door, kept) = (&settled["purchase"], &settled["door"], verified["purchase"] == refused["purchase"]);
    assert_eq!((purchase, door, kept), (&json!("pur_1"), &json!("resources"), true), "{settled}");
    let payer = payload["payload"]["authorization"]["from"].as_str().unwrap();
    assert_eq!(settled["summary"], format!("Settled 0.01 USDC from {payer} for GET /news."));
    assert_eq!(offered["purchase"], Value::Null);
    let sequence = [&offered, &verified, &settled, &refused].map(|event| event["sequence"].as_u64().unwrap());
    assert!(sequence.is_sorted(), "{sequence:?}");
}

#[test]
fn a_header_that_cannot_be_decoded_is_told_with_the_cause() {
    let mock = Test::new().start();
    for (value, cause) in [("a-b_", "url-safe"), ("!!", "not base64"), ("AAAA", "JSON")] {
        mock.send(&Request::get("/a").header("PAYMENT-SIGNATURE", value)).assert_status(402);
        let line = mock.stderr.line(cause);
        assert!(line.contains("PAYMENT-SIGNATURE") && line.contains("cannot be decoded"), "{line}");
    }
    mock.send(&Request::get("/a").header("X-PAYMENT", "%")).assert_status(402);
    mock.stderr.line("X-PAYMENT: ");
}

#[test]
fn no_private_key_and_no_full_signature_is_ever_logged() {
    let mock = Test::new().start();
    mock.stderr.line("pay ");
    let banner = mock.stderr.text().len();
    let good = trade(&mock);
    let asked = mock.asked("/a");
    let bad = Payment::of(&asked).domain_name("USD Coin").v2();
    mock.send(&Request::get("/a").header("PAYMENT-SIGNATURE", encoded(&bad))).assert_status(402);
    let v1 = Payment::of(&mock.get("/a").json()["accepts"][0]).v1();
    mock.send(&Request::get("/a").header("X-PAYMENT", encoded(&v1))).assert_status(200);
    let facilitated = Payment::of(&asked);
    mock.verify(&facilitated.request());
    mock.settle(&facilitated.request());
    let broken = format!("{}!", encoded(&good));
    mock.send(&Request::get("/last").header("PAYMENT-SIGNATURE", &broken)).assert_status(402);
    mock.stderr.line("GET /last");
    let log = mock.stderr.text()[banner..].to_lowercase();
    for account in test_accounts() {
        assert!(!log.contains(&account.key[2..]), "the key of account {}", account.index);
    }
    for payload in [&good, &bad, &v1, &facilitated.v2()] {
        let signature = payload["payload"]["signature"].as_str().unwrap();
        assert!(!log.contains(&signature[2..]), "{log}");
        assert!(!log.contains(&encoded(payload).to_lowercase()), "{log}");
    }
}

#[test]
fn text_of_clients_cannot_steer_the_terminal() {
    let mock = Test::new().start();
    let mut payload = Payment::of(&mock.asked("/a")).v2();
    payload["payload"]["authorization"]["from"] = json!("\u{1b}[31mred\r\nfake line");
    mock.send(&Request::get("/a").header("PAYMENT-SIGNATURE", encoded(&payload))).assert_status(402);
    mock.send(&Request::get("/b").header("X-Payment-Proof", "\tx")).assert_status(402);
    mock.stderr.line("GET /b");
    let text = mock.stderr.text();
    assert!(!text.contains('\u{1b}') && !text.lines().any(|line| line.starts_with("fake")), "{text}");
}

#[test]
fn colours_are_for_terminals_without_no_color() {
    let coloured = |test: Test| {
        let mock = test.stderr(Stream::Terminal).start();
        mock.get("/a").assert_status(402);
        mock.stderr.line("payment required").contains('\u{1b}')
    };
    assert!(coloured(Test::new()), "a terminal gets colours");
    assert!(!coloured(Test::new().env("NO_COLOR", "1")), "NO_COLOR is obeyed");
    let piped = Test::new().start();
    piped.get("/a").assert_status(402);
    assert!(!piped.stderr.line("payment required").contains('\u{1b}'), "a pipe gets none");
}

#[test]
fn what_a_client_puts_in_place_of_an_address_is_not_logged() {
    let mock = Test::new().arg("--verbose").start();
    let key = account(3).key;
    let good = Payment::of(&mock.asked("/a"));
    for from in [key.to_owned(), key[2..].to_owned(), "x".repeat(500_000)] {
        for pointer in ["from", "to", "nonce"] {
            let mut body = good.request();
            body["paymentPayload"]["payload"]["authorization"][pointer] = json!(from);
            let answer = mock.verify(&body);
            assert_eq!(answer["isValid"], false);
            let message = answer["invalidMessage"].as_str().unwrap();
            assert!(!message.contains(&key[2..]) && message.len() < 1_000, "{message}");
        }
        let mut network = good.request();
        network["paymentPayload"]["accepted"]["network"] = json!(from);
        mock.verify(&network);
    }
    mock.get("/the/last/one").assert_status(402);
    mock.stderr.wait_for("/the/last/one").unwrap();
    let log = mock.stderr.text();
    let banner_ends = log.find("POST /verify").unwrap();
    assert!(!log[banner_ends..].contains(&key[2..]), "a key stands in the log");
    assert!(log.lines().all(|line| line.len() < 2_000), "a line of the log is as long as a client likes");
}
