//! Rules about what a facilitator was asked, and what it answered.

use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::read::Reading;

use super::Explain;
use super::exchange::Exchange;
use super::judge::{Judge, Judged};

/// Looks at a request to a facilitator, if it is one.
pub fn look(own: &Exchange, name: &str, explain: &Explain<'_>, judge: &mut Judge<'_>, explanation: &mut Explanation) {
    let asked = own.asked().filter(|asked| Kind::of(asked) == Kind::FacilitatorRequest);
    let answer = own.answered().filter(|answer| matches!(Kind::of(answer), Kind::VerifyAnswer | Kind::Receipt));
    // A redirect and a paid facilitator are looked at elsewhere; without an answer nothing is known.
    if (asked.is_none() && answer.is_none()) || own.status == 402 || (0..200).contains(&own.status) {
        return;
    }
    if answer.is_some_and(said_yes) || (300..400).contains(&own.status) {
        return;
    }
    let told = answer.map(|answer| explain(Reading::carried(None, answer.clone()), None, own.at));
    let earlier = explanation.verdict.take();
    let judged = asked.map(|asked| judge.judge(Reading::carried(None, asked.clone()), None, own.at, explanation));
    let is_wrong = judged == Some(Judged::Wrong);
    let Some(told) = told else {
        explanation.verdict = earlier.or(explanation.verdict.take());
        // That it calls a wrong payment wrong is no failure, however it says so.
        if own.status >= 500 || !is_wrong {
            explanation.find(Finding::new("facilitator_failed").seen(format!("{name}: {}", said(own))));
        }
        return;
    };
    explanation.verdict = earlier.or(told.verdict);
    for finding in told.findings.into_iter().filter(|_| !is_wrong) {
        explanation.find(finding.seen(format!("{name}: {}", said(own))));
    }
}

/// Whether a payment is good, or was settled.
fn said_yes(answer: &Value) -> bool {
    answer["isValid"] == true || answer["success"] == true
}

/// How a request was answered.
fn said(own: &Exchange) -> String {
    format!("{} {} is answered with {}", own.method, own.url, own.status)
}
