//! Rules about the second request: whether what is paid is what was asked for.

use std::collections::{HashMap, HashSet};

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;

use super::exchange::{Exchange, path};

/// Among how many open requests the one that a payment answers is looked for.
const NEAR: usize = 64;

/// Looks at each payment beside the request that was asked to pay.
pub fn look(exchanges: &[Exchange], explanation: &mut Explanation) {
    for (ask, paid) in pairs(exchanges) {
        let (first, second) = (&exchanges[ask], &exchanges[paid]);
        let names = (format!("request {}", ask + 1), format!("request {}", paid + 1));
        if let Some(change) = change(first, second) {
            let seen = format!("{} is asked to pay, and {} pays for another: {change}", names.0, names.1);
            explanation.find(Finding::new("request_changed").seen(seen));
        } else {
            body(first, second, &names.0, explanation);
        }
        fields(first, second, (&names.0, &names.1), explanation);
    }
}

/// Requests that were asked to pay and still wait for it, by their resource and in their sequence.
#[derive(Debug, Default)]
struct Open<'a> {
    by_resource: HashMap<&'a str, Vec<usize>>,
    /// For each resource, the last request for it.
    last: HashMap<&'a str, usize>,
    /// The newest of any resource.
    newest: Vec<usize>,
}

/// Each request that was asked to pay, and the one that pays for it: the same request, else the next one for the same
/// resource if it comes at once, else one that is refused and names the other's resource.
fn pairs(exchanges: &[Exchange]) -> Vec<(usize, usize)> {
    let (mut open, mut seen, mut found) = (Open::default(), HashSet::new(), Vec::new());
    for (place, own) in exchanges.iter().enumerate() {
        if own.payment().is_none() {
            if own.status == 402 && !["OPTIONS", "HEAD"].contains(&own.method.as_str()) {
                open.add(place, own);
            }
        } else if own.mark().is_none_or(|mark| seen.insert(mark)) {
            // What is presented again was looked at when it came first. A redirect leads to where it was asked for.
            let moves = |own: &Exchange| (300..400).contains(&own.status);
            let is_moved = moves(own) || place.checked_sub(1).is_some_and(|before| moves(&exchanges[before]));
            let ask = open.exact(exchanges, own).or_else(|| {
                let next = || open.at_once(own).or_else(|| open.elsewhere(exchanges, own));
                if is_moved { None } else { next() }
            });
            if let Some(ask) = ask {
                open.close(&exchanges[ask], ask);
                found.push((ask, place));
            }
        }
        open.last.insert(own.resource(), place);
    }
    found
}

impl<'a> Open<'a> {
    fn add(&mut self, place: usize, own: &'a Exchange) {
        for list in [self.by_resource.entry(own.resource()).or_default(), &mut self.newest] {
            if list.len() == NEAR {
                list.remove(0);
            }
            list.push(place);
        }
    }

    fn close(&mut self, own: &'a Exchange, place: usize) {
        let list = self.by_resource.get_mut(own.resource());
        list.into_iter().chain([&mut self.newest]).for_each(|list| list.retain(|other| *other != place));
    }

    /// The same request; of several the one with the same body, and of those the last.
    fn exact(&self, all: &[Exchange], own: &Exchange) -> Option<usize> {
        let same = |place: &&usize| all[**place].method == own.method && all[**place].url == own.url;
        let open = || self.by_resource.get(own.resource()).into_iter().flatten().rev().filter(same);
        let body = |place: &&usize| all[**place].request.body_text() == own.request.body_text();
        open().find(body).or_else(|| open().next()).copied()
    }

    /// The last request for the same resource, whatever its method and its query.
    fn at_once(&self, own: &Exchange) -> Option<usize> {
        let last = self.last.get(own.resource())?;
        self.by_resource.get(own.resource())?.contains(last).then_some(*last)
    }

    /// A request for another resource, which the payment itself names, where it is refused.
    fn elsewhere(&self, all: &[Exchange], own: &Exchange) -> Option<usize> {
        let named = own.payload()?.pointer("/resource/url")?.as_str()?;
        let is_it = |place: &&usize| {
            let ask = &all[**place];
            let offered = ask.offer().and_then(|offer| offer.pointer("/resource/url")?.as_str());
            offered == Some(named) && path(ask.resource()) != path(own.resource())
        };
        if own.status < 400 { None } else { self.newest.iter().rev().find(is_it).copied() }
    }
}

fn query(url: &str) -> Option<&str> {
    url.split('#').next()?.split_once('?').map(|(_, query)| query).filter(|query| !query.is_empty())
}

/// What is another in the paid request than in the one that was asked to pay, in words.
fn change(ask: &Exchange, paid: &Exchange) -> Option<String> {
    let mut all = Vec::new();
    // What is delivered for another method was sold so.
    if ask.method != paid.method && (paid.status >= 400 || (ask.has_body() && !paid.has_body())) {
        let lost = if ask.has_body() && !paid.has_body() { ", without the body" } else { "" };
        all.push(format!("{} was asked, and {} pays{lost}", ask.method, paid.method));
    }
    if path(ask.resource()) != path(paid.resource()) {
        all.push(format!("{} was asked, and {} is paid", ask.resource(), paid.resource()));
    }
    let (first, second) = (query(&ask.url), query(&paid.url));
    let names = |query: Option<&str>| -> Vec<String> {
        let words = query.unwrap_or_default().split('&').filter_map(|word| word.split('=').next());
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (asked, kept) = (names(first), names(second));
    let lost: Vec<String> = asked.into_iter().filter(|name| !kept.contains(name)).collect();
    if !lost.is_empty() {
        all.push(format!("its query lacks {}", lost.join(", ")));
    } else if first != second && paid.status >= 400 {
        // What is delivered may take a query of its own.
        let said = |query: Option<&str>| query.map_or("none".to_owned(), |own| format!("?{own}"));
        all.push(format!("the query was {}, and is {}", said(first), said(second)));
    }
    (!all.is_empty()).then(|| all.join("; "))
}

/// Fields of a request that say who asks, or what is sent: without one of them a paid request may be refused.
const TELLING: [&str; 4] = ["authorization", "cookie", "content-type", "accept"];

/// Adds to a refusal that nothing explains what the paid request lacks besides.
fn fields(ask: &Exchange, paid: &Exchange, names: (&str, &str), explanation: &mut Explanation) {
    let of_this = |finding: &Finding| {
        let is_of = |text: &String| {
            text.split_once(names.1).is_some_and(|(_, rest)| !rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        finding.evidence.iter().any(is_of)
    };
    let is_open =
        |finding: &&Finding| ["refused_elsewhere", "refused_though_good"].contains(&finding.id) && of_this(finding);
    let Some(id) = explanation.findings.iter().find(is_open).map(|finding| finding.id) else { return };
    if paid.status < 400 {
        return;
    }
    let has = |own: &Exchange, name: &str| own.request.get(name).is_some();
    let is_key = |name: &str| TELLING.contains(&name) || (name.starts_with("x-") && name != "x-payment");
    let lost = ask.request.fields.iter().map(|(name, _)| name.as_str()).filter(|name| is_key(name) && !has(paid, name));
    let lost: Vec<&str> = lost.collect();
    if !lost.is_empty() {
        let seen = format!("{} has {}, and {} shows none", names.0, lost.join(", "), names.1);
        explanation.find(Finding::new(id).seen(seen));
    }
    if ask.response.get("set-cookie").is_some() && !has(paid, "cookie") {
        let seen = format!("the answer to {} sets a cookie, and {} shows none", names.0, names.1);
        explanation.find(Finding::new(id).seen(seen));
    }
}

/// Whether the paid request has the body of the one that asked.
fn body(own: &Exchange, next: &Exchange, name: &str, explanation: &mut Explanation) {
    if !own.has_body() {
        return;
    }
    let changed = match (own.request.body_text(), next.request.body_text()) {
        (Some(first), Some(second)) => first != second,
        _ => false,
    };
    if !next.has_body() || changed {
        let what = if changed { "another body" } else { "no body" };
        let seen = format!("{name} has a body, and the {} with the payment has {what}", next.method);
        explanation.find(Finding::new("body_lost").seen(seen));
    }
}
