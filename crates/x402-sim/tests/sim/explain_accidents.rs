//! Accidents whose cause stands beside what is refused: a clock, decimals, a token, an entry that is none.

use alloy_primitives::U256;
use serde_json::{Value, json};
use x402_sim::explain::Explanation;
use x402_sim::explain::case::Record;
use x402_sim::networks::eip155::eip712::Authorization;

use crate::explain_causes::{ids, requirements, signed, told};
use crate::explain_typed::{NOW, authorization, domain, requirements as eip3009, signature, told as typed, written};

/// What an instance's record is explained by.
fn recorded(payload: &Value, asked: &Value, reason: &str, message: &str) -> Explanation {
    let (reason, message) = (reason.to_owned(), Some(message.to_owned()));
    let record = Record { reason, message, ..Record::default() };
    told(
        &format!("PAYMENT-SIGNATURE: {}", x402_wire::header::encode_text(&payload.to_string())),
        Some(asked),
        Some(record),
    )
}

#[test]
fn a_payment_that_begins_in_the_second_of_its_verification_is_told_as_that() {
    for (now, is_written_at_once) in [(NOW, true), (NOW - 600, false)] {
        let own = Authorization { valid_after: U256::from(now), ..authorization() };
        let signature = signature(own.digest(domain().separator()));
        let explanation = typed(&json!({"signature": signature, "authorization": written(&own)}), &eip3009("exact"));
        let wanted: &[(&str, bool)] = if is_written_at_once { &[("not_yet_valid", true)] } else { &[] };
        assert_eq!(ids(&explanation), wanted);
    }
    // Milliseconds of this second are one mistake.
    let own = Authorization {
        valid_after: U256::from(NOW * 1000),
        valid_before: U256::from((NOW + 300) * 1000),
        ..authorization()
    };
    let signature = signature(own.digest(domain().separator()));
    let explanation = typed(&json!({"signature": signature, "authorization": written(&own)}), &eip3009("exact"));
    assert_eq!(ids(&explanation), [("times_in_milliseconds", true)]);
}

#[test]
fn who_lacks_the_money_for_a_price_of_18_decimals_is_not_sent_to_a_faucet() {
    let mut asked = requirements();
    asked["amount"] = "10000000000000000".into();
    let payload = signed(&asked, NOW);
    let message = "0xf39 holds 1000000000000 (1000000 USDC) (ERC20: transfer amount exceeds balance)";
    let explanation = recorded(&payload, &asked, "invalid_exact_evm_insufficient_balance", message);
    assert_eq!(ids(&explanation), [("amount_decimals", false), ("insufficient_balance", false)]);
    assert_eq!(explanation.findings[0].path.as_deref(), Some("paymentRequirements.amount"));
    // Who lacks the money for an ordinary one is.
    let asked = requirements();
    let explanation = recorded(&signed(&asked, NOW), &asked, "invalid_exact_evm_insufficient_balance", message);
    assert_eq!(ids(&explanation), [("insufficient_balance", true)]);
}

#[test]
fn a_token_that_the_mock_does_not_know_can_be_taught_it() {
    let mut asked = requirements();
    asked["asset"] = "0x808456652fdb597867f38412077A9182bf77359F".into();
    asked["extra"] = json!({"name": "EURC", "version": "2"});
    let message =
        "there is no contract at 0x808456652fdb597867f38412077A9182bf77359F on eip155:84532; known there: USDC";
    let explanation = recorded(&signed(&asked, NOW), &asked, "asset_not_deployed_contract", message);
    assert_eq!(ids(&explanation), [("asset_unknown", false)]);
    assert!(explanation.findings[0].fix.contains("`networks:`"), "{:?}", explanation.findings[0]);
    // Without its domain nothing of another token's is offered for it.
    asked["extra"] = json!({});
    let explanation = told(&asked.to_string(), None, None);
    let finding = explanation.findings.iter().find(|finding| finding.id == "domain_missing").unwrap();
    assert!(finding.evidence.iter().all(|seen| !seen.contains("this asset's are")), "{finding:?}");
    let line = &finding.code.iter().find(|line| line.sdk == "ts-express").unwrap().line;
    assert!(line.contains("0x808456652fdb597867f38412077A9182bf77359F") && !line.contains("USDC"), "{line}");
}

#[test]
fn what_stands_for_the_accepted_entry_is_one_finding() {
    let asked = requirements();
    for said in [json!(0), json!("exact"), json!(true)] {
        let mut payload = signed(&asked, NOW);
        payload["accepted"] = said.clone();
        for record in [None, Some("No matching payment requirements")] {
            let explanation = match record {
                Some(reason) => recorded(&payload, &asked, reason, ""),
                None => told(&payload.to_string(), Some(&asked), None),
            };
            assert_eq!(ids(&explanation), [("accepted_missing", true)], "{said}");
        }
    }
    let empty = told("PAYMENT-SIGNATURE: e30=", None, None);
    assert_eq!(ids(&empty), [("promise_sent", false)]);
}
