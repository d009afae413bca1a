//! Addresses that are asked once: what stands in an answer where clients would look for an offer.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};
use x402_wire::header::encode_text;

use crate::asker::{Asker, ids};

/// What is said of an address that gives one answer.
fn told(status: &str, fields: &str, body: &str) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/weather?city=x", listener.local_addr().unwrap());
    let answer =
        format!("HTTP/1.1 {status}\r\n{fields}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 2048];
        assert!(stream.read(&mut head).unwrap() > 0);
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let told = Asker::new().json(&["explain", &url]);
    server.join().unwrap();
    told
}

fn entry(version: u64) -> Value {
    let mut entry = json!({
        "scheme": "exact", "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "maxTimeoutSeconds": 60,
        "payTo": "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720", "extra": {"name": "USDC", "version": "2"},
    });
    let more = if version == 1 {
        json!({
            "network": "base-sepolia", "maxAmountRequired": "10000", "resource": "http://x/w", "description": "",
            "mimeType": "",
        })
    } else {
        json!({"network": "eip155:84532", "amount": "10000"})
    };
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    entry
}

fn header(value: &Value) -> String {
    format!("payment-required: {}\r\n", encode_text(&value.to_string()))
}

#[test]
fn the_header_of_an_offer_holds_a_whole_offer_of_version_2() {
    let whole = json!({"x402Version": 2, "resource": {"url": "http://x/w"}, "accepts": [entry(2)]});
    let good = told("402 Payment Required", &header(&whole), "{}");
    assert!(ids(&good).is_empty() && good["verdict"]["valid"] == true, "{good}");
    let old = json!({"x402Version": 1, "error": "e", "accepts": [entry(1)]});
    for (value, id) in [(entry(2), "no_accepts"), (old, "v1_offer_in_v2_header")] {
        let told = told("402 Payment Required", &header(&value), "{}");
        assert_eq!(ids(&told), [id], "{told}");
        assert!(told["verdict"].is_null(), "{told}");
    }
}

#[test]
fn a_resource_of_version_1_that_is_no_url_is_told() {
    let mut entry = entry(1);
    entry["resource"] = json!("weather");
    let offer = json!({"x402Version": 1, "error": "e", "accepts": [entry]});
    let told = told("402 Payment Required", "content-type: application/json\r\n", &offer.to_string());
    assert_eq!(ids(&told), ["v1_resource_not_url"], "{told}");
    assert_eq!(told["findings"][0]["path"], "accepts[0].resource");
    assert!(told["verdict"].is_null(), "{told}");
}

#[test]
fn an_answer_that_asks_for_nothing_is_told_with_what_may_be_the_matter() {
    let broken = "<pre>Error: Unsupported network: eip155:84532<br> &nbsp; at getNetworkId (file:///x.mjs:610:9)</pre>";
    let told_of = told("500 Internal Server Error", "content-type: text/html\r\n", broken);
    assert_eq!(ids(&told_of)[0], "caip2_network_in_v1", "{told_of}");
    assert_eq!(told_of["findings"][0]["side"], "server", "{told_of}");
    let plain = told("500 Internal Server Error", "", "boom");
    assert!(!ids(&plain).contains(&"caip2_network_in_v1".to_owned()), "{plain}");
    assert!(plain["notes"].to_string().contains("answers 500, and asks"), "{plain}");
    let free = told("200 OK", "content-type: application/json\r\n", r#"{"sky":"clear"}"#);
    assert!(ids(&free).is_empty(), "{free}");
    assert!(free["notes"].to_string().contains("is there a route GET /weather among the paid ones"), "{free}");
}
