//! The flow of a request to a resource.

use axum::body::Body;
use axum::extract::State as Extract;
use axum::response::Response;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Request};
use x402_sim::event::{Door, Facts, Kind};
use x402_sim::fault::Mode;
use x402_wire::header::{PAYMENT_SIGNATURE, X_PAYMENT, X_PAYMENT_FROM, X_PAYMENT_PROOF};

use super::{Item, Visit, content, invoice, offer, v1, v2};
use crate::config::Dialect;
use crate::doors::facilitator::routes::{mode, timed_out};
use crate::doors::{Desk, body};
use crate::state::State;

/// What a request carries.
#[derive(Debug)]
enum Payment {
    /// `PAYMENT-SIGNATURE`: it wins over the others, even when it cannot be decoded.
    V2(Carried),
    /// `X-PAYMENT`.
    V1(Carried),
    /// `X-Payment-Proof`, and the account that pays.
    Invoice { proof: Carried, from: String },
}

/// The value of a payment header.
#[derive(Debug, PartialEq, Eq)]
pub enum Carried {
    /// A text.
    Once(String),
    /// The header stood there more than once.
    Repeated,
    /// Its bytes are no text.
    NotText,
}

/// Everything that an answer to a payment needs.
#[derive(Debug)]
pub struct Sale<'a> {
    /// The state of the server.
    pub state: &'a State,
    /// What is bought.
    pub item: &'a Item,
    /// What the request says about itself.
    pub visit: &'a Visit,
    /// How the payment is judged.
    pub mode: Mode,
    /// The dialect's name in events and receipts.
    pub dialect: &'static str,
}

/// Answers a request to a resource.
pub async fn pay(Extract(desk): Extract<Desk>, request: Request<Body>) -> Response {
    let state = &desk.state;
    let mode = match mode(state, &request) {
        Ok(mode) => mode,
        Err(refusal) => return *refusal,
    };
    let visit = Visit::of(&request, desk.address, state.forwarded_headers);
    let item = state.catalogue.find(visit.method.as_str(), &visit.path);
    let (head, body) = request.into_parts();
    let drained = body::drain(body).await;
    let mut response = answer(state, &item, &visit, &head.headers, mode).await;
    if drained.is_err() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
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
        tokio::time::sleep(state.timeout_delay).await;
        sale.record(Kind::TimedOut, None, Facts::default());
        return timed_out();
    }
    match payment {
        Payment::V2(carried) => v2::answer(&sale, &carried),
        Payment::V1(carried) => v1::answer(&sale, &carried),
        Payment::Invoice { proof, from } => invoice::answer(&sale, &proof, &from),
    }
}

impl Payment {
    fn of(state: &State, headers: &HeaderMap) -> Option<Self> {
        let carried = |dialect, name| if state.speaks(dialect) { Carried::of(headers, name) } else { None };
        if let Some(carried) = carried(Dialect::X402V2, PAYMENT_SIGNATURE) {
            return Some(Self::V2(carried));
        }
        if let Some(carried) = carried(Dialect::X402V1, X_PAYMENT) {
            return Some(Self::V1(carried));
        }
        let proof = carried(Dialect::Invoice, X_PAYMENT_PROOF)?;
        let from = headers.get(X_PAYMENT_FROM).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Some(Self::Invoice { proof, from: from.unwrap_or_else(|| "0".to_owned()) })
    }

    const fn dialect(&self) -> &'static str {
        match self {
            Self::V2(_) => "x402v2",
            Self::V1(_) => "x402v1",
            Self::Invoice { .. } => "invoice",
        }
    }
}

impl Carried {
    fn of(headers: &HeaderMap, name: &str) -> Option<Self> {
        let mut values = headers.get_all(name).iter();
        let first = values.next()?;
        Some(match (values.next(), first.to_str()) {
            (Some(_), _) => Self::Repeated,
            (None, Ok(text)) => Self::Once(text.to_owned()),
            (None, Err(_)) => Self::NotText,
        })
    }

    /// The text, or why there is none.
    pub fn text(&self) -> Result<&str, &'static str> {
        match self {
            Self::Once(text) => Ok(text),
            Self::Repeated => Err("the header stands there more than once"),
            Self::NotText => Err("the header's bytes are not ASCII"),
        }
    }
}

impl Sale<'_> {
    /// Records an event of this sale.
    pub fn record(&self, kind: Kind, payment: Option<x402_sim::event::PaymentId>, facts: Facts) {
        let facts = Facts {
            method: Some(self.visit.method.to_string()),
            path: Some(self.visit.path.clone()),
            dialect: Some(self.dialect),
            simulated: self.mode.simulation(),
            ..facts
        };
        self.state.record(kind, Door::Resources, payment, facts);
    }

    /// Records that the payment header cannot be decoded.
    pub fn undecodable(&self, why: &str) {
        self.record(Kind::Undecodable, None, Facts { message: Some(why.to_owned()), ..Facts::default() });
    }
}
