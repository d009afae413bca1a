//! The corpus in `fixtures/explain`: broken cases whose cause must come first, and sound ones that must give no finding.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use x402_sim::explain::finding::entries;

use crate::asker::{Asker, ids};

/// Every case, by its name.
pub(crate) fn cases() -> Vec<Value> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/explain");
    let mut files: Vec<_> = std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "json"));
    files.sort();
    files.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
}

pub(crate) fn explained(case: &Value) -> Value {
    let asker = Asker::new();
    asker.file("input.txt", case["input"].as_str().unwrap());
    let at = case["at"].to_string();
    let mut args = vec!["explain", "input.txt", "--at", &at];
    if !case["requirements"].is_null() {
        asker.file("asked.json", case["requirements"].to_string());
        args.extend(["--requirements", "asked.json"]);
    }
    asker.json(&args)
}

#[test]
fn the_cause_comes_first() {
    let broken: Vec<Value> = cases().into_iter().filter(|case| !case["expect"].is_null()).collect();
    let public = broken.iter().filter(|case| case["source"].as_str().unwrap().contains('#')).count();
    assert!(broken.len() >= 60 && public >= 20, "{} cases, {public} of public threads", broken.len());
    let wrong: Vec<String> = broken
        .iter()
        .filter_map(|case| {
            let found = ids(&explained(case));
            let right = found.first().map(String::as_str) == case["expect"].as_str();
            (!right).then(|| format!("{}: found {found:?}, expected {}", case["name"], case["expect"]))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), broken.len(), wrong.join("\n"));
}

/// Findings that no text alone leads to, and the tests that lead to them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("settled_too_late", include_str!("past.rs")),
    ("v1_offer_in_v2_header", include_str!("asked_urls.rs")),
    ("v1_resource_not_url", include_str!("asked_urls.rs")),
    ("clock_moved", include_str!("instance.rs")),
    ("simulation_mode", include_str!("instance.rs")),
    ("foreign_blockhash", include_str!("blame.rs")),
    ("kind_not_supported", include_str!("blame.rs")),
    ("fault_played", include_str!("blame.rs")),
    ("persona_played", include_str!("instance.rs")),
    ("reason_unknown", include_str!("blame.rs")),
    ("header_refused", include_str!("records.rs")),
    ("rate_limited", include_str!("records.rs")),
    ("facilitator_failed", include_str!("records.rs")),
    ("facilitator_unauthorized", include_str!("logs.rs")),
    ("nobody_reached", include_str!("logs.rs")),
    ("wrong_facilitator_url", include_str!("logs.rs")),
    ("payment_not_in_header", include_str!("stray.rs")),
    ("client_left", include_str!("last.rs")),
    ("verified_not_settled", include_str!("last.rs")),
    ("facilitator_method", include_str!("last.rs")),
    ("version_not_taken", include_str!("last.rs")),
    ("answer_broken_off", include_str!("records_answers.rs")),
    ("payment_redirected", include_str!("records_answers.rs")),
    ("empty_content", include_str!("records_answers.rs")),
    ("receipt_mismatch", include_str!("records_answers.rs")),
    ("invoice_refused", include_str!("records_answers.rs")),
    ("server_failed_unpaid", include_str!("records_offers.rs")),
    ("requirements_not_offered", include_str!("sides.rs")),
    ("offer_of_other_resource", include_str!("sides.rs")),
    ("transfer_decimals", include_str!("../../../x402-sim/tests/sim/explain_causes.rs")),
    ("token_account_missing", include_str!("../../../x402-sim/tests/sim/explain_transactions.rs")),
    ("compute_limit_too_low", include_str!("../../../x402-sim/tests/sim/explain_transactions.rs")),
    ("message_without_signatures", include_str!("../../../x402-sim/tests/sim/explain_transactions.rs")),
    ("signature_for_transaction", include_str!("../../../x402-sim/tests/sim/explain_transactions.rs")),
    ("wrong_token_program", include_str!("../../../x402-sim/tests/sim/explain_transactions.rs")),
    ("charge_exceeds_permit", include_str!("../../../x402-sim/tests/sim/explain_charges.rs")),
    ("charge_not_whole", include_str!("../../../x402-sim/tests/sim/explain_charges.rs")),
    ("permit2_not_named", include_str!("../../../x402-sim/tests/sim/explain_charges.rs")),
    ("duration_not_time", include_str!("../../../x402-sim/tests/sim/explain_charges.rs")),
    ("witness_facilitator_missing", include_str!("../../../x402-sim/tests/sim/explain_charges.rs")),
];

/// A finding that nothing leads to is a claim that nobody has looked at.
#[test]
fn every_finding_is_come_to_by_a_case() {
    let all: BTreeSet<String> = cases().iter().flat_map(|case| ids(&explained(case))).collect();
    let is_missing = |id: &str| {
        // Every refusal of an invoice has a finding of its own, and comes about in one place.
        let of_invoice = include_str!("invoices.rs").contains(&format!("\"{id}\""));
        if id.starts_with("invoice_") && of_invoice {
            return false;
        }
        let elsewhere = ELSEWHERE.iter().find(|(own, _)| *own == id);
        let named = elsewhere.is_some_and(|(id, test)| test.contains(&format!("\"{id}\"")));
        !all.contains(id) && !named
    };
    let missing: Vec<&str> = entries().iter().map(|entry| entry.id.as_str()).filter(|id| is_missing(id)).collect();
    assert!(missing.is_empty(), "no case leads to {missing:?}");
}

#[test]
fn what_is_sound_gives_no_finding() {
    for case in cases().into_iter().filter(|case| case["expect"].is_null()) {
        let explanation = explained(&case);
        assert!(ids(&explanation).is_empty(), "{}: {:?}", case["name"], explanation["findings"]);
    }
}

#[test]
fn decoding_judges_nothing() {
    for case in cases() {
        let asker = Asker::new();
        asker.file("input.txt", case["input"].as_str().unwrap());
        let run = asker.run(&["decode", "input.txt", "--json"]);
        if run.code == Some(0) {
            let decoded: Value = serde_json::from_str(&run.stdout).unwrap();
            // A page of the manual is the same for both.
            if decoded["kind"] == "reason" {
                continue;
            }
            assert!(ids(&decoded).is_empty() && decoded["verdict"].is_null(), "{}: {decoded}", case["name"]);
        } else {
            assert_eq!(run.code, Some(1), "{}: {run:?}", case["name"]);
        }
    }
}
