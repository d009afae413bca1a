//! A refused payment as an instance keeps it, and what the instance's events tell of it.

use serde::Deserialize;
use serde_json::Value;
use x402_sim::clock::span;
use x402_sim::explain::explanation::{Explanation, Section, Verdict};
use x402_sim::explain::finding::{Finding, entry};
use x402_sim::explain::past::Past;
use x402_sim::explain::read::{Reading, read};

use super::amount;
use super::instance::Seen;
use crate::clock::timestamp;

mod paid;

use paid::Sent;

/// After how many characters encoders of base64 wrap their lines.
const WIDTHS: [usize; 2] = [64, 76];

/// A refused payment, as the instance keeps it.
#[derive(Clone, Debug, Deserialize)]
pub struct Refused {
    number: u64,
    /// When, in milliseconds of the mock's clock.
    pub at: u64,
    /// When, in milliseconds of the computer's clock.
    pub real: u64,
    /// The newest event when it was kept: its own, where it has one.
    pub(super) after: u64,
    door: String,
    /// The path that was asked for.
    pub(super) path: String,
    pub(super) payment: Option<String>,
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
    /// The faults that the same payment met before.
    #[serde(default)]
    faults_before: Vec<String>,
    /// What the paying client calls itself.
    #[serde(default)]
    pub agent: Option<String>,
    /// The finding that the instance knows it to be, where the payment was not looked at.
    #[serde(default)]
    pub finding: Option<String>,
    /// What the instance's events tell of it.
    #[serde(skip)]
    told: Option<Surroundings>,
    /// What came after it, in a sentence.
    #[serde(skip)]
    pub(super) newer: Option<String>,
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
    /// The transaction that it shows or names in place of a signed one, where it is on the chain.
    sent: Option<Sent>,
    /// How many payments were settled afterwards.
    settled: usize,
    /// What is told of the newest of them.
    newest: Option<String>,
    /// What tells that the instance has never asked what was accepted.
    unasked: Option<String>,
    /// The other method for which it has asked that, and what tells of it.
    otherwise: Option<(String, String)>,
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
            // What the facilitator could not read; where it stood elsewhere, that is what is wrong with it.
            (None, value) if self.finding.is_none() => Reading::body(value.as_deref().unwrap_or_default()),
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
        if let Some((offer, compared)) = self.requirements.as_ref().and_then(offered) {
            section.add("offer", offer, if self.payload.is_some() { compared } else { "" });
        }
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

/// What was offered, entry by entry, and which of them a payment is compared with.
fn offered(asked: &Value) -> Option<(String, &'static str)> {
    let said = |entry: &Value| {
        let word = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
        format!("{} on {}", word("scheme"), word("network"))
    };
    let Some(entries) = asked.get("accepts").and_then(Value::as_array) else {
        return asked.get("scheme").map(|_| (said(asked), "the entry that the payment was matched with"));
    };
    let all = entries.iter().map(said).collect::<Vec<_>>().join("; ");
    let compared = if entries.len() == 1 { "" } else { "compared is the one that is nearest to the payment" };
    (!entries.is_empty()).then_some((all, compared))
}

impl Refused {
    /// The same, with what the events tell of it.
    pub(super) fn amid(self, events: &[Seen]) -> Self {
        let own = events.iter().rev().find(|event| event.sequence <= self.after && self.is_told_by(event));
        let begin = own.map_or(self.after, |own| own.sequence);
        let settled = events.iter().filter(|event| event.sequence > begin && event.kind == "settled");
        let newest = settled.clone().next_back().map(|event| event.summary.clone());
        let settled = settled.count();
        let shown = self.shown();
        // Where it stood elsewhere, the instance has not looked at which payment it is.
        let payment = self.payment.clone().or_else(|| paid::id_of(shown.as_ref()?));
        let earlier = |kind: &str| {
            let is_same = |event: &&Seen| event.payment.is_some() && event.payment == payment;
            let mut earlier = events.iter().rev().filter(|event| event.sequence < begin);
            earlier.find(|event| event.kind == kind && is_same(event))
        };
        let is_undone = |own: &&Seen| earlier("undone").is_some_and(|undone| undone.sequence > own.sequence);
        let before = earlier("settled").filter(|own| !is_undone(own)).map(Seen::told);
        let is_settlement = own.is_some_and(|own| own.kind == "settle_failed");
        let verified = earlier("verified").map(|event| event.at).filter(|_| is_settlement && before.is_none());
        let method = own.and_then(|own| own.data.get("method")).and_then(Value::as_str).map(str::to_owned);
        let number = own.map(|own| own.sequence);
        let sent = self.sent(shown.as_ref(), events);
        let offers = self.offers(events).unwrap_or_default();
        let (payload, asked) = (self.payload.as_ref(), self.requirements.as_ref());
        let unasked = payload.zip(asked).and_then(|(payload, asked)| amount::never_asked(payload, asked, &offers));
        let otherwise = payload
            .zip(asked)
            .zip(method.as_deref())
            .and_then(|((payload, asked), own)| amount::asked_otherwise(payload, asked, own, &offers));
        let told = Surroundings { number, method, verified, before, sent, settled, newest, unasked, otherwise };
        Self { told: Some(told), ..self }
    }

    /// The offers for its path until it came. None is known where a fault may have changed one.
    fn offers<'a>(&self, events: &'a [Seen]) -> Option<Vec<&'a Seen>> {
        let own = |kind: &str| {
            let kind = kind.to_owned();
            events.iter().filter(move |event| event.kind == kind && event.path() == Some(self.path.as_str()))
        };
        let is_plain = own("faulted").next().is_none();
        is_plain.then(|| own("offered").filter(|event| event.sequence <= self.after).collect())
    }

    /// Whether an event tells of it: that of its payment, or, where that is not known, the one after which it was kept.
    fn is_told_by(&self, event: &Seen) -> bool {
        if event.path() != Some(self.path.as_str()) || event.payment != self.payment {
            return false;
        }
        match self.payment {
            Some(_) => event.is_failure() || event.kind == "pending",
            None => event.sequence == self.after && (event.is_failure() || event.kind == "offered"),
        }
    }

    /// The same, with what came after it.
    pub(super) fn before(self, newer: Option<String>) -> Self {
        Self { newer, ..self }
    }

    /// The number of its own event, by which it is asked for again.
    pub(super) fn number(&self) -> Option<u64> {
        self.told.as_ref().and_then(|told| told.number)
    }

    /// What stands in for a verdict where a payment was not looked at: where it stood is what is wrong with it.
    pub fn stray(&self, explanation: &mut Explanation) {
        let Some(entry) = self.finding.as_deref().and_then(entry) else { return };
        let finding = Finding::new(&entry.id).seen(self.message.clone().unwrap_or_default());
        // Its name is what is wrong, in one finding.
        explanation.findings.retain(|own| !["header_name_unknown", "no_payment_sent"].contains(&own.id));
        // First the place: what stands inside is looked at by nobody before.
        explanation.findings.retain(|own| own.id != finding.id);
        explanation.findings.insert(0, finding.proven("the instance's record of this request"));
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
        let told = self.told.as_ref();
        // One that was settled before is told of as that.
        let was_settled = told.is_some_and(|told| told.before.is_some());
        let faults = if was_settled { Vec::new() } else { self.faults_before.clone() };
        Past { verified: told.and_then(|told| told.verified), faults }
    }

    /// What it tells of a server that a facilitator is asked about a payment again, after it was settled.
    fn asked_again(&self) -> Option<&'static str> {
        let of = |end: &str| self.door == "facilitator" && self.path.ends_with(end);
        if of("/settle") {
            return Some(
                "it came to /settle again: where the client has sent it once, its server settles twice, and should keep the \
                 first answer",
            );
        }
        of("/verify").then_some(
            "it came to /verify after it was settled: where the client has sent it once, its server verifies too late, and \
             should do so before it settles",
        )
    }

    /// Says of a header that ends where encoders wrap their lines what may have cut it: of a value in several lines, `curl -H
    /// @FILE` sends the first alone.
    fn first_line(&self, explanation: &mut Explanation) {
        let Some(length) = self.value.as_ref().map(String::len).filter(|length| WIDTHS.contains(length)) else {
            return;
        };
        let cut = explanation.findings.iter().position(|own| own.id == "header_truncated");
        if let Some(place) = cut {
            let seen = format!(
                "what came has exactly {length} characters, after which encoders wrap lines: of several lines only the first \
                 was sent, as by `curl -H @FILE`"
            );
            explanation.findings.insert(place, Finding::new("base64_whitespace").seen(seen));
        }
    }

    /// Says with the findings what the events tell: when this payment was used, that its amount was never asked.
    pub fn tell(&self, explanation: &mut Explanation) {
        self.first_line(explanation);
        if let Some(seen) = self.told.as_ref().and_then(|told| told.unasked.as_ref()) {
            amount::blame(seen, self.requirements.as_ref(), explanation);
        }
        if let Some(told) = self.told.as_ref()
            && let (Some(otherwise), Some(method), Some(payload)) = (&told.otherwise, &told.method, &self.payload)
        {
            let request = format!("{method} {}", self.path);
            amount::blame_method(otherwise, &request, (payload, self.at / 1000), explanation);
        }
        self.tell_paid(explanation);
    }
}
