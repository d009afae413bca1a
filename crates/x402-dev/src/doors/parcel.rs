//! Deliveries: whether paid content was handed over to its last byte.
//!
//! A [`Parcel`] travels with the answer. When the body's last byte has been taken, it waits in the connection's
//! [`Outbox`] until all bytes have been handed to the system; then the content is delivered. A parcel that gets lost on
//! the way, because a fault threw the answer away or the client left, says so by itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::{Response, StatusCode};
use x402_sim::event::{Facts, Kind, PaymentId};
use x402_sim::purchase::PurchaseId;
use x402_sim::world::record::Shipment;

use crate::state::{Herald, State};

/// Paid content on its way. Dropped before it was handed over, it was not delivered.
#[derive(Debug)]
pub struct Parcel {
    herald: Herald,
    payment: Option<PaymentId>,
    purchase: Option<PurchaseId>,
    facts: Facts,
    handed_over: AtomicBool,
    status: StatusCode,
    content: Content,
}

/// Whether an answer holds what was paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// It does.
    Real,
    /// A fault has taken it away, or put something else in its place.
    Fake,
}

/// The parcels of a connection whose last byte waits to be written.
#[derive(Clone, Debug, Default)]
pub struct Outbox(Arc<Mutex<Vec<Sent>>>);

/// A parcel whose last byte was taken. Counted as long as nobody knows whether it arrived at the system.
#[derive(Debug)]
struct Sent(Arc<Parcel>);

impl Parcel {
    /// The parcel of an answer to a payment that was settled.
    pub fn of<B>(state: &State, payment: Option<PaymentId>, facts: Facts, answer: &Response<B>) -> Self {
        let purchase = payment.and_then(|payment| state.ship(payment));
        let (herald, handed_over) = (state.herald(), AtomicBool::new(false));
        let content = answer.extensions().get().copied().unwrap_or(Content::Real);
        Self { herald, payment, purchase, facts, handed_over, status: answer.status(), content }
    }

    /// Puts it on an answer. An answer that is another one by now, or an error, is not what was paid for.
    pub fn put_on<B>(self, answer: &mut Response<B>) {
        if answer.status() == self.status && self.status.as_u16() < 400 {
            answer.extensions_mut().insert(Arc::new(self));
        }
    }

    /// Takes the parcel from an answer.
    pub fn take<B>(answer: &mut Response<B>) -> Option<Arc<Self>> {
        answer.extensions_mut().remove()
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        let handed_over = *self.handed_over.get_mut();
        let mut facts = std::mem::take(&mut self.facts);
        let missing = match (self.content, handed_over) {
            (Content::Real, true) => None,
            (Content::Fake, _) => Some("a fault has put nothing or something else in the content's place"),
            (Content::Real, false) => Some("the content was not handed over to its last byte"),
        };
        let kind = if missing.is_none() { Kind::Delivered } else { Kind::NotDelivered };
        if missing.is_some() {
            facts.message = missing.map(str::to_owned);
        }
        let (payment, purchase) = (self.payment, self.purchase);
        self.herald.record_delivery(Shipment { kind, payment, purchase }, facts);
    }
}

impl Sent {
    fn new(parcel: Arc<Parcel>) -> Self {
        parcel.herald.counters.handing_over.fetch_add(1, Ordering::Relaxed);
        Self(parcel)
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.0.herald.counters.handing_over.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Outbox {
    /// Takes a parcel whose last byte was taken.
    pub fn add(&self, parcel: Arc<Parcel>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Sent::new(parcel));
    }

    /// All bytes so far have been written. `arrived` looks whether the client is still there.
    pub fn flushed(&self, arrived: impl Fn() -> bool) {
        let sent = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for sent in sent {
            if arrived() {
                sent.0.handed_over.store(true, Ordering::Relaxed);
            }
        }
    }
}
