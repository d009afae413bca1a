//! Offers that nobody took up, where nothing else says why.

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::explain::{manual, unsent};

use super::exchange::Exchange;
use super::{Explain, offered, refusal};

/// What is to be known of a record of answers alone.
const UNSEEN: &str = "the record holds answers without their requests: whether a payment was sent is not to be seen; `curl -v` \
                      shows both";

/// Looks at a record without a payment.
pub fn look(exchanges: &[Exchange], explain: &Explain<'_>, explanation: &mut Explanation) {
    // One request alone was perhaps only to see the price.
    let open = exchanges.iter().position(|own| own.status == 402);
    let Some(place) = open.filter(|_| exchanges.len() >= 2 && explanation.findings.is_empty()) else { return };
    // A receipt comes for a payment, also where the request with it was not written down.
    if exchanges.iter().any(|own| own.payment().is_some() || own.receipt().is_some()) {
        return;
    }
    if exchanges.iter().all(|own| own.url.is_empty()) {
        let said = exchanges.iter().rev().find(|own| refusal::reason(own).is_some() && !refusal::says_unpaid(own));
        explanation.notes.push(UNSEEN.to_owned());
        let page = said.and_then(refusal::reason).and_then(manual::page);
        for id in page.into_iter().flat_map(|page| &page.findings) {
            explanation.find(Finding::new(id).seen(format!("an answer says {}", page.map_or("", |page| &page.reason))));
        }
        return;
    }
    let own = &exchanges[place];
    // Where no fields of requests are recorded, as in a server's log, what got another answer may have been paid for.
    let is_same = |next: &Exchange| next.method == own.method && next.url == own.url;
    let other = |next: &Exchange| is_same(next) && ![0, 402].contains(&next.status) && next.request.fields.is_empty();
    if let Some(other) = exchanges[place + 1..].iter().position(other).map(|after| place + 1 + after) {
        let status = exchanges[other].status;
        let seen =
            format!("request {} is answered with 402, and the same request {} with {status}", place + 1, other + 1);
        if status >= 500 {
            explanation.find(Finding::new("server_error_after_payment").seen(seen));
        } else {
            explanation.notes.push(format!("{seen}: it was asked for a payment no longer; `curl -v` shows why"));
        }
        return;
    }
    let seen = format!("request {} is answered with 402, and no request has a payment header", place + 1);
    let mut finding = unsent::finding(own.offer()).seen(seen);
    let again = exchanges[place + 1..].iter().position(is_same);
    if let Some(again) = again {
        finding = finding.seen(format!("request {} asks the same again, without a payment", place + again + 2));
    }
    // What a stock client has against the offer is perhaps why it did not pay.
    let told = offered(own, explain).map(|told| told.findings).unwrap_or_default();
    for cause in &told {
        finding = finding.seen(format!("of its offer: {}", cause.title));
    }
    explanation.find(finding);
    for cause in told {
        explanation.find(cause);
    }
}
