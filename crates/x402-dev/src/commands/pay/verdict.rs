//! What an answer to a presented payment means for the money.
//!
//! An answer of one side proves little: a 402 may come after a settlement, and so may a 404. So there is one certain good
//! end, the content; a refusal is what the protocol's own words say, and counts only where nothing else was ever heard.

use std::time::Duration;

use http::{Method, StatusCode, header};

use super::asked::{Asked, Dialect};
use super::choice::{amount_key, same_account};
use super::exchange::{Answer, Call, Exchange, Silence};
use super::finding::Finding;
use super::receipt::Receipt;
use super::story::{moment, safe, said};
use super::weight::Weight;
use crate::check::status::says_too_large;
use crate::journal::Authorized;
use x402_sim::registry::Version;
use x402_wire::document::Document;

/// How the words begin of an answer that refuses a payment, of one that calls it used, and of one that leaves it open.
pub const REFUSED: &str = "refused: ";
/// See [`REFUSED`].
pub const USED: &str = "said to be used: ";
/// See [`REFUSED`].
pub const UNCLEAR: &str = "unclear: ";

/// How they begin where there is no answer, and what stands in them where one was broken off, or came with a receipt.
pub const SILENT: &str = "no answer: ";
/// See [`SILENT`].
pub const BROKEN: &str = ", broken off: ";
/// See [`SILENT`].
pub const CLAIMED: &str = ", with a receipt that ";

/// How they end behind a redirect.
pub const REDIRECTED: &str = ", behind a redirect";

/// What stands for the reason of a refusal that gives none.
pub const NO_REASON: &str = "no reason given";

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The content came, whole.
    Delivered,
    /// The seller says in plain words that it does not take this payment.
    Refused(String),
    /// The resource says no, in words that are not about the payment: it may have been settled, or not. The resource may
    /// have done something, and is not asked twice at once.
    Declined(String),
    /// The seller says that this payment was used.
    Used(String),
    /// It may have been settled, or not.
    Unclear(String),
    /// Nothing has left this machine.
    Unsent(String),
}

/// What came of presenting a payment, understood.
#[derive(Clone, Debug)]
pub struct Heard {
    /// What it means.
    pub verdict: Verdict,
    /// The receipt, the last where redirects brought several.
    pub receipt: Option<Receipt>,
    /// Receipts that redirects brought before it.
    pub earlier: Vec<Receipt>,
    /// How long the seller wants to be left alone.
    pub pause: Option<Duration>,
    /// What is to be said besides.
    pub findings: Vec<Finding>,
}

impl Heard {
    /// Understands what came of presenting a payment: the redirects that were followed, and what came at their end.
    ///
    /// Whoever redirects may have taken the payment. So nothing that is said behind a redirect is a refusal, and nothing
    /// behind it was not sent.
    pub fn of(way: &[Exchange], last: &Exchange, paid: &Authorized) -> Self {
        let mut heard = Self::only(Verdict::Delivered);
        for answer in way.iter().filter_map(|exchange| exchange.outcome.as_ref().ok()) {
            heard.take(answer, paid);
        }
        heard.verdict = match &last.outcome {
            Ok(answer) => heard.answered(&last.call, answer, paid),
            Err(Silence::Unsent(cause)) => Verdict::Unsent(cause.to_string()),
            Err(Silence::Sent(cause)) => Verdict::Unclear(format!("{SILENT}{cause}")),
        };
        if !way.is_empty() {
            heard.verdict = heard.verdict.behind_a_redirect();
        }
        heard
    }

    /// A verdict without an answer.
    pub const fn only(verdict: Verdict) -> Self {
        Self { verdict, receipt: None, earlier: Vec::new(), pause: None, findings: Vec::new() }
    }

    /// Takes the receipt of an answer.
    fn take(&mut self, answer: &Answer, paid: &Authorized) {
        match Receipt::read(&answer.headers) {
            Some(Ok(receipt)) => {
                self.findings.extend(receipt.contradictions(paid));
                self.earlier.extend(self.receipt.replace(receipt));
            }
            Some(Err(why)) => self.findings.push(Finding::new("receipt_unreadable", why)),
            None => {}
        }
    }

    fn answered(&mut self, call: &Call, answer: &Answer, paid: &Authorized) -> Verdict {
        self.take(answer, paid);
        self.pause = pause(answer);
        let claim = self.receipt.as_ref().and_then(Receipt::claim);
        match (answer.status, claim) {
            _ if answer.broken.is_some() => {
                let why = answer.broken.as_ref().map(ToString::to_string).unwrap_or_default();
                Verdict::Unclear(format!("{}{BROKEN}{why}", answer.status))
            }
            (status, _) if status.is_success() => {
                let found = delivery(call, answer, self.receipt.as_ref(), paid);
                self.findings.extend(found);
                Verdict::Delivered
            }
            (StatusCode::PAYMENT_REQUIRED | StatusCode::PRECONDITION_FAILED, claim) => {
                let (reason, lies) = asked_again(answer, self.receipt.as_ref(), paid);
                self.findings.extend(lies);
                match (claim, Weight::of(&reason)) {
                    (_, Weight::Used) => Verdict::Used(said(&reason)),
                    (Some(claim), _) => Verdict::Unclear(format!("{}{CLAIMED}{claim}", answer.status)),
                    (None, Weight::Plain) => Verdict::Refused(said(&reason)),
                    (None, Weight::Vague) => Verdict::Unclear(format!("{}: {}", answer.status, said(&reason))),
                }
            }
            (status, Some(claim)) => Verdict::Unclear(format!("{status}{CLAIMED}{claim}")),
            (status, None) if status.is_client_error() && !is_passing(status) => {
                // The protocol's own header fields count with any of them. A body is the handler's: its
                // `order_not_found` is no reason of x402.
                let reason = self.receipt.as_ref().and_then(|receipt| receipt.error_reason.clone());
                // What is said in another version is not meant for this payer.
                let offered = || error(answer).filter(|_| paid.dialect().is_none_or(|own| own == Dialect::V2));
                match reason.or_else(offered) {
                    Some(reason) if Weight::of(&reason) == Weight::Used => Verdict::Used(said(&reason)),
                    Some(reason) if Weight::of(&reason) == Weight::Plain => Verdict::Refused(said(&reason)),
                    _ => Verdict::Declined(declined(answer, paid)),
                }
            }
            (status, None) => Verdict::Unclear(status.to_string()),
        }
    }
}

impl Verdict {
    /// The same in words, for the journal and for people.
    pub fn words(&self) -> String {
        match self {
            Self::Delivered => "delivered".to_owned(),
            Self::Refused(why) => format!("{REFUSED}{why}"),
            Self::Declined(why) => format!("{why}, which says nothing of the payment"),
            Self::Used(why) => format!("{USED}{why}"),
            Self::Unclear(why) => format!("{UNCLEAR}{why}"),
            Self::Unsent(why) => format!("not sent: {why}"),
        }
    }

    /// What is left of it where a redirect came before.
    fn behind_a_redirect(self) -> Self {
        match self {
            Self::Refused(why) | Self::Declined(why) | Self::Unsent(why) | Self::Unclear(why) => {
                Self::Unclear(format!("{why}{REDIRECTED}"))
            }
            Self::Delivered | Self::Used(_) => self,
        }
    }
}

/// A refusal that is not about the payment, and whether its size is the cause.
fn declined(answer: &Answer, paid: &Authorized) -> String {
    let size = paid.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    if says_too_large(answer.status.as_u16(), &String::from_utf8_lossy(answer.body.head())) {
        return format!(
            "{}: the header fields are too large for it, and the payment takes {size} bytes",
            answer.status
        );
    }
    answer.status.to_string()
}

/// A status that says something of the moment, and nothing of the payment.
fn is_passing(status: StatusCode) -> bool {
    [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS].contains(&status)
}

/// What is strange about content that came.
fn delivery(call: &Call, answer: &Answer, receipt: Option<&Receipt>, paid: &Authorized) -> Vec<Finding> {
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
                said(receipt.error_reason.as_deref().unwrap_or("no reason"))
            ),
        )),
        Some(_) => {}
    }
    // By nature there is none in these answers.
    let bare = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT].contains(&answer.status);
    if answer.body.is_empty() && !bare && call.method != Method::HEAD {
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
    paid.valid_before.map_or_else(String::new, |time| format!(" that can be used until {}", moment(time)))
}

/// A 402 to somebody who has paid: why, and how the offer differs from the one that was signed for. Both are read in the
/// dialect that was paid in: what is said in another one is not meant for this payer.
fn asked_again(answer: &Answer, receipt: Option<&Receipt>, paid: &Authorized) -> (String, Vec<Finding>) {
    let dialect = paid.dialect();
    let lies = match Asked::read(answer, dialect) {
        Ok((Asked::Offer(offer), _)) => changes(&offer.accepts, offer.version, paid),
        Ok((Asked::Invoice(_), _)) | Err(_) => Vec::new(),
    };
    let of_body = || {
        let body = serde_json::from_slice::<serde_json::Value>(answer.body.head()).ok()?;
        body.get("error").and_then(serde_json::Value::as_str).map(str::to_owned)
    };
    let of_receipt = receipt.and_then(|receipt| receipt.error_reason.clone());
    let reason = of_receipt.or_else(|| match dialect {
        Some(Dialect::V1 | Dialect::Invoice) => of_body().or_else(|| error(answer)),
        Some(Dialect::V2) | None => error(answer).or_else(of_body),
    });
    (reason.unwrap_or_else(|| NO_REASON.to_owned()), lies)
}

/// The `error` of an offer in the header.
fn error(answer: &Answer) -> Option<String> {
    let value = answer.headers.get(x402_wire::header::PAYMENT_REQUIRED)?.to_str().ok()?;
    let document: Document = x402_wire::header::decode(value).ok()?;
    document.get("error").and_then(Document::text).map(str::to_owned)
}

/// How an offer differs from what was signed for.
fn changes(accepts: &[Document], version: Version, paid: &Authorized) -> Vec<Finding> {
    let part = |entry: &Document, key: &str| entry.get(key).and_then(Document::text).unwrap_or_default().to_owned();
    let same =
        |entry: &&Document| part(entry, "network") == paid.network && same_account(&part(entry, "asset"), &paid.asset);
    let asked: Vec<(String, String)> =
        accepts.iter().filter(same).map(|entry| (part(entry, amount_key(version)), part(entry, "payTo"))).collect();
    if asked.iter().any(|(amount, to)| *amount == paid.amount && same_account(to, &paid.to)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (amount, to) in asked {
        if amount != paid.amount {
            let text = format!(
                "the price was {} when it was signed for, and is {} atomic units on return (it was {})",
                safe(&paid.price),
                said(&amount),
                paid.amount
            );
            found.push(Finding::new("price_changed", text));
        }
        if !same_account(&to, &paid.to) {
            found.push(Finding::new(
                "payee_changed",
                format!("the payee was {} when it was signed for, and is {} on return", safe(&paid.to), said(&to)),
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
