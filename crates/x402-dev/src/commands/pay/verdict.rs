//! What an answer to a presented payment means for the money.
//!
//! An answer of one side proves little: a 402 may come after a settlement. So there is one certain good end, the content;
//! plain words of refusal count as a refusal only where nothing else was ever heard.

use std::time::Duration;

use http::{StatusCode, header};

use super::asked::Asked;
use super::choice::{amount_key, same_account};
use super::exchange::{Answer, Exchange, Silence};
use super::finding::Finding;
use super::receipt::Receipt;
use crate::journal::Authorized;
use x402_sim::registry::Version;
use x402_wire::document::Document;

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The content came, whole.
    Delivered,
    /// The seller says in plain words that it does not take this payment.
    Refused(String),
    /// The resource says no, in words that are not about the payment. It may have done something, and is not asked twice.
    Declined(String),
    /// The seller says that this payment was used.
    Used(String),
    /// It may have been settled, or not.
    Unclear(String),
    /// Nothing has left this machine.
    Unsent(String),
}

/// An answer, understood.
#[derive(Clone, Debug)]
pub struct Heard {
    /// What it means.
    pub verdict: Verdict,
    /// Its receipt.
    pub receipt: Option<Receipt>,
    /// How long the seller wants to be left alone.
    pub pause: Option<Duration>,
    /// What is to be said besides.
    pub findings: Vec<Finding>,
}

impl Heard {
    /// Understands what came of presenting a payment.
    pub fn of(exchange: &Exchange, paid: &Authorized) -> Self {
        match &exchange.outcome {
            Ok(answer) => Self::answered(answer, paid),
            Err(Silence::Unsent(cause)) => Self::silent(Verdict::Unsent(cause.to_string())),
            Err(Silence::Sent(cause)) => Self::silent(Verdict::Unclear(format!("no answer: {cause}"))),
        }
    }

    fn silent(verdict: Verdict) -> Self {
        Self { verdict, receipt: None, pause: None, findings: Vec::new() }
    }

    fn answered(answer: &Answer, paid: &Authorized) -> Self {
        let mut findings = Vec::new();
        let receipt = match Receipt::read(&answer.headers) {
            Some(Ok(receipt)) => Some(receipt),
            Some(Err(why)) => {
                findings.push(Finding::new("receipt_unreadable", why));
                None
            }
            None => None,
        };
        if let Some(receipt) = &receipt {
            findings.extend(receipt.contradictions(paid));
        }
        let verdict = match answer.status {
            _ if answer.broken.is_some() => {
                let why = answer.broken.as_ref().map(ToString::to_string).unwrap_or_default();
                Verdict::Unclear(format!("{}, broken off: {why}", answer.status))
            }
            status if status.is_success() => {
                findings.extend(delivery(answer, receipt.as_ref(), paid));
                Verdict::Delivered
            }
            StatusCode::PAYMENT_REQUIRED | StatusCode::PRECONDITION_FAILED => {
                let (verdict, lies) = asked_again(answer, receipt.as_ref(), paid);
                findings.extend(lies);
                verdict
            }
            status if receipt.as_ref().is_some_and(|receipt| receipt.success) => {
                Verdict::Unclear(format!("{status}, with a receipt that says it was settled"))
            }
            status if status.is_client_error() && !is_passing(status) => Verdict::Declined(status.to_string()),
            status => Verdict::Unclear(status.to_string()),
        };
        Self { verdict, receipt, pause: pause(answer), findings }
    }
}

impl Verdict {
    /// The same in words, for the journal and for people.
    pub fn words(&self) -> String {
        match self {
            Self::Delivered => "delivered".to_owned(),
            Self::Refused(why) => format!("refused: {why}"),
            Self::Declined(why) => format!("declined: {why}"),
            Self::Used(why) => format!("said to be used: {why}"),
            Self::Unclear(why) => format!("unclear: {why}"),
            Self::Unsent(why) => format!("not sent: {why}"),
        }
    }
}

/// A status that says something of the moment, and nothing of the payment.
fn is_passing(status: StatusCode) -> bool {
    [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS].contains(&status)
}

/// What is strange about content that came.
fn delivery(answer: &Answer, receipt: Option<&Receipt>, paid: &Authorized) -> Vec<Finding> {
    let mut found = Vec::new();
    match receipt {
        // An invoice is paid by what it says itself.
        None if paid.instrument == "invoice" => {}
        None => found.push(Finding::new(
            "no_receipt",
            format!(
                "the content came without a receipt: {} was settled or not, by an authorization{}",
                paid.price,
                until(paid)
            ),
        )),
        Some(receipt) if !receipt.success => found.push(Finding::new(
            "delivered_unsettled",
            format!(
                "the content came with a receipt that says it was not settled: {}",
                receipt.error_reason.as_deref().unwrap_or("no reason")
            ),
        )),
        Some(_) => {}
    }
    if answer.body.is_empty() && ![StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT].contains(&answer.status) {
        found.push(Finding::new("empty_content", "it was paid for, and the content is empty".to_owned()));
    }
    let public = answer.headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    if public.is_some_and(|value| value.to_ascii_lowercase().contains("public")) {
        found.push(Finding::new(
            "cacheable_content",
            "paid content says `Cache-Control: public`: a cache may give it to others".to_owned(),
        ));
    }
    found
}

/// Until when an authorization can be used, as the rest of a sentence.
pub fn until(paid: &Authorized) -> String {
    paid.valid_before
        .map_or_else(String::new, |time| format!(" that can be used until {}", crate::clock::timestamp(time * 1000)))
}

/// A 402 to somebody who has paid: why, and whether the offer is still the one that was signed for.
fn asked_again(answer: &Answer, receipt: Option<&Receipt>, paid: &Authorized) -> (Verdict, Vec<Finding>) {
    if let Some(receipt) = receipt.filter(|receipt| receipt.success) {
        let text = format!("{}, with a receipt that says it was settled: {}", answer.status, receipt.transaction);
        return (Verdict::Unclear(text), Vec::new());
    }
    let offer = Asked::read(answer, None).ok().and_then(|(asked, _)| match asked {
        Asked::Offer(offer) => Some(offer),
        Asked::Invoice(_) => None,
    });
    let lies = offer.iter().flat_map(|offer| changes(&offer.accepts, offer.version, paid)).collect();
    let body = || serde_json::from_slice::<serde_json::Value>(answer.body.head()).ok();
    let said = receipt
        .and_then(|receipt| receipt.error_reason.clone())
        .or_else(|| error(answer))
        .or_else(|| body().and_then(|body| body.get("error").and_then(serde_json::Value::as_str).map(str::to_owned)));
    let reason = said.unwrap_or_else(|| "no reason given".to_owned());
    let verdict = match Weight::of(&reason) {
        Weight::Used => Verdict::Used(reason),
        Weight::Plain => Verdict::Refused(reason),
        Weight::Vague => Verdict::Unclear(format!("{}: {reason}", answer.status)),
    };
    (verdict, lies)
}

/// The `error` of an offer in the header.
fn error(answer: &Answer) -> Option<String> {
    let value = answer.headers.get(x402_wire::header::PAYMENT_REQUIRED)?.to_str().ok()?;
    let document: Document = x402_wire::header::decode(value).ok()?;
    document.get("error").and_then(Document::text).map(str::to_owned)
}

/// What a reason says of the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// It was used.
    Used,
    /// It is not taken, in words that mean this payment.
    Plain,
    /// Anything.
    Vague,
}

impl Weight {
    /// Weighs a reason: the codes of protocol and SDKs are plain, sentences of servers that lost their way are not.
    fn of(reason: &str) -> Self {
        const SENTENCES: [&str; 3] = [
            "No matching payment requirements",
            "Unable to find matching payment requirements",
            "Unsupported x402 version",
        ];
        const VAGUE: [&str; 7] = ["pending", "unexpected", "timeout", "unknown", "internal", "settle_failed", "error"];
        // An official server adds the facilitator's sentence behind the code.
        let code = reason.split(':').next().unwrap_or_default().trim();
        let lower = code.to_ascii_lowercase();
        let is_code = code.contains('_')
            && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if ["already_used", "nonce_used", "duplicate_settlement", "already_paid", "memo_spent", "already_redeemed"]
            .iter()
            .any(|part| lower.contains(part))
        {
            Self::Used
        } else if SENTENCES.iter().any(|sentence| reason.starts_with(sentence))
            || (is_code && !VAGUE.iter().any(|part| lower.contains(part)))
        {
            Self::Plain
        } else {
            Self::Vague
        }
    }
}

/// How an offer differs from what was signed for.
fn changes(accepts: &[Document], version: Version, paid: &Authorized) -> Vec<Finding> {
    let said = |entry: &Document, key: &str| entry.get(key).and_then(Document::text).unwrap_or_default().to_owned();
    let same =
        |entry: &&Document| said(entry, "network") == paid.network && same_account(&said(entry, "asset"), &paid.asset);
    let asked: Vec<(String, String)> =
        accepts.iter().filter(same).map(|entry| (said(entry, amount_key(version)), said(entry, "payTo"))).collect();
    if asked.iter().any(|(amount, to)| *amount == paid.amount && same_account(to, &paid.to)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (amount, to) in asked {
        if amount != paid.amount {
            let text = format!(
                "the price was {} when it was signed for, and is {amount} atomic units on return (it was {})",
                paid.price, paid.amount
            );
            found.push(Finding::new("price_changed", text));
        }
        if !same_account(&to, &paid.to) {
            found.push(Finding::new(
                "payee_changed",
                format!("the payee was {} when it was signed for, and is {to} on return", paid.to),
            ));
        }
    }
    found
}

/// How long a seller wants to be left alone.
fn pause(answer: &Answer) -> Option<Duration> {
    let seconds = answer.headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_weighed() {
        for (reason, weight) in [
            ("invalid_exact_evm_signature", Weight::Plain),
            ("invalid_exact_evm_insufficient_balance: the payer has 0", Weight::Plain),
            ("insufficient_funds", Weight::Plain),
            ("No matching payment requirements", Weight::Plain),
            ("invalid_exact_evm_nonce_already_used", Weight::Used),
            ("duplicate_settlement", Weight::Used),
            ("Payment required", Weight::Vague),
            ("settlement_pending", Weight::Vague),
            ("unexpected_settle_error", Weight::Vague),
            ("Facilitator settle failed (503): <empty response>", Weight::Vague),
            ("fetch failed", Weight::Vague),
            ("", Weight::Vague),
        ] {
            assert_eq!(Weight::of(reason), weight, "{reason}");
        }
    }
}
