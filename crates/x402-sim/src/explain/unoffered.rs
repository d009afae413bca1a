//! What a facilitator is asked to verify beside what was offered: where the payer is of one mind with what was accepted,
//! whoever is paid asks for something else.

use serde_json::Value;
use x402_wire::amount::parse_atomic;
use x402_wire::shape::shorten;

use super::attempt::Attempt;
use super::case::Question;
use super::finding::Finding;
use super::judge::{Bench, Whose};
use super::kind::Kind;
use crate::networks::{eip155, solana};
use crate::registry::Version;

/// Differences in what is asked, and not in how it is written.
const OF_TERMS: [&str; 7] = [
    "network_mismatch",
    "v1_network_name_in_v2",
    "wrong_asset",
    "wrong_payee",
    "price_changed",
    "amount_mismatch",
    "amount_decimals",
];

/// The finding that stands for the differences between what was accepted and what a facilitator is sent besides.
pub(super) fn told(question: &Question, own: &Attempt, asked: &Value, differences: &[Finding]) -> Option<Finding> {
    if is_at_facilitator(question)
        && let Some(finding) = of_version_1(own, asked)
    {
        return Some(finding);
    }
    if !is_at_facilitator(question) || !differences.iter().any(|finding| OF_TERMS.contains(&finding.id)) {
        return None;
    }
    if !is_well_written(asked) {
        return None;
    }
    let is_of_payer =
        |finding: &Finding| finding.path.as_deref().is_some_and(|path| path.starts_with("paymentPayload.accepted."));
    if !differences.iter().all(is_of_payer) || Bench::new(&own.requirements).of(Whose::Unknown).judge(own).is_err() {
        return None;
    }
    let finding = differences
        .iter()
        .flat_map(|finding| &finding.evidence)
        .fold(Finding::new("requirements_not_offered").at("paymentRequirements"), Finding::seen);
    let finding = if is_charged_less(own, asked, differences) && own.asked("/scheme") == Some("upto") {
        let fix = "Send /verify the entry of `accepts` as it was offered, with the most that may be charged, and /settle the \
                   same entry with what was used as its `amount`.";
        Finding { fix: fix.to_owned(), ..finding }
    } else if is_charged_less(own, asked, differences) {
        let verified = question.record.as_ref().is_some_and(|record| record.past.verified.is_some());
        let finding = if verified { finding.seen("/verify has found the same payment good before") } else { finding };
        finding.fixed_by(
            "`exact` moves what was signed, and never less: settle with the amount that was verified. To charge what was \
             used, offer `upto`.",
        )
    } else {
        finding
    };
    Some(finding.proven("with what was accepted in the place of `paymentRequirements`, verify passes"))
}

/// Requirements in the shape of version 1 beside a payment that has accepted an entry of version 2: no payer has written them.
fn of_version_1(own: &Attempt, asked: &Value) -> Option<Finding> {
    let name = |terms: &Value| terms.get("network").and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_old =
        asked.get("maxAmountRequired").is_some() && asked.get("amount").is_none() && !name(asked).contains(':');
    if own.version() != Some(Version::V2) || !is_old || !is_well_written(&own.requirements) {
        return None;
    }
    let seen = format!(
        "they have the shape of version 1: `maxAmountRequired`, and the network \"{}\"; the payment has accepted an entry of \
         version 2, of {}",
        shorten(&name(asked)),
        shorten(&name(&own.requirements))
    );
    let finding = Finding::new("v1_network_name_in_v2").at("paymentRequirements.network").seen(seen).fixed_by(
        "Send the facilitator the very entry of `accepts` that the payment answers, in the shape of version 2, with `amount`.",
    );
    let proof = match Bench::new(&own.requirements).of(Whose::Unknown).judge(own) {
        Ok(()) => "verify passes".to_owned(),
        Err(failed) => format!("verify goes on to {}", failed.reason),
    };
    Some(finding.proven(format!("with what was accepted in the place of `paymentRequirements`, {proof}")))
}

/// Whether requirements are those of version 2, whatever they ask for: what is misspelt was not meant otherwise.
fn is_well_written(asked: &Value) -> bool {
    let text = |key: &str| asked.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_address = |own: &str| eip155::parse_address(own).is_some() || solana::parse_address(own).is_some();
    parse_atomic(text("amount")).is_some()
        && text("network").contains(':')
        && ["asset", "payTo"].map(text).into_iter().all(is_address)
}

/// Whether it is what a facilitator was sent.
fn is_at_facilitator(question: &Question) -> bool {
    let is_body = question.reading.json().is_some_and(|(kind, _)| kind == Kind::FacilitatorRequest);
    is_body || (question.record.is_some() && question.reading.header.is_none())
}

/// Whether the amount alone differs, and less is to be charged than was signed.
fn is_charged_less(own: &Attempt, asked: &Value, differences: &[Finding]) -> bool {
    let [only] = differences else { return false };
    let amount = |terms: &Value| terms.get("amount").and_then(Value::as_str).and_then(parse_atomic);
    let is_of_amount = only.path.as_deref() == Some("paymentPayload.accepted.amount");
    let is_less = amount(asked).zip(amount(&own.requirements)).is_some_and(|(asked, own)| asked < own);
    is_of_amount && is_less && matches!(own.asked("/scheme"), Some("exact" | "upto"))
}
