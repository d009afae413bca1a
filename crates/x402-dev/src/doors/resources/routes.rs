//! The flow of a request to a resource.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Request, header};
use x402_sim::event::{Door, Facts, Kind};
use x402_sim::fault::Mode;

use super::offered::Offered;
use super::payment::Payment;
use super::sale::Sale;
use super::{Visit, content, delivery, invoice, offer, stray, v1, v2};
use crate::catalogue::Item;
use crate::doors::answer::closing;
use crate::doors::fault::script::{self, Script};
use crate::doors::{Desk, body, simulation};
use crate::state::Peer;

/// Answers a request to a resource.
pub async fn pay(desk: &Desk, peer: Peer, request: Request<Body>) -> Response {
    let state = &*desk.state();
    let mode = match simulation::mode(state, peer, request.headers()) {
        Ok(mode) => mode,
        Err(refusal) => return *refusal,
    };
    let faults = match script::asked(state, peer, request.headers()) {
        Ok(faults) => faults,
        Err(refusal) => return *refusal,
    };
    let mut visit = Visit::of(&request, desk.address, state.forwarded_headers);
    let item = state.catalogue.find(visit.method.as_str(), &visit.path);
    let (head, body) = request.into_parts();
    let drained = body::drain(body).await;
    let (hash, begun) = drained.as_ref().map(|(hash, bytes)| (*hash, bytes.clone())).unwrap_or_default();
    visit.body = hash;
    let script = Script::new(state, Door::Resources, &faults);
    let response = answer(&script, &item, (&visit, &head.headers, &begun), mode).await;
    if drained.is_err() { closing(response) } else { response }
}

async fn answer(
    script: &Script<'_>,
    item: &Item,
    (visit, headers, body): (&Visit, &HeaderMap, &[u8]),
    mode: Mode,
) -> Response {
    let state = script.state;
    if item.is_free() {
        return content::free(item, visit);
    }
    let payment = Payment::of(state, headers);
    let offered = Offered::of(script, item, visit, payment.is_some());
    let item = offered.item();
    let Some(payment) = payment else {
        let unpaid = offer::unpaid(state, item, visit, headers.get(header::USER_AGENT));
        stray::keep(state, item, visit, headers, body);
        // Futures on the heap where they are seldom or long, so that an unpaid request does not carry their room.
        return if offered.is_plain() { unpaid } else { Box::pin(offered.present(state, unpaid, visit)).await };
    };
    let sale = Sale { state, item, visit, mode, dialect: payment.dialect(), script, headers };
    Box::pin(sell(&sale, &payment)).await
}

async fn sell(sale: &Sale<'_>, payment: &Payment) -> Response {
    let (state, mode) = (sale.state, sale.mode);
    if mode == Mode::Timeout {
        let response = simulation::time_out(state).await;
        sale.record(Kind::TimedOut, None, Facts::default());
        return response;
    }
    let response = match payment {
        Payment::V2(carried) => v2::answer(sale, carried).await,
        Payment::V1(carried) => v1::answer(sale, carried).await,
        Payment::Invoice { proof, from } => invoice::answer(sale, proof, from),
    };
    delivery::hand_over(sale, payment, response).await
}
