//! Which door a request is for, where its method and path say it at once: nearly every request's do.
//!
//! The router finds every door, and spends on it what a small answer costs. What is asked all the time goes without.

use std::pin::Pin;

use axum::body::Body;
use axum::response::Response;
use http::{Method, Request};

use super::admin::office::Office;
use super::{Desk, facilitator, resources, rpc};
use crate::config::FacilitatorPaths;
use crate::route::{ADMIN_PREFIX, FACILITATOR_PATHS, FACILITATOR_PREFIX};
use crate::state::Peer;

/// The way of a request to its door. What is not here is the router's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A path that is not reserved, by any method.
    Resource,
    /// `POST /verify`.
    Verify,
    /// `POST /settle`.
    Settle,
    /// A `POST` to the chain of a network.
    Chain(String),
}

/// An answer that is being made.
pub(super) type Answering<'a> = Pin<Box<dyn Future<Output = Response> + Send + 'a>>;

impl Way {
    /// The way of a request.
    pub(super) fn of(method: &Method, path: &str, paths: FacilitatorPaths) -> Option<Self> {
        let is_reserved = path.starts_with(FACILITATOR_PREFIX) || path.starts_with(ADMIN_PREFIX);
        let is_bare = paths == FacilitatorPaths::Bare && FACILITATOR_PATHS.contains(&path);
        // A tunnel has rules of its own.
        if *method == Method::CONNECT {
            return None;
        }
        if !is_reserved && !is_bare {
            return Some(Self::Resource);
        }
        if *method != Method::POST {
            return None;
        }
        let nested = path.strip_prefix(FACILITATOR_PREFIX);
        match nested.or_else(|| is_bare.then_some(path)) {
            Some("/verify") => Some(Self::Verify),
            Some("/settle") => Some(Self::Settle),
            Some(_) => None,
            // A name that is escaped is the router's to read.
            None => rpc::network_of(path).filter(|name| !name.contains('%')).map(|name| Self::Chain(name.to_owned())),
        }
    }

    /// Answers the request whose way it is.
    pub(super) fn answer<'a>(
        self,
        desk: &'a Desk,
        office: &'a Office,
        peer: Peer,
        request: Request<Body>,
    ) -> Answering<'a> {
        match self {
            Self::Resource => Box::pin(resources::routes::pay(desk, peer, request)),
            Self::Verify => Box::pin(facilitator::routes::verify(desk, peer, request)),
            Self::Settle => Box::pin(facilitator::routes::settle(desk, peer, request)),
            Self::Chain(network) => Box::pin(async move { rpc::answer(office, &network, peer, request).await }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_where_the_router_would_send_it_or_to_the_router() {
        use FacilitatorPaths::{Bare, Prefixed};
        for (method, path, paths, expected) in [
            (Method::GET, "/", Bare, Some(Way::Resource)),
            (Method::DELETE, "/a/verify", Bare, Some(Way::Resource)),
            (Method::POST, "/verify/", Bare, Some(Way::Resource)),
            (Method::OPTIONS, "*", Bare, Some(Way::Resource)),
            (Method::POST, "/verify", Prefixed, Some(Way::Resource)),
            (Method::GET, "/health", Prefixed, Some(Way::Resource)),
            (Method::POST, "/verify", Bare, Some(Way::Verify)),
            (Method::POST, "/settle", Bare, Some(Way::Settle)),
            (Method::POST, "/facilitator/verify", Prefixed, Some(Way::Verify)),
            (Method::POST, "/facilitator/settle", Bare, Some(Way::Settle)),
            (Method::POST, "/_x402/rpc/eip155:84532", Bare, Some(Way::Chain("eip155:84532".to_owned()))),
            (Method::CONNECT, "", Bare, None),
            (Method::GET, "/verify", Bare, None),
            (Method::GET, "/supported", Bare, None),
            (Method::POST, "/discovery/search", Bare, None),
            (Method::GET, "/facilitator/health", Bare, None),
            (Method::POST, "/facilitator", Bare, None),
            (Method::POST, "/facilitator/other", Bare, None),
            (Method::POST, "/facilitators", Bare, None),
            (Method::GET, "/_x402/api/events", Bare, None),
            (Method::GET, "/_x402/rpc/eip155:84532", Bare, None),
            (Method::POST, "/_x402/rpc/eip155%3A84532", Bare, None),
            (Method::POST, "/_x402/rpc/a/b", Bare, None),
            (Method::POST, "/_x402/rpc/", Bare, None),
            (Method::POST, "/_x402/rpc", Bare, None),
        ] {
            assert_eq!(Way::of(&method, path, paths), expected, "{method} {path} {paths:?}");
        }
    }
}
