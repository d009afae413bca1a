//! Who asked without a payment: what the newest clients call themselves, by the event of the offer that each got.
//!
//! A ring of fixed size: an unpaid request copies one name into it, and allocates nothing.

use std::sync::{Mutex, PoisonError};

/// How many are kept.
const KEPT: usize = 64;

/// How much of a name is kept, in bytes. Ids of networks are shorter.
const LONGEST: usize = 64;

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// The event of the offer.
    pub event: u64,
    /// The client's `User-Agent`, cut after 64 bytes.
    pub agent: Option<String>,
    /// What the first entry of the offer asked for.
    pub asked: Option<Asked>,
}

/// What an entry of an offer asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The version of the protocol.
    pub version: u64,
    /// The scheme.
    pub scheme: &'static str,
    /// The network's id.
    pub network: String,
}

/// The newest of them.
#[derive(Debug)]
pub(super) struct Callers(Mutex<Ring>);

#[derive(Debug)]
struct Ring {
    /// The place of the next one.
    next: usize,
    all: [Caller; KEPT],
}

#[derive(Clone, Copy, Debug)]
struct Caller {
    /// Zero where nobody is.
    event: u64,
    name: Word,
    asked: Option<(u64, &'static str, Word)>,
}

/// The beginning of a text.
#[derive(Clone, Copy, Debug)]
struct Word {
    length: usize,
    bytes: [u8; LONGEST],
}

const NOTHING: Word = Word { length: 0, bytes: [0; LONGEST] };
const NOBODY: Caller = Caller { event: 0, name: NOTHING, asked: None };

impl Word {
    fn of(text: &[u8]) -> Self {
        let length = text.len().min(LONGEST);
        let mut bytes = [0; LONGEST];
        bytes[..length].copy_from_slice(&text[..length]);
        Self { length, bytes }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes[..self.length]).into_owned()
    }
}

impl Default for Callers {
    fn default() -> Self {
        Self(Mutex::new(Ring { next: 0, all: [NOBODY; KEPT] }))
    }
}

impl Callers {
    /// Remembers who got the offer of an event, and the version, scheme and network that it asked for.
    pub(super) fn note(&self, event: u64, agent: Option<&[u8]>, asked: Option<(u64, &'static str, &str)>) {
        let name = Word::of(agent.unwrap_or_default());
        let asked = asked.map(|(version, scheme, network)| (version, scheme, Word::of(network.as_bytes())));
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = ring.next;
        ring.all[next] = Caller { event, name, asked };
        ring.next = (next + 1) % KEPT;
    }

    /// Those that are kept, the newest first.
    pub(super) fn newest_first(&self) -> Vec<Called> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Caller> = ring.all.iter().filter(|caller| caller.event > 0).copied().collect();
        drop(ring);
        all.sort_by_key(|caller| std::cmp::Reverse(caller.event));
        let called = |caller: Caller| {
            let asked =
                caller.asked.map(|(version, scheme, network)| Asked { version, scheme, network: network.text() });
            Called { event: caller.event, agent: Some(caller.name.text()).filter(|name| !name.is_empty()), asked }
        };
        all.into_iter().map(called).collect()
    }

    /// Forgets all of them.
    pub(super) fn forget(&self) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.all = [NOBODY; KEPT];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_are_kept_and_of_each_name_its_beginning() {
        let callers = Callers::default();
        assert_eq!(callers.newest_first(), []);
        for event in 1..=KEPT as u64 + 2 {
            callers.note(event, Some(b"curl/8"), None);
        }
        callers.note(100, Some("x".repeat(LONGEST + 1).as_bytes()), None);
        callers.note(101, None, Some((2, "upto", "eip155:84532")));
        let all = callers.newest_first();
        let asked = Some(Asked { version: 2, scheme: "upto", network: "eip155:84532".to_owned() });
        assert_eq!((all.len(), all[0].clone()), (KEPT, Called { event: 101, agent: None, asked }));
        assert_eq!(all[1].agent.as_deref(), Some(&*"x".repeat(LONGEST)));
        assert_eq!((all[KEPT - 1].event, all[KEPT - 1].agent.as_deref()), (5, Some("curl/8")));
        callers.forget();
        assert_eq!(callers.newest_first(), []);
    }
}
