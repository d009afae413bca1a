//! Simulated outcomes: which mode holds for a request, and how answers say so.

use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue};
use x402_sim::fault::Mode;

use super::answer::refuse;
use crate::state::{Peer, SIMULATION_MODE, State};

/// The mode for a request of a peer, or the refusal of an unknown one.
pub fn mode(state: &State, peer: Peer, headers: &HeaderMap) -> Result<Mode, Box<Response>> {
    state.mode(peer, headers).map_err(|unknown| Box::new(refuse(StatusCode::BAD_REQUEST, &unknown.message())))
}

/// Waits, and answers that the payment timed out.
pub async fn time_out(state: &State) -> Response {
    state.wait(state.timeout_delay).await;
    let mut response = refuse(StatusCode::REQUEST_TIMEOUT, "simulated timeout: nothing was settled");
    say(response.headers_mut(), Mode::Timeout);
    response
}

/// Says in an answer's headers that its outcome was simulated.
pub fn say(headers: &mut HeaderMap, mode: Mode) {
    if let Some(name) = mode.simulation() {
        headers.insert(&SIMULATION_MODE, HeaderValue::from_static(name));
    }
}
