//! What a running instance knows: refused payments whole, and of everything else its events.

use std::collections::HashMap;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::purchase::{Listed, Verdict};

use super::newest::{Choice, choose};
use super::refused::Refused;
use super::source::Found;
use super::{ExplainError, stories, unpaid};
use crate::clock::timestamp;
use crate::commands::door::{Door, DoorError, segment};
use crate::commands::purchases;
use crate::context::Context;
use crate::doors::admin::client::{CallError, Remote};
use crate::doors::admin::routes::clock::ClockFace;
use crate::doors::admin::routes::purchases::Told;
use crate::doors::admin::routes::snapshots::ANEW;
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
    pub(super) purchase: Option<String>,
    pub(super) payment: Option<String>,
    pub(super) door: String,
    pub(super) summary: String,
    pub(super) data: Value,
}

/// All that an instance knows since it began, or was reset.
#[derive(Debug)]
pub(super) struct Annals {
    /// Oldest first.
    pub(super) events: Vec<Seen>,
    /// The newest first.
    pub(super) refusals: Vec<Refused>,
    pub(super) callers: Vec<Caller>,
    /// The verdicts on purchases that were paid more than once, or seem to be, by their ids.
    pub(super) twice: HashMap<String, Verdict>,
    /// The mock's time, in milliseconds.
    pub(super) now: u64,
}

/// Who asked without a payment.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Caller {
    /// The event of the offer.
    pub(super) event: u64,
    pub(super) agent: Option<String>,
    #[serde(default)]
    pub(super) asked: Option<First>,
}

/// What the first entry of an offer asks for.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct First {
    pub(super) version: u64,
    pub(super) scheme: String,
    pub(super) network: String,
}

/// The refusals that are kept.
#[derive(Debug, Deserialize)]
struct Kept {
    refusals: Vec<Refused>,
    callers: Vec<Caller>,
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
    /// The transaction that it names.
    pub(super) fn transaction(&self) -> Option<&str> {
        self.data.get("transaction").and_then(Value::as_str)
    }

    /// What it tells, with its number and its transaction.
    pub(super) fn told(&self) -> String {
        let transaction = self.data.get("transaction").and_then(Value::as_str);
        let transaction = transaction.map(|hash| format!(", transaction {hash}")).unwrap_or_default();
        format!("{} (event {} at {}{transaction})", self.summary, self.sequence, timestamp(self.at))
    }

    /// The path of its request, where it has one.
    pub(super) fn path(&self) -> Option<&str> {
        self.data.get("path").and_then(Value::as_str)
    }

    /// Its request: `GET /report`.
    pub(super) fn request(&self) -> String {
        let method = self.data.get("method").and_then(Value::as_str).unwrap_or_default();
        format!("{method} {}", self.path().unwrap_or_default()).trim().to_owned()
    }

    /// Whether a payment failed by it.
    pub(super) fn is_failure(&self) -> bool {
        ["refused", "settle_failed", "undecodable"].contains(&self.kind.as_str())
    }
}

/// Asks the instance.
pub fn find(context: &Context, door: &Door, wanted: &Wanted) -> Result<Found, Error> {
    let remote = door.open(context)?;
    if let Wanted::Payment(id) = wanted
        && let Some(refused) = refusal(&remote, id)?
    {
        return Ok(Found::Refused(Box::new(refused.amid(&all(&remote, |_| true)?))));
    }
    let mut twice = None;
    let events = match wanted {
        Wanted::Last => return newest(&Annals::of(&remote)?).map_err(Error::from),
        Wanted::Purchase(id) => {
            let (events, verdict) = purchase(&remote, id)?;
            twice = verdict;
            events
        }
        Wanted::Payment(id) => all(&remote, |event| event.payment.as_deref() == Some(id))?,
        Wanted::Event(number) => {
            if let Some(refused) = refusal_of(&remote, *number)? {
                return Ok(Found::Refused(Box::new(refused)));
            }
            all(&remote, |event| event.sequence == *number)?
        }
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
    let mut story = stories::told(&wanted.name(), &events);
    if let Some(finding) = twice.and_then(|verdict| stories::paid_twice(verdict, &events)) {
        story.find(finding);
    }
    Ok(Found::Story(Box::new(story)))
}

/// What `last` is about.
fn newest(annals: &Annals) -> Result<Found, ExplainError> {
    let chosen = choose(annals);
    let newer = chosen.newer.as_ref().map(|newer| stories::newer(newer, annals));
    Ok(match &chosen.what {
        Choice::Refused(refused) => {
            let refused = Refused::clone(refused).amid(&annals.events);
            Found::Refused(Box::new(refused.before(newer)))
        }
        Choice::Broken(course) => Found::Story(Box::new(Explanation { newer, ..stories::broken(course, annals) })),
        Choice::Unpaid(own) => {
            let older = chosen.older.map(|older| older.clone().amid(&annals.events));
            let story = unpaid::told(own, older.as_ref(), annals);
            Found::Unpaid(Box::new(story), own.agent.map(str::to_owned))
        }
        Choice::Well(course) => Found::Story(Box::new(stories::well(course, annals))),
        Choice::Nothing => return Err(ExplainError::Unknown { what: Wanted::Last.name() }),
    })
}

impl Annals {
    fn of(remote: &Remote) -> Result<Self, Error> {
        let now = remote.get::<ClockFace>("/clock").map_err(DoorError::from)?.time_ms;
        let Kept { refusals, callers } = remote.get("/refusals").map_err(DoorError::from)?;
        let mut events = all(remote, |_| true)?;
        let is_anew = |event: &Seen| event.kind == "changed" && event.summary.to_lowercase().starts_with(ANEW);
        if let Some(place) = events.iter().rposition(is_anew) {
            events.drain(..=place);
        }
        let is_twice = |own: &Listed| [Verdict::PaidTwice, Verdict::PossiblyPaidTwice].contains(&own.verdict);
        let bought = purchases::all(remote).map_err(DoorError::from)?.purchases;
        let twice = bought.into_iter().filter(is_twice).map(|own| (own.id, own.verdict)).collect();
        Ok(Self { events, refusals, callers, twice, now })
    }
}

/// The refusal that has this event for its own, if the instance keeps it.
fn refusal_of(remote: &Remote, event: u64) -> Result<Option<Refused>, Error> {
    let Kept { refusals, .. } = remote.get("/refusals").map_err(DoorError::from)?;
    let events = all(remote, |_| true)?;
    let mut refusals = refusals.into_iter().map(|own| own.amid(&events));
    Ok(refusals.find(|own| own.number() == Some(event)))
}

/// A refusal, if the instance keeps it.
fn refusal(remote: &Remote, which: &str) -> Result<Option<Refused>, Error> {
    match remote.get(&format!("/refusals/{}", segment(which))) {
        Ok(refused) => Ok(Some(refused)),
        Err(CallError::Refused(problem)) if problem.status == StatusCode::NOT_FOUND.as_u16() => Ok(None),
        Err(error) => Err(DoorError::from(error).into()),
    }
}

/// The events of a purchase, and the verdict on it.
fn purchase(remote: &Remote, id: &str) -> Result<(Vec<Seen>, Option<Verdict>), Error> {
    match purchases::one(remote, id) {
        Ok(Told { purchase, events }) => {
            let events = events.iter().filter_map(|event| serde_json::from_str(event.get()).ok()).collect();
            Ok((events, Some(purchase.verdict)))
        }
        Err(CallError::Refused(problem)) if problem.status == StatusCode::NOT_FOUND.as_u16() => Ok((Vec::new(), None)),
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
