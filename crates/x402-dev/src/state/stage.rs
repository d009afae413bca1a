//! The one world, and who is told of what happens in it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use x402_sim::World;
use x402_sim::clock::Clock;
use x402_sim::event::{Event, Facts, Kind};
use x402_sim::world::record::Shipment;

use super::Counters;
use super::callers::Callers;
use super::refused::Record;
use crate::clock;
use crate::metrics::Metrics;
use crate::terminal::Terminal;

/// The one world, and who is told of what happens in it.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) world: Mutex<World>,
    /// The newest event that was printed and counted.
    pub(super) told: AtomicU64,
    /// The newest event, for readers that wait for one.
    pub(super) news: watch::Sender<u64>,
    /// What is counted.
    pub(super) metrics: Arc<Metrics>,
    /// Since when there is this world, in milliseconds of real time.
    pub(super) begun: u64,
    /// The clock, for whoever waits for a time of it.
    pub(super) clock: watch::Sender<Clock>,
    /// When the next thing comes due in the world.
    pub(super) due: watch::Sender<Option<u64>>,
    /// Whether somebody has added faults: who passes by looks here first, without a lock.
    pub(super) armed: AtomicBool,
    /// The newest refused payments.
    pub(super) refused: Record,
    /// Who asked without a payment.
    pub(super) callers: Callers,
}

/// Who tells what happens after an answer has left the doors.
#[derive(Clone, Debug)]
pub struct Herald {
    pub(super) stage: Arc<Stage>,
    /// How much the server has done.
    pub counters: Arc<Counters>,
    pub(super) terminal: Arc<Terminal>,
}

impl Stage {
    /// The world. Held briefly, never across an `.await`.
    ///
    /// A panic in a command leaves the world as it was before or after one effect list, so a poisoned lock is taken.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a line for people says besides: a payment that came too early or too late may have been signed by a clock
    /// that the world's differs from.
    fn remark(&self, event: &Event) -> Option<String> {
        let reason = event.facts.reason.as_deref()?;
        let late = ["valid_before", "valid_after", "invoice_expired"].iter().any(|end| reason.ends_with(end));
        if late { clock::skew(self.skew_ms()) } else { None }
    }

    pub(super) fn skew_ms(&self) -> i64 {
        self.clock.borrow().offset(clock::now())
    }

    /// Prints and counts an event.
    fn tell(&self, (counters, terminal): (&Counters, &Terminal), event: &Event) {
        if event.kind == Kind::Settled {
            counters.payments.fetch_add(1, Ordering::Relaxed);
        }
        self.metrics.happened(event);
        terminal.event(event, self.remark(event).as_deref());
    }

    /// See [`State::act`](super::State::act).
    pub(super) fn act<T>(&self, witnesses: (&Counters, &Terminal), what: impl FnOnce(&mut World, u64) -> T) -> T {
        self.act_at(witnesses, |world, now, _| what(world, now))
    }

    /// The same for who wants to know the time of this computer besides, in milliseconds.
    pub(super) fn act_at<T>(
        &self,
        witnesses: (&Counters, &Terminal),
        what: impl FnOnce(&mut World, u64, u64) -> T,
    ) -> T {
        let mut world = self.world();
        // Read when nobody else acts: what happens later has no earlier time.
        let real = clock::now();
        let (clock, due) = (*world.clock(), world.next_due());
        let now = clock.at(real);
        world.catch_up(now);
        let result = what(&mut world, now, real);
        let newest = world.events().newest();
        let told = self.told.swap(newest, Ordering::Relaxed);
        let mut events = world.events().after(told, usize::MAX).cloned();
        // Most commands make one event or none, and a list of the others that is empty takes no memory.
        let (first, others): (_, Vec<_>) = (events.next(), events.collect());
        if *world.clock() != clock {
            self.clock.send_replace(*world.clock());
        }
        if world.next_due() != due {
            self.due.send_replace(world.next_due());
        }
        self.armed.store(!world.faults().is_empty(), Ordering::Relaxed);
        drop(world);
        if newest != told {
            first.iter().chain(&others).for_each(|event| self.tell(witnesses, event));
            // Waking nobody is not free either.
            if self.news.receiver_count() > 0 {
                self.news.send_replace(newest);
            }
        }
        result
    }
}

impl Herald {
    /// Records that content was handed over, or that it was not.
    pub fn record_delivery(&self, shipment: Shipment, facts: Facts) {
        let witnesses = (&*self.counters, &*self.terminal);
        self.stage.act(witnesses, |world, now| drop(world.record_delivery(now, shipment, facts)));
    }
}
