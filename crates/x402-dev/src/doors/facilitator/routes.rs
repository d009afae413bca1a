//! `POST /verify`, `POST /settle`, `GET /supported`, `GET /health`.
//!
//! A refused payment is HTTP 200 with `isValid: false` or `success: false`: the only answer whose reason survives every
//! official resource server. 400 is for bodies that are no request at all. There is no 500 for what a client sent.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::{Extension, State as Extract};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use serde::Serialize;
use serde_json::{Value, json};
use x402_sim::event::{Door, Facts, Kind, PaymentId};
use x402_sim::facilitator::{Approved, Refusal, address_only, facts_of, judge, said_network, said_payer, said_scheme};
use x402_sim::fault::effect::{Forge, Wire};
use x402_sim::fault::{Effect, Fault, Mode, Sight, Stage, Timing};
use x402_sim::order::Depth;
use x402_sim::purchase::Buyer;
use x402_sim::purchase::buyer::Step;
use x402_sim::registry::Version;
use x402_wire::facilitator::{FacilitatorRequest, VerifyResponse};

use crate::doors::answer::{closing, json_body, json_bytes, refuse};
use crate::doors::body::{self, BodyError};
use crate::doors::cors::Missing;
use crate::doors::fault::script::{self, Cues, Script, sight_of};
use crate::doors::fault::till::{self, Till};
use crate::doors::fault::{receipt, wire};
use crate::doors::{Desk, simulation};
use crate::state::{Peer, Refused, State, value_of};

/// `POST /verify`: whether a payment would settle. Changes nothing.
pub async fn verify(desk: &Desk, peer: Peer, request: Request<Body>) -> Response {
    let state = desk.state();
    let (head, body) = match receive(&state, peer, request) {
        Ok(received) => received,
        Err(refusal) => return *refusal,
    };
    let body = match body.await {
        Ok(body) => body,
        Err(error) => return refuse_body(&error),
    };
    let asked = match Asked::read(&state, "/verify", &head, &body).await {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    let script = asked.script(&state);
    let cues = if script.is_idle() { Cues::default() } else { asked.play(&script, Stage::Verify) };
    if cues.is_empty() {
        return answer_json(&judge_now(&script, &asked).0, asked.mode);
    }
    // On the heap, so that a verification with which nothing goes wrong does not carry its room.
    Box::pin(verify_amid(&script, &asked, &cues)).await
}

/// The answer to `/verify` where something goes wrong.
async fn verify_amid(script: &Script<'_>, asked: &Asked<'_>, cues: &Cues) -> Response {
    let state = script.state;
    cues.delay(state).await;
    let verdict = match (cues.refusal(), cues.wire()) {
        (Some((reason, message)), _) => refuse_by_fault(script, asked, reason, message),
        (None, Some(wire)) if !wire::needs_answer(&wire) => VerifyResponse::default(),
        (None, _) => {
            let (verdict, judged) = judge_now(script, asked);
            if let Ok(approved) = &judged {
                till::interfere(state, cues, approved);
            }
            till::jump(state, cues);
            verdict
        }
    };
    send(state, serde_json::to_value(verdict).unwrap_or_default(), &Spoilt::by(cues), asked.mode, asked.path).await
}

/// Judges a request for `/verify`, and tells it.
fn judge_now(script: &Script<'_>, asked: &Asked<'_>) -> (VerifyResponse, Result<Approved, Box<Refusal>>) {
    let state = script.state;
    let (chain, now) = state.chain();
    let judged = judge(&asked.request, &chain, now / 1000, Depth::Verify, asked.mode);
    let (kind, answer) = match &judged {
        Ok(approved) => (Kind::Verified, approved.to_verify_response()),
        Err(refusal) => (Kind::Refused, refusal.to_verify_response()),
    };
    state.record(kind, Door::Facilitator, Some(asked.payment), facts(asked, &judged));
    if let Err(refusal) = &judged {
        asked.keep(script, refusal.spelled(), Some(&refusal.reason.detail));
    }
    (answer, judged)
}

/// Refuses a payment because a fault says so.
fn refuse_by_fault(script: &Script<'_>, asked: &Asked<'_>, reason: String, message: Option<String>) -> VerifyResponse {
    let payer = asked.payer();
    let told = payer.as_deref().and_then(address_only);
    let facts = Facts { reason: Some(reason.clone()), message: message.clone(), payer: told, ..asked.facts() };
    script.state.record(Kind::Refused, Door::Facilitator, Some(asked.payment), facts);
    asked.keep(script, &reason, message.as_deref());
    VerifyResponse { is_valid: false, invalid_reason: Some(reason), invalid_message: message, payer }
}

/// `POST /settle`: moves the money. Of any number of settlements of one authorization exactly one succeeds.
///
/// The signature is recovered on a snapshot and the transaction signed afterwards: the world is locked for neither.
pub async fn settle(desk: &Desk, peer: Peer, request: Request<Body>) -> Response {
    let state = desk.state();
    let (head, body) = match receive(&state, peer, request) {
        Ok(received) => received,
        Err(refusal) => return *refusal,
    };
    let body = match body.await {
        Ok(body) => body,
        Err(error) => return refuse_body(&error),
    };
    let asked = match Asked::read(&state, "/settle", &head, &body).await {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    let script = asked.script(&state);
    let sight = sight_of(&asked.request);
    let request = asked.facts();
    let till = Till {
        script: &script,
        sight: &sight,
        payment: asked.payment,
        request: &request,
        version: asked.request.payload.version().and_then(Version::from_number).unwrap_or(Version::V2),
        payer: asked.payer(),
        network: said_network(&asked.request),
    };
    let judged = || {
        let (chain, now) = state.chain();
        judge(&asked.request, &chain, now / 1000, Depth::Settle, asked.mode)
    };
    let said = till.settle(judged).await;
    if let (false, Some(reason)) = (said.answer.success, &said.answer.error_reason) {
        asked.keep(&script, reason, said.answer.error_message.as_deref());
    }
    let spoilt = Spoilt { forges: said.forges, wire: said.wire, cors_missing: said.cors_missing, at: said.at };
    if spoilt.is_whole() {
        return answer_json(&said.answer, asked.mode);
    }
    let answer = serde_json::to_value(said.answer).unwrap_or_default();
    Box::pin(send(&state, answer, &spoilt, asked.mode, asked.path)).await
}

/// What goes wrong with an answer.
#[derive(Debug, Default)]
struct Spoilt {
    forges: Vec<Forge>,
    wire: Option<Wire>,
    cors_missing: bool,
    at: u64,
}

impl Spoilt {
    fn by(cues: &Cues) -> Self {
        Self {
            forges: cues.forges(),
            wire: cues.wire(),
            cors_missing: cues.has(&Effect::CorsMissing),
            at: cues.over_at(),
        }
    }

    fn is_whole(&self) -> bool {
        self.forges.is_empty() && self.wire.is_none() && !self.cors_missing
    }
}

/// Sends an answer with which something goes wrong.
async fn send(state: &State, mut answer: Value, spoilt: &Spoilt, mode: Mode, target: &str) -> Response {
    receipt::forge(&mut answer, &spoilt.forges);
    let mut response = answer_json(&answer, mode);
    if let Some(wire) = &spoilt.wire {
        response = wire::spoil(state, response, wire, target, spoilt.at).await;
    }
    if spoilt.cors_missing {
        response.extensions_mut().insert(Missing);
    }
    response
}

/// `GET /supported`: what can be verified and settled.
pub async fn supported(
    Extract(desk): Extract<Desk>,
    Extension(peer): Extension<Peer>,
    request: Request<Body>,
) -> Response {
    let state = desk.state();
    let mut response = ([(header::CONTENT_TYPE, "application/json")], state.supported.clone()).into_response();
    let asked = match script::asked(&state, peer, request.headers()) {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    let script = Script::new(&state, Door::Facilitator, &asked);
    if script.is_idle() {
        return response;
    }
    let path = request.uri().path().to_owned();
    let facts = Facts { method: Some("GET".into()), path: Some(path.clone().into()), ..Facts::default() };
    let cues = script.play((Stage::Supported, Timing::Before), &Sight::default(), None, &facts);
    cues.delay(&state).await;
    if let Some(wire) = cues.wire() {
        response = wire::spoil(&state, response, &wire, &path, cues.over_at()).await;
    }
    if cues.has(&Effect::CorsMissing) {
        response.extensions_mut().insert(Missing);
    }
    response
}

/// `GET /health`: the server answers.
pub async fn health() -> Response {
    json_body(&json!({ "status": "ok" })).into_response()
}

/// What the head of a request says about how it shall be answered.
struct Head {
    mode: Mode,
    uri: Uri,
    faults: Vec<Fault>,
}

/// A request to verify or settle, read and not judged.
struct Asked<'a> {
    request: FacilitatorRequest<'a>,
    payment: PaymentId,
    mode: Mode,
    /// The path without its prefix.
    endpoint: &'static str,
    /// The path as it was asked for.
    path: &'a str,
    faults: &'a [Fault],
}

/// Says how a request shall be judged, and what will be its body.
fn receive(
    state: &State,
    peer: Peer,
    request: Request<Body>,
) -> Result<(Head, impl Future<Output = Result<Bytes, BodyError>> + use<>), Box<Response>> {
    let mode = simulation::mode(state, peer, request.headers())?;
    let faults = script::asked(state, peer, request.headers())?;
    let (head, body) = request.into_parts();
    Ok((Head { mode, uri: head.uri, faults }, body::read(&head.headers, body)))
}

impl<'a> Asked<'a> {
    /// Reads the body of a request; waits and times out where that is simulated.
    async fn read(
        state: &State,
        endpoint: &'static str,
        head: &'a Head,
        body: &'a [u8],
    ) -> Result<Self, Box<Response>> {
        let request = FacilitatorRequest::parse(body).map_err(|error| {
            let error = error.to_string();
            let refused = Refused::at_door(Door::Facilitator, endpoint, "HTTP 400").because(Some(&error));
            state.keep_refused(refused.holding(&String::from_utf8_lossy(body)));
            Box::new(refuse(StatusCode::BAD_REQUEST, &error))
        })?;
        let payment = PaymentId::of(&request.payload);
        let asked = Self { request, payment, mode: head.mode, endpoint, path: head.uri.path(), faults: &head.faults };
        let step = if endpoint == "/verify" { Step::Verify } else { Step::Settle };
        state.meet(asked.payment, &Buyer::of_request(&asked.request, step));
        if asked.mode == Mode::Timeout {
            let response = Box::pin(simulation::time_out(state)).await;
            state.record(Kind::TimedOut, Door::Facilitator, Some(asked.payment), asked.facts());
            return Err(Box::new(response));
        }
        Ok(asked)
    }

    /// Keeps the payment, which was refused, for whoever asks why.
    fn keep(&self, script: &Script<'_>, reason: &str, message: Option<&str>) {
        let refused = Refused::at_door(Door::Facilitator, self.endpoint, reason).because(message);
        let refused = refused.amid(script.refusing());
        script.state.keep_refused(refused.of(&self.request.payload).asked(value_of(&self.request.requirements)));
    }

    fn script<'s>(&'s self, state: &'s State) -> Script<'s> {
        Script::new(state, Door::Facilitator, self.faults)
    }

    fn play(&self, script: &Script<'_>, stage: Stage) -> Cues {
        script.play((stage, Timing::Before), &sight_of(&self.request), Some(self.payment), &self.facts())
    }

    /// Who pays, as the payload writes it.
    fn payer(&self) -> Option<String> {
        said_payer(&self.request.payload).map(Cow::into_owned)
    }

    /// The facts about the request.
    fn facts(&self) -> Facts {
        let (method, path) = (Some("POST".into()), Some(self.endpoint.into()));
        let scheme = said_scheme(&self.request);
        Facts { method, path, scheme, simulated: self.mode.simulation(), ..Facts::default() }
    }
}

fn answer_json<T: Serialize>(answer: &T, mode: Mode) -> Response {
    let mut response = json_bytes(serde_json::to_vec(answer).expect("answers have string keys"));
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

fn facts(asked: &Asked<'_>, judged: &Result<Approved, Box<Refusal>>) -> Facts {
    let Facts { method, path, scheme, simulated, .. } = asked.facts();
    Facts { method, path, scheme, simulated, ..facts_of(judged) }
}
