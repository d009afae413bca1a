//! `POST /verify`, `POST /settle`, `GET /supported`, `GET /health`.
//!
//! A refused payment is HTTP 200 with `isValid: false` or `success: false`: the only answer whose reason survives every
//! official resource server. 400 is for bodies that are no request at all. There is no 500 for what a client sent.

use axum::body::Body;
use axum::extract::State as Extract;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use x402_sim::event::{Door, Facts, Kind, PaymentId};
use x402_sim::facilitator::{Approved, Refusal, facts_of, judge};
use x402_sim::fault::Mode;
use x402_sim::order::Depth;
use x402_wire::facilitator::FacilitatorRequest;

use crate::doors::answer::{closing, json_body, refuse};
use crate::doors::body::{self, BodyError};
use crate::doors::{Desk, simulation};
use crate::state::State;

/// `POST /verify`: whether a payment would settle. Changes nothing.
pub async fn verify(Extract(desk): Extract<Desk>, request: Request<Body>) -> Response {
    let state = desk.state();
    let (mode, body) = match receive(&state, request).await {
        Ok(received) => received,
        Err(refusal) => return *refusal,
    };
    let asked = match Asked::read(&state, "/verify", mode, &body).await {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    let (chain, now) = state.chain();
    let judged = judge(&asked.request, &chain, now / 1000, Depth::Verify, asked.mode);
    let (kind, answer) = match &judged {
        Ok(approved) => (Kind::Verified, approved.to_verify_response()),
        Err(refusal) => (Kind::Refused, refusal.to_verify_response()),
    };
    state.record(kind, Door::Facilitator, Some(asked.id()), facts("/verify", &asked, &judged));
    answer_json(&answer, asked.mode)
}

/// `POST /settle`: moves the money. Of any number of settlements of one authorization exactly one succeeds.
pub async fn settle(Extract(desk): Extract<Desk>, request: Request<Body>) -> Response {
    let state = desk.state();
    let (mode, body) = match receive(&state, request).await {
        Ok(received) => received,
        Err(refusal) => return *refusal,
    };
    let asked = match Asked::read(&state, "/settle", mode, &body).await {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    let outcome = settle_now(&state, &asked.request, asked.mode);
    let (kind, answer) = match &outcome {
        Ok((approved, transaction)) => (Kind::Settled, approved.to_settle_response(transaction.clone())),
        Err(refusal) => (Kind::SettleFailed, refusal.to_settle_response()),
    };
    let transaction = Some(answer.transaction.clone()).filter(|transaction| !transaction.is_empty());
    let judged = outcome.map(|(approved, _)| approved);
    let facts = Facts { transaction, ..facts("/settle", &asked, &judged) };
    state.record(kind, Door::Facilitator, Some(asked.id()), facts);
    answer_json(&answer, asked.mode)
}

/// Judges and settles a request. Gives the approved payment and the hash of its transaction.
///
/// The signature is recovered on a snapshot and the transaction signed afterwards: the world is locked for neither.
pub fn settle_now(
    state: &State,
    request: &FacilitatorRequest<'_>,
    mode: Mode,
) -> Result<(Approved, String), Box<Refusal>> {
    let (chain, now) = state.chain();
    let approved = judge(request, &chain, now / 1000, Depth::Settle, mode)?;
    drop(chain);
    let settled = state.act(|world, now| world.settle(&approved.charge, now));
    match settled {
        Ok(settled) => {
            let hash = settled.hash().to_string();
            Ok((approved, hash))
        }
        Err(reason) => Err(Box::new(Refusal::of_approved(&approved, reason))),
    }
}

/// `GET /supported`: what can be verified and settled.
pub async fn supported(Extract(desk): Extract<Desk>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], desk.state().supported.clone()).into_response()
}

/// `GET /health`: the server answers.
pub async fn health() -> Response {
    json_body(&json!({ "status": "ok" })).into_response()
}

/// A request to verify or settle, read and not judged.
struct Asked<'a> {
    request: FacilitatorRequest<'a>,
    mode: Mode,
}

/// Takes in the body of a request, and says how it shall be judged.
async fn receive(state: &State, request: Request<Body>) -> Result<(Mode, Bytes), Box<Response>> {
    let mode = simulation::mode(state, &request)?;
    let body = body::read(request.into_body()).await.map_err(|error| Box::new(refuse_body(&error)))?;
    Ok((mode, body))
}

impl<'a> Asked<'a> {
    /// Reads the body of a request; waits and times out where that is simulated.
    async fn read(state: &State, path: &'static str, mode: Mode, body: &'a [u8]) -> Result<Self, Box<Response>> {
        let request = FacilitatorRequest::parse(body)
            .map_err(|error| Box::new(refuse(StatusCode::BAD_REQUEST, &error.to_string())))?;
        let asked = Self { request, mode };
        if mode == Mode::Timeout {
            let response = simulation::time_out(state).await;
            let facts = Facts {
                method: Some("POST".into()),
                path: Some(path.into()),
                simulated: Some(mode.name()),
                ..Facts::default()
            };
            state.record(Kind::TimedOut, Door::Facilitator, Some(asked.id()), facts);
            return Err(Box::new(response));
        }
        Ok(asked)
    }

    fn id(&self) -> PaymentId {
        PaymentId::of(&self.request.payload)
    }
}

fn answer_json<T: Serialize>(answer: &T, mode: Mode) -> Response {
    let mut response = json_body(answer).into_response();
    simulation::say(response.headers_mut(), mode);
    response
}

fn refuse_body(error: &BodyError) -> Response {
    let limit = body::LIMIT;
    match error {
        BodyError::TooLarge => {
            let text = format!("the body is larger than {limit} bytes");
            closing(refuse(StatusCode::PAYLOAD_TOO_LARGE, &text))
        }
        BodyError::TooSlow => refuse(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive"),
        BodyError::Broken => refuse(StatusCode::BAD_REQUEST, "the body broke off"),
    }
}

fn facts(path: &'static str, asked: &Asked<'_>, judged: &Result<Approved, Box<Refusal>>) -> Facts {
    let simulated = asked.mode.simulation();
    let (method, path) = (Some("POST".into()), Some(path.into()));
    Facts { method, path, simulated, ..facts_of(judged) }
}
