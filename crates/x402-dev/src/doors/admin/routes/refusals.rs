//! `/_x402/api/refusals`: the newest refused payments, whole: payload, requirements, reason.

use axum::Json;
use axum::extract::{Path, State as Extract};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use x402_sim::event::Door;

use crate::doors::admin::office::Office;
use crate::doors::admin::problem::{Code, Problem};
use crate::state::{Asked, Called, Refused};

/// A payment that was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refusal)]
struct Described {
    /// Its number, counted from 1.
    number: u64,
    /// When, in milliseconds since 1970 of the mock's clock.
    at: u64,
    /// When, in milliseconds since 1970 of the computer's clock.
    real: u64,
    /// The newest event when it was kept: its own, where it has one.
    after: u64,
    /// Through which door.
    #[schema(value_type = String)]
    door: Door,
    /// The path that was asked for.
    path: String,
    /// The payment.
    payment: Option<String>,
    /// The reason, as the client was told.
    reason: String,
    /// The sentence with it.
    message: Option<String>,
    /// The name of the header that carried the payment, where there was one.
    header: Option<&'static str>,
    /// What the header held, where it could not be decoded.
    value: Option<String>,
    /// The payload; left out beyond 32 KiB.
    #[schema(value_type = Option<Object>)]
    payload: Option<Value>,
    /// What it should have paid for: requirements, or a list of them as `accepts`.
    #[schema(value_type = Option<Object>)]
    requirements: Option<Value>,
    /// The faults that were played for this request and may be the cause, a sentence each.
    faults: Vec<String>,
    /// Those that were played when the same payment was refused before, where that is kept.
    faults_before: Vec<String>,
    /// What the paying client calls itself: its `User-Agent`, where it paid here.
    agent: Option<String>,
    /// The finding that it is, where the payment stood where nobody looks for one: it was not verified.
    finding: Option<&'static str>,
}

/// Refused payments, the newest first.
#[derive(Debug, Serialize, ToSchema)]
struct Refusals {
    /// The refusals; the newest 64.
    refusals: Vec<Described>,
    /// Who asked for a paid resource without a payment; the newest 64, the newest first.
    callers: Vec<Caller>,
}

/// Who asked without a payment.
#[derive(Debug, Serialize, ToSchema)]
struct Caller {
    /// The event of the offer.
    event: u64,
    /// What the client calls itself: its `User-Agent`, cut after 64 bytes.
    agent: Option<String>,
    /// What the first entry of the offer asked for.
    asked: Option<First>,
}

/// What an entry of an offer asks for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FirstEntry)]
struct First {
    /// The version of the protocol.
    version: u64,
    /// The scheme.
    scheme: &'static str,
    /// The network's CAIP-2 id.
    network: String,
}

impl From<&Refused> for Described {
    fn from(own: &Refused) -> Self {
        let own = own.clone();
        Self {
            number: own.number,
            at: own.at,
            real: own.real,
            after: own.after,
            door: own.door,
            path: own.path,
            payment: own.payment,
            reason: own.reason,
            message: own.message,
            header: own.header,
            value: own.value,
            payload: own.payload,
            requirements: own.requirements,
            faults: own.faults,
            faults_before: own.faults_before,
            agent: own.agent,
            finding: own.finding,
        }
    }
}

serves!(list, one);

/// The newest refused payments, whole, the newest first.
#[utoipa::path(get, path = "/refusals", tag = "events", responses((status = 200, body = Refusals)))]
async fn list(Extract(office): Extract<Office>) -> Json<Refusals> {
    let state = office.state();
    let refusals = state.refusals().iter().map(|own| Described::from(&**own)).collect();
    let first = |Asked { version, scheme, network }| First { version, scheme, network };
    let caller = |Called { event, agent, asked }| Caller { event, agent, asked: asked.map(first) };
    let callers = state.callers().into_iter().map(caller).collect();
    Json(Refusals { refusals, callers })
}

/// One refused payment: `last`, a number, or a payment's id.
#[utoipa::path(get, path = "/refusals/{which}", tag = "events", params(
    ("which" = String, Path, description = "`last`, a number of the list, or `pay_...`: its newest refusal."),
), responses((status = 200, body = Described)))]
async fn one(Extract(office): Extract<Office>, Path(which): Path<String>) -> Result<Json<Described>, Problem> {
    let all = office.state().refusals();
    let found = all.iter().find(|own| {
        which == "last" || which == own.number.to_string() || own.payment.as_deref() == Some(which.as_str())
    });
    let found = found.ok_or_else(|| match which.as_str() {
        "last" => Code::NotFound.because("no payment was refused yet"),
        _ => Code::NotFound
            .because(format!("no refusal is kept of `{}`", x402_wire::shape::shorten(&which)))
            .hint("the newest 64 are kept: GET /_x402/api/refusals"),
    })?;
    Ok(Json(Described::from(&**found)))
}
