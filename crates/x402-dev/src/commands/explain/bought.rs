//! What `x402-dev pay` has written down of a purchase of its own. It is read, and nothing of it is changed.

use x402_sim::explain::draw::units;
use x402_sim::explain::explanation::{Explanation, Section};
use x402_sim::explain::kind::Kind;
use x402_sim::explain::names;

use super::{ExplainError, answers};
use crate::clock::{self, timestamp};
use crate::commands::pay::end::{GONE, NOT_PAID};
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
    let (found, notes) = answers::findings(&entry);
    for finding in found {
        explanation.find(finding);
    }
    explanation.notes.extend(notes);
    if entry.ending.is_none() {
        let known = known(&entry);
        explanation.notes.push(format!(
            "{known}: `x402-dev pay --resume {id}` presents the same authorization again, and signs none; do not pay \
             anew before its end is known"
        ));
    }
    explanation.rank();
    Ok(explanation)
}

/// Whether the chain, when it was asked last, did not show a transaction any more that it had shown.
pub(super) fn is_gone(entry: &Entry) -> bool {
    entry.standing.as_ref().is_some_and(|own| own.words.contains(GONE))
}

/// What is known of a purchase that is open: by what the chain said when it was asked last, and then by the seller.
fn known(entry: &Entry) -> &'static str {
    let standing = entry.standing.as_ref();
    let is_paid = standing.is_some_and(|own| own.outcome == "undelivered");
    let is_not = standing.is_some_and(|own| own.words.contains(NOT_PAID));
    match entry.last() {
        Some(_) if is_gone(entry) => "it was paid, and the chain does not show that any more",
        Some(own) if is_paid || own.was_seen() => "it is paid, and not delivered",
        Some(own) if is_not && !own.transactions.is_empty() => {
            "its outcome is not known: the seller says that it is paid, and the chain did not show it"
        }
        Some(own) if !own.transactions.is_empty() => "it is paid, says the seller, and not delivered",
        _ => "its outcome is not known",
    }
}

fn purchase(entry: &Entry) -> Section {
    let mut section = Section::new("purchase");
    section.add("request", format!("{} {}", entry.errand.method, entry.errand.url), "");
    if let Some(asked) = &entry.errand.asked {
        section.add("asked for", format!("{} {}", asked.method, asked.url), "redirects led from there");
    }
    section.add("began", timestamp(entry.began), "");
    let open = || format!("open: {}", known(entry));
    let standing = entry.standing.as_ref().map(|own| own.words.clone()).unwrap_or_default();
    section.add("state", entry.ending.map_or_else(open, |ending| ending.words().to_owned()), standing);
    section
}

fn authorization(title: String, own: &Authorized) -> Section {
    let (now, network) = (clock::now() / 1000, Some(own.network.as_str()));
    let who = |address: &str| names::of(address, network).unwrap_or_default();
    let mut section = Section::new(title);
    section.add("signed", units::date(own.at), own.instrument.clone());
    // An invoice asks in whole units, and names its asset by its symbol.
    let amount = if own.instrument == "invoice" {
        format!("in whole units of {}, as the invoice asks", own.asset)
    } else {
        format!("{} atomic units of {}", own.amount, own.asset)
    };
    section.add("price", own.asked(), amount);
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
