//! Records of offers: those that clients do not see, or do not take up.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::asker::{Asker, ids};
use crate::corpus::cases;
use crate::harness::Test;
use crate::records_ways::{Sample, URL, entry, evidence, explained};

#[test]
fn an_offer_that_clients_do_not_see_is_not_called_good() {
    let (own, none) = (Sample::new(), Value::Null);
    for (status, id) in [(402, None), (200, Some("offer_wrong_status")), (403, Some("offer_wrong_status"))] {
        let told = explained(&[entry(("GET", URL, &none), (status, &own.asks(), Some("{}")))]);
        assert_eq!(ids(&told).first().map(String::as_str), id, "{told}");
        assert_eq!(told["verdict"]["valid"] == true, id.is_none(), "{told}");
    }
    // What an official server says to a payer who must approve first.
    let told = explained(&[entry(("GET", URL, &own.pays()), (412, &own.asks(), Some("{}")))]);
    assert!(!ids(&told).contains(&"offer_wrong_status".to_owned()), "{told}");
    let told = explained(&[entry(("GET", URL, &none), (412, &own.asks(), Some("{}")))]);
    assert!(told["findings"][0]["fix"].as_str().unwrap().starts_with("412 is for a payment"), "{told}");
    // A body that was not kept may hold an offer of version 1.
    let told = explained(&[entry(("GET", URL, &none), (402, &none, None))]);
    assert!(ids(&told).is_empty() && told["notes"].to_string().contains("does not hold its body"), "{told}");
    let told = explained(&[entry(("GET", URL, &none), (402, &none, Some("{}")))]);
    assert_eq!(ids(&told), ["offer_header_missing"]);
}

#[test]
fn an_offer_on_a_paid_request_is_a_refusal_whatever_its_status() {
    let own = Sample::new();
    let told = explained(&[entry(("GET", URL, &own.pays()), (403, &own.asks(), Some("{}")))]);
    assert!(ids(&told).contains(&"offer_wrong_status".to_owned()), "{told}");
    assert!(!ids(&told).contains(&"refused_elsewhere".to_owned()), "{told}");
    // Whether the money has moved is not known, whatever a 5xx offers.
    let told = explained(&[entry(("GET", URL, &own.pays()), (500, &own.asks(), Some("{}")))]);
    assert_eq!(ids(&told), ["offer_wrong_status", "server_error_after_payment"], "{told}");
    // Content that was paid for is content, whatever stands beside it.
    let told = explained(&[entry(("GET", URL, &own.pays()), (200, &own.asks(), Some("{}")))]);
    assert_eq!(ids(&told), ["receipt_missing"], "{told}");
}

#[test]
fn why_an_offer_was_not_taken_up_is_looked_for_in_it() {
    let none = Value::Null;
    let dear = cases().into_iter().find(|case| case["name"] == "dear-offer").unwrap();
    let asks = json!({ "PAYMENT-REQUIRED": x402_wire::header::encode_text(dear["input"].as_str().unwrap()) });
    let asked = || entry(("GET", URL, &none), (402, &asks, Some("{}")));
    let told = explained(&[asked(), asked()]);
    assert_eq!(ids(&told), ["no_payment_sent", "over_spend_limit"], "{told}");
    let evidence = evidence(&told);
    for part in ["stock clients refuse this price", "request 2 asks the same again, without a payment"] {
        assert!(evidence.contains(part), "{evidence}");
    }
}

#[test]
fn the_line_for_a_dear_offer_raises_the_limit_of_the_client_over_the_price() {
    let asker = Asker::new();
    let thrown = "Failed to create payment payload: All payment requirements were rejected by \
                  spendControls.maxAmountPerPayment ($1, including USDC). Raise maxAmountPerPayment";
    let lines = |told: &Value| -> String {
        let of = |finding: &Value| finding["code"].to_string();
        told["findings"].as_array().unwrap().iter().filter(|own| own["id"] == "over_spend_limit").map(of).collect()
    };
    let told = asker.json(&["explain", thrown]);
    assert_eq!((ids(&told)[0].as_str(), &told["findings"][0]["side"]), ("over_spend_limit", &json!("client")));
    assert!(lines(&told).contains(r#"client.setSpendControls({ maxAmountPerPayment: \"$5\" })"#), "{told}");
    let run = asker.run(&["explain", thrown]);
    assert!(run.stdout.contains("ts-fetch: client.setSpendControls"), "{run:?}");
    // Of an offer its own price is known; the server can mend it, too.
    let dear = cases().into_iter().find(|case| case["name"] == "dear-offer").unwrap();
    let offer = dear["input"].as_str().unwrap().replace("5000000", "12500000");
    let told = asker.json(&["explain", &offer]);
    assert_eq!((ids(&told)[0].as_str(), &told["findings"][0]["side"]), ("over_spend_limit", &json!("server")));
    for line in [r#"maxAmountPerPayment: \"$12.5\""#, r#"max_amount_per_payment\": \"$12.5\""#] {
        assert!(lines(&told).contains(line), "{line}: {told}");
    }
}

#[test]
fn an_offer_in_the_body_is_not_read_by_clients_whatever_is_asked_besides() {
    let own = Sample::new();
    let offer = x402_wire::header::decode::<Value>(&own.offer).unwrap().to_string();
    for fields in [json!({}), json!({ "WWW-Authenticate": "x402-solana recipient=abc amount=0.01" })] {
        let told = explained(&[entry(("GET", URL, &Value::Null), (402, &fields, Some(&offer)))]);
        assert_eq!(ids(&told), ["offer_header_missing"], "{told}");
        assert!(told["verdict"].is_null(), "{told}");
    }
}

/// The address of a server that answers once with this.
fn answers(answer: String) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    format!("http://{address}/report")
}

#[test]
fn an_address_that_offers_in_the_wrong_place_or_with_the_wrong_status_is_told_of() {
    let own = Sample::new();
    let body = x402_wire::header::decode::<Value>(&own.offer).unwrap().to_string();
    let header = format!("PAYMENT-REQUIRED: {}\r\n", own.offer);
    for (status, fields, body, id, part) in [
        (
            "403 Forbidden",
            header.as_str(),
            "{}",
            "offer_wrong_status",
            "is answered with 403, with an offer in PAYMENT-REQUIRED",
        ),
        ("200 OK", "", body.as_str(), "offer_wrong_status", "is answered with 200, with an offer in the body"),
        ("402 Payment Required", "", body.as_str(), "offer_header_missing", "stands in the body of the 402 alone"),
        ("500 Internal Server Error", "", "oh no", "server_failed_unpaid", "is answered with 500"),
    ] {
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status}\r\n{fields}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
        let told = Asker::new().json(&["explain", &answers(answer)]);
        assert_eq!(ids(&told).first().map(String::as_str), Some(id), "{told}");
        assert!(evidence(&told).contains(part) && told["verdict"].is_null(), "{told}");
    }
}

#[test]
fn an_offer_under_another_name_is_pointed_at() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let offer = mock.get("/report").header("payment-required").unwrap().to_owned();
    for (name, is_told) in [("X-Payment-Required", true), ("X-Request-Id", false)] {
        let value = if is_told { offer.as_str() } else { "eyJhIjoxfQ==" };
        let log = format!("> GET /a HTTP/1.1\n>\n< HTTP/1.1 402 Payment Required\n< {name}: {value}\n<\n{{}}\n");
        asker.file("curl.log", log);
        let told = asker.json(&["explain", "curl.log"]);
        assert_eq!(ids(&told), ["offer_header_missing"], "{told}");
        let seen = told["findings"][0]["evidence"].to_string();
        assert_eq!(seen.contains("stands in the header `x-payment-required`"), is_told, "{seen}");
    }
}
