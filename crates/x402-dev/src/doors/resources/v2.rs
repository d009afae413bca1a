//! The answer to a payment of protocol version 2.
//!
//! Source: TS 2.27 core `x402HTTPResourceServer.ts`.

use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use x402_sim::event::{Facts, Kind, PaymentId};
use x402_sim::reason::Code;
use x402_sim::registry::Version;
use x402_wire::facilitator::SettleResponse;
use x402_wire::header::{PAYMENT_REQUIRED, PAYMENT_RESPONSE, encode};
use x402_wire::payload::PaymentPayload;

use super::offer;
use super::payment::Carried;
use super::sale::{Outcome, Sale, conclude};
use crate::catalogue::UNPAID_V2;
use crate::doors::answer::{json_body, refuse, set_header};
use crate::doors::simulation;

/// Answers a request that carries `PAYMENT-SIGNATURE`.
pub async fn answer(sale: &Sale<'_>, carried: &Carried) -> Response {
    let json = carried.json();
    let decoded = json.as_deref().map_err(String::clone);
    let decoded = decoded.and_then(|json| PaymentPayload::parse(json).map_err(|error| error.to_string()));
    let payload = match decoded {
        Ok(payload) => payload,
        Err(why) => {
            sale.undecodable(&format!("PAYMENT-SIGNATURE: {why}"));
            sale.keep_header(carried, UNPAID_V2, &why);
            return refused(sale, UNPAID_V2);
        }
    };
    sale.meet(&payload);
    let requirements = match sale.item.offer.matching_v2(&payload) {
        Ok(index) => &sale.item.requirements[index],
        Err(text) => {
            let facts = Facts { reason: Some(text.clone()), ..Facts::default() };
            sale.record(Kind::Refused, Some(PaymentId::of(&payload)), facts);
            sale.keep_unmatched(&payload, &text);
            return refused(sale, &text);
        }
    };
    respond(sale, conclude(sale, payload, requirements).await)
}

fn respond(sale: &Sale<'_>, outcome: Outcome) -> Response {
    match outcome {
        Outcome::Refused(reason, _) => {
            let mut response = refused(sale, &reason);
            // The payer can do something about it, and then the same payment is good.
            if reason == Code::Permit2Allowance.spell(Version::V2) {
                *response.status_mut() = StatusCode::PRECONDITION_FAILED;
            }
            response
        }
        Outcome::BadGateway(text) => refuse(StatusCode::BAD_GATEWAY, &text),
        Outcome::NotSettled(mut response) => {
            simulation::say(response.headers_mut(), sale.mode);
            response
        }
        Outcome::SettleFailed(receipt) => {
            let mut response = empty(sale);
            set_receipt(response.headers_mut(), &receipt);
            response
        }
        Outcome::Delivered(mut response, receipt) => {
            set_receipt(response.headers_mut(), &receipt);
            response
        }
    }
}

/// A 402 with the reason and the offer again.
pub fn refused(sale: &Sale<'_>, reason: &str) -> Response {
    let mut response = empty(sale);
    let header = offer::fresh(sale.state, sale.item).header_v2(&sale.visit.url, reason);
    set_header(response.headers_mut(), HeaderName::from_static(PAYMENT_REQUIRED), Some(header));
    response
}

/// A 402 with the body that official servers send: an empty object.
fn empty(sale: &Sale<'_>) -> Response {
    let mut response = (StatusCode::PAYMENT_REQUIRED, json_body(&json!({}))).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    simulation::say(response.headers_mut(), sale.mode);
    response
}

fn set_receipt(headers: &mut HeaderMap, receipt: &SettleResponse) {
    set_header(headers, HeaderName::from_static(PAYMENT_RESPONSE), Some(encode(receipt)));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use x402_sim::event::Door;
    use x402_sim::fault::Mode;

    use super::super::Visit;
    use super::*;
    use crate::config::{Config, ForwardedHeaders, Log};
    use crate::doors::fault::Script;
    use crate::state::State;
    use crate::terminal::{Colour, Sink, Terminal};

    /// Reached only by a race through the front door: somebody else settles between verification and settlement.
    #[tokio::test]
    async fn a_failed_settlement_is_a_402_with_a_receipt_an_empty_body_and_no_offer() {
        let terminal = Arc::new(Terminal::new(Log::default(), Colour::Off, Sink::Stderr));
        let state = State::new(&Config::defaults(), 1, terminal).unwrap();
        let request = http::Request::builder().uri("/a").body(()).unwrap();
        let visit = Visit::of(&request, "127.0.0.1:1".parse().unwrap(), ForwardedHeaders::Ignore);
        let item = state.catalogue.find("GET", "/a");
        let script = Script::new(&state, Door::Resources, &[]);
        let (state, item, visit, script) = (&state, &item, &visit, &script);
        let headers = request.headers();
        let sale = Sale { state, item, visit, mode: Mode::Strict, dialect: "x402v2", script, headers };
        let receipt = SettleResponse {
            error_reason: Some("invalid_exact_evm_nonce_already_used".to_owned()),
            network: "eip155:84532".to_owned(),
            ..SettleResponse::default()
        };
        let response = respond(&sale, Outcome::SettleFailed(receipt.clone()));
        assert_eq!(response.status(), StatusCode::PAYMENT_REQUIRED);
        assert!(!response.headers().contains_key(PAYMENT_REQUIRED));
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let said = response.headers()[PAYMENT_RESPONSE].to_str().unwrap();
        assert_eq!(x402_wire::header::decode(said), Ok(serde_json::to_value(receipt).unwrap()));
        let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        assert_eq!(&body[..], b"{}");
    }
}
