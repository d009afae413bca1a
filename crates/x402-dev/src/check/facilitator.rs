//! Rules about what a facilitator was asked, and what it answered.

use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::read::{Reading, Subject, read};

use super::exchange::{Exchange, path};
use super::judge::{Judge, Judged};
use super::time::{Moment, when};
use super::{Explain, refusal};

/// Where a facilitator is asked about payments.
const PATHS: [&str; 2] = ["/verify", "/settle"];

/// Looks at a request to a facilitator, if it is one.
pub fn look(own: &Exchange, name: &str, explain: &Explain<'_>, judge: &mut Judge<'_>, explanation: &mut Explanation) {
    let asked = asked(own);
    let answer = own.answered().filter(|answer| matches!(Kind::of(answer), Kind::VerifyAnswer | Kind::Receipt));
    // A redirect and a paid facilitator are looked at elsewhere; without an answer nothing is known.
    if (asked.is_none() && answer.is_none()) || own.status == 402 || (0..200).contains(&own.status) {
        return;
    }
    if answer.is_some_and(said_yes) || (300..400).contains(&own.status) {
        return;
    }
    let told = answer.map(|answer| explain(Reading::carried(None, answer.clone()), None, when(own)));
    let earlier = explanation.verdict.take();
    let judged = asked.map(|asked| judge.judge(asked, None, &Moment::of(own), explanation));
    let is_wrong = judged == Some(Judged::Wrong);
    let Some(told) = told else {
        explanation.verdict = earlier.or(explanation.verdict.take());
        // That it calls a wrong payment wrong is no failure, however it says so.
        if own.status >= 500 || !is_wrong {
            let finding = Finding::new("facilitator_failed").seen(format!("{name}: {}", said(own)));
            explanation.find(finding.seen(refusal::within(own)));
        }
        return;
    };
    explanation.verdict = earlier.or(told.verdict);
    for finding in told.findings.into_iter().filter(|_| !is_wrong) {
        explanation.find(finding.seen(format!("{name}: {}", said(own))));
    }
}

/// What it was asked. The body of a POST to one of its paths was meant as a question, however it is written: what keeps it
/// from being one is what a facilitator refuses without a word about it.
fn asked(own: &Exchange) -> Option<Reading> {
    if let Some(asked) = own.asked().filter(|asked| Kind::of(asked) == Kind::FacilitatorRequest) {
        return Some(Reading::carried(None, asked.clone()));
    }
    let is_asked = own.method == "POST" && PATHS.iter().any(|end| path(&own.url).ends_with(end));
    let text = own.request.body_text().filter(|_| is_asked && own.payment().is_none())?;
    // Others have such paths as well, for passwords and orders.
    let lower = text.to_ascii_lowercase();
    let reading = read(Some(text).filter(|_| ["x402", "payment"].iter().any(|word| lower.contains(word)))?);
    let is_question = match &reading.subject {
        Subject::Json(kind, _) => *kind != Kind::Other || !reading.findings.is_empty(),
        _ => !reading.findings.is_empty(),
    };
    is_question.then_some(reading)
}

/// Whether a payment is good, or was settled.
fn said_yes(answer: &Value) -> bool {
    answer["isValid"] == true || answer["success"] == true
}

/// How a request was answered.
fn said(own: &Exchange) -> String {
    format!("{} {} is answered with {}", own.method, own.url, own.status)
}
