//! The command line. Nothing below the commands sees clap.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Overrides;

pub mod door;
pub mod explain;
pub mod fault;
pub mod mock;
pub mod pay;
pub mod purchases;
pub mod refusal;
pub mod sign;
pub mod world;

use explain::{DecodeArgs, ExplainArgs};
use fault::FaultArgs;
pub use mock::MockArgs;
pub use pay::PayArgs;
pub use purchases::{AssertArgs, PurchasesArgs};
pub use sign::SignArgs;
use world::{AccountsArgs, ApproveArgs, BalanceArgs, ClockArgs, EventsArgs, FundArgs, SnapshotArgs};

/// A mock server for the x402 payment protocol: a paid API and a facilitator, without a chain.
#[derive(Debug, Parser)]
#[command(name = "x402-dev", version, about, after_help = after_help(), max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the mock server, a paid API and a facilitator; stop it, restart it, ask about it.
    ///
    /// Examples:
    ///   x402-dev mock
    ///   x402-dev mock -d --port 0 --price 0.05 --json
    #[command(verbatim_doc_comment)]
    Mock(Box<MockArgs>),
    /// Buy something over HTTP: curl that pays what is asked, and never twice.
    ///
    /// Examples:
    ///   x402-dev pay http://127.0.0.1:3402/report
    ///   x402-dev pay https://api.example/report --dry-run
    #[expect(clippy::doc_markdown, reason = "an example is for a shell, and no Markdown")]
    #[command(verbatim_doc_comment)]
    Pay(Box<PayArgs>),
    /// Sign a payment by a test account and print it, without sending it; right, or wrong in one thing.
    ///
    /// Examples:
    ///   curl -H "PAYMENT-SIGNATURE: $(x402-dev sign $URL)" $URL
    ///   x402-dev sign offer.json --defect expired --body | curl -d @- $MOCK/verify
    #[command(verbatim_doc_comment)]
    Sign(Box<SignArgs>),
    /// Say why a payment was or would be refused, and what to do: a header, a file, a URL, a log, or `last`.
    ///
    /// Examples:
    ///   x402-dev explain last
    ///   x402-dev explain invalid_exact_evm_signature
    #[expect(clippy::doc_markdown, reason = "an example is for a shell, and no Markdown")]
    #[command(verbatim_doc_comment)]
    Explain(Box<ExplainArgs>),
    /// Say what something holds, without judging it.
    ///
    /// Examples:
    ///   x402-dev decode "$HEADER"
    ///   curl -sD - -o /dev/null $URL | x402-dev decode -
    #[command(verbatim_doc_comment)]
    Decode(Box<DecodeArgs>),
    /// The test accounts and what they hold; make one, blacklist one.
    ///
    /// Examples:
    ///   x402-dev accounts
    ///   x402-dev accounts new carol
    #[command(verbatim_doc_comment)]
    Accounts(AccountsArgs),
    /// Give an account money out of nothing, or take it away.
    ///
    /// Examples:
    ///   x402-dev fund alice 5
    ///   x402-dev fund 3 0 --set --network eip155:84532
    #[command(verbatim_doc_comment)]
    Fund(FundArgs),
    /// Let the Permit2 contract move what an account holds: what payments by Permit2 and of scheme `upto` need.
    ///
    /// Examples:
    ///   x402-dev approve alice
    ///   x402-dev approve alice --amount 5 --network eip155:84532
    #[command(verbatim_doc_comment)]
    Approve(ApproveArgs),
    /// Take that back.
    ///
    /// Examples:
    ///   x402-dev revoke alice
    ///   x402-dev revoke 3 --network eip155:84532 --asset USDC
    #[command(verbatim_doc_comment)]
    Revoke(BalanceArgs),
    /// What an account holds.
    ///
    /// Examples:
    ///   x402-dev balance alice
    ///   x402-dev balance 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --json
    #[command(verbatim_doc_comment)]
    Balance(BalanceArgs),
    /// The mock's time: show it, move it, stop it.
    ///
    /// Examples:
    ///   x402-dev clock
    ///   x402-dev clock advance 10m
    #[command(verbatim_doc_comment)]
    Clock(ClockArgs),
    /// Keep the state of the world under a name, and bring it back.
    ///
    /// Examples:
    ///   x402-dev snapshot save before
    ///   x402-dev snapshot restore before
    #[command(verbatim_doc_comment)]
    Snapshot(SnapshotArgs),
    /// Bring the world back to its start: ledger, clock and accounts.
    ///
    /// Examples:
    ///   x402-dev reset
    ///   x402-dev reset --name ci
    #[command(verbatim_doc_comment)]
    Reset(door::DoorArgs),
    /// Make something go wrong on purpose: timeouts after settlement, pending settlements, broken answers, hostile offers.
    ///
    /// Examples:
    ///   x402-dev fault add truncated
    ///   x402-dev fault add settle:after=status:503 --payer alice --times 1
    #[command(verbatim_doc_comment)]
    Fault(FaultArgs),
    /// What happened at every door; with -f, what happens.
    ///
    /// Examples:
    ///   x402-dev events --filter kind=settled
    ///   x402-dev events -f --filter payer=alice --filter outcome=failure
    #[command(verbatim_doc_comment)]
    Events(EventsArgs),
    /// List what was bought and how often it was paid, or one purchase with its events.
    ///
    /// Examples:
    ///   x402-dev purchases
    ///   x402-dev purchases last --json
    #[command(verbatim_doc_comment)]
    Purchases(PurchasesArgs),
    /// Check that something holds for a purchase: exit code 0 if so, else 1 and the evidence.
    ///
    /// Examples:
    ///   x402-dev assert 'settlements == 1 and moved == $0.01'
    ///   x402-dev assert 'verdict == "clean"' --purchase all
    #[command(verbatim_doc_comment)]
    Assert(AssertArgs),
    /// Look at the configuration.
    ///
    /// Examples:
    ///   x402-dev config show
    ///   x402-dev config check ci/x402dev.yaml
    #[command(verbatim_doc_comment)]
    Config(ConfigArgs),
}

/// The flags that override the configuration.
#[derive(Debug, Args)]
pub struct LayerArgs {
    /// Listen on this port; 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Listen on this address.
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// The price of every resource without an own one: `$0.01`, `0.05 USDC`, `free`.
    #[arg(long, visible_alias = "pricing", value_name = "PRICE", allow_hyphen_values = true)]
    price: Option<String>,
    /// Enable this network (CAIP-2 id or version 1 name); can be given several times.
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<String>,
    /// Read this file in place of `.x402dev.yaml`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Seed the world's random choices, for repeatable runs.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How payments are judged: strict, accept, reject or timeout.
    #[arg(long, value_name = "MODE")]
    verification: Option<String>,
    /// How long `--verification timeout` waits: `5s`, `500ms`.
    #[arg(long, value_name = "DURATION")]
    timeout_delay: Option<String>,
    /// The form of the log on stderr.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<LogFormatArg>,
    /// Print errors only.
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,
    /// Print every event.
    #[arg(long, short)]
    verbose: bool,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormatArg {
    /// One readable line an event.
    Text,
    /// One JSON object a line.
    Json,
}

/// The flags of `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to show.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// What `config` does.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Print every effective value with its origin.
    ///
    /// Examples:
    ///   x402-dev config show
    ///   x402-dev config show --json --price 0.05
    #[command(verbatim_doc_comment)]
    Show {
        /// The flags that `mock` would be given.
        #[command(flatten)]
        layers: LayerArgs,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Validate a configuration file, or what `mock` would find here.
    ///
    /// Examples:
    ///   x402-dev config check
    ///   x402-dev config check ci/x402dev.yaml --json
    #[command(verbatim_doc_comment)]
    Check {
        /// The file.
        file: Option<PathBuf>,
        /// Print JSON: what is wrong and where, also when nothing is.
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the configuration file.
    ///
    /// Examples:
    ///   x402-dev config schema
    ///   x402-dev config schema > x402dev.schema.json
    #[command(verbatim_doc_comment)]
    Schema {
        /// Print JSON, which a schema is anyway.
        #[arg(long)]
        json: bool,
    },
}

impl From<LayerArgs> for Overrides {
    fn from(args: LayerArgs) -> Self {
        let log_format = args.log_format.map(|format| match format {
            LogFormatArg::Text => "text",
            LogFormatArg::Json => "json",
        });
        let log_level = match (args.quiet, args.verbose) {
            (true, _) => Some("quiet"),
            (_, true) => Some("verbose"),
            _ => None,
        };
        Self {
            host: args.host,
            port: args.port,
            price: args.price,
            networks: args.networks,
            config: args.config,
            seed: args.seed,
            verification: args.verification,
            timeout_delay: args.timeout_delay,
            log_format: log_format.map(str::to_owned),
            log_level: log_level.map(str::to_owned),
        }
    }
}

fn after_help() -> String {
    format!("Exit codes:\n{}", crate::exit::table())
}
