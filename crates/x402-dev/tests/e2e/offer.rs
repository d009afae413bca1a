//! The answer to an unpaid request: every dialect at once.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use x402_sim::networks::solana;

use crate::client::{Answer, Request};
use crate::harness::Test;
use crate::payer::{MERCHANT, USDC, account, now};

/// The members of a `WWW-Authenticate: x402-solana` challenge.
fn challenge(answer: &Answer) -> Value {
    let text = answer.header("www-authenticate").unwrap();
    let rest = text.strip_prefix("x402-solana ").unwrap_or_else(|| panic!("{text}"));
    rest.split(' ')
        .map(|part| part.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
}

#[test]
fn an_unpaid_request_is_answered_in_every_dialect_at_once() {
    let mock = Test::new().arg("--seed").arg("7").start();
    let answer = mock.get("/weather?city=Bern");
    let body = answer.json();
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    headers.sort();
    let mut shown = format!(
        "{}\n{}\n\n{:#}\n\nPAYMENT-REQUIRED {:#}",
        answer.assert_status(402).status,
        headers.join("\n"),
        body,
        answer.offer()
    );
    let redacted = [
        (body["invoice"]["memo"].to_string(), "\"[memo]\""),
        (body["invoice"]["memo"].as_str().unwrap().to_owned(), "[memo]"),
        (body["invoice"]["timestamp"].to_string(), "[timestamp]"),
        (body["invoice"]["expires_at"].to_string(), "[expires_at]"),
        (answer.header("payment-required").unwrap().to_owned(), "[offer]"),
    ];
    for (value, name) in redacted {
        shown = shown.replace(&value, name);
    }
    insta::assert_snapshot!(shown);
}

/// USDC on Solana devnet.
const USDC_ON_SOLANA: &str = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU";

#[test]
fn the_offer_of_version_2_asks_the_price() {
    let mock = Test::new().start();
    let answer = mock.get("/weather?city=Bern");
    let asked = json!({
        "scheme": "exact", "network": "eip155:84532", "amount": "10000", "asset": USDC, "payTo": MERCHANT,
        "maxTimeoutSeconds": 300, "extra": {"name": "USDC", "version": "2"},
    });
    let resource =
        json!({"url": "http://api.test/weather?city=Bern", "description": "", "mimeType": "application/json"});
    let on_solana = json!({
        "scheme": "exact", "network": "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", "amount": "10000", "asset": USDC_ON_SOLANA,
        "payTo": account(9).solana_address, "maxTimeoutSeconds": 300, "extra": {"feePayer": account(8).solana_address},
    });
    let accepts = json!([asked, on_solana]);
    let offer = json!({"x402Version": 2, "error": "Payment required", "resource": resource, "accepts": accepts});
    assert_eq!(answer.offer(), offer);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn the_offer_of_version_1_asks_the_price() {
    let mock = Test::new().start();
    let mut body = mock.get("/weather?city=Bern").json();
    let asked = json!({
        "scheme": "exact", "network": "base-sepolia", "maxAmountRequired": "10000", "asset": USDC, "payTo": MERCHANT,
        "maxTimeoutSeconds": 60, "extra": {"name": "USDC", "version": "2"}, "description": "",
        "mimeType": "application/json", "resource": "http://api.test/weather",
    });
    assert!(body.as_object_mut().unwrap().remove("invoice").is_some());
    let on_solana = json!({
        "scheme": "exact", "network": "solana-devnet", "maxAmountRequired": "10000", "asset": USDC_ON_SOLANA,
        "payTo": account(9).solana_address, "maxTimeoutSeconds": 60,
        "extra": {"feePayer": account(8).solana_address}, "description": "", "mimeType": "application/json",
        "resource": "http://api.test/weather",
    });
    let accepts = json!([asked, on_solana]);
    assert_eq!(body, json!({"x402Version": 1, "error": "X-PAYMENT header is required", "accepts": accepts}));
}

#[test]
fn header_and_body_say_the_same_invoice() {
    let mock = Test::new().arg("--price").arg("0.070").start();
    let before = now();
    let answer = mock.get("/a/b?c=d");
    let invoice = &answer.json()["invoice"];
    let said = challenge(&answer);
    assert_eq!(said.as_object().unwrap().len(), 5, "{said}");
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(&invoice[name], value, "{name}");
    }
    assert_eq!([&said["amount"], &said["currency"], &said["network"]], ["0.07", "USDC", "devnet"]);
    assert_eq!(invoice["resource_path"], "/a/b");
    let issued = invoice["timestamp"].as_u64().unwrap();
    assert!((before..=now()).contains(&issued), "{invoice}");
    assert_eq!(invoice["expires_at"], issued + 300);
    assert!(solana::parse_address(said["recipient"].as_str().unwrap()).is_some(), "{said}");
}

#[test]
fn every_memo_is_a_uuid_of_its_own() {
    let mock = Test::new().start();
    let mut connection = mock.connect();
    let memos: BTreeSet<String> = (0..300)
        .map(|_| challenge(&connection.send(&Request::get("/a")))["memo"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(memos.len(), 300);
    for memo in memos {
        let uuid = memo.strip_prefix("req-").unwrap();
        assert!(uuid.split('-').map(str::len).eq([8, 4, 4, 4, 12]), "{memo}");
        assert!(uuid.bytes().all(|byte| byte.is_ascii_digit() || b"abcdef-".contains(&byte)), "{memo}");
    }
}

#[test]
fn any_method_is_priced_and_only_a_preflight_is_not() {
    let mock = Test::new().start();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "QUERY", "TRACE"] {
        let answer = mock.send(&Request::new(method, "/a"));
        assert_eq!(answer.assert_status(402).offer()["error"], "Payment required", "{method}");
    }
    for (name, value) in [("Origin", "http://shop.test"), ("Access-Control-Request-Method", "GET")] {
        mock.send(&Request::new("OPTIONS", "/a").header(name, value)).assert_status(402);
    }
}

#[test]
fn a_preflight_is_answered_for_every_path() {
    let mock = Test::new().start();
    for path in ["/a", "/verify", "/settle", "/supported", "/facilitator/settle"] {
        let preflight = Request::new("OPTIONS", path)
            .header("Origin", "http://shop.test")
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "payment-signature, x-odd");
        let answer = mock.send(&preflight);
        assert_eq!(answer.assert_status(204).header("access-control-allow-headers"), Some("payment-signature, x-odd"));
        let methods = answer.header("access-control-allow-methods").unwrap();
        assert!(methods.contains("POST"), "{path}: {methods}");
        assert!(answer.body.is_empty());
    }
}

#[test]
fn head_has_the_headers_and_the_price_of_get_and_no_body() {
    let mock = Test::new().config("resources: [{match: GET /dear, price: 0.5}]").start();
    for path in ["/dear?a=b", "/other"] {
        let mut connection = mock.connect();
        connection.write(&Request::new("HEAD", path).bytes());
        let head = connection.read_head();
        // Nothing of a body stands before the next answer.
        let get = connection.send(&Request::get(path));
        let amounts = [&head, &get].map(|answer| answer.offer()["accepts"][0]["amount"].clone());
        assert_eq!(amounts[0], amounts[1], "{path}");
        let comparable = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            for (name, value) in &mut headers {
                if name == "www-authenticate" {
                    *value = value.split(" memo=").next().unwrap().to_owned();
                }
            }
            headers.retain(|(name, _)| name != "date");
            headers.sort();
            headers
        };
        assert_eq!((head.status, comparable(&head)), (get.status, comparable(&get)), "{path}");
    }
    assert_eq!(mock.asked("/dear")["amount"], "500000");
}

#[test]
fn legacy_clients_get_only_what_they_can_read() {
    // No legacy client knows this network's name, so there is no part of version 1.
    let mock = Test::new().arg("--network").arg("eip155:421614").start();
    let answer = mock.get("/a");
    let body = answer.json();
    assert_eq!(answer.offer()["accepts"][0]["network"], "eip155:421614");
    assert!(body.get("accepts").is_none() && body.get("x402Version").is_none(), "{body}");
    assert!(body["invoice"].is_object(), "{body}");
    // Among several ways, only those that they know.
    let yaml = "accepts: ['eip155:421614', base-sepolia, 'eip155:2201']";
    let mock = Test::new().config(yaml).start();
    let answer = mock.get("/a");
    assert_eq!(answer.offer()["accepts"].as_array().unwrap().len(), 3);
    let body = answer.json();
    let names: Vec<&Value> = body["accepts"].as_array().unwrap().iter().map(|way| &way["network"]).collect();
    assert_eq!(names, ["base-sepolia"]);
}

#[test]
fn dialects_switches_parts_of_the_offer_off() {
    for (dialects, parts) in [
        ("[x402v2]", [true, false, false]),
        ("[x402v1]", [false, true, false]),
        ("[invoice]", [false, false, true]),
        ("[x402v2, invoice]", [true, false, true]),
    ] {
        let mock = Test::new().config(&format!("dialects: {dialects}")).start();
        let answer = mock.get("/a");
        let body = answer.assert_status(402).json();
        assert_eq!(answer.header("payment-required").is_some(), parts[0], "{dialects}");
        assert_eq!([body.get("x402Version").is_some(), body.get("accepts").is_some()], [parts[1]; 2], "{dialects}");
        assert_eq!([answer.header("www-authenticate").is_some(), body.get("invoice").is_some()], [parts[2]; 2]);
    }
}

#[test]
fn the_first_network_is_offered_and_the_others_are_enabled() {
    let mock = Test::new().arg("--network").arg("eip155:421614").arg("--network").arg("base-sepolia").start();
    let offer = mock.get("/a").offer();
    let networks: Vec<&Value> = offer["accepts"].as_array().unwrap().iter().map(|way| &way["network"]).collect();
    assert_eq!(networks, ["eip155:421614"]);
    let supported = mock.get("/supported").json();
    let kinds = supported["kinds"].as_array().unwrap();
    let of = |scheme: &str| {
        kinds.iter().filter(|kind| kind["scheme"] == scheme).map(|kind| &kind["network"]).collect::<Vec<_>>()
    };
    assert_eq!(of("exact"), ["eip155:421614", "eip155:84532", "base-sepolia"]);
    assert_eq!(of("upto"), ["eip155:421614", "eip155:84532"]);
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let [one, two] = ["11", "11"].map(|seed| Test::new().arg("--seed").arg(seed).start());
    let memo = challenge(&one.get("/a"))["memo"].as_str().unwrap().to_owned();
    two.send(&Request::get("/a").header("X-Payment-Proof", memo).header("X-Simulation-Mode", "success"))
        .assert_status(200);
}
