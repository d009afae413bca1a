//! What a running instance knows: refused payments whole, and of everything else its events.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use x402_sim::explain::explanation::{Explanation, Section};
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::manual;

use super::ExplainError;
use super::refused::Refused;
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

/// Some events.
#[derive(Debug, Deserialize)]
struct Page {
    events: Vec<Seen>,
    next: u64,
    newest: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Seen {
    pub(super) sequence: u64,
    pub(super) at: u64,
    pub(super) kind: String,
    pub(super) payment: Option<String>,
    pub(super) summary: String,
    pub(super) data: Value,
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
            Self::Payment(id) | Self::Purchase(id) => id.clone(),
            // It may be a private key that was given by mistake.
            Self::Transaction(_) => "such a transaction".to_owned(),
            Self::Event(number) => format!("event {number}"),
        }
    }
}

impl Seen {
    /// What it tells, with its number and its transaction.
    pub(super) fn told(&self) -> String {
        let transaction = self.data.get("transaction").and_then(Value::as_str);
        let transaction = transaction.map(|hash| format!(", transaction {hash}")).unwrap_or_default();
        format!("{} (event {} at {}{transaction})", self.summary, self.sequence, timestamp(self.at))
    }

    /// Whether a payment failed by it.
    pub(super) fn is_failure(&self) -> bool {
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
            let newest = newest(&all(&remote, |_| true)?);
            return newest.map(|story| Found::Story(Box::new(story))).map_err(Error::from);
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

/// What is told of the newest payment, or request for one, where none was refused.
fn newest(events: &[Seen]) -> Result<Explanation, ExplainError> {
    let is_step = |event: &&Seen| event.kind == "offered" || event.payment.is_some();
    let Some(newest) = events.iter().rev().find(is_step) else {
        return Err(ExplainError::Unknown { what: Wanted::Last.name() });
    };
    if newest.payment.is_none() {
        return Err(ExplainError::Unpaid { request: newest.summary.clone() });
    }
    let own: Vec<Seen> = events.iter().filter(|event| event.payment == newest.payment).cloned().collect();
    let mut told = story("no payment was refused; the newest one", &own);
    let is_whole = !own.iter().any(|event| event.is_failure() || ["undone", "not_delivered"].contains(&&*event.kind));
    if let Some(settled) = own.iter().rev().find(|event| event.kind == "settled").filter(|_| is_whole) {
        told.title = format!("the newest payment was settled, and nothing is to be explained: {}", settled.told());
    }
    Ok(told)
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
