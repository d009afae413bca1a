//! What records of HTTP requests show: rules about transcripts, with the same findings as everything else.
//!
//! | room | what it holds |
//! |---|---|
//! | [`exchange`] | a request and its answer, wherever they were written down |
//! | [`record`] | a record of them, and how much of it is looked at |
//! | [`har`], [`curl`] | archives of browsers and of `pay --trace`; what `curl -v` and `curl -i` print |
//! | [`access`] | lines of a server's log |
//! | [`payments`], [`answered`], [`twice`] | rules about what was paid, what came for it, and how often it was |
//! | [`proof`] | rules about what pays invoices |
//! | [`carrier`], [`retry`], [`elsewhere`] | rules about the field that carries a payment, and about what it pays for |
//! | [`offer`], [`unpaid`] | rules about where an offer stands, and about offers that nobody took up |
//! | [`unasked`] | an address that asks for no payment |
//! | [`cache`] | answers that came out of a cache, or may go into one |
//! | [`refusal`], [`status`] | what a refusal says; answers that are none of the protocol's |
//! | [`facilitator`] | what a facilitator was asked |
//! | [`judge`], [`time`] | judging payments, as many as there is time for; when they were sent |
//! | [`passage`] | rules about what became of requests on their way: redirects, CORS |

use serde_json::Value;
use x402_sim::explain::explanation::{Explanation, Section};
use x402_sim::explain::kind::Kind;
use x402_sim::explain::read::{Reading, read};

pub mod access;
pub mod answered;
pub mod cache;
pub mod carrier;
pub mod curl;
pub mod elsewhere;
pub mod exchange;
pub mod facilitator;
pub mod har;
pub mod judge;
pub mod offer;
pub mod passage;
pub mod payments;
pub mod proof;
pub mod record;
pub mod refusal;
pub mod retry;
pub mod status;
pub mod time;
pub mod twice;
pub mod unasked;
pub mod unpaid;

pub use exchange::{Answer, Exchange};
use judge::Judge;
use payments::Payments;
use record::Record;

/// Explains a part: what was read, what it should pay for, and the clock in seconds.
pub type Explain<'a> = dyn Fn(Reading, Option<Value>, Option<u64>) -> Explanation + 'a;

/// Explains a record of requests; `None` where it holds none.
pub fn transcript(text: &str, explain: &Explain<'_>) -> Option<Explanation> {
    let record = Record::read(text);
    if record.exchanges.is_empty() {
        return None;
    }
    let title = format!("{}: {}", Kind::Transcript.words(), record.total());
    let mut explanation = Explanation::new(Kind::Transcript, title);
    record.list(&mut explanation);
    if let [only] = record.exchanges.as_slice()
        && let Some(offer) = offered(only, explain)
    {
        explanation.sections.extend(offer.sections);
        explanation.verdict = offer.verdict;
        offer.findings.into_iter().for_each(|finding| explanation.find(finding));
    }
    look(&record.exchanges, explain, &mut explanation);
    if explanation.findings.is_empty() && !record.exchanges.iter().any(Exchange::is_of_x402) {
        explanation.notes.push("no request of it carries a payment, and no answer an offer or a receipt".to_owned());
    }
    explanation.rank();
    Some(explanation)
}

/// The offers that a text holds, if it is a record of requests: those that came last.
pub fn offers(text: &str) -> Vec<Value> {
    let record = Record::read(text);
    let last = record.exchanges.iter().rev().map(Exchange::offers).find(|offers| !offers.is_empty());
    last.map(<[Value]>::to_vec).unwrap_or_default()
}

/// The offer among some that a payment answers: of its version, if there is one.
pub fn fitting(offers: &[Value], reading: &Reading) -> Option<Value> {
    let wanted = reading.json().map(|(_, payload)| payments::offer_for(payload));
    offers.iter().find(|offer| Some(Kind::of(offer)) == wanted).or_else(|| offers.first()).cloned()
}

/// Explains the answer of an address that was asked once.
pub fn answer(answer: &Answer, explain: &Explain<'_>) -> Explanation {
    let exchange = answer.exchange();
    let offer = offered(&exchange, explain);
    let mut explanation =
        offer.unwrap_or_else(|| Explanation::new(Kind::Transcript, "an answer without an offer that can be read"));
    let mut section = Section::new("answer");
    section.add("url", exchange.url.clone(), "");
    section.add("status", exchange.status.to_string(), if exchange.status == 402 { "Payment Required" } else { "" });
    for name in ["www-authenticate", "cache-control", "access-control-expose-headers", "location"] {
        if let Some(value) = exchange.response.get(name) {
            section.add(name, value, "");
        }
    }
    explanation.sections.insert(0, section);
    if exchange.status != 402 {
        explanation.kind = Kind::Transcript;
        unasked::look(&exchange, &mut explanation);
    }
    passage::alone(&exchange, &mut explanation);
    explanation.rank();
    explanation
}

/// What is said of the offer that came back, in a header or in the body of version 1.
fn offered(exchange: &Exchange, explain: &Explain<'_>) -> Option<Explanation> {
    if let Some((name, text)) = offer_of(exchange) {
        return Some(explain(read(&format!("{name}: {text}")), None, None));
    }
    let reading = exchange.response.body_text().map(read);
    let is_offer = |reading: &Reading| matches!(reading.json(), Some((Kind::OfferV1 | Kind::OfferV2, _)));
    if let Some(reading) = reading.filter(is_offer) {
        return Some(explain(reading, None, None));
    }
    let invoice = proof::invoice(exchange).filter(|_| exchange.status == 402)?;
    Some(explain(invoice, None, None))
}

/// The header with an offer, and its value.
pub(crate) fn offer_of(exchange: &Exchange) -> Option<(&'static str, String)> {
    let value = exchange.response.get("payment-required")?;
    Some(("PAYMENT-REQUIRED", value.to_owned()))
}

fn look(exchanges: &[Exchange], explain: &Explain<'_>, explanation: &mut Explanation) {
    let (mut payments, mut judge) = (Payments::of(exchanges), Judge::new(explain));
    for (place, own) in exchanges.iter().enumerate() {
        payments.look(own, place, &mut judge, explanation);
        facilitator::look(own, &format!("request {}", place + 1), explain, &mut judge, explanation);
    }
    judge.sum_up(explanation);
    answered::look(exchanges, explanation);
    twice::look(exchanges, explanation);
    retry::look(exchanges, explanation);
    passage::look(exchanges, explanation);
    unpaid::look(exchanges, explain, explanation);
}
