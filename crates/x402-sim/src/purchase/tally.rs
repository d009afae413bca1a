//! One purchase: who bought what, and what was counted.

use std::collections::VecDeque;

use alloy_primitives::U256;

use super::buyer::{Buyer, Key, Step, Wanted};
use super::moves::{Direction, Move};
use super::verdict::{Evidence, Grouping};
use super::{Delivery, Name, PurchaseId, Seen, Verdict};
use crate::event::{Door, Facts, Kind, PaymentId};
use crate::ledger::AssetId;
use crate::reason::Code;
use crate::registry::Version;

/// How much of a text of a client is kept, in characters.
const KEPT_TEXT: usize = 300;

/// The attempts of one buyer to buy one resource once.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// What it is called.
    pub id: PurchaseId,
    /// How its attempts were told from others.
    pub grouping: Grouping,
    /// What the buyer calls it.
    pub name: Option<String>,
    /// At which doors it was seen.
    pub seen: Seen,
    /// Who pays, where that is an address.
    pub payer: Option<String>,
    /// The method of the request for the resource, where that was seen.
    pub method: Option<String>,
    /// The path and query of the resource, or its address as the facilitator is told.
    pub resource: Option<String>,
    /// What was counted.
    pub counts: Counts,
    /// What moved, by asset, in atomic units. What was undone is taken off.
    pub moved: Vec<(AssetId, U256)>,
    /// The payments that were tried for it.
    pub payments: VecDeque<PaymentId>,
    /// Payments that were tried for it and belong to another purchase.
    pub(super) guests: Vec<PaymentId>,
    /// The payments whose transaction is not confirmed yet.
    pub pending: Vec<PaymentId>,
    /// When its first event was, in milliseconds of the world's clock.
    pub opened_at: u64,
    /// When its last event was.
    pub changed_at: u64,
    /// The sequence number of its first event.
    pub first_event: u64,
    /// That of its last one.
    pub last_event: u64,
    /// Whether a new authorization belongs to another purchase, if this one is a guess: it has come to a good end.
    pub(super) complete: bool,
    pub(super) keys: Vec<Key>,
    /// The key of the request for the resource.
    pub(super) wanted: Option<Key>,
    attempt: Attempt,
}

/// What was counted of a purchase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests with a payment; at the facilitator, verifications and the settlements that none preceded.
    pub attempts: u64,
    /// Different authorizations.
    pub authorizations: u64,
    /// Verifications, good or bad.
    pub verifies: u64,
    /// Transfers in the ledger, less those that were undone.
    pub settlements: u64,
    /// Transfers that were undone.
    pub undone: u64,
    /// Refusals, failed settlements and timeouts.
    pub refused: u64,
    /// Faults that were played.
    pub faults: u64,
    /// Deliveries of the content to its last byte.
    pub deliveries: u64,
}

/// What the attempts that run have come to.
#[derive(Clone, Copy, Debug, Default)]
struct Attempt {
    /// A fault was played since the last one began.
    faulted: bool,
    /// Answers with content that are on their way.
    on_the_way: u32,
    /// Verifications at the facilitator that no settlement followed yet.
    verified: u32,
}

/// An event, as purchases learn of it.
#[derive(Debug)]
pub(crate) struct News<'a> {
    pub(crate) at: u64,
    pub(crate) sequence: u64,
    pub(crate) kind: Kind,
    pub(crate) door: Door,
    pub(crate) payment: Option<PaymentId>,
    /// The purchase, where that is known without the payment.
    pub(crate) purchase: Option<PurchaseId>,
    pub(crate) facts: &'a Facts,
    pub(crate) moves: &'a [Move],
}

impl Purchase {
    pub(super) fn new(id: PurchaseId, grouping: Grouping, buyer: Option<&Buyer<'_>>) -> Self {
        let (method, resource) = buyer.map(Buyer::resource).unwrap_or_default();
        let wanted = buyer.filter(|buyer| buyer.is_at_resource());
        Self {
            id,
            grouping,
            name: None,
            seen: if wanted.is_some() { Seen::Resources } else { Seen::Facilitator },
            payer: None,
            method: method.map(kept),
            resource: resource.as_deref().map(kept),
            counts: Counts::default(),
            moved: Vec::new(),
            payments: VecDeque::new(),
            guests: Vec::new(),
            pending: Vec::new(),
            opened_at: 0,
            changed_at: 0,
            first_event: 0,
            last_event: 0,
            complete: false,
            keys: Vec::new(),
            wanted: wanted.map(Buyer::guessed_key),
            attempt: Attempt::default(),
        }
    }

    /// Takes the name that the buyer gave.
    pub(super) fn take_name(&mut self, name: &Name<'_>) {
        self.grouping = name.grouping;
        self.name = Some(kept(&name.text));
    }

    /// Counts an event.
    pub(super) fn learn(&mut self, news: &News<'_>) {
        (self.changed_at, self.last_event) = (news.at, news.sequence);
        if self.first_event == 0 {
            (self.opened_at, self.first_event) = (news.at, news.sequence);
        }
        if self.payer.is_none() {
            self.payer.clone_from(&news.facts.payer);
        }
        for moved in news.moves {
            self.count_move(*moved);
        }
        self.count_kind(news);
    }

    /// Counts an attempt that begins, and notes at which door. The request itself says more than the facilitator is told.
    pub(super) fn begin(&mut self, buyer: &Buyer<'_>) {
        self.attempt.faulted = false;
        self.count_attempt(buyer.wanted);
        let at_resource = buyer.is_at_resource();
        if self.seen == (if at_resource { Seen::Facilitator } else { Seen::Resources }) {
            self.seen = Seen::Both;
            if at_resource {
                let (method, resource) = buyer.resource();
                self.method = method.map(kept);
                self.resource = resource.as_deref().map(kept);
            }
        }
    }

    const fn count_attempt(&mut self, wanted: Wanted<'_>) {
        match wanted {
            Wanted::Stated { step: Step::Settle, .. } if self.attempt.verified > 0 => self.attempt.verified -= 1,
            Wanted::Request { .. } | Wanted::Stated { step: Step::Settle, .. } => self.counts.attempts += 1,
            Wanted::Stated { step: Step::Verify, .. } => {
                self.counts.attempts += 1;
                self.attempt.verified += 1;
            }
        }
    }

    fn count_move(&mut self, moved: Move) {
        let Move { direction, asset, value } = moved;
        let place = self.moved.iter().position(|(own, _)| *own == asset).unwrap_or_else(|| {
            self.moved.push((asset, U256::ZERO));
            self.moved.len() - 1
        });
        let sum = &mut self.moved[place].1;
        match direction {
            Direction::Paid => {
                *sum = sum.saturating_add(value);
                self.counts.settlements += 1;
            }
            Direction::Returned => {
                *sum = sum.saturating_sub(value);
                self.counts.settlements = self.counts.settlements.saturating_sub(1);
                self.counts.undone += 1;
            }
        }
    }

    fn count_kind(&mut self, news: &News<'_>) {
        match news.kind {
            Kind::Verified => self.counts.verifies += 1,
            Kind::Refused => {
                self.counts.verifies += 1;
                self.counts.refused += 1;
            }
            Kind::SettleFailed if is_pending(news.facts) => self.await_payment(news.payment),
            Kind::SettleFailed => {
                self.counts.refused += 1;
                self.conclude(news.payment);
            }
            Kind::TimedOut => self.counts.refused += 1,
            Kind::Pending => self.await_payment(news.payment),
            Kind::Settled => {
                self.conclude(news.payment);
                // Nobody here sees the delivery. The facilitator has done its part.
                if matches!(news.door, Door::Facilitator | Door::Rpc) {
                    self.complete = self.seen == Seen::Facilitator && !self.attempt.faulted;
                }
            }
            Kind::Faulted => {
                self.counts.faults += 1;
                self.attempt.faulted = true;
                self.complete = false;
            }
            Kind::Delivered => {
                self.counts.deliveries += 1;
                self.attempt.on_the_way = self.attempt.on_the_way.saturating_sub(1);
                self.complete = !self.attempt.faulted;
            }
            Kind::NotDelivered => self.attempt.on_the_way = self.attempt.on_the_way.saturating_sub(1),
            Kind::Offered | Kind::Undecodable | Kind::NotSettled | Kind::Undone | Kind::Changed => {}
        }
    }

    /// Content is on its way.
    pub(super) const fn ship(&mut self) {
        self.attempt.on_the_way += 1;
    }

    fn await_payment(&mut self, payment: Option<PaymentId>) {
        if let Some(payment) = payment.filter(|payment| !self.pending.contains(payment)) {
            self.pending.push(payment);
        }
    }

    fn conclude(&mut self, payment: Option<PaymentId>) {
        self.pending.retain(|own| Some(*own) != payment);
    }

    /// Whether a payment was tried for it.
    pub(super) fn knows(&self, payment: PaymentId) -> bool {
        self.guests.contains(&payment) || self.payments.contains(&payment)
    }

    /// Whether the buyer got the content.
    pub const fn delivery(&self) -> Delivery {
        if self.counts.deliveries > 0 {
            Delivery::Delivered
        } else if matches!(self.seen, Seen::Facilitator) || self.attempt.on_the_way > 0 {
            Delivery::Unknown
        } else {
            Delivery::NotDelivered
        }
    }

    /// What is to be said of it.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(Evidence {
            grouping: self.grouping,
            delivery: self.delivery(),
            settlements: self.counts.settlements,
            deliveries: self.counts.deliveries,
            pending: !self.pending.is_empty(),
            // What was undone, and not delivered, has come to nothing: the chain has refused it in the end.
            refused: self.counts.refused + self.counts.undone > 0,
            faulted: self.counts.faults > 0,
        })
    }
}

/// Whether a failed settlement says that its transaction is not confirmed yet.
fn is_pending(facts: &Facts) -> bool {
    facts.reason.as_deref() == Some(Code::SettlementPending.spell(Version::V2))
}

/// The beginning of a client's text.
fn kept(text: &str) -> String {
    text.chars().take(KEPT_TEXT).collect()
}
