//! Offers and authorizations as tables for people.

use x402_sim::payer::Offer;
use x402_wire::amount::Decimal;
use x402_wire::document::Document;
use x402_wire::shape::shorten;

use super::authorized::up_to;
use super::choice::Candidate;
use super::story::{moment, safe};
use crate::commands::door::columns;
use crate::journal::Authorized;

/// What an offer asks, a row for each way to pay; the chosen one is marked.
pub fn offer(candidates: &[Candidate], chosen: Option<usize>) -> String {
    let head = ["", "NETWORK", "PRICE", "DOLLARS", "PAY TO", "BY", "VERDICT"].map(str::to_owned).to_vec();
    let rows = candidates.iter().enumerate().map(|(place, candidate)| row(place, candidate, chosen == Some(place)));
    let mut all = vec![head];
    all.extend(rows);
    columns(&all)
}

fn row(place: usize, way: &Candidate, is_chosen: bool) -> Vec<String> {
    let network = way.network.as_ref().map_or_else(|| shorten(way.said("network")), ToString::to_string);
    let dollars = match (&way.asset, way.amount) {
        // Every known asset is a dollar's.
        (Some(asset), Some(amount)) => {
            let dollars = Decimal::from_atomic(amount, asset.decimals);
            up_to(way.said("scheme"), &format!("${dollars}"))
        }
        _ => "?".to_owned(),
    };
    let by = [shorten(way.said("scheme")), way.method()].join(" ");
    let verdict = match &way.objection {
        Some(objection) => objection.with_remedy(),
        None if is_chosen => "would be paid".to_owned(),
        None => "could be paid".to_owned(),
    };
    let mark = if is_chosen { format!("{place}*") } else { place.to_string() };
    [mark, network, way.asked(), dollars, shorten(way.said("payTo")), by, verdict].map(|cell| safe(&cell)).to_vec()
}

/// What an offer says in words about what is sold.
pub fn described(offer: &Offer, way: &Candidate) -> Option<String> {
    let resource = offer.around.resource.as_ref();
    let said = resource.and_then(|resource| resource.get("description")).or_else(|| way.entry.get("description"));
    said.and_then(Document::text).filter(|text| !text.is_empty()).map(super::story::quoted)
}

/// What is signed: the typed data, without its signature.
pub fn signed(way: &Candidate, paid: &Authorized, payload: &Document) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut add = |name: &str, value: &str| rows.push((name.to_owned(), value.to_owned()));
    let extra = |key: &str| way.entry.get("extra").and_then(|extra| extra.get(key)).and_then(Document::text);
    if paid.instrument == "eip3009" {
        add("domain.name", extra("name").unwrap_or_default());
        add("domain.version", extra("version").unwrap_or_default());
        add("domain.chain", &paid.network);
        add("domain.contract", &paid.asset);
    } else {
        add("network", &paid.network);
    }
    let inner = payload.get("payload");
    let parts = ["authorization", "permit2Authorization"];
    if let Some(part) = parts.iter().find_map(|key| inner.and_then(|inner| inner.get(key))) {
        let first = rows.len();
        flatten("", part, &mut rows);
        rows[first..].iter_mut().for_each(|row| add_meaning(row, paid));
    }
    rows
}

/// Puts behind a number of atomic units what it is in whole ones, and behind seconds the time.
fn add_meaning((name, value): &mut (String, String), paid: &Authorized) {
    let meaning = match name.rsplit('.').next().unwrap_or_default() {
        "value" | "amount" if *value == paid.amount => paid.price.clone(),
        "validAfter" | "validBefore" | "deadline" => match value.parse() {
            Ok(seconds) => moment(seconds),
            Err(_) => return,
        },
        _ => return,
    };
    value.extend([" (", &meaning, ")"]);
}

fn flatten(before: &str, document: &Document, rows: &mut Vec<(String, String)>) {
    match document {
        Document::Object(members) => {
            for (key, value) in members {
                let name = if before.is_empty() { key.clone() } else { format!("{before}.{key}") };
                flatten(&name, value, rows);
            }
        }
        Document::Text(text) => rows.push((before.to_owned(), text.clone())),
        other => rows.push((before.to_owned(), other.to_json())),
    }
}
