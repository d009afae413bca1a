//! Judging what a record holds of payments, as many of them as there is time for.

use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Severity;
use x402_sim::explain::read::Reading;

use super::Explain;
use super::time::{Moment, end_of};
use crate::clock;

/// How many payments of one record are judged.
const MOST: usize = 50;

/// Whoever judges the payments of a record.
pub struct Judge<'a> {
    explain: &'a Explain<'a>,
    judged: usize,
    left_out: usize,
}

/// What came of judging a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Something is wrong with it.
    Wrong,
    /// Nothing was found.
    Sound,
    /// It was not judged: there were too many, or a part of it was cut out.
    Unknown,
}

impl<'a> Judge<'a> {
    /// Nobody was judged yet.
    pub const fn new(explain: &'a Explain<'a>) -> Self {
        Self { explain, judged: 0, left_out: 0 }
    }

    /// Judges a payment against an offer or requirements, or a request to a facilitator, which holds both, by the time at
    /// which it was sent; and adds what was found.
    pub fn judge(
        &mut self,
        reading: Reading,
        asked: Option<Value>,
        moment: &Moment,
        explanation: &mut Explanation,
    ) -> Judged {
        // An archive of ours has no signatures: what needs one is not judged.
        let signature = |(_, value): (_, &Value)| {
            let places = [
                "/payload/signature",
                "/payload/transaction",
                "/paymentPayload/payload/signature",
                "/paymentPayload/payload/transaction",
            ];
            places
                .iter()
                .any(|place| value.pointer(place).and_then(Value::as_str).is_some_and(|own| own.starts_with('<')))
        };
        if reading.json().is_some_and(signature) {
            return Judged::Unknown;
        }
        if self.judged == MOST {
            self.left_out += 1;
            return Judged::Unknown;
        }
        self.judged += 1;
        let now = clock::now() / 1000;
        let end = reading.json().and_then(|(_, value)| end_of(value));
        let mut judged = (self.explain)(reading.clone(), asked.clone(), moment.known());
        let by_now = judged.verdict.as_ref().is_none_or(|verdict| verdict.at >= now);
        let again = |at| (self.explain)(reading, asked, Some(at));
        explanation.notes.extend(moment.weigh(by_now, &mut judged, end, again));
        let wrong = judged.findings.iter().any(|finding| finding.severity == Severity::Error);
        for finding in judged.findings {
            explanation.find(finding);
        }
        // Of several the first stands for all.
        if explanation.comparison.is_empty() {
            explanation.comparison = judged.comparison;
        }
        explanation.verdict = explanation.verdict.take().or(judged.verdict);
        if wrong { Judged::Wrong } else { Judged::Sound }
    }

    /// Says how many were not judged.
    pub fn sum_up(self, explanation: &mut Explanation) {
        if self.left_out > 0 {
            explanation.notes.push(format!(
                "the first {MOST} refused payments were judged, and the {} behind them were not",
                self.left_out
            ));
        }
    }
}
