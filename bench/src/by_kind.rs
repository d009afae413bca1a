//! What a request of another kind of payment costs the server, and one to a chain's own door: measured as in
//! [`per_request`](crate::per_request).

use crate::cores::{Pair, Pinned};
use crate::failure::Failure;
use crate::load::{Bodies, Generator};
use crate::per_request::{Servers, cost};
use crate::report::{Bound, Row, Section};
use crate::settings::Settings;
use crate::spread::Spread;
use crate::terminal;

/// The door of the EVM chain.
const CHAIN: &str = "POST /_x402/rpc/eip155:84532";

/// What one round found, in microseconds of CPU time.
#[derive(Clone, Copy, Debug)]
struct Round {
    /// A bare route that reads what a verification of Permit2 reads.
    bare: f64,
    recovery: f64,
    permit2: f64,
    upto: f64,
    bare_solana: f64,
    /// The same with one verification of a signature of Solana.
    ed25519: f64,
    solana: f64,
    bare_call: f64,
    balance: f64,
    bare_sent: f64,
    sent: f64,
}

impl Round {
    fn take(settings: Settings, servers: &Servers, generator: &mut Generator) -> Result<Self, Failure> {
        let (bare, ours) = (servers.bare, servers.ours.address().port());
        let mut cost = |port, request, bodies, contains| {
            cost(generator, (port, request), bodies, settings.requests, (200, contains))
        };
        let (valid, result) = (r#""isValid":true"#, r#""result":"0x"#);
        Ok(Self {
            bare: cost(bare, "POST /", Bodies::Permit2, "isValid")?,
            recovery: cost(bare, "POST /recover", Bodies::Permit2, "isValid")?,
            permit2: cost(ours, "POST /verify", Bodies::Permit2, valid)?,
            upto: cost(ours, "POST /verify", Bodies::Upto, valid)?,
            bare_solana: cost(bare, "POST /", Bodies::Solana, "isValid")?,
            ed25519: cost(bare, "POST /verify-ed25519", Bodies::Solana, "isValid")?,
            solana: cost(ours, "POST /verify", Bodies::Solana, valid)?,
            bare_call: cost(bare, "POST /", Bodies::Balance, "isValid")?,
            balance: cost(ours, CHAIN, Bodies::Balance, result)?,
            bare_sent: cost(bare, "POST /", Bodies::Sent, "isValid")?,
            sent: cost(ours, CHAIN, Bodies::Sent, result)?,
        })
    }

    fn recovery(&self) -> f64 {
        self.recovery - self.bare
    }

    fn ed25519(&self) -> f64 {
        self.ed25519 - self.bare_solana
    }
}

/// Measures; the first round warms up and is not counted.
pub(crate) fn measure(settings: Settings) -> Result<Section, Failure> {
    let cores = Pair::find();
    let _pinned = cores.map(|cores| Pinned::to(cores.server));
    let servers = Servers::start()?;
    let mut generator = Generator::start(cores.map(|cores| cores.client))?;
    let mut rounds = Vec::new();
    for number in 0..=settings.rounds / 2 {
        let round = Round::take(settings, &servers, &mut generator)?;
        if number > 0 {
            rounds.push(round);
        }
    }
    terminal::note(&format!("{} rounds of requests of other kinds done", rounds.len()));
    servers.stop();
    Ok(section(&rounds))
}

fn section(rounds: &[Round]) -> Section {
    let of = |column: fn(&Round) -> f64| Spread::of(rounds.iter().map(column));
    let cost = |name: &str, column| Row::new(name, "us", of(column));
    let bound = |name: &str, unit, column, most| Row::new(name, unit, of(column)).with_target(Bound::AtMost(most));
    let rows = vec![
        cost("R: one recovery of a signer, in a request", Round::recovery),
        cost("E: one verification of a signature of Solana, in a request", Round::ed25519),
        cost("B: bare `POST`", |round| round.bare),
        cost("`POST /verify`, `exact` by Permit2", |round| round.permit2),
        cost("`POST /verify`, `upto`", |round| round.upto),
        cost("`POST /verify`, `exact` on Solana", |round| round.solana),
        cost("`eth_call` of a balance", |round| round.balance),
        cost("`eth_sendRawTransaction` of a settlement", |round| round.sent),
        bound("Permit2 - R - 2 B", "us", |round| round.permit2 - round.recovery() - 2.0 * round.bare, 10.0),
        bound("`upto` - R - 2 B", "us", |round| round.upto - round.recovery() - 2.0 * round.bare, 10.0),
        bound("(Solana - E) / B", "", |round| (round.solana - round.ed25519()) / round.bare_solana, 2.0),
        bound("`eth_call` / B", "", |round| round.balance / round.bare_call, 1.5),
        bound("(sent - 2 R) / B", "", |round| (round.sent - 2.0 * round.recovery()) / round.bare_sent, 3.0),
    ];
    Section::new("CPU time of the server for a request of another kind", rows)
}
