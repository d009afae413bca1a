//! `GET /_x402/events`: what happens, as it happens, as server-sent events.
//!
//! A reader pulls from the ring by sequence numbers, many events at once and not more often than ten times a second:
//! a payment never waits for a reader, and a reader who is too slow is told how many events it missed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State as Extract};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, header};
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::events::Reader;
use crate::doors::admin::filter;
use crate::doors::admin::input::WHOLE_MOST;
use crate::doors::admin::office::Office;
use crate::doors::admin::problem::{Code, Problem};
use crate::doors::admin::rendered::Rendered;
use crate::doors::flight::Endless;
use crate::state::State;

/// How long a reader rests after it has read, so that events come in bundles: ten readers that wake more often than ten
/// times a second are felt in the slowest hundredth of the payments.
const REST: Duration = Duration::from_millis(100);

/// After how long a silence something is sent, so that a connection that is dead is found.
const SILENCE: Duration = Duration::from_secs(15);

/// What every stream begins with: how soon to come back after it broke off.
const GREETING: &str = "retry: 1000\n\n";

/// What is sent over the stream.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Sent {
    /// The sequence number of the event.
    pub id: Option<String>,
    /// `gap` for what could not be sent.
    pub event: Option<String>,
    /// The event as JSON.
    pub data: String,
}

serves!(follow);

/// What happens, as it happens (`text/event-stream`). Each event has its sequence number as `id` and is JSON.
///
/// Begins after `Last-Event-ID` or `since`; without both, with the next event. An event named `gap` tells how many
/// events had gone before they could be sent.
#[utoipa::path(get, path = "/_x402/events", tag = "events", params(
    ("since" = Option<u64>, Query, description = "Begin after this sequence number; 0 begins with the oldest that is kept.", minimum = 0),
    ("Last-Event-ID" = Option<u64>, Header, description = "The same, as browsers say it when they come back; it wins.", minimum = 0),
), responses((status = 200, description = "The stream.", body = Sent, content_type = "text/event-stream")))]
async fn follow(
    Extract(office): Extract<Office>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (pairs, numbers) = filter::query(query.as_deref().unwrap_or_default(), &["since"])?;
    let asked = last_event_id(&headers)?.or(numbers.since);
    let state = office.state();
    // Before the first look, so that nothing that happens after it is overlooked.
    let news = state.news();
    let (filter, newest) =
        state.act(|world, _| Ok::<_, Problem>((filter::read(world, &pairs, "?")?, world.events().newest())))?;
    let mut greeting = GREETING.to_owned();
    let after = match asked {
        // Numbers that were never given come from another life of this server: its events begin anew.
        Some(after) if after > newest => {
            greeting.push_str(&gap(&json!({ "since": after, "newest": newest, "missed": null })));
            0
        }
        Some(after) => after,
        None => newest,
    };
    let reader = Reader::new(after, filter);
    let due = Instant::now();
    let (ending, rendered) = (office.ending.clone(), Arc::clone(&office.rendered));
    let follower = Follower { state, reader, news, ending, rendered, due, said: greeting };
    let stream = stream::unfold(follower, |mut follower| async move {
        let chunk = follower.next().await?;
        Some((Ok::<_, Infallible>(chunk), follower))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    let mut response = (headers, Body::from_stream(stream)).into_response();
    response.extensions_mut().insert(Endless);
    Ok(response)
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    // A browser that has not heard of any event yet says nothing, or an empty text.
    if number == Some("") {
        return Ok(None);
    }
    let number = number.and_then(|text| text.parse().ok()).filter(|number| *number <= WHOLE_MOST);
    number.map(Some).ok_or_else(|| {
        Code::InvalidValue.because("Last-Event-ID is the `id` of an event of this stream: a number").at("Last-Event-ID")
    })
}

/// Somebody who follows the stream.
struct Follower {
    state: Arc<State>,
    reader: Reader,
    news: watch::Receiver<u64>,
    ending: watch::Receiver<()>,
    rendered: Arc<Rendered>,
    /// When it may look again.
    due: Instant,
    /// What it says before anything else.
    said: String,
}

impl Follower {
    /// The next bundle; `None` when the server ends.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.said.is_empty() {
            return Some(std::mem::take(&mut self.said).into());
        }
        loop {
            if !self.reader.is_behind() {
                tokio::select! {
                    biased;
                    _ = self.ending.changed() => return None,
                    () = tokio::time::sleep_until(self.due) => {}
                }
            }
            if self.ending.has_changed().unwrap_or(true) {
                return None;
            }
            self.news.borrow_and_update();
            let seen = self.reader.look(&self.state);
            self.due = Instant::now() + REST;
            let mut text = String::new();
            if seen.missed > 0 {
                text.push_str(&gap(&json!({ "missed": seen.missed })));
            }
            for event in &seen.events {
                text.push_str(&self.rendered.of(event));
            }
            if !text.is_empty() {
                return Some(text.into());
            }
            if self.reader.is_behind() {
                continue;
            }
            tokio::select! {
                biased;
                _ = self.ending.changed() => return None,
                _ = self.news.changed() => {}
                () = tokio::time::sleep(SILENCE) => return Some(Bytes::from_static(b": still here\n\n")),
            }
        }
    }
}

/// Tells a reader what it cannot be told.
fn gap(what: &serde_json::Value) -> String {
    format!("event: gap\ndata: {what}\n\n")
}
