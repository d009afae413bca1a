//! Simulated outcomes: which mode holds for a request, and how answers say so.

use axum::response::Response;
use http::header::{HeaderMap, HeaderValue};
use http::{Request, StatusCode};
use x402_sim::fault::Mode;

use super::answer::refuse;
use crate::state::{Peer, SIMULATION_MODE, State};

/// The mode for a request, or the refusal of an unknown one.
///
/// # Panics
///
/// Never: the doors tell every request's peer.
pub fn mode<B>(state: &State, request: &Request<B>) -> Result<Mode, Box<Response>> {
    let peer = *request.extensions().get::<Peer>().expect("the doors tell every request's peer");
    state.mode(peer, request.headers()).map_err(|unknown| Box::new(refuse(StatusCode::BAD_REQUEST, &unknown.message())))
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
