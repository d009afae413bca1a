//! `x402-dev accounts`, `fund`, `balance`, `clock`, `snapshot`, `reset` and `events`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use x402_sim::accounts::TestAccount;

use super::door::DoorArgs;
use super::mock::duration;
use crate::commands::{accounts, clock, events, snapshot};
use crate::doors::admin::routes::allowances::Approval;
use crate::doors::admin::routes::money::{Fund, Wallet};

/// The flags of `accounts`.
#[derive(Debug, Args)]
pub struct AccountsArgs {
    /// Which server.
    #[command(flatten)]
    pub door: DoorArgs,
    /// What to do, if not list them.
    #[command(subcommand)]
    pub action: Option<AccountsAction>,
}

/// What `accounts` does.
#[derive(Debug, Subcommand)]
pub enum AccountsAction {
    /// Make an account with a key of its own.
    ///
    /// Examples:
    ///   x402-dev accounts new
    ///   x402-dev accounts new carol --json
    #[command(verbatim_doc_comment)]
    New {
        /// Its name: small letters, digits, `-` and `_`.
        account_name: Option<String>,
    },
    /// Print a test account's key on Solana, as key files hold it: 64 numbers in a JSON array.
    ///
    /// Needs no server. The keys are public: never send real funds.
    ///
    /// Examples:
    ///   x402-dev accounts keypair 0 > payer.json
    ///   x402-dev accounts keypair alice --base58
    #[command(verbatim_doc_comment)]
    Keypair {
        /// The test account: an index, a name or an address.
        #[arg(value_parser = test_account)]
        account: TestAccount,
        /// In base58, as wallets take it.
        #[arg(long)]
        base58: bool,
    },
    /// Blacklist an account: its transfers revert, as the asset does it.
    ///
    /// Examples:
    ///   x402-dev accounts block 3
    ///   x402-dev accounts block alice
    #[command(verbatim_doc_comment)]
    Block {
        /// The account: an index, a name or an address.
        account: String,
    },
    /// Take an account off the blacklist.
    ///
    /// Examples:
    ///   x402-dev accounts unblock blocked
    ///   x402-dev accounts unblock 3
    #[command(verbatim_doc_comment)]
    Unblock {
        /// The account: an index, a name or an address.
        account: String,
    },
}

/// The flags of `fund`.
#[derive(Debug, Args)]
pub struct FundArgs {
    /// The account: an index, a name or an address.
    pub account: String,
    /// How much: `5`, `$5`, `"5 USDC"`; `-2` takes away.
    #[arg(allow_hyphen_values = true)]
    amount: String,
    /// Make this the balance, in place of adding to it.
    #[arg(long)]
    set: bool,
    /// Which asset.
    #[command(flatten)]
    wallet: WalletArgs,
    /// Which server.
    #[command(flatten)]
    pub door: DoorArgs,
}

/// The flags of `approve`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// The account: an index, a name or an address.
    pub account: String,
    /// How much: `5`, `$5`, `"5 USDC"`. Without it, everything.
    #[arg(long)]
    amount: Option<String>,
    /// Which asset.
    #[command(flatten)]
    wallet: WalletArgs,
    /// Which server.
    #[command(flatten)]
    pub door: DoorArgs,
}

/// The flags of `balance` and `revoke`.
#[derive(Debug, Args)]
pub struct BalanceArgs {
    /// The account: an index, a name or an address.
    pub account: String,
    /// Which asset.
    #[command(flatten)]
    pub wallet: WalletArgs,
    /// Which server.
    #[command(flatten)]
    pub door: DoorArgs,
}

/// Which asset.
#[derive(Debug, Args)]
pub struct WalletArgs {
    /// The network: a CAIP-2 id or a version 1 name; without it, the first that is enabled.
    #[arg(long)]
    network: Option<String>,
    /// The asset: a ticker or an address; without it, the first of the network.
    #[arg(long)]
    asset: Option<String>,
}

/// The flags of `clock`.
#[derive(Debug, Args)]
pub struct ClockArgs {
    /// Which server.
    #[command(flatten)]
    pub door: DoorArgs,
    /// What to do, if not show it.
    #[command(subcommand)]
    pub action: Option<ClockAction>,
}

/// What `clock` does.
#[derive(Clone, Debug, Subcommand)]
pub enum ClockAction {
    /// Move the clock forward; what comes due on the way happens.
    ///
    /// Examples:
    ///   x402-dev clock advance 10m
    ///   x402-dev clock advance 500ms --json
    #[command(verbatim_doc_comment)]
    Advance {
        /// By how much: `500ms`, `5s`, `10m`, `1h`, `1d`.
        #[arg(value_parser = duration)]
        by: Duration,
    },
    /// Set the clock.
    ///
    /// Examples:
    ///   x402-dev clock set 2027-01-15T08:00:00Z
    ///   x402-dev clock set 1800000000
    #[command(verbatim_doc_comment)]
    Set {
        /// The time: RFC 3339, or seconds since 1970.
        #[arg(value_parser = time)]
        time: u64,
    },
    /// Stop the clock: whatever waits for a time waits until it is advanced.
    ///
    /// Examples:
    ///   x402-dev clock freeze
    ///   x402-dev clock freeze --name ci
    #[command(verbatim_doc_comment)]
    Freeze,
    /// Let the clock run on from where it stands.
    ///
    /// Examples:
    ///   x402-dev clock resume
    ///   x402-dev clock resume --json
    #[command(verbatim_doc_comment)]
    Resume,
    /// Let the clock run at another speed.
    ///
    /// Examples:
    ///   x402-dev clock rate 10x
    ///   x402-dev clock rate 1x
    #[command(verbatim_doc_comment)]
    Rate {
        /// How many times as fast as real time: `10x`, `0.5x`.
        #[arg(value_parser = rate)]
        rate: f64,
    },
}

/// The flags of `snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// Which server.
    #[command(flatten)]
    pub door: DoorArgs,
    /// What to do.
    #[command(subcommand)]
    pub action: SnapshotAction,
}

/// What `snapshot` does.
#[derive(Debug, Subcommand)]
pub enum SnapshotAction {
    /// Keep the state of now under a name.
    ///
    /// Examples:
    ///   x402-dev snapshot save before
    ///   x402-dev snapshot save before --json
    #[command(verbatim_doc_comment)]
    Save {
        /// The name: letters, digits, `-`, `_` and `.`.
        snapshot: String,
    },
    /// List the snapshots.
    ///
    /// Examples:
    ///   x402-dev snapshot list
    ///   x402-dev snapshot list --json
    #[command(verbatim_doc_comment)]
    List,
    /// Bring a state back: balances, nonces, transactions, accounts, faults and clock.
    ///
    /// Examples:
    ///   x402-dev snapshot restore before
    ///   x402-dev snapshot restore before --name ci
    #[command(verbatim_doc_comment)]
    Restore {
        /// The name.
        snapshot: String,
    },
    /// Forget a snapshot.
    ///
    /// Examples:
    ///   x402-dev snapshot drop before
    ///   x402-dev snapshot drop before --json
    #[command(verbatim_doc_comment)]
    Drop {
        /// The name.
        snapshot: String,
    },
    /// Write a snapshot to a file, or with --now the state of now.
    ///
    /// Examples:
    ///   x402-dev snapshot export before before.jsonl
    ///   x402-dev snapshot export --now state.jsonl
    #[command(verbatim_doc_comment)]
    Export(ExportArgs),
    /// Keep what was exported as a snapshot; a damaged file is refused.
    ///
    /// Examples:
    ///   x402-dev snapshot import before.jsonl before
    ///   x402-dev snapshot import state.jsonl bug-17 --name ci
    #[command(verbatim_doc_comment)]
    Import {
        /// The file.
        file: PathBuf,
        /// The name that the snapshot gets.
        snapshot: String,
    },
}

/// The flags of `snapshot export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The snapshot.
    #[arg(required_unless_present = "now", requires = "file")]
    snapshot: Option<String>,
    /// The file.
    #[arg(required_unless_present = "now")]
    file: Option<PathBuf>,
    /// Write the state of now to this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["snapshot", "file"])]
    now: Option<PathBuf>,
}

/// The flags of `events`.
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Go on as they happen.
    #[arg(long, short)]
    follow: bool,
    /// Only those that match: `kind=settled`, `payer=alice`, `path=/api/*`, `outcome=failure`, `network=base-sepolia`,
    /// `purchase=last`, `payment=pay_...`, `door=chain`. Several values of a key are joined by commas; given several
    /// times, an event must match all keys.
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Only those after this sequence number.
    #[arg(long, value_name = "N", default_value_t = 0)]
    since: u64,
    /// Which server.
    #[command(flatten)]
    door: DoorArgs,
}

impl EventsArgs {
    /// The server, and which events.
    pub fn parts(self) -> (DoorArgs, events::Wish) {
        let follow = if self.follow { events::Follow::Yes } else { events::Follow::No };
        (self.door, events::Wish { filters: self.filter, since: self.since, follow })
    }
}

/// The test account that a text names.
fn test_account(text: &str) -> Result<TestAccount, String> {
    let nobody = "no test account is called so; give an index from 0 to 19, a name such as `alice`, or an address";
    x402_sim::accounts::find(text).ok_or_else(|| nobody.to_owned())
}

impl From<Option<AccountsAction>> for accounts::Job {
    fn from(action: Option<AccountsAction>) -> Self {
        match action {
            None => Self::List,
            Some(AccountsAction::New { account_name }) => Self::New(account_name),
            Some(AccountsAction::Keypair { account, base58 }) => {
                let spelling = if base58 { accounts::Spelling::Base58 } else { accounts::Spelling::Json };
                Self::Keypair(account, spelling)
            }
            Some(AccountsAction::Block { account }) => Self::Block(account),
            Some(AccountsAction::Unblock { account }) => Self::Unblock(account),
        }
    }
}

impl From<Option<ClockAction>> for clock::Job {
    fn from(action: Option<ClockAction>) -> Self {
        match action {
            None => Self::Show,
            Some(ClockAction::Advance { by }) => Self::Advance(by),
            Some(ClockAction::Set { time }) => Self::Set(time),
            Some(ClockAction::Freeze) => Self::Freeze,
            Some(ClockAction::Resume) => Self::Resume,
            Some(ClockAction::Rate { rate }) => Self::Rate(rate),
        }
    }
}

impl From<SnapshotAction> for snapshot::Job {
    fn from(action: SnapshotAction) -> Self {
        match action {
            SnapshotAction::Save { snapshot } => Self::Save(snapshot),
            SnapshotAction::List => Self::List,
            SnapshotAction::Restore { snapshot } => Self::Restore(snapshot),
            SnapshotAction::Drop { snapshot } => Self::Drop(snapshot),
            SnapshotAction::Export(ExportArgs { snapshot, file, now }) => {
                Self::Export(snapshot, now.or(file).expect("clap asks for one of them"))
            }
            SnapshotAction::Import { file, snapshot } => Self::Import(file, snapshot),
        }
    }
}

impl From<WalletArgs> for Wallet {
    fn from(args: WalletArgs) -> Self {
        Self { network: args.network, asset: args.asset }
    }
}

impl ApproveArgs {
    /// The server, the account, and what it approves.
    pub fn parts(self) -> (DoorArgs, String, Approval) {
        let WalletArgs { network, asset } = self.wallet;
        (self.door, self.account, Approval { amount: self.amount, network, asset })
    }
}

impl BalanceArgs {
    /// The server, the account, and that it approves nothing any more.
    pub fn revocation(self) -> (DoorArgs, String, Approval) {
        let WalletArgs { network, asset } = self.wallet;
        (self.door, self.account, Approval { amount: Some("0".to_owned()), network, asset })
    }
}

impl FundArgs {
    /// The server, the account, and what is to become of its balance.
    pub fn parts(self) -> (DoorArgs, String, Fund) {
        let WalletArgs { network, asset } = self.wallet;
        (self.door, self.account, Fund { amount: self.amount, set: self.set, network, asset })
    }
}

fn time(text: &str) -> Result<u64, String> {
    let wrong = || "write seconds since 1970, or a time as 2027-01-15T08:00:00Z".to_owned();
    crate::clock::parse(text).ok_or_else(wrong)
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('x').unwrap_or(text).parse().ok();
    let rate = number.filter(|rate| (0.001..=1000.0).contains(rate));
    rate.ok_or_else(|| "write a number from 0.001x to 1000x".to_owned())
}
