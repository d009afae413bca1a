//! What is delivered: the configured answer, or the built-in body.
//!
//! A configured answer is made before settlement, as a real handler's is. The built-in body is rendered after it and
//! names the transaction, which a real handler cannot do.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderValue};
use serde::Serialize;
use x402_sim::fault::Mode;
use x402_sim::merchant::metering::OVERRIDES_HEADER;

use super::Visit;
use crate::catalogue::Item;
use crate::doors::answer::json_body;
use crate::doors::fault::wire;
use crate::doors::parcel::Content;
use crate::doors::simulation;

/// The built-in body.
#[derive(Debug, Default, Serialize)]
pub struct Receipt<'a> {
    /// What was paid for.
    pub resource: &'a str,
    /// What it cost: `0.01 USDC`, or `free`.
    pub amount: &'a str,
    /// Who paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<&'a str>,
    /// The network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<&'a str>,
    /// The transaction's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<&'a str>,
    /// In which dialect it was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<&'static str>,
    /// What else must be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// The mode, when something was simulated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<&'static str>,
}

/// What a handler says of the charge, taken out of its answer.
#[derive(Clone, Debug)]
pub struct Overrides(pub HeaderValue);

/// The configured answer, if there is one.
pub fn configured(item: &Item) -> Option<Response> {
    let configured = item.response.as_ref()?;
    let mut response = Response::new(Body::from(configured.body.clone()));
    *response.status_mut() = configured.status;
    response.headers_mut().clone_from(&configured.headers);
    // Whatever is bought and however: it is for the server, and never for the client.
    if let Some(said) = response.headers_mut().remove(OVERRIDES_HEADER) {
        response.extensions_mut().insert(Overrides(said));
    }
    Some(response)
}

/// The answer of a handler that a fault lets fail, or succeed with another status.
pub fn failed(code: u16, body: Option<&str>) -> Response {
    wire::with_body(StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body)
}

/// The same delivery with nothing in it.
pub fn emptied(response: Response) -> Response {
    let (mut head, _) = response.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    head.extensions.insert(Content::Fake);
    Response::from_parts(head, Body::empty())
}

/// The same delivery with something else in it.
pub fn exchanged(response: Response) -> Response {
    let (mut head, _) = response.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    head.extensions.insert(Content::Fake);
    Response::from_parts(head, Body::from(r#"{"fault":"this is not what was paid for"}"#))
}

/// The same delivery for every cache on its way.
pub fn published(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

/// Whether content of this status is paid for: a failed handler costs nothing.
pub fn is_paid_for(response: Option<&Response>) -> bool {
    response.is_none_or(|response| response.status().as_u16() < 400)
}

/// The answer to a request for a free resource.
pub fn free(item: &Item, visit: &Visit) -> Response {
    configured(item).unwrap_or_else(|| {
        let receipt = Receipt { resource: &visit.url, amount: "free", ..Receipt::default() };
        json_body(&receipt).into_response()
    })
}

/// The delivery after settlement: what was made before it, or the built-in body.
pub fn delivered(prepared: Option<Response>, receipt: &Receipt<'_>, mode: Mode) -> Response {
    let mut response = prepared.unwrap_or_else(|| json_body(receipt).into_response());
    let headers = response.headers_mut();
    let private = match headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok()) {
        None => Ok(HeaderValue::from_static("private")),
        Some(value) if value.to_ascii_lowercase().split(',').any(|part| part.trim() == "private") => {
            HeaderValue::try_from(value)
        }
        Some(value) => HeaderValue::try_from(format!("{value}, private")),
    };
    headers.insert(header::CACHE_CONTROL, private.unwrap_or(HeaderValue::from_static("private")));
    simulation::say(headers, mode);
    response
}
