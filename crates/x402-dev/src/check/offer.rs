//! Rules about offers: where in an answer they stand, and with which status they come.
//!
//! Source: TS 2.27 `x402HTTPClient.getPaymentRequiredResponse` and `@x402/fetch`, PY 2.25
//! `get_payment_required_response`: a client looks at an answer 402 alone, and there at the header PAYMENT-REQUIRED, else
//! at a body whose `x402Version` is 1.

use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_wire::header::decode;
use x402_wire::shape::shorten;

use super::exchange::Exchange;
use super::refusal;

/// Looks at what an answer offers.
pub fn look(own: &Exchange, name: &str, explanation: &mut Explanation) {
    if own.status == 402 {
        readable(own, name, explanation);
    } else if let Some(place) = misplaced(own) {
        let seen = format!("{name} is answered with {}, with {place}", own.status);
        explanation.find(Finding::new("offer_wrong_status").seen(seen).fixed_by(advice(own.status)));
    }
    if let (true, Some(offer)) = (own.url.starts_with("https://"), own.offer()) {
        let url = offer.pointer("/resource/url").or_else(|| offer.pointer("/accepts/0/resource"));
        if let Some(url) = url.and_then(Value::as_str).filter(|url| url.starts_with("http://")) {
            let seen = format!("{name} was asked at {}, and its offer names {url}", own.url);
            explanation.find(Finding::new("http_resource").at("resource.url").seen(seen));
        }
    }
}

/// A 402 must say what it asks, where clients read it.
fn readable(own: &Exchange, name: &str, explanation: &mut Explanation) {
    let challenge = own.response.get("www-authenticate").unwrap_or_default();
    let has_header = own.response.get("payment-required").is_some();
    // An offer of version 2 in the body was meant to be read, whatever else is asked besides.
    let is_in_body = !has_header && own.offer_of(Kind::OfferV2).is_some();
    let says = has_header
        || own.response.get("payment-response").is_some()
        || own.offer_of(Kind::OfferV1).is_some()
        || (!is_in_body && (challenge.contains("x402") || challenge.contains("Payment")));
    // A refusal need not offer again.
    let is_refusal = own.payment().is_some() && refusal::reason(own).is_some();
    if says || is_refusal || own.method == "HEAD" {
        if own.offer_of(Kind::OfferV1).is_some() && !has_header && own.payment().is_none() {
            once(explanation, "a client of version 2 alone throws", || {
                format!(
                    "{name}: the offer is of version 1 alone; a client of version 2 alone throws `No client registered \
                     for x402 version: 1`{}. If the server offers version 2, too, PAYMENT-REQUIRED was lost on the way",
                    registering(own)
                )
            });
        }
        return;
    }
    let missing = Finding::new("offer_header_missing");
    if is_in_body {
        let seen = format!(
            "{name}: the offer of version 2 stands in the body of the 402 alone; clients take an offer out of a body \
             where its x402Version is 1"
        );
        explanation.find(missing.seen(seen));
    } else if own.response.is_whole() {
        let seen = format!("{name}: 402 without PAYMENT-REQUIRED, and without an offer of version 1 in its body");
        explanation.find(missing.seen(seen).seen(misnamed(own)));
    } else {
        once(explanation, "the record does not hold its body", || {
            format!(
                "{name}: 402 without PAYMENT-REQUIRED, and the record does not hold its body, where version 1 has its offer"
            )
        });
    }
}

/// The header under whose name the offer stands that nobody reads there; empty where there is none.
fn misnamed(own: &Exchange) -> String {
    let is_offer = |value: &str| {
        decode::<Value>(value).is_ok_and(|value| matches!(Kind::of(&value), Kind::OfferV1 | Kind::OfferV2))
    };
    let found = own.response.fields.iter().find(|(_, value)| is_offer(value));
    found.map_or_else(String::new, |(name, _)| {
        format!(
            "the offer stands in the header `{}`, where no client looks for it: call it PAYMENT-REQUIRED",
            shorten(name)
        )
    })
}

/// How a client of version 2 comes to pay an offer of version 1, in words.
fn registering(own: &Exchange) -> String {
    let Some(offer) = own.offer_of(Kind::OfferV1) else { return String::new() };
    let lines = Finding::new("no_payment_sent").for_offer(offer).code;
    let line = |sdk: &str| lines.iter().find(|own| own.sdk == sdk).map(|own| format!("`{}`", own.line));
    let both = [line("ts-fetch"), line("python-client")];
    let both: Vec<String> = both.into_iter().flatten().collect();
    if both.is_empty() { String::new() } else { format!(", unless version 1 is registered too: {}", both.join(", ")) }
}

/// Notes something that may be true of every request, of the first of them.
fn once(explanation: &mut Explanation, words: &str, note: impl FnOnce() -> String) {
    if !explanation.notes.iter().any(|known| known.contains(words)) {
        explanation.notes.push(note());
    }
}

/// Members of requirements that stay the same as long as an offer does.
const STEADY: [&str; 5] = ["amount", "maxAmountRequired", "payTo", "asset", "maxTimeoutSeconds"];

/// What has changed between the offer that a payment answers and the one that came back with its refusal, in words: of the
/// requirements that were accepted, where nothing else in the new offer is the same.
pub fn changed(payload: &Value, before: &Value, after: &Value) -> Option<String> {
    let entries = |offer: &Value| offer.get("accepts").and_then(Value::as_array).cloned().unwrap_or_default();
    let meant = payload.get("accepted").unwrap_or(payload);
    let same = |left: &Value, right: &Value, keys: &[&str]| keys.iter().all(|key| left.get(*key) == right.get(*key));
    let steady = if payload.get("accepted").is_some() { &STEADY[..] } else { &[] };
    let is_meant = |entry: &&Value| same(entry, meant, &["scheme", "network"]) && same(entry, meant, steady);
    let (old, new) = (entries(before), entries(after));
    let old = old.iter().find(is_meant)?;
    let near: Vec<&Value> = new.iter().filter(|entry| same(entry, old, &["scheme", "network"])).collect();
    if near.iter().any(|entry| same(entry, old, &STEADY)) {
        return None;
    }
    let Some(other) = near.first() else { return Some("it is not offered any more".to_owned()) };
    let differs = STEADY.iter().filter(|key| old.get(**key) != other.get(**key));
    let said = |value: Option<&Value>| match value {
        None => "missing".to_owned(),
        Some(Value::String(text)) => shorten(text),
        Some(other) => shorten(&other.to_string()),
    };
    let all: Vec<String> =
        differs.map(|key| format!("{key} was {}, and is {}", said(old.get(*key)), said(other.get(*key)))).collect();
    Some(all.join("; "))
}

/// Where an offer stands in an answer that clients do not take for one.
fn misplaced(own: &Exchange) -> Option<&'static str> {
    // Official servers say 412 to a payment whose payer must approve first. A redirect is followed before anything is read.
    // What was paid for and came is content.
    let is_paid = own.payment().is_some();
    let is_answer = matches!(own.status, 200..=299 if !is_paid) || own.status >= 400;
    if !is_answer || (own.status == 412 && is_paid) {
        return None;
    }
    if own.response.get("payment-required").is_some() {
        return Some("an offer in PAYMENT-REQUIRED");
    }
    // Catalogues and documents of a well-known place list offers, and ask for nothing.
    let is_list = own.url.contains("/.well-known/") || own.url.contains("/discovery/");
    let is_offer = |offer: &Value| {
        let first = offer.pointer("/accepts/0/payTo").is_some_and(Value::is_string);
        first && offer.get("x402Version").is_some_and(Value::is_number)
    };
    (!is_list && own.answered().is_some_and(is_offer)).then_some("an offer in the body")
}

/// What a status makes of an offer.
const fn advice(status: u16) -> &'static str {
    match status {
        200..=299 => "Whoever asks takes this for the content, and pays nothing.",
        412 => "412 is for a payment whose payer must approve Permit2 first; without a payment it is 402.",
        500.. => {
            "Look for what turns the 402 into this: an error handler around the middleware, or a gateway that replaces errors."
        }
        _ => {
            "Look for what turns the 402 into this: a firewall, a gateway with pages of its own for errors, or a guard \
              that answers in place of the middleware."
        }
    }
}
