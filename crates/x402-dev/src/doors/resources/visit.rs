//! What a request says about itself: method, address, and whether a person in a browser sent it.

use std::borrow::Cow;
use std::net::{Ipv6Addr, SocketAddr};

use http::uri::Authority;
use http::{HeaderMap, HeaderName, Method, Request, header};
use x402_sim::fault::Sight;
use x402_sim::purchase::buyer::BodyHash;

use crate::config::ForwardedHeaders;

/// A request to a resource, without its body.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The method.
    pub method: Method,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The absolute address with the query: what version 2 calls the resource.
    pub url: String,
    /// How much of `url` comes before the query: what version 1 calls the resource.
    without_query: usize,
    /// How much of `url` comes before the path.
    before_path: usize,
    /// What the buyer calls its purchase: `X-Purchase-Id` or `Idempotency-Key`.
    pub called: Option<String>,
    /// The hash of its body.
    pub body: BodyHash,
    /// Who reads the answer.
    pub reader: Reader,
}

/// The headers that name a purchase, in the order in which they count.
static PURCHASE_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-purchase-id"), HeaderName::from_static("idempotency-key")];

/// Who reads the answer to an unpaid request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A program.
    Program,
    /// A person in a browser: `Accept` says `text/html` and `User-Agent` says `Mozilla`.
    Browser,
}

impl Visit {
    /// Reads a request's head. `bound` is where the server listens, for requests without a usable `Host`.
    pub fn of<B>(request: &Request<B>, bound: SocketAddr, forwarded: ForwardedHeaders) -> Self {
        let (scheme, host) = origin(request, bound, forwarded);
        let uri = request.uri();
        // `OPTIONS *` asks about the server, which is its root.
        let path = if uri.path().starts_with('/') { uri.path() } else { "/" }.to_owned();
        let query = uri.query().map_or(0, |query| query.len() + 1);
        let mut url = String::with_capacity(scheme.len() + 3 + host.len() + path.len() + query);
        url.extend([scheme, "://", &*host]);
        let before_path = url.len();
        url.push_str(&path);
        let without_query = url.len();
        if let Some(query) = uri.query() {
            url.push('?');
            url.push_str(query);
        }
        let reader = reader(request.headers());
        let called = called(request.headers());
        let (method, body) = (request.method().clone(), BodyHash::default());
        Self { method, path, url, without_query, before_path, called, body, reader }
    }

    /// The method for an event.
    pub fn method_text(&self) -> Cow<'static, str> {
        match self.method {
            Method::GET => "GET".into(),
            Method::POST => "POST".into(),
            Method::HEAD => "HEAD".into(),
            _ => self.method.to_string().into(),
        }
    }

    /// What is seen of it where faults may be played.
    pub fn sight(&self) -> Sight<'_> {
        let purchase = self.called.as_deref();
        Sight { method: Some(self.method.as_str()), path: Some(&self.path), purchase, ..Sight::default() }
    }

    /// The path with the query.
    pub fn target(&self) -> &str {
        &self.url[self.before_path..]
    }

    /// The absolute address without the query.
    pub fn url_without_query(&self) -> &str {
        &self.url[..self.without_query]
    }
}

fn origin<B>(request: &Request<B>, bound: SocketAddr, forwarded: ForwardedHeaders) -> (&'static str, Cow<'_, str>) {
    let headers = request.headers();
    let (scheme, forwarded) = match forwarded {
        ForwardedHeaders::Trust => forwarded_origin(headers),
        ForwardedHeaders::Ignore => ("http", None),
    };
    let said = forwarded.or_else(|| headers.get(header::HOST)?.to_str().ok());
    let host = said.or_else(|| request.uri().authority().map(Authority::as_str)).filter(|host| is_host(host));
    (scheme, host.map_or_else(|| bound.to_string().into(), Cow::Borrowed))
}

/// The scheme and the host that proxies say.
fn forwarded_origin(headers: &HeaderMap) -> (&'static str, Option<&str>) {
    let first = |name: &str| headers.get(name)?.to_str().ok().map(first_of_list);
    let standard = first("forwarded").unwrap_or_default();
    let proto = first("x-forwarded-proto").or_else(|| parameter(standard, "proto"));
    let scheme = if proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https")) { "https" } else { "http" };
    let host = first("x-forwarded-host").or_else(|| parameter(standard, "host"));
    (scheme, host.filter(|host| is_host(host)))
}

/// The first of several values that proxies have joined by commas.
fn first_of_list(value: &str) -> &str {
    value.split(',').next().unwrap_or_default().trim()
}

/// A parameter of one element of a `Forwarded` header (RFC 7239).
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(known, _)| known.trim().eq_ignore_ascii_case(name))?;
    Some(value.trim().trim_matches('"'))
}

/// Whether a text can be the host of an address: no spaces, no slashes, no quotes, brackets only around an IPv6 address.
pub(super) fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => return address.parse::<Ipv6Addr>().is_ok(),
        Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => ("ipv6", port.strip_prefix(':').unwrap_or("-")),
        Some(_) => return false,
        None => text.split_once(':').unwrap_or((text, "80")),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    (1..=255).contains(&host.len()) && host.bytes().all(allowed) && port.parse::<u16>().is_ok()
}

/// What the headers call the purchase, where that is a text.
fn called(headers: &HeaderMap) -> Option<String> {
    let values = PURCHASE_HEADERS.iter().filter_map(|name| headers.get(name));
    values.filter_map(|value| value.to_str().ok()).find(|text| !text.trim().is_empty()).map(str::to_owned)
}

fn reader(headers: &HeaderMap) -> Reader {
    let says = |name, word| {
        let value = headers.get(name).map(http::HeaderValue::as_bytes).unwrap_or_default();
        value.windows(str::len(word)).any(|part| part == word.as_bytes())
    };
    if says(header::ACCEPT, "text/html") && says(header::USER_AGENT, "Mozilla") {
        Reader::Browser
    } else {
        Reader::Program
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(headers: &[(&str, &str)], forwarded: ForwardedHeaders) -> Visit {
        let mut request = Request::builder().uri("/a/b?c=d");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Visit::of(&request.body(()).unwrap(), "127.0.0.1:3402".parse().unwrap(), forwarded)
    }

    #[test]
    fn the_address_comes_from_host_and_from_forwarded_headers_only_when_trusted() {
        let headers = [("host", "api.test:80"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "shop.test, x")];
        let ignored = visit(&headers, ForwardedHeaders::Ignore);
        assert_eq!(ignored.url, "http://api.test:80/a/b?c=d");
        assert_eq!(ignored.url_without_query(), "http://api.test:80/a/b");
        assert_eq!(ignored.target(), "/a/b?c=d");
        assert_eq!(visit(&headers, ForwardedHeaders::Trust).url, "https://shop.test/a/b?c=d");
    }

    #[test]
    fn a_missing_or_hostile_host_gives_the_bound_address() {
        for host in ["evil/../", "a b", "\"x\"", "<script>", ""] {
            assert_eq!(visit(&[("host", host)], ForwardedHeaders::Ignore).url, "http://127.0.0.1:3402/a/b?c=d");
        }
        assert_eq!(visit(&[], ForwardedHeaders::Ignore).url, "http://127.0.0.1:3402/a/b?c=d");
    }

    #[test]
    fn a_purchase_is_named_by_either_header() {
        let called = |headers: &[(&str, &str)]| visit(headers, ForwardedHeaders::Ignore).called;
        assert_eq!(called(&[("idempotency-key", "a"), ("x-purchase-id", "b")]).as_deref(), Some("b"));
        assert_eq!(called(&[("idempotency-key", "a"), ("x-purchase-id", " ")]).as_deref(), Some("a"));
        assert_eq!(called(&[]), None);
    }

    #[test]
    fn a_browser_says_both_words() {
        let of = |accept, agent| visit(&[("accept", accept), ("user-agent", agent)], ForwardedHeaders::Ignore).reader;
        assert_eq!(of("text/html,*/*", "Mozilla/5.0"), Reader::Browser);
        assert_eq!(of("application/json", "Mozilla/5.0"), Reader::Program);
        assert_eq!(of("text/html", "mozilla"), Reader::Program);
        assert_eq!(of("text/html", "curl/8"), Reader::Program);
    }
}
