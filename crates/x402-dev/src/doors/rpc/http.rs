//! A JSON-RPC request by POST. Whatever is asked, the status is 200: errors are in the answer, as at every node. Another
//! status has only a body that cannot be read (400, 408, 413), a method that is not POST (405, 426), and what a fault says.

use ::http::{Method, Request as HttpRequest, StatusCode};
use axum::body::Body;
use axum::extract::{Extension, Path, State as Extract};
use axum::response::Response;
use x402_sim::fault::Fault;
use x402_sim::fault::effect::Wire;

use super::fault;
use super::frame::{self, Answers, Request, Sent};
use crate::doors::admin::office::Office;
use crate::doors::answer::{closing, json_bytes, refuse};
use crate::doors::body::{self, BodyError};
use crate::doors::cors::Missing;
use crate::doors::fault::{script, wire};
use crate::state::{Peer, State};

/// Answers a POST.
pub(crate) async fn answer(office: &Office, network: &str, peer: Peer, request: HttpRequest<Body>) -> Response {
    let state = office.state();
    let asked = match script::asked(&state, peer, request.headers()) {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    let (head, body) = request.into_parts();
    let body = match body::read(&head.headers, body).await {
        Ok(body) => body,
        Err(error) => return refuse_body(&error),
    };
    let Said { text, spoilt, cors_missing } = respond(&state, network, &body, &asked).await;
    let mut response = json_bytes(text.into_bytes());
    if let Some((wire, at)) = spoilt {
        response = wire::spoil(&state, response, &wire, head.uri.path(), at).await;
    }
    if cors_missing {
        response.extensions_mut().insert(Missing);
    }
    response
}

/// An answer, and what becomes of it.
#[derive(Default)]
struct Said {
    text: String,
    spoilt: Option<(Wire, u64)>,
    cors_missing: bool,
}

/// Answers what somebody sent. What becomes of one answer of a batch becomes of all: they travel together.
async fn respond(state: &State, network: &str, body: &[u8], asked: &[Fault]) -> Said {
    let mut said = Said::default();
    match frame::read(body) {
        Err(answer) => said.text = answer,
        Ok(Sent::One(request)) => said.text = one(state, network, request, asked, &mut said).await,
        Ok(Sent::Batch(requests)) => {
            let mut answers = Answers::default();
            for request in requests {
                if answers.is_full() {
                    answers.refuse(&request.id);
                    continue;
                }
                // The world is taken for each call anew, so that a long batch keeps nobody waiting.
                answers.push(one(state, network, request, asked, &mut said).await);
            }
            said.text = answers.finish();
        }
    }
    said
}

async fn one(state: &State, network: &str, request: Request, asked: &[Fault], said: &mut Said) -> String {
    let outcome = match request.call {
        Err(error) => Err(error),
        Ok(call) => {
            let outcome = fault::call(state, network, &call, asked).await;
            said.spoilt = said.spoilt.take().or(outcome.spoilt);
            said.cors_missing |= outcome.cors_missing;
            outcome.said
        }
    };
    frame::answer(&request.id, outcome)
}

/// The same, of a request that came by the router.
pub(super) async fn routed(
    Extract(office): Extract<Office>,
    Path(network): Path<String>,
    Extension(peer): Extension<Peer>,
    request: HttpRequest<Body>,
) -> Response {
    answer(&office, &network, peer, request).await
}

/// The answer to a method that is not taken.
pub(super) async fn other_method(method: Method) -> Response {
    super::super::other_method(&method, "POST, GET, OPTIONS")
}

fn refuse_body(error: &BodyError) -> Response {
    match error {
        BodyError::TooLarge => {
            let text = format!("the body is larger than {} bytes", body::LIMIT);
            closing(refuse(StatusCode::PAYLOAD_TOO_LARGE, &text))
        }
        BodyError::TooSlow => refuse(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive"),
        BodyError::Broken => refuse(StatusCode::BAD_REQUEST, "the body broke off"),
    }
}
