//! Payments that stand where no server looks for one: a running mock tells of them.

use serde_json::{Value, json};
use x402_wire::header::{decode, encode_text};

use crate::asker::{Asker, ids};
use crate::client::Request;
use crate::harness::{Mock, Test};

/// A sound payment for `/report`, as a header carries it.
fn payment(asker: &Asker, mock: &Mock) -> String {
    asker.file("offer.b64", mock.get("/report").header("payment-required").unwrap());
    asker.run(&["sign", "offer.b64"]).stdout.trim().to_owned()
}

fn last(asker: &Asker, mock: &Mock) -> Value {
    asker.json(&["explain", "last", "--url", &mock.url])
}

#[test]
fn a_payment_where_no_server_looks_for_one_is_told_of() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let header = payment(&asker, &mock);
    let payload: Value = decode(&header).unwrap();
    let escaped = header.replace('=', "%3D").replace('+', "%2b").replace('/', "%2F");
    let body = |value: Value| Request::post("/report", value.to_string());
    let authorization = Request::get("/report").header("authorization", format!("x402 {header}"));
    for (request, id, place) in [
        (Request::get("/report").header("x-pay-signature", &header), "header_name_unknown", "`x-pay-signature`"),
        (authorization, "header_name_unknown", "`authorization`"),
        (Request::get(format!("/report?a=1&payment={escaped}")), "payment_not_in_header", "the query, as `payment`"),
        (body(payload.clone()), "payment_not_in_header", "the body"),
        (body(json!({ "payment": header })), "payment_not_in_header", "the body"),
        (body(json!({ "q": 1, "payment": payload })), "payment_not_in_header", "the body"),
    ] {
        assert_eq!(mock.send(&request).status, 402);
        let told = last(&asker, &mock);
        assert_eq!(ids(&told), [id], "{place}: {told}");
        assert_eq!(told["findings"][0]["certainty"], "proven", "{told}");
        assert!(told["findings"][0]["evidence"].to_string().contains(place), "{place}: {told}");
        assert_eq!(
            (&told["verdict"]["valid"], &told["verdict"]["reason"]),
            (&json!(false), &json!("Payment required"))
        );
        assert!(told["newer"].is_null(), "{told}");
    }
    // What else is wrong with it is told as well.
    asker.file("offer.b64", mock.get("/report").header("payment-required").unwrap());
    let broken = asker.run(&["sign", "offer.b64", "--defect", "wrong-domain"]).stdout;
    assert_eq!(mock.send(&Request::get("/report").header("x-pay", broken.trim())).status, 402);
    // First the place: nobody looks inside before.
    assert_eq!(ids(&last(&asker, &mock)), ["header_name_unknown", "wrong_domain_name"]);
    assert_eq!(mock.send(&Request::get(format!("/report?payment={}", broken.trim()))).status, 402);
    assert_eq!(ids(&last(&asker, &mock)), ["payment_not_in_header", "wrong_domain_name"]);
}

#[test]
fn what_is_no_payment_is_not_kept() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let token = encode_text(r#"{"alg":"HS256","typ":"JWT","kid":"a long enough name of a key"}"#);
    for request in [
        Request::get("/report").header("authorization", format!("Bearer {token}")),
        Request::get(format!("/report?token={token}")),
        Request::post("/report", r#"{"payment":{"card":"4111"}}"#),
        Request::post("/report/verify", r#"{"code":"123456"}"#),
    ] {
        assert_eq!(mock.send(&request).status, 402);
        let told = last(&asker, &mock);
        assert_eq!((ids(&told), told["verdict"].is_null()), (vec!["no_payment_sent".to_owned()], true), "{told}");
    }
}

#[test]
fn a_request_to_a_facilitator_at_a_path_of_the_shop_has_a_wrong_url() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let payload: Value = decode(&payment(&asker, &mock)).unwrap();
    let body = json!({ "x402Version": 2, "paymentPayload": payload, "paymentRequirements": payload["accepted"] });
    for path in ["//verify", "/verify/", "/api/facilitator/settle"] {
        assert_eq!(mock.send(&Request::post(path, body.to_string())).status, 402);
        let told = last(&asker, &mock);
        assert_eq!(ids(&told), ["wrong_facilitator_url"], "{told}");
        assert!(told["findings"][0]["evidence"].to_string().contains(&format!("POST {path} is a request")), "{told}");
    }
}

#[test]
fn a_body_that_was_no_request_is_older_than_what_came_after_it() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    assert_eq!(mock.send(&Request::post("/verify", "paymentPayload=1")).status, 400);
    assert!(last(&asker, &mock)["newer"].is_null());
    let run = asker.run(&["clock", "advance", "5s", "--url", &mock.url]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(mock.get("/report").status, 402);
    assert!(last(&asker, &mock)["newer"].as_str().unwrap().contains("/report"));
}

#[test]
fn a_stray_payment_behind_a_header_that_cannot_be_read_is_the_newest() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let header = payment(&asker, &mock);
    mock.send(&Request::get("/report").header("payment-signature", "not base64 !")).assert_status(402);
    mock.send(&Request::get("/report").header("x-pay-signature", &header)).assert_status(402);
    let told = last(&asker, &mock);
    assert_eq!((ids(&told), &told["newer"]), (vec!["header_name_unknown".to_owned()], &Value::Null), "{told}");
}

#[test]
fn what_is_a_secret_beside_a_payment_is_not_kept() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let mut payload: Value = decode(&payment(&asker, &mock)).unwrap();
    payload["privateKey"] = json!("s3cret");
    payload["accepted"]["extra"]["apiKey"] = json!("s3cret");
    let both = json!({ "paymentPayload": payload, "paymentRequirements": {"a": 1}, "order": "s3cret" });
    for (path, body) in [
        ("/report", payload.clone()),
        ("/api/verify", both.clone()),
        ("/verify", both),
        ("/verify", json!({ "x402Version": 2, "privateKey": "s3cret" })),
    ] {
        mock.send(&Request::post(path, body.to_string()));
        let ask = Request::get("/_x402/api/refusals").header("Host", mock.address.to_string());
        let kept = mock.connect().send(&ask).text();
        assert!(kept.contains("x402Version") && !kept.contains("s3cret"), "{path}: {kept}");
    }
}

#[test]
fn a_payment_whose_base64_is_wrapped_is_told_of_although_no_request_came_of_it() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let header = payment(&asker, &mock);
    for width in [64, 76] {
        let lines: Vec<&str> =
            (0..header.len()).step_by(width).map(|at| &header[at..header.len().min(at + width)]).collect();
        let request = Request::get("/report").header("user-agent", "curl/8.5.0");
        let request = request.header("payment-signature", lines.join("\n"));
        assert_eq!(mock.connect().send(&request).status, 400);
        let more = format!("goes on in {} more lines without a colon", lines.len() - 1);
        mock.stderr.line(&more);
        let told = last(&asker, &mock);
        assert_eq!(ids(&told), ["base64_whitespace"], "{told}");
        assert_eq!(told["findings"][0]["certainty"], "proven", "{told}");
        assert!(told["findings"][0]["fix"].as_str().unwrap().contains("`base64 -w0`"), "{told}");
        assert_eq!((&told["verdict"]["valid"], &told["verdict"]["reason"]), (&json!(false), &json!("HTTP 400")));
        assert!(told["verdict"]["message"].as_str().unwrap().contains(&more), "{told}");
        let pasted = asker.json(&["explain", &format!("PAYMENT-SIGNATURE: {}", lines.join("\n"))]);
        assert_eq!(ids(&pasted), ["base64_whitespace"], "{pasted}");
    }
    // Who sends the lines one by one sends the first of them alone.
    for (length, expected) in [(76, &["base64_whitespace", "header_truncated"][..]), (80, &["header_truncated"])] {
        mock.send(&Request::get("/report").header("payment-signature", &header[..length])).assert_status(402);
        let told = last(&asker, &mock);
        assert_eq!(ids(&told), expected, "{told}");
        assert!(!told["findings"].to_string().contains("proven"), "{told}");
    }
    // Other heads that cannot be read hold no payment.
    let refusals = || {
        let request = Request::get("/_x402/api/refusals").header("Host", mock.address.to_string());
        mock.connect().send(&request).json()["refusals"].clone()
    };
    let kept = refusals();
    let request = Request::get("/report").header("payment-signature", &header).header("cookie", "a\nb");
    assert_eq!(mock.connect().send(&request).status, 400);
    mock.assert_serves();
    assert_eq!((refusals(), kept.as_array().map(Vec::len)), (kept, Some(4)));
}
