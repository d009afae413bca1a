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

static REQUIRED: HeaderName = HeaderName::from_static(PAYMENT_REQUIRED);

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
fn body(state: &State, visit: &Visit, legacy: Option<&str>, invoice: Option<&Invoice>) -> String {
    let legacy = legacy.filter(|_| state.speaks(Dialect::X402V1)).unwrap_or("{}");
    let Some(invoice) = invoice else { return legacy.to_owned() };
    let mut body = String::with_capacity(legacy.len() + INVOICE_ROOM + visit.path.len());
    body.push_str(&legacy[..legacy.len() - 1]);
    body.push_str(if body.len() > 1 { ",\"invoice\":" } else { "\"invoice\":" });
    invoice.write_json(&mut body);
    body.push('}');
    body
}

/// What the first entry asks for, where it is offered in a version of the protocol.
fn asked<'a>(state: &State, item: &'a Item) -> Option<(u64, &'static str, &'a str)> {
    let first = item.offer.v2.first()?;
    let version = [(Dialect::X402V2, 2), (Dialect::X402V1, 1)].into_iter().find(|(own, _)| state.speaks(*own))?.1;
    let scheme = if first.scheme == "upto" { "upto" } else { "exact" };
    Some((version, scheme, &first.network))
}

/// The 402 of an unpaid request. `agent` is what the client calls itself.
pub fn unpaid(state: &State, item: &Item, visit: &Visit, agent: Option<&HeaderValue>) -> Response {
    let invoice = invoice(state, item, visit);
    let offers = fresh(state, item).unpaid(&visit.url, visit.url_without_query());
    let challenge = invoice.as_ref().map(Invoice::challenge);
    let mut response = match visit.reader {
        Reader::Program => json_bytes(body(state, visit, offers.v1.as_deref(), invoice.as_ref()).into_bytes()),
        Reader::Browser => page::render(item, visit, invoice.as_ref()).into_response(),
    };
    *response.status_mut() = StatusCode::PAYMENT_REQUIRED;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if state.speaks(Dialect::X402V2) {
        headers.insert(&REQUIRED, offers.v2.clone());
    }
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
