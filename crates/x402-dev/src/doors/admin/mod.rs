//! The admin door: the world in the user's hands, for people, tests and the commands of this program.
//!
//! Everything is JSON under `/_x402/api/`, described by `/_x402/openapi.json`, which follows from the code: a handler
//! with its `#[utoipa::path]`, its types with `ToSchema`, and a line in [`routes`]. Whoever may ask is decided in one
//! place, the guard, before any handler runs.
//!
//! | room | what it holds |
//! |---|---|
//! | [`routes`] | we answer; one file a subject, with what is said there |
//! | [`client`] | we ask |
//! | [`guard`] | who may ask |
//! | [`filter`] | which events are wanted |
//! | [`input`] | bodies and queries, turned into types |
//! | [`problem`] | why a request was refused |
//! | [`openapi`] | the description |
//! | [`office`] | what the routes share |
//! | [`rendered`] | events in writing, once for all readers |

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::{Method, StatusCode, Uri, header};

use crate::route::ADMIN_PREFIX;
use office::Office;
use problem::{Code, Problem};

pub mod client;
pub mod filter;
pub mod guard;
pub mod input;
pub mod office;
pub mod openapi;
pub mod problem;
pub mod rendered;
pub mod routes;

pub use office::{Admin, Reload};
pub use routes::instance::{Instance, Reloaded};

/// Where the routes of the door begin.
pub const API: &str = "/_x402/api";

/// Where an instance tells how it is.
pub const INSTANCE: &str = "/_x402/api/instance";

/// Where an instance is told to read its configuration again.
pub const RELOAD: &str = "/_x402/api/reload";

/// Where the door is described.
pub const OPENAPI: &str = "/_x402/openapi.json";

/// Where a server says that it is ready. It tells nothing else, so that everybody may ask: probes know no token.
pub const READY: &str = "/_x402/ready";

/// The door.
pub fn router(office: Office) -> Router {
    let guarded = routes::all()
        .route(OPENAPI, get(async || ([(header::CONTENT_TYPE, "application/json")], openapi::TEXT)))
        .route(ADMIN_PREFIX, any(no_such_path))
        .route(&format!("{ADMIN_PREFIX}/"), any(no_such_path))
        .route(&format!("{ADMIN_PREFIX}/{{*rest}}"), any(no_such_path))
        .method_not_allowed_fallback(other_method)
        .route_layer(from_fn_with_state(office.clone(), guard::check));
    guarded.with_state(office).route(READY, get(ready))
}

async fn ready() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], r#"{"status":"ready"}"#)
}

async fn no_such_path(uri: Uri) -> Problem {
    Code::NotFound
        .because(format!("there is nothing at {}", uri.path()))
        .hint(format!("{OPENAPI} describes every path of this door"))
}

/// The answer to a method that a path does not take; axum says in `Allow` which it takes.
async fn other_method(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    Code::MethodNotAllowed.because(format!("{} takes no {method}", uri.path())).into_response()
}
