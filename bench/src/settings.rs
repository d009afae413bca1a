//! How much is measured.

/// Counts. All are bounded: a whole run takes minutes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How many rounds of requests are counted. Many short ones: machines change their speed from second to second.
    pub(crate) rounds: u32,
    /// How many requests of a kind a round has.
    pub(crate) requests: u32,
    /// How many rounds compare the throughput with the official facilitator.
    pub(crate) duels: u32,
    /// How many times the product is started.
    pub(crate) starts: u32,
    /// How many payments are settled in one world.
    pub(crate) settlements: u32,
    /// How many entries a map gets.
    pub(crate) entries: u32,
}

impl Settings {
    /// What is published.
    pub(crate) const FULL: Self =
        Self { rounds: 80, requests: 400, duels: 5, starts: 20, settlements: 1_000_000, entries: 1_000_000 };

    /// For trying the benchmark itself.
    pub(crate) const QUICK: Self =
        Self { rounds: 5, requests: 400, duels: 1, starts: 4, settlements: 50_000, entries: 50_000 };
}
