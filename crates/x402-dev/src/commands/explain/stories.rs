//! What is told of what an instance chose: a payment that broke without being refused, and a request without a payment.

use serde_json::{Value, json};
use x402_sim::clock::span;
use x402_sim::explain::explanation::{Explanation, Section};
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::{manual, played};

use super::course::{Course, End};
use super::instance::{Annals, First, Seen};
use super::newest::{Newer, Unpaid};
use super::refused::Refused;
use super::sdk::{self, Sdk};
use crate::clock::timestamp;

/// What a finding rests on that only says what the events say.
const BY_EVENTS: &str = "the instance's own events";

/// Programs that pay nothing by themselves, and how a header is given to them.
const BY_HAND: [(&str, &str); 6] = [
    ("curl/", "curl -H \"PAYMENT-SIGNATURE: VALUE\""),
    ("wget/", "wget --header=\"PAYMENT-SIGNATURE: VALUE\""),
    ("httpie/", "http URL \"PAYMENT-SIGNATURE:VALUE\""),
    ("postman", "a header PAYMENT-SIGNATURE"),
    ("insomnia", "a header PAYMENT-SIGNATURE"),
    ("bruno", "a header PAYMENT-SIGNATURE"),
];

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

/// A payment that broke without that a refusal of it is kept.
pub(super) fn broken(course: &Course<'_>, annals: &Annals) -> Explanation {
    let age = annals.now.saturating_sub(course.last.at);
    let purchase = course.newest("settled").and_then(|own| own.purchase.as_deref());
    let is_again = course.end == End::PaidAgain;
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
        End::PaidAgain => "one purchase was paid more than once",
        End::NotDelivered => "a payment was settled, and its content did not arrive",
        End::Undone => "a settlement was undone",
        End::Pending => "a settlement is not confirmed yet",
        End::Failed => "a payment was refused",
        End::NotSettled => "the handler failed, and nothing was settled",
        End::TimedOut => "a payment timed out by simulation",
        End::Verified => "a payment was verified, and nobody has asked to settle it",
    }
}

fn findings(course: &Course<'_>, events: &[&Seen]) -> Vec<Finding> {
    let last = course.last.told();
    match course.end {
        End::PaidAgain => {
            let settled: Vec<&&Seen> = events.iter().filter(|event| event.kind == "settled").collect();
            let numbers: Vec<String> = settled.iter().map(|event| event.sequence.to_string()).collect();
            let seen =
                format!("{} payments were settled for one purchase: events {}", settled.len(), numbers.join(", "));
            let twice = Finding::new("paid_twice").seen(seen).proven(BY_EVENTS);
            let undelivered = events.iter().find(|event| event.kind == "not_delivered");
            let left = undelivered.map(|own| Finding::new("client_left").seen(own.told()).proven(BY_EVENTS));
            [Some(twice), left].into_iter().flatten().collect()
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
            vec![finding.proven(BY_EVENTS)]
        }
        End::Verified => vec![Finding::new("verified_not_settled").seen(last)],
        End::NotSettled => vec![Finding::new("server_error_after_payment").seen(last).proven(BY_EVENTS)],
        End::TimedOut => vec![Finding::new("simulation_mode").seen(last).proven(BY_EVENTS)],
        End::Pending => vec![Finding::new("settlement_pending").seen(last).proven(BY_EVENTS)],
        End::Settled | End::Undone | End::Failed => Vec::new(),
    }
}

/// A payment with which nothing is wrong so far.
pub(super) fn well(course: &Course<'_>, annals: &Annals) -> Explanation {
    let mut explanation = told("no payment was refused; the newest one", course.events.iter().copied());
    let age = annals.now.saturating_sub(course.last.at);
    explanation.age = Some(age / 1000);
    if let Some(settled) = course.newest("settled") {
        let told = settled.told();
        explanation.title = format!("the newest payment was settled, and nothing is to be explained: {told}");
    } else if course.end == End::Verified {
        let told = course.last.told();
        explanation.title = format!("{}: a payment was verified, and is not settled yet: {told}", ago(age));
        amid_faults(&mut explanation, &faults(&course.events));
        explanation.notes.push(
            "a client that gives up now has paid all the same, should it be settled: let it wait for longer, and present \
             the same payment again"
                .to_owned(),
        );
    }
    explanation
}

/// A request without a payment: what the client is likely to have done.
pub(super) fn unpaid(own: &Unpaid<'_>, older: Option<&Refused>, annals: &Annals) -> Explanation {
    let (event, age) = (own.event, annals.now.saturating_sub(own.event.at));
    let request = event.request();
    let nothing = if older.is_none() { "no payment was refused; " } else { "" };
    let title =
        format!("{}: {nothing}{request} was asked without a payment, answered with 402, and not paid since", ago(age));
    let mut explanation = Explanation::new(Kind::Record, title);
    explanation.age = Some(age / 1000);
    let finding = Finding::new("no_payment_sent").seen(format!("the instance answered: {}", event.told()));
    let finding = own.asked.map_or_else(|| finding.clone(), |asked| for_entry(finding.clone(), asked));
    explanation.find(likely(finding, own.agent));
    if let Some(older) = older {
        let ask = older.number().map(|number| format!(": `x402-dev explain {number}` explains it")).unwrap_or_default();
        explanation.notes.push(format!(
            "an older payment was refused {}, of {}, with {}{ask}",
            ago(annals.now.saturating_sub(older.at)),
            older.path,
            older.reason
        ));
    }
    explanation
}

/// The same with lines of code for what was asked.
fn for_entry(finding: Finding, asked: &First) -> Finding {
    let First { version, scheme, network } = asked;
    let finding = finding.seen(format!("the first entry of the offer asks for {scheme} on {network}"));
    finding.for_offer(&json!({ "x402Version": version, "accepts": [{ "scheme": scheme, "network": network }] }))
}

/// What a client of this name is likely to have done.
fn likely(finding: Finding, agent: Option<&str>) -> Finding {
    let astray = "if the client did send a payment, a proxy took it away or the header has another name: ask the instance \
                  itself, past the proxy, and see whether it is paid then";
    let Some(agent) = agent else { return finding.seen("the client gives itself no name").seen(astray) };
    let seen = |what: &str| format!("the client calls itself {agent}: {what}");
    let lower = agent.to_ascii_lowercase();
    if let Some((_, how)) = BY_HAND.iter().find(|(name, _)| lower.starts_with(name)) {
        return by_hand(finding.seen(seen("it pays nothing by itself")), how);
    }
    if lower.starts_with("mozilla/") {
        return finding.seen(seen("a browser pays nothing unless a script or a wallet on the page does")).seen(astray);
    }
    let Some((sdk, _)) = sdk::of_agent(agent) else {
        return finding.seen(seen("no client that is known")).seen(astray);
    };
    let what = match sdk {
        Sdk::Ts => {
            "`fetch` itself was called and not what `wrapFetchWithPayment` returns, or no scheme is registered for an \
                    offered network, or the price is above the client's limit: what it threw says which"
        }
        Sdk::TsAxios => {
            "another axios instance was called than `wrapAxiosWithPayment` was given, or no scheme is registered \
                         for an offered network, or the price is above the client's limit: what it threw says which"
        }
        Sdk::Python => {
            "the plain client was called and not the one that x402 wraps (`wrapHttpxWithPayment`, \
                        `wrapRequestsWithPayment`), or no scheme is registered for an offered network, or the price is above \
                        the client's limit: what it raised says which"
        }
        Sdk::Go | Sdk::Rust => {
            "the plain client was called and not the one that x402 wraps, or no scheme is registered for an \
                                offered network: the error that it returned says which"
        }
    };
    finding.seen(seen(what)).seen(astray)
}

/// What is to be done with a program that is given its headers by hand.
fn by_hand(finding: Finding, how: &str) -> Finding {
    let fix = format!(
        "Give it the header, name and value with a colon between: {how}. `x402-dev sign URL` makes the value; `x402-dev pay \
         URL` pays by itself."
    );
    Finding {
        fix,
        code: Vec::new(),
        no_code: Some("nothing to change in code: the header is given by hand"),
        ..finding
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
