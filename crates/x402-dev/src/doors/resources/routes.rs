//! The flow of a request to a resource.

use axum::body::Body;
use axum::extract::State as Extract;
use axum::response::Response;
use http::{HeaderMap, Request};
use x402_sim::event::{Facts, Kind};
use x402_sim::fault::Mode;

use super::payment::Payment;
use super::sale::Sale;
use super::{Visit, content, invoice, offer, v1, v2};
use crate::catalogue::Item;
use crate::doors::answer::closing;
use crate::doors::{Desk, body, simulation};
use crate::state::State;

/// Answers a request to a resource.
pub async fn pay(Extract(desk): Extract<Desk>, request: Request<Body>) -> Response {
    let state = &*desk.state();
    let mode = match simulation::mode(state, &request) {
        Ok(mode) => mode,
        Err(refusal) => return *refusal,
    };
    let visit = Visit::of(&request, desk.address, state.forwarded_headers);
    let item = state.catalogue.find(visit.method.as_str(), &visit.path);
    let (head, body) = request.into_parts();
    let drained = body::drain(body).await;
    let response = answer(state, &item, &visit, &head.headers, mode).await;
    if drained.is_err() { closing(response) } else { response }
}

async fn answer(state: &State, item: &Item, visit: &Visit, headers: &HeaderMap, mode: Mode) -> Response {
    if item.is_free() {
        return content::free(item, visit);
    }
    let Some(payment) = Payment::of(state, headers) else {
        return offer::unpaid(state, item, visit);
    };
    let sale = Sale { state, item, visit, mode, dialect: payment.dialect() };
    if mode == Mode::Timeout {
        let response = simulation::time_out(state).await;
        sale.record(Kind::TimedOut, None, Facts::default());
        return response;
    }
    match payment {
        Payment::V2(carried) => v2::answer(&sale, &carried),
        Payment::V1(carried) => v1::answer(&sale, &carried),
        Payment::Invoice { proof, from } => invoice::answer(&sale, &proof, &from),
    }
}
