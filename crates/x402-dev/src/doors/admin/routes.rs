//! `GET /_x402/api/instance` and `POST /_x402/api/reload`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State as Extract;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, Method, StatusCode, header};

use super::{INSTANCE, Instance, RELOAD, Reloaded};
use crate::clock;
use crate::doors::answer::{json_body, refuse};
use crate::doors::other_method;
use crate::state::Current;

/// What the admin door knows.
#[derive(Clone)]
pub struct Admin {
    /// What requests must present: `Authorization: Bearer <token>`.
    pub token: String,
    /// When the server began to listen, in milliseconds since 1970.
    pub started_at: u64,
    /// The state of the server.
    pub current: Current,
    /// Reads the configuration again.
    pub reload: Reload,
}

/// Reads the configuration again and puts it in force, or says why not.
pub type Reload = Arc<dyn Fn() -> Reloaded + Send + Sync>;

impl std::fmt::Debug for Admin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the token.
        out.debug_struct("Admin").field("started_at", &self.started_at).finish_non_exhaustive()
    }
}

/// The routes of the door.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route(INSTANCE, get(instance).fallback(only_get))
        .route(RELOAD, post(reload).fallback(only_post))
        .with_state(admin)
}

async fn instance(Extract(admin): Extract<Admin>, headers: HeaderMap) -> Response {
    if let Some(refusal) = admin.refuse_strangers(&headers) {
        return refusal;
    }
    let state = admin.current.get();
    let counters = &state.counters;
    let answer = Instance {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_ms: clock::now().saturating_sub(admin.started_at),
        requests: counters.requests.load(Ordering::Relaxed),
        payments: counters.payments.load(Ordering::Relaxed),
        in_flight: counters.in_flight.load(Ordering::Relaxed).saturating_sub(1),
    };
    json_body(&answer).into_response()
}

async fn reload(Extract(admin): Extract<Admin>, headers: HeaderMap) -> Response {
    if let Some(refusal) = admin.refuse_strangers(&headers) {
        return refusal;
    }
    let reload = Arc::clone(&admin.reload);
    // Reading files must not hold up a worker that answers requests.
    match tokio::task::spawn_blocking(move || reload()).await {
        Ok(outcome @ Reloaded::Changed(_)) => json_body(&outcome).into_response(),
        Ok(outcome @ Reloaded::Refused(_)) => (StatusCode::CONFLICT, json_body(&outcome)).into_response(),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the reload failed; see the log"),
    }
}

async fn only_get(method: Method) -> Response {
    other_method(&method, "GET, HEAD, OPTIONS")
}

async fn only_post(method: Method) -> Response {
    other_method(&method, "POST, OPTIONS")
}

impl Admin {
    /// A 401 for whoever does not know the token.
    fn refuse_strangers(&self, headers: &HeaderMap) -> Option<Response> {
        let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let said = said.and_then(|value| value.strip_prefix("Bearer "));
        if said == Some(self.token.as_str()) {
            return None;
        }
        let text = "this path needs the instance's token: use the commands of `x402-dev mock`";
        Some(refuse(StatusCode::UNAUTHORIZED, text))
    }
}
