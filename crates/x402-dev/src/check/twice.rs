//! Rules about payments that were made twice.

use std::collections::HashMap;

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;

use super::exchange::Exchange;

/// Among how many requests a second payment for the same is looked for.
const NEAR: usize = 200;

/// For one resource, where it is paid next, and where next with another payment.
#[derive(Clone, Copy, Debug)]
struct Next<'a> {
    mark: &'a str,
    place: usize,
    other: Option<usize>,
}

/// Looks for a second payment for one request: although the first may have been settled, or settled as well.
pub fn look(exchanges: &[Exchange], explanation: &mut Explanation) {
    for (place, later) in pairs(exchanges) {
        let (first, second) = (&exchanges[place], &exchanges[later]);
        let unclear = first.status == 0
            || first.status >= 500
            || first.status == 408
            || (first.status == 402 && first.receipt().is_some());
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
        if called(first).is_some()
            && called(first) == called(second)
            && moved(first).is_some_and(|own| moved(second).is_some_and(|other| other != own))
        {
            let seen = format!("requests {} and {} have one name, and two transactions", place + 1, later + 1);
            explanation.find(Finding::new("settled_twice").seen(seen));
        }
    }
}

/// Each payment, and the next one for the same request that is another, from the first to the last. Each request is
/// looked at once: from the end, so that what comes later is known.
fn pairs(exchanges: &[Exchange]) -> Vec<(usize, usize)> {
    let mut next: HashMap<(&str, &str), Next<'_>> = HashMap::new();
    let mut found = Vec::new();
    for (place, own) in exchanges.iter().enumerate().rev() {
        let Some(mark) = own.mark() else { continue };
        let slot = next.entry((&own.method, own.resource())).or_insert(Next { mark, place, other: None });
        if slot.mark != mark {
            *slot = Next { mark, place, other: Some(slot.place) };
        }
        slot.place = place;
        found.extend(slot.other.filter(|later| later - place <= NEAR).map(|later| (place, later)));
    }
    found.reverse();
    found
}

/// The transaction that a receipt names.
fn moved(own: &Exchange) -> Option<&str> {
    own.receipt().filter(|receipt| receipt["success"] == true)?["transaction"].as_str()
}

/// The name that a client gave its purchase.
fn called(own: &Exchange) -> Option<&str> {
    own.request.get("x-purchase-id").or_else(|| own.request.get("idempotency-key"))
}
