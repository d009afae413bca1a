//! Purchases of `pay`, by the names that it gives them: its journal is read, and not changed.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::asker::{Asker, ids};
use crate::harness::Test;

/// Every file below a directory, with its content.
fn files(place: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

/// The value of a field in any section.
fn field<'a>(explanation: &'a Value, label: &str) -> &'a str {
    let sections = explanation["sections"].as_array().unwrap().iter();
    let mut fields = sections.flat_map(|section| section["fields"].as_array().unwrap());
    fields.find(|field| field["label"] == label).unwrap()["value"].as_str().unwrap()
}

#[test]
fn a_purchase_of_pay_is_found_in_its_journal_open_or_ended() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let url = format!("{}/report", mock.url);
    let paid = asker.json(&["pay", &url, "--as", "alice"]);
    let id = paid["purchase"]["id"].as_str().unwrap();
    let purchases = asker.directory().join("home/purchases");
    let before = files(&purchases);
    let told = asker.json(&["explain", id]);
    assert_eq!((told["kind"].as_str(), ids(&told).len()), (Some("record"), 0), "{told}");
    assert_eq!((field(&told, "state"), field(&told, "price")), ("paid and delivered", "0.01 USDC"));
    assert_eq!(field(&told, "request"), format!("GET {url}"));

    // The same purchase as a crash would have left it, under another name: its outcome is open.
    let open = format!("pay_{}", "0a".repeat(16));
    let mut entry = paid["purchase"].clone();
    entry["id"] = Value::from(open.as_str());
    entry["ending"] = Value::Null;
    entry["authorizations"][0]["answers"] = serde_json::json!(["refused: invalid_exact_evm_insufficient_balance"]);
    fs::create_dir(purchases.join(&open)).unwrap();
    fs::write(purchases.join(&open).join("entry.json"), entry.to_string()).unwrap();
    let with_open = files(&purchases);
    let told = asker.json(&["explain", &open]);
    assert!(told["notes"][0].as_str().unwrap().contains(&format!("x402-dev pay --resume {open}")), "{told}");
    assert_eq!(ids(&told)[0], "insufficient_balance", "{told}");
    assert_eq!(told["findings"][0]["certainty"], "possible");
    assert_eq!(files(&purchases), with_open);
    // What the chain has not shown is not called paid, whatever the seller says.
    assert_eq!(field(&told, "state"), "open: it is paid, says the seller, and not delivered");
    entry["standing"] = serde_json::json!({
        "outcome": "unknown", "words": "0.01 USDC to 0xc on eip155:84532 was not paid up to block 16 (2027-01-15T08:00:00.000Z)",
    });
    fs::write(purchases.join(&open).join("entry.json"), entry.to_string()).unwrap();
    let told = asker.json(&["explain", &open]);
    assert!(field(&told, "state").starts_with("open: its outcome is not known: the seller says"), "{told}");
    assert!(!told["notes"][0].as_str().unwrap().contains("it is paid, says"), "{told}");
    assert!(before.iter().all(|file| with_open.contains(file)));
}

#[test]
fn a_purchase_that_nobody_made_is_said_to_be_unknown() {
    let asker = Asker::new();
    let run = asker.run(&["explain", "pay_0123456789abcdef0123456789abcdef"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("holds no purchase") && run.stderr.contains("pay --list"), "{run:?}");
}

#[test]
fn what_became_of_a_payment_that_was_sent_is_told_by_the_answers_and_never_as_none_that_was_sent() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let (url, rpc) = (format!("{}/report", mock.url), format!("{}/_x402/rpc/eip155:84532", mock.url));
    for (preset, first, state) in [
        ("5xx_after_settle", "nonce_used", "open: it is paid, and not delivered"),
        ("double_402", "header_stripped", "open: it is paid, and not delivered"),
        ("truncated", "nonce_used", "open: it is paid, and not delivered"),
        ("pending_forever", "settlement_pending", "open: its outcome is not known"),
        ("price_bait", "offer_changed", "refused"),
        ("wrong_receipt", "receipt_mismatch", "paid and delivered"),
        ("lost_receipt", "receipt_missing", "paid and delivered"),
        ("fake_delivery", "empty_content", "paid and delivered"),
    ] {
        for words in [&["clear"][..], &["add", preset, "--door", "resources"]] {
            let run = asker.run(&[&["fault"], words, &["--url", &mock.url]].concat());
            assert_eq!(run.code, Some(0), "{preset}: {run:?}");
        }
        let run = asker.run(&["pay", &url, "--rpc", &rpc, "--retry-delay", "0", "--another", "--json"]);
        let paid: Value = serde_json::from_str(&run.stdout).unwrap();
        let id = paid["purchase"]["id"].as_str().unwrap_or_else(|| panic!("{preset}: {paid}"));
        let told = asker.json(&["explain", id]);
        let found = ids(&told);
        assert_eq!(found.first().map(String::as_str), Some(first), "{preset}: {told}");
        assert!(!found.contains(&"no_payment_sent".to_owned()), "{preset}: {told}");
        assert!(!found.contains(&"v1_header_name".to_owned()), "{preset}: {told}");
        assert_eq!(field(&told, "state"), state, "{preset}: {told}");
        if preset == "wrong_receipt" {
            let message = paid["message"].as_str().unwrap();
            assert!(message.starts_with("delivered for ") && message.contains("the seller says"), "{message}");
        }
    }
}

#[test]
fn the_purchase_of_an_invoice_is_told_in_its_own_units_and_by_its_transaction() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let url = format!("{}/report", mock.url);
    let paid = asker.json(&["pay", &url, "--as", "alice", "--dialect", "invoice"]);
    let id = paid["purchase"]["id"].as_str().unwrap();
    let text = asker.run(&["explain", id]).stdout;
    assert!(text.contains("in whole units of USDC") && !text.contains("atomic units"), "{text}");

    // A seller who did not see the transaction.
    let open = format!("pay_{}", "0b".repeat(16));
    let mut entry = paid["purchase"].clone();
    entry["id"] = Value::from(open.as_str());
    entry["ending"] = Value::Null;
    entry["authorizations"][0]["answers"] = serde_json::json!(["unclear: 402 Payment Required: no reason given"]);
    let transaction = entry["authorizations"][0]["transactions"][0].as_str().unwrap().to_owned();
    let place = asker.directory().join("home/purchases").join(&open);
    fs::create_dir(&place).unwrap();
    fs::write(place.join("entry.json"), entry.to_string()).unwrap();
    let told = asker.json(&["explain", &open]);
    assert_eq!(ids(&told), ["invoice_refused"], "{told}");
    let finding = &told["findings"][0];
    assert!(finding["evidence"].to_string().contains(&format!("{transaction} was on the chain")), "{told}");
    assert!(finding["fix"].as_str().unwrap().contains("do not pay again"), "{told}");
    assert_eq!(field(&told, "state"), "open: it is paid, and not delivered");
}

/// A chain in memory loses its transactions when it is started anew. Nothing is said to be on it that is not.
#[test]
fn a_transaction_that_the_chain_has_lost_is_not_said_to_be_on_it() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let url = format!("{}/report", mock.url);
    let done = |args: &[&str]| assert_eq!(asker.run(args).code, Some(0), "{args:?}");
    done(&["fault", "add", "reset_after_settle", "--times", "1", "--url", &mock.url]);
    let run = asker.run(&["pay", &url, "--dialect", "invoice", "--retry", "0", "--json"]);
    let paid: Value = serde_json::from_str(&run.stdout).unwrap();
    let id = paid["purchase"]["id"].as_str().unwrap();
    assert_eq!(field(&asker.json(&["explain", id]), "state"), "open: it is paid, and not delivered");
    done(&["fault", "clear", "--url", &mock.url]);
    done(&["reset", "--url", &mock.url]);
    let run = asker.run(&["pay", "--resume", id, "--retry", "0"]);
    assert!(run.stderr.contains("which the chain showed then, and does not show now"), "{run:?}");
    let told = asker.json(&["explain", id]);
    assert_eq!(field(&told, "state"), "open: it was paid, and the chain does not show that any more", "{told}");
    let refused = told["findings"].as_array().unwrap().iter().find(|own| own["id"] == "invoice_refused").unwrap();
    let seen = refused["evidence"].to_string();
    assert!(seen.contains("and not when the chain was asked last: a mock keeps its chain in memory"), "{told}");
    assert!(!told.to_string().contains("is on the chain"), "{told}");
}
