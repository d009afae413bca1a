//! What is told of what an instance chose: a payment that broke without being refused, and a request without a payment.

use serde_json::Value;
use x402_sim::clock::span;
use x402_sim::explain::explanation::{Explanation, Section};
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::{manual, played};
use x402_sim::purchase::Verdict;

use super::course::{Course, End};
use super::instance::{Annals, Seen};
use super::newest::Newer;
use crate::clock::timestamp;

/// What a finding rests on that only says what the events say.
const BY_EVENTS: &str = "the instance's own events";

/// How long ago, in words; `age` in milliseconds.
pub(super) fn ago(age: u64) -> String {
    let seconds = age / 1000 * 1000;
    if seconds == 0 { "just now".to_owned() } else { format!("{} ago", span(seconds)) }
}

/// What happened, and what its reasons mean.
pub(super) fn told<'a>(name: &str, events: impl IntoIterator<Item = &'a Seen>) -> Explanation {
    let mut explanation = Explanation::new(Kind::Record, format!("{name}: what the instance saw of it"));
    let mut section = Section::new("events");
    let mut reasons = Vec::new();
    for event in events {
        section.add(event.sequence.to_string(), event.summary.clone(), timestamp(event.at));
        reasons.extend(event.data.get("reason").and_then(Value::as_str));
    }
    explanation.sections.push(section);
    for page in reasons.into_iter().filter_map(manual::page) {
        for id in &page.findings {
            explanation.find(Finding::new(id).seen(format!("the reason was {}", page.reason)));
        }
    }
    explanation
}

/// A payment that broke, and of which no refusal is kept.
pub(super) fn broken(course: &Course<'_>, annals: &Annals) -> Explanation {
    let age = annals.now.saturating_sub(course.last.at);
    let purchase = course.newest("settled").and_then(|own| own.purchase.as_deref());
    let is_again = [End::PaidTwice, End::PaidAgain].contains(&course.end);
    let is_own = |event: &&Seen| {
        event.payment.as_deref() == Some(course.payment)
            || (is_again && purchase.is_some() && event.purchase.as_deref() == purchase)
    };
    let events: Vec<&Seen> = annals.events.iter().filter(is_own).collect();
    let mut explanation = told(course.payment, events.iter().copied());
    explanation.title = format!("{}: {} ({})", ago(age), words(course.end), course.last.told());
    explanation.age = Some(age / 1000);
    for finding in findings(course, &events) {
        explanation.find(finding);
    }
    amid_faults(&mut explanation, &faults(&events));
    explanation.rank();
    explanation
}

/// The faults that were played for a payment, a sentence each.
fn faults(events: &[&Seen]) -> Vec<String> {
    let faulted = events.iter().filter(|event| event.kind == "faulted");
    faulted.filter_map(|event| event.data.get("message")?.as_str()).map(str::to_owned).collect()
}

/// Names the faults that were played. One that does more than delay may be why a client or a handler seems to have failed.
fn amid_faults(explanation: &mut Explanation, faults: &[String]) {
    let is_delay = |fault: &String| fault.rsplit(": ").next().is_some_and(|effect| effect.starts_with("delay:"));
    let is_blamed = !faults.iter().all(is_delay);
    if is_blamed {
        let seeming = ["client_left", "server_error_after_payment"];
        let others = explanation.findings.iter_mut().filter(|own| seeming.contains(&own.id));
        others.for_each(|own| *own = own.clone().doubted());
    }
    for finding in played::findings(faults) {
        explanation.find(if is_blamed { finding.proven(BY_EVENTS) } else { finding });
    }
}

/// What became of a payment, for people.
const fn words(end: End) -> &'static str {
    match end {
        End::Settled => "a payment was settled",
        End::PaidTwice => "one purchase was paid more than once",
        End::PaidAgain => "one purchase was paid more than once, as it seems",
        End::NotDelivered => "a payment was settled, and its content did not arrive",
        End::Undone => "a settlement was undone",
        End::Pending => "a settlement is not confirmed yet",
        End::Failed => "a payment was refused",
        End::NotSettled => "the handler failed, and nothing was settled",
        End::TimedOut => "a payment timed out by simulation",
        End::Verified => "a payment was verified, and nobody has asked to settle it",
    }
}

/// What is to be said of a purchase by the verdict on it, if it was paid more than once: a fact where its buyer has named
/// it, else a guess.
pub(super) fn paid_twice<'a>(verdict: Verdict, events: impl IntoIterator<Item = &'a Seen>) -> Option<Finding> {
    let settled = events.into_iter().filter(|event| event.kind == "settled");
    let numbers: Vec<String> = settled.map(|event| event.sequence.to_string()).collect();
    let seen = format!("{} payments were settled for one purchase: events {}", numbers.len(), numbers.join(", "));
    let finding = Finding::new("paid_twice").seen(seen);
    match verdict {
        Verdict::PaidTwice => Some(finding.proven(BY_EVENTS)),
        Verdict::PossiblyPaidTwice => Some(finding),
        _ => None,
    }
}

fn findings(course: &Course<'_>, events: &[&Seen]) -> Vec<Finding> {
    let last = course.last.told();
    match course.end {
        End::PaidTwice | End::PaidAgain => {
            let verdict = if course.end == End::PaidTwice { Verdict::PaidTwice } else { Verdict::PossiblyPaidTwice };
            let twice = paid_twice(verdict, events.iter().copied());
            // Who it was that did not take the content is a guess.
            let undelivered = events.iter().find(|event| event.kind == "not_delivered");
            let left = undelivered.map(|own| Finding::new("client_left").seen(own.told()));
            [twice, left].into_iter().flatten().collect()
        }
        End::NotDelivered => {
            let mut finding = Finding::new("client_left").seen(last);
            let times = course.newest("verified").zip(course.newest("settled"));
            let took = times.map(|(verified, settled)| settled.at.saturating_sub(verified.at) / 1000);
            if let Some(took) = took.filter(|took| *took > 0) {
                let took = span(took * 1000);
                let seen = format!(
                    "{took} went by from the verification to the settlement: who waits for less is gone by then"
                );
                finding = finding.seen(seen);
            }
            vec![finding]
        }
        End::Verified => vec![Finding::new("verified_not_settled").seen(last)],
        End::NotSettled => vec![unsettled(last)],
        End::TimedOut => vec![Finding::new("simulation_mode").seen(last).proven(BY_EVENTS)],
        End::Pending => vec![Finding::new("settlement_pending").seen(last).proven(BY_EVENTS)],
        End::Settled | End::Undone | End::Failed => Vec::new(),
    }
}

/// A handler that failed before its payment was settled. What in general is not known of a 5xx, the instance knows here.
fn unsettled(last: String) -> Finding {
    let finding = Finding::new("server_error_after_payment").seen(last).proven(BY_EVENTS);
    Finding {
        cause: "The payment was verified, and the handler failed before it was settled: nothing was settled, and no money has \
                moved.",
        fix: "Mend the handler; its log says why it failed. The same payment can be presented again until it expires."
            .to_owned(),
        ..finding
    }
}

/// A payment with which nothing is wrong so far.
pub(super) fn well(course: &Course<'_>, annals: &Annals) -> Explanation {
    let mut explanation = told("no payment was refused; the newest one", course.events.iter().copied());
    let age = annals.now.saturating_sub(course.last.at);
    explanation.age = Some(age / 1000);
    if let Some(settled) = course.newest("settled") {
        let told = settled.told();
        explanation.title = match course.events.iter().rev().find(|event| event.is_failure()) {
            None => format!("the newest payment was settled, and nothing is to be explained: {told}"),
            Some(failure) => mended(course, failure, annals, &mut explanation) + &told,
        };
    } else if course.end == End::Verified {
        let told = course.last.told();
        explanation.title = format!("{}: a payment was verified, and is not settled yet: {told}", ago(age));
        amid_faults(&mut explanation, &faults(&course.events));
        explanation.notes.push(
            "if your server has answered 4xx or 5xx already, its handler has failed, and nothing will be settled: see its \
             log. If it still works, a client that gives up now has paid all the same, should it be settled: let it wait \
             for longer, and present the same payment again"
                .to_owned(),
        );
    }
    explanation
}

/// How a story begins of a payment that was refused before it was settled. Where the refusal is kept, it is explained by the
/// payment's name, and better than by its reason.
fn mended(course: &Course<'_>, failure: &Seen, annals: &Annals, explanation: &mut Explanation) -> String {
    let before = "the newest payment was settled, after it had been refused";
    if annals.refusals.iter().any(|own| own.payment.as_deref() == Some(course.payment)) {
        explanation.findings.clear();
        let (payment, number) = (course.payment, failure.sequence);
        explanation
            .notes
            .push(format!("`x402-dev explain {payment}` explains why it was refused before (event {number})"));
        format!("{before}, so that nothing is left to mend: ")
    } else {
        format!("{before}; what follows is what that may have meant: ")
    }
}

/// What came after something that broke, in a sentence.
pub(super) fn newer(newer: &Newer<'_>, annals: &Annals) -> String {
    let age = |event: &Seen| ago(annals.now.saturating_sub(event.at));
    match newer {
        Newer::Settled(event) => {
            let (age, what) = (age(event), &event.summary);
            format!("a payment was settled since ({age}: {what}). What follows is what broke last, before it")
        }
        Newer::Open(event) => {
            let (age, what) = (age(event), &event.summary);
            format!(
                "a payment is on its way since, not settled yet ({age}: {what}). What follows is what broke last, before it"
            )
        }
        Newer::Unpaid(own) => {
            let by = own.agent.map(|agent| format!(", by {agent}")).unwrap_or_default();
            format!(
                "a request without a payment came since ({}{by}: {}). What follows is what broke last, before it",
                age(own.event),
                own.event.summary
            )
        }
    }
}
