//! What others have said: the reason in an instance's record, in a facilitator's answer, or alone.

use serde_json::Value;

use super::case::Record;
use super::explanation::{Explanation, Section, Verdict};
use super::finding::{Certainty, Finding};
use super::kind::Kind;
use super::manual;

/// What an instance said: where the payment is good in a fresh world, the instance's own state is the cause.
pub(super) fn recorded(
    record: &Record,
    fresh: &Verdict,
    explanation: &mut Explanation,
    first: usize,
    at: u64,
) -> Verdict {
    let message = record.message.clone().unwrap_or_default();
    if fresh.valid && explanation.findings.len() == first {
        let id = cause_in_state(&record.reason, &message);
        // What was found before verification, in what was accepted say, may be all of it.
        if id.is_none() && explanation.findings.iter().any(|finding| finding.certainty == Certainty::Proven) {
            return of(record, at);
        }
        let finding = Finding::new(id.unwrap_or("simulation_mode")).seen(message.clone());
        let proof = "in a fresh world, where nobody lacks money and nothing was used, verify passes: it is the \
                     instance's own state";
        explanation.find(if id.is_some() { finding.proven(proof) } else { finding.seen(proof) });
    }
    of(record, at)
}

/// What an instance said, as a verdict.
fn of(record: &Record, at: u64) -> Verdict {
    Verdict {
        valid: false,
        reason: Some(record.reason.clone()),
        message: record.message.clone(),
        at,
        by: "the instance's own record".to_owned(),
    }
}

/// The state of a world behind a reason.
fn cause_in_state(reason: &str, message: &str) -> Option<&'static str> {
    let says = |part: &str| reason.contains(part) || message.contains(part);
    let table = [
        ("payment_rejected_by_simulation", "simulation_mode"),
        ("nonce_already_used", "nonce_used"),
        ("invalid_nonce", "nonce_used"),
        ("duplicate_settlement", "nonce_used"),
        ("was used", "nonce_used"),
        ("allowance", "permit2_allowance"),
        ("blacklisted", "blocked_account"),
        ("BlockhashNotFound", "stale_blockhash"),
        ("insufficient", "insufficient_balance"),
        ("exceeds balance", "insufficient_balance"),
        ("settlement_pending", "settlement_pending"),
    ];
    table.iter().find(|(part, _)| says(part)).map(|(_, id)| *id)
}

/// A verdict or a receipt: what stands behind its reason.
pub(super) fn answer(value: &Value, explanation: &mut Explanation) {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let Some(reason) = text("invalidReason").or_else(|| text("errorReason")) else { return };
    explanation.verdict = Some(Verdict {
        valid: false,
        reason: Some(reason.to_owned()),
        message: text("invalidMessage").or_else(|| text("errorMessage")).map(str::to_owned),
        at: 0,
        by: "the facilitator that answered".to_owned(),
    });
    let page = manual::page(reason).or_else(|| text("invalidMessage").and_then(manual::within));
    for id in page.into_iter().flat_map(|page| &page.findings) {
        explanation.find(Finding::new(id).seen(format!("the answer says {reason}")));
    }
}

/// The manual's page of a reason string.
pub(super) fn reason(text: &str) -> Explanation {
    let mut explanation = Explanation::new(Kind::Reason, "a reason string");
    let Some(page) = manual::page(text).or_else(|| manual::within(text)) else {
        if let Some(near) = manual::near(text) {
            explanation.notes.push(format!("did you mean `{near}`?"));
        }
        return explanation;
    };
    let mut section = Section::new(page.reason.clone());
    section.add("meaning", page.meaning.clone(), "");
    section.add("said by", page.says.clone(), "");
    if let Some(note) = &page.note {
        section.add("note", note.clone(), "");
    }
    explanation.title = format!("the reason `{}`", page.reason);
    explanation.sections.push(section);
    explanation.findings = page.findings.iter().map(|id| Finding::new(id)).collect();
    debug_assert!(explanation.findings.iter().all(|finding| finding.certainty == Certainty::Possible));
    explanation
}
