//! `x402-dev fault`.

use clap::{Args, Subcommand};

use super::door::DoorArgs;
use crate::commands::fault::{Job, Listed};
use crate::doors::admin::routes::faults::{FaultMatch, NewFault};

/// The flags of `fault`.
#[derive(Debug, Args)]
pub struct FaultArgs {
    /// Which server.
    #[command(flatten)]
    pub door: DoorArgs,
    /// What to do.
    #[command(subcommand)]
    pub action: FaultAction,
}

/// What `fault` does.
#[derive(Debug, Subcommand)]
pub enum FaultAction {
    /// Add a preset, or a fault as `STAGE=EFFECT` or `STAGE:after=EFFECT`. It holds from the next request on.
    ///
    /// Examples:
    ///   x402-dev fault add truncated --route /weather
    ///   x402-dev fault add settle:after=status:503 --payer alice --times 1
    #[command(verbatim_doc_comment)]
    Add(Box<AddArgs>),
    /// List the faults.
    ///
    /// Examples:
    ///   x402-dev fault list
    ///   x402-dev fault list --all --json
    #[command(verbatim_doc_comment)]
    List {
        /// The built-in ones, too: the behaviour of personas.
        #[arg(long)]
        all: bool,
    },
    /// Remove the faults of an id or a name.
    ///
    /// Examples:
    ///   x402-dev fault remove f1
    ///   x402-dev fault remove truncated
    #[command(verbatim_doc_comment)]
    Remove {
        /// The id or the name.
        fault: String,
    },
    /// Remove every fault.
    ///
    /// Examples:
    ///   x402-dev fault clear
    ///   x402-dev fault clear --name ci
    #[command(verbatim_doc_comment)]
    Clear,
    /// List the presets, with the settlements that are then expected.
    ///
    /// Examples:
    ///   x402-dev fault presets
    ///   x402-dev fault presets --json
    #[command(verbatim_doc_comment)]
    Presets,
}

/// The flags of `fault add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// A preset, or `STAGE=EFFECT`, or `STAGE:after=EFFECT`.
    fault: String,
    /// A name to remove it by.
    #[arg(long, value_name = "NAME")]
    r#as: Option<String>,
    /// Only at this door: `resources`, `facilitator` or `rpc`.
    #[arg(long)]
    door: Option<String>,
    /// Only for this resource: `/weather/*`, `GET /users/[id]`.
    #[arg(long)]
    route: Option<String>,
    /// Only for requests with this method.
    #[arg(long)]
    method: Option<String>,
    /// Only for this payer: a name, an index or an address.
    #[arg(long, value_name = "ACCOUNT")]
    payer: Option<String>,
    /// Only on this network.
    #[arg(long)]
    network: Option<String>,
    /// Only for this scheme.
    #[arg(long)]
    scheme: Option<String>,
    /// Only for this purchase: its id, or the name that the buyer gives.
    #[arg(long)]
    purchase: Option<String>,
    /// Only in this protocol version.
    #[arg(long = "protocol", value_name = "1|2")]
    version: Option<u8>,
    /// Only at this match, counted from 1.
    #[arg(long, value_name = "N")]
    nth: Option<u32>,
    /// At every so-manieth match.
    #[arg(long, value_name = "N")]
    every: Option<u32>,
    /// At the first so many matches.
    #[arg(long, value_name = "N")]
    first: Option<u32>,
    /// With this chance, from the seed: `0.1`.
    #[arg(long, value_name = "P")]
    probability: Option<f64>,
    /// Count matches `all` together, or for each `purchase`.
    #[arg(long, value_name = "all|purchase")]
    per: Option<String>,
    /// How often at most.
    #[arg(long, value_name = "N")]
    times: Option<u32>,
}

impl From<FaultAction> for Job {
    fn from(action: FaultAction) -> Self {
        match action {
            FaultAction::Add(args) => Self::Add(Box::new((*args).into())),
            FaultAction::List { all } => Self::List(if all { Listed::All } else { Listed::Added }),
            FaultAction::Remove { fault } => Self::Remove(fault),
            FaultAction::Clear => Self::Clear,
            FaultAction::Presets => Self::Presets,
        }
    }
}

impl From<AddArgs> for NewFault {
    fn from(args: AddArgs) -> Self {
        let AddArgs { fault, r#as: name, door, route, method, payer, network, scheme, purchase, version, .. } = args;
        let matcher = FaultMatch { door, route, method, payer, network, scheme, purchase, version };
        let matcher = (matcher != FaultMatch::default()).then_some(matcher);
        let AddArgs { nth, every, first, probability, per, times, .. } = args;
        let counted = Self { name, matcher, nth, every, first, probability, per, times, ..Self::default() };
        match fault.split_once('=') {
            None => Self { preset: Some(fault), ..counted },
            Some((place, effect)) => {
                let (stage, timing) =
                    place.split_once(':').map_or((place, None), |(stage, timing)| (stage, Some(timing)));
                let (stage, effect) = (Some(stage.to_owned()), Some(effect.to_owned()));
                Self { stage, timing: timing.map(str::to_owned), effect, ..counted }
            }
        }
    }
}
