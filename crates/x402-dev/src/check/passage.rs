//! Rules about what became of requests on their way: redirects, bodies, CORS, caches.

use std::collections::HashMap;

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;

use super::exchange::Exchange;

/// Looks at the ways of a record's requests.
pub fn look(exchanges: &[Exchange], explanation: &mut Explanation) {
    let paid = paid_next(exchanges);
    for (place, own) in exchanges.iter().enumerate() {
        let name = format!("request {}", place + 1);
        offer(own, &name, explanation);
        cors(own, &name, explanation);
        cache(own, &name, explanation);
        redirect(own, exchanges.get(place + 1), &name, explanation);
        if let (402, Some(next)) = (own.status, paid[place]) {
            body(own, &exchanges[next], &name, explanation);
        }
    }
}

/// For each request, where the same resource is asked next with a payment.
fn paid_next(exchanges: &[Exchange]) -> Vec<Option<usize>> {
    let mut next = HashMap::new();
    let mut places: Vec<Option<usize>> = Vec::with_capacity(exchanges.len());
    for (place, own) in exchanges.iter().enumerate().rev() {
        places.push(next.get(own.resource()).copied());
        if own.payment().is_some() {
            next.insert(own.resource(), place);
        }
    }
    places.reverse();
    places
}

/// Looks at one answer to a request without a payment.
pub fn alone(own: &Exchange, explanation: &mut Explanation) {
    offer(own, "the answer", explanation);
    cache(own, "the answer", explanation);
    if own.response.get("payment-required").is_some()
        && own.response.get("access-control-allow-origin").is_some()
        && !lists(own.response.get("access-control-expose-headers"), "payment-required")
    {
        explanation.find(Finding::new("cors_expose").seen("it allows other origins, and exposes no PAYMENT-REQUIRED"));
    }
}

/// A 402 must say what it asks.
fn offer(own: &Exchange, name: &str, explanation: &mut Explanation) {
    if own.status != 402 {
        return;
    }
    let says = own.response.get("payment-required").is_some()
        || own.response.get("payment-response").is_some()
        || own.offer().is_some()
        || own
            .response
            .get("www-authenticate")
            .is_some_and(|value| value.contains("x402") || value.contains("Payment"));
    if !says {
        let seen = format!("{name}: 402 without PAYMENT-REQUIRED, and without an offer of version 1 in its body");
        explanation.find(Finding::new("offer_header_missing").seen(seen));
    }
    if let (true, Some(offer)) = (own.url.starts_with("https://"), own.offer()) {
        let url = offer.pointer("/resource/url").or_else(|| offer.pointer("/accepts/0/resource"));
        if let Some(url) = url.and_then(|url| url.as_str()).filter(|url| url.starts_with("http://")) {
            let seen = format!("{name} was asked at {}, and its offer names {url}", own.url);
            explanation.find(Finding::new("http_resource").at("resource.url").seen(seen));
        }
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
    let allowed = own.response.get("access-control-allow-origin").is_some();
    if own.method == "OPTIONS" {
        let asked = own.request.get("access-control-request-headers").unwrap_or_default().to_ascii_lowercase();
        for header in ["payment-signature", "x-payment"] {
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
    if own.status == 402 && !allowed {
        let seen = format!("{name} comes from {origin}, and its 402 has no Access-Control-Allow-Origin");
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

/// What came out of a cache, or may go into one.
fn cache(own: &Exchange, name: &str, explanation: &mut Explanation) {
    if own.status != 402 && own.payment().is_none() {
        return;
    }
    let control = own.response.get("cache-control").unwrap_or_default().to_ascii_lowercase();
    let aged = own.response.get("age").is_some_and(|age| age != "0");
    let hit = own.response.get("x-cache").is_some_and(|cache| cache.to_ascii_lowercase().contains("hit"));
    if aged || hit || control.contains("public") || control.contains("s-maxage") {
        let seen = format!(
            "{name}: {} came with `cache-control: {control}`{}",
            own.status,
            if aged || hit { " out of a cache" } else { "" }
        );
        explanation.find(Finding::new("cached_offer").seen(seen));
    }
}

/// What a redirect does to a request.
fn redirect(own: &Exchange, next: Option<&Exchange>, name: &str, explanation: &mut Explanation) {
    if ![301, 302, 303, 307, 308].contains(&own.status) {
        return;
    }
    let target = own.response.get("location").unwrap_or_default();
    let path = |url: &str| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
        rest.split(['?', '#']).next().unwrap_or_default().to_owned()
    };
    if ["/verify", "/settle"].iter().any(|end| path(&own.url).ends_with(end)) {
        let seen = format!("{name}: {} {} is answered with {}", own.method, own.url, own.status);
        explanation.find(Finding::new("facilitator_redirect").seen(seen));
    }
    let Some(next) = next.filter(|next| target.is_empty() || path(&next.url) == path(target)) else { return };
    if own.method != next.method && own.method != "HEAD" {
        let seen = format!("{name}: {} is answered with {}, and {} follows", own.method, own.status, next.method);
        explanation.find(Finding::new("method_changed").seen(seen));
    } else if own.payment().is_some() && next.payment().is_none() {
        let seen = format!("{name} carries a payment, is answered with {}, and the next request has none", own.status);
        explanation.find(Finding::new("payment_lost_in_redirect").seen(seen));
    }
}

/// Whether the paid request has the body of the one that asked.
fn body(own: &Exchange, next: &Exchange, name: &str, explanation: &mut Explanation) {
    if !own.has_body() || own.payment().is_some() {
        return;
    }
    let changed = match (own.request.body_text(), next.request.body_text()) {
        (Some(first), Some(second)) => first != second,
        _ => false,
    };
    if !next.has_body() || changed {
        let what = if changed { "another body" } else { "no body" };
        let seen = format!("{name} has a body, and the {} with the payment has {what}", next.method);
        explanation.find(Finding::new("body_lost").seen(seen));
    }
}
