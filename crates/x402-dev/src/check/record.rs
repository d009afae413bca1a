//! A record of requests: what was read of it, and how much was not.

use x402_sim::explain::explanation::{Explanation, Section};

use super::exchange::Exchange;
use super::{curl, har, proof};

/// How many requests of a record are looked at.
pub const MOST: usize = 2000;

/// How many requests are listed.
const LISTED: usize = 200;

/// Requests and their answers, in their sequence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Those that are looked at.
    pub exchanges: Vec<Exchange>,
    /// How many more there are.
    pub left_out: usize,
}

impl Record {
    /// Reads an archive, or what curl prints.
    pub fn read(text: &str) -> Self {
        if text.trim_start().starts_with('{') { har::read(text) } else { curl::read(text) }
    }

    /// Begins with the next request. Of those beyond [`MOST`] only the newest is kept, until [`Self::end`].
    pub fn begin(&mut self, own: Exchange) {
        if self.exchanges.len() > MOST {
            self.exchanges.pop();
            self.left_out += 1;
        }
        self.exchanges.push(own);
    }

    /// The record, when there is no more to read.
    pub fn end(mut self) -> Self {
        if self.exchanges.len() > MOST {
            self.exchanges.pop();
            self.left_out += 1;
        }
        self
    }

    /// How many requests it holds.
    pub const fn total(&self) -> usize {
        self.exchanges.len() + self.left_out
    }

    /// Lists the requests, and says how many are not listed or not looked at.
    pub fn list(&self, explanation: &mut Explanation) {
        let mut section = Section::new("requests");
        for (place, own) in self.exchanges.iter().enumerate().take(LISTED) {
            let status = if own.status == 0 { "no answer".to_owned() } else { own.status.to_string() };
            let request = format!("{} {} -> {status}", own.method, own.url);
            section.add((place + 1).to_string(), request, meaning(own));
        }
        explanation.sections.push(section);
        if self.exchanges.len() > LISTED {
            let more = self.exchanges.len() - LISTED;
            explanation.notes.push(format!("the first {LISTED} requests are listed; {more} more were looked at"));
        }
        if self.left_out > 0 {
            explanation.notes.push(format!(
                "the first {MOST} requests were looked at, and the {} behind them were not: give a record of the part in \
                 question",
                self.left_out
            ));
        }
    }
}

/// What a request and its answer carried.
fn meaning(own: &Exchange) -> String {
    let payment = own.payment().map(|(name, _)| format!("with {name}"));
    let carried = [
        (own.has_body(), "with a body"),
        (own.response.get("payment-required").is_some(), "an offer came back"),
        (own.status == 402 && own.offers().is_empty() && proof::invoice(own).is_some(), "an invoice came back"),
        (own.receipt().is_some(), "a receipt came back"),
    ];
    let carried = carried.into_iter().filter(|(is_there, _)| *is_there).map(|(_, words)| words.to_owned());
    payment.into_iter().chain(carried).collect::<Vec<_>>().join(", ")
}
