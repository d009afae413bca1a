//! Addresses: what a word on the command line names, where a redirect leads, and whose machines they are.

use std::net::{IpAddr, Ipv6Addr};

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

use crate::secret::{CUT, without_query};

/// The address of something that is sold over HTTP.
pub fn parse(text: &str) -> Result<Uri, String> {
    let Some((scheme, _)) = text.split_once("://") else {
        return Err(format!("write the whole address: `http://{text}` or `https://{text}`"));
    };
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(format!("`{scheme}` is not supported: http and https are"));
    }
    let uri: Uri = text.parse().map_err(|error| format!("this is no URL: {error}"))?;
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            Err("a URL with a user is not asked; say who you are with -H 'Authorization: ...'".to_owned())
        }
        Some(authority) if !authority.host().is_empty() => Ok(uri),
        _ => Err("this URL names no host".to_owned()),
    }
}

/// An address as it is told: without the secrets of its query.
pub fn shown(uri: &Uri) -> String {
    without_query(&uri.to_string())
}

/// From how many bytes on a part of a path may be a key: providers of endpoints write theirs there.
const LEAST_KEY: usize = 16;

/// A JSON-RPC endpoint as it is told: without what may be the key to it, which stands in its path or in its query.
pub fn shown_endpoint(uri: &Uri) -> String {
    let parts = uri.path().split('/').map(|part| if is_key(part) { CUT } else { part });
    let query = uri.query().map(|_| format!("?{CUT}")).unwrap_or_default();
    format!("{}{}{query}", origin(uri), parts.collect::<Vec<_>>().join("/"))
}

/// What may be a key to an endpoint.
pub fn keys_of_endpoint(uri: &Uri) -> impl Iterator<Item = &str> {
    let values =
        uri.query().unwrap_or_default().split('&').map(|word| word.split_once('=').map_or(word, |(_, own)| own));
    uri.path().split('/').filter(|part| is_key(part)).chain(values)
}

/// Whether a part of a path may be a key. A network's CAIP-2 id has a colon.
fn is_key(part: &str) -> bool {
    let is_plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    part.len() >= LEAST_KEY && is_plain && part.bytes().any(|byte| byte.is_ascii_digit())
}

/// The port of an address.
pub fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if is_secure(uri) { 443 } else { 80 })
}

/// The host of an address, an IPv6 address without its brackets.
pub fn host(uri: &Uri) -> &str {
    uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
}

/// Whether an address is asked over TLS.
pub fn is_secure(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
}

/// Whether two addresses have one origin: scheme, host and port.
pub fn same_origin(left: &Uri, right: &Uri) -> bool {
    let origin = |uri: &Uri| (is_secure(uri), host(uri).to_ascii_lowercase(), port(uri));
    origin(left) == origin(right)
}

/// The origin of an address: `http://127.0.0.1:3402`.
pub fn origin(uri: &Uri) -> String {
    let scheme = if is_secure(uri) { "https" } else { "http" };
    format!("{scheme}://{}", uri.authority().map_or("", Authority::as_str))
}

/// Where a `Location` leads from an address (RFC 3986, 5.2). `None` where it leads nowhere that can be asked.
pub fn join(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next().unwrap_or_default();
    let absolute = if has_scheme(location) {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{}:{location}", base.scheme_str()?)
    } else {
        let path = base.path();
        let query = base.query().map(|query| format!("?{query}")).unwrap_or_default();
        let joined = match location.chars().next() {
            None => format!("{path}{query}"),
            Some('/') => tidied(location),
            Some('?') => format!("{path}{location}"),
            Some(_) => tidied(&format!("{}/{location}", path.rsplit_once('/').map_or("", |(folder, _)| folder))),
        };
        let path: PathAndQuery = joined.parse().ok()?;
        return Uri::builder()
            .scheme(base.scheme_str()?)
            .authority(base.authority()?.clone())
            .path_and_query(path)
            .build()
            .ok();
    };
    parse(&absolute).ok()
}

/// Whether an address begins with the name of a scheme.
fn has_scheme(location: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let name = location.split_once(':').map_or("", |(name, _)| name);
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain)
}

/// A path without its `.` and `..`.
fn tidied(target: &str) -> String {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("/{}{query}", kept.join("/"))
}

/// Whether an address is of this machine.
pub fn is_loopback(address: IpAddr) -> bool {
    canonical(address).is_loopback()
}

/// Whether an address is of this machine, or of a network that no stranger is on.
pub fn is_private(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || is_local(address),
    }
}

/// Unique local or link-local.
fn is_local(address: Ipv6Addr) -> bool {
    address.is_unique_local() || address.is_unicast_link_local()
}

/// An IPv4 address that is written as IPv6 is the IPv4 address.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_no_address_say_what_to_write() {
        for (text, part) in [
            ("127.0.0.1:3402/a", "http://127.0.0.1:3402/a"),
            ("ftp://a/b", "`ftp` is not supported"),
            ("http://", "no URL"),
            ("http://a b/", "no URL"),
            ("https://user:secret@a/", "with a user"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part) && !error.contains("secret"), "{part} is not in: {error}");
        }
        for text in ["http://127.0.0.1:3402/a?b=c", "HTTPS://api.test", "http://[::1]:80/"] {
            parse(text).unwrap();
        }
        let six: Uri = "http://[::1]/".parse().unwrap();
        assert_eq!((host(&six), port(&six)), ("::1", 80));
    }

    #[test]
    fn a_redirect_leads_where_a_browser_goes() {
        let base: Uri = "http://a.test:81/b/c/d?q=1".parse().unwrap();
        for (location, target) in [
            ("http://other.test/x?y", Some("http://other.test/x?y")),
            ("//other.test/x", Some("http://other.test/x")),
            ("/x", Some("http://a.test:81/x")),
            ("/x/../y/./z", Some("http://a.test:81/y/z")),
            ("x", Some("http://a.test:81/b/c/x")),
            ("../x", Some("http://a.test:81/b/x")),
            ("../../../../x", Some("http://a.test:81/x")),
            ("..", Some("http://a.test:81/b/")),
            ("?r=2", Some("http://a.test:81/b/c/d?r=2")),
            ("#part", Some("http://a.test:81/b/c/d?q=1")),
            ("x?to=http://b.test/", Some("http://a.test:81/b/c/x?to=http://b.test/")),
            ("mailto:a@b", None),
            ("ftp://a/b", None),
            ("http://u:p@a/b", None),
            ("/a b", None),
        ] {
            let joined = join(&base, location).map(|uri| uri.to_string());
            assert_eq!(joined.as_deref(), target, "{location}");
        }
    }

    #[test]
    fn machines_are_told_apart() {
        for (text, loopback, private) in [
            ("127.0.0.1", true, true),
            ("127.9.9.9", true, true),
            ("::1", true, true),
            ("::ffff:127.0.0.1", true, true),
            ("10.1.2.3", false, true),
            ("192.168.0.1", false, true),
            ("172.16.0.1", false, true),
            ("169.254.1.1", false, true),
            ("fd00::1", false, true),
            ("fe80::1", false, true),
            ("172.32.0.1", false, false),
            ("8.8.8.8", false, false),
            ("::ffff:8.8.8.8", false, false),
            ("2001:db8::1", false, false),
            ("0.0.0.0", false, false),
        ] {
            let address = text.parse().unwrap();
            assert_eq!((is_loopback(address), is_private(address)), (loopback, private), "{text}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let same = |left: &str, right: &str| same_origin(&left.parse().unwrap(), &right.parse().unwrap());
        assert!(same("http://A.test/x", "http://a.test:80/y"));
        assert!(!same("http://a.test/", "https://a.test/"));
        assert!(!same("http://a.test/", "http://a.test:81/"));
        assert!(!same("http://a.test/", "http://b.test/"));
        assert_eq!(origin(&"https://a.test:8443/x?y".parse().unwrap()), "https://a.test:8443");
    }
}
