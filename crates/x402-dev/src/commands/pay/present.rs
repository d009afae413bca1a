//! Presenting one authorization, again where the outcome is not clear, and never another.

use std::time::Duration;

use super::chain::{Chain, Fate, State};
use super::dial::Machines;
use super::endpoint;
use super::error::PayError;
use super::exchange::{Answer, Call};
use super::finding::Finding;
use super::receipt::Receipt;
use super::shop::Shop;
use super::verdict::{Heard, Verdict};
use crate::clock::{span, timestamp};
use crate::journal::{Authorized, Ending, Page};

/// The longest pause that a seller can ask for.
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

/// What a purchase comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The content came.
    Paid,
    /// The seller does not take the payment.
    Refused(String),
    /// It may have been paid, or it was, and there is no content: what is known.
    Unknown(String),
    /// Nothing has left this machine.
    Unsent(String),
    /// It was not paid, and cannot be any more.
    Void,
}

/// What was known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// The authorization is new.
    Nothing,
    /// It may have been presented, and nobody knows what came of it.
    Doubt,
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
    let mut told =
        Presented { end: End::Void, answer: None, receipt: None, findings: Vec::new(), known: Vec::new(), chain: None };
    let mut heard: Vec<Verdict> = Vec::new();
    let mut delay = shop.manners.retry_delay;
    for round in 0..=shop.manners.retries {
        note(page, |authorized| authorized.presented += 1)?;
        let exchange = shop.present(&paying, machines).await;
        let Heard { verdict, receipt, pause, findings } = Heard::of(&exchange, &paid);
        shop.story.step(&verdict.words());
        note(page, |authorized| {
            authorized.answers.push(verdict.words());
            let named = receipt.iter().filter(|receipt| receipt.success && !receipt.transaction.is_empty());
            for receipt in named {
                if !authorized.transactions.contains(&receipt.transaction) {
                    authorized.transactions.push(receipt.transaction.clone());
                }
            }
        })?;
        for finding in findings {
            finding.add(&mut told.findings);
        }
        told.answer = exchange.outcome.ok().or(told.answer);
        told.receipt = receipt.or(told.receipt);
        let again = is_worth_another(&verdict, &heard);
        heard.push(verdict);
        let pause = pause.unwrap_or(delay).min(LONGEST);
        if !again || round == shop.manners.retries || expires(&paid, shop.now() + millis(pause)) {
            break;
        }
        shop.story.step(&format!("the same authorization is presented again in {}", span(millis(pause))));
        shop.rest(pause).await;
        delay = delay.saturating_mul(2);
    }
    let authorized = page.entry.last().expect("it has one").clone();
    told.chain = inquire(shop, call, &authorized, &mut told.findings).await;
    compare(&authorized, told.chain.as_ref(), told.receipt.as_ref(), &mut told.findings);
    told.end = conclude(&heard, before, &authorized, told.chain.as_ref());
    Ok(told)
}

/// Asks the chain what became of an authorization: at the endpoint that was named, or at the user's own mock.
async fn inquire(shop: &Shop, call: &Call, paid: &Authorized, findings: &mut Vec<Finding>) -> Option<State> {
    let named = shop.manners.rpc.clone();
    let url = named.clone().or_else(|| endpoint::own(&shop.home, &call.url, &paid.network))?;
    match (Chain { caller: &shop.caller, url: &url }).look(paid).await {
        Ok(state) => Some(state),
        // Nobody has asked for what cannot be had.
        Err(_) if named.is_none() => None,
        Err(why) => {
            Finding::new("chain_not_asked", format!("the chain was not asked: {why}")).add(findings);
            None
        }
    }
}

impl End {
    /// How the page is closed; `None` where it stays open.
    pub const fn closes(&self) -> Option<Ending> {
        match self {
            Self::Paid => Some(Ending::Delivered),
            Self::Refused(_) => Some(Ending::Refused),
            Self::Unsent(_) => Some(Ending::Unsent),
            Self::Void => Some(Ending::Void),
            Self::Unknown(_) => None,
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
                transactions.join(", ")
            );
            Finding::new("settled_twice", text).add(findings);
        }
    }
    let Some(state) = chain else { return };
    let claimed = receipt.filter(|receipt| receipt.success && !receipt.transaction.is_empty());
    if let Some(receipt) = claimed {
        let text = match state.fate {
            Fate::Unused => format!(
                "the receipt says that it was settled, and on the chain it was not used up to block {}",
                state.block
            ),
            Fate::Used | Fate::Cancelled if !on_chain.is_empty() && !on_chain.contains(&receipt.transaction) => {
                format!(
                    "the receipt names the transaction {}, and the chain shows {}",
                    receipt.transaction,
                    on_chain.join(", ")
                )
            }
            Fate::Used | Fate::Cancelled => return,
        };
        Finding::new("receipt_not_on_chain", text).add(findings);
    }
}

/// What it all comes to.
fn conclude(heard: &[Verdict], before: Before, paid: &Authorized, chain: Option<&State>) -> End {
    if heard.contains(&Verdict::Delivered) {
        return End::Paid;
    }
    if chain.is_some_and(|state| state.is_void(paid)) {
        return End::Void;
    }
    let used = chain.filter(|state| state.fate == Fate::Used);
    let plain = |verdict: &Verdict| matches!(verdict, Verdict::Refused(_) | Verdict::Declined(_) | Verdict::Unsent(_));
    if used.is_none() && before == Before::Nothing && heard.iter().all(plain) {
        let refused = heard.iter().rev().find_map(|verdict| match verdict {
            Verdict::Refused(why) | Verdict::Declined(why) => Some(why.clone()),
            _ => None,
        });
        let unsent = heard.iter().rev().find_map(|verdict| match verdict {
            Verdict::Unsent(why) => Some(why.clone()),
            _ => None,
        });
        return refused.map_or_else(|| End::Unsent(unsent.unwrap_or_default()), End::Refused);
    }
    End::Unknown(statement(heard, paid, chain))
}

/// What may have happened, and until when it may.
fn statement(heard: &[Verdict], paid: &Authorized, chain: Option<&State>) -> String {
    let said_used = heard.iter().any(|verdict| matches!(verdict, Verdict::Used(_)));
    let what = format!("{} to {} on {}", paid.price, paid.to, paid.network);
    let mut text = match chain {
        Some(State { fate: Fate::Used, transactions, .. }) if transactions.is_empty() => {
            format!(
                "{what} was paid, unless its payer has cancelled it: the chain says that the authorization was used; the content did not come"
            )
        }
        Some(State { fate: Fate::Used, transactions, .. }) => {
            format!("{what} was paid by {}, and the content did not come", transactions.join(", "))
        }
        Some(state) => format!("{what} was not paid up to block {} ({})", state.block, timestamp(state.time * 1000)),
        None if said_used => format!("{what} was paid, says the seller, and the content did not come"),
        None => format!("{what} may have been paid, or not"),
    };
    if !chain.is_some_and(|state| state.fate == Fate::Used) {
        let if_not = if said_used { "if that is not so, " } else { "" };
        let until = match paid.valid_before {
            Some(until) => format!("; {if_not}the authorization can be used until {}", timestamp(until * 1000)),
            None if paid.instrument == "solana" => {
                let at = timestamp(paid.at * 1000);
                format!(
                    "; {if_not}the transaction, signed at {at}, can be used until its blockhash is too old: a minute or two"
                )
            }
            None => format!("; {if_not}the authorization can be used, and does not say until when"),
        };
        text.push_str(&until);
    }
    let last = heard.last().map(|verdict| format!("; the last answer: {}", verdict.words())).unwrap_or_default();
    format!("{text}{last}; it was presented {} times, and no other was signed", paid.presented)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid() -> Authorized {
        serde_json::from_value(serde_json::json!({
            "at": 1, "instrument": "eip3009", "network": "eip155:84532", "asset": "0xa", "from": "0xb", "to": "0xc",
            "amount": "10000", "price": "0.01 USDC", "nonce": "0x1", "validBefore": 1000, "headers": [], "presented": 2,
            "answers": [], "transactions": [], "dead": null,
        }))
        .unwrap()
    }

    fn state(fate: Fate, time: u64) -> State {
        State { fate, block: 7, time, transactions: Vec::new() }
    }

    #[test]
    fn only_plain_words_alone_are_a_refusal() {
        let (refused, unclear) = (Verdict::Refused("no".to_owned()), Verdict::Unclear("504".to_owned()));
        let (used, unsent) = (Verdict::Used("used".to_owned()), Verdict::Unsent("dns".to_owned()));
        let end = |heard: &[Verdict], before| conclude(heard, before, &paid(), None);
        assert_eq!(end(&[refused.clone(), refused.clone()], Before::Nothing), End::Refused("no".to_owned()));
        assert_eq!(end(&[unsent.clone(), refused.clone()], Before::Nothing), End::Refused("no".to_owned()));
        assert_eq!(end(std::slice::from_ref(&unsent), Before::Nothing), End::Unsent("dns".to_owned()));
        for heard in [vec![unclear.clone(), refused.clone()], vec![refused.clone(), unclear], vec![used], vec![unsent]]
        {
            let before = if heard.len() == 1 { Before::Doubt } else { Before::Nothing };
            assert!(matches!(end(&heard, before), End::Unknown(_)), "{heard:?}");
        }
        assert!(matches!(end(std::slice::from_ref(&refused), Before::Doubt), End::Unknown(_)));
        assert_eq!(end(&[refused, Verdict::Delivered], Before::Doubt), End::Paid);
    }

    #[test]
    fn a_chain_that_has_passed_the_end_proves_that_nothing_was_paid() {
        let unclear = [Verdict::Unclear("504".to_owned())];
        let end = |state| conclude(&unclear, Before::Nothing, &paid(), Some(&state));
        assert_eq!(end(state(Fate::Unused, 1000)), End::Void);
        assert_eq!(end(state(Fate::Cancelled, 1)), End::Void);
        let End::Unknown(text) = end(state(Fate::Unused, 999)) else { panic!("it can still be used") };
        assert!(text.contains("not paid up to block 7") && text.contains("until 1970-01-01T00:16:40"), "{text}");
        let End::Unknown(text) = end(state(Fate::Used, 2000)) else { panic!("it was used") };
        assert!(
            text.contains("0.01 USDC to 0xc on eip155:84532 was paid, unless") && !text.contains("until"),
            "{text}"
        );
    }

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
