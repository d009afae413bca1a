//! What is settled of `upto`: whoever is paid asks for what was used, in the place of the price.
//!
//! Source: TS 2.27 core `resolveSettlementOverrideAmount`, and `settleUptoPermit2` of its EVM facilitator.

use alloy_primitives::U256;
use serde_json::Value;
use x402_wire::amount::parse_atomic;
use x402_wire::shape::shorten;

use super::compare::moved;
use super::draw::units;
use super::explanation::Explanation;
use super::finding::Finding;
use super::kind::Kind;
use super::{case, money_of};

const AT: &str = "paymentRequirements.amount";

/// The requirements of a request to settle `upto` as they were verified: the amount in them is what is charged, and any
/// one up to the signed one is right. Nothing where it is no such request.
pub(super) fn verified(
    question: &case::Question,
    payload: &Value,
    asked: &Value,
    explanation: &mut Explanation,
) -> Option<Value> {
    let accepted = payload.get("accepted")?;
    let of = |terms: &Value, key: &str| terms.get(key).and_then(Value::as_str).map(str::to_owned);
    let is_upto = [accepted, asked].iter().all(|terms| of(terms, "scheme").as_deref() == Some("upto"));
    if !is_upto || accepted.get("amount") == asked.get("amount") || !may_settle(question) {
        return None;
    }
    let most = moved(payload).filter(|most| of(accepted, "amount").as_deref().and_then(parse_atomic) == Some(*most))?;
    let as_verified = || Some(with_amount(asked, accepted.get("amount")?));
    if let Some(charge) = asked.get("amount").filter(|amount| amount.is_number()) {
        let seen = format!("it is the number {charge}, and what is charged is a text");
        let proof = "facilitators take a whole number of atomic units only, as a text";
        let finding = if charge.is_u64() {
            Finding::new("number_not_text").fixed_by(format!("Write \"{charge}\"."))
        } else {
            Finding::new("charge_not_whole")
        };
        explanation.find(finding.at(AT).seen(seen).proven(proof));
        return as_verified();
    }
    let charged = of(asked, "amount")?;
    let asset = of(asked, "network").zip(of(asked, "asset")).and_then(|(network, own)| units::asset(&network, &own));
    let told = |units: U256| asset.as_ref().map_or_else(|| units.to_string(), |asset| money_of(units, asset));
    match parse_atomic(&charged) {
        Some(charge) if charge > most => {
            let seen = format!("{} is to be settled, and the payer has signed {} at most", told(charge), told(most));
            let proof =
                "the proxy of upto moves at most what was permitted: with that amount the charge can be settled";
            explanation.find(Finding::new("charge_exceeds_permit").at(AT).seen(seen).proven(proof));
        }
        Some(charge) => explanation.notes.push(format!(
            "taken as a request to settle: {} of at most {} is charged; /verify takes the offer's amount only",
            told(charge),
            told(most)
        )),
        None => {
            let seen = format!("it is \"{}\"", shorten(&charged));
            let proof = "facilitators take a whole number of atomic units only, as a text";
            explanation.find(Finding::new("charge_not_whole").at(AT).seen(seen).proven(proof));
        }
    }
    as_verified()
}

/// The same requirements with another amount.
fn with_amount(asked: &Value, amount: &Value) -> Value {
    let mut verified = asked.clone();
    verified["amount"] = amount.clone();
    verified
}

/// Whether it may have been sent to `/settle`: a facilitator's refusal or request that is not about the price.
fn may_settle(question: &case::Question) -> bool {
    match &question.record {
        Some(record) => record.reason != "permit2_amount_mismatch" && !record.reason.starts_with("No matching"),
        None => question.reading.json().is_some_and(|(kind, _)| kind == Kind::FacilitatorRequest),
    }
}
