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
        (
            "[x402] No server implementation registered for scheme: exact, network: eip155:1",
            "No server implementation registered for",
        ),
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

/// A payment whose base64 holds `+` and `/`.
const PAYMENT: &str =
    r#"{"x402Version":2,"resource":{"url":"https://a.example/?q=??>>~~~"},"accepted":{},"payload":{}}"#;

fn ids(text: &str) -> Vec<&'static str> {
    read(text).findings.iter().map(|finding| finding.id).collect()
}

#[test]
fn what_stands_in_for_a_payment_is_named_under_every_header_and_alone() {
    for (value, id) in [
        ("${PAYMENT}", "header_placeholder"),
        ("{{payment}}", "header_placeholder"),
        ("<base64>", "header_placeholder"),
        ("undefined", "header_value_absent"),
        ("null", "header_value_absent"),
        ("[object Promise]", "promise_sent"),
        ("[object Object]", "object_as_text"),
        ("eyJ4NDAyVmVyc2lv...", "header_abbreviated"),
    ] {
        for name in ["", "PAYMENT-SIGNATURE: ", "X-PAYMENT: ", "PAYMENT-REQUIRED: ", "X-Payment-Proof: "] {
            let reading = read(&format!("{name}{value}"));
            // Alone it may have been a body.
            let body = (value == "[object Object]" && name.is_empty()).then_some("body_as_text");
            assert_eq!(
                (ids(&format!("{name}{value}")), &reading.subject),
                ([id].into_iter().chain(body).collect(), &Subject::Undecodable),
                "{name}{value}"
            );
        }
        // The same behind `btoa`.
        assert_eq!(ids(&format!("X-PAYMENT: {}", x402_wire::header::encode_text(value))), [id], "{value}");
        // What begins as a payment does is none of another header's.
        assert!(value.starts_with("ey") || ids(&format!("Cookie: {value}")).is_empty(), "{value}");
    }
}

#[test]
fn a_payment_header_that_holds_none_is_never_without_a_word() {
    assert_eq!(ids("PAYMENT-SIGNATURE:"), ["header_value_absent"]);
    for value in ["hello", "a b c", "é", "§§§", "-", "0x12", "ab", "{}", "e30=", "[]", "W10="] {
        assert!(!ids(&format!("PAYMENT-SIGNATURE: {value}")).is_empty(), "{value}");
        assert!(!ids(&format!("X-PAYMENT: {value}")).is_empty(), "{value}");
    }
}

#[test]
fn what_was_done_to_the_value_is_undone_and_named() {
    let good = x402_wire::header::encode_text(PAYMENT);
    assert!(good.contains('+'), "{good}");
    let utf16: Vec<u8> = PAYMENT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let base64 = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let numbers = |text: &str| text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(",");
    let python = PAYMENT.replace('"', "'");
    for (value, expected) in [
        (good.clone(), &[][..]),
        (good.replace('+', " "), &["base64_plus_lost"]),
        (format!("b'{good}'"), &["bytes_as_text"]),
        (numbers(&good), &["bytes_as_text"]),
        (x402_wire::header::encode_text(&format!("b'{good}'")), &["bytes_as_text", "double_encoded"]),
        (hex::encode(PAYMENT), &["header_hex"]),
        (hex::encode(&good), &["header_hex"]),
        (format!("data:application/json;base64,{good}"), &["header_data_url"]),
        (base64(&utf16), &["header_utf16"]),
        (x402_wire::header::encode_text(&format!("\u{feff}{PAYMENT}")), &["json_bom"]),
        (x402_wire::header::encode_text(&python), &["json_literal"]),
        (x402_wire::header::encode_text(&PAYMENT.replace("}}", "},}")), &["json_trailing_comma"]),
        (x402_wire::header::encode_text(&format!("{{\"paymentPayload\":{PAYMENT}}}")), &["payload_wrapped"]),
        (x402_wire::header::encode_text(&format!("[{PAYMENT}]")), &["payload_wrapped"]),
        (PAYMENT.replace('"', "%22").replace('{', "%7B"), &["header_percent_encoded", "raw_json_header"]),
    ] {
        let reading = read(&format!("PAYMENT-SIGNATURE: {value}"));
        assert_eq!(ids(&format!("PAYMENT-SIGNATURE: {value}")), expected, "{value}");
        assert!(matches!(reading.subject, Subject::Json(Kind::PaymentV2, _)), "{value}: {:?}", reading.subject);
        assert!(reading.findings.iter().all(Finding::is_proven), "{value}: {:?}", reading.findings);
    }
    for (value, expected) in [
        (good.to_lowercase(), &["header_letter_case"][..]),
        (good.to_uppercase(), &["header_letter_case"]),
        ("H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==".to_owned(), &["header_compressed"]),
        (x402_wire::header::encode_text("{ x402Version: 2, payload: [Object] }"), &["json_literal"]),
    ] {
        for name in ["PAYMENT-SIGNATURE: ", ""] {
            let reading = read(&format!("{name}{value}"));
            assert_eq!(ids(&format!("{name}{value}")), expected, "{name}{value}");
            assert_eq!(reading.subject, Subject::Undecodable);
        }
    }
}

#[test]
fn what_somebody_printed_to_look_at_it_is_no_mistake() {
    let printed = PAYMENT.replace('"', "'");
    let reading = read(&printed);
    assert!(matches!(reading.subject, Subject::Json(Kind::PaymentV2, _)), "{:?}", reading.subject);
    assert_eq!((reading.findings.len(), reading.notes.len()), (0, 1), "{:?}", reading.notes);
    assert_eq!(ids(&PAYMENT.replace("}}", "},}")), ["json_trailing_comma"]);
}

#[test]
fn what_people_copy_with_a_header_is_read() {
    let good = x402_wire::header::encode_text(PAYMENT);
    for (text, header) in [
        (format!("curl -i -H 'PAYMENT-SIGNATURE: {good}' http://127.0.0.1/a"), Some("PAYMENT-SIGNATURE")),
        (format!("PAYMENT-SIGNATURE={good}"), Some("PAYMENT-SIGNATURE")),
        (format!("export PAYMENT='{good}'"), None),
        (format!("data:;base64,{good}"), None),
        (format!("  \"PAYMENT-SIGNATURE\": \"{good}\","), Some("PAYMENT-SIGNATURE")),
    ] {
        let reading = read(&text);
        assert!(matches!(reading.subject, Subject::Json(Kind::PaymentV2, _)), "{text}: {:?}", reading.subject);
        assert_eq!((reading.header.as_deref(), reading.findings.len()), (header, 0), "{text}");
    }
}

#[test]
fn reasons_and_findings_are_found_however_they_are_written() {
    for (text, word) in [
        ("INVALID-EXACT-EVM-SIGNATURE", "invalid_exact_evm_signature"),
        ("Invalid_Exact_EVM_Signature", "invalid_exact_evm_signature"),
        ("wrong_domain_name", "wrong_domain_name"),
        ("WRONG-DOMAIN-NAME", "wrong_domain_name"),
        ("signed under another EIP-712 domain name", "wrong_domain_name"),
        ("1. PROVEN: signed under another EIP-712 domain name  [wrong_domain_name]", "wrong_domain_name"),
        ("x402Error: INVALID_EXACT_EVM_SIGNATURE\n    at pay (/a.js:1:2)", "invalid_exact_evm_signature"),
    ] {
        assert_eq!(read(text).subject, Subject::Reason(word.to_owned()), "{text}");
    }
    assert_eq!(ids("[x402] what nobody has said"), Vec::<&str>::new());
    for text in ["PAYMENT-SIGNATURE", "HELLO-WORLD", "[1, 2]", "[a]"] {
        assert!(!matches!(read(text).subject, Subject::Reason(_)), "{text}");
    }
}

#[test]
fn words_that_begin_as_base64_does_are_words() {
    let lines = "listening, and waiting for whoever comes\n".repeat(20);
    for word in ["Instance", "Insufficient", "eyes", "ewes"] {
        let log = format!("{word} at port 3402\n{lines}ERROR verify failed: invalid_exact_evm_signature\n");
        let reading = read(&log);
        assert!(reading.findings.is_empty(), "{word}: {:?}", reading.findings);
        assert!(matches!(reading.subject, Subject::Reason(_)), "{word}: {:?}", reading.subject);
    }
    assert!(read("User-Agent: Insomnia/2023.5.8").findings.is_empty());
}
