//! Events as the stream sends them, written once for all readers.

use std::sync::{Arc, Mutex, PoisonError};

use x402_sim::event::Event;

/// How many events are kept in writing: what readers that keep up have not read yet. A reader that is further behind has
/// its events written again.
const KEPT: usize = 1024;

/// The newest events, in writing.
#[derive(Debug, Default)]
pub struct Rendered(Mutex<Vec<Written>>);

/// An event's sequence number and its text.
type Written = (u64, Arc<str>);

impl Rendered {
    /// The event as the stream sends it.
    pub fn of(&self, event: &Event) -> Arc<str> {
        let place = usize::try_from(event.sequence).unwrap_or_default() % KEPT;
        let known = self.lock().get(place).filter(|(sequence, _)| *sequence == event.sequence).cloned();
        // Written without the lock: two readers may do it at the same time, and nobody waits for the other.
        known.map_or_else(|| self.write(event, place), |(_, text)| text)
    }

    fn write(&self, event: &Event, place: usize) -> Arc<str> {
        let json = serde_json::to_string(event).expect("events have string keys");
        let text: Arc<str> = format!("id: {}\ndata: {json}\n\n", event.sequence).into();
        let mut kept = self.lock();
        if kept.is_empty() {
            kept.resize_with(KEPT, || (0, "".into()));
        }
        kept[place] = (event.sequence, Arc::clone(&text));
        text
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Written>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use x402_sim::event::{Door, Facts, Kind};

    use super::*;

    #[test]
    fn every_event_is_itself_also_where_it_takes_the_place_of_another() {
        let rendered = Rendered::default();
        let event = |sequence| {
            let (at, door, facts) = (sequence * 7, Door::Resources, Facts::default());
            Event { sequence, at, kind: Kind::Offered, purchase: None, payment: None, door, facts }
        };
        for sequence in [1, KEPT as u64, KEPT as u64 + 1, 1, 2 * KEPT as u64 + 1, KEPT as u64] {
            let event = event(sequence);
            let json = serde_json::to_string(&event).unwrap();
            for _ in 0..2 {
                assert_eq!(&*rendered.of(&event), format!("id: {sequence}\ndata: {json}\n\n"));
            }
        }
    }
}
