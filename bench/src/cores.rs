//! Cores: which one a thread runs on, with all threads and processes that it starts from then on.
//!
//! The cores of one machine need not be equally fast: on a shared one, each is as fast as its neighbour lets it be. What
//! is to be compared runs on one core, and what asks for it on another.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Two cores of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// For what is measured.
    pub(crate) server: usize,
    /// For the load generator.
    pub(crate) client: usize,
}

/// This thread on one core, until it is dropped.
#[derive(Debug)]
pub(crate) struct Pinned(CpuSet);

impl Pair {
    /// The first and the last core that this thread may run on; `None` where there is one only.
    pub(crate) fn find() -> Option<Self> {
        let allowed = sched_getaffinity(None).ok()?;
        let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
        let (server, client) = (*cores.first()?, *cores.last()?);
        (server != client).then_some(Self { server, client })
    }
}

impl Pinned {
    /// Keeps this thread on a core; `None` where the system does not let it.
    pub(crate) fn to(core: usize) -> Option<Self> {
        let before = sched_getaffinity(None).ok()?;
        let mut one = CpuSet::new();
        one.set(core);
        sched_setaffinity(None, &one).ok()?;
        Some(Self(before))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // A thread that stays where it is measures all the same.
        let _ = sched_setaffinity(None, &self.0);
    }
}
