//! Payments of one version among offers of both, under names that nobody reads, and proofs of invoices.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::asker::{Asker, ids};
use crate::client::{Answer, Request};
use crate::harness::{Mock, Test};

/// A payment that answers the offer of one version.
fn signed(asker: &Asker, offer: &str, defect: &[&str]) -> String {
    asker.file("offer.txt", offer);
    let run = asker.run(&[&["sign", "offer.txt"][..], defect].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    run.stdout.trim().to_owned()
}

/// The answer to an unpaid request: an offer of version 2 in its header, one of version 1 in its body.
fn unpaid(mock: &Mock) -> (String, String) {
    let answer = mock.get("/report");
    (answer.header("payment-required").unwrap().to_owned(), answer.text())
}

fn pay(mock: &Mock, header: &str, value: &str) -> Answer {
    let answer = mock.send(&Request::get("/report").header(header, value));
    answer.assert_status(402);
    answer
}

fn last(asker: &Asker, mock: &Mock) -> Value {
    asker.json(&["explain", "last", "--url", &mock.url])
}

/// A log of `curl -v` of an unpaid request and a paid one, both answered with 402.
fn log(mock: &Mock, header: &str, value: &str) -> String {
    let answer = |answer: &Answer| {
        let offer = answer.header("payment-required").map(|offer| format!("< payment-required: {offer}\n"));
        format!("< HTTP/1.1 402 Payment Required\n{}<\n{}\n", offer.unwrap_or_default(), answer.text())
    };
    let (first, second) = (mock.get("/report"), pay(mock, header, value));
    format!(
        "> GET /report HTTP/1.1\n> Host: x\n>\n{}> GET /report HTTP/1.1\n> Host: x\n> {header}: {value}\n>\n{}",
        answer(&first),
        answer(&second)
    )
}

fn field<'a>(explanation: &'a Value, label: &str) -> &'a Value {
    let fields = explanation["sections"][0]["fields"].as_array().unwrap();
    fields.iter().find(|field| field["label"] == label).unwrap()
}

#[test]
fn a_payment_is_judged_against_the_offer_of_its_version() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let answer = unpaid(&mock);
    let old = signed(&asker, &answer.1, &["--defect", "underpaid"]);
    asker.file("curl.log", log(&mock, "X-PAYMENT", &old));
    let told = asker.json(&["explain", "curl.log"]);
    assert_eq!(ids(&told), ["amount_mismatch"], "{told}");
    asker.file("curl.log", log(&mock, "PAYMENT-SIGNATURE", &old));
    let told = asker.json(&["explain", "curl.log"]);
    assert_eq!(ids(&told), ["v1_payload_in_v2_header", "amount_mismatch"], "{told}");
    let old = signed(&asker, &answer.1, &[]);
    asker.file("curl.log", log(&mock, "PAYMENT-SIGNATURE", &old));
    let told = asker.json(&["explain", "curl.log"]);
    assert_eq!((ids(&told), &told["verdict"]), (vec!["v1_payload_in_v2_header".to_owned()], &Value::Null), "{told}");
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["v1_payload_in_v2_header"], "{told}");
    assert_eq!(told["verdict"]["by"], "the instance's own record");
}

#[test]
fn a_payment_under_an_unknown_name_is_one() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let answer = unpaid(&mock);
    let payment = signed(&asker, &answer.0, &[]);
    asker.file("curl.log", log(&mock, "X-PAYMENT-SIGNATURE", &payment));
    let headers = json!([{ "name": "X-Payment-Signature", "value": payment }]);
    let paid = json!({
        "request": { "method": "GET", "url": "http://x/report", "headers": headers },
        "response": { "status": 402, "headers": [{ "name": "payment-required", "value": answer.0 }] },
    });
    let archive = json!({ "log": { "entries": [paid] } });
    asker.file("trace.har", archive.to_string());
    for record in ["curl.log", "trace.har"] {
        let told = asker.json(&["explain", record]);
        assert_eq!(ids(&told), ["header_name_unknown"], "{told}");
        assert_eq!((&told["findings"][0]["certainty"], &told["verdict"]), (&json!("proven"), &Value::Null), "{told}");
    }
}

#[test]
fn a_proof_is_a_payment_and_its_refusal_is_kept() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let proof = "req-00000000-0000-4000-8000-000000000000";
    let answer = unpaid(&mock);
    let refused = pay(&mock, "x-payment-proof", proof);
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["invoice_not_issued"], "{told}");
    assert_eq!(told["verdict"]["reason"], "invoice_memo_not_issued");
    let record = format!(
        "> GET /report HTTP/1.1\n>\n< HTTP/1.1 402 Payment Required\n< payment-required: {}\n<\n{{}}\n\
         > GET /report HTTP/1.1\n> X-Payment-Proof: {proof}\n>\n< HTTP/1.1 402 Payment Required\n\
         < www-authenticate: x402-solana recipient=a\n<\n{}\n",
        answer.0,
        refused.text()
    );
    asker.file("curl.log", &record);
    assert_eq!(ids(&asker.json(&["explain", "curl.log"])), ["invoice_not_issued"]);
    asker.file("curl.log", record.replace("402 Payment Required\n< www-authenticate", "200 OK\n< server"));
    assert!(ids(&asker.json(&["explain", "curl.log"])).is_empty());
}

#[test]
fn what_is_refused_before_it_is_judged_is_explained_as_its_header_is() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let answer = unpaid(&mock);
    let old = signed(&asker, &answer.1, &[]);
    let mut payload: Value = serde_json::from_slice(&STANDARD.decode(&old).unwrap()).unwrap();
    payload["network"] = json!("eip155:84532");
    pay(&mock, "x-payment", &STANDARD.encode(payload.to_string()));
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["caip2_network_in_v1"], "{told}");
    assert_eq!(told["verdict"]["reason"], "Invalid network");
    pay(&mock, "payment-signature", &STANDARD.encode(signed(&asker, &answer.0, &[])));
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["double_encoded"], "{told}");
}

#[test]
fn a_character_behind_a_payment_or_an_offer_is_why_it_is_refused() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let offer = unpaid(&mock).0;
    let good = signed(&asker, &offer, &[]);
    for behind in ["}", ","] {
        let payment = format!("{good}{behind}");
        for told in [
            asker.json(&["explain", &format!("PAYMENT-SIGNATURE: {payment}")]),
            asker.json(&["explain", &format!("PAYMENT-REQUIRED: {offer}{behind}")]),
            {
                pay(&mock, "payment-signature", &payment);
                last(&asker, &mock)
            },
        ] {
            let first = &told["findings"][0];
            assert_eq!((&first["id"], &first["certainty"]), (&json!("header_not_base64"), &json!("proven")), "{told}");
            assert_eq!(ids(&told), ["header_not_base64"], "{told}");
            assert_ne!(told["verdict"]["valid"], true, "{told}");
        }
    }
}

#[test]
fn a_refusal_says_how_old_it_is_which_request_it_was_and_what_came_after() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let answer = unpaid(&mock);
    pay(&mock, "payment-signature", &signed(&asker, &answer.0, &["--defect", "underpaid"]));
    let told = last(&asker, &mock);
    assert_eq!(
        (&field(&told, "request")["value"], &field(&told, "settled since")["value"]),
        (&json!("GET /report"), &json!("0"))
    );
    assert!(field(&told, "age")["value"].as_str().is_some_and(|age| age.ends_with('s')), "{told}");
    let good = signed(&asker, &answer.0, &[]);
    mock.send(&Request::get("/report").header("payment-signature", &good)).assert_status(200);
    let told = last(&asker, &mock);
    assert_eq!(field(&told, "settled since")["value"], "1", "{told}");
    assert!(field(&told, "settled since")["meaning"].as_str().unwrap().starts_with("the newest: Settled"), "{told}");
}

/// A settlement that is pending is a refusal like any other: what was asked for afterwards is newer.
#[test]
fn after_a_pending_settlement_the_newest_request_is_what_is_asked_about() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let url = format!("{}/report", mock.url);
    let paid = asker.run(&["pay", &url, "--as", "pending", "--retry", "0"]);
    assert_eq!(paid.code, Some(4), "{paid:?}");
    let told = last(&asker, &mock);
    assert_eq!(told["verdict"]["reason"], "settlement_pending", "{told}");
    unpaid(&mock);
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["no_payment_sent"], "{told}");
    assert!(told["notes"].to_string().contains("with settlement_pending: `x402-dev explain "), "{told}");
}

#[test]
fn what_others_print_around_a_reason_is_read_as_the_reason() {
    let asker = Asker::new();
    for (text, reason) in [
        ("Error: invalid_exact_evm_insufficient_balance", "invalid_exact_evm_insufficient_balance"),
        ("{'isValid': False, 'invalidReason': 'insufficient_funds'}", "insufficient_funds"),
        ("ERC20: transfer amount exceeds balance", "ERC20: transfer amount exceeds balance"),
        ("AuthorizationExpired", "AuthorizationExpired"),
        ("Transaction simulation failed: Blockhash not found", "Blockhash not found"),
        ("custom program error: 0x1", "custom program error: 0x1"),
        ("431 Request Header Fields Too Large", "Request Header Fields Too Large"),
        ("Unsupported SVM network: solana:abc", "Unsupported SVM network"),
        ("invalid_exact_aptos_payload_wrong_args", "invalid_exact_aptos_payload_wrong_args"),
        ("invoice_memo_malformed", "invoice_memo_malformed"),
    ] {
        let told = asker.json(&["explain", text]);
        assert_eq!(
            (&told["kind"], &told["title"]),
            (&json!("reason"), &json!(format!("the reason `{reason}`"))),
            "{told}"
        );
    }
    let told = asker.json(&["explain", "X-Payment-Proof: abc"]);
    assert_eq!(ids(&told), ["invoice_proof"], "{told}");
}
