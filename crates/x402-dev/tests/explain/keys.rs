//! A private key that was sent in place of a payment: it is named, and nowhere kept or printed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x402_sim::networks::solana;

use crate::asker::Asker;
use crate::client::Request;
use crate::harness::{Mock, Test};

/// A key pair, and the digits of another key.
fn keys() -> (Vec<u8>, String) {
    ([[1; 32], solana::ed25519::key_of(&[1; 32]).0].concat(), "5d".repeat(32))
}

/// Every form that a key is written in.
fn forms() -> Vec<String> {
    let (pair, digits) = keys();
    let hex = pair.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let list = format!("{pair:?}");
    vec![
        solana::signature_text(&pair.clone().try_into().unwrap()),
        list.clone(),
        format!("{:?}", &pair[..32]),
        format!("Uint8Array(64) {list}"),
        digits.clone(),
        format!("0x{digits}"),
        format!("Bearer 0x{digits}"),
        hex.clone(),
        format!("0x{hex}"),
        STANDARD.encode(&pair),
        STANDARD.encode(&list),
        STANDARD.encode(format!("{:?}", &pair[..32])),
    ]
}

fn kept(mock: &Mock, what: &str) -> String {
    let ask = Request::get(format!("/_x402/api/{what}")).header("Host", mock.address.to_string());
    mock.connect().send(&ask).text()
}

/// A part of each key that is in no other text.
fn holds(text: &str, key: &str) -> bool {
    let bare = key.trim_start_matches("Uint8Array(64) ").trim_start_matches("Bearer ").trim_start_matches("0x");
    text.contains(&bare[..20]) || text.contains(&bare.replace(' ', "")[..20])
}

#[test]
fn a_key_in_the_header_of_a_payment_is_named_and_nowhere_kept() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    for key in forms() {
        for name in ["PAYMENT-SIGNATURE", "X-PAYMENT"] {
            mock.send(&Request::get("/report").header(name, &key)).assert_status(402);
            for what in ["refusals", "events"] {
                let kept = kept(&mock, what);
                assert!(!holds(&kept, &key), "{name}: {key}: {kept}");
            }
            let told = asker.json(&["explain", "last", "--url", &mock.url]);
            assert!(!holds(&told.to_string(), &key), "{name}: {key}: {told}");
            // What is kept tells as much as the key did.
            let alone = asker.json(&["explain", &format!("{name}: {key}")]);
            assert!(!holds(&alone.to_string(), &key), "{name}: {key}: {alone}");
            for told in [&told, &alone] {
                let id = if key.contains(&keys().1) { "hash_or_key" } else { "secret_key_form" };
                assert_eq!(told["findings"][0]["id"], id, "{name}: {key}: {told}");
            }
            for part in ["evidence", "fix", "certainty"] {
                assert_eq!(told["findings"][0][part], alone["findings"][0][part], "{name}: {key}");
            }
        }
    }
}

#[test]
fn a_key_as_the_signature_of_a_payment_is_named_and_nowhere_printed_or_kept() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let key = format!("0x{}", keys().1);
    asker.file("offer.b64", mock.get("/report").header("payment-required").unwrap());
    let signed = asker.run(&["sign", "offer.b64"]).stdout;
    let mut payment: serde_json::Value = x402_wire::header::decode(signed.trim()).unwrap();
    let signature = payment["payload"]["signature"].as_str().unwrap().to_owned();
    payment["payload"]["signature"] = key.as_str().into();
    let header = STANDARD.encode(payment.to_string());
    mock.send(&Request::get("/report").header("PAYMENT-SIGNATURE", &header)).assert_status(402);
    for what in ["refusals", "events"] {
        let kept = kept(&mock, what);
        assert!(!holds(&kept, &key), "{what}: {kept}");
    }
    asker.file("payment.json", payment.to_string());
    asker.file("log.txt", format!("settling {payment} for GET /report\n"));
    for args in [&["last", "--url", &mock.url][..], &["payment.json"], &["log.txt"]] {
        for form in [&[][..], &["--markdown"], &["--json"]] {
            let run = asker.run(&[&["explain"][..], args, form].concat());
            assert_eq!(run.code, Some(0), "{run:?}");
            assert!(!holds(&format!("{run:?}"), &key) && run.stdout.contains("32 bytes"), "{args:?}: {run:?}");
        }
        let told = asker.json(&[&["explain"][..], args].concat());
        assert_eq!(told["findings"][0]["id"], "signature_length", "{told}");
        assert!(told["findings"][0]["fix"].as_str().unwrap().starts_with("If it is a private key"), "{told}");
    }
    // A signature may be read.
    assert!(asker.run(&["explain", signed.trim()]).stdout.contains(&signature));
}

#[test]
fn a_key_as_the_proof_of_an_invoice_or_in_a_silent_dialect_is_nowhere_kept() {
    let asker = Asker::new();
    for (spoken, name) in [("invoice", "X-Payment-Proof"), ("x402v2", "X-PAYMENT")] {
        let mock = Test::new().config(&format!("dialects: [{spoken}]\n")).start();
        for key in forms() {
            mock.send(&Request::get("/report").header(name, &key)).assert_status(402);
            let (kept, told) = (kept(&mock, "refusals"), asker.run(&["explain", "last", "--url", &mock.url]));
            assert!(!holds(&kept, &key) && kept.contains("<cut out>: "), "{name}: {key}: {kept}");
            assert!(!told.stdout.is_empty() && !holds(&format!("{told:?}"), &key), "{name}: {key}: {told:?}");
        }
    }
}

#[test]
fn the_hash_and_the_signature_of_a_transaction_are_told_for_what_they_are() {
    let asker = Asker::new();
    let hash = asker.json(&["explain", &format!("X-Payment-Proof: 0x{}", "5d".repeat(32))]);
    assert_eq!(hash["findings"][0]["id"], "invoice_proof", "{hash}");
    assert!(
        hash["findings"][0]["evidence"].to_string().contains("a hash, as transactions on EVM chains have"),
        "{hash}"
    );
    let signature = solana::signature_text(&[7; 64]);
    let told = asker.json(&["explain", &format!("X-PAYMENT: {signature}")]);
    assert_eq!(told["findings"][0]["id"], "invoice_proof_misplaced", "{told}");
    assert!(told.to_string().contains(&signature), "{told}");
}
