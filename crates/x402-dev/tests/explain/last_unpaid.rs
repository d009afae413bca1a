//! What `last` tells of a client that did not pay: first what the instance knows.

use serde_json::{Value, json};

use crate::asker::{Asker, ids};
use crate::client::Request;
use crate::harness::{Mock, Test};

fn ask(mock: &Mock, path: &str, agent: &str) {
    mock.send(&Request::get(path).header("user-agent", agent)).assert_status(402);
}

fn last(asker: &Asker, mock: &Mock) -> Value {
    asker.json(&["explain", "last", "--url", &mock.url])
}

#[test]
fn a_price_above_the_clients_limit_comes_first() {
    let cases = [
        ("$5", "node", "x402v2", vec!["over_spend_limit", "no_payment_sent"]),
        ("$5", "python-httpx/0.28.1", "x402v2", vec!["over_spend_limit", "no_payment_sent"]),
        ("$1", "node", "x402v2", vec!["no_payment_sent"]),
        ("$5", "curl/8.5.0", "x402v2", vec!["no_payment_sent"]),
        ("$5", "Mozilla/5.0", "x402v2", vec!["no_payment_sent"]),
        // The old package reads version 1 alone.
        ("$0.20", "node", "x402v1", vec!["over_old_limit", "no_payment_sent"]),
        ("$0.10", "node", "x402v1", vec!["no_payment_sent"]),
        ("$0.20", "python-httpx/0.28.1", "x402v1", vec!["no_payment_sent"]),
    ];
    for (price, agent, dialect, expected) in cases {
        let config = format!("dialects: [{dialect}]\nresources: [{{match: /report, price: {price}}}]");
        let (asker, mock) = (Asker::new(), Test::new().config(&config).start());
        ask(&mock, "/report", agent);
        let told = last(&asker, &mock);
        assert_eq!(ids(&told), expected, "{price} {agent} {dialect}: {told}");
        if expected[0] == "over_spend_limit" {
            let first = &told["findings"][0];
            assert!(first["evidence"].to_string().contains("asked 5 USDC"), "{told}");
            assert!(first["code"].to_string().contains("maxAmountPerPayment: \\\"$5\\\""), "{told}");
            assert_eq!((&first["severity"], &first["side"]), (&json!("error"), &json!("client")), "{told}");
        }
    }
}

#[test]
fn a_request_that_is_repeated_at_once_has_perhaps_lost_its_payment() {
    for (agents, expected) in [
        (vec!["node", "node"], vec!["header_stripped", "no_payment_sent"]),
        (vec!["node"], vec!["no_payment_sent"]),
        // Many are somebody who tries again; two clients are two; by hand nobody is that quick to sign.
        (vec!["node", "node", "node"], vec!["no_payment_sent"]),
        (vec!["axios/1.7", "node"], vec!["no_payment_sent"]),
        (vec!["curl/8.5.0", "curl/8.5.0"], vec!["no_payment_sent"]),
    ] {
        let (asker, mock) = (Asker::new(), Test::new().start());
        for agent in &agents {
            ask(&mock, "/report", agent);
        }
        let told = last(&asker, &mock);
        assert_eq!(ids(&told), expected, "{agents:?}: {told}");
        assert_eq!(told["findings"][0]["certainty"], "possible", "{told}");
    }
    let (asker, mock) = (Asker::new(), Test::new().start());
    ask(&mock, "/report", "node");
    assert_eq!(asker.run(&["clock", "advance", "3s", "--url", &mock.url]).code, Some(0));
    ask(&mock, "/report", "node");
    assert_eq!(ids(&last(&asker, &mock)), ["no_payment_sent"]);
    // Another path is another request.
    ask(&mock, "/other", "node");
    assert_eq!(ids(&last(&asker, &mock)), ["no_payment_sent"]);
}

#[test]
fn the_fix_of_a_client_that_did_not_pay_lists_the_likely_causes_in_order() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    ask(&mock, "/report", "node");
    let told = last(&asker, &mock);
    let fix = told["findings"][0]["fix"].as_str().unwrap();
    let parts =
        ["wrapFetchWithPayment(fetch, client)", "wrapHttpxWithPayment(", "registered for eip155:84532", "policy"];
    let places: Vec<Option<usize>> = parts.iter().map(|part| fix.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}: {fix}");
}

#[test]
fn who_asks_of_what_the_instance_never_saw_is_told_where_else_to_look() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let run = asker.run(&["explain", "last", "--url", &mock.url]);
    assert_eq!(run.code, Some(1), "{run:?}");
    for part in ["x402-dev explain URL-OF-YOUR-SERVER", "x402-dev explain 'THE ERROR'"] {
        assert!(run.stderr.contains(part), "{run:?}");
    }
}

#[test]
fn a_402_that_is_followed_by_another_answer_was_not_left_alone() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let offer = mock.get("/weather").header("payment-required").unwrap().to_owned();
    let entry = |status: u64, fields: &Value| {
        json!({
            "request": {"method": "GET", "url": format!("{}/weather", mock.url), "headers": fields},
            "response": {"status": status, "headers": if status == 402 { json!([{"name": "PAYMENT-REQUIRED", "value": offer}]) } else { json!([]) }},
        })
    };
    // Fields without a payment among them show that none was sent.
    let (none, whole) = (json!([]), json!([{"name": "Accept", "value": "*/*"}]));
    for (status, fields, expected) in [
        (500, &none, Some("server_error_after_payment")),
        (404, &none, None),
        (402, &none, Some("no_payment_sent")),
        (500, &whole, Some("no_payment_sent")),
    ] {
        let record = json!({"log": {"version": "1.2", "entries": [entry(402, fields), entry(status, fields)]}});
        asker.file("record.har", record.to_string());
        let found = ids(&asker.json(&["explain", "record.har"]));
        let named =
            ["server_error_after_payment", "no_payment_sent"].into_iter().find(|id| found.iter().any(|own| own == id));
        assert_eq!(named, expected, "{status}: {found:?}");
    }
}

#[test]
fn an_offer_of_version_1_alone_is_registered_by_its_own_name_and_its_own_scheme() {
    let asker = Asker::new();
    let mock = Test::new().config("dialects: [x402v1]").start();
    mock.send(&Request::get("/report").header("user-agent", "node")).assert_status(402);
    let told = asker.json(&["explain", "last", "--url", &mock.url]);
    assert_eq!(ids(&told), ["no_payment_sent"], "{told}");
    let finding = told["findings"][0].to_string();
    for part in [
        "client.registerV1(\\\"base-sepolia\\\", new ExactEvmSchemeV1(signer))",
        "No scheme is registered for base-sepolia",
        "asks for exact on base-sepolia",
        "throws `No client registered for x402 version: 1`",
    ] {
        assert!(finding.contains(part), "{part}: {finding}");
    }
    assert!(!finding.contains("eip155:"), "{finding}");
    // By its address too.
    let told = asker.json(&["explain", &format!("{}/report", mock.url)]);
    let line =
        "unless version 1 is registered too: `client.registerV1(\\\"base-sepolia\\\", new ExactEvmSchemeV1(signer))";
    assert!(told["notes"].to_string().contains(line), "{told}");
}
