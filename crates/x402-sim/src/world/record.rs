//! Events and purchases: what is told of all that happens. The only place where purchases learn.

use std::sync::Arc;

use super::World;
use crate::event::filter::Names;
use crate::event::log::Happening;
use crate::event::{Door, Event, EventLog, Facts, Filter, FilterError, Kind, PaymentId};
use crate::purchase::tally::{News, Purchase};
use crate::purchase::{Buyer, Listed, PurchaseId, Register};

/// Content that was on its way.
#[derive(Clone, Copy, Debug)]
pub struct Shipment {
    /// Whether it was handed over: [`Kind::Delivered`] or [`Kind::NotDelivered`].
    pub kind: Kind,
    /// The payment.
    pub payment: Option<PaymentId>,
    /// The purchase that it was for.
    pub purchase: Option<PurchaseId>,
}

impl World {
    /// A request brings a payment: an attempt of its purchase begins, and all events of the payment belong to that.
    ///
    /// A door says so once for each request, before it tells anything of the payment.
    pub fn meet(&mut self, payment: PaymentId, buyer: &Buyer<'_>) {
        self.purchases.meet(payment, buyer);
    }

    /// The content of a payment is on its way: an event will tell whether it was handed over, for this purchase.
    pub fn ship(&mut self, payment: PaymentId) -> Option<PurchaseId> {
        self.purchases.ship(payment)
    }

    /// Appends an event, and counts it for the purchase of its payment.
    pub fn record(&mut self, now: u64, kind: Kind, door: Door, payment: Option<PaymentId>, facts: Facts) -> Arc<Event> {
        self.record_for(None, Happening { at: now, kind, purchase: None, payment, door, facts })
    }

    /// Appends the event that content was handed over, or that it was not.
    pub fn record_delivery(&mut self, now: u64, shipment: Shipment, facts: Facts) -> Arc<Event> {
        let Shipment { kind, payment, purchase } = shipment;
        let happening = Happening { at: now, kind, purchase: None, payment, door: Door::Resources, facts };
        self.record_for(purchase, happening)
    }

    fn record_for(&mut self, purchase: Option<PurchaseId>, happening: Happening) -> Arc<Event> {
        let Happening { at, kind, payment, door, facts, .. } = &happening;
        let moves = match payment {
            Some(payment) if tells_moves(*kind) => self.moves.take(*payment),
            _ => Vec::new(),
        };
        let (sequence, moves) = (self.events.newest() + 1, &moves);
        let (at, kind, door, payment) = (*at, *kind, *door, *payment);
        let purchase = self.purchases.learn(&News { at, sequence, kind, door, payment, purchase, facts, moves });
        self.events.append(Happening { purchase, ..happening })
    }

    /// Keeps so many events from now on.
    pub fn keep_events(&mut self, capacity: usize) {
        self.events.set_capacity(capacity);
    }

    /// The events that are kept.
    pub const fn events(&self) -> &EventLog {
        &self.events
    }

    /// Reads a filter of events: pairs such as `payer` and `alice`.
    ///
    /// # Errors
    ///
    /// An unknown key or value, with the nearest known one.
    pub fn filter<'a>(&self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Filter, FilterError> {
        let last_purchase = self.purchases.last().map(|purchase| purchase.id);
        Filter::read(pairs, Names { book: &self.roots.book, catalog: &self.catalog, last_purchase })
    }

    /// The purchases that are kept.
    pub const fn purchases(&self) -> &Register {
        &self.purchases
    }

    /// A purchase as it is told.
    pub fn list(&self, purchase: &Purchase) -> Listed {
        Listed::of(purchase, &self.purchases, &self.catalog)
    }

    /// The events of a purchase that are kept, oldest first.
    pub fn events_of(&self, purchase: &Purchase) -> Vec<Arc<Event>> {
        let since = self.events.after(purchase.first_event.saturating_sub(1), usize::MAX);
        let until = since.take_while(|event| event.sequence <= purchase.last_event);
        until.filter(|event| event.purchase == Some(purchase.id)).cloned().collect()
    }
}

/// Whether an event of this kind tells what became of the money. A refusal beside a settlement that runs does not.
const fn tells_moves(kind: Kind) -> bool {
    use Kind::{Delivered, Faulted, NotDelivered, Pending, Settled, Undone};
    matches!(kind, Settled | Pending | Undone | Faulted | Delivered | NotDelivered)
}
