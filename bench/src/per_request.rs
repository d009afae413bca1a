//! What one request costs the server: the CPU time of this process, in which the product's doors and the bare routes are
//! served, while another process sends.

use std::sync::Arc;
use std::time::Duration;

use x402_dev::config::{Config, LogLevel};
use x402_dev::server::{self, ServerHandle};
use x402_dev::terminal::{Colour, Sink, Terminal};

use crate::bare;
use crate::clock;
use crate::cores::{Pair, Pinned};
use crate::failure::Failure;
use crate::load::{Bodies, Generator, Job};
use crate::report::{Bound, Row, Section};
use crate::settings::Settings;
use crate::signatures::{Signature, digests};
use crate::spread::Spread;
use crate::terminal;

/// On how many connections requests are sent, all at once, then all answers received.
const CONNECTIONS: u32 = 8;

/// How long the server is left alone between the arrival of connections and of requests.
const SETTLING: Duration = Duration::from_millis(4);

/// What one round found, in microseconds of CPU time.
#[derive(Clone, Copy, Debug)]
struct Round {
    hot_recovery: f64,
    hot_signing: f64,
    bare_get: f64,
    bare_post: f64,
    bare_recovery: f64,
    bare_signing: f64,
    offer: f64,
    verify: f64,
    settle: f64,
    refused: f64,
}

/// A column of the rounds.
type Column = fn(&Round) -> f64;

/// The servers of this process, on one runtime as the product has it.
pub(crate) struct Servers {
    runtime: tokio::runtime::Runtime,
    /// The port of the bare routes.
    pub(crate) bare: u16,
    /// The product.
    pub(crate) ours: ServerHandle,
}

/// Measures; the first round warms up and is not counted.
pub(crate) fn measure(settings: Settings) -> Result<Section, Failure> {
    let cores = Pair::find();
    let _pinned = cores.map(|cores| Pinned::to(cores.server));
    let servers = Servers::start()?;
    let mut generator = Generator::start(cores.map(|cores| cores.client))?;
    let mut rounds = Vec::new();
    for number in 0..=settings.rounds {
        let round = Round::take(settings, &servers, &mut generator)?;
        if number > 0 {
            rounds.push(round);
        }
    }
    terminal::note(&format!("{} rounds of requests done", settings.rounds));
    servers.stop();
    Ok(section(&rounds))
}

impl Servers {
    /// Starts them.
    pub(crate) fn start() -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(Failure::while_at("threads for the servers"))?;
        let mut config = Config::defaults();
        config.server.port = 0;
        config.log.level = LogLevel::Quiet;
        let terminal = Arc::new(Terminal::new(config.log, Colour::Off, Sink::Stderr));
        let bare = runtime.block_on(bare::spawn())?.port();
        let ours = runtime.block_on(server::spawn(&config, 1, terminal));
        let ours = ours.map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self { runtime, bare, ours })
    }

    /// Stops them.
    pub(crate) fn stop(self) {
        self.runtime.block_on(self.ours.shutdown());
        self.runtime.shutdown_background();
    }
}

impl Round {
    fn take(settings: Settings, servers: &Servers, generator: &mut Generator) -> Result<Self, Failure> {
        let count = settings.requests;
        let ours = servers.ours.address().port();
        let mut cost = |port, request, bodies, count, status, contains| {
            cost(generator, (port, request), bodies, count, (status, contains))
        };
        Ok(Self {
            bare_get: cost(servers.bare, "GET /", Bodies::None, count, 200, "isValid")?,
            offer: cost(ours, "GET /hello", Bodies::None, count, 402, "maxAmountRequired")?,
            bare_post: cost(servers.bare, "POST /", Bodies::Good, count, 200, "isValid")?,
            bare_recovery: cost(servers.bare, "POST /recover", Bodies::Good, count, 200, "isValid")?,
            verify: cost(ours, "POST /verify", Bodies::Good, count, 200, r#""isValid":true"#)?,
            hot_recovery: recovery(count),
            refused: cost(
                ours,
                "POST /verify",
                Bodies::Forged,
                count / 4,
                200,
                "it fits none of the commonest mistakes",
            )?,
            settle: cost(ours, "POST /settle", Bodies::Verified, count, 200, r#""success":true"#)?,
            bare_signing: cost(servers.bare, "POST /sign", Bodies::Good, count, 200, "isValid")?,
            hot_signing: signing(count),
        })
    }
}

/// The CPU time of a request of this process, in microseconds. The answer has a status and contains a text.
pub(crate) fn cost(
    generator: &mut Generator,
    (port, request): (u16, &str),
    bodies: Bodies,
    count: u32,
    (status, contains): (u16, &str),
) -> Result<f64, Failure> {
    let (request, contains) = (request.to_owned(), contains.to_owned());
    let job = Job { port, request, bodies, count, threads: 1, connections: CONNECTIONS, status, contains };
    let measured = generator.send(&job, |work| {
        // New connections are taken before anything is counted.
        std::thread::sleep(SETTLING);
        clock::cpu_each(count, work)
    });
    measured.map(|(cost, _)| cost)
}

/// One recovery of a signer with its address, in a loop.
fn recovery(count: u32) -> f64 {
    let signatures = Signature::some(count);
    clock::cpu_each(count, || {
        for signature in &signatures {
            std::hint::black_box(signature.recover());
        }
    })
}

/// One signing, in a loop: what a settlement does besides, for its transaction.
fn signing(count: u32) -> f64 {
    let digests = digests(count);
    clock::cpu_each(count, || {
        for digest in digests {
            std::hint::black_box(Signature::over(digest));
        }
    })
}

impl Round {
    /// One recovery between the arrival of a request and its answer.
    fn recovery(&self) -> f64 {
        self.bare_recovery - self.bare_post
    }

    /// One signing there.
    fn signing(&self) -> f64 {
        self.bare_signing - self.bare_post
    }
}

fn section(rounds: &[Round]) -> Section {
    let of = |column: Column| Spread::of(rounds.iter().map(column));
    let cost = |name: &str, column| Row::new(name, "us", of(column));
    let plain = |name: &str, column| Row::new(name, "", of(column));
    let ratio = |name: &str, unit, column, bound| Row::new(name, unit, of(column)).with_target(bound);
    let rows = vec![
        cost("R: one recovery of a signer, in a request", Round::recovery),
        cost("the same in a loop", |round| round.hot_recovery),
        cost("S: one signing, in a request", Round::signing),
        cost("the same in a loop", |round| round.hot_signing),
        cost("B: bare `GET`", |round| round.bare_get),
        cost("B: bare `POST` of 1.5 KB", |round| round.bare_post),
        cost("`GET /hello`, unpaid: 402", |round| round.offer),
        cost("`POST /verify`, good", |round| round.verify),
        cost("`POST /settle`, good", |round| round.settle),
        cost("`POST /verify`, forged", |round| round.refused),
        ratio("(verify - R) / B", "", |round| (round.verify - round.recovery()) / round.bare_post, Bound::AtMost(2.0)),
        ratio("settle - verify - S", "us", |round| round.settle - round.verify - round.signing(), Bound::AtMost(10.0)),
        ratio("(402 - 4 us) / B", "", |round| (round.offer - 4.0) / round.bare_get, Bound::AtMost(1.5)),
        ratio("(forged - B) / R", "", |round| (round.refused - round.bare_post) / round.recovery(), Bound::AtMost(6.0)),
        plain("the first with R in a loop", |round| (round.verify - round.hot_recovery) / round.bare_post),
        plain("the last with R in a loop", |round| (round.refused - round.bare_post) / round.hot_recovery),
    ];
    Section::new("CPU time of the server for a request", rows)
}
