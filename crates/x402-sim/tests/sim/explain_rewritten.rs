//! What is badly written hides nothing: it is mended as it was sent, and what else is wrong is found as well.

use alloy_primitives::{B256, U256, hex};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, Record, explain};
use x402_sim::explain::finding::Side;
use x402_sim::explain::read::{Reading, read};
use x402_sim::networks::eip155::eip712::{Authorization, Domain};
use x402_sim::networks::eip155::permit2::permit::Permit;

use crate::explain_permits::{asked, permit, written as permitted};
use crate::explain_typed::{NOW, authorization, domain, payer, requirements, signature, told, written};

fn found(told: &Explanation) -> Vec<(&str, bool)> {
    told.findings.iter().map(|finding| (finding.id, finding.is_proven())).collect()
}

/// A sound authorization with a signature of some digest, written in some way.
fn signed(digest: B256, write: impl Fn(&str) -> String) -> Explanation {
    let own = json!({"signature": write(&signature(digest)), "authorization": written(&authorization())});
    told(&own, &requirements("exact"))
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn with_v(text: &str, v: u8) -> String {
    format!("{}{v:02x}", &text[..130])
}

fn v_first(text: &str) -> String {
    format!("0x{}{}", &text[130..], &text[2..130])
}

type Write = fn(&str) -> String;

/// Ways to write a signature, and as what they are told.
fn ways() -> Vec<(Write, &'static str)> {
    vec![
        (|text| text[2..].to_owned(), "signature_encoding"),
        (|text| STANDARD.encode(bytes(text)), "signature_encoding"),
        (|text| format!("{text}\n"), "signature_encoding"),
        (|text| format!("{} {}", &text[..40], &text[40..]), "signature_encoding"),
        (|text| format!("0x{text}"), "hex_prefix"),
        (|text| text[..130].to_owned(), "signature_length"),
        (|text| format!("{text}00"), "signature_length"),
        (|text| with_v(text, 35 + u8::from(text.ends_with("1c"))), "signature_v"),
        (|text| with_v(text, 171), "signature_v"),
        (v_first, "signature_order"),
    ]
}

/// A digest for which v, in front, leaves a last byte that is no recovery id.
fn other_times() -> Authorization {
    let own = authorization();
    let of = |more: u64| Authorization { valid_before: own.valid_before + U256::from(more), ..own };
    let is_told = |own: &Authorization| {
        let text = signature(own.digest(domain().separator()));
        !["00", "01", "1b", "1c"].contains(&&text[128..130])
    };
    (1..9).map(of).find(is_told).unwrap()
}

#[test]
fn a_badly_written_signature_hides_no_wrong_domain_and_no_change() {
    let wrong = Domain { name: "USD Coin", ..domain() };
    let changed = other_times().digest(domain().separator());
    for (place, (write, id)) in ways().into_iter().enumerate() {
        let good = signed(authorization().digest(domain().separator()), write);
        assert_eq!(found(&good), [(id, true)], "{place}: {:#?}", good.findings);
        for (digest, other) in
            [(authorization().digest(wrong.separator()), "wrong_domain_name"), (changed, "changed_after_signing")]
        {
            let told = signed(digest, write);
            // A v in front may leave a byte behind that passes for one.
            if id != "signature_order" || other == "changed_after_signing" {
                assert_eq!(found(&told), [(id, true), (other, true)], "{place}: {:#?}", told.findings);
                assert!(!told.findings[0].proof.as_ref().unwrap().contains("verify passes"));
            }
        }
    }
}

/// The bytes are certain, and whose signature it is is not known: neither is passed over.
#[test]
fn a_badly_written_signature_that_fits_nothing_is_not_taken_as_good() {
    let told = signed(B256::repeat_byte(3), |text| text[2..].to_owned());
    assert_eq!(found(&told), [("signature_encoding", true), ("signature_unexplained", false)]);
}

#[test]
fn a_badly_written_signature_of_a_permit_hides_nothing_either() {
    for is_upto in [false, true] {
        let own = permit(is_upto);
        let other = Permit { chain_id: 8453, ..own };
        let told_of = |digest: B256, write: Write| {
            let signed = permitted(&own, payer().evm());
            told(&json!({"signature": write(&signature(digest)), "permit2Authorization": signed}), &asked(is_upto))
        };
        for (place, (write, id)) in ways().into_iter().enumerate().filter(|(_, (_, id))| *id != "signature_order") {
            let good = told_of(own.digest(), write);
            assert_eq!(found(&good), [(id, true)], "{place}: {:#?}", good.findings);
            let both = told_of(other.digest(), write);
            assert_eq!(found(&both), [(id, true), ("wrong_chain_id", true)], "{place}: {:#?}", both.findings);
        }
    }
}

#[test]
fn white_space_is_called_that_and_nothing_is_to_be_drawn_anew() {
    let good = signature(authorization().digest(domain().separator()));
    for (key, id) in [("signature", "signature_encoding"), ("nonce", "nonce_format")] {
        for (end, seen) in [("\n", "a line break at its end"), (" ", "a space at its end")] {
            let mut own = json!({"signature": good, "authorization": written(&authorization())});
            let place = if key == "nonce" { &mut own["authorization"][key] } else { &mut own[key] };
            *place = json!(format!("{}{end}", place.as_str().unwrap()));
            let told = told(&own, &requirements("exact"));
            assert_eq!(found(&told), [(id, true)]);
            let first = &told.findings[0];
            assert!(first.evidence.iter().any(|own| own.contains(seen)), "{:?}", first.evidence);
            assert!(first.fix.starts_with("Take it out") && !first.fix.contains("random"), "{}", first.fix);
            assert_eq!(first.proof.as_deref(), Some("without white space: verify passes"));
        }
    }
}

/// A parity in place of v is found beside whatever else the payer has to sign again.
#[test]
fn a_parity_for_v_is_told_beside_a_wrong_domain_payee_or_amount() {
    let parity = |text: &str| with_v(text, u8::from(text.ends_with("1c")));
    let wrong = Domain { name: "USD Coin", ..domain() };
    let told_both = signed(authorization().digest(wrong.separator()), parity);
    assert_eq!(found(&told_both), [("wrong_domain_name", true), ("signature_v", true)]);
    let own = authorization();
    for (other, id) in [
        (Authorization { to: payer().evm(), ..own }, "wrong_payee"),
        (Authorization { value: own.value / U256::from(2), ..own }, "amount_mismatch"),
    ] {
        let signature = parity(&signature(other.digest(domain().separator())));
        let told = told(&json!({"signature": signature, "authorization": written(&other)}), &requirements("exact"));
        assert_eq!(found(&told), [(id, true), ("signature_v", true)], "{:#?}", told.findings);
    }
}

#[test]
fn a_last_byte_that_is_no_parity_is_not_to_be_added_to() {
    let good = authorization().digest(domain().separator());
    for v in [17, 30, 171] {
        let told = signed(good, |text| with_v(text, v));
        let first = &told.findings[0];
        assert_eq!((first.id, first.is_proven()), ("signature_v", true));
        assert!(!first.fix.contains("Add 27"), "{}", first.fix);
        assert!(first.evidence[0].contains("which is no recovery id"), "{:?}", first.evidence);
    }
    let parity = signed(good, |text| with_v(text, u8::from(text.ends_with("1c"))));
    assert!(parity.findings[0].fix.contains("Add 27 to a parity"), "{}", parity.findings[0].fix);
}

/// What a facilitator is asked, of a payment of version 2 with requirements as version 1 writes them.
fn asked_in_version_1(payload: &Value, seconds: u64) -> Explanation {
    let accepted = requirements("exact");
    let mut asked = accepted.clone();
    asked.as_object_mut().unwrap().remove("amount");
    asked["maxAmountRequired"] = json!("10000");
    asked["network"] = json!("base-sepolia");
    asked["maxTimeoutSeconds"] = json!(seconds);
    let payment = json!({"x402Version": 2, "accepted": accepted, "payload": payload});
    let body = json!({"x402Version": 2, "paymentPayload": payment, "paymentRequirements": asked});
    let reading = read(&body.to_string());
    explain(&Question { reading, requirements: None, now: NOW, real: None, record: None, depth: Depth::Judge })
}

#[test]
fn requirements_of_version_1_beside_a_payment_of_version_2_are_their_senders_mistake() {
    let payload = |domain: Domain<'_>| {
        let signature = signature(authorization().digest(domain.separator()));
        json!({"signature": signature, "authorization": written(&authorization())})
    };
    for seconds in [60, 300] {
        let told = asked_in_version_1(&payload(domain()), seconds);
        assert_eq!(found(&told), [("v1_network_name_in_v2", true)], "{:#?}", told.findings);
        assert_eq!(told.findings[0].side, Side::Server);
        assert!(told.findings[0].evidence[0].contains("the shape of version 1"), "{:?}", told.findings[0].evidence);
        let wrong = Domain { name: "USD Coin", ..domain() };
        let both = asked_in_version_1(&payload(wrong), seconds);
        assert_eq!(found(&both), [("v1_network_name_in_v2", true), ("wrong_domain_name", true)]);
    }
}

#[test]
fn the_parts_of_a_permit_that_stand_directly_in_it_are_told_where_they_belong() {
    let own = permit(false);
    let good = signature(own.digest());
    for parts in [&["permitted"][..], &["witness"], &["permitted", "witness"]] {
        let mut flat = permitted(&own, payer().evm());
        for part in parts {
            let members = flat.as_object_mut().unwrap().remove(*part).unwrap();
            flat.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        }
        let told = told(&json!({"signature": good, "permit2Authorization": flat}), &asked(false));
        assert_eq!(found(&told), [("misplaced_field", true)], "{parts:?}: {:#?}", told.findings);
        let first = &told.findings[0];
        assert!(parts.iter().all(|part| first.fix.contains(&format!("into `{part}`"))), "{}", first.fix);
    }
}

const DIGITS: &str = "3634805107452283123456789012345678901234567890123456789012345678901234567891";

/// The nonce of Python is a whole number, and `json.dumps` writes it as one.
#[test]
fn a_nonce_that_is_a_number_is_told_with_the_digits_that_are_written() {
    let own = Permit { nonce: DIGITS.parse().unwrap(), ..permit(false) };
    let mut payment = json!({
        "x402Version": 2, "accepted": asked(false),
        "payload": {"signature": signature(own.digest()), "permit2Authorization": permitted(&own, payer().evm())},
    });
    let explained = |text: &str, record: bool| {
        let reading = if record { Reading::carried(None, serde_json::from_str(text).unwrap()) } else { read(text) };
        let requirements = Some(asked(false));
        let record = record.then(|| Record { reason: "invalid_payload".to_owned(), ..Record::default() });
        explain(&Question { reading, requirements, now: NOW, real: None, record, depth: Depth::Judge })
    };
    let text = payment.to_string().replace(&format!("\"{DIGITS}\""), DIGITS);
    assert!(text.contains(&format!("\"nonce\":{DIGITS}")));
    for is_record in [false, true] {
        let told = explained(&text, is_record);
        assert_eq!(found(&told), [("number_not_text", true)], "{:#?}", told.findings);
        let first = &told.findings[0];
        assert!(first.fix.contains("`str(nonce)` in Python"), "{}", first.fix);
        assert_eq!(first.path.as_deref(), Some("paymentPayload.payload.permit2Authorization.nonce"));
        let seen = first.evidence.join(" ");
        // What an instance has kept is the number that it read.
        assert_eq!(seen.contains(DIGITS), !is_record, "{seen}");
        assert!(!seen.contains("e+"), "{seen}");
    }
    // What it says besides is found as well.
    payment["payload"]["permit2Authorization"]["permitted"]["amount"] = json!("10001");
    let both = explained(&payment.to_string().replace(&format!("\"{DIGITS}\""), DIGITS), false);
    assert_eq!(found(&both)[0], ("number_not_text", true));
    assert_eq!(found(&both)[1], ("amount_mismatch", true), "{:#?}", both.findings);
}

#[test]
fn a_nonce_that_was_signed_as_bytes_and_is_written_as_their_number_is_told_so() {
    let own = authorization();
    let number = U256::from_be_bytes(own.nonce.0).to_string();
    let payload = json!({
        "x402Version": 2, "accepted": requirements("exact"),
        "payload": {"signature": signature(own.digest(domain().separator())), "authorization": written(&own)},
    });
    for (value, all) in [
        (format!("\"{number}\""), &[("nonce_format", true)][..]),
        (number, &[("number_not_text", true), ("nonce_format", true)]),
    ] {
        let text = payload.to_string().replace(&format!("\"{}\"", own.nonce), &value);
        let requirements = Some(requirements("exact"));
        let question =
            Question { reading: read(&text), requirements, now: NOW, real: None, record: None, depth: Depth::Judge };
        let told = explain(&question);
        assert_eq!(found(&told), all, "{:#?}", told.findings);
        let nonce = told.findings.last().unwrap();
        assert!(nonce.fix.contains("to_bytes(32"), "{}", nonce.fix);
        assert_eq!(nonce.proof.as_deref(), Some("with its 32 bytes in hexadecimal: verify passes"));
    }
}
