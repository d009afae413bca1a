//! What records of HTTP requests show: rules about transcripts, with the same findings as everything else.
//!
//! | room | what it holds |
//! |---|---|
//! | [`exchange`] | a request and its answer, wherever they were written down |
//! | [`har`], [`curl`] | archives of browsers and of `pay --trace`; what `curl -v` and `curl -i` print |
//! | [`payments`] | rules about what was paid, and how often |
//! | [`passage`] | rules about what became of requests on their way: redirects, bodies, CORS, caches |

use serde_json::Value;
use x402_sim::explain::explanation::{Explanation, Section};
use x402_sim::explain::kind::Kind;
use x402_sim::explain::read::{Reading, read};

pub mod curl;
pub mod exchange;
pub mod har;
pub mod passage;
pub mod payments;

pub use exchange::{Answer, Exchange};

/// Explains a part: what was read, what it should pay for, and the clock in seconds.
pub type Explain<'a> = dyn Fn(Reading, Option<Value>, Option<u64>) -> Explanation + 'a;

/// How many requests are looked at.
const MOST: usize = 2000;

/// Explains a record of requests; `None` where it holds none.
pub fn transcript(text: &str, explain: &Explain<'_>) -> Option<Explanation> {
    let mut exchanges = if text.trim_start().starts_with('{') { har::read(text) } else { curl::read(text) };
    exchanges.truncate(MOST);
    if exchanges.is_empty() {
        return None;
    }
    let mut explanation =
        Explanation::new(Kind::Transcript, format!("{}: {}", Kind::Transcript.words(), exchanges.len()));
    exchanges.iter_mut().for_each(Exchange::look_for_stray);
    explanation.sections.push(requests(&exchanges));
    if let [only] = exchanges.as_slice()
        && let Some(offer) = offered(only, explain)
    {
        explanation.sections.extend(offer.sections);
        explanation.verdict = offer.verdict;
        offer.findings.into_iter().for_each(|finding| explanation.find(finding));
    }
    judge(&exchanges, explain, &mut explanation);
    explanation.rank();
    Some(explanation)
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
        explanation.notes.push(format!("it answers {}, and asks for no payment", exchange.status));
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
    let body = exchange.response.body_text().filter(|_| exchange.status == 402)?;
    let reading = read(body);
    let is_offer = matches!(reading.json(), Some((Kind::OfferV1 | Kind::OfferV2, _)));
    is_offer.then(|| explain(reading, None, None))
}

/// The header with an offer, and its value.
pub(crate) fn offer_of(exchange: &Exchange) -> Option<(&'static str, String)> {
    let value = exchange.response.get("payment-required")?;
    Some(("PAYMENT-REQUIRED", value.to_owned()))
}

fn judge(exchanges: &[Exchange], explain: &Explain<'_>, explanation: &mut Explanation) {
    payments::look(exchanges, explain, explanation);
    passage::look(exchanges, explanation);
    payments::unanswered(exchanges, explanation);
}

fn requests(exchanges: &[Exchange]) -> Section {
    let mut section = Section::new("requests");
    for (place, own) in exchanges.iter().enumerate().take(200) {
        let mut said = Vec::new();
        if let Some((name, _)) = own.payment() {
            said.push(format!("with {name}"));
        }
        if own.has_body() {
            said.push("with a body".to_owned());
        }
        if own.response.get("payment-required").is_some() {
            said.push("an offer came back".to_owned());
        }
        if own.receipt().is_some() {
            said.push("a receipt came back".to_owned());
        }
        let status = if own.status == 0 { "no answer".to_owned() } else { own.status.to_string() };
        section.add((place + 1).to_string(), format!("{} {} -> {status}", own.method, own.url), said.join(", "));
    }
    section
}
