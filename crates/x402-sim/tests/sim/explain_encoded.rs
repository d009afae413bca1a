//! Transactions of Solana that are written otherwise than in plain base64, beside another mistake or none.

use alloy_primitives::hex;
use serde_json::{Value, json};
use x402_sim::accounts;
use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, explain};
use x402_sim::explain::read::read;
use x402_sim::networks::solana::key_of;
use x402_sim::networks::solana::transaction::Transaction;

use crate::explain_made::NOW;
use crate::explain_transactions::{asked, first, ids, payload, terms, transaction};

/// What is found in a payment whose transaction is written in some way, with a fee payer in the requirements.
fn told(own: &Transaction, text: &str, fee_payer: &str) -> Explanation {
    let mut payment: Value = payload(own);
    payment["payload"]["transaction"] = json!(text);
    payment["accepted"]["extra"]["feePayer"] = json!(fee_payer);
    let mut asked = asked();
    asked["extra"]["feePayer"] = json!(fee_payer);
    let reading = read(&payment.to_string());
    explain(&Question { reading, requirements: Some(asked), now: NOW, real: None, record: None, depth: Depth::Judge })
}

fn fee_payer() -> String {
    terms().fee_payer.to_string()
}

/// Ways to write a transaction, and what they are told as.
fn ways(own: &Transaction) -> [(String, &'static str); 4] {
    let text = own.to_base64();
    let (head, tail) = text.split_at(76);
    [
        (hex::encode(own.encode()), "transaction_hex"),
        (format!("{text}\n"), "base64_whitespace"),
        (format!("{head}\n{tail}"), "base64_whitespace"),
        (format!("{head} {tail}"), "base64_whitespace"),
    ]
}

#[test]
fn white_space_in_a_transaction_is_not_taken_for_another_alphabet() {
    let own = transaction(&first(), |_| {});
    for (text, id) in ways(&own) {
        let told = told(&own, &text, &fee_payer());
        assert_eq!(ids(&told), [(id, true)], "{text}: {:#?}", told.findings);
        assert!(told.findings[0].proof.as_ref().unwrap().ends_with(": verify passes"), "{:?}", told.findings[0].proof);
    }
}

/// Who pays his own fee is told so once the transaction can be read, and nothing is said of whose tokens they are.
#[test]
fn a_payer_of_his_own_fee_is_told_behind_the_way_that_it_is_written() {
    let payer = first();
    let own = transaction(&payer, |draft| draft.fee_payer = key_of(&payer));
    for (text, id) in ways(&own) {
        let told = told(&own, &text, &fee_payer());
        assert_eq!(ids(&told), [(id, true), ("fee_payer_mismatch", true)], "{text}: {:#?}", told.findings);
    }
}

/// The facilitator of somebody else is no mistake behind another encoding; another fee payer than his is one.
#[test]
fn a_fee_payer_that_is_not_ours_is_compared_once_the_transaction_can_be_read() {
    let theirs = key_of(&accounts::test_accounts().nth(5).unwrap());
    let own = transaction(&first(), |draft| draft.fee_payer = theirs);
    for (text, id) in ways(&own) {
        let good = told(&own, &text, &theirs.to_string());
        assert_eq!(ids(&good), [(id, true)], "{text}: {:#?}", good.findings);
        let other = "9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin";
        let mismatch = told(&own, &text, other);
        assert_eq!(ids(&mismatch), [(id, true), ("fee_payer_mismatch", true)], "{text}: {:#?}", mismatch.findings);
        assert!(mismatch.findings[1].evidence[0].contains(other), "{:?}", mismatch.findings[1].evidence);
    }
}
