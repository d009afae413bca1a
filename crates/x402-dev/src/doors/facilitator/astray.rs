//! Requests to the facilitator by a method that it does not take: they are kept for whoever asks why nothing was paid.

use axum::extract::OriginalUri;
use http::{Method, Request, header};
use x402_sim::event::Door;

use crate::state::{Refused, State};

/// Keeps a request that is answered with 405. `takes` is the method that it should have.
pub fn keep<B>(state: &State, request: &Request<B>, takes: &str) {
    let method = request.method();
    // Whoever asks which methods there are has done nothing wrong.
    if method == Method::OPTIONS {
        return;
    }
    let path = request.extensions().get::<OriginalUri>().map_or_else(|| request.uri().path(), |uri| uri.path());
    let seen = format!("{method} {path} was asked; the facilitator takes {takes} there");
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let refused = Refused::at_door(Door::Facilitator, path, "HTTP 405").because(Some(&seen));
    state.keep_refused(refused.sent_by(agent).found("facilitator_method"));
}
