//! The answer to an unpaid request: every dialect at once.

use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;
use x402_sim::event::{Door, Facts, Kind};
use x402_sim::memo::Terms;
use x402_wire::header::{PAYMENT_REQUIRED, encode};
use x402_wire::invoice::Invoice;
use x402_wire::v1::PaymentRequirementsV1;

use super::visit::Reader;
use super::{Item, Visit, page};
use crate::clock;
use crate::config::Dialect;
use crate::doors::json_body;
use crate::state::State;

/// The text of version 2 for a request without a payment.
pub const UNPAID_V2: &str = "Payment required";

/// The text of version 1 for a request without a payment.
const UNPAID_V1: &str = "X-PAYMENT header is required";

/// The offer of version 2, with the part that does not change rendered before.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfferV2<'a> {
    x402_version: u8,
    error: &'a str,
    resource: Resource<'a>,
    accepts: &'a RawValue,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource<'a> {
    url: &'a str,
    description: &'a str,
    mime_type: &'a str,
}

/// The body: the offer of version 1, and the invoice beside it.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    x402_version: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepts: Option<Vec<PaymentRequirementsV1>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice: Option<Invoice>,
}

/// The value of `PAYMENT-REQUIRED`.
pub fn header_v2(item: &Item, url: &str, error: &str) -> String {
    let resource = Resource { url, description: &item.description, mime_type: &item.mime_type };
    encode(&OfferV2 { x402_version: 2, error, resource, accepts: &item.accepts })
}

/// The ways to pay in version 1, for this request's address.
pub fn accepts_v1(item: &Item, visit: &Visit) -> Vec<PaymentRequirementsV1> {
    let mut accepts = item.offer.v1.clone();
    for way in &mut accepts {
        visit.url_without_query().clone_into(&mut way.resource);
    }
    accepts
}

/// A fresh invoice, where the price can be invoiced.
pub fn invoice(state: &State, item: &Item, visit: &Visit) -> Option<Invoice> {
    let (amount, written) = item.invoice.as_ref().filter(|_| state.speaks(Dialect::Invoice))?;
    let terms = Terms { path: &visit.path, amount: *amount };
    Some(state.world().issue_invoice(terms, written.clone(), clock::now()))
}

/// The 402 of an unpaid request.
pub fn unpaid(state: &State, item: &Item, visit: &Visit) -> Response {
    let invoice = invoice(state, item, visit);
    let mut body = Body::default();
    if state.speaks(Dialect::X402V1) && !item.offer.v1.is_empty() {
        body.x402_version = Some(1);
        body.error = Some(UNPAID_V1);
        body.accepts = Some(accepts_v1(item, visit));
    }
    let v2 = state.speaks(Dialect::X402V2).then(|| header_v2(item, &visit.url, UNPAID_V2));
    let challenge = invoice.as_ref().map(Invoice::challenge);
    body.invoice = invoice;
    let mut response = match visit.reader {
        Reader::Program => json_body(&body).into_response(),
        Reader::Browser => page::render(item, visit).into_response(),
    };
    *response.status_mut() = StatusCode::PAYMENT_REQUIRED;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set(headers, HeaderName::from_static(PAYMENT_REQUIRED), v2);
    set(headers, header::WWW_AUTHENTICATE, challenge);
    let facts = Facts {
        method: Some(visit.method.to_string()),
        path: Some(visit.path.clone()),
        amount: Some(item.offer.price.clone()),
        ..Facts::default()
    };
    state.record(Kind::Offered, Door::Resources, None, facts);
    response
}

/// Sets a header to a text that we made ourselves: ASCII without line ends.
pub fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<String>) {
    if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(name, value);
    }
}
