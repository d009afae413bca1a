//! `/_x402/api/purchases`: the attempts of one buyer to buy one resource once, counted, with a verdict.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, RawQuery, State as Extract};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use x402_sim::event::Event;
use x402_sim::purchase::{Listed, PurchaseId};

use super::events::{Described as DescribedEvent, GLANCE};
use crate::doors::admin::filter;
use crate::doors::admin::office::Office;
use crate::doors::admin::problem::{Code, Problem};
use crate::state::State;

/// How many purchases a page has, where nothing else is said.
const PAGE: u64 = 100;

/// How many purchases a page has at most.
pub const MOST: u64 = 1_000;

/// How long an answer waits for paid content that is being handed over.
const PATIENCE: Duration = Duration::from_millis(100);

/// The attempts of one buyer to buy one resource once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Purchase)]
pub struct Described {
    /// What it is called.
    pub id: String,
    /// How its attempts were told from others: `id`, `header` or `guess`.
    pub grouping: String,
    /// What the buyer calls it.
    pub name: Option<String>,
    /// At which doors it was seen: `both`, `resources` or `facilitator`.
    pub seen: String,
    /// Who pays.
    pub payer: Option<String>,
    /// The method of the request for the resource, where that was seen.
    pub method: Option<String>,
    /// The path and query of the resource, or its address as the facilitator is told.
    pub resource: Option<String>,
    /// Requests with a payment; at the facilitator, verifications and the settlements that none preceded.
    pub attempts: u64,
    /// Different authorizations that were seen.
    pub authorizations: u64,
    /// Verifications, good or bad.
    pub verifies: u64,
    /// Transfers in the ledger, less those that were undone.
    pub settlements: u64,
    /// Transfers that were undone.
    pub undone: u64,
    /// Settlements whose transaction is not confirmed yet.
    pub pending: u64,
    /// Refusals, failed settlements and timeouts.
    pub refused: u64,
    /// Faults that were played.
    pub faults: u64,
    /// Deliveries of the content to its last byte.
    pub deliveries: u64,
    /// What moved, by asset; what was undone is taken off.
    pub moved: Vec<Moved>,
    /// Whether the buyer got the content: `delivered`, `not delivered` or `unknown`.
    pub delivery: String,
    /// `clean`, `paid twice`, `paid, not delivered`, `delivered, not paid`, `refused`, `pending`,
    /// `settled, delivery not seen` or `possibly paid twice`.
    pub verdict: String,
    /// Whether a further authorization belongs to another purchase.
    pub closed: bool,
    /// The payments that were tried; the newest 100.
    pub payments: Vec<String>,
    /// When its first event was, in milliseconds since 1970 of the mock's clock.
    pub opened_at: u64,
    /// When its last event was, in milliseconds since 1970 of the mock's clock.
    pub changed_at: u64,
    /// The sequence number of its first event.
    pub first_event: u64,
    /// The sequence number of its last event.
    pub last_event: u64,
}

/// An amount that moved.
#[derive(Debug, Serialize, ToSchema)]
pub struct Moved {
    /// The network's CAIP-2 id.
    pub network: String,
    /// The asset's address.
    pub asset: String,
    /// Its ticker.
    pub symbol: String,
    /// Its decimals.
    pub decimals: u8,
    /// How much, in atomic units.
    pub atomic: String,
    /// How much, for people: `0.01 USDC`.
    pub amount: String,
}

/// Some purchases, oldest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Purchases {
    /// The purchases.
    #[schema(value_type = Vec<Described>)]
    pub purchases: Vec<Listed>,
    /// The `since` with which to go on.
    pub next: u64,
    /// How many purchases there were in all; the newest is called by this number.
    pub newest: u64,
    /// How many purchases after `since` are forgotten, because only the newest are kept.
    pub missed: u64,
}

/// A purchase, and what happened to it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Told {
    /// The purchase.
    #[schema(value_type = Described)]
    pub purchase: Listed,
    /// Its events that are kept, oldest first.
    #[schema(value_type = Vec<DescribedEvent>)]
    pub events: Vec<Box<RawValue>>,
}

serves!(list, show);

/// The purchases, oldest first, page by page: go on with `since` = the `next` of the page before.
#[utoipa::path(get, path = "/purchases", tag = "purchases", params(
    ("since" = Option<u64>, Query, description = "Purchases with a larger number only: 3 for those after `pur_3`.", minimum = 0),
    ("limit" = Option<u64>, Query, description = "At most so many; 100 without it.", minimum = 1, maximum = 1000),
), responses((status = 200, body = Purchases)))]
async fn list(Extract(office): Extract<Office>, RawQuery(query): RawQuery) -> Result<Json<Purchases>, Problem> {
    let (pairs, numbers) = filter::query(query.as_deref().unwrap_or_default(), &["since", "limit"])?;
    if let Some((key, _)) = pairs.first() {
        let key = x402_wire::shape::shorten(key);
        return Err(Code::UnknownParameter.because(format!("there is no parameter \"{key}\"")).at(format!("?{key}")));
    }
    let limit = numbers.limit.unwrap_or(PAGE);
    if !(1..=MOST).contains(&limit) {
        return Err(Code::InvalidValue.because(format!("a page has 1 to {MOST} purchases")).at("?limit"));
    }
    let state = office.state();
    handed_over(&state).await;
    let since = numbers.since.unwrap_or(0);
    Ok(Json(page(&state, since, usize::try_from(limit).unwrap_or(usize::MAX))))
}

/// A purchase with its events; `last` is the newest.
#[utoipa::path(get, path = "/purchases/{id}", tag = "purchases", params(
    ("id" = String, Path, description = "`pur_` and a number, or `last`.", pattern = "^(last|pur_[1-9][0-9]{0,17})$"),
), responses((status = 200, body = Told)))]
async fn show(Extract(office): Extract<Office>, Path(id): Path<String>) -> Result<Json<Told>, Problem> {
    let state = office.state();
    handed_over(&state).await;
    let told = state.act(|world, _| {
        let register = world.purchases();
        let found = if id == "last" { register.last() } else { PurchaseId::parse(&id).and_then(|id| register.get(id)) };
        let told = found.map(|purchase| (world.list(purchase), world.events_of(purchase)));
        told.ok_or_else(|| register.forgotten())
    });
    let (purchase, events) = told.map_err(|forgotten| unknown(&id, forgotten))?;
    let json = |event: &Arc<Event>| serde_json::value::to_raw_value(event.as_ref()).expect("events have string keys");
    Ok(Json(Told { purchase, events: events.iter().map(json).collect() }))
}

fn unknown(id: &str, forgotten: u64) -> Problem {
    let id = x402_wire::shape::shorten(id);
    let problem = Code::UnknownPurchase.because(match id.as_str() {
        "last" => "there is no purchase yet".to_owned(),
        _ => format!("there is no purchase \"{id}\""),
    });
    problem.hint(match forgotten {
        0 => "`x402-dev purchases` lists them; only a request with a payment makes one".to_owned(),
        forgotten => format!("`x402-dev purchases` lists them; the oldest {forgotten} are forgotten"),
    })
}

/// A page of purchases. The world is held for no longer than a glance at a time.
fn page(state: &State, since: u64, limit: usize) -> Purchases {
    let mut page = Purchases { purchases: Vec::new(), next: since, newest: 0, missed: 0 };
    loop {
        let wanted = (limit - page.purchases.len()).min(GLANCE);
        let seen = state.act(|world, _| {
            let register = world.purchases();
            page.newest = register.last().map_or(register.forgotten(), |last| last.id.0);
            page.missed += register.forgotten().saturating_sub(page.next);
            page.next = page.next.max(register.forgotten());
            register.after(page.next).take(wanted).map(|purchase| world.list(purchase)).collect::<Vec<_>>()
        });
        page.next += seen.len() as u64;
        let end = seen.len() < wanted;
        page.purchases.extend(seen);
        if end || page.purchases.len() >= limit {
            return page;
        }
    }
}

/// Waits until paid content that is being handed over has left: who has read an answer finds it counted.
async fn handed_over(state: &State) {
    let mut news = state.news();
    let settled = async {
        while state.counters.handing_over.load(Ordering::Relaxed) > 0 {
            if news.changed().await.is_err() {
                return;
            }
        }
    };
    // A client that does not read its answer is not waited for.
    let _ = tokio::time::timeout(PATIENCE, settled).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of an object schema.
    fn described<T: ToSchema>() -> Vec<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        let mut keys: Vec<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    }

    #[test]
    fn a_purchase_is_described_as_it_is_told() {
        let text = r#"{"id": "pur_1", "grouping": "guess", "name": null, "seen": "both", "payer": null, "method": null,
            "resource": null, "attempts": 1, "authorizations": 1, "verifies": 1, "settlements": 1, "undone": 0,
            "pending": 0, "refused": 0, "faults": 0, "deliveries": 1, "delivery": "delivered", "verdict": "clean",
            "moved": [{"network": "n", "asset": "a", "symbol": "s", "decimals": 6, "atomic": "1", "amount": "x"}],
            "closed": true, "payments": [], "opened_at": 1, "changed_at": 1, "first_event": 1, "last_event": 1}"#;
        let listed: Listed = serde_json::from_str(text).unwrap();
        let told = serde_json::to_value(&listed).unwrap();
        let keys = |value: &serde_json::Value| {
            let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys
        };
        assert_eq!(described::<Described>(), keys(&told));
        assert_eq!(described::<Moved>(), keys(&told["moved"][0]));
    }
}
