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
    entry["authorizations"][0]["answers"] = serde_json::json!(["402 invalid_exact_evm_insufficient_balance"]);
    fs::create_dir(purchases.join(&open)).unwrap();
    fs::write(purchases.join(&open).join("entry.json"), entry.to_string()).unwrap();
    let with_open = files(&purchases);
    let told = asker.json(&["explain", &open]);
    assert!(told["notes"][0].as_str().unwrap().contains(&format!("x402-dev pay --resume {open}")), "{told}");
    assert_eq!(ids(&told)[0], "insufficient_balance", "{told}");
    assert_eq!(told["findings"][0]["certainty"], "possible");
    assert_eq!(files(&purchases), with_open);
    assert!(before.iter().all(|file| with_open.contains(file)));
}

#[test]
fn a_purchase_that_nobody_made_is_said_to_be_unknown() {
    let asker = Asker::new();
    let run = asker.run(&["explain", "pay_0123456789abcdef0123456789abcdef"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("holds no purchase") && run.stderr.contains("pay --list"), "{run:?}");
}
