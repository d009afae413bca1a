//! Rules about what was paid, and how often.

use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::manual;
use x402_sim::explain::read::{Reading, read};

use super::exchange::Exchange;
use super::{Explain, offer_of};

/// What official servers say where they saw no payment.
const UNPAID: [&str; 2] = ["Payment required", "X-PAYMENT header is required"];

/// How many payments of one record are judged.
const JUDGED: usize = 50;

/// Among how many requests a second payment for the same is looked for.
const NEAR: usize = 200;

/// Looks at the payments of a record.
pub fn look(exchanges: &[Exchange], explain: &Explain<'_>, explanation: &mut Explanation) {
    for (place, own) in exchanges.iter().enumerate() {
        headers(own, &format!("request {}", place + 1), explanation);
    }
    twice(exchanges, explanation);
    let paying = (0..exchanges.len()).filter(|place| exchanges[*place].payment().is_some());
    for place in paying.take(JUDGED) {
        paid(exchanges, place, explain, explanation);
    }
}

/// Whether the headers that carry x402 can be decoded as they are.
fn headers(own: &Exchange, name: &str, explanation: &mut Explanation) {
    let cut = |value: &str| value.starts_with("<cut out");
    let offer = offer_of(own);
    let offer = offer.as_ref().map(|(header, value)| (*header, value.as_str()));
    for (header, value) in [own.payment(), offer].into_iter().flatten().filter(|(_, value)| !cut(value)) {
        let reading = read(&format!("{header}: {value}"));
        for finding in reading.findings {
            explanation.find(finding.seen(format!("{name}, {header}")));
        }
    }
}

/// A request with a payment, and what came of it.
fn paid(exchanges: &[Exchange], place: usize, explain: &Explain<'_>, explanation: &mut Explanation) {
    let own = &exchanges[place];
    let name = format!("request {}", place + 1);
    let error = refusal(own);
    match own.status {
        402 | 412 => {
            // A header that is wrong itself is answered so as well.
            let whole =
                own.payment().is_some_and(|(header, value)| read(&format!("{header}: {value}")).findings.is_empty());
            if whole && error.as_deref().is_some_and(|error| UNPAID.contains(&error)) && own.payload().is_some() {
                let seen =
                    format!("{name} carries a payment, and the answer says \"{}\"", error.clone().unwrap_or_default());
                explanation.find(Finding::new("header_stripped").seen(seen));
            }
            why(exchanges, place, explain, explanation);
            if let Some(page) = error.as_deref().and_then(manual::page).filter(|_| explanation.findings.is_empty()) {
                for id in &page.findings {
                    explanation.find(Finding::new(id).seen(format!("{name}: the server says {}", page.reason)));
                }
            }
        }
        500..=599 => {
            let seen = format!("{name} carries a payment and is answered with {}", own.status);
            let finding = Finding::new("server_error_after_payment").seen(seen);
            let page = own.response.body_text().and_then(manual::within);
            let meaning = page.map(|page| format!("the body says {}: {}", page.reason, page.meaning));
            explanation.find(finding.seen(meaning.unwrap_or_default()));
        }
        200..=299 if own.receipt().is_none() && !own.is_invoice() => {
            explanation.find(Finding::new("receipt_missing").seen(format!("{name} is answered with {}", own.status)));
        }
        _ => {}
    }
}

/// The reason that a refusal gives.
fn refusal(own: &Exchange) -> Option<String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let receipt = own.receipt().and_then(|receipt| text(receipt.get("errorReason")));
    let offer = || own.payload().and_then(|payload| own.offer_of(offer_for(&payload))).or_else(|| own.offer());
    receipt.or_else(|| offer().and_then(|offer| text(offer.get("error")))).or_else(|| {
        let body: Value = serde_json::from_str(own.response.body_text()?).ok()?;
        ["error", "reason", "invalidReason"].iter().find_map(|key| text(body.get(key)))
    })
}

/// The kind of offer that a payment answers.
fn offer_for(payload: &Value) -> Kind {
    if Kind::of(payload) == Kind::PaymentV1 { Kind::OfferV1 } else { Kind::OfferV2 }
}

/// Judges the payment against the offer that it answers.
fn why(exchanges: &[Exchange], place: usize, explain: &Explain<'_>, explanation: &mut Explanation) {
    let own = &exchanges[place];
    let Some(payload) = own.payload() else { return };
    let wanted = offer_for(&payload);
    let seen = || exchanges[..place].iter().rev().filter(|other| other.is_like(own)).chain([own]);
    let offer = seen().find_map(|other| other.offer_of(wanted)).or_else(|| seen().find_map(Exchange::offer));
    let Some(offer) = offer else { return };
    // An archive of ours has no signatures: what needs one is not judged.
    if payload.pointer("/payload/signature").and_then(Value::as_str).is_some_and(|text| text.starts_with('<')) {
        return;
    }
    let reading = Reading::carried(own.payment().map(|(name, _)| name), payload);
    let judged = explain(reading, Some(offer), own.at);
    for finding in judged.findings {
        explanation.find(finding);
    }
    explanation.comparison = judged.comparison;
    explanation.verdict = explanation.verdict.take().or(judged.verdict);
}

/// Two payments for one request, although the first may have been settled.
fn twice(exchanges: &[Exchange], explanation: &mut Explanation) {
    let marks: Vec<Option<String>> = exchanges.iter().map(Exchange::mark).collect();
    for (place, first) in exchanges.iter().enumerate() {
        let Some(mark) = &marks[place] else { continue };
        let unclear = first.status == 0
            || first.status >= 500
            || first.status == 408
            || (first.status == 402 && first.receipt().is_some());
        let again = exchanges.iter().enumerate().skip(place + 1).take(NEAR).find(|(later, other)| {
            let differs = marks[*later].as_ref().is_some_and(|other| other != mark);
            differs && other.method == first.method && other.is_like(first)
        });
        let Some((later, second)) = again else { continue };
        if unclear {
            let status = if first.status == 0 {
                "has no answer".to_owned()
            } else {
                format!("is answered with {}", first.status)
            };
            explanation.find(Finding::new("paid_twice").seen(format!(
                "request {} {status}, and request {} pays with another nonce",
                place + 1,
                later + 1
            )));
        }
        let moved = |own: &Exchange| {
            let receipt = own.receipt().filter(|receipt| receipt["success"] == true)?;
            receipt["transaction"].as_str().map(str::to_owned)
        };
        let called = |own: &Exchange| {
            own.request.get("x-purchase-id").or_else(|| own.request.get("idempotency-key")).map(str::to_owned)
        };
        if called(first).is_some()
            && called(first) == called(second)
            && moved(first).is_some_and(|own| moved(second).is_some_and(|other| other != own))
        {
            let seen = format!("requests {} and {} have one name, and two transactions", place + 1, later + 1);
            explanation.find(Finding::new("settled_twice").seen(seen));
        }
    }
}

/// Offers that nobody took up, where nothing else says why.
pub fn unanswered(exchanges: &[Exchange], explanation: &mut Explanation) {
    // One request alone was perhaps only to see the price.
    if !explanation.findings.is_empty() || exchanges.len() < 2 {
        return;
    }
    let open = exchanges.iter().position(|own| own.status == 402 && own.payment().is_none());
    if let Some(place) = open
        && exchanges.iter().all(|own| own.payment().is_none())
    {
        let seen = format!("request {} is answered with 402, and no request has a payment header", place + 1);
        explanation.find(Finding::new("no_payment_sent").seen(seen));
    }
}
