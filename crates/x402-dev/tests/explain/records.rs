//! Records of requests: what they show besides refusals of the protocol, and how much of them is looked at.

use serde_json::{Value, json};

use crate::asker::{Asker, ids};
use crate::harness::{Mock, Test};

/// A header that pays for what a mock offers, and the request to a facilitator for it, both broken in one thing.
fn signed(asker: &Asker, mock: &Mock, defect: &[&str]) -> (String, Value) {
    let url = format!("{}/report", mock.url);
    let run = |form: &str| {
        let run = asker.run(&[&["sign", &url, form][..], defect].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
        serde_json::from_str::<Value>(&run.stdout).unwrap()
    };
    (run("--json")["value"].as_str().unwrap().to_owned(), run("--body"))
}

/// An entry of an archive: what was sent, and what came back.
fn entry(method: &str, url: &str, sent: &Value, status: u16, said: &str) -> Value {
    let payment = sent.as_str().map(|value| json!({ "name": "Payment-Signature", "value": value }));
    let body = sent.is_object().then(|| json!({ "text": sent.to_string() }));
    json!({
        "request": { "method": method, "url": url, "headers": payment.into_iter().collect::<Value>(), "postData": body },
        "response": { "status": status, "headers": [], "content": { "text": said } },
    })
}

fn explained(asker: &Asker, entries: &[Value]) -> Value {
    asker.file("record.har", json!({ "log": { "entries": entries } }).to_string());
    asker.json(&["explain", "record.har"])
}

fn first(told: &Value) -> &Value {
    &told["findings"][0]
}

#[test]
fn an_answer_4xx_to_a_payment_says_who_refused() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let (good, _) = signed(&asker, &mock, &[]);
    for (status, body, id, part) in [
        (400, "", "refused_elsewhere", "query and its body"),
        (401, "", "refused_elsewhere", "Authorization"),
        (403, r#"{"error":"blocked"}"#, "refused_elsewhere", "onProtectedRequest"),
        (404, "", "refused_elsewhere", "resource.url"),
        (409, "", "refused_elsewhere", "payment-identifier"),
        (413, "", "refused_elsewhere", "larger than the server takes"),
        (418, "", "refused_elsewhere", "Read the body"),
        (429, "", "rate_limited", "the same payment again"),
        (431, "", "header_refused", "Raise the limit"),
        (400, "<h1>Request Header Or Cookie Too Large</h1>", "header_refused", "Raise the limit"),
    ] {
        let told = explained(&asker, &[entry("GET", "http://x/report", &json!(good), status, body)]);
        assert_eq!(ids(&told), [id], "{status}: {told}");
        assert!(first(&told)["fix"].as_str().unwrap().contains(part), "{status}: {told}");
        assert!(told["verdict"].is_null(), "what is refused is not said to settle: {told}");
    }
    // Where the payment is wrong, that is the cause, whatever the status.
    let (wrong, _) = signed(&asker, &mock, &["--defect", "wrong-domain"]);
    let told = explained(&asker, &[entry("GET", "http://x/report", &json!(wrong), 400, "")]);
    assert_eq!((ids(&told), &first(&told)["certainty"]), (vec!["wrong_domain_name".to_owned()], &json!("proven")));
}

#[test]
fn what_a_facilitator_was_asked_is_judged_and_what_it_says_is_told() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let ((_, good), (_, wrong)) = (signed(&asker, &mock, &[]), signed(&asker, &mock, &["--defect", "wrong-domain"]));
    let used = r#"{"success":false,"errorReason":"invalid_exact_evm_nonce_already_used","transaction":"","network":"eip155:84532"}"#;
    let refused = r#"{"isValid":false,"invalidReason":"invalid_exact_evm_signature"}"#;
    for (path, body, status, said, id, certainty) in [
        ("verify", &wrong, 200, refused, "wrong_domain_name", "proven"),
        ("verify", &wrong, 400, r#"{"error":"bad request"}"#, "wrong_domain_name", "proven"),
        ("settle", &good, 200, used, "nonce_used", "possible"),
        ("verify", &good, 200, r#"{"isValid":false,"invalidReason":"mine"}"#, "reason_unknown", "possible"),
        ("settle", &good, 503, "try later", "facilitator_failed", "possible"),
        ("verify", &good, 404, "<html>", "facilitator_failed", "possible"),
    ] {
        let url = format!("http://127.0.0.1:4020/{path}");
        let told = explained(&asker, &[entry("POST", &url, body, status, said)]);
        assert_eq!((ids(&told), &first(&told)["certainty"]), (vec![id.to_owned()], &json!(certainty)), "{told}");
        assert_ne!(told["verdict"]["valid"], true, "{told}");
    }
    // What curl prints has no body of the request.
    let log = format!("> POST /settle HTTP/1.1\n> Host: f\n>\n< HTTP/1.1 200 OK\n<\n{used}\n");
    asker.file("curl.log", log);
    let told = asker.json(&["explain", "curl.log"]);
    assert_eq!(
        (ids(&told), &told["verdict"]["by"]),
        (vec!["nonce_used".to_owned()], &json!("the facilitator that answered"))
    );
    for (path, said) in
        [("verify", r#"{"isValid":true}"#), ("settle", r#"{"success":true,"transaction":"0x1","network":"base"}"#)]
    {
        let told = explained(&asker, &[entry("POST", &format!("http://f/{path}"), &good, 200, said)]);
        assert!(ids(&told).is_empty(), "{told}");
    }
}

/// What is sent to a facilitator is a question to it, however it is written; it says only that it cannot read it.
#[test]
fn what_a_facilitator_could_not_read_is_named() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let (_, good) = signed(&asker, &mock, &[]);
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("paymentPayload", &good["paymentPayload"].to_string())
        .append_pair("paymentRequirements", &good["paymentRequirements"].to_string())
        .finish();
    let snakes = json!({ "x402_version": 2, "payment_payload": good["paymentPayload"],
        "payment_requirements": good["paymentRequirements"] });
    for (body, id) in [
        (snakes.to_string(), "misnamed_field"),
        (json!(good.to_string()).to_string(), "nested_json"),
        (form, "form_body"),
        (format!("{},}}", good.to_string().trim_end_matches('}')), "json_trailing_comma"),
    ] {
        for (path, status) in [("verify", 400), ("settle", 422)] {
            let sent =
                entry("POST", &format!("https://f/{path}"), &Value::Null, status, r#"{"error":"Invalid request"}"#);
            let with = |mut sent: Value| {
                sent["request"]["postData"] = json!({ "text": body });
                sent
            };
            let told = explained(&asker, &[with(sent.clone())]);
            assert_eq!(ids(&told).first().map(String::as_str), Some(id), "{path}: {body}: {told}");
            // Elsewhere it may be anybody's.
            let mut other = with(sent);
            other["request"]["url"] = json!("https://f/orders");
            assert!(ids(&explained(&asker, &[other])).is_empty(), "{path}: {body}");
        }
    }
    let mut other = entry("POST", "https://f/verify", &Value::Null, 400, "{}");
    other["request"]["postData"] = json!({ "text": r#"{"token": "a",}"# });
    assert!(ids(&explained(&asker, &[other])).is_empty());
}

#[test]
fn what_is_not_looked_at_is_said() {
    let asker = Asker::new();
    let (mock, free) = (Test::new().start(), entry("GET", "http://x/", &Value::Null, 200, ""));
    let told = explained(&asker, &vec![free; 2007]);
    let notes = told["notes"].to_string();
    for part in ["first 200 requests are listed; 1800 more", "first 2000 requests were looked at, and the 7 behind"] {
        assert!(notes.contains(part), "{notes}");
    }
    assert!(told["title"].as_str().unwrap().ends_with(": 2007"), "{told}");
    let (wrong, _) = signed(&asker, &mock, &["--defect", "wrong-domain"]);
    let told = explained(&asker, &vec![entry("GET", "http://x/", &json!(wrong), 402, "{}"); 53]);
    assert!(told["notes"].to_string().contains("first 50 refused payments were judged, and the 3 behind"), "{told}");
    assert_eq!(ids(&told)[0], "wrong_domain_name");
}

/// Work that grew as the square of the requests would take minutes for each record.
#[test]
fn as_many_requests_as_are_looked_at_are_explained() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let offer = mock.get("/report").header("payment-required").unwrap().to_owned();
    let (payment, _) = signed(&asker, &mock, &[]);
    let field = |name: &str, value: &str| json!([{ "name": name, "value": value }]);
    // One address, bodies that are lost or never paid for, and never an offer for the version that is paid.
    let entries: Vec<Value> = (0..2000)
        .map(|place| {
            let sent = if place % 2 == 0 { json!([]) } else { field("x-payment", &payment) };
            json!({
                "request": { "method": "POST", "url": "http://x/a?b=c", "headers": sent, "bodySize": 7 },
                "response": { "status": 402, "headers": field("payment-required", &offer) },
            })
        })
        .collect();
    asker.file("record.har", json!({ "log": { "entries": entries } }).to_string());
    let log = entries.iter().enumerate().map(|(place, _)| {
        let sent = if place % 2 == 0 { String::new() } else { format!("> x-payment: {payment}\n") };
        format!("> POST /a HTTP/1.1\n{sent}>\n< HTTP/1.1 402 Payment Required\n< payment-required: {offer}\n<\n{{}}\n")
    });
    asker.file("curl.log", log.collect::<String>());
    let address = format!("http://x/{}", "segment/".repeat(100));
    let mut unpaid = entry("POST", &address, &json!({ "a": "b" }), 402, "");
    unpaid["response"]["headers"] = field("payment-required", &offer);
    asker.file("unpaid.har", json!({ "log": { "entries": vec![unpaid; 2000] } }).to_string());
    for (record, id) in
        [("record.har", "v1_header_name"), ("curl.log", "v1_header_name"), ("unpaid.har", "no_payment_sent")]
    {
        let told = asker.json(&["explain", record]);
        assert_eq!(ids(&told), [id]);
    }
}

#[test]
fn what_was_delivered_in_the_end_was_not_the_payments_fault() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let url = format!("{}/report", mock.url);
    let run = asker.run(&["pay", &url, "--as", "flaky", "--retry-delay", "0", "--trace", "trace.har", "-o", "content"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let told = asker.json(&["explain", "trace.har"]);
    assert!(ids(&told).is_empty(), "{told}");
    let note = told["notes"][0].as_str().unwrap();
    assert!(note.contains("402 (invalid_exact_evm_transaction_failed)") && note.contains("request 3 brings"), "{note}");
}

#[test]
fn requirements_are_found_wherever_an_offer_is() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let answer = mock.get("/report");
    let offer = answer.header("payment-required").unwrap().to_owned();
    let (underpaid, _) = signed(&asker, &mock, &["--defect", "underpaid"]);
    let run = asker.run(&["sign", &format!("{}/report", mock.url), "--x402-version", "1", "--defect", "underpaid"]);
    let old = run.stdout.trim().to_owned();
    let head = format!("HTTP/1.1 402 Payment Required\r\npayment-required: {offer}\r\n\r\n{}", answer.text());
    let free = entry("GET", "http://x/report", &Value::Null, 200, "");
    let mut unpaid = entry("GET", "http://x/report", &Value::Null, 402, &answer.text());
    unpaid["response"]["headers"] = json!([{ "name": "PAYMENT-REQUIRED", "value": offer }]);
    asker.file("answer.txt", head);
    asker.file("session.har", json!({ "log": { "entries": [unpaid, free] } }).to_string());
    for source in ["answer.txt", "session.har", &format!("{}/report", mock.url)] {
        for payment in [&underpaid, &old] {
            let told = asker.json(&["explain", payment, "--requirements", source]);
            assert_eq!(ids(&told), ["amount_mismatch"], "{source}: {told}");
        }
    }
    asker.file("free.txt", "HTTP/1.1 200 OK\r\n\r\n{}");
    let run = asker.run(&["explain", &underpaid, "-r", "free.txt"]);
    assert_eq!(run.code, Some(64), "{run:?}");
    assert!(run.stderr.contains("holds no requirements and no offer"), "{run:?}");
}
