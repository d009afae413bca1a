//! Who may use the door: the user of this machine, and whoever knows the instance's token. No page of another origin.
//!
//! A browser sends what any page tells it to, also to 127.0.0.1. Three things keep pages out: an `Origin` that is not the
//! door's own is refused; so is a `Host` that is a name of somebody else, with which a page could make itself the
//! door's origin (DNS rebinding); and a body must be `application/json`, which no form can send. An address as `Host`
//! cannot be rebound, and a port says nothing about whose page it is: behind a port that was forwarded it differs.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State as Extract};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::uri::Authority;
use http::{HeaderMap, Method, header};

use super::office::{Admin, Office};
use super::problem::{Code, Problem};
use super::{INSTANCE, RELOAD};
use crate::state::Peer;

/// Lets a request through, or refuses it.
pub async fn check(Extract(office): Extract<Office>, request: Request, next: Next) -> Response {
    match admit(&office, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn admit(office: &Office, request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let trusted = office.admin.as_ref().is_some_and(|admin| admin.is_known_to(headers));
    let host = host(request);
    check_origin(headers, host.as_ref())?;
    // Whoever knows the token is no page that was rebound.
    if !trusted {
        check_host(host.as_ref(), office.address)?;
    }
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    let near = is_loopback(office.address.ip()) && peer.is_some_and(is_loopback);
    let secret = [INSTANCE, RELOAD].contains(&request.uri().path());
    if (secret || !near) && !trusted {
        office.instance()?;
        return Err(Code::TokenRequired.because("this request needs the instance's token").hint(
            "send `Authorization: Bearer` with the token of the instance's state file, or use the commands of x402-dev",
        ));
    }
    check_content_type(request.method(), headers)
}

/// The host that a request names, in its target or its header.
fn host(request: &Request) -> Option<Authority> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.clone());
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next()?;
    Authority::try_from(host.as_bytes()).ok().filter(|_| hosts.next().is_none())
}

fn check_host(host: Option<&Authority>, bound: SocketAddr) -> Result<(), Problem> {
    let name = host.map_or("", Authority::host).trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = name.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let allowed = match address {
        Some(address) => is_loopback(address) || address == bound.ip() || bound.ip().is_unspecified(),
        None => name == "localhost" || name.ends_with(".localhost"),
    };
    if allowed && host.is_some_and(|host| !host.as_str().contains('@')) {
        return Ok(());
    }
    let said = host.map_or_else(|| "no Host at all".to_owned(), |host| format!("the Host \"{host}\""));
    Err(Code::HostNotAllowed
        .because(format!("{said} is not this server: a page may have been rebound to its address"))
        .hint(format!("ask http://{bound}, or http://localhost:{}", bound.port())))
}

fn check_origin(headers: &HeaderMap, host: Option<&Authority>) -> Result<(), Problem> {
    let own = |origin: &[u8]| {
        let origin = std::str::from_utf8(origin).ok()?;
        let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))?;
        host.filter(|host| host.as_str().eq_ignore_ascii_case(rest))
    };
    let foreign = headers.get_all(header::ORIGIN).iter().find(|origin| own(origin.as_bytes()).is_none());
    if let Some(origin) = foreign {
        let origin = String::from_utf8_lossy(origin.as_bytes());
        return Err(refuse_page(&format!("the Origin \"{}\"", origin.escape_debug())));
    }
    match headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(site) => Err(refuse_page(&format!("a {} page", String::from_utf8_lossy(site).escape_debug()))),
    }
}

fn refuse_page(who: &str) -> Problem {
    Code::OriginNotAllowed
        .because(format!("{who} may not use this door: it is for this server's own pages, and for programs"))
        .hint("ask from a program, such as curl or the commands of x402-dev, and not from a web page")
}

/// What has a body says that it is JSON: no form of a page can say so.
fn check_content_type(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if method == Method::GET || method == Method::HEAD {
        return Ok(());
    }
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    if is_json(kind.as_bytes()) {
        return Ok(());
    }
    let kind = String::from_utf8_lossy(kind.as_bytes()).into_owned();
    Err(Code::NotJson
        .because(format!("the body is \"{}\"", kind.escape_debug()))
        .hint("send JSON, and say `Content-Type: application/json`"))
}

/// Whether a content type is JSON, or lines of it.
fn is_json(kind: &[u8]) -> bool {
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"application/json") || kind.eq_ignore_ascii_case(b"application/jsonl")
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

impl Admin {
    /// Whether a request presents the token.
    fn is_known_to(&self, headers: &HeaderMap) -> bool {
        let said = headers.get(header::AUTHORIZATION).map(http::HeaderValue::as_bytes).unwrap_or_default();
        let Some((scheme, said)) = said.split_at_checked(7) else { return false };
        let own = self.token.as_bytes();
        // In a time that says nothing about how much of it is right.
        let wrong = said.iter().zip(own).fold(0, |wrong, (said, own)| wrong | (said ^ own));
        scheme.eq_ignore_ascii_case(b"bearer ") && said.len() == own.len() && wrong == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_code(host: &str, bound: &str) -> Result<(), String> {
        let host = Authority::try_from(host).ok();
        check_host(host.as_ref(), bound.parse().unwrap()).map_err(|problem| problem.code.to_string())
    }

    #[test]
    fn a_host_that_could_be_rebound_is_refused() {
        for host in ["127.0.0.1:3402", "127.8.9.1:3402", "[::1]:3402", "localhost:3402", "LOCALHOST.:1", "a.localhost"]
        {
            assert_eq!(host_code(host, "127.0.0.1:3402"), Ok(()), "{host}");
        }
        for host in [
            "",
            "evil.test:3402",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "xlocalhost",
            "8.8.8.8:3402",
            "user@localhost",
            "2130706433",
            "0x7f.1",
        ] {
            assert_eq!(host_code(host, "127.0.0.1:3402"), Err("host_not_allowed".to_owned()), "{host}");
        }
        assert_eq!(host_code("192.0.2.7:3402", "192.0.2.7:3402"), Ok(()));
        assert_eq!(host_code("192.0.2.7:3402", "0.0.0.0:3402"), Ok(()), "an address cannot be rebound");
        assert!(host_code("evil.test:3402", "0.0.0.0:3402").is_err());
    }

    #[test]
    fn only_the_own_origin_may_ask() {
        let host = Authority::from_static("localhost:3402");
        let code = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            check_origin(&headers, Some(&host)).map_err(|problem| problem.code.to_string())
        };
        assert_eq!(code("origin", "http://localhost:3402"), Ok(()));
        assert_eq!(code("sec-fetch-site", "same-origin"), Ok(()));
        for origin in ["null", "http://localhost:3000", "http://localhost", "http://evil.test", "file://", ""] {
            assert_eq!(code("origin", origin), Err("origin_not_allowed".to_owned()), "{origin}");
        }
        for site in ["cross-site", "same-site", "x"] {
            assert!(code("sec-fetch-site", site).is_err(), "{site}");
        }
    }
}
