//! The configuration as the rest of the program sees it: typed, validated, everything resolved.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use x402_sim::fault::Fault;
use x402_sim::ledger::{Permit2Allowance, TokenAccounts};
use x402_sim::merchant::{Blockhash, Offer, Plan, Way};
use x402_sim::networks::{Asset, Network, Transfer};
use x402_wire::U256;
use x402_wire::amount::Decimal;

use crate::route::{FacilitatorPaths, RouteTable};

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where and how the server listens.
    pub server: Server,
    /// The seed of the world's random stream; from the system where none is given.
    pub seed: Option<u64>,
    /// The enabled networks, in the order in which they were named. Never empty.
    pub networks: Vec<Network>,
    /// The configured resources by route.
    pub resources: RouteTable<Resource>,
    /// The resource at every other path.
    pub default_resource: Resource,
    /// The dialects in which offers are made and payments are taken. Never empty, each once.
    pub dialects: Vec<Dialect>,
    /// How payments are judged.
    pub verification: Verification,
    /// How long `verification: timeout` waits.
    pub timeout_delay: Duration,
    /// What accounts own at first.
    pub accounts: Accounts,
    /// How many events are kept.
    pub event_capacity: usize,
    /// What goes wrong on purpose from the start.
    pub faults: Vec<Fault>,
    /// What is printed.
    pub log: Log,
}

/// Where and how the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; 0 lets the system choose.
    pub port: u16,
    /// Where the facilitator is served.
    pub facilitator: FacilitatorPaths,
    /// Whether `X-Forwarded-*` and `Forwarded` say where the server is.
    pub forwarded_headers: ForwardedHeaders,
    /// Whose per-request test headers are obeyed.
    pub test_headers: TestHeaders,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 3402,
            facilitator: FacilitatorPaths::default(),
            forwarded_headers: ForwardedHeaders::default(),
            test_headers: TestHeaders::default(),
        }
    }
}

/// Whether `X-Forwarded-*` and `Forwarded` say where the server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeaders {
    /// Only the `Host` header does.
    #[default]
    Ignore,
    /// They do.
    Trust,
}

/// Whose per-request test headers, such as `X-Simulation-Mode`, are obeyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TestHeaders {
    /// Those of clients on this machine.
    #[default]
    Loopback,
    /// Everybody's.
    Always,
    /// Nobody's.
    Never,
}

/// A way to say a payment over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// Protocol version 2, in headers.
    X402V2,
    /// Protocol version 1, in the body and `X-PAYMENT`.
    X402V1,
    /// The `WWW-Authenticate: x402-solana` challenge.
    Invoice,
}

/// How payments are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verification {
    /// As in production.
    #[default]
    Strict,
    /// Without the signature check; the ledger's rules still hold.
    Accept,
    /// Every payment is refused.
    Reject,
    /// Every payment waits for the timeout delay and is then answered 408.
    Timeout,
}

/// What accounts own at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// What an unknown payer owns at first sight.
    pub unknown: UnknownAccounts,
    /// The grant in whole units of each enabled asset; it fits every one of them.
    pub balance: Decimal,
    /// How much the Permit2 contract may move of accounts that never said it.
    pub permit2: Permit2Allowance,
    /// Which token accounts are there on Solana before anybody makes them.
    pub token_accounts: TokenAccounts,
}

/// What an unknown payer owns at first sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownAccounts {
    /// The same balance as the test accounts.
    #[default]
    Funded,
    /// Nothing.
    Empty,
}

/// What is printed to stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// In which form.
    pub format: LogFormat,
    /// How much.
    pub level: LogLevel,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One readable line an event.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Only errors.
    Quiet,
    /// One line a payment event.
    #[default]
    Normal,
    /// Every event.
    Verbose,
}

/// What is paid for.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// The ways to pay, in order of preference. Empty exactly when the resource is free.
    pub accepts: Vec<Accept>,
    /// The price as it was written, for people: `$0.01`, `free`, or atomic units and the asset.
    pub price: String,
    /// What it is, in words; empty where nothing was configured.
    pub description: String,
    /// The content type of what is delivered, for the offer.
    pub mime_type: String,
    /// The configured answer; the built-in body where there is none.
    pub response: Option<Response>,
}

impl Resource {
    /// What it asks, in every dialect.
    pub fn offer(&self) -> Offer {
        let ways: Vec<Way> = self.accepts.iter().map(Way::from).collect();
        Offer::new(&ways, &self.description, &self.mime_type)
    }

    /// Whether nothing is charged.
    pub fn is_free(&self) -> bool {
        self.accepts.is_empty()
    }
}

/// One way to pay for a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Accept {
    /// On which network; one of the enabled ones.
    pub network: Network,
    /// With which asset of that network.
    pub asset: Asset,
    /// Who is paid, with checksum.
    pub pay_to: String,
    /// How long an authorization shall live, in seconds; the version's default where none is given.
    pub max_timeout_seconds: Option<u64>,
    /// How much, in atomic units of the asset.
    pub amount: U256,
    /// Where payers on Solana have a blockhash from.
    pub blockhash: Blockhash,
    /// What the configuration adds to the requirements' `extra`. The asset's `name` and `version` are not among it.
    pub extra: Map<String, Value>,
    /// How the asset is moved.
    pub instrument: Transfer,
    /// Whether all of the amount is asked, or at most it.
    pub plan: Plan,
}

impl From<&Accept> for Way {
    fn from(accept: &Accept) -> Self {
        let Accept { network, asset, pay_to, max_timeout_seconds, amount, blockhash, extra, instrument, plan } =
            accept.clone();
        Self { network, asset, pay_to, amount, max_timeout_seconds, blockhash, extra, instrument, plan }
    }
}

/// A configured answer, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status; one of 400 or more means that nothing is settled.
    pub status: StatusCode,
    /// The configured headers, and a `content-type` wherever there is a body.
    pub headers: HeaderMap,
    /// The body; empty where none was configured.
    pub body: Bytes,
}
