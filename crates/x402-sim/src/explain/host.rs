//! The host in a resource's address: one that the public reaches wants TLS.

use std::net::IpAddr;

use x402_wire::shape::shorten;

use super::explanation::Explanation;
use super::finding::Finding;

/// An address without TLS on a host that is not this computer: behind a proxy, it is not the one that clients use.
pub(super) fn resource(url: Option<&str>, at: &str, explanation: &mut Explanation) {
    let Some(rest) = url.and_then(|url| url.strip_prefix("http://")) else { return };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, _)) => name,
        None => host.split(':').next().unwrap_or_default(),
    };
    if !is_local(name) {
        let seen = format!("it is http://{}, on a public host", shorten(host));
        explanation.find(Finding::new("http_resource").at(at).seen(seen));
    }
}

/// The resource of version 1 must be a whole URL. Source: `x402` 1, `PaymentRequirementsSchema`, `z.string().url()`, which
/// is `new URL(...)`: a scheme, and behind one of the web a host.
pub(super) fn whole(resource: Option<&str>, at: &str, explanation: &mut Explanation) {
    if let Some(said) = resource.filter(|said| !is_url(said)) {
        let seen = format!("it is \"{}\", and has no scheme and host in front", shorten(said));
        explanation.find(Finding::new("v1_resource_not_url").at(at).seen(seen));
    }
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.trim().split_once(':') else { return false };
    let of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) || !scheme.bytes().all(of_scheme) {
        return false;
    }
    let is_web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    !is_web || !rest.trim_start_matches(['/', '\\']).is_empty()
}

/// Whether a host is this computer, or one of a network that nobody outside reaches.
fn is_local(host: &str) -> bool {
    match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => {
            let shared = matches!(address.octets(), [100, 64..=127, ..]);
            let nobody = address.is_unspecified();
            nobody || shared || address.is_loopback() || address.is_private() || address.is_link_local()
        }
        Ok(IpAddr::V6(address)) => {
            let nobody = address.is_unspecified();
            nobody || address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => {
            let domain = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
            let is = |known: &str| domain.eq_ignore_ascii_case(known);
            !host.contains('.') || ["local", "localhost", "test", "internal"].iter().any(|known| is(known))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::kind::Kind;

    #[test]
    fn a_resource_of_version_1_is_a_whole_url() {
        for (said, whole) in [
            ("weather", false),
            ("/weather", false),
            ("//host/weather", false),
            ("", false),
            ("http://", false),
            ("1http://x", false),
            ("http://x/w", true),
            ("HTTPS:x", true),
            ("localhost:3000/w", true),
            ("mcp://tool/x", true),
        ] {
            let mut explanation = Explanation::new(Kind::OfferV1, "");
            super::whole(Some(said), "accepts[0].resource", &mut explanation);
            assert_eq!(explanation.findings.is_empty(), whole, "{said}");
        }
    }

    #[test]
    fn only_public_hosts_without_tls_are_remarked() {
        let is_remarked = |url: &str| {
            let mut explanation = Explanation::new(Kind::OfferV2, "");
            resource(Some(url), "resource.url", &mut explanation);
            !explanation.findings.is_empty()
        };
        for public in [
            "http://172.217.1.1/a",
            "http://172.32.0.1/a",
            "http://10.example.com/a",
            "http://127.example.com:80/a",
            "http://192.169.0.1",
            "http://100.128.0.1/",
            "http://[2001:4860::8888]:80/a",
            "http://localhost.example.com/a",
            "http://api.example/a?x=1",
        ] {
            assert!(is_remarked(public), "{public}");
        }
        for local in [
            "http://172.16.0.1/a",
            "http://172.31.255.255:8080/a",
            "http://10.1.2.3/a",
            "http://127.8.9.1",
            "http://192.168.1.1/a",
            "http://169.254.1.1/a",
            "http://100.64.0.1/a",
            "http://0.0.0.0:3402/a",
            "http://[::1]:3402/a",
            "http://[fd00::1]/a",
            "http://[::ffff:10.0.0.1]/a",
            "http://localhost:3402/a",
            "http://shop/a",
            "http://shop.internal:80/a",
            "http://host.docker.internal/a",
            "https://example.com/a",
        ] {
            assert!(!is_remarked(local), "{local}");
        }
    }
}
