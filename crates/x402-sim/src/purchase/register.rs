//! The purchases that are kept, and to which of them a request and its events belong.
//!
//! | what a request has | its purchase |
//! |---|---|
//! | a name that the buyer gave | the one of that name |
//! | a payment that was seen before | the one that the payment was tried for |
//! | payer and resource | the open one of both; one that came to a good end takes no further authorization |
//!
//! Only an attempt to pay opens a purchase: a million unpaid requests cost nothing. The newest are kept; when one is
//! forgotten, so is what it was known by. Later events of a payment, from the chain too, find its purchase by the payment.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher};

use super::buyer::{Buyer, Key};
use super::tally::{News, Purchase};
use super::{Grouping, PurchaseId, Seen};
use crate::event::{Door, Kind, PaymentId};

/// How many purchases are kept.
pub const CAPACITY: usize = 10_000;

/// How many payments are known by the purchases that are kept.
const PAYMENTS: usize = 100_000;

/// How many payments one purchase remembers. The oldest go; they were counted.
const PAYMENTS_OF_ONE: usize = 10_000;

/// How many payments of others one purchase remembers.
const GUESTS: usize = 32;

type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// The purchases that are kept, the newest last.
#[derive(Clone, Debug, Default)]
pub struct Register {
    kept: VecDeque<Purchase>,
    forgotten: u64,
    /// The last purchase of a world that was left by a restore or a reset.
    page: u64,
    open: Map<Key, u64>,
    payments: Map<PaymentId, Place>,
}

/// Where a payment belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// The purchase that it was first tried for, or that it settled.
    owner: u64,
    /// The purchase of the request that brought it last.
    latest: u64,
}

impl Register {
    /// The purchase that is called so.
    pub fn get(&self, id: PurchaseId) -> Option<&Purchase> {
        self.kept.get(self.place(id.0)?)
    }

    /// The purchase of the request that brought a payment last.
    pub fn of(&self, payment: PaymentId) -> Option<PurchaseId> {
        self.payments.get(&payment).map(|place| PurchaseId(place.latest))
    }

    /// The newest purchase: the one that was opened last.
    pub fn last(&self) -> Option<&Purchase> {
        self.kept.back()
    }

    /// The kept purchases, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Purchase> {
        self.kept.iter()
    }

    /// The kept purchases with a larger number, oldest first.
    pub fn after(&self, number: u64) -> impl Iterator<Item = &Purchase> {
        let gone = usize::try_from(number.saturating_sub(self.forgotten)).unwrap_or(usize::MAX);
        self.kept.range(gone.min(self.kept.len())..)
    }

    /// How many purchases were forgotten, because there were too many.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Whether a purchase takes no further authorization.
    pub fn is_closed(&self, purchase: &Purchase) -> bool {
        purchase.id.0 <= self.page || (purchase.grouping == Grouping::Guess && purchase.complete)
    }

    /// The world goes back to an earlier state: what comes now belongs to no purchase of before.
    pub(crate) fn turn_page(&mut self) {
        self.page = self.newest();
        self.open.clear();
        self.payments.clear();
    }

    /// A request comes with a payment: an attempt of its purchase begins.
    pub(crate) fn meet(&mut self, payment: PaymentId, buyer: &Buyer<'_>) {
        let place = self.payments.get(&payment).copied();
        let number = match buyer.named_key() {
            Some(key) => self.find_named(key, buyer, place),
            None => self.find_guessed(payment, buyer, place),
        };
        self.bring(number, payment, place);
        if let Some(purchase) = self.at(number) {
            purchase.begin(buyer);
        }
        self.forget_old();
    }

    /// The content of a payment is on its way. Gives the purchase that it is for.
    pub(crate) fn ship(&mut self, payment: PaymentId) -> Option<PurchaseId> {
        let place = self.payments.get(&payment).copied()?;
        // Money that the facilitator alone saw move is for the resource that was asked last.
        let elsewhere = self.at(place.owner).is_none_or(|owner| owner.seen == Seen::Facilitator);
        let purchase = self.at(if elsewhere { place.latest } else { place.owner })?;
        purchase.ship();
        Some(purchase.id)
    }

    /// Counts an event for its purchase, and says for which.
    pub(crate) fn learn(&mut self, news: &News<'_>) -> Option<PurchaseId> {
        let payment = news.payment?;
        let number = match (news.purchase, self.payments.get(&payment).copied()) {
            (Some(purchase), _) => purchase.0,
            // Whoever tried the same payment meanwhile: the chain settles for its owner.
            (None, Some(place)) if news.door == Door::Chain => place.owner,
            (None, Some(place)) => place.latest,
            // Money that moves for a purchase that was forgotten.
            (None, None) if !news.moves.is_empty() => {
                let number = self.open(Grouping::Guess, None, None);
                self.bring(number, payment, None);
                number
            }
            (None, None) => return None,
        };
        if matches!(news.kind, Kind::Settled | Kind::Pending) {
            self.give(payment, number);
        }
        let purchase = self.at(number)?;
        purchase.learn(news);
        let id = purchase.id;
        self.forget_old();
        Some(id)
    }

    fn newest(&self) -> u64 {
        self.forgotten + self.kept.len() as u64
    }

    fn place(&self, number: u64) -> Option<usize> {
        let place = number.checked_sub(self.forgotten + 1)?;
        usize::try_from(place).ok().filter(|place| *place < self.kept.len())
    }

    fn at(&mut self, number: u64) -> Option<&mut Purchase> {
        let place = self.place(number)?;
        self.kept.get_mut(place)
    }

    fn find_named(&mut self, key: Key, buyer: &Buyer<'_>, place: Option<Place>) -> u64 {
        if let Some(number) = self.open.get(&key) {
            return *number;
        }
        // The facilitator saw the payment first, and could not see the name.
        let unnamed = place.map(|place| place.owner).filter(|owner| self.at(*owner).is_some_and(|own| is_unnamed(own)));
        let number = match unnamed {
            Some(owner) => {
                self.bind(owner, key);
                owner
            }
            None => self.open(Grouping::Guess, Some(key), Some(buyer)),
        };
        if let (Some(purchase), Some(name)) = (self.at(number), &buyer.name) {
            purchase.take_name(name);
        }
        number
    }

    fn find_guessed(&mut self, payment: PaymentId, buyer: &Buyer<'_>, place: Option<Place>) -> u64 {
        let owner = place.map(|place| place.owner);
        if let Some(number) = owner.filter(|_| !buyer.is_at_resource()) {
            return number;
        }
        let key = buyer.guessed_key();
        if let Some(number) = owner
            && self.adopts(number, key)
        {
            return number;
        }
        let found = self.open.get(&key).copied();
        let goes_on = found.filter(|number| self.at(*number).is_some_and(|own| !own.complete || own.knows(payment)));
        goes_on.unwrap_or_else(|| self.open(Grouping::Guess, Some(key), Some(buyer)))
    }

    /// Whether a purchase that owns the payment is for this very request; one that only the facilitator saw becomes so.
    fn adopts(&mut self, number: u64, key: Key) -> bool {
        let known = self.open.contains_key(&key);
        let Some(purchase) = self.at(number) else { return false };
        if purchase.wanted.is_some() {
            return purchase.wanted == Some(key);
        }
        purchase.wanted = Some(key);
        if purchase.grouping == Grouping::Guess && !known {
            self.bind(number, key);
        }
        true
    }

    /// Opens a purchase that is known by a key.
    fn open(&mut self, grouping: Grouping, key: Option<Key>, buyer: Option<&Buyer<'_>>) -> u64 {
        let number = self.newest() + 1;
        self.kept.push_back(Purchase::new(PurchaseId(number), grouping, buyer));
        if let Some(key) = key {
            self.bind(number, key);
        }
        number
    }

    fn bind(&mut self, number: u64, key: Key) {
        self.open.insert(key, number);
        if let Some(purchase) = self.at(number) {
            purchase.keys.push(key);
        }
    }

    /// Brings a payment to a purchase, and counts the authorization if it is new there.
    fn bring(&mut self, number: u64, payment: PaymentId, place: Option<Place>) {
        if place == Some(Place { owner: number, latest: number }) {
            return;
        }
        let owner = place.map_or(number, |place| place.owner);
        let Some(purchase) = self.at(number) else { return };
        if place.is_none() {
            purchase.counts.authorizations += 1;
            self.keep_payment(number, payment);
        } else if owner != number && !purchase.guests.contains(&payment) {
            purchase.counts.authorizations += 1;
            invite(&mut purchase.guests, payment);
        }
        self.payments.insert(payment, Place { owner, latest: number });
    }

    /// Remembers that a payment is a purchase's own; the oldest goes when there are too many.
    fn keep_payment(&mut self, number: u64, payment: PaymentId) {
        let Some(purchase) = self.at(number) else { return };
        purchase.payments.push_back(payment);
        if purchase.payments.len() > PAYMENTS_OF_ONE
            && let Some(old) = purchase.payments.pop_front()
        {
            self.payments.remove(&old);
        }
    }

    /// A payment belongs where it settles.
    fn give(&mut self, payment: PaymentId, number: u64) {
        let Some(place) = self.payments.get(&payment).copied().filter(|place| place.owner != number) else { return };
        self.payments.insert(payment, Place { owner: number, latest: number });
        if let Some(before) = self.at(place.owner) {
            before.payments.retain(|own| *own != payment);
            invite(&mut before.guests, payment);
        }
        if let Some(purchase) = self.at(number) {
            purchase.guests.retain(|own| *own != payment);
        }
        self.keep_payment(number, payment);
    }

    fn forget_old(&mut self) {
        while self.kept.len() > CAPACITY || (self.payments.len() > PAYMENTS && self.kept.len() > 1) {
            let Some(old) = self.kept.pop_front() else { return };
            self.forgotten += 1;
            for key in old.keys {
                if self.open.get(&key) == Some(&old.id.0) {
                    self.open.remove(&key);
                }
            }
            for payment in old.payments {
                if self.payments.get(&payment).is_some_and(|place| place.owner == old.id.0) {
                    self.payments.remove(&payment);
                }
            }
        }
    }
}

/// Whether one authorization of a purchase, which is a guess, was seen where buyers have no names: at the facilitator
/// alone, and it has not settled, or by a chain alone, which tells only what has moved.
fn is_unnamed(purchase: &Purchase) -> bool {
    let counts = &purchase.counts;
    let unsettled = counts.settlements + counts.undone == 0;
    let first = counts.authorizations == 1 && (unsettled || counts.attempts == 0);
    first && purchase.grouping == Grouping::Guess && purchase.seen == Seen::Facilitator
}

/// Remembers a payment of another purchase; the oldest goes when there are too many.
fn invite(guests: &mut Vec<PaymentId>, payment: PaymentId) {
    if guests.len() == GUESTS {
        guests.remove(0);
    }
    guests.push(payment);
}
