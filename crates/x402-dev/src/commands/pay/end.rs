//! What a purchase comes to: what was heard, what was known before, and what the chain says, weighed together.

use super::chain::{Fate, State};
use super::story::{moment, said};
use super::verdict::Verdict;
use crate::journal::{Authorized, Ending};

/// What official servers say where they saw no payment. Source: TS 2.27 core and npm x402-express 1.2.
const UNPAID: [&str; 2] = [": Payment required", ": X-PAYMENT header is required"];

/// What a chain was asked, and has not shown.
pub const NOT_PAID: &str = "was not paid up to block";

/// What a chain has shown, and does not show any more.
pub const GONE: &str = "which the chain showed then, and does not show now, up to block";

/// How a chain comes to lose a transaction that it has shown.
pub const NEW_CHAIN: &str = "a mock keeps its chain in memory, and one that was started anew knows nothing of before; \
                             elsewhere ask another node before anything is paid anew";

/// What a purchase comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The content came.
    Paid,
    /// The seller does not take the payment.
    Refused(String),
    /// It may have been paid, and there is no content: what is known.
    Unknown(String),
    /// It was paid, the chain says, and there is no content: what is known.
    Undelivered(String),
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

impl End {
    /// How the page is closed; `None` where it stays open.
    pub const fn closes(&self) -> Option<Ending> {
        match self {
            Self::Paid => Some(Ending::Delivered),
            Self::Refused(_) => Some(Ending::Refused),
            Self::Unsent(_) => Some(Ending::Unsent),
            Self::Void => Some(Ending::Void),
            Self::Unknown(_) | Self::Undelivered(_) => None,
        }
    }

    /// What is known, where it stays open.
    pub fn statement(&self) -> Option<&str> {
        match self {
            Self::Unknown(statement) | Self::Undelivered(statement) => Some(statement),
            _ => None,
        }
    }
}

/// What it all comes to.
pub fn conclude(heard: &[Verdict], before: Before, paid: &Authorized, chain: Option<&State>) -> End {
    if heard.contains(&Verdict::Delivered) {
        return End::Paid;
    }
    if chain.is_some_and(|state| state.is_void(paid)) {
        return End::Void;
    }
    let used = chain.filter(|state| state.fate == Fate::Used);
    // Whoever sends the money himself learns nothing of it from a seller who says no.
    let says_no = |verdict: &Verdict| matches!(verdict, Verdict::Refused(_));
    let plain =
        |verdict: &Verdict| matches!(verdict, Verdict::Unsent(_)) || (paid.transfer.is_none() && says_no(verdict));
    if used.is_none() && before == Before::Nothing && heard.iter().all(plain) {
        let refused = heard.iter().rev().find_map(|verdict| match verdict {
            Verdict::Refused(why) => Some(why.clone()),
            _ => None,
        });
        let unsent = heard.iter().rev().find_map(|verdict| match verdict {
            Verdict::Unsent(why) => Some(why.clone()),
            _ => None,
        });
        return refused.map_or_else(|| End::Unsent(unsent.unwrap_or_default()), End::Refused);
    }
    let known = statement(heard, paid, chain);
    let on_chain = used.is_some_and(|state| !state.transactions.is_empty()) || paid.was_seen();
    if on_chain && !came_before(paid) { End::Undelivered(known) } else { End::Unknown(known) }
}

/// Whether the content came once: nobody knows then whether it was handed over.
fn came_before(paid: &Authorized) -> bool {
    paid.answers.contains(&Verdict::Delivered.words())
}

/// What may have happened, until when it may, and what it rests on, a line each.
fn statement(heard: &[Verdict], paid: &Authorized, chain: Option<&State>) -> String {
    let said_used = heard.iter().any(|verdict| matches!(verdict, Verdict::Used(_)));
    let what = paid.what();
    let content = if came_before(paid) {
        "the content came before, and may not have been handed over"
    } else {
        "the content did not come"
    };
    let mut text = match chain {
        Some(State { fate: Fate::Unused | Fate::Expired, block, time, .. }) if paid.was_seen() => {
            format!("{what} was paid by {}, {GONE} {block} ({}): {NEW_CHAIN}; {content}", paid.named(), moment(*time))
        }
        _ if paid.was_seen() => format!("{what} was paid by {}, and {content}", paid.named()),
        Some(State { fate: Fate::Used, transactions, .. }) if transactions.is_empty() => {
            format!(
                "{what} was paid, unless its payer has cancelled it: the chain says that the authorization was used; {content}"
            )
        }
        Some(State { fate: Fate::Used, transactions, .. }) => {
            format!("{what} was paid by {}, and {content}", said(&transactions.join(", ")))
        }
        Some(state) => format!("{what} {NOT_PAID} {} ({})", state.block, moment(state.time)),
        None if !paid.transactions.is_empty() => {
            format!("{what} was paid by {}, says the seller, and {content}", paid.named())
        }
        None if said_used => format!("{what} was paid, says the seller, and {content}"),
        None => format!("{what} may have been paid, or not"),
    };
    if !paid.was_seen() && !chain.is_some_and(|state| state.fate == Fate::Used) {
        let if_not = if said_used || !paid.transactions.is_empty() { "if that is not so, " } else { "" };
        let until = match paid.valid_before {
            Some(until) => format!("\nuntil when: {if_not}the authorization can be used until {}", moment(until)),
            None if paid.dies_with_its_blockhash() => {
                let at = moment(paid.at);
                format!(
                    "\nuntil when: {if_not}the transaction, signed at {at}, can be used until its blockhash is too old: a minute or two"
                )
            }
            None => format!("\nuntil when: {if_not}the authorization can be used, and does not say until when"),
        };
        text.push_str(&until);
    }
    let last = heard.last().map(|verdict| format!("the last answer was {}; ", verdict.words())).unwrap_or_default();
    let times = if paid.presented == 1 { "time" } else { "times" };
    format!(
        "{text}\nwhat is known: {last}it was presented {} {times}, and no other was signed{}",
        paid.presented,
        hint(heard, paid, chain)
    )
}

/// What the answers suggest, and do not prove.
fn hint(heard: &[Verdict], paid: &Authorized, chain: Option<&State>) -> &'static str {
    // What is known needs no guess.
    if chain.is_some_and(|state| state.fate == Fate::Used) || !paid.transactions.is_empty() {
        return "";
    }
    if let Some(Verdict::Declined(why)) = heard.last() {
        return match paid {
            // Whoever sends the transaction himself has paid before.
            _ if paid.transfer.is_some() => "",
            _ if paid.is_settled_first() => "; this seller takes the money before it delivers",
            // 413, 431, and what proxies say with 400.
            _ if why.to_ascii_lowercase().contains("too large") => {
                "; who finds a request too large has mostly not read the payment, but nothing proves it here"
            }
            // Source: TS 2.27 express and Python 2.25: what a handler answers with 400 or more is not settled.
            _ => "; official servers take no money when their handler answers 4xx, but nothing proves it here",
        };
    }
    let says_unpaid =
        |verdict: &Verdict| matches!(verdict, Verdict::Unclear(why) if UNPAID.iter().any(|said| why.ends_with(said)));
    if heard.is_empty() || !heard.iter().all(says_unpaid) {
        return "";
    }
    "; that is what servers say who saw no payment: something on the way may take the header away, or change it"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::pay::chain::GRACE;
    use crate::commands::pay::sample::{paid, state};
    use crate::journal::Entry;

    #[test]
    fn only_plain_words_alone_are_a_refusal() {
        let (refused, unclear) = (Verdict::Refused("no".to_owned()), Verdict::Unclear("504".to_owned()));
        let (used, unsent) = (Verdict::Used("used".to_owned()), Verdict::Unsent("dns".to_owned()));
        let end = |heard: &[Verdict], before| conclude(heard, before, &paid(), None);
        assert_eq!(end(&[refused.clone(), refused.clone()], Before::Nothing), End::Refused("no".to_owned()));
        assert_eq!(end(&[unsent.clone(), refused.clone()], Before::Nothing), End::Refused("no".to_owned()));
        assert_eq!(end(std::slice::from_ref(&unsent), Before::Nothing), End::Unsent("dns".to_owned()));
        let declined = Verdict::Declined("404".to_owned());
        for heard in [
            vec![unclear.clone(), refused.clone()],
            vec![refused.clone(), unclear],
            vec![declined.clone(), unsent.clone()],
            vec![refused.clone(), declined],
            vec![used],
            vec![unsent],
        ] {
            let before = if heard.len() == 1 { Before::Doubt } else { Before::Nothing };
            assert!(matches!(end(&heard, before), End::Unknown(_)), "{heard:?}");
        }
        assert!(matches!(end(std::slice::from_ref(&refused), Before::Doubt), End::Unknown(_)));
        assert_eq!(end(&[refused, Verdict::Delivered], Before::Doubt), End::Paid);
    }

    #[test]
    fn what_a_chain_has_lost_is_said_to_have_been_there() {
        let transfer = json!({"wire": "", "signature": "5sig", "lastHeight": 9, "cluster": "solana:a", "rpc": ""});
        let seen = Authorized {
            instrument: "invoice".to_owned(),
            transactions: vec!["5sig".to_owned()],
            transfer: Some(serde_json::from_value(transfer).unwrap()),
            ..paid()
        };
        let unclear = [Verdict::Unclear("402 Payment Required: invoice_transaction_not_found".to_owned())];
        let text = statement(&unclear, &seen, Some(&state(Fate::Unused, 2000)));
        assert!(
            text.contains("was paid by 5sig, which the chain showed then, and does not show now, up to block 7"),
            "{text}"
        );
        assert!(text.contains("one that was started anew knows nothing of before"), "{text}");
        for chain in [None, Some(State { transactions: vec!["5sig".to_owned()], ..state(Fate::Used, 2000) })] {
            let text = statement(&unclear, &seen, chain.as_ref());
            assert!(text.contains("was paid by 5sig, and the content did not come"), "{text}");
        }
        // Gone for good as it seems: whoever asks another node may see it.
        let lost: Entry = serde_json::from_value(json!({
            "form": 1, "id": "pay_a", "began": 1, "authorizations": [seen], "ending": null,
            "errand": {"method": "GET", "url": "http://a.test/", "headers": [], "body": null},
        }))
        .unwrap();
        let text = End::Void.words(&lost, None);
        assert!(
            text.contains("was paid by 5sig, which the chain showed then") && !text.contains("was not settled"),
            "{text}"
        );
    }

    #[test]
    fn a_chain_that_has_passed_the_end_proves_that_nothing_was_paid() {
        let unclear = [Verdict::Unclear("504".to_owned())];
        let end = |state| conclude(&unclear, Before::Nothing, &paid(), Some(&state));
        assert_eq!(end(state(Fate::Unused, 1000 + GRACE)), End::Void);
        assert_eq!(end(state(Fate::Cancelled, 1)), End::Void);
        let End::Unknown(text) = end(state(Fate::Unused, 999 + GRACE)) else { panic!("clocks differ") };
        assert!(text.contains("not paid up to block 7") && text.contains("until 1970-01-01T00:16:40"), "{text}");
        let End::Unknown(text) = end(state(Fate::Used, 2000)) else { panic!("it may have been cancelled") };
        assert!(
            text.contains("0.01 USDC to 0xc on eip155:84532 was paid, unless") && !text.contains("until"),
            "{text}"
        );
        let shown = State { transactions: vec!["0x1".to_owned()], ..state(Fate::Used, 2000) };
        let End::Undelivered(text) = end(shown.clone()) else { panic!("it was paid") };
        assert!(text.contains("was paid by 0x1, and the content did not come"), "{text}");
        let delivered = Authorized { answers: vec![Verdict::Delivered.words()], ..paid() };
        let end = conclude(&unclear, Before::Doubt, &delivered, Some(&shown));
        assert!(matches!(end, End::Unknown(_)), "it came, and may have been lost here: {end:?}");
    }
}
