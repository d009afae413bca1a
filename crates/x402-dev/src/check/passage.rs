//! Rules about what became of requests on their way: redirects, CORS; and of one answer alone.

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_wire::shape::shorten;

use super::exchange::{Exchange, path};
use super::{cache, offer, refusal};

/// Looks at the ways of a record's requests.
pub fn look(exchanges: &[Exchange], explanation: &mut Explanation) {
    for (place, own) in exchanges.iter().enumerate() {
        let name = format!("request {}", place + 1);
        offer::look(own, &name, explanation);
        cors(own, &name, explanation);
        cache::look(own, &name, explanation);
        redirect(own, exchanges.get(place + 1), &name, explanation);
    }
}

/// Looks at one answer to a request without a payment.
pub fn alone(own: &Exchange, explanation: &mut Explanation) {
    offer::look(own, "the request", explanation);
    if own.status >= 500 && own.offer().is_none() {
        let seen = format!("{} is answered with {}", own.url, own.status);
        explanation.find(Finding::new("server_failed_unpaid").seen(seen).seen(refusal::within(own)));
    }
    cache::look(own, "the request", explanation);
    if own.response.get("payment-required").is_some()
        && own.response.get("access-control-allow-origin").is_some()
        && !lists(own.response.get("access-control-expose-headers"), "payment-required")
    {
        explanation.find(Finding::new("cors_expose").seen("it allows other origins, and exposes no PAYMENT-REQUIRED"));
    }
}

/// Whether a list of names holds one, or all of them.
fn lists(value: Option<&str>, name: &str) -> bool {
    value.is_some_and(|value| value.split(',').map(str::trim).any(|own| own == "*" || own.eq_ignore_ascii_case(name)))
}

/// What a browser needs to hear.
fn cors(own: &Exchange, name: &str, explanation: &mut Explanation) {
    let Some(origin) = own.request.get("origin") else { return };
    if own.url.starts_with(origin) && own.url[origin.len()..].starts_with('/') {
        return;
    }
    let allows = own.response.get("access-control-allow-origin");
    let allowed = allows.is_some_and(|allows| allows == "*" || allows.eq_ignore_ascii_case(origin));
    if own.method == "OPTIONS" {
        let asked = own.request.get("access-control-request-headers").unwrap_or_default().to_ascii_lowercase();
        // The official clients send the last one with a payment: TS 2.27 `@x402/fetch`.
        for header in ["payment-signature", "x-payment", "access-control-expose-headers"] {
            let wanted = asked.split(',').any(|own| own.trim() == header);
            if wanted && (own.status >= 300 || !lists(own.response.get("access-control-allow-headers"), header)) {
                let allows = own.response.get("access-control-allow-headers").unwrap_or("nothing");
                let seen =
                    format!("{name}: OPTIONS asks for {header}, is answered with {} and allows {allows}", own.status);
                explanation.find(Finding::new("cors_preflight").seen(seen));
            }
        }
        return;
    }
    let is_heard = own.status == 402 || (own.status >= 200 && own.payment().is_some());
    if is_heard && !allowed {
        let allows = allows.map_or_else(|| "no origin".to_owned(), |allows| format!("{allows} alone"));
        let seen = format!("{name} comes from {origin}, and its {} allows {allows}", own.status);
        explanation.find(Finding::new("cors_on_402").seen(seen));
    } else if allowed
        && own.status == 402
        && !lists(own.response.get("access-control-expose-headers"), "payment-required")
        && own.response.get("payment-required").is_some()
    {
        let exposes = own.response.get("access-control-expose-headers").unwrap_or("nothing");
        let seen = format!("{name} comes from {origin}, and its 402 exposes {exposes}");
        explanation.find(Finding::new("cors_expose").seen(seen));
    }
}

/// What a redirect does to a request.
fn redirect(own: &Exchange, next: Option<&Exchange>, name: &str, explanation: &mut Explanation) {
    if ![301, 302, 303, 307, 308].contains(&own.status) {
        return;
    }
    let target = own.response.get("location").unwrap_or_default();
    if ["/verify", "/settle"].iter().any(|end| path(&own.url).ends_with(end)) {
        let seen = format!("{name}: {} {} is answered with {}", own.method, own.url, own.status);
        explanation.find(Finding::new("facilitator_redirect").seen(seen));
    }
    let Some(next) = next.filter(|next| target.is_empty() || path(&next.url) == path(target)) else { return };
    if own.method != next.method && own.method != "HEAD" {
        let seen = format!("{name}: {} is answered with {}, and {} follows", own.method, own.status, next.method);
        let finding = Finding::new("method_changed").seen(seen);
        // A proxy that wants https sends whoever comes without it there.
        let secure = own.url.strip_prefix("http://").map(|rest| format!("https://{rest}"));
        let secure = secure.filter(|url| target == url.as_str() || next.url == *url);
        explanation.find(match secure {
            Some(url) => finding.fixed_by(format!("Ask `{}` from the beginning.", shorten(&url))),
            None => finding,
        });
    } else if own.payment().is_some() && next.payment().is_none() {
        let elsewhere = origin(target).filter(|target| origin(&own.url).is_none_or(|own| own != *target));
        let elsewhere = elsewhere.map(|target| format!(" to another origin, {target},")).unwrap_or_default();
        let seen = format!(
            "{name} carries a payment, is answered with {}{elsewhere} and the next request has none",
            own.status
        );
        explanation.find(Finding::new("payment_lost_in_redirect").seen(seen));
    }
}

/// Scheme, host and port of an address that has them.
fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    // Whoever is named before it is nobody's business.
    (!host.contains('@')).then(|| &url[..scheme.len() + 3 + host.len()])
}
