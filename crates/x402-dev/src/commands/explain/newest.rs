//! What `last` explains: the newest thing that broke.
//!
//! 1. Broken are: a payment that was refused or stood where nobody looks for one, a facilitator that was asked wrongly,
//!    and what [`course`](super::course) calls so. The newest of them is explained. A payment that was settled later is
//!    mended.
//! 2. A request without a payment breaks nothing. It is explained where nothing broke before it; where what broke is a
//!    minute older; where it comes from the same client, for the same path, some seconds later, which no test does that pays
//!    and then asserts a 402; for the same path by anybody, where a settlement is pending, which is nobody's mistake; or where
//!    what broke was mended in between: its path was paid. Requests of `x402-dev` itself and for a browser's icons never
//!    count, nor do those whose path was paid, or tried to be, afterwards.
//! 3. What went well is told of where nothing else is.

use std::collections::HashMap;

use super::course::{Course, End, courses};
use super::instance::{Annals, First, Seen};
use super::refused::Refused;

/// After so long what broke is not what is asked about, where somebody asked without a payment since; in milliseconds of
/// the mock's clock.
const SHORT_WHILE: u64 = 60_000;

/// For so long a refusal is asked about also where its own client asks without a payment afterwards; in milliseconds of the
/// mock's clock.
const MOMENT: u64 = 5_000;

/// What browsers and crawlers ask for by themselves.
const UNASKED: [&str; 6] =
    ["/favicon.ico", "/robots.txt", "/sitemap.xml", "/apple-touch-icon", "/.well-known/", "/site.webmanifest"];

/// How the names of our own client begin.
const OURS: &str = "x402-dev/";

/// What is explained.
#[derive(Debug)]
pub(super) enum Choice<'a> {
    Refused(&'a Refused),
    Broken(Course<'a>),
    Unpaid(Unpaid<'a>),
    Well(Course<'a>),
    Nothing,
}

/// A request without a payment, and who sent it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unpaid<'a> {
    pub(super) event: &'a Seen,
    pub(super) agent: Option<&'a str>,
    /// What it was asked for.
    pub(super) asked: Option<&'a First>,
}

/// The choice, and what stands around it.
#[derive(Debug)]
pub(super) struct Chosen<'a> {
    pub(super) what: Choice<'a>,
    /// The newest thing that came after it.
    pub(super) newer: Option<Newer<'a>>,
    /// What broke before it, where a request without a payment was chosen.
    pub(super) older: Option<&'a Refused>,
}

/// What came after something that broke.
#[derive(Debug)]
pub(super) enum Newer<'a> {
    Settled(&'a Seen),
    Open(&'a Seen),
    Unpaid(Unpaid<'a>),
}

/// Something that broke: after which event, and when by the mock's clock.
#[derive(Debug)]
struct Broken<'a> {
    place: u64,
    at: u64,
    path: Option<&'a str>,
    client: Client<'a>,
    what: Choice<'a>,
}

/// Whose request displaces it, for the same path.
#[derive(Clone, Copy, Debug)]
enum Client<'a> {
    /// That of the client of this name.
    Named(Option<&'a str>),
    /// Anybody's.
    Anybody,
    /// Nobody's: the client is not known.
    Unknown,
}

/// Chooses by the rule.
pub(super) fn choose(annals: &Annals) -> Chosen<'_> {
    let all = courses(&annals.events, &annals.twice);
    let unpaid = unpaid(annals);
    let refused = annals.refusals.iter().find(|own| !is_mended(own, &all));
    let course = all.iter().filter(|own| own.is_broken(annals.now) && !is_recorded(own, annals));
    let course = course.max_by_key(|own| own.last.sequence);
    let broken = [refused.map(Broken::of_refused), course.map(Broken::of_course)];
    // Of both about the same event the refusal says more.
    let broken = broken.into_iter().flatten().max_by_key(|own| (own.place, matches!(own.what, Choice::Refused(_))));
    let Some(broken) = broken else {
        let well = all.iter().filter(|own| own.end != End::Failed).max_by_key(|own| own.last.sequence);
        let unpaid = unpaid.filter(|own| well.is_none_or(|well| own.event.sequence > well.last.sequence));
        let what = match (unpaid, well) {
            (Some(unpaid), _) => Choice::Unpaid(unpaid),
            (None, Some(well)) => Choice::Well(well.clone()),
            (None, None) => Choice::Nothing,
        };
        return Chosen { what, newer: None, older: None };
    };
    if let Some(unpaid) = unpaid.filter(|unpaid| broken.is_displaced(unpaid, &annals.events)) {
        let older = if let Choice::Refused(refused) = broken.what { Some(refused) } else { None };
        return Chosen { what: Choice::Unpaid(unpaid), newer: None, older };
    }
    let later = |event: &&Seen| event.sequence > broken.place;
    let settled = annals.events.iter().filter(later).rfind(|event| event.kind == "settled").map(Newer::Settled);
    let open = all.iter().filter(|own| matches!(own.end, End::Verified | End::Pending)).map(|own| own.last);
    let open = open.filter(later).max_by_key(|event| event.sequence).map(Newer::Open);
    let unpaid = unpaid.filter(|own| later(&own.event)).map(Newer::Unpaid);
    let newer = [settled, open, unpaid].into_iter().flatten().max_by_key(Newer::place);
    Chosen { what: broken.what, newer, older: None }
}

impl<'a> Broken<'a> {
    fn of_refused(own: &'a Refused) -> Self {
        let is_pending = own.reason == "settlement_pending";
        let client = if is_pending { Client::Anybody } else { Client::Named(own.agent.as_deref()) };
        Self { place: own.after, at: own.at, path: Some(&own.path), client, what: Choice::Refused(own) }
    }

    fn of_course(own: &Course<'a>) -> Self {
        let client = if own.end == End::Pending { Client::Anybody } else { Client::Unknown };
        let (place, at, path) = (own.last.sequence, own.last.at, own.last.path());
        Self { place, at, path, client, what: Choice::Broken(own.clone()) }
    }

    /// Whether a request without a payment is what is asked about in its place.
    fn is_displaced(&self, unpaid: &Unpaid<'_>, events: &[Seen]) -> bool {
        let event = unpaid.event;
        if event.sequence <= self.place {
            return false;
        }
        let since = event.at.saturating_sub(self.at);
        let is_old = since >= SHORT_WHILE;
        let is_meant = match self.client {
            Client::Named(agent) => since >= MOMENT && begins_as(agent, unpaid.agent),
            Client::Anybody => true,
            Client::Unknown => false,
        };
        let is_same = is_meant && self.path == event.path();
        let between = |own: &&Seen| own.sequence > self.place && own.sequence < event.sequence;
        let is_paid = |own: &Seen| own.kind == "settled" && own.path().is_some() && own.path() == self.path;
        is_old || is_same || events.iter().filter(between).any(is_paid)
    }
}

impl Newer<'_> {
    const fn place(&self) -> u64 {
        match self {
            Self::Settled(event) | Self::Open(event) | Self::Unpaid(Unpaid { event, .. }) => event.sequence,
        }
    }
}

/// Whether both names are the same as far as the second is kept.
fn begins_as(whole: Option<&str>, kept: Option<&str>) -> bool {
    match (whole, kept) {
        (Some(whole), Some(kept)) => whole.starts_with(kept),
        (None, None) => true,
        _ => false,
    }
}

/// Whether the same payment was settled after it was refused: its settlement was pending, or it was presented again.
fn is_mended(refused: &Refused, all: &[Course<'_>]) -> bool {
    let own = refused.payment.as_deref().and_then(|payment| all.iter().find(|own| own.payment == payment));
    own.and_then(|own| own.newest("settled")).is_some_and(|settled| settled.sequence > refused.after)
}

/// Whether the instance keeps the refusal that ends a payment: it says more than the events.
fn is_recorded(own: &Course<'_>, annals: &Annals) -> bool {
    let ends = matches!(own.end, End::Failed | End::Pending);
    ends && annals.refusals.iter().any(|refused| refused.payment.as_deref() == Some(own.payment))
}

/// The newest request without a payment that counts.
fn unpaid(annals: &Annals) -> Option<Unpaid<'_>> {
    // The newest payment for each path, of whatever kind: one look at every event.
    let brings = |own: &&Seen| own.payment.is_some() || own.kind == "undecodable";
    let paid = annals.events.iter().filter(brings).filter_map(|own| Some((own.path()?, own.sequence)));
    let paid: HashMap<&str, u64> = paid.collect();
    let offered = annals.events.iter().rev().filter(|event| event.kind == "offered");
    let mut offered = offered;
    offered.find_map(|event| {
        let path = event.path()?;
        let caller = annals.callers.iter().find(|caller| caller.event == event.sequence);
        let agent = caller.and_then(|caller| caller.agent.as_deref());
        let asked = caller.and_then(|caller| caller.asked.as_ref());
        let is_ours = agent.is_some_and(|agent| agent.starts_with(OURS));
        let is_unasked = UNASKED.iter().any(|own| path.starts_with(own));
        let is_paid = paid.get(path).is_some_and(|sequence| *sequence > event.sequence);
        // A payment that stood where nobody looks came with this very request, or with one after it.
        let is_tried = annals.refusals.iter().any(|own| own.path == path && own.after >= event.sequence);
        (!is_ours && !is_unasked && !is_paid && !is_tried).then_some(Unpaid { event, agent, asked })
    })
}

#[cfg(test)]
mod tests;
