//! Offers that nobody took up, where nothing else says why.

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;

use super::exchange::Exchange;
use super::{Explain, offered};

/// Looks at a record without a payment.
pub fn look(exchanges: &[Exchange], explain: &Explain<'_>, explanation: &mut Explanation) {
    // One request alone was perhaps only to see the price.
    let open = exchanges.iter().position(|own| own.status == 402);
    let Some(place) = open.filter(|_| exchanges.len() >= 2 && explanation.findings.is_empty()) else { return };
    if exchanges.iter().any(|own| own.payment().is_some()) {
        return;
    }
    let own = &exchanges[place];
    let seen = format!("request {} is answered with 402, and no request has a payment header", place + 1);
    let mut finding = Finding::new("no_payment_sent").seen(seen);
    let again = exchanges[place + 1..].iter().position(|next| next.method == own.method && next.url == own.url);
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
