//! The answer to a payment of protocol version 1.
//!
//! Source: npm `x402-express` 1.2.0.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use x402_sim::event::{Facts, Kind, PaymentId};
use x402_wire::header::{X_PAYMENT_RESPONSE, encode};
use x402_wire::json::Json;
use x402_wire::payload::PaymentPayload;
use x402_wire::shape::shorten;
use x402_wire::v1::{CLIENT_NETWORKS, PaymentRequiredV1};

use super::payment::Carried;
use super::sale::{Outcome, Sale, conclude};
use crate::doors::answer::{json_body, set_header};
use crate::doors::simulation;

/// What legacy servers say of a header that they cannot read.
const MALFORMED: &str = "Invalid or malformed payment header";

/// Answers a request that carries `X-PAYMENT`.
pub async fn answer(sale: &Sale<'_>, carried: &Carried) -> Response {
    let json = carried.json();
    let payload = match json.as_deref().map_err(|why| malformed(why)).and_then(decode) {
        Ok(payload) => payload,
        Err((text, why)) => {
            sale.undecodable(&format!("X-PAYMENT: {why}"));
            sale.keep_header(carried, &text, &why);
            return refused(sale, &text, None);
        }
    };
    sale.meet(&payload);
    let requirements = match sale.item.offer.matching_v1(&payload) {
        Ok(requirements) => requirements,
        Err(text) => {
            let facts = Facts { reason: Some(text.clone()), ..Facts::default() };
            sale.record(Kind::Refused, Some(PaymentId::of(&payload)), facts);
            sale.keep_unmatched(&payload, &text);
            return refused(sale, &text, None);
        }
    };
    let requirements = serde_json::to_value(requirements).expect("requirements have string keys");
    match conclude(sale, payload, &requirements).await {
        Outcome::Refused(reason, payer) => refused(sale, &reason, payer),
        // Legacy servers answer every failure so.
        Outcome::BadGateway(text) => refused(sale, &text, None),
        Outcome::NotSettled(mut response) => {
            simulation::say(response.headers_mut(), sale.mode);
            response
        }
        Outcome::SettleFailed(receipt) => refused(sale, receipt.error_reason.as_deref().unwrap_or_default(), None),
        Outcome::Delivered(mut response, receipt) => {
            let name = HeaderName::from_static(X_PAYMENT_RESPONSE);
            set_header(response.headers_mut(), name, Some(encode(&receipt)));
            response
        }
    }
}

/// Reads a payment. `Err` holds the text for the client and the one for the log.
///
/// Legacy servers answer with the raw text of whatever their decoder threw; see docs/fidelity.md for the texts chosen.
fn decode(json: &str) -> Result<PaymentPayload<'_>, (String, String)> {
    let payload = PaymentPayload::parse(json).map_err(|error| malformed(&error.to_string()))?;
    let version = shorten(&payload.version_text());
    if payload.version() != Some(1) {
        return Err((format!("Unsupported x402 version: {version}"), format!("x402Version is {version}, not 1")));
    }
    let network = shorten(payload.value().get("network").and_then(Json::as_str).unwrap_or_default());
    if !CLIENT_NETWORKS.contains(&network.as_str()) {
        return Err(("Invalid network".to_owned(), format!("\"{network}\" is no network of version 1")));
    }
    Ok(payload)
}

fn malformed(why: &str) -> (String, String) {
    (MALFORMED.to_owned(), why.to_owned())
}

/// A 402 with the reason and the offer again.
pub fn refused(sale: &Sale<'_>, error: &str, payer: Option<String>) -> Response {
    let accepts = sale.item.accepts_v1(sale.visit.url_without_query());
    let body = PaymentRequiredV1 { x402_version: 1, error: error.to_owned(), accepts, payer };
    let mut response = (StatusCode::PAYMENT_REQUIRED, json_body(&body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    simulation::say(response.headers_mut(), sale.mode);
    response
}
