//! The chains' own doors: JSON-RPC at `/_x402/rpc/{caip2}`, by POST and over WebSocket, for every enabled network.
//!
//! What a method means is the network's own business, in `x402-sim`. Browsers of any origin may ask, as at a public node.
//!
//! | room | what it holds |
//! |---|---|
//! | [`frame`] | requests and answers as JSON-RPC 2.0 frames them, single and in batches |
//! | [`fault`] | what goes wrong on purpose |
//! | [`http`] | a POST |
//! | [`socket`] | a WebSocket, and who has subscribed to what |

use axum::Router;
use axum::routing::post;

use super::admin::office::Office;

pub(super) use http::answer;

mod fault;
mod frame;
mod http;
mod socket;

/// Where the doors of the networks begin.
pub const PREFIX: &str = "/_x402/rpc";

/// The doors of all networks.
pub fn router(office: Office) -> Router {
    let methods = post(http::routed).get(socket::open).fallback(http::other_method);
    Router::new().route(&format!("{PREFIX}/{{network}}"), methods).with_state(office)
}

/// The network whose door a path names, as it is written there.
pub fn network_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix(PREFIX)?.strip_prefix('/')?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// Whether a path belongs to the door of a network.
pub fn is_rpc(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('/'))
}
