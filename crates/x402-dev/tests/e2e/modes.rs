//! Simulation modes: by configuration, by flag, for one request; at both doors.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Answer, Connection, Request};
use crate::harness::{Mock, Test};
use crate::payer::{Payment, encoded, hex};

const MODE: &str = "X-Simulation-Mode";

/// A payment whose signature is nobody's.
fn unsigned(mock: &Mock) -> Payment {
    Payment::of(&mock.asked("/a"))
}

fn forged(payment: &Payment) -> serde_json::Value {
    let mut payload = payment.v2();
    payload["payload"]["signature"] = json!(hex(&[0x11; 65]));
    payload
}

#[track_caller]
fn pay(mock: &Mock, payload: &serde_json::Value, mode: Option<&str>) -> Answer {
    let request = Request::get("/a").header("PAYMENT-SIGNATURE", encoded(payload));
    mock.send(&mode.into_iter().fold(request, |request, mode| request.header(MODE, mode)))
}

#[track_caller]
fn post(mock: &Mock, path: &str, body: &serde_json::Value, mode: Option<&str>) -> Answer {
    let request = Request::post_json(path, body);
    mock.send(&mode.into_iter().fold(request, |request, mode| request.header(MODE, mode)))
}

/// The ways to set a mode for the whole server.
fn started(mode: &str) -> [Mock; 3] {
    let delayed = || Test::new().arg("--timeout-delay").arg("50ms");
    [
        delayed().arg("--verification").arg(mode).start(),
        delayed().config(&format!("verification: {mode}")).start(),
        delayed().env("X402_DEV_VERIFICATION", mode).start(),
    ]
}

#[test]
fn strict_is_the_default_and_says_nothing_of_simulation() {
    for mock in started("strict").into_iter().chain([Test::new().start()]) {
        let answer = pay(&mock, &unsigned(&mock).v2(), None);
        assert_eq!(answer.assert_status(200).header("x-simulation-mode"), None);
        assert!(answer.json().get("simulated").is_none());
        mock.stderr.line("settled");
        assert!(!mock.stderr.text().to_lowercase().contains("simulated"), "{}", mock.stderr.text());
    }
}

#[test]
fn accept_takes_any_signature_and_says_so() {
    for mock in started("accept") {
        let payment = unsigned(&mock);
        let answer = pay(&mock, &forged(&payment), None);
        assert_eq!(answer.assert_status(200).header("x-simulation-mode"), Some("accept"));
        assert_eq!(answer.decoded("payment-response")["success"], true);
        assert_eq!(answer.json()["simulated"], "accept");
        assert!(mock.stderr.line("SIMULATED").to_lowercase().contains("accept"));
        assert!(mock.stderr.line("settled").contains("simulated: accept"));
        let body = crate::payer::request(&forged(&unsigned(&mock)), &mock.asked("/a"));
        let verdict = post(&mock, "/verify", &body, None);
        assert_eq!((&verdict.json()["isValid"], verdict.header("x-simulation-mode")), (&json!(true), Some("accept")));
        let outcome = post(&mock, "/settle", &body, None);
        assert_eq!((&outcome.json()["success"], outcome.header("x-simulation-mode")), (&json!(true), Some("accept")));
    }
}

#[test]
fn accept_skips_the_signature_and_no_other_rule() {
    let mock = Test::new().arg("--verification").arg("accept").config("accounts: {balance: 0.015}").start();
    let asked = mock.asked("/a");
    let first = forged(&Payment::of(&asked));
    pay(&mock, &first, None).assert_status(200);
    let refused = |payload: &serde_json::Value, reason: &str| {
        let answer = pay(&mock, payload, None);
        assert_eq!(answer.assert_status(402).offer()["error"], reason);
        assert_eq!(answer.header("x-simulation-mode"), Some("accept"));
        let body = crate::payer::request(payload, &asked);
        assert_eq!(mock.verify(&body)["invalidReason"], reason);
        assert_eq!(mock.settle(&body)["errorReason"], reason);
    };
    refused(&first, "invalid_exact_evm_nonce_already_used");
    refused(&forged(&Payment::of(&asked)), "invalid_exact_evm_insufficient_balance");
    let expired = forged(&Payment::of(&asked).by(1).valid_before(1));
    refused(&expired, "invalid_exact_evm_payload_authorization_valid_before");
    let cheap = forged(&Payment::of(&asked).by(1).value(x402_sim::U256::from(1)));
    refused(&cheap, "invalid_exact_evm_payload_authorization_value_mismatch");
}

#[test]
fn reject_refuses_every_payment_in_its_dialect() {
    let reason = "payment_rejected_by_simulation";
    for mock in started("reject") {
        let payment = unsigned(&mock);
        let answer = pay(&mock, &payment.v2(), None);
        assert_eq!(answer.assert_status(402).json(), json!({}));
        assert_eq!((&answer.offer()["error"], answer.header("x-simulation-mode")), (&json!(reason), Some("reject")));
        let unpaid = mock.get("/a");
        assert_eq!(unpaid.offer()["error"], "Payment required");
        let v1 = Payment::of(&unpaid.json()["accepts"][0]).v1();
        let answer = mock.send(&Request::get("/a").header("X-PAYMENT", encoded(&v1)));
        assert_eq!(
            (&answer.assert_status(402).json()["error"], answer.header("x-simulation-mode")),
            (&json!(reason), Some("reject"))
        );
        let memo = unpaid.json()["invoice"]["memo"].as_str().unwrap().to_owned();
        let answer = mock.send(&Request::get("/a").header("X-Payment-Proof", memo));
        assert_eq!(
            (&answer.assert_status(402).json()["error"], answer.header("x-simulation-mode")),
            (&json!(reason), Some("reject"))
        );
        let verdict = post(&mock, "/verify", &payment.request(), None);
        assert_eq!(
            (&verdict.json()["invalidReason"], verdict.header("x-simulation-mode")),
            (&json!(reason), Some("reject"))
        );
        let outcome = post(&mock, "/settle", &payment.request(), None).json();
        assert_eq!((&outcome["errorReason"], &outcome["network"]), (&json!(reason), &json!("eip155:84532")));
        assert_eq!(outcome["transaction"], "");
        // Nothing was settled.
        let settled = post(&mock, "/settle", &payment.request(), Some("success"));
        assert_eq!(settled.json()["success"], true);
    }
}

#[test]
fn timeout_waits_and_answers_408_and_settles_nothing() {
    for mock in started("timeout") {
        let payment = unsigned(&mock);
        let unpaid = mock.get("/a");
        let v1 = Payment::of(&unpaid.json()["accepts"][0]);
        let memo = unpaid.json()["invoice"]["memo"].as_str().unwrap().to_owned();
        for request in [
            Request::get("/a").header("PAYMENT-SIGNATURE", encoded(&payment.v2())),
            Request::get("/a").header("X-PAYMENT", encoded(&v1.v1())),
            Request::get("/a").header("X-Payment-Proof", &memo),
            Request::post_json("/verify", &payment.request()),
            Request::post_json("/settle", &payment.request()),
        ] {
            let asked = Instant::now();
            let answer = mock.send(&request);
            assert!(asked.elapsed() >= Duration::from_millis(50), "{:?}", asked.elapsed());
            answer.assert_error(408, &["nothing was settled"]);
            assert_eq!(answer.header("x-simulation-mode"), Some("timeout"));
        }
        for payment in [payment, v1] {
            let outcome = post(&mock, "/settle", &payment.request(), Some("success")).json();
            assert_eq!(outcome["success"], true, "{outcome}");
        }
        let redeem = Request::get("/a").header("X-Payment-Proof", &memo).header(MODE, "success");
        mock.send(&redeem).assert_status(200);
    }
}

#[test]
fn a_request_without_a_payment_is_not_touched_by_a_mode() {
    let mock = Test::new().arg("--verification").arg("timeout").arg("--timeout-delay").arg("10m").start();
    mock.get("/a").assert_status(402);
    mock.get("/supported").assert_status(200);
    mock.assert_serves();
    let strict = Test::new().start();
    strict.send(&Request::get("/a").header(MODE, "timeout")).assert_status(402);
}

#[test]
fn one_request_can_ask_for_a_mode() {
    let mock = Test::new().arg("--timeout-delay").arg("50ms").start();
    let payment = unsigned(&mock);
    let failed = pay(&mock, &payment.v2(), Some("failure"));
    assert_eq!(failed.assert_status(402).offer()["error"], "payment_rejected_by_simulation");
    assert!(failed.header("x-simulation-mode").is_some());
    let verdict = post(&mock, "/verify", &payment.request(), Some("failure"));
    assert_eq!(verdict.json()["invalidReason"], "payment_rejected_by_simulation");
    pay(&mock, &payment.v2(), Some("timeout")).assert_status(408);
    post(&mock, "/settle", &payment.request(), Some("timeout")).assert_status(408);
    let forged = forged(&unsigned(&mock));
    assert_eq!(pay(&mock, &forged, None).assert_status(402).offer()["error"], "invalid_exact_evm_signature");
    let accepted = pay(&mock, &forged, Some("success"));
    assert!(accepted.assert_status(200).header("x-simulation-mode").is_some());
    // The payment that failed and timed out was never settled; the next request is strict again.
    pay(&mock, &payment.v2(), None).assert_status(200);
}

#[test]
fn an_unknown_mode_is_a_400_that_lists_the_known_ones() {
    let mock = Test::new().start();
    let payment = unsigned(&mock);
    for mode in ["", "sucess", "strict", "SUCCESS", "success, failure", "\u{ff}"] {
        let known = ["success", "failure", "timeout"];
        pay(&mock, &payment.v2(), Some(mode)).assert_error(400, &known);
        post(&mock, "/verify", &payment.request(), Some(mode)).assert_error(400, &known);
        post(&mock, "/settle", &payment.request(), Some(mode)).assert_error(400, &known);
        mock.assert_serves();
    }
    pay(&mock, &payment.v2(), None).assert_status(200);
}

#[test]
fn the_header_is_obeyed_only_where_it_is_configured() {
    let never = Test::new().config("server: {test_headers: never}").start();
    for mode in ["failure", "unknown"] {
        let answer = pay(&never, &unsigned(&never).v2(), Some(mode));
        assert_eq!(answer.assert_status(200).header("x-simulation-mode"), None);
    }
    let always = Test::new().config("server: {test_headers: always}").start();
    pay(&always, &unsigned(&always).v2(), Some("failure")).assert_status(402);
}

#[test]
fn only_this_machine_may_ask_for_a_mode() {
    // The address by which this machine would be seen from outside; nothing is sent.
    let outside = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    let Some(outside) = outside.ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback()) else { return };
    for (yaml, status) in [("{}", 200), ("server: {test_headers: always}", 402)] {
        let mock = Test::new().arg("--host").arg("0.0.0.0").config(yaml).start();
        let payload = unsigned(&mock).v2();
        let request = Request::get("/a").header("PAYMENT-SIGNATURE", encoded(&payload)).header(MODE, "failure");
        let mut connection = Connection::open(SocketAddr::new(outside, mock.address.port()));
        connection.send(&request).assert_status(status);
    }
}

#[test]
fn content_that_failed_says_that_it_was_simulated_too() {
    let mock =
        Test::new().config("verification: accept\nresources: [{match: /broken, response: {status: 500}}]").start();
    let payment = encoded(&Payment::of(&mock.asked("/broken")).v2());
    let answer = mock.send(&Request::get("/broken").header("PAYMENT-SIGNATURE", payment));
    assert_eq!((answer.status, answer.header("x-simulation-mode")), (500, Some("accept")), "{answer:?}");
}

#[test]
fn a_simulated_refusal_names_both_ways_to_ask_for_it() {
    let mock = Test::new().start();
    let body = Payment::of(&mock.asked("/a")).request();
    let said = post(&mock, "/verify", &body, Some("failure")).assert_status(200).json();
    let message = said["invalidMessage"].as_str().unwrap();
    assert!(message.contains("`X-Simulation-Mode: failure`"), "{message}");
    assert!(message.contains("`verification: reject`") && !message.contains("the server runs"), "{message}");
}
