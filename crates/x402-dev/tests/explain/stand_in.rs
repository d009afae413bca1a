//! What was sent in place of a payment, as the mock's record and as the word itself tell it.

use serde_json::{Value, json};

use crate::asker::{Asker, ids};
use crate::client::Request;
use crate::harness::Test;

#[test]
fn what_was_sent_in_place_of_a_payment_is_named_from_the_record_and_from_the_word() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    for (value, id, line) in [
        ("${PAYMENT}", "header_placeholder", "not \"${payment}\" between quotes"),
        ("{{payment}}", "header_placeholder", "the variable"),
        ("<base64>", "header_placeholder", "the variable"),
        ("undefined", "header_value_absent", "createPaymentPayload(paymentRequired)"),
        ("None", "header_value_absent", "create_payment_payload(payment_required)"),
        ("[object Promise]", "promise_sent", "await client.createPaymentPayload"),
        ("<coroutine object pay at 0x7f>", "promise_sent", "await client.create_payment_payload"),
        ("[object Object]", "object_as_text", "encodePaymentSignatureHeader(payload)"),
        ("b'eyJ4NDAyVmVyc2lvbiI6MiwicGF5bG9hZCI6e319'", "bytes_as_text", ".decode(), not str()"),
        ("%7B%22x402Version%22%3A2%2C%22payload%22%3A%7B%7D%7D", "header_percent_encoded", "no encodeURIComponent"),
    ] {
        for header in ["payment-signature", "x-payment"] {
            let answer = mock.send(&Request::get("/report").header(header, value));
            answer.assert_status(402);
            let told = asker.json(&["explain", "last", "--url", &mock.url]);
            assert_eq!(ids(&told).first().map(String::as_str), Some(id), "{header}: {value}: {told}");
            assert!(!ids(&told).iter().any(|id| id == "no_payment_sent"), "{header}: {value}: {told}");
        }
        let run = asker.run(&["explain", value]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(run.stdout.contains(id) && run.stdout.contains(line), "{value}: {}", run.stdout);
    }
}

#[test]
fn a_payment_in_another_shape_is_named_from_the_record_as_from_the_header() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    asker.file("offer.b64", mock.get("/report").header("payment-required").unwrap());
    let signed = || -> Value {
        let run = asker.run(&["sign", "offer.b64"]);
        x402_wire::header::decode(run.stdout.trim()).unwrap()
    };
    let with = |key: &str, change: fn(&Value) -> Value| {
        let mut payment = signed();
        payment[key] = change(&payment[key]);
        payment
    };
    for (payment, id) in [
        (json!({"paymentPayload": signed()}), "payload_wrapped"),
        (json!([signed()]), "payload_wrapped"),
        (with("accepted", |own| json!([own])), "object_in_list"),
        (with("accepted", |own| own.to_string().into()), "nested_json"),
        (with("payload", |own| own.to_string().into()), "nested_json"),
    ] {
        let header = x402_wire::header::encode(&payment);
        mock.send(&Request::get("/report").header("payment-signature", &header)).assert_status(402);
        let recorded = asker.json(&["explain", "last", "--url", &mock.url]);
        let given = asker.json(&["explain", &format!("PAYMENT-SIGNATURE: {header}")]);
        for told in [recorded, given] {
            assert_eq!(ids(&told), [id], "{told}");
            assert_eq!(told["findings"][0]["certainty"], "proven", "{told}");
        }
    }
}

#[test]
fn a_header_that_stands_there_twice_is_told_as_that() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let twice = Request::get("/report").header("payment-signature", "eyJ9").header("payment-signature", "eyJ9");
    mock.send(&twice).assert_status(402);
    let told = asker.json(&["explain", "last", "--url", &mock.url]);
    assert_eq!(ids(&told), ["header_repeated"], "{told}");
}

#[test]
fn what_our_own_tools_print_and_shells_hold_is_read() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    asker.file("offer.b64", mock.get("/report").header("payment-required").unwrap());
    let run = asker.run(&["sign", "offer.b64", "--curl"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let command = run.stdout.trim().to_owned();
    let told = asker.json(&["explain", &command]);
    assert_eq!((told["kind"].as_str(), told["verdict"]["valid"].as_bool()), (Some("payment_v2"), Some(true)), "{told}");
    let value = asker.run(&["sign", "offer.b64"]).stdout.trim().to_owned();
    let flag = format!("PAYMENT-SIGNATURE: {value}");
    let whole = format!("-H '{flag}'");
    for args in [
        &["explain", "-H", &flag][..],
        &["explain", &whole],
        &["explain", &format!("PAYMENT-SIGNATURE={value}")],
        &["explain", &format!("data:;base64,{value}")],
        &["explain", &format!("export PAYMENT=\"{value}\"")],
    ] {
        let told = asker.json(args);
        assert_eq!(told["verdict"]["valid"], true, "{args:?}: {told}");
        assert!(ids(&told).is_empty(), "{args:?}: {told}");
    }
    for (args, part) in
        [(&["explain", ""][..], "a variable of the shell"), (&["explain", "curl http://a/"], "no payment header")]
    {
        let run = asker.run(args);
        assert!(run.code == Some(1) && run.stderr.contains(part), "{run:?}");
    }
}

#[test]
fn a_finding_has_a_page_under_its_id_and_its_title() {
    let asker = Asker::new();
    for word in ["wrong_domain_name", "WRONG-DOMAIN-NAME", "signed under another EIP-712 domain name"] {
        let told = asker.run(&["explain", word]);
        assert_eq!(told.code, Some(0), "{told:?}");
        for part in ["the finding `wrong_domain_name`", "meaning", "invalid_exact_evm_signature", "fix:", "ts-fetch:"] {
            assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
        }
    }
    let run = asker.run(&["explain", "wrong_domain_nam"]);
    assert!(run.code == Some(1) && run.stderr.contains("did you mean `wrong_domain_name`"), "{run:?}");
}
