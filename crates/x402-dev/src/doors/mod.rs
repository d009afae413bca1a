//! The doors: every way into the world over HTTP. One folder a door.
//!
//! | room | what it answers |
//! |---|---|
//! | [`facilitator`] | `/verify`, `/settle`, `/supported`, `/health` |
//! | [`resources`] | every path that is not reserved |
//! | [`admin`] | `/_x402/api/...`: the world in the user's hands |
//! | [`rpc`] | `/_x402/rpc/...`: the chains themselves |
//! | [`answer`], [`simulation`] | what answers are made of; simulated outcomes |
//! | [`fault`] | what goes wrong on purpose, where requests pass |
//! | [`flight`] | requests in flight, counted until their last byte is handed over |
//! | [`parcel`] | whether paid content was handed over to its last byte |
//! | [`cors`] | preflight requests, and the headers that every answer carries |
//! | [`body`] | request bodies, up to a limit |
//! | `way` | which door a request is for |

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, State as Extract};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures_util::FutureExt;
use http::{Method, Request, StatusCode, header};
use hyper::body::Incoming;
use serde_json::json;
use tokio::time::Instant;
use tower::ServiceExt;

use crate::config::FacilitatorPaths;
use crate::metrics::Metrics;
use crate::route::{ADMIN_PREFIX, FACILITATOR_PREFIX};
use crate::state::{Counters, Current, Peer, State};
use admin::office::Office;
use answer::{closing, json_body, refuse};
use flight::{Counted, Endless, InFlight, Reading};
use way::{Answering, Way};

pub mod admin;
pub mod answer;
pub mod body;
pub mod cors;
pub mod facilitator;
pub mod fault;
pub mod flight;
pub mod parcel;
pub mod resources;
pub mod rpc;
pub mod simulation;
mod way;

/// The largest head that is taken; a larger one is answered with 431 and a sentence.
const HEAD_LIMIT: usize = 16 * 1024;

/// Beyond this size, a 431 comes without the sentence.
const EXPLAINED_LIMIT: usize = 64 * 1024;

/// What the routes share.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The state of the server.
    pub current: Current,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Desk {
    /// The state of now: taken once for each request.
    pub fn state(&self) -> Arc<State> {
        self.current.get()
    }
}

/// All doors.
#[derive(Clone, Debug)]
pub struct Doors {
    router: Router,
    paths: FacilitatorPaths,
    desk: Desk,
    office: Office,
    counters: Arc<Counters>,
    metrics: Arc<Metrics>,
}

impl Doors {
    /// The doors of a server.
    pub fn new(office: Office, paths: FacilitatorPaths) -> Self {
        let (counters, metrics) = (Arc::clone(&office.state().counters), office.state().metrics());
        let desk = Desk { current: office.current.clone(), address: office.address };
        let facilitator = facilitator();
        let mut router = Router::new().nest(FACILITATOR_PREFIX, facilitator.clone());
        if paths == FacilitatorPaths::Bare {
            router = router.merge(facilitator);
        }
        let chains = rpc::router(office.clone());
        let router =
            router.fallback(resource).with_state(desk.clone()).merge(admin::router(office.clone())).merge(chains);
        Self { router, paths, desk, office, counters, metrics }
    }

    /// Answers a request. A panic on the way is a 500, and nobody else's trouble.
    ///
    /// `connection` counts what its connection has in flight.
    pub async fn answer(
        &self,
        peer: Peer,
        request: Request<Incoming>,
        connection: &Arc<Counters>,
    ) -> Response<Counted> {
        let in_flight = [&self.counters, connection].map(InFlight::begin);
        let reading = if *request.method() == Method::HEAD { Reading::HeadOnly } else { Reading::Whole };
        let meter = Meter::start(&self.metrics, request.uri().path());
        // The admin door is for the instance's own origin: it tells nothing to scripts of others.
        let public = !is_admin(request.uri().path());
        if public {
            self.counters.requests.fetch_add(1, Ordering::Relaxed);
        }
        let mut response = if let Some(too_large) = check_head(&request) {
            too_large
        } else if let Some(preflight) = cors::preflight(&request).filter(|_| public) {
            preflight
        } else {
            guarded(self.find(peer, request.map(body_of))).await
        };
        if public && response.extensions().get::<cors::Missing>().is_none() {
            cors::expose(response.headers_mut());
        }
        meter.stop(response.status());
        if response.extensions().get::<Endless>().is_some() {
            return response.map(|body| Counted::endless(body, connection));
        }
        response.map(|body| Counted::new(body, reading, in_flight))
    }

    /// Answers a request by the door that it is for.
    fn find(&self, peer: Peer, mut request: Request<Body>) -> Answering<'_> {
        if let Some(way) = Way::of(request.method(), request.uri().path(), self.paths) {
            return way.answer(&self.desk, &self.office, peer, request);
        }
        request.extensions_mut().insert(peer);
        Box::pin(route(&self.router, request))
    }
}

/// The body of a request; most have none, and it takes no room then.
fn body_of(body: Incoming) -> Body {
    if http_body::Body::is_end_stream(&body) { Body::empty() } else { Body::new(body) }
}

/// Counts and times one request.
struct Meter<'a> {
    metrics: &'a Metrics,
    door: &'static str,
    operation: Option<&'static str>,
    begun: Option<Instant>,
}

impl<'a> Meter<'a> {
    fn start(metrics: &'a Metrics, path: &str) -> Self {
        let bare = path.strip_prefix(FACILITATOR_PREFIX).unwrap_or(path);
        let (door, operation) = match bare {
            "/verify" => ("facilitator", Some("verify")),
            "/settle" => ("facilitator", Some("settle")),
            "/supported" | "/health" | "/discovery/resources" | "/discovery/search" => ("facilitator", None),
            _ if is_admin(path) => ("admin", None),
            _ if rpc::is_rpc(path) => ("rpc", None),
            _ => ("resources", None),
        };
        Self { metrics, door, operation, begun: operation.map(|_| Instant::now()) }
    }

    fn stop(self, status: StatusCode) {
        self.metrics.answered(self.door, status.as_u16());
        if let (Some(operation), Some(begun)) = (self.operation, self.begun) {
            self.metrics.took(operation, begun.elapsed().as_secs_f64());
        }
    }
}

/// Whether a path belongs to the admin door.
fn is_admin(path: &str) -> bool {
    let under = path.strip_prefix(ADMIN_PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    under && !rpc::is_rpc(path)
}

/// Answers a request by the routes. A panic on the way is a 500.
pub(crate) async fn route(router: &Router, request: Request<Body>) -> Response {
    let answered = router.clone().oneshot(request);
    guarded(answered.map(|answer| answer.unwrap_or_else(|never| match never {}))).await
}

/// An answer, or a 500 where making it panics.
async fn guarded(answering: impl Future<Output = Response>) -> Response {
    match AssertUnwindSafe(answering).catch_unwind().await {
        Ok(response) => response,
        // The panic hook has logged it.
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "a bug in x402-dev: its log has the backtrace"),
    }
}

fn facilitator() -> Router<Desk> {
    Router::new()
        // A POST never comes here: its way is known.
        .route("/verify", any(only_post))
        .route("/settle", any(only_post))
        .route("/supported", get(facilitator::routes::supported).fallback(only_get))
        .route("/health", get(facilitator::routes::health).fallback(only_get))
        .route("/discovery/resources", any(not_built))
        .route("/discovery/search", any(not_built))
}

async fn only_post(Extract(desk): Extract<Desk>, request: Request<Body>) -> Response {
    facilitator::astray::keep(&desk.state(), &request, "POST");
    other_method(request.method(), "POST, OPTIONS")
}

async fn only_get(Extract(desk): Extract<Desk>, request: Request<Body>) -> Response {
    facilitator::astray::keep(&desk.state(), &request, "GET");
    other_method(request.method(), "GET, HEAD, OPTIONS")
}

async fn resource(Extract(desk): Extract<Desk>, Extension(peer): Extension<Peer>, request: Request<Body>) -> Response {
    resources::routes::pay(&desk, peer, request).await
}

async fn not_built() -> Response {
    refuse(StatusCode::NOT_FOUND, "this reserved path has no content in this version")
}

/// The answer to a method that a reserved path does not take: OPTIONS asks which it takes, the others are refused.
pub(crate) fn other_method(method: &Method, allow: &'static str) -> Response {
    if method == Method::OPTIONS {
        return (StatusCode::NO_CONTENT, [(header::ALLOW, allow)]).into_response();
    }
    let text = format!("this path takes {allow} only");
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, allow)], json_body(&json!({ "error": text }))).into_response()
}

/// A 431 with a sentence, where the head is larger than we take.
fn check_head<B>(request: &Request<B>) -> Option<Response> {
    let size = head_size(request);
    if size > EXPLAINED_LIMIT {
        return Some(closing(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response()));
    }
    (size > HEAD_LIMIT).then(|| {
        let text = format!(
            "the request's head has {size} bytes, the limit is {HEAD_LIMIT}; a payment header of this size is no \
             payment, or a cookie is too large"
        );
        closing(refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &text))
    })
}

/// The bytes of a head in its shortest spelling: `GET target HTTP/1.1`, `name:value` for each field, line ends.
fn head_size<B>(request: &Request<B>) -> usize {
    let target = request.uri().path_and_query().map_or(1, |target| target.as_str().len());
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 3);
    request.method().as_str().len() + target + 12 + 2 + fields.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_request_is_a_500_and_the_next_request_is_answered() {
        async fn bug() -> StatusCode {
            let nothing: [StatusCode; 0] = [];
            *nothing.first().expect("a bug")
        }
        let router = Router::new().route("/bug", get(bug)).route("/good", get(|| async { "fine" }));
        let ask = |path: &str| Request::builder().uri(path).body(Body::empty()).unwrap();
        assert_eq!(route(&router, ask("/bug")).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(route(&router, ask("/good")).await.status(), StatusCode::OK);
    }
}
