//! Presenting one authorization, again where the outcome is not clear, and never another.

use std::io;
use std::time::Duration;

use super::address;
use super::chain::{Chain, Fate, State};
use super::dial::Machines;
use super::end::{Before, End, conclude};
use super::endpoint;
use super::error::PayError;
use super::exchange::{Answer, Call};
use super::finding::Finding;
use super::har::Whom;
use super::receipt::Receipt;
use super::shop::{Shop, Walk};
use super::story::said;
use super::transfer::{Arrival, deliver, endpoint_of};
use super::verdict::{Heard, Verdict};
use crate::clock::span;
use crate::journal::{Authorized, Page};

/// The longest pause that a seller can ask for, and that the user's own is doubled to.
const LONGEST: Duration = Duration::from_secs(30);

/// How long before its end an authorization is not presented any more, in seconds: facilitators refuse it then.
const MARGIN: u64 = 6;

/// What is known after an authorization was presented.
#[derive(Debug)]
pub struct Presented {
    /// What it comes to.
    pub end: End,
    /// The last answer.
    pub answer: Option<Answer>,
    /// The last receipt.
    pub receipt: Option<Receipt>,
    /// What is to be said besides.
    pub findings: Vec<Finding>,
    /// What was said already.
    pub known: Vec<Finding>,
    /// What the chain says.
    pub chain: Option<State>,
}

/// Presents the last authorization of a page until its outcome is clear, or it makes no sense any more.
pub async fn present(
    shop: &mut Shop,
    page: &mut Page,
    call: &Call,
    machines: &Machines,
    before: Before,
) -> Result<Presented, PayError> {
    let paid = page.entry.last().cloned().expect("a page that is presented has an authorization");
    let paying = call.paying(&paid.carriers());
    let mut told = Presented::default();
    let mut heard: Vec<Verdict> = Vec::new();
    let mut delay = shop.manners.retry_delay;
    for round in 0..=shop.manners.retries {
        let written = note(page, |authorized| authorized.presented += 1);
        // Before the first time, nothing was sent: that is an error like any other.
        written.map_err(|error| {
            if heard.is_empty() && before == Before::Nothing { error } else { error.after(&page.entry) }
        })?;
        let (heard_now, answer) = match send_before(shop, page).await {
            Ok(()) => {
                let Walk { way, last } = shop.present(&paying, machines).await;
                (Heard::of(&way, &last, &paid), last.outcome.ok())
            }
            Err(verdict) => (Heard::only(verdict), None),
        };
        let Heard { verdict, receipt, earlier, pause, findings } = heard_now;
        shop.story.step(&verdict.words());
        if let Some(receipt) = &receipt {
            shop.story.step(&receipt.words());
        }
        note(page, |authorized| {
            authorized.answers.push(verdict.words());
            for receipt in earlier.iter().chain(&receipt).filter(|receipt| receipt.success) {
                let is_ours = authorized.transfer.is_none();
                if is_ours && !receipt.transaction.is_empty() && !authorized.transactions.contains(&receipt.transaction)
                {
                    authorized.transactions.push(receipt.transaction.clone());
                }
            }
        })
        .map_err(|error| error.after(&page.entry))?;
        for finding in findings {
            finding.add(&mut told.findings);
        }
        told.answer = answer.or(told.answer);
        told.receipt = receipt.or(told.receipt);
        let again = is_worth_another(&verdict, &heard);
        heard.push(verdict);
        // A seller's word is bounded; the user's own is not, and what it is doubled to is.
        let pause = pause.unwrap_or(delay).min(LONGEST.max(shop.manners.retry_delay));
        let next = shop.now().saturating_add(millis(pause));
        if !again || round == shop.manners.retries || expires(&paid, next) {
            break;
        }
        shop.story.step(&format!("the same authorization is presented again in {}", span(millis(pause))));
        shop.rest(pause).await;
        delay = delay.saturating_mul(2);
    }
    Ok(sum_up(shop, page, call, &heard, before, told).await)
}

/// Sends the transaction that is presented, where its payer sends it, as long as he has not seen it on the chain.
async fn send_before(shop: &mut Shop, page: &mut Page) -> Result<(), Verdict> {
    let Some(paid) = page.entry.last_mut() else { return Ok(()) };
    let Some(transfer) = paid.transfer.clone().filter(|_| !paid.was_seen()) else { return Ok(()) };
    let nowhere = || Verdict::Unsent("nobody has said where the chain is; give --rpc".to_owned());
    let url = endpoint_of(shop, &transfer).ok_or_else(nowhere)?;
    shop.story.step(&format!("transaction {} goes to {}", transfer.signature, address::shown_endpoint(&url)));
    let chain = Chain::new(&shop.caller, &url);
    let arrived = deliver(shop, &chain, &transfer).await;
    let asked = chain.into_exchanges();
    for exchange in &asked {
        shop.trace.add(exchange, Whom::Chain);
    }
    if arrived? == Arrival::Seen {
        shop.story.step("it is on the chain");
        paid.transactions.push(transfer.signature);
    }
    Ok(())
}

/// Nobody was found to present an authorization to: only the chain can say what became of it.
pub async fn not_found(shop: &Shop, page: &Page, call: &Call, cause: &io::Error) -> Presented {
    sum_up(shop, page, call, &[Verdict::Unsent(cause.to_string())], Before::Doubt, Presented::default()).await
}

/// What it all comes to, after the chain was asked.
async fn sum_up(
    shop: &Shop,
    page: &Page,
    call: &Call,
    heard: &[Verdict],
    before: Before,
    mut told: Presented,
) -> Presented {
    let paid = page.entry.last().expect("a page that is presented has an authorization");
    told.chain = inquire(shop, call, paid, &mut told.findings).await;
    compare(paid, told.chain.as_ref(), told.receipt.as_ref(), &mut told.findings);
    told.end = conclude(heard, before, paid, told.chain.as_ref());
    told
}

impl Default for Presented {
    /// Nothing, as long as nobody was asked.
    fn default() -> Self {
        Self { end: End::Void, answer: None, receipt: None, findings: Vec::new(), known: Vec::new(), chain: None }
    }
}

/// Asks the chain what became of an authorization: at the endpoint that was named, or at the user's own mock.
async fn inquire(shop: &Shop, call: &Call, paid: &Authorized, findings: &mut Vec<Finding>) -> Option<State> {
    let sent_to = |transfer| endpoint_of(shop, transfer);
    let named = shop.manners.rpc.clone().or_else(|| paid.transfer.as_ref().and_then(sent_to));
    let url = named.clone().or_else(|| endpoint::own(&shop.home, &call.url, &paid.network))?;
    match Chain::new(&shop.caller, &url).look(paid).await {
        Ok(state) => Some(state),
        // Nobody has asked for what cannot be had.
        Err(_) if named.is_none() => None,
        Err(why) => {
            Finding::new("chain_not_asked", format!("the chain was not asked: {}", said(&why))).add(findings);
            None
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Changes what is written of the last authorization, on the disk when this returns.
fn note(page: &mut Page, change: impl FnOnce(&mut Authorized)) -> Result<(), PayError> {
    if let Some(authorized) = page.entry.last_mut() {
        change(authorized);
    }
    Ok(page.save()?)
}

/// Whether an authorization will have expired at a time in milliseconds.
fn expires(paid: &Authorized, at: u64) -> bool {
    paid.valid_before.is_some_and(|until| at / 1000 + MARGIN >= until)
}

/// Whether the same authorization is presented again. Plain words are heard twice and not more often.
fn is_worth_another(verdict: &Verdict, heard: &[Verdict]) -> bool {
    match verdict {
        Verdict::Delivered | Verdict::Declined(_) => false,
        Verdict::Refused(_) | Verdict::Used(_) => {
            !heard.contains(verdict) && !heard.iter().any(|earlier| matches!(earlier, Verdict::Unclear(_)))
        }
        Verdict::Unclear(_) | Verdict::Unsent(_) => true,
    }
}

/// What is to be said of receipts and the chain.
fn compare(paid: &Authorized, chain: Option<&State>, receipt: Option<&Receipt>, findings: &mut Vec<Finding>) {
    let on_chain = chain.map(|state| state.transactions.as_slice()).unwrap_or_default();
    for (place, transactions) in [("receipts name", paid.transactions.as_slice()), ("the chain shows", on_chain)] {
        if transactions.len() > 1 {
            let text = format!(
                "one authorization was settled {} times: {place} the transactions {}",
                transactions.len(),
                said(&transactions.join(", "))
            );
            Finding::new("settled_twice", text).add(findings);
        }
    }
    let Some(state) = chain else { return };
    let claimed = receipt.filter(|receipt| receipt.success && !receipt.transaction.is_empty());
    // What a receipt has named before is claimed still; what the payer has sent himself is no claim.
    let before = || paid.transactions.last().filter(|_| paid.transfer.is_none());
    if let Some(claimed) = claimed.map(|receipt| &receipt.transaction).or_else(before) {
        let text = match state.fate {
            Fate::Unused | Fate::Failed | Fate::Expired => format!(
                "the receipt says that it was settled, and on the chain it was not used up to block {}",
                state.block
            ),
            Fate::Used | Fate::Cancelled if !on_chain.is_empty() && !on_chain.contains(claimed) => {
                format!(
                    "the receipt names the transaction {}, and the chain shows {}",
                    said(claimed),
                    said(&on_chain.join(", "))
                )
            }
            Fate::Used | Fate::Cancelled => return,
        };
        Finding::new("receipt_not_on_chain", text).add(findings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::pay::sample::{paid, state};

    #[test]
    fn two_transactions_for_one_authorization_are_reported() {
        let mut findings = Vec::new();
        let twice = Authorized { transactions: vec!["0x1".to_owned(), "0x2".to_owned()], ..paid() };
        compare(&twice, None, None, &mut findings);
        assert_eq!(findings[0].code, "settled_twice");
        let receipt = Receipt { success: true, transaction: "0x9".to_owned(), ..Receipt::default() };
        let on_chain = |fate, transactions: &[&str]| State {
            transactions: transactions.iter().map(ToString::to_string).collect(),
            ..state(fate, 1)
        };
        for (chain, code) in [
            (on_chain(Fate::Used, &["0x1", "0x2"]), Some("settled_twice")),
            (on_chain(Fate::Used, &["0x1"]), Some("receipt_not_on_chain")),
            (on_chain(Fate::Unused, &[]), Some("receipt_not_on_chain")),
            (on_chain(Fate::Used, &["0x9"]), None),
            (on_chain(Fate::Used, &[]), None),
        ] {
            let mut findings = Vec::new();
            compare(&paid(), Some(&chain), Some(&receipt), &mut findings);
            assert_eq!(findings.first().map(|finding| finding.code), code, "{chain:?}");
        }
    }
}
