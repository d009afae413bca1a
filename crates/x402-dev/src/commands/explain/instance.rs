//! What a running instance knows: refused payments whole, and of everything else its events.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use x402_sim::clock::span;
use x402_sim::explain::explanation::{Explanation, Section};
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::manual;
use x402_sim::explain::read::{Reading, read};

use super::ExplainError;
use super::source::Found;
use crate::clock::timestamp;
use crate::commands::door::{Door, DoorError, segment};
use crate::context::Context;
use crate::doors::admin::client::{CallError, Remote};
use crate::doors::admin::routes::purchases::Told;
use crate::error::Error;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The newest refused payment.
    Last,
    /// A payment, by its id.
    Payment(String),
    /// A purchase, by its id.
    Purchase(String),
    /// An event, by its number.
    Event(u64),
    /// A transaction, by its hash or signature.
    Transaction(String),
}

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
    /// What the instance's events tell of it.
    #[serde(skip)]
    told: Option<Surroundings>,
}

/// What the instance's events tell of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Surroundings {
    /// The method of the request, where it was one to a resource.
    method: Option<String>,
    /// How many payments were settled afterwards.
    settled: usize,
    /// What is told of the newest of them.
    newest: Option<String>,
    /// What is told of the newest request to a paid resource, where it came afterwards and brought no payment.
    unpaid: Option<String>,
}

/// Some events.
#[derive(Debug, Deserialize)]
struct Page {
    events: Vec<Seen>,
    next: u64,
    newest: u64,
}

#[derive(Clone, Debug, Deserialize)]
struct Seen {
    sequence: u64,
    at: u64,
    kind: String,
    payment: Option<String>,
    summary: String,
    data: Value,
}

impl Wanted {
    /// What a word names, if it is one of an instance's.
    pub fn of(word: &str) -> Option<Self> {
        let hexadecimal = |text: &str, digits: usize| {
            text.strip_prefix("0x")
                .is_some_and(|rest| rest.len() == digits && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        let own = || word.to_owned();
        if word == "last" {
            Some(Self::Last)
        } else if word.starts_with("pay_") && word.len() == 20 {
            Some(Self::Payment(own()))
        } else if word.strip_prefix("pur_").is_some_and(|rest| rest.parse::<u64>().is_ok()) {
            Some(Self::Purchase(own()))
        } else if let Ok(number) = word.parse() {
            Some(Self::Event(number))
        } else if hexadecimal(word, 64) || x402_sim::networks::solana::parse_signature(word).is_some() {
            Some(Self::Transaction(own()))
        } else {
            None
        }
    }

    /// What it is called in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Last => "a refused payment".to_owned(),
            Self::Payment(id) | Self::Purchase(id) | Self::Transaction(id) => id.clone(),
            Self::Event(number) => format!("event {number}"),
        }
    }
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
    fn amid(self, events: &[Seen]) -> Self {
        let is_own = |event: &&Seen| {
            let path = event.data.get("path").and_then(Value::as_str);
            event.is_failure() && event.payment == self.payment && path == Some(self.path.as_str())
        };
        // The event and the record are written one after the other, each at its own time.
        let Some(own) = events.iter().filter(is_own).min_by_key(|event| event.at.abs_diff(self.at)) else {
            return self;
        };
        let settled = events.iter().filter(|event| event.sequence > own.sequence && event.kind == "settled");
        let newest = settled.clone().next_back().map(|event| event.summary.clone());
        let method = own.data.get("method").and_then(Value::as_str).map(str::to_owned);
        // Events without a path are of no request: a clock that was set, a fault that was added.
        let last = events.iter().rev().find(|event| event.data.get("path").is_some());
        let last = last.filter(|event| event.sequence > own.sequence && event.kind == "offered");
        let unpaid = last.map(|event| event.summary.clone());
        Self { told: Some(Surroundings { method, settled: settled.count(), newest, unpaid }), ..self }
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

impl Seen {
    /// Whether a payment failed by it.
    fn is_failure(&self) -> bool {
        ["refused", "settle_failed", "undecodable"].contains(&self.kind.as_str())
    }
}

/// Asks the instance.
pub fn find(context: &Context, door: &Door, wanted: &Wanted) -> Result<Found, Error> {
    let remote = door.open(context)?;
    let which = match wanted {
        Wanted::Last => "last",
        Wanted::Payment(id) => id,
        _ => "",
    };
    if !which.is_empty()
        && let Some(refused) = refusal(&remote, which)?
    {
        return Ok(Found::Refused(Box::new(refused.amid(&all(&remote, |_| true)?))));
    }
    let events = match wanted {
        Wanted::Last => {
            let offers = all(&remote, |event| event.kind == "offered")?;
            let Some(newest) = offers.last() else { return Err(ExplainError::Unknown { what: wanted.name() }.into()) };
            return Err(ExplainError::Unpaid { request: newest.summary.clone() }.into());
        }
        Wanted::Purchase(id) => purchase(&remote, id)?,
        Wanted::Payment(id) => all(&remote, |event| event.payment.as_deref() == Some(id))?,
        Wanted::Event(number) => all(&remote, |event| event.sequence == *number)?,
        Wanted::Transaction(hash) => {
            let is = |text: &str| text == hash || (hash.starts_with("0x") && text.eq_ignore_ascii_case(hash));
            all(&remote, |event| event.data.get("transaction").and_then(Value::as_str).is_some_and(is))?
        }
    };
    if events.is_empty() {
        return Err(ExplainError::Unknown { what: wanted.name() }.into());
    }
    // Where one of them was refused, that is what is asked about.
    for event in events.iter().rev().filter(|event| event.is_failure()) {
        if let Some(refused) = event.payment.as_deref().map(|id| refusal(&remote, id)).transpose()?.flatten() {
            return Ok(Found::Refused(Box::new(refused.amid(&all(&remote, |_| true)?))));
        }
    }
    Ok(Found::Story(Box::new(story(&wanted.name(), &events))))
}

/// A refusal, if the instance keeps it.
fn refusal(remote: &Remote, which: &str) -> Result<Option<Refused>, Error> {
    match remote.get(&format!("/refusals/{}", segment(which))) {
        Ok(refused) => Ok(Some(refused)),
        Err(CallError::Refused(problem)) if problem.status == StatusCode::NOT_FOUND.as_u16() => Ok(None),
        Err(error) => Err(DoorError::from(error).into()),
    }
}

fn purchase(remote: &Remote, id: &str) -> Result<Vec<Seen>, Error> {
    match remote.get::<Told>(&format!("/purchases/{}", segment(id))) {
        Ok(told) => Ok(told.events.iter().filter_map(|event| serde_json::from_str(event.get()).ok()).collect()),
        Err(CallError::Refused(problem)) if problem.status == StatusCode::NOT_FOUND.as_u16() => Ok(Vec::new()),
        Err(error) => Err(DoorError::from(error).into()),
    }
}

/// Every event that is kept and meant.
fn all(remote: &Remote, meant: impl Fn(&Seen) -> bool) -> Result<Vec<Seen>, Error> {
    let (mut since, mut found) = (0, Vec::new());
    loop {
        let page: Page = remote.get(&format!("/events?since={since}&limit=1000")).map_err(DoorError::from)?;
        found.extend(page.events.into_iter().filter(&meant));
        if page.next >= page.newest || page.next <= since {
            return Ok(found);
        }
        since = page.next;
    }
}

/// What happened, and what its reasons mean.
fn story(name: &str, events: &[Seen]) -> Explanation {
    let mut explanation = Explanation::new(Kind::Record, format!("{name}: what the instance saw of it"));
    let mut section = Section::new("events");
    for event in events {
        section.add(event.sequence.to_string(), event.summary.clone(), timestamp(event.at));
    }
    explanation.sections.push(section);
    let reasons = events.iter().filter_map(|event| event.data.get("reason").and_then(Value::as_str));
    for page in reasons.filter_map(manual::page) {
        for id in &page.findings {
            explanation.find(Finding::new(id).seen(format!("the reason was {}", page.reason)));
        }
    }
    explanation
}
