//! Rules about what was paid, and what came of it.

use std::collections::HashMap;

use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::manual;
use x402_sim::explain::read::{Reading, read};

use super::exchange::Exchange;
use super::judge::{Judge, Judged};
use super::{offer_of, status};

/// What official servers say where they saw no payment.
const UNPAID: [&str; 2] = ["Payment required", "X-PAYMENT header is required"];

/// What a record tells of its payments, from its beginning to where somebody looks.
#[derive(Debug, Default)]
pub struct Payments<'a> {
    /// The last offer of a kind for a resource, and the last of any kind.
    offers: HashMap<(&'a str, Option<Kind>), &'a Value>,
    /// The last request in the whole record that was given content for a payment.
    delivered: HashMap<&'a str, usize>,
}

impl<'a> Payments<'a> {
    /// What is known before anything was looked at.
    pub fn of(exchanges: &'a [Exchange]) -> Self {
        let paid = exchanges.iter().enumerate().filter(|(_, own)| (200..300).contains(&own.status));
        let delivered = paid.filter_map(|(place, own)| Some((own.mark()?, place))).collect();
        Self { offers: HashMap::new(), delivered }
    }

    /// Looks at a request and its answer, the next of the record.
    pub fn look(&mut self, own: &'a Exchange, place: usize, judge: &mut Judge<'_>, explanation: &mut Explanation) {
        let name = format!("request {}", place + 1);
        if let Some((header, value)) = own.payment() {
            let is_whole = is_whole((header, value), &name, explanation);
            let later = own.mark().and_then(|mark| self.delivered.get(mark)).filter(|later| **later > place);
            match later {
                Some(later) if own.status >= 400 => explanation.notes.push(format!(
                    "{name} is answered with {}{}, and request {} brings the content for the same payment: it was not \
                     the payment's fault",
                    own.status,
                    refusal(own).map(|reason| format!(" ({reason})")).unwrap_or_default(),
                    later + 1
                )),
                _ => {
                    // A header that is wrong itself is answered as one that did not arrive.
                    if is_whole {
                        stripped(own, &name, explanation);
                    }
                    self.paid(own, &name, judge, explanation);
                }
            }
        }
        if let Some((header, value)) = offer_of(own) {
            is_whole((header, &value), &name, explanation);
        }
        for offer in own.offers().iter().rev() {
            self.offers.insert((own.resource(), Some(Kind::of(offer))), offer);
            self.offers.insert((own.resource(), None), offer);
        }
    }

    /// A request with a payment, and what came of it.
    fn paid(&self, own: &Exchange, name: &str, judge: &mut Judge<'_>, explanation: &mut Explanation) {
        let error = refusal(own);
        match own.status {
            402 | 412 => {
                self.why(own, judge, explanation);
                if let Some(page) = error.and_then(manual::page).filter(|_| explanation.findings.is_empty()) {
                    for id in &page.findings {
                        explanation.find(Finding::new(id).seen(format!("{name}: the server says {}", page.reason)));
                    }
                }
            }
            400..=499 if self.why(own, judge, explanation) != Judged::Wrong => {
                explanation.find(status::meaning(own, name).seen(within(own)));
            }
            500..=599 => {
                let seen = format!("{name} carries a payment and is answered with {}", own.status);
                explanation.find(Finding::new("server_error_after_payment").seen(seen).seen(within(own)));
            }
            200..=299 if own.receipt().is_none() && !own.is_invoice() => {
                let seen = format!("{name} is answered with {}", own.status);
                explanation.find(Finding::new("receipt_missing").seen(seen));
            }
            _ => {}
        }
    }

    /// Judges the payment against the offer that it answers; without one, against what it says itself.
    fn why(&self, own: &Exchange, judge: &mut Judge<'_>, explanation: &mut Explanation) -> Judged {
        let Some(payload) = own.payload() else { return Judged::Unknown };
        let wanted = offer_for(payload);
        let before = |kind| self.offers.get(&(own.resource(), kind)).copied();
        let fitting = before(Some(wanted)).or_else(|| own.offer_of(wanted));
        let offer = fitting.or_else(|| before(None)).or_else(|| own.offer());
        if offer.is_none() && payload.get("accepted").is_none() {
            return Judged::Unknown;
        }
        let reading = Reading::carried(own.payment().map(|(name, _)| name), payload.clone());
        judge.judge(reading, offer.cloned(), own.at, explanation)
    }
}

/// Whether a header that carries x402 can be decoded as it is.
fn is_whole((header, value): (&str, &str), name: &str, explanation: &mut Explanation) -> bool {
    // By whoever kept the record: the payment itself was sent as it was.
    if value.starts_with("<cut out") {
        return true;
    }
    let findings = read(&format!("{header}: {value}")).findings;
    let is_whole = findings.is_empty();
    for finding in findings {
        explanation.find(finding.seen(format!("{name}, {header}")));
    }
    is_whole
}

/// A payment that did not arrive, as its answer says.
fn stripped(own: &Exchange, name: &str, explanation: &mut Explanation) {
    let refused = [402, 412].contains(&own.status) && own.payload().is_some();
    if let Some(error) = refusal(own).filter(|error| refused && UNPAID.contains(error)) {
        let seen = format!("{name} carries a payment, and the answer says \"{error}\"");
        explanation.find(Finding::new("header_stripped").seen(seen));
    }
}

/// The reason that a refusal gives.
fn refusal(own: &Exchange) -> Option<&str> {
    fn said<'a>(value: Option<&'a Value>, key: &str) -> Option<&'a str> {
        value?.get(key)?.as_str()
    }
    let offer = own.payload().and_then(|payload| own.offer_of(offer_for(payload))).or_else(|| own.offer());
    said(own.receipt(), "errorReason")
        .or_else(|| said(offer, "error"))
        .or_else(|| ["error", "reason", "invalidReason"].iter().find_map(|key| said(own.answered(), key)))
}

/// What the manual says of a reason in the body of an answer; empty where there is none.
fn within(own: &Exchange) -> String {
    let page = own.response.body_text().and_then(manual::within);
    page.map(|page| format!("the body says {}: {}", page.reason, page.meaning)).unwrap_or_default()
}

/// The kind of offer that a payment answers.
pub fn offer_for(payload: &Value) -> Kind {
    if Kind::of(payload) == Kind::PaymentV1 { Kind::OfferV1 } else { Kind::OfferV2 }
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
