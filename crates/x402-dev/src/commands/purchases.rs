//! `purchases`: what was bought, and how often it was paid.

use serde::Deserialize;
use serde_json::value::RawValue;
use x402_sim::purchase::Listed;

use super::door::{Door, columns, segment};
use crate::clock::timestamp;
use crate::context::Context;
use crate::doors::admin::client::{CallError, Remote};
use crate::doors::admin::routes::purchases::{MOST, Purchases, Told};
use crate::error::Error;
use crate::exit::Exit;
use crate::terminal::safe;

/// What a line for people needs of an event.
#[derive(Debug, Deserialize)]
struct Seen {
    sequence: u64,
    at: u64,
    summary: String,
}

/// Prints all purchases, or one with its events.
pub fn run(context: &Context, door: &Door, wanted: Option<&str>) -> Result<Exit, Error> {
    match wanted {
        None => door.ask(context, all, table),
        Some(id) => door.ask(context, |remote| one(remote, id), evidence),
    }
}

/// Every purchase that is kept.
pub fn all(remote: &Remote) -> Result<Purchases, CallError> {
    let mut all: Purchases = remote.get(&format!("/purchases?limit={MOST}"))?;
    while all.next < all.newest {
        let page: Purchases = remote.get(&format!("/purchases?limit={MOST}&since={}", all.next))?;
        let more = page.next > all.next;
        (all.next, all.newest, all.missed) = (page.next, page.newest, all.missed + page.missed);
        all.purchases.extend(page.purchases);
        if !more {
            break;
        }
    }
    Ok(all)
}

/// One purchase with its events. `last` is the newest.
pub fn one(remote: &Remote, id: &str) -> Result<Told, CallError> {
    remote.get(&format!("/purchases/{}", segment(id)))
}

fn table(all: &Purchases) -> String {
    if all.purchases.is_empty() {
        return "no purchase yet: only a request with a payment makes one".to_owned();
    }
    let head = [
        "ID",
        "GROUPED BY",
        "PAYER",
        "RESOURCE",
        "ATTEMPTS",
        "AUTHORIZATIONS",
        "SETTLEMENTS",
        "MOVED",
        "DELIVERY",
        "VERDICT",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(all.purchases.iter().map(row));
    let table = columns(&rows);
    match all.missed {
        0 => table,
        missed => format!("{table}\n({missed} older purchases are forgotten)"),
    }
}

fn row(purchase: &Listed) -> Vec<String> {
    let dash = || "-".to_owned();
    vec![
        purchase.id.clone(),
        grouped(purchase),
        purchase.payer.as_deref().map_or_else(dash, shortened),
        resource(purchase),
        purchase.attempts.to_string(),
        purchase.authorizations.to_string(),
        purchase.settlements.to_string(),
        purchase.moved_text(),
        purchase.delivery.name().to_owned(),
        purchase.verdict.name().to_owned(),
    ]
}

/// How it was grouped, with the name that the buyer gave.
fn grouped(purchase: &Listed) -> String {
    let grouping = purchase.grouping.name();
    purchase.name.as_deref().map_or_else(|| grouping.to_owned(), |name| format!("{grouping} {}", safe(name)))
}

fn resource(purchase: &Listed) -> String {
    let resource = purchase.resource.as_deref().map_or_else(|| "-".to_owned(), safe);
    purchase.method.as_deref().map_or_else(|| resource.clone(), |method| format!("{} {resource}", safe(method)))
}

/// The two ends of an address.
fn shortened(address: &str) -> String {
    let end = address.len().saturating_sub(4);
    match (address.get(..6), address.get(end..)) {
        (Some(first), Some(last)) if end > 6 => format!("{first}..{last}"),
        _ => safe(address),
    }
}

/// A purchase and its events, for people.
pub fn evidence(told: &Told) -> String {
    let purchase = &told.purchase;
    let count = |number: u64| number.to_string();
    let text = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), safe);
    let rows = [
        ("verdict", purchase.verdict.name().to_owned()),
        ("grouped by", grouped(purchase)),
        ("seen", purchase.seen.name().to_owned()),
        ("payer", text(&purchase.payer)),
        ("resource", resource(purchase)),
        ("attempts", count(purchase.attempts)),
        ("authorizations", count(purchase.authorizations)),
        ("verifies", count(purchase.verifies)),
        ("settlements", count(purchase.settlements)),
        ("undone", count(purchase.undone)),
        ("pending", count(purchase.pending)),
        ("refused", count(purchase.refused)),
        ("faults", count(purchase.faults)),
        ("moved", purchase.moved_text()),
        ("delivery", purchase.delivery.name().to_owned()),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(key, value)| vec![format!("  {key}"), value]).collect();
    let mut lines = vec![purchase.id.clone(), columns(&rows)];
    lines.extend(told.events.iter().map(|event| event_line(event)));
    lines.join("\n")
}

fn event_line(event: &RawValue) -> String {
    match serde_json::from_str::<Seen>(event.get()) {
        Ok(Seen { sequence, at, summary }) => format!("{sequence:>6}  {}  {}", timestamp(at), safe(&summary)),
        Err(_) => event.get().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_by_its_ends() {
        assert_eq!(shortened("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"), "0xf39F..2266");
        assert_eq!(shortened("0xf39F"), "0xf39F");
        assert_eq!(shortened("ééééééé"), "ééé..éé");
    }
}
