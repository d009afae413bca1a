//! What is made to go wrong, as commands: adding, removing, and playing it where a payment passes.

use rand_chacha::rand_core::Rng;

use super::World;
use crate::charge::Charge;
use crate::event::{Door, Facts, Kind, PaymentId};
use crate::fault::model::FaultError;
use crate::fault::table::Origin;
use crate::fault::{Effect, Fault, FaultId, Played, Sight, Stage, Table, Timing};
use crate::ledger::Account;

use super::settlement::{Settled, Standing};

/// A place where faults may be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Where on a payment's way.
    pub stage: Stage,
    /// Before or after the ledger commits.
    pub timing: Timing,
    /// Through which door.
    pub door: Door,
}

impl World {
    /// The faults.
    pub const fn faults(&self) -> &Table {
        &self.roots.faults
    }

    /// Adds faults: all of them or none. Gives their numbers.
    ///
    /// # Errors
    ///
    /// Names that this world does not know, effects that do nothing where they are to be played, or too many faults.
    pub fn add_faults(&mut self, faults: Vec<Fault>, origin: Origin) -> Result<Vec<FaultId>, FaultError> {
        let mut table = self.roots.faults.clone();
        let mut ids = Vec::with_capacity(faults.len());
        for fault in faults {
            let payers = self.payers(&fault)?;
            let networks = self.networks(&fault)?;
            ids.push(table.add(fault, origin, payers, networks)?);
        }
        self.roots.faults = table;
        Ok(ids)
    }

    /// Removes the faults of a number or a name. Gives their numbers: none where there is no such fault.
    pub fn remove_faults(&mut self, wanted: &str) -> Vec<FaultId> {
        let id = FaultId::parse(wanted);
        self.roots.faults.remove(|own, slot| Some(own) == id || slot.fault.name.as_deref() == Some(wanted))
    }

    /// Removes every fault that somebody added. Gives their numbers.
    pub fn clear_faults(&mut self) -> Vec<FaultId> {
        self.roots.faults.remove(|_, _| true)
    }

    /// Puts the faults of the configuration in the place of its earlier ones; those added live stay. They are also there
    /// after a reset.
    ///
    /// # Errors
    ///
    /// As for adding; nothing changes then.
    pub fn configure_faults(&mut self, faults: Vec<Fault>) -> Result<(), FaultError> {
        let before = self.roots.faults.clone();
        self.roots.faults.remove(|_, slot| slot.origin == Origin::Config);
        if let Err(error) = self.add_faults(faults.clone(), Origin::Config) {
            self.roots.faults = before;
            return Err(error);
        }
        let now = std::mem::take(&mut self.start.faults);
        let live = std::mem::replace(&mut self.roots.faults, now);
        self.roots.faults.remove(|_, _| true);
        let added = self.add_faults(faults, Origin::Config);
        self.start.faults = std::mem::replace(&mut self.roots.faults, live);
        added.map(drop)
    }

    /// Plays the faults of a place: those of the world that match, and those that the request asked for itself. Each is
    /// an event, and its effect is then for the caller to bring about.
    pub fn play(
        &mut self,
        point: Point,
        sight: &Sight<'_>,
        asked: &[Fault],
        (payment, facts): (Option<PaymentId>, &Facts),
        now: u64,
    ) -> Vec<Played> {
        let Point { stage, timing, door } = point;
        // Every door says who buys what before it plays a fault, so that the purchase is known by now, with its name.
        let purchase = payment.and_then(|payment| self.purchases.of(payment)).and_then(|id| self.purchases.get(id));
        let (id, called) = (purchase.map(|own| own.id.to_string()), purchase.and_then(|own| own.name.clone()));
        let sight = Sight {
            purchase: sight.purchase.or(id.as_deref()),
            called: sight.called.or(called.as_deref()),
            ..sight.clone()
        };
        let random = &mut self.roots.random;
        let mut chance = || random.next_u32() % 1_000_000;
        let mut played = self.roots.faults.play((stage, timing, door), &sight, &mut chance);
        for fault in asked.iter().filter(|fault| fault.is_for(point, sight.paid)) {
            played.push(Played { id: None, fault: std::sync::Arc::new(fault.clone()) });
        }
        for played in &played {
            let facts = Facts { message: Some(played.sentence()), ..facts.clone() };
            self.record(now, Kind::Faulted, door, payment, facts);
        }
        played
    }

    /// The settlement that used the authorization of a charge before.
    pub fn settled_before(&self, charge: &Charge) -> Option<Settled> {
        let number = self.roots.ledger.user_of(&charge.once())?;
        let record = self.roots.ledger.record(number)?.clone();
        Some(self.settled(record, Some(number), Standing::Confirmed))
    }

    /// Whether somebody may ask again for a settlement that was pending.
    pub fn may_be_asked(&self) -> bool {
        self.roots.agenda.may_be_asked()
    }

    fn payers(&self, fault: &Fault) -> Result<Vec<Account>, FaultError> {
        let Some(name) = &fault.matcher.payer else { return Ok(Vec::new()) };
        match self.roots.book.find(name) {
            Ok(party) => Ok(party.accounts()),
            Err(error) => Err(FaultError {
                hint: Some(error.hint().to_owned()),
                ..FaultError::new("match.payer", error.to_string())
            }),
        }
    }

    fn networks(&self, fault: &Fault) -> Result<Vec<String>, FaultError> {
        let Some(name) = &fault.matcher.network else { return Ok(Vec::new()) };
        let enabled = self.catalog.networks();
        let found = enabled.iter().find(|network| network.id == *name || network.v1_name.as_ref() == Some(name));
        let Some(network) = found else {
            let known = enabled.iter().map(|network| network.id.as_str()).collect::<Vec<_>>().join(", ");
            let text =
                format!("network `{}` is not enabled here; enabled are {known}", x402_wire::shape::shorten(name));
            return Err(FaultError::new("match.network", text));
        };
        Ok([Some(network.id.clone()), network.v1_name.clone()].into_iter().flatten().collect())
    }
}

impl Fault {
    /// Whether a fault that a request asked for is played at a place.
    fn is_for(&self, point: Point, paid: bool) -> bool {
        self.stage == point.stage
            && self.timing == point.timing
            && self.matcher.door.is_none_or(|door| door == point.door)
            && self.plays_at(point.door, paid)
    }
}

impl Played {
    /// What is played, for people and for the event: `f3 (reorg): settle: reverted:10s`.
    pub fn sentence(&self) -> String {
        let id = self.id.map_or_else(|| "asked for by the request".to_owned(), |id| id.to_string());
        let breaks = if self.fault.effect.breaks_ledger() { " (breaks-ledger)" } else { "" };
        let name = self.fault.name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
        format!("fault {id}{name}: {}{breaks}", self.fault.summary())
    }

    /// What goes wrong.
    pub fn effect(&self) -> &Effect {
        &self.fault.effect
    }
}
