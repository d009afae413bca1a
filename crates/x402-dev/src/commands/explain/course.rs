//! What became of each payment, by an instance's events.

use std::collections::HashMap;

use x402_sim::purchase::Verdict;

use super::instance::Seen;

/// How long a payment may be verified and not settled before somebody wonders, in milliseconds.
const PATIENCE: u64 = 5_000;

/// What became of a payment in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was settled, and nothing is known to have gone wrong.
    Settled,
    /// It was settled as another payment of the same purchase was, by its buyer's own name for it.
    PaidTwice,
    /// The same, where that it is one purchase is a guess.
    PaidAgain,
    /// It was settled, and its content was not handed over.
    NotDelivered,
    /// Its settlement did not happen after all.
    Undone,
    /// It was broadcast, and is not confirmed.
    Pending,
    /// It was refused, or could not be settled.
    Failed,
    /// The content failed, and nothing was settled.
    NotSettled,
    /// It timed out by simulation.
    TimedOut,
    /// It was found good, and nothing came after.
    Verified,
}

/// The events of a payment.
#[derive(Clone, Debug)]
pub(super) struct Course<'a> {
    pub(super) payment: &'a str,
    /// Oldest first.
    pub(super) events: Vec<&'a Seen>,
    pub(super) end: End,
    /// The event that says so.
    pub(super) last: &'a Seen,
}

impl Course<'_> {
    /// Whether something broke. `now` is the mock's time in milliseconds. What the instance itself sells it settles
    /// itself: there a verification that stands alone is a request that is being answered.
    pub(super) fn is_broken(&self, now: u64) -> bool {
        match self.end {
            End::Settled => false,
            End::Verified => self.last.door == "facilitator" && now.saturating_sub(self.last.at) >= PATIENCE,
            _ => true,
        }
    }

    /// The newest event of a kind.
    pub(super) fn newest(&self, kind: &str) -> Option<&Seen> {
        self.events.iter().rev().find(|event| event.kind == kind).copied()
    }
}

/// What became of every payment. `twice` has the verdicts on purchases that were paid more than once, or seem to be.
pub(super) fn courses<'a>(events: &'a [Seen], twice: &HashMap<String, Verdict>) -> Vec<Course<'a>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut grouped: Vec<(&str, Vec<&Seen>)> = Vec::new();
    for event in events {
        let Some(payment) = event.payment.as_deref() else { continue };
        let place = *places.entry(payment).or_insert_with(|| {
            grouped.push((payment, Vec::new()));
            grouped.len() - 1
        });
        grouped[place].1.push(event);
    }
    let mut all = Vec::with_capacity(grouped.len());
    for (payment, events) in grouped {
        if let Some((end, last)) = end(&events) {
            all.push(Course { payment, events, end, last });
        }
    }
    pay_again(&mut all, twice);
    all
}

/// Marks the newest settlement of each purchase that the instance says was paid more than once.
fn pay_again(all: &mut [Course<'_>], twice: &HashMap<String, Verdict>) {
    let mut newest: HashMap<&str, (u64, usize)> = HashMap::new();
    for (place, own) in all.iter().enumerate().filter(|(_, own)| own.end != End::Undone) {
        let settled = own.newest("settled").and_then(|event| Some((event.purchase.as_deref()?, event.sequence)));
        if let Some((purchase, sequence)) = settled.filter(|(purchase, _)| twice.contains_key(*purchase)) {
            let kept = newest.entry(purchase).or_default();
            *kept = (*kept).max((sequence, place));
        }
    }
    let ends: Vec<(usize, End)> = newest
        .into_iter()
        .map(|(purchase, (_, place))| {
            (place, if twice.get(purchase) == Some(&Verdict::PaidTwice) { End::PaidTwice } else { End::PaidAgain })
        })
        .collect();
    for (place, end) in ends {
        all[place].end = end;
    }
}

fn end<'a>(events: &[&'a Seen]) -> Option<(End, &'a Seen)> {
    let newest = |kinds: &[&str]| events.iter().rev().find(|event| kinds.contains(&event.kind.as_str())).copied();
    let at = |event: Option<&Seen>| event.map_or(0, |event| event.sequence);
    if let Some(undone) = newest(&["undone"]).filter(|undone| undone.sequence > at(newest(&["settled"]))) {
        return Some((End::Undone, undone));
    }
    if let Some(settled) = newest(&["settled"]) {
        let lost = newest(&["not_delivered"]).filter(|lost| lost.sequence > at(newest(&["delivered"])));
        return Some(lost.map_or((End::Settled, settled), |lost| (End::NotDelivered, lost)));
    }
    let last = newest(&["verified", "refused", "settle_failed", "pending", "not_settled", "timed_out"])?;
    let end = match last.kind.as_str() {
        "verified" => End::Verified,
        "pending" => End::Pending,
        "not_settled" => End::NotSettled,
        "timed_out" => End::TimedOut,
        _ => End::Failed,
    };
    Some((end, last))
}
