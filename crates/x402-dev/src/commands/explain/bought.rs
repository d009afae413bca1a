//! What `x402-dev pay` has written down of a purchase of its own. It is read, and nothing of it is changed.

use x402_sim::explain::draw::units;
use x402_sim::explain::explanation::{Explanation, Section};
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::{manual, names};

use super::ExplainError;
use crate::clock::{self, timestamp};
use crate::context::Context;
use crate::journal::{Authorized, Entry, Journal};

/// The name of a purchase of ours: `pay_` and 32 hexadecimal digits.
pub fn is_name(word: &str) -> bool {
    let digits = word.strip_prefix("pay_").filter(|digits| digits.len() == 32);
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What the journal of this user tells of a purchase.
pub fn story(context: &Context, id: &str) -> Result<Explanation, ExplainError> {
    let journal = context.home.as_deref().map(Journal::new);
    let entry = journal.map(|journal| journal.look(id)).transpose()?.flatten();
    let Some(entry) = entry else { return Err(ExplainError::NotBought { id: id.to_owned() }) };
    let mut explanation = Explanation::new(Kind::Record, format!("{id}: what `x402-dev pay` wrote down of it"));
    explanation.sections.push(purchase(&entry));
    let many = entry.authorizations.len() > 1;
    for (place, own) in entry.authorizations.iter().enumerate() {
        let title = if many { format!("authorization {}", place + 1) } else { "authorization".to_owned() };
        explanation.sections.push(authorization(title, own));
    }
    if entry.ending.is_none() {
        explanation.notes.push(format!(
            "its outcome is not known: `x402-dev pay --resume {id}` presents the same authorization again, and signs none"
        ));
    }
    // What became of it in the end is what the last answer says.
    let last = entry.last().and_then(|own| own.answers.last());
    if let Some((answer, page)) = last.and_then(|answer| Some((answer, manual::within(answer)?))) {
        for id in &page.findings {
            explanation.find(Finding::new(id).seen(format!("the last answer was: {answer}")));
        }
    }
    explanation.rank();
    Ok(explanation)
}

fn purchase(entry: &Entry) -> Section {
    let mut section = Section::new("purchase");
    section.add("request", format!("{} {}", entry.errand.method, entry.errand.url), "");
    if let Some(asked) = &entry.errand.asked {
        section.add("asked for", format!("{} {}", asked.method, asked.url), "redirects led from there");
    }
    section.add("began", timestamp(entry.began), "");
    let state = entry.ending.map_or("open: its outcome is not known", |ending| ending.words());
    section.add("state", state, "");
    section
}

fn authorization(title: String, own: &Authorized) -> Section {
    let (now, network) = (clock::now() / 1000, Some(own.network.as_str()));
    let who = |address: &str| names::of(address, network).unwrap_or_default();
    let mut section = Section::new(title);
    section.add("signed", units::date(own.at), own.instrument.clone());
    section.add("price", own.asked(), format!("{} atomic units of {}", own.amount, own.asset));
    section.add("network", own.network.clone(), units::network(&own.network).map_or_else(String::new, |own| own.name));
    section.add("from", own.from.clone(), who(&own.from));
    section.add("to", own.to.clone(), who(&own.to));
    if let Some(nonce) = &own.nonce {
        section.add("nonce", nonce.clone(), "");
    }
    if let Some(until) = own.valid_before {
        section.add("valid before", until.to_string(), units::time(&until.to_string(), now));
    }
    section.add("presented", own.presented.to_string(), "times at most");
    for answer in &own.answers {
        section.add("answer", answer.clone(), "");
    }
    for transaction in &own.transactions {
        section.add("transaction", transaction.clone(), "");
    }
    if let Some(why) = &own.dead {
        section.add("dead", why.clone(), "");
    }
    section
}
