//! The answer to an unpaid request: every dialect at once.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use x402_sim::event::{Door, Facts, Kind};
use x402_sim::memo::Terms;
use x402_wire::header::PAYMENT_REQUIRED;
use x402_wire::invoice::Invoice;

use super::visit::Reader;
use super::{Visit, page};
use crate::catalogue::Item;
use crate::config::Dialect;
use crate::doors::answer::{json_bytes, set_header};
use crate::state::State;

/// Room for the JSON of an invoice beside its path, in bytes.
const INVOICE_ROOM: usize = 320;

/// A fresh invoice, where the price can be invoiced.
pub fn invoice(state: &State, item: &Item, visit: &Visit) -> Option<Invoice> {
    let (amount, written) = item.invoice.as_ref().filter(|_| state.speaks(Dialect::Invoice))?;
    let terms = Terms { method: visit.method.as_str(), path: &visit.path, amount: *amount };
    Some(state.act(|world, now| world.issue_invoice(terms, written.clone(), now)))
}

/// The resource with an offer that says recent blockhashes, where it is to say any.
pub fn fresh<'a>(state: &State, item: &'a Item) -> Cow<'a, Item> {
    let recent = |network: &str| state.act(|world, now| world.recent_blockhash(network, now));
    match item.offer.with_blockhashes(recent) {
        Some(offer) => Cow::Owned(item.offering(offer, item.description.clone())),
        None => Cow::Borrowed(item),
    }
}

/// The body: the offer of version 1, and the invoice beside it.
fn body(state: &State, item: &Item, visit: &Visit, invoice: Option<&Invoice>) -> Vec<u8> {
    let legacy = item.unpaid_v1.as_ref().filter(|_| state.speaks(Dialect::X402V1));
    let filled = legacy.map(|legacy| legacy.fill(visit.url_without_query(), INVOICE_ROOM + visit.path.len()));
    let mut body = filled.unwrap_or_else(|| "{}".to_owned()).into_bytes();
    if let Some(invoice) = invoice {
        body.pop();
        body.extend_from_slice(if body.len() > 1 { b",\"invoice\":" } else { b"\"invoice\":" });
        serde_json::to_writer(&mut body, invoice).expect("an invoice has string keys, and memory takes all bytes");
        body.push(b'}');
    }
    body
}

/// What the first entry asks for, where it is offered in a version of the protocol.
fn asked<'a>(state: &State, item: &'a Item) -> Option<(u64, &'static str, &'a str)> {
    let first = item.requirements.first()?;
    let version = [(Dialect::X402V2, 2), (Dialect::X402V1, 1)].into_iter().find(|(own, _)| state.speaks(*own))?.1;
    let scheme = if first.get("scheme")? == "upto" { "upto" } else { "exact" };
    Some((version, scheme, first.get("network")?.as_str()?))
}

/// The 402 of an unpaid request. `agent` is what the client calls itself.
pub fn unpaid(state: &State, item: &Item, visit: &Visit, agent: Option<&HeaderValue>) -> Response {
    let invoice = invoice(state, item, visit);
    let v2 = state.speaks(Dialect::X402V2).then(|| fresh(state, item).unpaid_v2(&visit.url));
    let challenge = invoice.as_ref().map(Invoice::challenge);
    let mut response = match visit.reader {
        Reader::Program => json_bytes(body(state, item, visit, invoice.as_ref())),
        Reader::Browser => page::render(item, visit, invoice.as_ref()).into_response(),
    };
    *response.status_mut() = StatusCode::PAYMENT_REQUIRED;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set_header(headers, HeaderName::from_static(PAYMENT_REQUIRED), v2);
    set_header(headers, header::WWW_AUTHENTICATE, challenge);
    let facts = Facts {
        method: Some(visit.method_text()),
        path: Some(visit.path.clone().into()),
        amount: Some(item.offer.price.clone()),
        ..Facts::default()
    };
    let event = state.record(Kind::Offered, Door::Resources, None, facts);
    state.note_caller(event, agent.map(HeaderValue::as_bytes), asked(state, item));
    response
}
