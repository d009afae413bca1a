//! A refused payment as an instance keeps it, and what the instance's events tell of it.

use serde::Deserialize;
use serde_json::Value;
use x402_sim::clock::span;
use x402_sim::explain::explanation::{Explanation, Section, Verdict};
use x402_sim::explain::finding::{Finding, entry};
use x402_sim::explain::kind::Kind;
use x402_sim::explain::past::Past;
use x402_sim::explain::read::{Reading, read};

use super::instance::Seen;
use crate::clock::timestamp;

/// A refused payment, as the instance keeps it.
#[derive(Clone, Debug, Deserialize)]
pub struct Refused {
    number: u64,
    /// When, in milliseconds of the mock's clock.
    pub at: u64,
    /// When, in milliseconds of the computer's clock.
    pub real: u64,
    door: String,
    path: String,
    payment: Option<String>,
    /// The reason that the client was told.
    pub reason: String,
    /// The sentence with it.
    pub message: Option<String>,
    header: Option<String>,
    value: Option<String>,
    payload: Option<Value>,
    /// What it should have paid for.
    pub requirements: Option<Value>,
    /// The faults that were played for the request.
    #[serde(default)]
    pub faults: Vec<String>,
    /// What the paying client calls itself.
    #[serde(default)]
    pub agent: Option<String>,
    /// The finding that the instance knows it to be, where the payment was not looked at.
    #[serde(default)]
    pub finding: Option<String>,
    /// What the instance's events tell of it.
    #[serde(skip)]
    told: Option<Surroundings>,
}

/// What the instance's events tell of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Surroundings {
    /// The number of its own event, by which it is asked for again.
    number: Option<u64>,
    /// The method of the request, where it was one to a resource.
    method: Option<String>,
    /// When the payment was found good last, in milliseconds of the mock's clock, where settlement refused it and nobody
    /// had settled it before.
    verified: Option<u64>,
    /// What is told of the settlement of this payment, where it was settled before.
    before: Option<String>,
    /// How many payments were settled afterwards.
    settled: usize,
    /// What is told of the newest of them.
    newest: Option<String>,
    /// What is told of the newest request to a paid resource, where it came afterwards and brought no payment.
    unpaid: Option<String>,
}

impl Refused {
    /// What it was, as if somebody had given it.
    pub fn reading(&self) -> Reading {
        if let Some(payload) = &self.payload {
            return Reading::carried(self.header.as_deref(), payload.clone());
        }
        match (&self.header, &self.value) {
            (Some(header), Some(value)) => read(&format!("{header}: {value}")),
            (Some(header), None) => Reading::unread(header, self.message.as_deref().unwrap_or_default()),
            (None, value) => read(value.as_deref().unwrap_or_default()),
        }
    }

    /// What the instance says of it. `now` is this computer's clock in milliseconds.
    pub fn section(&self, now: u64) -> Section {
        let mut section = Section::new("the instance's record");
        section.add("refusal", self.number.to_string(), timestamp(self.at));
        let age = now.saturating_sub(self.real) / 1000 * 1000;
        section.add("age", if age == 0 { "less than 1 s".to_owned() } else { span(age) }, "by this computer's clock");
        let method = self.told.as_ref().and_then(|told| told.method.clone());
        section.add("request", method.map_or(self.path.clone(), |method| format!("{method} {}", self.path)), "");
        section.add("door", self.door.clone(), "");
        if let Some(told) = &self.told {
            if let Some(before) = &told.before {
                section.add("settled before", before.clone(), "");
            }
            let newest = told.newest.as_ref().map(|newest| format!("the newest: {newest}"));
            section.add("settled since", told.settled.to_string(), newest.unwrap_or_default());
        }
        if let Some(payment) = &self.payment {
            section.add("payment", payment.clone(), "");
        }
        if let Some(header) = &self.header {
            section.add("header", header.clone(), "");
        }
        if let Some(agent) = &self.agent {
            section.add("client", agent.clone(), "as it calls itself");
        }
        section.add("reason", self.reason.clone(), self.message.clone().unwrap_or_default());
        section
    }
}

impl Refused {
    /// The same, with what the events tell of it. Without its own event nothing is known of what came after.
    pub(super) fn amid(self, events: &[Seen]) -> Self {
        // It was no payment to the instance, and has no event but that of a request without one.
        if self.finding.is_some() {
            return self.before(events);
        }
        let is_own = |event: &&Seen| {
            let path = event.data.get("path").and_then(Value::as_str);
            event.is_failure() && event.payment == self.payment && path == Some(self.path.as_str())
        };
        // The event and the record are written one after the other, each at its own time.
        let Some(own) = events.iter().filter(is_own).min_by_key(|event| event.at.abs_diff(self.at)) else {
            return if self.payment.is_none() { self.before(events) } else { self };
        };
        let settled = events.iter().filter(|event| event.sequence > own.sequence && event.kind == "settled");
        let is_same = |event: &Seen| event.payment.is_some() && event.payment == own.payment;
        let mut earlier = events.iter().rev().filter(|event| event.sequence < own.sequence && event.kind == "settled");
        let before = earlier.find(|event| is_same(event)).map(Seen::told);
        let mut earlier = events.iter().rev().filter(|event| event.sequence < own.sequence && event.kind == "verified");
        let verified = earlier.find(|event| is_same(event)).map(|event| event.at);
        let verified = verified.filter(|_| own.kind == "settle_failed" && before.is_none());
        let newest = settled.clone().next_back().map(|event| event.summary.clone());
        let number = self.payment.is_some().then_some(own.sequence);
        let method = own.data.get("method").and_then(Value::as_str).map(str::to_owned);
        // Events without a path are of no request: a clock that was set, a fault that was added.
        let last = events.iter().rev().find(|event| event.data.get("path").is_some());
        let last = last.filter(|event| event.sequence > own.sequence && event.kind == "offered");
        let unpaid = last.map(|event| event.summary.clone());
        Self {
            told: Some(Surroundings { number, method, verified, before, settled: settled.count(), newest, unpaid }),
            ..self
        }
    }

    /// The same of what was no payment that could be verified, and has no event of its own: what is later by the clock
    /// came after it.
    fn before(self, events: &[Seen]) -> Self {
        let mut later = events.iter().filter(|event| event.at > self.at);
        let settled = later.clone().filter(|event| event.kind == "settled");
        let newest = settled.clone().next_back().map(|event| event.summary.clone());
        let last = later.rfind(|event| event.data.get("path").is_some());
        let unpaid = last.filter(|event| event.kind == "offered").map(|event| event.summary.clone());
        let settled = settled.count();
        let told = Surroundings { number: None, method: None, verified: None, before: None, settled, newest, unpaid };
        Self { told: Some(told), ..self }
    }

    /// What stands in for a verdict where a payment was not looked at: where it stood is what is wrong with it.
    pub fn stray(&self, explanation: &mut Explanation) {
        let Some(entry) = self.finding.as_deref().and_then(entry) else { return };
        let finding = Finding::new(&entry.id).seen(self.message.clone().unwrap_or_default());
        // Its name is what is wrong, in one finding.
        explanation.findings.retain(|own| !["header_name_unknown", "no_payment_sent"].contains(&own.id));
        explanation.find(finding.proven("the instance's record of this request"));
        explanation.verdict = Some(Verdict {
            valid: false,
            reason: Some(self.reason.clone()),
            message: None,
            at: self.at / 1000,
            by: "the instance's own record".to_owned(),
        });
        explanation.rank();
    }

    /// What the instance saw of the payment before.
    pub fn past(&self) -> Past {
        Past { verified: self.told.as_ref().and_then(|told| told.verified) }
    }

    /// Says with the finding that this payment was used when that was.
    pub fn tell(&self, explanation: &mut Explanation) {
        let Some(before) = self.told.as_ref().and_then(|told| told.before.as_ref()) else { return };
        if explanation.findings.iter().any(|finding| finding.id == "nonce_used") {
            explanation.find(Finding::new("nonce_used").seen(format!("it was settled before: {before}")));
        }
    }

    /// The newest request to a paid resource, where it came afterwards and brought no payment: it is what is asked about.
    /// `now` is this computer's clock in milliseconds.
    pub fn overtaken(&self, now: u64) -> Option<Explanation> {
        let told = self.told.as_ref()?;
        let (unpaid, number) = (told.unpaid.as_ref()?, told.number?);
        let mut explanation = Explanation::new(Kind::Record, "the newest request to a paid resource");
        let finding = Finding::new("no_payment_sent").seen(format!("the instance answered: {unpaid}"));
        let finding = finding.seen(
            "if the client did send a payment, a proxy took it away or the header has another name: ask the instance itself, \
             past the proxy, and see whether it is paid then",
        );
        explanation
            .find(finding.proven("no request came after it in the instance's events, with a payment or without"));
        let age = span(now.saturating_sub(self.real) / 1000 * 1000);
        explanation.notes.push(format!(
            "an older payment was refused {age} ago, of {}, with {}: `x402-dev explain {number}` explains it",
            self.path, self.reason
        ));
        Some(explanation)
    }

    /// What happened after it that may be what is asked about.
    pub fn newer(&self) -> Option<String> {
        let told = self.told.as_ref()?;
        if let Some(unpaid) = &told.unpaid {
            return Some(format!(
                "the newest request to a paid resource brought no payment that can be read ({unpaid}): the client did \
                 not pay, or called the header something else, or a proxy took it away. What follows is the newest \
                 payment that was refused, of an older request"
            ));
        }
        let newest = told.newest.as_ref()?;
        Some(format!("a payment was settled since ({newest}). What follows is the newest that was refused, before it"))
    }
}
