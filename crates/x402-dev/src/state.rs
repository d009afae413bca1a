//! What every door stands on: the one world, the terminal, and one configuration.
//!
//! A [`State`] never changes. A reload makes a new one that shares the world, the terminal and the counters; requests in
//! flight finish with the state that they began with.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::watch;
use x402_sim::chain::Chain;
use x402_sim::clock::Clock;
use x402_sim::event::{Door, Event, Facts, Kind, PaymentId};
use x402_sim::fault::{MODES, Mode};
use x402_sim::{Setup, World};

use crate::catalogue::Catalogue;
use crate::clock;
use crate::config::{Config, Dialect, ForwardedHeaders, TestHeaders, UnknownAccounts, Verification};
use crate::error::Error;
use crate::terminal::Terminal;

/// The header that asks for a mode of verification for one request.
pub const SIMULATION_MODE: &str = "x-simulation-mode";

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The state of now, for doors that outlive a configuration.
#[derive(Clone, Debug)]
pub struct Current(Arc<RwLock<Arc<State>>>);

/// How much the server has done.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests that were taken.
    pub requests: AtomicU64,
    /// Payments that were settled.
    pub payments: AtomicU64,
    /// Requests that are being answered now.
    pub in_flight: AtomicU64,
}

/// The one world, and who is told of what happens in it.
#[derive(Debug)]
struct Stage {
    world: Mutex<World>,
    /// The newest event that was printed and counted.
    told: AtomicU64,
    /// The newest event, for readers that wait for one.
    news: watch::Sender<u64>,
    /// The clock, for whoever waits for a time of it.
    clock: watch::Sender<Clock>,
    /// When the next thing comes due in the world.
    due: watch::Sender<Option<u64>>,
}

/// What the doors share.
#[derive(Debug)]
pub struct State {
    stage: Arc<Stage>,
    /// How much the server has done.
    pub counters: Arc<Counters>,
    /// Everything that prints.
    pub terminal: Arc<Terminal>,
    /// The resources and their offers.
    pub catalogue: Catalogue,
    /// The answer to `GET /supported`.
    pub supported: Bytes,
    /// The dialects in which offers are made and payments are taken.
    pub dialects: Vec<Dialect>,
    /// How long a simulated timeout waits.
    pub timeout_delay: Duration,
    /// Whether forwarded headers say where the server is.
    pub forwarded_headers: ForwardedHeaders,
    mode: Mode,
    test_headers: TestHeaders,
}

/// A request asks for a mode that does not exist.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownMode(pub String);

impl State {
    /// The state of a server with this configuration and seed.
    pub fn new(config: &Config, seed: u64, terminal: Arc<Terminal>) -> Result<Self, Error> {
        let catalogue = Catalogue::new(config);
        let world = World::new(&setup(config, &catalogue), seed)?;
        let (news, clock, due) = (watch::Sender::new(0), watch::Sender::new(*world.clock()), watch::Sender::new(None));
        let stage = Stage { world: Mutex::new(world), told: AtomicU64::new(0), news, clock, due };
        Ok(Self::over(Arc::new(stage), Arc::default(), config, catalogue, terminal))
    }

    /// The same world under another configuration. `Err` changes nothing.
    pub fn renewed(&self, config: &Config) -> Result<Self, Error> {
        let catalogue = Catalogue::new(config);
        self.world().reconfigure(&setup(config, &catalogue))?;
        let (stage, counters, terminal) = (&self.stage, &self.counters, &self.terminal);
        Ok(Self::over(Arc::clone(stage), Arc::clone(counters), config, catalogue, Arc::clone(terminal)))
    }

    fn over(
        stage: Arc<Stage>,
        counters: Arc<Counters>,
        config: &Config,
        catalogue: Catalogue,
        terminal: Arc<Terminal>,
    ) -> Self {
        let supported = stage.world.lock().unwrap_or_else(PoisonError::into_inner).supported();
        let supported = serde_json::to_vec(&supported).expect("the answer has string keys");
        Self {
            stage,
            counters,
            terminal,
            catalogue,
            supported: supported.into(),
            dialects: config.dialects.clone(),
            timeout_delay: config.timeout_delay,
            forwarded_headers: config.server.forwarded_headers,
            mode: mode(config.verification),
            test_headers: config.server.test_headers,
        }
    }

    /// The world. Held briefly, never across an `.await`.
    ///
    /// A panic in a command leaves the world as it was before or after one effect list, so a poisoned lock is taken.
    fn world(&self) -> MutexGuard<'_, World> {
        self.stage.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something in the world, at its time of now in milliseconds, after all that has come due until then.
    ///
    /// Tells everybody what happened. Held briefly, never across an `.await`.
    pub fn act<T>(&self, what: impl FnOnce(&mut World, u64) -> T) -> T {
        let mut world = self.world();
        let (clock, due) = (*world.clock(), world.next_due());
        let now = clock.at(clock::now());
        world.catch_up(now);
        let result = what(&mut world, now);
        let newest = world.events().newest();
        let told = self.stage.told.swap(newest, Ordering::Relaxed);
        let events: Vec<_> = world.events().after(told).cloned().collect();
        if *world.clock() != clock {
            self.stage.clock.send_replace(*world.clock());
        }
        if world.next_due() != due {
            self.stage.due.send_replace(world.next_due());
        }
        drop(world);
        if newest != told {
            self.tell(&events);
            // Waking nobody is not free either.
            if self.stage.news.receiver_count() > 0 {
                self.stage.news.send_replace(newest);
            }
        }
        result
    }

    /// The state of the chain, and its time of now in milliseconds.
    pub fn chain(&self) -> (Chain, u64) {
        self.act(|world, now| (world.chain(), now))
    }

    /// Records an event and prints its line.
    pub fn record(&self, kind: Kind, door: Door, payment: Option<PaymentId>, facts: Facts) {
        self.act(|world, now| drop(world.record(now, kind, door, payment, facts)));
    }

    /// The sequence number of the newest event, for readers that wait for the next.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.stage.news.subscribe()
    }

    /// Waits until the world's clock shows a time in milliseconds. A frozen clock is waited for.
    pub async fn wait_until(&self, time: u64) {
        let mut clock = self.stage.clock.subscribe();
        loop {
            let wait = clock.borrow_and_update().real_at(time).map(|real| real.saturating_sub(clock::now()));
            let changed = match wait {
                Some(0) => return,
                Some(wait) => tokio::time::timeout(Duration::from_millis(wait), clock.changed()).await.is_ok(),
                None => clock.changed().await.is_ok(),
            };
            // Whether the time has come or the clock was moved: look again.
            let _ = changed;
        }
    }

    /// Waits for so long by the world's clock.
    pub async fn wait(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        let (_, now) = self.chain();
        self.wait_until(now.saturating_add(delay)).await;
    }

    /// Does what comes due in the world, when it does. Never ends.
    pub async fn keep_time(&self) {
        let mut due = self.stage.due.subscribe();
        loop {
            let next = *due.borrow_and_update();
            // A changed time is looked at again; the state keeps the sender for as long as this runs.
            let changed = due.changed();
            match next {
                Some(time) => tokio::select! {
                    () = self.wait_until(time) => self.act(|_, _| ()),
                    _ = changed => {}
                },
                None => drop(changed.await),
            }
        }
    }

    /// Prints and counts events.
    fn tell(&self, events: &[Arc<Event>]) {
        for event in events {
            if event.kind == Kind::Settled {
                self.counters.payments.fetch_add(1, Ordering::Relaxed);
            }
            self.terminal.event(event);
        }
    }

    /// The configured mode.
    pub const fn default_mode(&self) -> Mode {
        self.mode
    }

    /// The mode for a request: the configured one, or the one that the request asks for where it may.
    pub fn mode(&self, peer: Peer, headers: &HeaderMap) -> Result<Mode, UnknownMode> {
        let Some(value) = headers.get(SIMULATION_MODE) else { return Ok(self.mode) };
        let obeyed = match self.test_headers {
            TestHeaders::Always => true,
            TestHeaders::Never => false,
            TestHeaders::Loopback => peer.0.is_loopback(),
        };
        if !obeyed {
            return Ok(self.mode);
        }
        let text = String::from_utf8_lossy(value.as_bytes());
        Mode::from_header(&text).ok_or_else(|| UnknownMode(text.into_owned()))
    }

    /// Whether a dialect is spoken.
    pub fn speaks(&self, dialect: Dialect) -> bool {
        self.dialects.contains(&dialect)
    }
}

impl Current {
    /// A state that can be replaced.
    pub fn new(state: Arc<State>) -> Self {
        Self(Arc::new(RwLock::new(state)))
    }

    /// The state of now.
    pub fn get(&self) -> Arc<State> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the state for requests to come.
    pub fn set(&self, state: State) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }
}

impl UnknownMode {
    /// One sentence that lists the known modes.
    pub fn message(&self) -> String {
        let known: Vec<_> = MODES.iter().filter_map(|row| row.2).collect();
        format!("unknown X-Simulation-Mode `{}`; known are {}", self.0.escape_debug(), known.join(", "))
    }
}

/// What a configuration says about the world.
fn setup(config: &Config, catalogue: &Catalogue) -> Setup {
    let unknown = match config.accounts.unknown {
        UnknownAccounts::Funded => x402_sim::ledger::UnknownAccounts::Funded,
        UnknownAccounts::Empty => x402_sim::ledger::UnknownAccounts::Empty,
    };
    let (networks, balance) = (config.networks.clone(), config.accounts.balance);
    Setup { networks, unknown, balance, payees: catalogue.payees() }
}

const fn mode(verification: Verification) -> Mode {
    match verification {
        Verification::Strict => Mode::Strict,
        Verification::Accept => Mode::Accept,
        Verification::Reject => Mode::Reject,
        Verification::Timeout => Mode::Timeout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Log;
    use crate::terminal::{Colour, Sink};

    fn mode_for(peer: &str, test_headers: TestHeaders) -> Mode {
        let mut config = Config::defaults();
        config.server.test_headers = test_headers;
        let terminal = Arc::new(Terminal::new(Log::default(), Colour::Off, Sink::Stderr));
        let state = State::new(&config, 1, terminal).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(SIMULATION_MODE, "success".parse().unwrap());
        state.mode(Peer(peer.parse().unwrap()), &headers).unwrap()
    }

    #[test]
    fn strangers_cannot_switch_the_signature_check_off() {
        assert_eq!(mode_for("127.0.0.1", TestHeaders::Loopback), Mode::Accept);
        assert_eq!(mode_for("::1", TestHeaders::Loopback), Mode::Accept);
        for stranger in ["192.0.2.1", "10.0.0.1", "2001:db8::1", "0.0.0.0"] {
            assert_eq!(mode_for(stranger, TestHeaders::Loopback), Mode::Strict, "{stranger}");
        }
        assert_eq!(mode_for("192.0.2.1", TestHeaders::Always), Mode::Accept);
        assert_eq!(mode_for("127.0.0.1", TestHeaders::Never), Mode::Strict);
    }
}
