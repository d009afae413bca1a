//! The faults of a world, and how often each was met and played.
//!
//! Cloning a table copies a few pointers, so that a snapshot keeps it for nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use imbl::{OrdMap, Vector};

use super::effect::{Effect, Twist};
use super::model::{Fault, FaultError, Occurrence, Per, Stage, Timing};
use super::route::route_matches;
use super::temper;
use crate::event::Door;
use crate::ledger::Account;

/// How many faults there can be.
pub const LIMIT: usize = 1_000;

/// For how many purchases counts are kept.
const PURCHASES: usize = 100_000;

/// A fault's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(pub u32);

/// Where a fault comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The configuration: a reload brings its faults anew.
    Config,
    /// Somebody, while the server ran.
    Live,
    /// It is built in: a persona's behaviour.
    BuiltIn,
}

/// The faults.
#[derive(Clone, Debug)]
pub struct Table {
    slots: OrdMap<FaultId, Slot>,
    tempers: OrdMap<FaultId, Slot>,
    counts: OrdMap<(FaultId, u64), Count>,
    /// In which order the purchases were first counted.
    counted: Vector<(FaultId, u64)>,
    issued: u32,
}

/// A fault in a table.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The fault.
    pub fault: Arc<Fault>,
    /// Where it comes from.
    pub origin: Origin,
    /// Who must pay, where it says so; none of them where it says nothing.
    payers: Arc<[Account]>,
    /// The names of the network that it says.
    networks: Arc<[String]>,
    /// How often it was met and played.
    pub count: Count,
}

/// How often a fault was met and played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How often something matched.
    pub met: u32,
    /// How often it was played.
    pub played: u32,
}

/// What is seen of a request where faults may be played.
#[derive(Clone, Debug, Default)]
pub struct Sight<'a> {
    /// The method of the request for the resource.
    pub method: Option<&'a str>,
    /// The resource's path.
    pub path: Option<&'a str>,
    /// Who pays.
    pub payer: Option<Account>,
    /// The network as the payment writes it.
    pub network: Option<&'a str>,
    /// The scheme.
    pub scheme: Option<&'a str>,
    /// The protocol version.
    pub version: Option<u8>,
    /// The purchase's id.
    pub purchase: Option<&'a str>,
    /// What the buyer calls the purchase: by the `payment-identifier` extension, or by a header.
    pub called: Option<&'a str>,
    /// Whether the request carries a payment.
    pub paid: bool,
}

/// A fault that is played now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// Its number; none where one request asked for it by its header.
    pub id: Option<FaultId>,
    /// The fault.
    pub fault: Arc<Fault>,
}

impl std::fmt::Display for FaultId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "f{}", self.0)
    }
}

impl FaultId {
    /// Reads `f3` or `3`.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix('f').unwrap_or(text).parse().ok().map(Self)
    }
}

impl Default for Table {
    /// Only the personas' behaviour.
    fn default() -> Self {
        let tempers = temper::faults().into_iter().zip(0..).map(|((accounts, fault), number)| {
            let (payers, networks) = (Arc::from(accounts), Arc::from([]));
            let (fault, origin, count) = (Arc::new(fault), Origin::BuiltIn, Count::default());
            (FaultId(u32::MAX - number), Slot { fault, origin, payers, networks, count })
        });
        Self {
            slots: OrdMap::new(),
            tempers: tempers.collect(),
            counts: OrdMap::new(),
            counted: Vector::new(),
            issued: 0,
        }
    }
}

impl Table {
    /// Whether nobody has added any fault.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// How many were added.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// The faults that were added, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (FaultId, &Slot)> {
        self.slots.iter().map(|(id, slot)| (*id, slot))
    }

    /// The built-in ones.
    pub fn built_in(&self) -> impl Iterator<Item = (FaultId, &Slot)> {
        self.tempers.iter().rev().map(|(id, slot)| (*id, slot))
    }

    /// Adds a fault. `payers` and `networks` are what its names mean.
    ///
    /// # Errors
    ///
    /// A fault that can do nothing, or too many.
    pub fn add(
        &mut self,
        fault: Fault,
        origin: Origin,
        payers: Vec<Account>,
        networks: Vec<String>,
    ) -> Result<FaultId, FaultError> {
        fault.check()?;
        if self.slots.len() >= LIMIT {
            return Err(FaultError::new("", format!("there are {LIMIT} faults already; remove some")));
        }
        self.issued += 1;
        let id = FaultId(self.issued);
        let (fault, count) = (Arc::new(fault), Count::default());
        self.slots.insert(id, Slot { fault, origin, payers: payers.into(), networks: networks.into(), count });
        Ok(id)
    }

    /// Says how often a fault was met and played.
    pub(crate) fn recount(&mut self, id: FaultId, count: Count) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.count = count;
        }
    }

    /// Removes the faults for which a test holds. Gives their numbers.
    pub fn remove(&mut self, test: impl Fn(FaultId, &Slot) -> bool) -> Vec<FaultId> {
        let gone: Vec<_> = self.iter().filter(|(id, slot)| test(*id, slot)).map(|(id, _)| id).collect();
        for id in &gone {
            self.slots.remove(id);
        }
        if self.slots.is_empty() {
            self.counts =
                self.counts.iter().filter(|((id, _), _)| id.0 > LIMIT_OF_USERS).map(|(k, v)| (*k, *v)).collect();
            self.counted = self.counted.iter().filter(|(id, _)| id.0 > LIMIT_OF_USERS).copied().collect();
        }
        gone
    }

    /// The faults that are played at a stage, in the order in which they were added. Counts them.
    pub(crate) fn play(
        &mut self,
        point: (Stage, Timing, Door),
        sight: &Sight<'_>,
        random: &mut dyn FnMut() -> u32,
    ) -> Vec<Played> {
        let mut played = Vec::new();
        let tempered = point.0 == Stage::Settle && sight.payer.is_some_and(|payer| temper::is_tempered(&payer));
        let own = self.slots.iter().map(|(id, slot)| (*id, slot));
        let built_in = self.tempers.iter().filter(|_| tempered).map(|(id, slot)| (*id, slot));
        let met: Vec<FaultId> =
            own.chain(built_in).filter(|(_, slot)| slot.matches(point, sight)).map(|(id, _)| id).collect();
        for id in met {
            if let Some(fault) = self.meet(id, sight, random) {
                played.push(Played { id: Some(id), fault });
            }
        }
        played
    }

    /// Counts a match; gives the fault where this one is played.
    fn meet(&mut self, id: FaultId, sight: &Sight<'_>, random: &mut dyn FnMut() -> u32) -> Option<Arc<Fault>> {
        let slots = if self.slots.contains_key(&id) { &mut self.slots } else { &mut self.tempers };
        let slot = slots.get_mut(&id)?;
        slot.count.met = slot.count.met.saturating_add(1);
        let fault = Arc::clone(&slot.fault);
        let total = slot.count;
        let key = (id, purchase_of(sight));
        let mut count = match fault.occurrence.per {
            Per::All => total,
            Per::Purchase => {
                let mut own = self.counts.get(&key).copied().unwrap_or_default();
                own.met = own.met.saturating_add(1);
                own
            }
        };
        let plays = fault.occurrence.plays(count.met, random) && fault.times.is_none_or(|times| count.played < times);
        if plays {
            count.played = count.played.saturating_add(1);
            slot.count.played = slot.count.played.saturating_add(1);
        }
        if fault.occurrence.per == Per::Purchase {
            self.keep(key, count);
        }
        plays.then_some(fault)
    }

    fn keep(&mut self, key: (FaultId, u64), count: Count) {
        if self.counts.insert(key, count).is_none() {
            self.counted.push_back(key);
            if self.counted.len() > PURCHASES
                && let Some(oldest) = self.counted.pop_front()
            {
                self.counts.remove(&oldest);
            }
        }
    }
}

/// Numbers above belong to built-in faults.
const LIMIT_OF_USERS: u32 = u32::MAX - 1_000;

/// What stands for a purchase: its id, or else who buys what.
fn purchase_of(sight: &Sight<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match sight.purchase {
        Some(purchase) => purchase.hash(&mut hasher),
        None => (sight.payer, sight.method, sight.path).hash(&mut hasher),
    }
    hasher.finish()
}

impl Occurrence {
    /// Whether the fault is played at its so-manieth match.
    fn plays(&self, met: u32, random: &mut dyn FnMut() -> u32) -> bool {
        self.nth.is_none_or(|nth| met == nth)
            && self.every.is_none_or(|every| met.is_multiple_of(every))
            && self.first.is_none_or(|first| met <= first)
            && self.probability.is_none_or(|chance| random() < chance)
    }
}

impl Fault {
    /// Whether it does anything at a door, to a request with or without a payment.
    pub(crate) fn plays_at(&self, door: Door, paid: bool) -> bool {
        self.works_at(door) && concerns(&self.effect, self.stage, paid)
    }
}

impl Slot {
    fn matches(&self, (stage, timing, door): (Stage, Timing, Door), sight: &Sight<'_>) -> bool {
        let Fault { stage: own_stage, timing: own_timing, ref matcher, .. } = *self.fault;
        let is = |wanted: Option<&str>, seen: Option<&str>| {
            wanted.is_none_or(|wanted| seen.is_some_and(|seen| seen.eq_ignore_ascii_case(wanted)))
        };
        own_stage == stage
            && own_timing == timing
            && matcher.door.is_none_or(|own| own == door)
            && self.fault.plays_at(door, sight.paid)
            && (matcher.payer.is_none() && self.origin != Origin::BuiltIn
                || sight.payer.is_some_and(|payer| self.payers.contains(&payer)))
            && (self.networks.is_empty()
                || sight.network.is_some_and(|seen| self.networks.iter().any(|own| own == seen)))
            && is(matcher.method.as_deref(), sight.method)
            && is(matcher.scheme.as_deref(), sight.scheme)
            && (is(matcher.purchase.as_deref(), sight.purchase)
                || matcher.purchase.is_some() && matcher.purchase.as_deref() == sight.called)
            && matcher.version.is_none_or(|version| sight.version == Some(version))
            && matcher.route.as_deref().is_none_or(|route| sight.path.is_some_and(|path| route_matches(route, path)))
    }
}

/// At the stage of offers, what changes an offer also changes what a payment is compared with; all else is about the
/// answer to a request without a payment. A price is raised for those who come back.
const fn concerns(effect: &Effect, stage: Stage, paid: bool) -> bool {
    match (stage, effect) {
        (Stage::Offer, Effect::Twist(Twist::PriceRaised(_))) => paid,
        (Stage::Offer, Effect::Twist(_)) => true,
        (Stage::Offer, _) => !paid,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(occurrence: Occurrence, times: Option<u32>, met: usize) -> Vec<bool> {
        let mut table = Table::default();
        let fault =
            Fault { occurrence, times, ..Fault::new(Stage::Verify, Timing::Before, Effect::parse("hang").unwrap()) };
        table.add(fault, Origin::Live, Vec::new(), Vec::new()).unwrap();
        let mut tossed = 0;
        let mut random = || {
            tossed += 400_000;
            tossed % 1_000_000
        };
        let point = (Stage::Verify, Timing::Before, Door::Facilitator);
        (0..met).map(|_| !table.play(point, &Sight::default(), &mut random).is_empty()).collect()
    }

    #[test]
    fn occurrences_choose_among_the_matches() {
        let base = Occurrence::default();
        assert_eq!(counts(Occurrence { nth: Some(2), ..base }, None, 4), [false, true, false, false]);
        assert_eq!(counts(Occurrence { every: Some(2), ..base }, None, 4), [false, true, false, true]);
        assert_eq!(counts(Occurrence { every: Some(2), ..base }, Some(1), 4), [false, true, false, false]);
        assert_eq!(counts(Occurrence { first: Some(2), ..base }, None, 3), [true, true, false]);
        assert_eq!(counts(Occurrence { probability: Some(500_000), ..base }, None, 4), [true, false, true, false]);
        assert_eq!(counts(base, Some(2), 3), [true, true, false]);
    }

    #[test]
    fn purchases_are_counted_each_for_itself() {
        let mut table = Table::default();
        let occurrence = Occurrence { first: Some(1), per: Per::Purchase, ..Occurrence::default() };
        let fault = Fault { occurrence, ..Fault::new(Stage::Verify, Timing::Before, Effect::parse("hang").unwrap()) };
        table.add(fault, Origin::Live, Vec::new(), Vec::new()).unwrap();
        let point = (Stage::Verify, Timing::Before, Door::Facilitator);
        let mut play = |purchase| {
            let sight = Sight { purchase: Some(purchase), ..Sight::default() };
            table.play(point, &sight, &mut || 0).len()
        };
        assert_eq!([play("a"), play("b"), play("a"), play("b")], [1, 1, 0, 0]);
    }

    #[test]
    fn there_can_only_be_so_many() {
        let mut table = Table::default();
        let fault = Fault::new(Stage::Verify, Timing::Before, Effect::parse("hang").unwrap());
        let mut add = || table.add(fault.clone(), Origin::Live, Vec::new(), Vec::new());
        assert!((0..LIMIT).all(|_| add().is_ok()));
        assert_eq!(add().unwrap_err().to_string(), "there are 1000 faults already; remove some");
    }
}
