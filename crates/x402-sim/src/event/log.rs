//! The events that are kept: a ring, the newest last.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Event, Facts, Kind};
use crate::event::{Door, PaymentId};
use crate::purchase::PurchaseId;

/// How many events are kept, where nothing else is said.
pub const CAPACITY: usize = 100_000;

/// The events that are kept, the newest last. It grows as events come, to its capacity and no further.
#[derive(Clone, Debug)]
pub struct EventLog {
    events: VecDeque<Arc<Event>>,
    capacity: usize,
    issued: u64,
}

/// What an event is made of, but for its place in the stream.
#[derive(Debug)]
pub(crate) struct Happening {
    pub(crate) at: u64,
    pub(crate) kind: Kind,
    pub(crate) purchase: Option<PurchaseId>,
    pub(crate) payment: Option<PaymentId>,
    pub(crate) door: Door,
    pub(crate) facts: Facts,
}

impl Default for EventLog {
    fn default() -> Self {
        Self { events: VecDeque::new(), capacity: CAPACITY, issued: 0 }
    }
}

impl EventLog {
    /// Appends an event; the oldest goes when there are too many.
    pub(crate) fn append(&mut self, happening: Happening) -> Arc<Event> {
        let Happening { at, kind, purchase, payment, door, facts } = happening;
        self.issued += 1;
        let event = Arc::new(Event { sequence: self.issued, at, kind, purchase, payment, door, facts });
        self.events.push_back(Arc::clone(&event));
        self.shrink();
        event
    }

    /// Keeps so many events from now on, and at least one.
    pub(crate) fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity.max(1);
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.events.len() > self.capacity {
            self.events.pop_front();
        }
    }

    /// How many events are kept at most.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// The sequence number of the newest event; zero where there was none yet.
    pub const fn newest(&self) -> u64 {
        self.issued
    }

    /// The sequence number of the oldest event that is kept, or of the one that comes next where none is.
    pub fn oldest(&self) -> u64 {
        self.events.front().map_or(self.issued + 1, |event| event.sequence)
    }

    /// How many events with a larger sequence number have gone: what a reader who has read so far has missed.
    pub fn missed_after(&self, sequence: u64) -> u64 {
        (self.oldest() - 1).saturating_sub(sequence)
    }

    /// The kept events with a larger sequence number, oldest first; at most so many.
    pub fn after(&self, sequence: u64, limit: usize) -> impl Iterator<Item = &Arc<Event>> {
        let wanted = usize::try_from(self.issued.saturating_sub(sequence)).unwrap_or(usize::MAX);
        self.events.range(self.events.len().saturating_sub(wanted)..).take(limit)
    }

    /// The kept events, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        self.events.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(capacity: usize, events: u64) -> EventLog {
        let mut log = EventLog::default();
        log.set_capacity(capacity);
        for at in 0..events {
            let (kind, door, facts) = (Kind::Offered, Door::Resources, Facts::default());
            log.append(Happening { at, kind, purchase: None, payment: None, door, facts });
        }
        log
    }

    fn sequences(log: &EventLog, after: u64, limit: usize) -> Vec<u64> {
        log.after(after, limit).map(|event| event.sequence).collect()
    }

    #[test]
    fn a_reader_gets_what_it_has_not_read_and_is_told_what_has_gone() {
        let log = log(5, 8);
        assert_eq!((log.oldest(), log.newest()), (4, 8));
        assert_eq!(sequences(&log, 6, 10), [7, 8]);
        assert_eq!(sequences(&log, 0, 2), [4, 5]);
        assert_eq!(sequences(&log, 8, 10), [0; 0]);
        assert_eq!(sequences(&log, u64::MAX, 10), [0; 0]);
        assert_eq!([0, 2, 3, 8, 99].map(|after| log.missed_after(after)), [3, 1, 0, 0, 0]);
    }

    #[test]
    fn an_empty_ring_has_missed_nothing_and_takes_no_room() {
        let log = EventLog::default();
        assert_eq!((log.oldest(), log.newest(), log.missed_after(0)), (1, 0, 0));
        assert_eq!((log.events.capacity(), log.capacity()), (0, 100_000));
    }

    #[test]
    fn a_smaller_ring_forgets_the_oldest() {
        let mut log = log(5, 5);
        log.set_capacity(2);
        assert_eq!(sequences(&log, 0, 10), [4, 5]);
        log.set_capacity(0);
        assert_eq!(sequences(&log, 0, 10), [5]);
    }
}
