//! The frames of JSON-RPC at the door of a chain: single calls, batches, and what is none of both.

use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::Test;
use crate::rpc_cells::{CHAIN, answered, call};

fn one(id: usize, method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": []})
}

#[test]
fn a_batch_of_a_thousand_calls_has_a_thousand_answers_in_their_order() {
    let mock = Test::new().start();
    let calls: Vec<_> = (0..1_000).map(|id| one(id, if id % 2 == 0 { "eth_chainId" } else { "eth_nothing" })).collect();
    let answers = answered(&mock, &Request::post_json(CHAIN, &json!(calls)));
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 1_000);
    for (id, answer) in answers.iter().enumerate() {
        assert_eq!(answer["id"], id);
        assert_eq!(answer["result"] == "0x14a34", id % 2 == 0, "{answer}");
        assert_eq!(answer["error"]["code"] == -32601, id % 2 == 1, "{answer}");
    }
    let one_more: Vec<_> = (0..1_001).map(|id| one(id, "eth_chainId")).collect();
    let refused = answered(&mock, &Request::post_json(CHAIN, &json!(one_more)));
    assert!(refused["error"]["message"].as_str().unwrap().starts_with("batch too large: 1001"), "{refused}");
}

#[test]
fn what_is_no_call_has_an_error_that_says_why() {
    let mock = Test::new().start();
    for (body, code, words) in [
        (json!({"jsonrpc": "2.0", "method": "eth_chainId"}).to_string(), -32600, "id is missing"),
        (json!({"id": 1, "method": "eth_chainId"}).to_string(), -32600, "jsonrpc: expected"),
        (json!({"jsonrpc": "2.0", "id": 1}).to_string(), -32600, "method is missing"),
        (json!({"jsonrpc": "2.0", "id": [1], "method": "x"}).to_string(), -32600, "id: expected"),
        (json!({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": 7}).to_string(), -32602, "expected a list"),
        (json!({"jsonrpc": "2.0", "id": 1, "method": "eth_call"}).to_string(), -32602, "required argument 0"),
        ("[]".to_owned(), -32600, "empty batch"),
        ("null".to_owned(), -32600, "a request is an object"),
        (String::new(), -32700, "parse error"),
        ("{".to_owned(), -32700, "parse error"),
        ("[".repeat(200_000), -32700, "parse error"),
    ] {
        let answer = answered(&mock, &Request::post(CHAIN, body.clone()));
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(words), "{words}: {answer}");
    }
    mock.send(&Request::post(CHAIN, vec![0xff; 1024])).assert_status(200);
    mock.send(&Request::post(CHAIN, vec![b' '; 2 * 1024 * 1024])).assert_status(413);
    mock.assert_serves();
}

#[test]
fn the_path_takes_post_and_sockets_and_any_origin() {
    let mock = Test::new().start();
    let answer = mock.send(&Request::get(CHAIN)).assert_status(426).clone();
    assert!(answer.json()["error"].as_str().unwrap().contains("WebSocket"), "{answer:?}");
    mock.send(&Request::new("PUT", CHAIN)).assert_status(405);
    let foreign = call("eth_chainId", &json!([])).header("Origin", "https://app.example");
    let answer = mock.send(&foreign);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some("*")));
    let preflight = Request::new("OPTIONS", CHAIN)
        .header("Origin", "https://app.example")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "content-type");
    assert_eq!(mock.send(&preflight).header("access-control-allow-headers"), Some("content-type"));
    let unknown = answered(&mock, &Request::post_json("/_x402/rpc/eip155:1", &one(1, "eth_chainId")));
    assert!(unknown["error"]["message"].as_str().unwrap().contains("enabled are eip155:84532"), "{unknown}");
}

/// Heads that all point to one tail, which is such a call again: a hundred calls to the power of eight levels.
#[test]
fn calls_of_calls_come_to_an_end() {
    let mock = Test::new().start();
    let word = |number: usize| format!("{number:064x}");
    let multicall = "cA11bde05977b3631167028862bE2a173976CA11";
    let mut data = "18160ddd".to_owned();
    for _ in 0..8 {
        let calls = 100;
        let tail = calls * 32;
        let bytes = data.len() / 2;
        let padding = "0".repeat((bytes.next_multiple_of(32) - bytes) * 2);
        let heads = word(tail).repeat(calls);
        let element = format!("{:0>64}{}{}{}{data}{padding}", multicall, word(1), word(96), word(bytes));
        data = format!("82ad56cb{}{}{heads}{element}", word(32), word(calls));
    }
    let answer =
        answered(&mock, &call("eth_call", &json!([{"to": format!("0x{multicall}"), "data": format!("0x{data}")}])));
    assert!(answer["error"]["message"].as_str().unwrap().starts_with("out of gas"), "{answer}");
    mock.assert_serves();
}
