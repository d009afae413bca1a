//! `/_x402/api/events`: what happened, page by page, and waiting for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State as Extract};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use x402_sim::event::{Event, Filter};

use crate::doors::admin::filter;
use crate::doors::admin::input::{Input, whole};
use crate::doors::admin::office::Office;
use crate::doors::admin::problem::{Code, Problem};
use crate::state::State;

/// How many events a page has, where nothing else is said.
const PAGE: u64 = 100;

/// How many events a page has at most, and how many can be waited for.
pub const MOST: u64 = 1_000;

/// How long a request waits, where nothing else is said, and at most; in milliseconds.
const WAIT_MS: u64 = 10_000;
const LONGEST_MS: u64 = 600_000;

/// How many events are looked at while the world is held.
pub const GLANCE: usize = 256;

/// Something that happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct Described {
    /// Its place in the stream, counted from 1.
    pub sequence: u64,
    /// When, in milliseconds since 1970 of the mock's clock.
    pub at: u64,
    /// What.
    pub kind: String,
    /// The purchase that it belongs to.
    pub purchase: Option<String>,
    /// The payment that it belongs to.
    pub payment: Option<String>,
    /// Through which door.
    pub door: String,
    /// One sentence for people.
    pub summary: String,
    /// The facts.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// Some events, oldest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Page {
    /// The events that match.
    #[schema(value_type = Vec<Described>)]
    pub events: Vec<Box<RawValue>>,
    /// The `since` with which to go on: every event up to it was looked at.
    pub next: u64,
    /// The newest event of the stream; zero where there is none.
    pub newest: u64,
    /// How many events after `since` are gone, because the ring keeps only the newest.
    pub missed: u64,
}

/// What to wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Await {
    /// Which events: `{"kind": "settled", "payer": "alice"}`.
    #[serde(default = "every")]
    #[schema(schema_with = filter::body)]
    pub filter: Value,
    /// How many of them.
    #[serde(default = "one", deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 1000, default = 1)]
    pub count: u64,
    /// Count those after this sequence number; without it, all that are kept.
    #[serde(default, deserialize_with = "whole")]
    pub since: u64,
    /// How long to wait at most, in milliseconds of real time.
    #[serde(default = "wait_ms", deserialize_with = "whole")]
    #[schema(maximum = 600_000, default = 10_000)]
    pub timeout_ms: u64,
}

fn every() -> Value {
    Value::Object(serde_json::Map::new())
}

const fn one() -> u64 {
    1
}

const fn wait_ms() -> u64 {
    WAIT_MS
}

serves!(list, wait);

/// What happened, oldest first, page by page: go on with `since` = the `next` of the page before.
#[utoipa::path(get, path = "/events", tag = "events", params(
    ("since" = Option<u64>, Query, description = "Events with a larger sequence number only.", minimum = 0),
    ("limit" = Option<u64>, Query, description = "At most so many; 100 without it.", minimum = 1, maximum = 1000),
), responses((status = 200, body = Page)))]
async fn list(Extract(office): Extract<Office>, RawQuery(query): RawQuery) -> Result<Json<Page>, Problem> {
    let (pairs, numbers) = filter::query(query.as_deref().unwrap_or_default(), &["since", "limit"])?;
    let limit = numbers.limit.unwrap_or(PAGE);
    if !(1..=MOST).contains(&limit) {
        return Err(Code::InvalidValue.because(format!("a page has 1 to {MOST} events")).at("?limit"));
    }
    let state = office.state();
    let filter = state.act(|world, _| filter::read(world, &pairs, "?"))?;
    let mut reader = Reader::new(numbers.since.unwrap_or(0), filter);
    let mut events = Vec::new();
    let missed = reader.fill(&state, &mut events, usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(Json(page(&events, &reader, missed)))
}

/// Waits until so many events match, and answers with them. After the timeout, the answer is the problem `timeout`,
/// which says how many there were.
#[utoipa::path(post, path = "/events/wait", tag = "events", request_body = Await, responses((status = 200, body = Page)))]
async fn wait(Extract(office): Extract<Office>, Input(wish): Input<Await>) -> Result<Json<Page>, Problem> {
    if !(1..=MOST).contains(&wish.count) {
        return Err(Code::InvalidValue.because(format!("1 to {MOST} events can be waited for")).at("$.count"));
    }
    if wish.timeout_ms > LONGEST_MS {
        let text = format!("nobody waits longer than {LONGEST_MS} ms");
        return Err(Code::InvalidValue.because(text).at("$.timeout_ms"));
    }
    let pairs = filter::pairs(&wish.filter)?;
    let state = office.state();
    let filter = state.act(|world, _| filter::read(world, &pairs, "$.filter."))?;
    let count = usize::try_from(wish.count).unwrap_or(usize::MAX);
    let (mut reader, mut events, mut missed) = (Reader::new(wish.since, filter), Vec::new(), 0);
    let mut ending = office.ending.clone();
    let deadline = tokio::time::sleep(Duration::from_millis(wish.timeout_ms));
    tokio::pin!(deadline);
    // Before the first look, so that nothing that happens after it is overlooked.
    let mut news = state.news();
    loop {
        news.borrow_and_update();
        missed += reader.fill(&state, &mut events, count);
        if events.len() >= count {
            return Ok(Json(page(&events, &reader, missed)));
        }
        tokio::select! {
            _ = news.changed() => {}
            () = &mut deadline => {
                let (seen, ms) = (events.len(), wish.timeout_ms);
                let text = format!("{seen} of {count} events came within {ms} ms");
                let hint = "`x402-dev events` shows what came instead; a larger timeout_ms waits longer";
                let seen = u32::try_from(seen).ok();
                return Err(Problem { seen, ..Code::Timeout.because(text).hint(hint) });
            }
            _ = ending.changed() => return Err(Code::Stopping.because("the server is stopping")),
        }
    }
}

fn page(events: &[Arc<Event>], reader: &Reader, missed: u64) -> Page {
    let json = |event: &Arc<Event>| serde_json::value::to_raw_value(event.as_ref()).expect("events have string keys");
    Page { events: events.iter().map(json).collect(), next: reader.after, newest: reader.newest, missed }
}

/// Somebody who reads the stream, a glance at a time: the world is held for no longer than that.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Every event up to this one was looked at.
    pub after: u64,
    /// The newest event, when it was last looked.
    pub newest: u64,
    filter: Filter,
}

/// What a reader saw at a glance.
#[derive(Debug, Default)]
pub struct Seen {
    /// How many events had gone before they were read.
    pub missed: u64,
    /// The events that match.
    pub events: VecDeque<Arc<Event>>,
}

impl Reader {
    /// A reader who begins after a sequence number.
    pub const fn new(after: u64, filter: Filter) -> Self {
        Self { after, newest: 0, filter }
    }

    /// Looks at the next events. Whether there is more shows in `after` and `newest`.
    pub fn look(&mut self, state: &State) -> Seen {
        let mut seen = Seen::default();
        let events: Vec<Arc<Event>> = state.act(|world, _| {
            let log = world.events();
            self.newest = log.newest();
            seen.missed = log.missed_after(self.after);
            self.after = self.after.max(log.oldest() - 1);
            log.after(self.after, GLANCE).cloned().collect()
        });
        self.after = events.last().map_or(self.after, |event| event.sequence);
        seen.events = events.into_iter().filter(|event| self.filter.matches(event)).collect();
        seen
    }

    /// Whether there were events that it has not looked at.
    pub const fn is_behind(&self) -> bool {
        self.after < self.newest
    }

    /// Looks on until there are so many events, or no more. Gives how many had gone.
    fn fill(&mut self, state: &State, events: &mut Vec<Arc<Event>>, count: usize) -> u64 {
        let mut missed = 0;
        loop {
            let seen = self.look(state);
            missed += seen.missed;
            for event in seen.events {
                if events.len() == count {
                    // The rest belongs to the next page.
                    self.after = event.sequence - 1;
                    return missed;
                }
                events.push(event);
            }
            if !self.is_behind() || events.len() >= count {
                return missed;
            }
        }
    }
}
