//! `GET /_x402/api/instance` and `POST /_x402/api/reload`: what only an instance has. They always need the token.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State as Extract;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock;
use crate::doors::admin::office::Office;
use crate::doors::admin::problem::{Code, Problem};

/// How an instance is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Instance {
    /// The process.
    pub pid: u32,
    /// The version of the program.
    pub version: String,
    /// For how long it has listened, in milliseconds.
    pub uptime_ms: u64,
    /// Requests that were taken, those to the admin door aside.
    pub requests: u64,
    /// Payments that were settled.
    pub payments: u64,
    /// Requests that are being answered now, this one aside.
    pub in_flight: u64,
}

/// How a reload went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reloaded {
    /// These keys have other values now.
    Changed(Vec<String>),
    /// The old configuration holds; this is why.
    Refused(String),
}

serves!(instance, reload);

/// How the server is.
#[utoipa::path(get, path = "/instance", tag = "instance", security(("token" = [])), responses((status = 200, body = Instance)))]
async fn instance(Extract(office): Extract<Office>) -> Result<Json<Instance>, Problem> {
    let admin = office.instance()?;
    let state = office.state();
    let counters = &state.counters;
    Ok(Json(Instance {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_ms: clock::now().saturating_sub(admin.started_at),
        requests: counters.requests.load(Ordering::Relaxed),
        payments: counters.payments.load(Ordering::Relaxed),
        in_flight: counters.in_flight.load(Ordering::Relaxed).saturating_sub(1),
    }))
}

/// Reads the configuration again. An invalid one is refused, and the old one stays in force.
#[utoipa::path(post, path = "/reload", tag = "instance", security(("token" = [])), responses(
    (status = 200, body = Reloaded),
    (status = 409, description = "The configuration is invalid.", body = Reloaded),
))]
async fn reload(Extract(office): Extract<Office>) -> Result<Response, Problem> {
    let reload = Arc::clone(&office.instance()?.reload);
    // Reading files must not hold up a worker that answers requests.
    match tokio::task::spawn_blocking(move || reload()).await {
        Ok(outcome @ Reloaded::Changed(_)) => Ok(Json(outcome).into_response()),
        Ok(outcome @ Reloaded::Refused(_)) => Ok((StatusCode::CONFLICT, Json(outcome)).into_response()),
        Err(_) => Err(Code::Bug.because("the reload failed; see the log")),
    }
}
