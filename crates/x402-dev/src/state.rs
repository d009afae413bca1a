//! What every door stands on: the one world, the terminal, and one configuration.
//!
//! A [`State`] never changes. A reload makes a new one that shares the world, the terminal and the counters; requests in
//! flight finish with the state that they began with.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use serde_json::Value;
use tokio::sync::watch;
use x402_sim::chain::Chain;
use x402_sim::event::{Door, Facts, Kind, PaymentId};
use x402_sim::fault::{MODES, Mode};
use x402_sim::purchase::{Buyer, PurchaseId};
use x402_sim::rpc::{self, RpcError};
use x402_sim::{Rules, Setup, World};
use x402_wire::amount::AmountError;

use crate::catalogue::Catalogue;
use crate::clock;
use crate::config::{Config, Dialect, ForwardedHeaders, TestHeaders, UnknownAccounts, Verification};
use crate::metrics::{Level, Metrics};
use crate::terminal::Terminal;

pub use callers::{Asked, Called};
pub use refused::{Refused, value_of};
pub use stage::Herald;
use stage::Stage;

mod callers;
mod refused;
mod stage;

/// The header that asks for a mode of verification for one request.
pub static SIMULATION_MODE: HeaderName = HeaderName::from_static("x-simulation-mode");

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The state of now, for doors that outlive a configuration.
#[derive(Clone, Debug)]
pub struct Current(Arc<RwLock<Arc<State>>>);

/// How much the server has done.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests that were taken, those to the admin door aside.
    pub requests: AtomicU64,
    /// Payments that were settled.
    pub payments: AtomicU64,
    /// Requests that are being answered now.
    pub in_flight: AtomicU64,
    /// Streams of events that are open now.
    pub streams: AtomicU64,
    /// Answers with paid content whose last byte was taken, and nobody knows yet whether it left.
    pub handing_over: AtomicU64,
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
    ///
    /// # Errors
    ///
    /// What accounts are to hold cannot be said in an enabled asset's atomic units.
    pub fn new(config: &Config, seed: u64, terminal: Arc<Terminal>) -> Result<Self, AmountError> {
        let catalogue = Catalogue::new(config);
        let mut world = World::new(&setup(config, &catalogue), seed)?;
        world.keep_events(config.event_capacity);
        configure_faults(&mut world, config, &terminal);
        let armed = AtomicBool::new(!world.faults().is_empty());
        let (news, clock, due) = (watch::Sender::new(0), watch::Sender::new(*world.clock()), watch::Sender::new(None));
        let (metrics, begun) = (Arc::default(), clock::now());
        let stage = Stage {
            world: Mutex::new(world),
            told: AtomicU64::new(0),
            news,
            metrics,
            begun,
            clock,
            due,
            armed,
            refused: refused::Record::default(),
            callers: callers::Callers::default(),
        };
        Ok(Self::over(Arc::new(stage), Arc::default(), config, catalogue, terminal))
    }

    /// The same world under another configuration. `Err`, as of [`State::new`], changes nothing.
    pub fn renewed(&self, config: &Config) -> Result<Self, AmountError> {
        let catalogue = Catalogue::new(config);
        let mut world = self.world();
        world.reconfigure(&setup(config, &catalogue))?;
        world.keep_events(config.event_capacity);
        configure_faults(&mut world, config, &self.terminal);
        self.stage.armed.store(!world.faults().is_empty(), Ordering::Relaxed);
        drop(world);
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
    fn world(&self) -> MutexGuard<'_, World> {
        self.stage.world()
    }

    /// Does something in the world, at its time of now in milliseconds, after all that has come due until then.
    ///
    /// Tells everybody what happened. Held briefly, never across an `.await`.
    pub fn act<T>(&self, what: impl FnOnce(&mut World, u64) -> T) -> T {
        self.stage.act((&self.counters, &self.terminal), what)
    }

    /// What is counted.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.stage.metrics)
    }

    /// What is counted, as Prometheus reads it.
    pub fn render_metrics(&self) -> String {
        let (transactions, pending, events) = self.act(|world, _| world.sizes());
        let uptime = Duration::from_millis(clock::now().saturating_sub(self.stage.begun)).as_secs_f64();
        self.stage.metrics.render(Level { transactions, pending, events, uptime })
    }

    /// Who tells what happens after an answer has left the doors.
    pub fn herald(&self) -> Herald {
        let (stage, counters, terminal) = (&self.stage, &self.counters, &self.terminal);
        Herald { stage: Arc::clone(stage), counters: Arc::clone(counters), terminal: Arc::clone(terminal) }
    }

    /// The state of the chain, and its time of now in milliseconds.
    pub fn chain(&self) -> (Chain, u64) {
        self.stage.act_at((&self.counters, &self.terminal), |world, now, real| {
            (Chain { skew: world.clock().offset(real), ..world.chain() }, now)
        })
    }

    /// Answers a JSON-RPC call of a network.
    ///
    /// # Errors
    ///
    /// What the method says, or that there is no such network.
    pub fn call_chain(&self, network: &str, method: &str, params: &Value) -> Result<Value, RpcError> {
        self.act(|world, now| rpc::call(world, network, method, params, now))
    }

    /// By how much the world's time is ahead of this computer's, in milliseconds; negative where it is behind.
    pub fn skew_ms(&self) -> i64 {
        self.stage.skew_ms()
    }

    /// Records an event and prints its line. Gives its number.
    pub fn record(&self, kind: Kind, door: Door, payment: Option<PaymentId>, facts: Facts) -> u64 {
        self.act(|world, now| world.record(now, kind, door, payment, facts).sequence)
    }

    /// Keeps a refused payment whole, for whoever asks why. Its own event, where it has one, is recorded before.
    pub fn keep_refused(&self, refused: Refused) {
        let real = clock::now();
        let at = self.stage.clock.borrow().at(real);
        let after = self.stage.told.load(Ordering::Relaxed);
        self.stage.refused.keep(Refused { at, real, after, ..refused });
    }

    /// Remembers who got the offer of an event, by its `User-Agent`, and the version, scheme and network of its first entry.
    pub fn note_caller(&self, event: u64, agent: Option<&[u8]>, asked: Option<(u64, &'static str, &str)>) {
        self.stage.callers.note(event, agent, asked);
    }

    /// Who asked without a payment, the newest first.
    pub fn callers(&self) -> Vec<Called> {
        self.stage.callers.newest_first()
    }

    /// Forgets who was refused, and who asked: the world begins anew.
    pub fn forget_refusals(&self) {
        self.stage.refused.forget();
        self.stage.callers.forget();
    }

    /// The newest refused payments, the newest first.
    pub fn refusals(&self) -> Vec<Arc<Refused>> {
        self.stage.refused.newest_first()
    }

    /// A request brings a payment: its events are counted for the purchase. Said before any of them.
    pub fn meet(&self, payment: PaymentId, buyer: &Buyer<'_>) {
        self.world().meet(payment, buyer);
    }

    /// The content of a payment is on its way: an event will tell whether it arrived, for this purchase.
    pub fn ship(&self, payment: PaymentId) -> Option<PurchaseId> {
        self.world().ship(payment)
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
            // Whether the time has come or the clock was moved: look again.
            match wait {
                Some(0) => return,
                Some(wait) => drop(tokio::time::timeout(Duration::from_millis(wait), clock.changed()).await),
                None => drop(clock.changed().await),
            }
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

    /// The configured mode.
    pub const fn default_mode(&self) -> Mode {
        self.mode
    }

    /// Whether there are faults besides the built-in ones.
    pub fn is_armed(&self) -> bool {
        self.stage.armed.load(Ordering::Relaxed)
    }

    /// Whether test headers of this peer are obeyed.
    pub const fn obeys_test_headers(&self, peer: Peer) -> bool {
        match self.test_headers {
            TestHeaders::Always => true,
            TestHeaders::Never => false,
            TestHeaders::Loopback => peer.0.is_loopback(),
        }
    }

    /// The mode for a request: the configured one, or the one that the request asks for where it may.
    pub fn mode(&self, peer: Peer, headers: &HeaderMap) -> Result<Mode, UnknownMode> {
        let Some(value) = headers.get(&SIMULATION_MODE) else { return Ok(self.mode) };
        if !self.obeys_test_headers(peer) {
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

/// Puts the configured faults in the place of earlier ones. Their names were checked with the configuration.
fn configure_faults(world: &mut World, config: &Config, terminal: &Terminal) {
    if let Err(error) = world.configure_faults(config.faults.clone()) {
        terminal.notice(&format!("the configured faults are not in force: {error}"));
    }
}

/// What a configuration says about the world.
fn setup(config: &Config, catalogue: &Catalogue) -> Setup {
    let unknown = match config.accounts.unknown {
        UnknownAccounts::Funded => x402_sim::ledger::UnknownAccounts::Funded,
        UnknownAccounts::Empty => x402_sim::ledger::UnknownAccounts::Empty,
    };
    let (networks, balance) = (config.networks.clone(), config.accounts.balance);
    let (permit2, token_accounts) = (config.accounts.permit2, config.accounts.token_accounts);
    let rules = Rules { permit2, token_accounts };
    Setup { networks, unknown, balance, payees: catalogue.payees(), rules }
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
        headers.insert(&SIMULATION_MODE, "success".parse().unwrap());
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
