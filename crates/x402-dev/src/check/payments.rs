//! Rules about what was paid, and what came of it.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::read::{Reading, read};

use super::exchange::Exchange;
use super::judge::{Judge, Judged};
use super::time::Moment;
use super::{cache, carrier, elsewhere, offer, offer_of, proof, refusal, status};

/// What a record tells of its payments, from its beginning to where somebody looks.
#[derive(Debug, Default)]
pub struct Payments<'a> {
    /// The last offer of a kind for a resource, and the last of any kind.
    offers: HashMap<(&'a str, Option<Kind>), &'a Value>,
    /// The last request in the whole record that was given content for a payment.
    delivered: HashMap<&'a str, usize>,
    /// Payments for which a receipt came, also on the way to the content.
    receipted: HashSet<&'a str>,
    /// Payments that the server says somewhere were used: they have arrived.
    used: HashSet<&'a str>,
    /// Where each payment came first, and with which status it was answered.
    first: HashMap<&'a str, (usize, u16)>,
}

impl<'a> Payments<'a> {
    /// What is known before anything was looked at.
    pub fn of(exchanges: &'a [Exchange]) -> Self {
        let paid =
            exchanges.iter().enumerate().filter(|(_, own)| (200..300).contains(&own.status) && own.broken.is_none());
        let delivered = paid.filter_map(|(place, own)| Some((own.mark()?, place))).collect();
        let receipted = exchanges.iter().filter(|own| own.receipt().is_some()).filter_map(Exchange::mark).collect();
        let used = exchanges.iter().filter(|own| refusal::says_used(own)).filter_map(Exchange::mark).collect();
        Self { offers: HashMap::new(), delivered, receipted, used, first: HashMap::new() }
    }

    /// Looks at a request and its answer, the next of the record.
    pub fn look(&mut self, own: &'a Exchange, place: usize, judge: &mut Judge<'_>, explanation: &mut Explanation) {
        let name = format!("request {}", place + 1);
        if let Some((header, value)) = own.payment() {
            let is_alone = carrier::is_alone(own, &name, explanation);
            let is_whole = is_whole((header, value), self.only_in(own), &name, explanation) && is_alone;
            let later = own.mark().and_then(|mark| self.delivered.get(mark)).filter(|later| **later > place);
            match later {
                Some(later) if own.status >= 400 => explanation.notes.push(format!(
                    "{name} is answered with {}{}, and request {} brings the content for the same payment: it was not \
                     the payment's fault",
                    own.status,
                    refusal::reason(own).map(|reason| format!(" ({reason})")).unwrap_or_default(),
                    later + 1
                )),
                _ => {
                    // A header that is wrong itself is answered as one that did not arrive.
                    let may_be_lost = is_whole && own.mark().is_none_or(|mark| !self.used.contains(mark));
                    // An offer that has changed meanwhile explains the refusal as well, and is there to be seen.
                    let has_changed = self.change(own).is_some();
                    if may_be_lost && !has_changed {
                        stripped(own, &name, explanation);
                    }
                    self.paid(own, &name, judge, explanation);
                    if may_be_lost && has_changed {
                        stripped(own, &name, explanation);
                    }
                    self.again(own, explanation);
                    proof::refused(own, &name, explanation);
                }
            }
        }
        proof::misplaced(own, &name, explanation);
        if let Some(mark) = own.mark() {
            self.first.entry(mark).or_insert((place, own.status));
        }
        if let Some((header, value)) = offer_of(own) {
            is_whole((header, &value), None, &name, explanation);
        }
        for offer in own.offers().iter().rev() {
            self.offers.insert((own.resource(), Some(Kind::of(offer))), offer);
            self.offers.insert((own.resource(), None), offer);
        }
    }

    /// A request with a payment, and what came of it.
    fn paid(&self, own: &Exchange, name: &str, judge: &mut Judge<'_>, explanation: &mut Explanation) {
        // An offer that came with another status is told of by itself.
        let is_refusal = matches!(own.status, 402 | 412) || ((400..500).contains(&own.status) && own.offer().is_some());
        match own.status {
            _ if is_refusal => {
                let judged = self.why(own, judge, explanation);
                if judged != Judged::Wrong
                    && let Some(change) = self.change(own)
                {
                    let seen = format!("{name} is refused, and the offer that comes back is another: {change}");
                    explanation.find(Finding::new("offer_changed").seen(seen));
                }
                // What came out of a cache says nothing of this payment.
                if cache::stored(own).is_none() {
                    refusal::tell(own, name, judged, explanation);
                }
            }
            // A line break in a field is a request that no server reads.
            400 if own.payment().is_some_and(|(_, value)| value.contains('\n')) => {}
            400..=499 if self.why(own, judge, explanation) != Judged::Wrong => {
                explanation.find(status::meaning(own, name).seen(refusal::within(own)));
            }
            500..=599 => {
                let seen = format!("{name} carries a payment and is answered with {}", own.status);
                explanation.find(Finding::new("server_error_after_payment").seen(seen).seen(refusal::within(own)));
            }
            200..=299 if own.receipt().is_some_and(|receipt| receipt["success"] == false) => {
                explanation.find(refusal::unsettled(own, name));
                self.why(own, judge, explanation);
            }
            200..=299 if own.receipt().is_none() && !own.is_invoice() && cache::stored(own).is_none() => {
                if own.mark().is_some_and(|mark| self.receipted.contains(mark)) {
                    return;
                }
                let seen = format!("{name} is answered with {}", own.status);
                explanation.find(Finding::new("receipt_missing").seen(seen));
            }
            _ => {}
        }
    }

    /// Where a payment is said to be used when it comes again, says when that was.
    fn again(&self, own: &Exchange, explanation: &mut Explanation) {
        let Some(mark) = own.mark() else { return };
        let Some((place, status)) = self.first.get(mark).copied() else { return };
        if refusal::says_used(own) && explanation.findings.iter().any(|finding| finding.id == "nonce_used") {
            let answer = if status == 0 { "had no answer".to_owned() } else { format!("was answered with {status}") };
            let seen = format!(
                "request {} carried the same payment and {answer}: it was settled then, unless its payer has cancelled it",
                place + 1
            );
            explanation.find(Finding::new("nonce_used").seen(seen));
        }
    }

    /// What the server offers on return that it has not offered before.
    fn change(&self, own: &Exchange) -> Option<String> {
        let payload = own.payload()?;
        let wanted = offer_for(payload);
        let before = self.offers.get(&(own.resource(), Some(wanted))).copied()?;
        offer::changed(payload, before, own.offer_of(wanted)?)
    }

    /// The kind of all offers that its server makes, where it is one kind.
    fn only_in(&self, own: &Exchange) -> Option<Kind> {
        let before = [Kind::OfferV1, Kind::OfferV2].map(|kind| self.offers.get(&(own.resource(), Some(kind))).copied());
        let mut kinds = own.offers().iter().chain(before.into_iter().flatten()).map(Kind::of);
        let first = kinds.next()?;
        kinds.all(|kind| kind == first).then_some(first)
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
        let mut reading = Reading::carried(own.payment().map(|(name, _)| name), payload.clone());
        reading.findings.retain(|finding| !is_no_way(self.only_in(own), finding));
        let first = explanation.findings.len();
        let judged = judge.judge(reading, offer.cloned(), &Moment::of(own), explanation);
        let offers = self.offers.iter().map(|((url, _), offer)| (*url, *offer));
        elsewhere::tell(payload, own.resource(), offers, first, explanation);
        judged
    }
}

/// Whether a finding tells to send a payment as another version has it, where nobody offers that version.
fn is_no_way(only: Option<Kind>, finding: &Finding) -> bool {
    finding.id == "v1_header_name" && only == Some(Kind::OfferV1)
}

/// Whether a header that carries x402 can be decoded as it is. `only` is the one kind of offer that its server makes.
fn is_whole((header, value): (&str, &str), only: Option<Kind>, name: &str, explanation: &mut Explanation) -> bool {
    // By whoever kept the record: the payment itself was sent as it was.
    if value.starts_with("<cut out") {
        return true;
    }
    let findings = read(&format!("{header}: {value}")).findings;
    let is_whole = findings.is_empty();
    for finding in findings.into_iter().filter(|finding| !is_no_way(only, finding)) {
        explanation.find(finding.seen(format!("{name}, {header}")));
    }
    is_whole
}

/// A payment that did not arrive, as its answer says.
fn stripped(own: &Exchange, name: &str, explanation: &mut Explanation) {
    // What came out of a cache says nothing of this payment.
    let refused = [402, 412].contains(&own.status) && own.payload().is_some() && cache::stored(own).is_none();
    // A server of the other version looks for another header.
    let is_other =
        || own.offer().is_some() && own.payload().is_some_and(|payload| own.offer_of(offer_for(payload)).is_none());
    if is_other() {
        return;
    }
    if let Some(error) = refusal::reason(own).filter(|_| refused && refusal::says_unpaid(own)) {
        let seen = format!("{name} carries a payment, and the answer says \"{error}\"");
        explanation.find(Finding::new("header_stripped").seen(seen));
    }
}

/// The kind of offer that a payment answers.
pub fn offer_for(payload: &Value) -> Kind {
    if Kind::of(payload) == Kind::PaymentV1 { Kind::OfferV1 } else { Kind::OfferV2 }
}
