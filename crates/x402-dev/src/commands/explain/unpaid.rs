//! What is told of a request without a payment: what its client is likely to have done, by all that the instance knows.

use serde_json::{Value, json};
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::{Finding, Severity};
use x402_sim::explain::kind::Kind;
use x402_sim::explain::unsent;
use x402_sim::registry;
use x402_wire::amount::Decimal;

use super::instance::{Annals, First, Seen};
use super::newest::Unpaid;
use super::refused::Refused;
use super::sdk::{self, Sdk};
use super::stories::ago;

/// How far apart a request and its paid repetition are at most, in milliseconds: a signature takes less.
const AT_ONCE: u64 = 2_000;

/// Within so many milliseconds there are two requests, where the second is the first one's repetition, and not more.
const BURST: u64 = 10_000;

/// What an offer of version 1 alone means to clients of both versions. Source: TS 2.27 `x402Client.registerV1`, PY 2.25
/// `register_v1`.
const OLD: &str = "the offer is of version 1 alone: a client for which only `register` was called throws `No client registered \
                   for x402 version: 1`; version 1 is registered by itself, with its own scheme and its own name of the \
                   network";

/// Programs that pay nothing by themselves, and how a header is given to them.
const BY_HAND: [(&str, &str); 6] = [
    ("curl/", "curl -H \"PAYMENT-SIGNATURE: VALUE\""),
    ("wget/", "wget --header=\"PAYMENT-SIGNATURE: VALUE\""),
    ("httpie/", "http URL \"PAYMENT-SIGNATURE:VALUE\""),
    ("postman", "a header PAYMENT-SIGNATURE"),
    ("insomnia", "a header PAYMENT-SIGNATURE"),
    ("bruno", "a header PAYMENT-SIGNATURE"),
];

/// A request without a payment: what the client is likely to have done.
pub(super) fn told(own: &Unpaid<'_>, older: Option<&Refused>, annals: &Annals) -> Explanation {
    let (event, age) = (own.event, annals.now.saturating_sub(own.event.at));
    let request = event.request();
    let nothing = if older.is_none() { "no payment was refused; " } else { "" };
    let title =
        format!("{}: {nothing}{request} was asked without a payment, answered with 402, and not paid since", ago(age));
    let mut explanation = Explanation::new(Kind::Record, title);
    explanation.age = Some(age / 1000);
    let seen = format!("the instance answered: {}", event.told());
    let offer = own.asked.map(|asked| offer(asked, event));
    for finding in [too_dear(own, offer.as_ref()), did_not_arrive(own, annals)].into_iter().flatten() {
        explanation.find(finding);
    }
    let mut finding = unsent::finding(offer.as_ref()).seen(seen);
    if let Some(asked @ First { version, scheme, .. }) = own.asked {
        finding = finding.seen(format!("the first entry of the offer asks for {scheme} on {}", asked.called()));
        if *version == 1 {
            finding = finding.seen(OLD);
        }
    }
    explanation.find(likely(finding, own.agent));
    if let Some(older) = older {
        let ask = older.number().map(|number| format!(": `x402-dev explain {number}` explains it")).unwrap_or_default();
        explanation.notes.push(format!(
            "an older payment was refused {}, of {}, with {}{ask}",
            ago(annals.now.saturating_sub(older.at)),
            older.path,
            older.reason
        ));
    }
    explanation
}

/// What is known of the offer that was answered with.
fn offer(asked: &First, event: &Seen) -> Value {
    let (First { version, scheme, .. }, network) = (asked, asked.called());
    let price = price(event).map(|(price, _)| format!("${price}"));
    json!({ "x402Version": version, "accepts": [{ "scheme": scheme, "network": network, "amount": price }] })
}

impl First {
    /// The network by the name that the offer's version has for it.
    fn called(&self) -> String {
        let networks = registry::networks();
        let own = networks.iter().find(|own| self.version == 1 && own.is_called(&self.network));
        own.and_then(|own| own.v1_name.clone()).unwrap_or_else(|| self.network.clone())
    }
}

/// The price that an offer asked, and the symbol of its asset: `0.01`, `USDC`.
fn price(event: &Seen) -> Option<(Decimal, &str)> {
    let (number, symbol) = event.data.get("amount")?.as_str()?.split_once(' ')?;
    Some((Decimal::parse(number).ok()?, symbol))
}

/// A price that stock clients of this kind do not pay. A program that is given its header by hand has no limit, and a
/// browser none either.
fn too_dear(own: &Unpaid<'_>, offer: Option<&Value>) -> Option<Finding> {
    let (asked, (price, symbol)) = (own.asked?, price(own.event)?);
    let has_limit = own.agent.is_none_or(|agent| !is_by_hand(agent) && !is_browser(agent));
    let networks = registry::networks();
    // As for an offer: a dollar is one of an asset of the clients' tables.
    let assets = networks.iter().find(|network| network.is_called(&asked.network)).map(|network| &network.assets)?;
    let decimals = assets.iter().find(|asset| asset.symbol == symbol && asset.decimals >= 6)?.decimals;
    let is_above = |limit: &str| {
        let limit = Decimal::parse(limit).ok().and_then(|limit| limit.to_atomic(decimals).ok());
        price.to_atomic(decimals).ok().zip(limit).is_some_and(|(price, limit)| price > limit)
    };
    let is_ts = own.agent.and_then(sdk::of_agent).is_some_and(|(sdk, _)| sdk == Sdk::Ts);
    let (id, limit) = match asked.version {
        _ if !has_limit => return None,
        _ if is_above("1") => ("over_spend_limit", "official clients pay $1"),
        1 if is_ts && is_above("0.10") => ("over_old_limit", "the package x402-fetch 1.x pays $0.10"),
        _ => return None,
    };
    let seen = format!("the instance asked {price} {symbol}, and {limit} at most unless they are told otherwise");
    let finding = Finding { severity: Severity::Error, ..Finding::new(id) }.seen(seen);
    Some(offer.map_or_else(|| finding.clone(), |offer| finding.clone().for_offer(offer)))
}

/// Two requests of a client for the same, one right after the other: so a wrapped client asks that has signed, and its
/// payment got lost on the way. More than two are somebody who tries again and again.
fn did_not_arrive(own: &Unpaid<'_>, annals: &Annals) -> Option<Finding> {
    let (event, agent) = (own.event, own.agent?);
    if is_by_hand(agent) || is_browser(agent) {
        return None;
    }
    let is_same = |other: &&Seen| other.request() == event.request() && other.sequence <= event.sequence;
    let lately = |other: &&Seen| event.at.saturating_sub(other.at) <= BURST && other.kind == "offered";
    let by_it = |other: &&Seen| {
        annals.callers.iter().any(|own| own.event == other.sequence && own.agent.as_deref() == Some(agent))
    };
    let asked: Vec<&Seen> = annals.events.iter().filter(is_same).filter(lately).filter(by_it).collect();
    let [first, again] = asked[..] else { return None };
    let apart = again.at.saturating_sub(first.at);
    // Where a payment for the path has arrived, headers do.
    let has_arrived = annals.events.iter().any(|own| own.payment.is_some() && own.path() == event.path());
    (apart <= AT_ONCE && !has_arrived).then(|| {
        let seen = format!(
            "{agent} asked for {} twice within {apart} ms (events {} and {}), without a payment both times: a wrapped \
             client asks twice only when it has signed",
            event.request(),
            first.sequence,
            again.sequence
        );
        Finding::new("header_stripped").seen(seen)
    })
}

fn is_by_hand(agent: &str) -> bool {
    let lower = agent.to_ascii_lowercase();
    BY_HAND.iter().any(|(name, _)| lower.starts_with(name))
}

fn is_browser(agent: &str) -> bool {
    agent.to_ascii_lowercase().starts_with("mozilla/")
}

/// What a client of this name is likely to have done.
fn likely(finding: Finding, agent: Option<&str>) -> Finding {
    let astray = "if the client did send a payment, a proxy took it away or the header has another name: ask the instance \
                  itself, past the proxy, and see whether it is paid then";
    let Some(agent) = agent else { return finding.seen("the client gives itself no name").seen(astray) };
    let seen = |what: &str| format!("the client calls itself {agent}: {what}");
    let lower = agent.to_ascii_lowercase();
    if let Some((_, how)) = BY_HAND.iter().find(|(name, _)| lower.starts_with(name)) {
        return by_hand(finding.seen(seen("it pays nothing by itself")), how);
    }
    if is_browser(agent) {
        return finding.seen(seen("a browser pays nothing unless a script or a wallet on the page does")).seen(astray);
    }
    let Some((sdk, _)) = sdk::of_agent(agent) else {
        return finding.seen(seen("no client that is known")).seen(astray);
    };
    let what = match sdk {
        Sdk::Ts => {
            "`fetch` itself was called and not what `wrapFetchWithPayment` returns, or no scheme is registered for an \
                    offered network, or the price is above the client's limit: what it threw says which"
        }
        Sdk::TsAxios => {
            "another axios instance was called than `wrapAxiosWithPayment` was given, or no scheme is registered \
                         for an offered network, or the price is above the client's limit: what it threw says which"
        }
        Sdk::Python => {
            "the plain client was called and not the one that x402 wraps (`wrapHttpxWithPayment`, \
                        `x402_requests`), or no scheme is registered for an offered network, or the price is above \
                        the client's limit: what it raised says which"
        }
        Sdk::Go | Sdk::Rust => {
            "the plain client was called and not the one that x402 wraps, or no scheme is registered for an \
                                offered network: the error that it returned says which"
        }
    };
    finding.seen(seen(what)).seen(astray)
}

/// What is to be done with a program that is given its headers by hand.
fn by_hand(finding: Finding, how: &str) -> Finding {
    let fix = format!(
        "Give it the header, name and value with a colon between: {how}. `x402-dev sign URL` makes the value; `x402-dev pay \
         URL` pays by itself."
    );
    Finding {
        fix,
        code: Vec::new(),
        no_code: Some("nothing to change in code: the header is given by hand"),
        ..finding
    }
}
