//! The doors: every way into the world over HTTP. One folder a door.
//!
//! | room | what it answers |
//! |---|---|
//! | [`facilitator`] | `/verify`, `/settle`, `/supported`, `/health` |
//! | [`resources`] | every path that is not reserved |
//! | [`answer`], [`simulation`] | what answers are made of; simulated outcomes |
//! | [`cors`] | preflight requests, and the headers that every answer carries |
//! | [`body`] | request bodies, up to a limit |

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use http::{HeaderMap, Request, StatusCode, header};
use hyper::body::Incoming;
use serde_json::json;
use tower::ServiceExt;

use crate::config::FacilitatorPaths;
use crate::route::{ADMIN_PREFIX, FACILITATOR_PREFIX};
use crate::state::{Current, Peer, State};
use answer::{closing, json_body, refuse};

pub mod answer;
pub mod body;
pub mod cors;
pub mod facilitator;
pub mod resources;
pub mod simulation;

/// The largest head that is taken; a larger one is answered with 431 and a sentence.
const HEAD_LIMIT: usize = 16 * 1024;

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
}

impl Doors {
    /// The doors of a server.
    pub fn new(current: Current, paths: FacilitatorPaths, address: SocketAddr) -> Self {
        let desk = Desk { current, address };
        let facilitator = facilitator();
        let mut router = Router::new()
            .nest(FACILITATOR_PREFIX, facilitator.clone())
            .route(ADMIN_PREFIX, any(not_built))
            .route(&format!("{ADMIN_PREFIX}/"), any(not_built))
            .route(&format!("{ADMIN_PREFIX}/{{*rest}}"), any(not_built));
        if paths == FacilitatorPaths::Bare {
            router = router.merge(facilitator);
        }
        let router = router.fallback(resources::routes::pay).with_state(desk);
        Self { router }
    }

    /// Answers a request.
    pub async fn answer(&self, peer: Peer, request: Request<Incoming>) -> Response {
        let mut response = if let Some(too_large) = check_head(&request) {
            too_large
        } else if let Some(preflight) = cors::preflight(&request) {
            preflight
        } else {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            match self.router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        };
        cors::expose(response.headers_mut());
        response
    }
}

fn facilitator() -> Router<Desk> {
    Router::new()
        .route("/verify", post(facilitator::routes::verify).fallback(only_post))
        .route("/settle", post(facilitator::routes::settle).fallback(only_post))
        .route("/supported", get(facilitator::routes::supported).fallback(only_get))
        .route("/health", get(facilitator::routes::health).fallback(only_get))
        .route("/discovery/resources", any(not_built))
        .route("/discovery/search", any(not_built))
}

async fn only_post() -> Response {
    wrong_method("POST, OPTIONS")
}

async fn only_get() -> Response {
    wrong_method("GET, HEAD, OPTIONS")
}

async fn not_built() -> Response {
    refuse(StatusCode::NOT_FOUND, "this reserved path has no content in this version")
}

fn wrong_method(allow: &'static str) -> Response {
    let text = format!("this path takes {allow} only");
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, allow)], json_body(&json!({ "error": text }))).into_response()
}

/// A 431 with a sentence, where the head is larger than we take.
fn check_head<B>(request: &Request<B>) -> Option<Response> {
    let size = head_size(request.uri().path_and_query().map_or(1, |target| target.as_str().len()), request.headers());
    (size > HEAD_LIMIT).then(|| {
        let text = format!(
            "the request's head has {size} bytes, the limit is {HEAD_LIMIT}; a payment header of this size is no \
             payment, or a cookie is too large"
        );
        closing(refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &text))
    })
}

/// Roughly the bytes of a head: the request line, and `name: value` with its line end for each field.
fn head_size(uri: usize, headers: &HeaderMap) -> usize {
    let fields = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    uri + 16 + fields.sum::<usize>()
}
