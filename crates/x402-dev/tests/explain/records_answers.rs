//! Records of requests: what comes for a payment besides a refusal, and what is to be seen of invoices.

use serde_json::{Value, json};
use x402_wire::header::encode_text;

use crate::asker::{Asker, ids};
use crate::harness::{Mock, Test};

const PAYER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/// A signature of Solana that no chain has.
fn signature() -> String {
    x402_sim::networks::solana::signature_text(&[7; 64])
}

fn payment(asker: &Asker, mock: &Mock) -> String {
    asker.file("offer.b64", mock.get("/report").header("payment-required").unwrap());
    asker.run(&["sign", "offer.b64", "--as", "0"]).stdout.trim().to_owned()
}

fn receipt(payer: &str, transaction: &str) -> Value {
    let receipt = json!({"success": true, "transaction": transaction, "network": "eip155:84532", "payer": payer});
    json!({ "name": "PAYMENT-RESPONSE", "value": encode_text(&receipt.to_string()) })
}

/// An answer of an archive to a request with these fields.
fn entry(sent: &[(&str, &str)], status: u16, fields: &[Value], body: &str) -> Value {
    let sent: Vec<Value> = sent.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    json!({
        "request": { "method": "GET", "url": "http://127.0.0.1:1/report", "headers": sent },
        "response": { "status": status, "headers": fields, "content": { "text": body, "size": body.len() } },
    })
}

fn explained(asker: &Asker, entries: &[Value]) -> Value {
    asker.file("record.har", json!({ "log": { "entries": entries } }).to_string());
    asker.json(&["explain", "record.har"])
}

#[test]
fn what_came_for_a_payment_instead_of_content_is_named() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let header = payment(&asker, &mock);
    let paid = [("PAYMENT-SIGNATURE", header.as_str())];
    let good = receipt(PAYER, "0x01");
    let to = |target: &str| json!({ "name": "Location", "value": target });
    let broken = |mut entry: Value, cause: &str| {
        entry["response"]["_error"] = Value::from(cause);
        entry
    };
    for (own, id, seen) in [
        (broken(entry(&paid, 0, &[], ""), "nothing within 2 s"), "answer_broken_off", "no answer: nothing within 2 s"),
        (
            broken(entry(&paid, 200, std::slice::from_ref(&good), "con"), "reset"),
            "answer_broken_off",
            "200 was broken off: reset",
        ),
        (
            entry(&paid, 302, &[to("http://127.0.0.2:1/other?k=s3cret")], ""),
            "payment_redirected",
            "302 to http://127.0.0.2:1/other",
        ),
        (entry(&paid, 200, std::slice::from_ref(&good), ""), "empty_content", "200 and 0 bytes"),
        (entry(&paid, 200, &[receipt("0x01", "0x01")], "content"), "receipt_mismatch", "names the payer 0x01"),
        (entry(&paid, 200, &[receipt(PAYER, "")], "content"), "receipt_mismatch", "names no transaction"),
    ] {
        let told = explained(&asker, std::slice::from_ref(&own));
        assert_eq!(ids(&told), [id], "{told}");
        let evidence = told["findings"][0]["evidence"].to_string();
        assert!(evidence.contains(seen) && !evidence.contains("s3cret"), "{told}");
        // What was lost comes when the same payment is presented again.
        let again = entry(&paid, 200, std::slice::from_ref(&good), "content");
        if !id.starts_with("receipt") {
            assert!(ids(&explained(&asker, &[own, again])).is_empty(), "{id}");
        }
    }
    let benign = [
        entry(&paid, 200, &[receipt(&PAYER.to_lowercase(), "0x01")], "content"),
        entry(&paid, 204, std::slice::from_ref(&good), ""),
    ];
    for own in benign {
        assert!(ids(&explained(&asker, std::slice::from_ref(&own))).is_empty(), "{own}");
    }
    // A redirect that somebody follows with the payment.
    let mut next = entry(&paid, 200, &[good], "content");
    next["request"]["url"] = json!("http://127.0.0.1:1/other");
    let told = explained(&asker, &[entry(&paid, 308, &[to("/other")], ""), next]);
    assert!(ids(&told).is_empty(), "{told}");
}

#[test]
fn an_offer_that_changed_comes_before_a_header_that_was_perhaps_lost() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let header = payment(&asker, &mock);
    let offer = mock.get("/report").header("payment-required").unwrap().to_owned();
    let mut other: Value = x402_wire::header::decode(&offer).unwrap();
    let field = |offer: &str| json!({ "name": "PAYMENT-REQUIRED", "value": offer });
    let paid = [("PAYMENT-SIGNATURE", header.as_str())];
    let told = explained(&asker, &[entry(&[], 402, &[field(&offer)], "{}"), entry(&paid, 402, &[field(&offer)], "{}")]);
    assert_eq!(ids(&told), ["header_stripped"], "{told}");
    for entry in other["accepts"].as_array_mut().unwrap() {
        entry["payTo"] = json!("0x209693Bc6afc0C5328bA36FaF03C514EF312287C");
    }
    let other = encode_text(&other.to_string());
    let told = explained(&asker, &[entry(&[], 402, &[field(&offer)], "{}"), entry(&paid, 402, &[field(&other)], "{}")]);
    assert_eq!(ids(&told), ["offer_changed", "header_stripped"], "{told}");
}

#[test]
fn invoices_are_read_and_looked_at_wherever_they_stand() {
    let asker = Asker::new();
    let own =
        "recipient=2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab amount=0.01 currency=USDC memo=req-1 network=devnet";
    let challenge = |text: &str| json!({ "name": "WWW-Authenticate", "value": format!("x402-solana {text}") });
    let evm = own.replace("2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab", "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720");
    for (text, found) in [
        (own.to_owned(), None),
        (evm.clone(), Some("address_of_other_family")),
        (own.replace(" memo=req-1", ""), Some("invoice_unpayable")),
    ] {
        let parts = text.split(' ').filter_map(|part| part.split_once('='));
        let body = json!({ "invoice": parts.map(|(name, value)| (name.to_owned(), value.into())).collect::<serde_json::Map<_, _>>() });
        for entry in [entry(&[], 402, &[challenge(&text)], "{}"), entry(&[], 402, &[], &body.to_string())] {
            let told = explained(&asker, std::slice::from_ref(&entry));
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            let others = ids(&told).into_iter().filter(|id| id != "offer_header_missing").collect::<Vec<_>>();
            assert_eq!(others, found, "{told}");
            let sections = told["sections"].to_string();
            assert!(sections.contains("\"invoice\"") && sections.contains("an invoice came back"), "{told}");
        }
    }
    let told = asker.json(&["explain", &format!("WWW-Authenticate: x402-solana {evm}")]);
    assert_eq!(ids(&told), ["address_of_other_family"]);
    assert!(!told["sections"].to_string().contains("merchant"), "{told}");
}

#[test]
fn an_invoice_in_a_body_is_read_by_its_members() {
    let asker = Asker::new();
    let mut invoice = json!({
        "recipient": "2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab", "amount": 0.01, "currency": "USDC",
        "memo": "order 12, again", "network": "devnet",
    });
    let told = explained(&asker, &[entry(&[], 402, &[], &json!({ "invoice": invoice }).to_string())]);
    assert!(!ids(&told).contains(&"invoice_unpayable".to_owned()), "{told}");
    let drawn = told["sections"].to_string();
    assert!(drawn.contains("0.01") && drawn.contains("order 12, again"), "{told}");
    invoice["amount"] = json!(0);
    let told = explained(&asker, &[entry(&[], 402, &[], &json!({ "invoice": invoice }).to_string())]);
    let found = told["findings"].as_array().unwrap().iter().find(|own| own["id"] == "invoice_unpayable");
    assert_eq!(found.map(|own| own["evidence"].as_array().unwrap().len()), Some(1), "{told}");
}

#[test]
fn the_proof_of_an_invoice_is_missed_where_it_stands_elsewhere_or_is_not_taken() {
    let (asker, proof) = (Asker::new(), signature());
    let called = format!("x402-solana {proof}");
    let bearer = format!("Bearer {proof}");
    let challenge = json!({ "name": "WWW-Authenticate", "value": "x402-solana recipient=2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab \
        amount=0.01 currency=USDC memo=req-1 network=devnet" });
    for (sent, fields, found) in [
        (("Authorization", called.as_str()), vec![], Some("invoice_proof_misplaced")),
        (("Authorization", bearer.as_str()), vec![challenge.clone()], Some("invoice_proof_misplaced")),
        (("Authorization", bearer.as_str()), vec![], None),
        (("X-PAYMENT", proof.as_str()), vec![], Some("invoice_proof_misplaced")),
        (("X-Payment-Proof", proof.as_str()), vec![challenge], Some("invoice_refused")),
    ] {
        let told = explained(&asker, &[entry(&[sent], 402, &fields, "{}")]);
        let all = ids(&told);
        let found = found.map(str::to_owned);
        let own = all.iter().find(|id| id.starts_with("invoice")).cloned();
        assert_eq!(own, found, "{sent:?}: {told}");
    }
    let told = asker.json(&["explain", &format!("X-PAYMENT: {proof}")]);
    assert_eq!(ids(&told), ["invoice_proof_misplaced"]);
    assert!(told["findings"][0]["fix"].as_str().unwrap().contains(&format!("X-Payment-Proof: {proof}")), "{told}");
}
