//! The answer to an unpaid request: every dialect at once.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use serde::Serialize;
use x402_sim::event::{Door, Facts, Kind};
use x402_sim::memo::Terms;
use x402_wire::header::PAYMENT_REQUIRED;
use x402_wire::invoice::Invoice;
use x402_wire::v1::PaymentRequirementsV1;

use super::visit::Reader;
use super::{Visit, page};
use crate::catalogue::Item;
use crate::clock;
use crate::config::Dialect;
use crate::doors::answer::{json_body, set_header};
use crate::state::State;

/// The text of version 2 for a request without a payment.
pub const UNPAID_V2: &str = "Payment required";

/// The text of version 1 for a request without a payment.
const UNPAID_V1: &str = "X-PAYMENT header is required";

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
        body.accepts = Some(item.accepts_v1(visit.url_without_query()));
    }
    let v2 = state.speaks(Dialect::X402V2).then(|| item.header_v2(&visit.url, UNPAID_V2));
    let challenge = invoice.as_ref().map(Invoice::challenge);
    body.invoice = invoice;
    let mut response = match visit.reader {
        Reader::Program => json_body(&body).into_response(),
        Reader::Browser => page::render(item, visit).into_response(),
    };
    *response.status_mut() = StatusCode::PAYMENT_REQUIRED;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set_header(headers, HeaderName::from_static(PAYMENT_REQUIRED), v2);
    set_header(headers, header::WWW_AUTHENTICATE, challenge);
    let facts = Facts {
        method: Some(visit.method.to_string()),
        path: Some(visit.path.clone()),
        amount: Some(item.offer.price.clone()),
        ..Facts::default()
    };
    state.record(Kind::Offered, Door::Resources, None, facts);
    response
}
