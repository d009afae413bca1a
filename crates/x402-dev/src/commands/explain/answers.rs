//! What the answers that `x402-dev pay` has written down mean, as findings.

use x402_sim::explain::finding::Finding;
use x402_sim::explain::manual;

use super::bought;
use crate::check::exchange::Exchange;
use crate::check::{refusal, status};
use crate::commands::pay::end::NEW_CHAIN;
use crate::commands::pay::verdict;
use crate::journal::{Authorized, Ending, Entry};

/// What `pay` says of a seller, by its codes, and which finding that is. The rest are notes.
const NOTED: [(&str, &str); 8] = [
    ("delivered_unsettled", "delivered_unsettled"),
    ("empty_content", "empty_content"),
    ("no_receipt", "receipt_missing"),
    ("payee_changed", "offer_changed"),
    ("price_changed", "offer_changed"),
    ("receipt_mismatch", "receipt_mismatch"),
    ("receipt_not_on_chain", "receipt_mismatch"),
    ("settled_twice", "settled_twice"),
];

/// Findings about an offer that became another one.
const CHANGED: [&str; 2] = ["offer_changed", "price_changed"];

/// What is known of a purchase: findings, and what is to be noted besides.
pub(super) fn findings(entry: &Entry) -> (Vec<Finding>, Vec<String>) {
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    let Some(own) = entry.last() else { return (found, notes) };
    for noted in &own.noted {
        match NOTED.iter().find(|(code, _)| *code == noted.code) {
            Some((_, id)) => found.push(Finding::new(id).seen(noted.text.clone())),
            None => notes.push(noted.text.clone()),
        }
    }
    if entry.ending != Some(Ending::Delivered) {
        // The same answer twice says no more than once.
        let mut answers = own.answers.clone();
        answers.dedup();
        found.extend(answers.iter().flat_map(|answer| of_answer(own, answer)));
        for finding in found.iter_mut().filter(|finding| finding.id == "invoice_refused") {
            *finding = finding.clone().seen(shown(entry, own).unwrap_or_default());
        }
    }
    (found, notes)
}

/// What the chain has shown of a transaction that the payer sent. It is not asked now.
fn shown(entry: &Entry, own: &Authorized) -> Option<String> {
    let name = own.was_seen().then(|| own.named())?;
    Some(if bought::is_gone(entry) || entry.ending == Some(Ending::Void) {
        format!(
            "the transaction {name} was on the chain when it was sent, and not when the chain was asked last: {NEW_CHAIN}"
        )
    } else {
        format!(
            "the transaction {name} was on the chain when it was asked last: it has paid, unless that is a mock's chain which was \
             started anew since, and knows nothing of before; `x402-dev pay --resume {}` asks it now",
            entry.id
        )
    })
}

/// What an answer means, by the words that `pay` has for it.
fn of_answer(own: &Authorized, answer: &str) -> Vec<Finding> {
    let seen = format!("an answer was: {answer}");
    let one = |id: &str| vec![Finding::new(id).seen(seen.clone())];
    let of_reason = |why: &str| {
        let page = manual::page(why).or_else(|| manual::within(why))?;
        // What `pay` signs is as the offer wants it: what else is behind a reason comes first.
        let is_beyond = |id: &&String| refusal::BEYOND.contains(&id.as_str()) || CHANGED.contains(&id.as_str());
        let beyond: Vec<&String> = page.findings.iter().filter(is_beyond).collect();
        let ids = if beyond.is_empty() { page.findings.iter().collect() } else { beyond };
        Some(ids.into_iter().map(|id| Finding::new(id).seen(seen.clone())).collect::<Vec<_>>())
    };
    if let Some(why) = answer.strip_prefix(verdict::REFUSED) {
        return of_reason(why).unwrap_or_else(|| one("reason_unknown"));
    }
    if let Some(why) = answer.strip_prefix(verdict::USED) {
        return of_reason(why).unwrap_or_else(|| one("nonce_used"));
    }
    if let Some(why) = answer.strip_prefix(verdict::UNCLEAR) {
        return unclear(own, why.strip_suffix(verdict::REDIRECTED).unwrap_or(why), &seen, &of_reason);
    }
    // A refusal that says nothing of the payment begins with its status.
    let exchange = Exchange { status: number(answer).unwrap_or_default(), ..Exchange::default() };
    match exchange.status {
        _ if answer.contains("too large") => one("header_refused"),
        400..=499 => vec![Finding { evidence: vec![seen], ..status::meaning(&exchange, "the request") }],
        _ => Vec::new(),
    }
}

/// What an answer means that leaves the end open.
fn unclear(own: &Authorized, why: &str, seen: &str, of_reason: &dyn Fn(&str) -> Option<Vec<Finding>>) -> Vec<Finding> {
    let one = |id: &str| vec![Finding::new(id).seen(seen)];
    if why.starts_with(verdict::SILENT) || why.contains(verdict::BROKEN) {
        return one("answer_broken_off");
    }
    if why.contains(verdict::CLAIMED) {
        return one("settlement_pending");
    }
    match number(why) {
        Some(300..=399) => one("payment_redirected"),
        Some(429) => one("rate_limited"),
        Some(500..) => one("server_error_after_payment"),
        _ if own.instrument == "invoice" => one("invoice_refused"),
        Some(402 | 412) => {
            let said = why.split_once(": ").map_or("", |(_, said)| said);
            match said {
                _ if refusal::UNPAID.contains(&said) => one("header_stripped"),
                verdict::NO_REASON => one("refused_though_good"),
                _ => of_reason(said).unwrap_or_else(|| one("reason_unknown")),
            }
        }
        _ => one("refused_elsewhere"),
    }
}

/// The status that some words begin with.
fn number(words: &str) -> Option<u16> {
    words.get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use x402_sim::explain::finding::entry;

    use super::*;
    use crate::commands::pay::verdict::Verdict;

    fn paid(instrument: &str, answer: &Verdict) -> Authorized {
        serde_json::from_value(json!({
            "at": 1, "instrument": instrument, "network": "eip155:84532", "asset": "0xa", "from": "0xb", "to": "0xc",
            "amount": "10000", "price": "0.01 USDC", "nonce": "0x1", "validBefore": 1000, "headers": [], "presented": 2,
            "answers": [answer.words(), answer.words()], "transactions": [], "dead": null,
        }))
        .unwrap()
    }

    fn ids(own: &Authorized) -> Vec<&'static str> {
        let answers = own.answers.iter().take(1);
        answers.flat_map(|answer| of_answer(own, answer)).map(|finding| finding.id).collect()
    }

    #[test]
    fn every_answer_that_pay_writes_down_means_something_of_a_payment_that_was_sent() {
        let unclear = |text: &str| Verdict::Unclear(text.to_owned());
        for (answer, first) in [
            (Verdict::Refused("invalid_exact_evm_insufficient_balance".to_owned()), "insufficient_balance"),
            (Verdict::Refused("nobody says this".to_owned()), "reason_unknown"),
            (Verdict::Used("invalid_exact_evm_nonce_already_used".to_owned()), "nonce_used"),
            (Verdict::Declined("404 Not Found".to_owned()), "refused_elsewhere"),
            (Verdict::Declined("431: the header fields are too large for it".to_owned()), "header_refused"),
            (unclear("402 Payment Required: Payment required"), "header_stripped"),
            (unclear("402 Payment Required: X-PAYMENT header is required"), "header_stripped"),
            (unclear("402 Payment Required: no reason given"), "refused_though_good"),
            (unclear("402 Payment Required: price went up"), "reason_unknown"),
            (unclear("402 Payment Required, with a receipt that names the transaction 0x1"), "settlement_pending"),
            (unclear("402 Payment Required, with a receipt that says it was settled: 0x1"), "settlement_pending"),
            (unclear("no answer: nothing within 2 s"), "answer_broken_off"),
            (unclear("200 OK, broken off: end of file"), "answer_broken_off"),
            (unclear("302 Found"), "payment_redirected"),
            (unclear("429 Too Many Requests"), "rate_limited"),
            (unclear("503 Service Unavailable, behind a redirect"), "server_error_after_payment"),
        ] {
            let found = ids(&paid("eip3009", &answer));
            assert_eq!(found.first(), Some(&first), "{answer:?}: {found:?}");
            assert!(!found.contains(&"no_payment_sent") && !found.contains(&"v1_header_name"), "{answer:?}: {found:?}");
        }
        assert_eq!(ids(&paid("invoice", &unclear("402 Payment Required: no reason given"))), ["invoice_refused"]);
        assert!(ids(&paid("eip3009", &Verdict::Delivered)).is_empty());
    }

    #[test]
    fn what_pay_says_of_sellers_is_in_the_table_of_findings() {
        assert!(NOTED.is_sorted() && NOTED.iter().all(|(_, id)| entry(id).is_some()));
    }
}
