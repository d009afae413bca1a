//! What texts are taken for.

use super::*;

#[test]
fn texts_are_told_apart() {
    let of = |text: &str| read(text).subject;
    assert_eq!(of(""), Subject::Nothing);
    assert!(matches!(of("invalid_exact_evm_signature"), Subject::Reason(_)));
    assert!(matches!(of("invalid_exact_evm_transaction_failed: execution reverted"), Subject::Reason(_)));
    assert!(matches!(of("No matching payment requirements"), Subject::Reason(_)));
    assert!(matches!(of("x402-solana recipient=a amount=1"), Subject::Invoice(pairs) if pairs.len() == 2));
    assert!(matches!(of("{\"x402Version\":2,\"accepts\":[]}"), Subject::Json(Kind::OfferV2, _)));
    assert!(matches!(of("eyJ4NDAyVmVyc2lvbiI6MiwiYWNjZXB0cyI6W119"), Subject::Json(Kind::OfferV2, _)));
    assert!(matches!(of("> GET / HTTP/1.1\n> Host: a\n< HTTP/1.1 402 x"), Subject::Transcript(_)));
    assert!(matches!(of("HTTP/1.1 402 Payment Required\r\n\r\n{}"), Subject::Transcript(_)));
    assert!(matches!(of("{\"log\":{\"entries\":[]}}"), Subject::Transcript(_)));
    assert_eq!(of("\u{1b}[31m"), Subject::Nothing);
    assert_eq!(of("x-payment-proof: abc"), Subject::Proof("abc".to_owned()));
}

#[test]
fn a_known_reason_is_found_in_what_others_print() {
    for (text, reason) in [
        ("Error: invalid_exact_evm_insufficient_balance", "invalid_exact_evm_insufficient_balance"),
        ("facilitator verify failed: 400 invalid_exact_evm_signature", "invalid_exact_evm_signature"),
        ("{'isValid': False, 'invalidReason': 'insufficient_funds'}", "insufficient_funds"),
        (r#"{"is_valid": false, "invalid_reason": "insufficient_funds"}"#, "insufficient_funds"),
        ("ERC20: transfer amount exceeds balance", "ERC20: transfer amount exceeds balance"),
        ("FiatTokenV2: invalid signature", "FiatTokenV2: invalid signature"),
        ("AuthorizationExpired", "AuthorizationExpired"),
        ("Error: execution reverted: AuthorizationExpired()", "AuthorizationExpired"),
    ] {
        assert_eq!(read(text).subject, Subject::Reason(reason.to_owned()), "{text}");
    }
    for text in [
        r#"{"isValid":false,"invalidReason":"insufficient_funds"}"#,
        r#"PAYMENT-RESPONSE: {"success":false,"errorReason":"insufficient_funds","transaction":""}"#,
        r#"{"x402Version":2,"error":"insufficient_funds","accepts":[]}"#,
    ] {
        assert!(read(text).json().is_some(), "{text}");
    }
}

#[test]
fn a_decoded_payment_keeps_what_its_header_says() {
    let old = serde_json::json!({"x402Version": 1, "scheme": "exact", "payload": {}});
    let ids = |name: &str| {
        let reading = Reading::carried(Some(name), old.clone());
        reading.findings.iter().map(|finding| finding.id).collect::<Vec<_>>()
    };
    assert_eq!(ids("payment-signature"), ["v1_payload_in_v2_header"]);
    assert_eq!(ids("x-payment-signature"), ["header_name_unknown"]);
    assert!(ids("x-payment").is_empty());
}

#[test]
fn what_is_wrong_with_the_writing_is_found() {
    let ids = |text: &str| read(text).findings.iter().map(|finding| finding.id).collect::<Vec<_>>();
    let json = r#"{"x402Version":2,"accepted":{"extra":{"a":"??>>??>>~~~"}},"payload":{}}"#;
    let good = x402_wire::header::encode_text(json);
    assert!(ids(&good).is_empty(), "{:?}", ids(&good));
    let url_safe = good.replace('+', "-").replace('/', "_");
    assert_ne!(url_safe, good);
    assert_eq!(ids(&url_safe), ["base64_url_safe"]);
    assert_eq!(ids(&format!("X-PAYMENT: {good}")), ["v1_header_name"]);
    assert_eq!(ids(&format!("PAYMENT-SIGNATURE: {json}")), ["raw_json_header"]);
    assert_eq!(ids(&x402_wire::header::encode_text(&good)), ["double_encoded"]);
    assert_eq!(ids(&good[..good.len() / 2]), ["header_truncated"]);
    assert_eq!(ids(&format!("PAYMENT-SIGNATURE: \"{good}\"")), ["header_quoted"]);
    assert_eq!(ids(&format!("X-PAYMENT-SIGNATURE: {good}")), ["header_name_unknown"]);
    assert_eq!(ids(&format!("PAYMENT-SIGNATURE: {good}, {good}")), ["header_repeated"]);
    let wrapped = format!("{}\n{}", &good[..40], &good[40..]);
    assert_eq!(ids(&wrapped), ["base64_whitespace"]);
    let unpadded = x402_wire::header::encode_text("{\"x402Version\":2,\"accepts\":[],\"a\":12}");
    assert!(unpadded.ends_with('='));
    assert_eq!(ids(unpadded.trim_end_matches('=')), ["base64_unpadded"]);
}

#[test]
fn what_stands_around_a_header_is_taken_off_and_told() {
    let good = x402_wire::header::encode_text(r#"{"x402Version":2,"accepted":{},"payload":{}}"#);
    let read = |text: &str| {
        let reading = read(text);
        assert!(matches!(reading.subject, Subject::Json(Kind::PaymentV2, _)), "{text}: {:?}", reading.subject);
        assert!(reading.findings.iter().all(Finding::is_proven), "{text}");
        (reading.header, reading.findings.iter().map(|finding| finding.id).collect::<Vec<_>>())
    };
    let named = Some("PAYMENT-SIGNATURE".to_owned());
    for (text, header, findings) in [
        (format!("Bearer {good}"), None, vec!["header_scheme"]),
        (format!("PAYMENT-SIGNATURE: x402 {good}"), named.clone(), vec!["header_scheme"]),
        (format!("'{good}'"), None, vec!["header_quoted"]),
        (format!("PAYMENT-SIGNATURE: PAYMENT-SIGNATURE: {good}"), named.clone(), vec!["header_name_in_value"]),
        (format!("-H \"payment-signature: {good}\""), named.clone(), vec![]),
        (format!("'PAYMENT-SIGNATURE: {good}'"), named.clone(), vec![]),
        (format!(r#"{{"PAYMENT-SIGNATURE": "{good}"}}"#), named.clone(), vec![]),
        (format!(r#"{{"headers": {{"accept": "*/*", "payment-signature": ["{good}"]}}}}"#), named, vec![]),
        (format!(r#"{{"x-payment": "{good}"}}"#), Some("X-PAYMENT".to_owned()), vec!["v1_header_name"]),
    ] {
        assert_eq!(read(&text), (header, findings), "{text}");
    }
}

#[test]
fn a_character_behind_the_value_is_no_part_of_it() {
    let json = |more: &str| format!(r#"{{"x402Version":2,"accepted":{{}},"payload":{{}},"a":"{more}"}}"#);
    let all = ["", "a", "aa"].map(|more| x402_wire::header::encode_text(&json(more)));
    let paddings: std::collections::BTreeSet<usize> = all.iter().map(|text| text.matches('=').count()).collect();
    assert_eq!(paddings.len(), 3);
    for text in &all {
        for behind in ["}", ",", ";", "\"", ".", ")", "x"] {
            for name in ["", "PAYMENT-SIGNATURE: ", "PAYMENT-REQUIRED: "] {
                let reading = read(&format!("{name}{text}{behind}"));
                let found = reading.findings.iter().find(|finding| finding.id == "header_not_base64");
                assert!(found.is_some_and(Finding::is_proven), "{name}{text}{behind}: {:?}", reading.findings);
                assert!(reading.json().is_some(), "{name}{text}{behind}");
            }
        }
        // What was cut within a group of four stays cut.
        let cut = read(&format!("PAYMENT-SIGNATURE: {}", &text[..41]));
        assert_eq!(cut.findings.iter().map(|finding| finding.id).collect::<Vec<_>>(), ["header_truncated"]);
    }
}

#[test]
fn headers_of_others_are_no_payments() {
    for text in [
        "Cookie: a=b",
        "Cookie: session=abcdefghijklmnopqrstuvwxyzABCDEF0123456789",
        "Content-Type: text/html",
        "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    ] {
        let reading = read(text);
        assert_eq!((&reading.subject, reading.findings.len()), (&Subject::Nothing, 0), "{text}");
        assert!(reading.header.is_some(), "{text}");
    }
    for text in ["X-PAYMENTS: a=b", "PAYMENT-SIGNATURE: a=b", "X-Pay: eyJ4NDAyVmVyc2lvbiI6Mg"] {
        assert_eq!(read(text).subject, Subject::Undecodable, "{text}");
    }
}

#[test]
fn broken_json_is_no_header_and_zeros_are_no_transaction() {
    let ids = |text: &str| read(text).findings.iter().map(|finding| finding.id).collect::<Vec<_>>();
    for text in ["{\"x402Version\":2,", "{{{{", "{\"x402Version\":2}}"] {
        assert_eq!(ids(text), ["json_broken"], "{text}");
    }
    assert_eq!(ids("PAYMENT-SIGNATURE: {\"x402Version\":2,"), ["raw_json_header", "header_truncated"]);
    assert_eq!(read(&"A".repeat(1 << 12)).subject, Subject::Nothing);
}
