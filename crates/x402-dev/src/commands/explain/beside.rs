//! What stands around something that was found within a longer text: a log that tells of a refusal is believed.

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::{Finding, Severity};
use x402_sim::explain::kind::Kind;
use x402_sim::explain::manual;
use x402_wire::shape::shorten;

/// Words by which a line tells of an error. In JSON `"error":` is a member, and tells of none.
const TELLING: [&str; 6] = ["Error: ", "ERROR", "error: ", "Exception", "Traceback", "panicked"];

/// What is found of a request that was not answered, which leaves open what became of its payment.
const LOST: &str = "answer_lost";

/// What is first behind reasons that nobody refuses a payment with: whoever was asked gave no verdict, or was not reached.
const WITHOUT_VERDICT: [&str; 5] =
    [LOST, "facilitator_failed", "nobody_reached", "rate_limited", "wrong_facilitator_url"];

/// Calls nothing good that the text around it says was refused, or that stands beside an error.
pub fn weigh(text: &str, reason: Option<&str>, explanation: &mut Explanation) {
    let Some(verdict) = &mut explanation.verdict else { return };
    if let Some(reason) = reason {
        if !verdict.valid {
            let same = verdict.reason.as_deref() == Some(reason);
            explanation.notes.extend((!same).then(|| format!("the text around it says `{reason}`")));
            explanation.findings.extend(unanswered(reason).filter(|own| own.id == LOST));
            return;
        }
        if let Some(finding) = unanswered(reason) {
            explanation.find(finding);
            return;
        }
        (verdict.valid, verdict.reason) = (false, Some(reason.to_owned()));
        (verdict.message, verdict.by) = (None, "the text around it".to_owned());
        let is_error = |own: &Finding| own.severity == Severity::Error;
        if !explanation.findings.iter().any(is_error) {
            let meaning = manual::page(reason).map(|page| format!(": {}", page.meaning)).unwrap_or_default();
            let seen = format!("the text around it says `{reason}`{meaning}");
            explanation.find(Finding::new("refused_though_good").seen(seen).seen("in a fresh world verify passes"));
        }
    } else if let Some(line) = error_line(text).filter(|_| verdict.valid) {
        let is_offer = matches!(explanation.kind, Kind::OfferV1 | Kind::OfferV2 | Kind::Requirements);
        let what = if is_offer { "offer" } else { "payment" };
        explanation.verdict = explanation.verdict.take().filter(|_| !is_offer);
        explanation.notes.push(format!("nothing is wrong with the {what} in it; the text tells of an error: {line}"));
    }
}

/// What stands behind a reason that is no verdict.
fn unanswered(reason: &str) -> Option<Finding> {
    let page = manual::page(reason)?;
    let finding = page.found().next().filter(|own| WITHOUT_VERDICT.contains(&own.id))?;
    Some(finding.seen(format!("the text around it says `{reason}`: {}", page.meaning)))
}

/// The last line that tells of an error.
fn error_line(text: &str) -> Option<String> {
    let line = text.lines().rev().find(|line| TELLING.iter().any(|word| line.contains(word)))?;
    Some(format!("\"{}\"", shorten(line.trim())))
}
