//! Why nothing is signed, and what to do about it.

use std::io;

use http::{Method, StatusCode};
use x402_sim::networks::eip155::eip3009::draft::NoDefect;
use x402_sim::networks::solana::exact::defect::NoDefect as NoDefectOnSolana;
use x402_sim::payer::{NoChoice, NoOffer};
use x402_sim::registry::Version;

use crate::exit::Exit;

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The source cannot be read.
    #[error("cannot read {name}")]
    Unreadable {
        /// What.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody answers at the URL.
    #[error("cannot reach {url}")]
    Unreachable {
        /// The URL.
        url: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The source is larger than [`LIMIT`](super::source::LIMIT).
    #[error("{name} is larger than 1 MiB")]
    TooLarge {
        /// What.
        name: String,
    },
    /// The URL asks for no payment.
    #[error("{method} {name} is answered with {status}, not with 402 Payment Required")]
    NotAsked {
        /// The URL.
        name: String,
        /// How it was asked.
        method: Method,
        /// What it answered.
        status: StatusCode,
    },
    /// The source holds something else.
    #[error("{name} holds nothing that can be signed for: {why}")]
    NoOffer {
        /// The source.
        name: String,
        /// What it holds.
        why: NoOffer,
    },
    /// The source speaks another version than the one that is wanted.
    #[error("{name} holds an offer of protocol version {}", version.number())]
    OtherVersion {
        /// The source.
        name: String,
        /// Its version.
        version: Version,
    },
    /// None of the requirements.
    #[error("{name}: {why}")]
    NoChoice {
        /// The source.
        name: String,
        /// Why.
        why: NoChoice,
    },
    /// The defect is what is asked for.
    #[error(transparent)]
    NoDefect(#[from] NoDefect),
    /// The same on Solana.
    #[error(transparent)]
    NoDefectOnSolana(#[from] NoDefectOnSolana),
    /// A payment on this network cannot have the defect.
    #[error("a payment on {network} cannot have the defect `{name}`")]
    ForeignDefect {
        /// Its name.
        name: &'static str,
        /// The network.
        network: String,
    },
    /// A flag that means nothing on this network.
    #[error("{flag} means nothing for a payment on {network}: its transaction is good as long as its blockhash")]
    ForeignFlag {
        /// The flag.
        flag: &'static str,
        /// The network.
        network: String,
    },
    /// A transaction on Solana needs a recent blockhash.
    #[error("no recent blockhash: {why}")]
    NoBlockhash {
        /// Why not.
        why: String,
    },
    /// There is no URL to send the payment to.
    #[error("{name} does not say which URL is paid for")]
    NoUrl {
        /// The source.
        name: String,
    },
}

impl SignError {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotAsked { status, .. } if status.is_redirection() => {
                Some("redirects are not followed: give the address that it leads to")
            }
            Self::NotAsked { .. } => Some("another method can be given with -X"),
            Self::NoChoice { .. } => {
                Some("--network, --asset and --index choose; without them, the first that fits is taken")
            }
            Self::NoUrl { .. } => Some("print the header alone with --header"),
            Self::ForeignDefect { .. } => Some("`x402-dev sign --defects` lists those of each family"),
            Self::NoBlockhash { .. } => {
                Some("give the cluster's JSON-RPC with --rpc http://..., or a blockhash with --blockhash")
            }
            Self::Unreachable { .. } => Some("start a server with `x402-dev mock -d`, or give a file"),
            Self::Unreadable { .. }
            | Self::TooLarge { .. }
            | Self::NoOffer { .. }
            | Self::OtherVersion { .. }
            | Self::ForeignFlag { .. }
            | Self::NoDefectOnSolana(_)
            | Self::NoDefect(_) => None,
        }
    }

    /// The exit code.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unreadable { .. } | Self::ForeignDefect { .. } | Self::ForeignFlag { .. } => Exit::Usage,
            Self::Unreachable { .. } => Exit::Unavailable,
            Self::TooLarge { .. }
            | Self::NotAsked { .. }
            | Self::NoOffer { .. }
            | Self::OtherVersion { .. }
            | Self::NoChoice { .. }
            | Self::NoDefect(_)
            | Self::NoDefectOnSolana(_)
            | Self::NoBlockhash { .. }
            | Self::NoUrl { .. } => Exit::Failure,
        }
    }
}
