//! Logs: what stands within them is found, and what they say of it is believed.

use serde_json::{Value, json};
use x402_wire::header::{decode, encode_text};

use crate::asker::{Asker, ids};
use crate::records_ways::{Sample, URL, entry, evidence, explained};

const NOW: &str = "1795000000";
const REASON: &str = "invalid_exact_evm_signature";

fn told(log: &str) -> Value {
    let asker = Asker::new();
    asker.file("app.log", log);
    asker.json(&["explain", "app.log", "--at", NOW])
}

/// The offer of the sample, with what the server says of a payment.
fn refusal(own: &Sample) -> Value {
    let mut offer: Value = decode(&own.offer).unwrap();
    offer["error"] = json!(REASON);
    offer
}

#[test]
fn the_payment_in_a_log_is_judged_whatever_the_log_says_besides() {
    let mut payload: Value = decode(&Sample::new().payment).unwrap();
    // Not what was signed.
    payload["payload"]["authorization"]["validAfter"] = json!("17");
    let (payload, header) = (payload.to_string(), encode_text(&payload.to_string()));
    let request = "2026-11-23 15:01:02,130 INFO httpx HTTP Request: GET https://a/ \"HTTP/1.1 402 Payment Required\"";
    let sending = format!("DEBUG sending PAYMENT-SIGNATURE: {header}");
    let fields = json!({ "m": "paying", "headers": { "PAYMENT-SIGNATURE": header } });
    for log in [
        format!("{request}\n{sending}\n{request}\nERROR refused: {REASON}"),
        format!("{request}\n{sending}\n{request}"),
        format!("[2026-11-23T15:01:02Z] payload: {payload}\n[2026-11-23T15:01:02Z] server said 402 {REASON}"),
        format!("{fields}\n{}", json!({ "error": REASON })),
        format!("{{\"m\":\"paying\"}}\n{{\"m\":\"x\",\"payment\":{payload}}}"),
        format!("payload={payload}\nrefused={REASON}"),
    ] {
        let told = told(&log);
        assert_eq!(told["verdict"]["reason"], REASON, "{log}: {told}");
        assert_eq!(ids(&told).first().map(String::as_str), Some("changed_after_signing"), "{log}: {told}");
    }
}

#[test]
fn what_a_log_says_was_refused_is_not_called_good() {
    let own = Sample::new();
    let log = format!("sending PAYMENT-SIGNATURE: {}\nrefused: {REASON}", own.payment);
    let told_of = told(&log);
    assert_eq!((&told_of["verdict"]["valid"], &told_of["verdict"]["reason"]), (&json!(false), &json!(REASON)));
    assert_eq!(ids(&told_of), ["refused_though_good"], "{told_of}");
    // Alone it is good.
    assert_eq!(told(&format!("sending PAYMENT-SIGNATURE: {}", own.payment))["verdict"]["valid"], true);
}

#[test]
fn an_offer_beside_an_error_is_not_called_good() {
    let own = Sample::new();
    let mut offer: Value = decode(&own.offer).unwrap();
    offer.as_object_mut().unwrap().remove("error");
    assert_eq!(told(&format!("got {offer}\nthank you"))["verdict"]["valid"], true);
    let told_of = told(&format!("got {offer}\nTypeError: cannot read 'x' of undefined"));
    assert!(told_of["verdict"].is_null(), "{told_of}");
    assert!(told_of["notes"].to_string().contains("TypeError: cannot read"), "{told_of}");
    // The reason of the server that was asked comes before the offer that it stands in, however long the log is.
    let lines = "INFO nothing of note\n".repeat(400);
    let failed = format!("{lines}ValueError: Facilitator get_supported failed (402): {offer}");
    assert_eq!(ids(&told(&failed)), ["wrong_facilitator_url"]);
    let (first, second) = (&own.offer, encode_text(&refusal(&own).to_string()));
    let log = format!("(b'payment-required', b'{first}')\n402 Payment Required (b'payment-required', b'{second}')");
    let told_of = told(&log);
    assert!(told_of["title"].as_str().unwrap().contains(REASON) && told_of["verdict"].is_null(), "{told_of}");
}

#[test]
fn errors_of_the_way_to_a_facilitator_and_of_headers_have_a_page() {
    let trace = "  File \"a/facilitator_client.py\", line 216, in get_supported\n".repeat(100);
    let invalid = "requests.exceptions.InvalidHeader: Invalid leading whitespace, reserved character(s), or return \
                   character(s) in header value: b'eyJ4NDAyVmVyc2lvbiI6IDIsICJ\\nIjB4ZjM5RmQ2ZTU'";
    for (error, id) in [
        ("ValueError: Facilitator verify failed (401): Unauthorized", "facilitator_unauthorized"),
        ("Error: Facilitator getSupported failed (404): <html>", "wrong_facilitator_url"),
        ("httpx.ConnectError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "wrong_facilitator_url"),
        ("httpx.ConnectError: [Errno 111] Connection refused", "nobody_reached"),
        (invalid, "base64_whitespace"),
        ("httpx.LocalProtocolError: Illegal header value b'eyJ4NDAy\\n'", "base64_whitespace"),
    ] {
        assert_eq!(ids(&told(error)).first().map(String::as_str), Some(id), "{error}");
        assert_eq!(ids(&told(&format!("{trace}{error}"))).first().map(String::as_str), Some(id), "{error}");
    }
}

#[test]
fn answers_without_their_requests_do_not_tell_who_paid() {
    let own = Sample::new();
    let receipt = encode_text(r#"{"success":true,"transaction":"0xab","network":"eip155:84532"}"#);
    let asks = |offer: &str| format!("HTTP/1.1 402 Payment Required\npayment-required: {offer}\n\n{{}}\n");
    let first = asks(&own.offer);
    let told_of = told(&format!("{first}HTTP/1.1 200 OK\npayment-response: {receipt}\n\n{{}}"));
    assert!(ids(&told_of).is_empty(), "{told_of}");
    let told_of = told(&format!("{first}{first}"));
    assert!(ids(&told_of).is_empty() && told_of["notes"].to_string().contains("is not to be seen"), "{told_of}");
    let refused = asks(&encode_text(&refusal(&own).to_string()));
    assert_eq!(ids(&told(&format!("{first}{refused}")))[0], "wrong_domain_name");
}

#[test]
fn a_header_over_several_lines_is_what_a_400_is_about() {
    let own = Sample::new();
    let (first, second) = own.payment.split_at(76);
    let sent = format!("> GET /a HTTP/1.1\n> PAYMENT-SIGNATURE: {first}\n> {second}\n>\n");
    assert_eq!(ids(&told(&format!("{sent}< HTTP/1.1 400 Bad Request\n<\n"))), ["base64_whitespace"]);
}

#[test]
fn a_cookie_that_is_larger_than_the_payment_is_to_blame_for_a_431() {
    let own = Sample::new();
    let mut fields = own.pays();
    let small = explained(&[entry(("GET", URL, &fields), (431, &json!({}), Some("{}")))]);
    assert!(!evidence(&small).contains("cookie"), "{small}");
    fields["Cookie"] = json!("a".repeat(9000));
    let large = explained(&[entry(("GET", URL, &fields), (431, &json!({}), Some("{}")))]);
    assert_eq!(ids(&large), ["header_refused"]);
    assert!(evidence(&large).contains("its `cookie` has 9000 bytes"), "{large}");
}

#[test]
fn what_may_be_a_private_key_is_never_printed() {
    let (asker, key) = (Asker::new(), "5d".repeat(32));
    let mock = crate::harness::Test::new().start();
    for word in [key.clone(), format!("0x{key}")] {
        let run = asker.run(&["explain", &word, "--url", &mock.url]);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(!format!("{run:?}").contains("5d5d5d"), "{run:?}");
    }
    // Names of errors are no names of headers.
    for text in ["Error: hello", "INFO: hello", "json: hello"] {
        let run = asker.run(&["explain", text]);
        assert!(run.code == Some(1) && !run.stderr.contains("it is the header"), "{run:?}");
    }
    assert!(asker.run(&["explain", "Cookie: a=b"]).stderr.contains("it is the header `Cookie`"));
}

/// What is said of lines of a server's log, with each answer's status in its place.
fn of_lines(line: &str, statuses: &[u16]) -> Value {
    let lines: Vec<String> = statuses.iter().map(|status| line.replace("STATUS", &status.to_string())).collect();
    told(&lines.join("\n"))
}

#[test]
fn a_servers_log_tells_what_its_statuses_can_say_and_proves_nothing() {
    let uvicorn = "INFO:     127.0.0.1:51234 - \"GET /weather HTTP/1.1\" STATUS Payment Required";
    let nginx = "1.2.3.4 - - [23/Nov/2026:22:00:00 +0000] \"GET /weather HTTP/1.1\" STATUS 612 \"-\" \"node\"";
    let morgan = "GET /weather \u{1b}[33mSTATUS\u{1b}[0m 3.456 ms - 123\u{1b}[0m";
    for line in [uvicorn, nginx, morgan] {
        for (statuses, expected, note) in [
            (&[402][..], &[][..], "alone is how every payment begins"),
            (
                &[402, 402],
                &["no_payment_sent", "header_stripped"],
                "if the second one carried a payment, it was refused",
            ),
            (&[402, 200], &[], "so goes a request that was paid"),
            (&[402, 500], &["server_error_after_payment"], "holds neither headers nor bodies"),
            (&[402, 402, 200], &[], "so goes a request that was paid"),
            (&[402, 200, 402], &[], "alone is how every payment begins"),
            (&[402, 431], &["header_refused"], "holds neither headers nor bodies"),
            (&[402, 304], &[], "asked for a payment no longer"),
        ] {
            let told = of_lines(line, statuses);
            let mut found = ids(&told);
            let mut expected = expected.to_vec();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{line} {statuses:?}: {told}");
            assert!(!told.to_string().contains("proven"), "{line} {statuses:?}: {told}");
            assert!(told["notes"].to_string().contains(note), "{line} {statuses:?}: {told}");
        }
    }
    // Requests beside each other are told apart, and what is no request is passed over.
    let other = uvicorn.replace("/weather", "/other");
    let log = format!("INFO:     Uvicorn running on http://127.0.0.1:8000\n{uvicorn}\n{other}");
    assert!(ids(&told(&log.replace("STATUS", "402"))).is_empty());
}

#[test]
fn what_stands_beside_the_requests_of_a_servers_log_comes_first() {
    let line = "INFO:     127.0.0.1:51234 - \"GET /weather HTTP/1.1\" 402 Payment Required";
    let log = format!("{line}\n{line}\nERROR refused: {REASON}");
    let told = told(&log);
    assert!(told.to_string().contains(REASON) && !told["title"].as_str().unwrap().contains("server's log"), "{told}");
}
