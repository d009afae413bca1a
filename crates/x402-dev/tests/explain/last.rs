//! Which of all that happened `last` explains. The rule's table is tested beside the rule.

use std::io::Read;

use serde_json::{Value, json};

use crate::asker::{Asker, ids};
use crate::client::Request;
use crate::harness::{Mock, Test};

/// A payment header for a resource.
fn signed(asker: &Asker, mock: &Mock, path: &str, more: &[&str]) -> String {
    asker.file("offer.b64", mock.get(path).header("payment-required").unwrap());
    let run = asker.run(&[&["sign", "offer.b64"], more].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    run.stdout.trim().to_owned()
}

/// A body for the facilitator about a payment.
fn body(asker: &Asker, mock: &Mock) -> Value {
    asker.file("offer.b64", mock.get("/report").header("payment-required").unwrap());
    let run = asker.run(&["sign", "offer.b64", "--body"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

fn refuse(asker: &Asker, mock: &Mock) {
    let header = signed(asker, mock, "/report", &["--defect", "wrong-domain"]);
    let request = Request::get("/report").header("payment-signature", header).header("user-agent", "node");
    mock.send(&request).assert_status(402);
}

fn last(asker: &Asker, mock: &Mock) -> Value {
    asker.json(&["explain", "last", "--url", &mock.url])
}

fn text(asker: &Asker, mock: &Mock) -> String {
    let run = asker.run(&["explain", "last", "--url", &mock.url]);
    assert_eq!(run.code, Some(0), "{run:?}");
    run.stdout
}

fn advance(asker: &Asker, mock: &Mock, by: &str) {
    assert_eq!(asker.run(&["clock", "advance", by, "--url", &mock.url]).code, Some(0));
}

fn wait_for(mock: &Mock, kind: &str) {
    let wait = json!({"filter": {"kind": kind}, "timeout_ms": 15_000});
    let ask = Request::post_json("/_x402/api/events/wait", &wait).header("Host", mock.address.to_string());
    mock.connect().send(&ask).assert_status(200);
}

#[test]
fn a_client_that_never_paid_is_told_what_it_is_likely_to_have_done() {
    for (agent, parts) in [
        ("python-httpx/0.28.1", vec!["wrapHttpxWithPayment", "lines of code are for Python", "python-client: "]),
        ("node", vec!["wrapFetchWithPayment", "ts-fetch: "]),
        (
            "curl/8.5.0",
            vec!["it pays nothing by itself", "curl -H \"PAYMENT-SIGNATURE: VALUE\"", "the header is given by hand"],
        ),
        ("Mozilla/5.0", vec!["a browser pays nothing unless"]),
        ("shop-bot", vec!["no client that is known", "a proxy took it away"]),
    ] {
        let (asker, mock) = (Asker::new(), Test::new().start());
        mock.send(&Request::get("/report").header("user-agent", agent)).assert_status(402);
        let told = text(&asker, &mock);
        let first = told.lines().next().unwrap();
        assert!(first.contains("GET /report was asked without a payment, answered with 402"), "{told}");
        assert!(first.starts_with("just now: ") || first.contains("s ago: "), "{told}");
        assert!(told.contains("1. possible: the 402 was never answered") && !told.contains("PROVEN"), "{told}");
        assert!(told.contains(&format!("the client calls itself {agent}: ")), "{told}");
        assert!(parts.iter().all(|part| told.contains(part)), "{parts:?}: {told}");
    }
}

#[test]
fn the_name_of_a_client_is_its_own_and_not_that_of_an_older_one() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    refuse(&asker, &mock);
    advance(&asker, &mock, "2m");
    mock.send(&Request::get("/report").header("user-agent", "curl/8.5.0")).assert_status(402);
    let told = text(&asker, &mock);
    assert!(told.contains("the client calls itself curl/8.5.0") && !told.contains("itself node"), "{told}");
    assert!(
        told.contains("an older payment was refused 2m") && told.contains("with invalid_exact_evm_signature"),
        "{told}"
    );
}

#[test]
fn a_look_at_the_shop_displaces_no_refusal() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    refuse(&asker, &mock);
    let run = asker.run(&["explain", &format!("{}/report", mock.url)]);
    assert_eq!(run.code, Some(0), "{run:?}");
    mock.send(&Request::get("/favicon.ico").header("user-agent", "curl/8.5.0")).assert_status(402);
    let told = last(&asker, &mock);
    assert_eq!((ids(&told), &told["newer"]), (vec!["wrong_domain_name".to_owned()], &Value::Null), "{told}");
    mock.send(&Request::get("/report").header("user-agent", "curl/8.5.0")).assert_status(402);
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["wrong_domain_name"], "{told}");
    let newer = told["newer"].as_str().unwrap();
    assert!(newer.contains("by curl/8.5.0: Asked 0.01 USDC for GET /report."), "{told}");
    // Its own client asks again at once, as a test does that asserts the 402.
    let again = || mock.send(&Request::get("/report").header("user-agent", "node"));
    again().assert_status(402);
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["wrong_domain_name"], "{told}");
    assert!(told["newer"].as_str().unwrap().contains("by node: "), "{told}");
    // Later it has asked again, and sent none.
    advance(&asker, &mock, "6s");
    again().assert_status(402);
    assert_eq!(ids(&last(&asker, &mock)), ["no_payment_sent"]);
}

#[test]
fn what_could_not_be_read_is_displaced_like_any_other_refusal() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let ask = || Request::get("/report").header("user-agent", "curl/8.5.0");
    mock.send(&ask().header("payment-signature", "$SIG")).assert_status(402);
    assert_eq!(ids(&last(&asker, &mock)), ["header_placeholder"]);
    advance(&asker, &mock, "6s");
    mock.send(&ask()).assert_status(402);
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["no_payment_sent"], "{told}");
    let note = told["notes"][0].as_str().unwrap();
    let number = note.split_once("`x402-dev explain ").unwrap().1.split_once('`').unwrap().0;
    let older = asker.json(&["explain", number, "--url", &mock.url]);
    assert_eq!(ids(&older), ["header_placeholder"], "{older}");
}

#[test]
fn a_server_that_asks_the_wrong_address_or_by_the_wrong_method_is_told_so() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    mock.send(&Request::get("/api/supported").header("user-agent", "python-httpx/0.28")).assert_status(402);
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["wrong_facilitator_url"], "{told}");
    assert!(told["findings"][0]["evidence"].to_string().contains("GET /api/supported asks what"), "{told}");
    refuse(&asker, &mock);
    assert_eq!(ids(&last(&asker, &mock)), ["wrong_domain_name"]);
    for path in ["/verify", "/facilitator/settle"] {
        mock.get(path).assert_status(405);
        let told = last(&asker, &mock);
        assert_eq!(ids(&told), ["facilitator_method"], "{told}");
        let seen = format!("GET {path} was asked; the facilitator takes POST there");
        assert!(told["findings"][0]["evidence"].to_string().contains(&seen), "{told}");
    }
    // What somebody sells under that name is no facilitator.
    let mock = Test::new().config("resources: [{match: /api/supported, price: $0.01}]").start();
    mock.get("/api/supported").assert_status(402);
    assert_eq!(ids(&last(&asker, &mock)), ["no_payment_sent"]);
}

#[test]
fn a_payment_of_a_version_that_is_not_taken_is_told_of() {
    let both = Test::new().start();
    let asker = Asker::new();
    let offer = both.get("/report");
    asker.file("offer.json", offer.text());
    let run = asker.run(&["sign", "offer.json"]);
    let (old, new) = (run.stdout.trim().to_owned(), signed(&asker, &both, "/report", &[]));
    for (dialect, name, value, id) in [
        ("x402v2", "x-payment", &old, "version_not_taken"),
        ("x402v2", "x-payment", &new, "v1_header_name"),
        ("x402v1", "payment-signature", &new, "version_not_taken"),
        ("x402v1", "payment-signature", &old, "v1_payload_in_v2_header"),
    ] {
        let mock = Test::new().config(&format!("dialects: [{dialect}]")).start();
        mock.send(&Request::get("/report").header(name, value)).assert_status(402);
        let told = last(&asker, &mock);
        assert_eq!(ids(&told), [id], "{dialect} {name}: {told}");
        let seen = format!("the payment came in `{name}`");
        assert!(told["findings"][0]["evidence"].to_string().contains(&seen), "{told}");
    }
}

#[test]
fn a_payment_that_was_verified_and_never_settled_is_newer_than_a_refusal() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    refuse(&asker, &mock);
    assert_eq!(mock.verify(&body(&asker, &mock))["isValid"], true);
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["wrong_domain_name"], "{told}");
    assert!(told["newer"].as_str().unwrap().starts_with("a payment is on its way since, not settled yet"), "{told}");
    let other = Test::new().start();
    assert_eq!(other.verify(&body(&asker, &other))["isValid"], true);
    assert!(text(&asker, &other).contains("has answered 4xx or 5xx already"));
    advance(&asker, &mock, "7s");
    let told = text(&asker, &mock);
    assert!(
        told.contains("s ago: a payment was verified, and nobody has asked to settle it (Verified 0.01 USDC"),
        "{told}"
    );
    assert!(told.starts_with('7') || told.starts_with('8') || told.starts_with('9'), "{told}");
    assert_eq!(ids(&last(&asker, &mock)), ["verified_not_settled"]);
}

#[test]
fn a_client_that_left_and_paid_again_has_paid_twice() {
    let content = "x".repeat(16 * 1024 * 1024);
    let config = "resources: [{match: /big, response: {file: big.txt}}]";
    let (asker, mock) = (Asker::new(), Test::new().config(config).file("big.txt", content).start());
    refuse(&asker, &mock);
    let pay = |header: &str| Request::get("/big").header("payment-signature", header);
    let header = signed(&asker, &mock, "/big", &[]);
    let mut connection = mock.connect();
    connection.write(&pay(&header).bytes());
    connection.stream.read_exact(&mut [0; 1000]).unwrap();
    drop(connection);
    wait_for(&mock, "not_delivered");
    let told = last(&asker, &mock);
    assert_eq!(
        (ids(&told), told["findings"][0]["certainty"].as_str()),
        (vec!["client_left".to_owned()], Some("possible"))
    );
    assert!(
        told["title"].as_str().unwrap().contains("a payment was settled, and its content did not arrive"),
        "{told}"
    );
    mock.send(&pay(&signed(&asker, &mock, "/big", &[]))).assert_status(200);
    let told = last(&asker, &mock);
    assert_eq!(ids(&told)[0], "paid_twice", "{told}");
    assert!(told["findings"][0]["evidence"].to_string().contains("2 payments were settled for one purchase"), "{told}");
    // Whoever buys the same twice and gets it twice has bought twice.
    let (asker, mock) = (Asker::new(), Test::new().start());
    for _ in 0..2 {
        let run = asker.run(&["pay", &format!("{}/report", mock.url), "-o", "content"]);
        assert_eq!(run.code, Some(0), "{run:?}");
    }
    assert!(ids(&last(&asker, &mock)).is_empty());
    // Unless the buyer says that it is one purchase.
    let (asker, mock) = (Asker::new(), Test::new().start());
    for _ in 0..2 {
        let header = signed(&asker, &mock, "/named", &[]);
        let request = Request::get("/named").header("payment-signature", &header).header("idempotency-key", "order1");
        mock.send(&request).assert_status(200);
    }
    let named = last(&asker, &mock);
    assert_eq!(ids(&named), ["paid_twice"], "{named}");
    assert_eq!(named["findings"][0]["certainty"], "proven", "{named}");
    let of_purchase = asker.json(&["explain", "pur_1", "--url", &mock.url]);
    assert_eq!(ids(&of_purchase), ["paid_twice"], "{of_purchase}");
    // Also side by side.
    let (asker, mock) = (Asker::new(), Test::new().start());
    let headers = [(); 2].map(|()| signed(&asker, &mock, "/side", &[]));
    let mut connections = headers.map(|header| {
        let mut connection = mock.connect();
        connection.write(&Request::get("/side").header("payment-signature", &header).bytes());
        connection
    });
    for connection in &mut connections {
        connection.read().assert_status(200);
    }
    assert!(ids(&last(&asker, &mock)).is_empty());
}

#[test]
fn a_handler_that_fails_after_the_verification_is_told_of() {
    let config = "resources: [{match: /broken, response: {status: 500, text: sorry}}]";
    let (asker, mock) = (Asker::new(), Test::new().config(config).start());
    let header = signed(&asker, &mock, "/broken", &[]);
    mock.send(&Request::get("/broken").header("payment-signature", header)).assert_status(500);
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["server_error_after_payment"], "{told}");
    assert!(told["title"].as_str().unwrap().contains("the handler failed, and nothing was settled"), "{told}");
    let finding = &told["findings"][0];
    assert!(finding["cause"].as_str().unwrap().ends_with("nothing was settled, and no money has moved."), "{told}");
    assert!(!told.to_string().contains("is not known"), "{told}");
}

#[test]
fn a_world_that_is_reset_has_refused_nobody() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    refuse(&asker, &mock);
    let run = asker.run(&["reset", "--url", &mock.url]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let run = asker.run(&["explain", "last", "--url", &mock.url]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("knows nothing of a refused payment"), "{run:?}");
    let ask = Request::get("/_x402/api/refusals").header("Host", mock.address.to_string());
    assert_eq!(mock.connect().send(&ask).json(), json!({"refusals": [], "callers": []}));
    refuse(&asker, &mock);
    assert_eq!(ids(&last(&asker, &mock)), ["wrong_domain_name"]);
}
