//! Why `pay` cannot do its work. A refused payment is none of these.

use std::io;
use std::path::PathBuf;

use super::asked::Dialect;
use super::authorization::NotAuthorized;
use super::buy::state;
use super::key::KeyError;
use super::order::BODY_LIMIT;
use super::story::{safe, said};
use crate::exit::Exit;
use crate::journal::{Entry, JournalError};
use crate::secret::CUT;

/// Why `pay` cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum PayError {
    /// The words of the command line do not fit together.
    #[error("{text}")]
    Usage {
        /// What is wrong.
        text: String,
    },
    /// The body cannot be read.
    #[error("cannot read the body from {name}")]
    Body {
        /// Where it lies.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The body is too large to be kept.
    #[error("the body from {name} is larger than {} MiB: it is kept until the purchase has ended", BODY_LIMIT / 1024 / 1024)]
    BodyTooLarge {
        /// Where it lies.
        name: String,
    },
    /// Nobody answers, and nothing was paid.
    #[error("no answer from {url}; nothing was signed")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The answer asks for payment, and does not say how.
    #[error("{url} answers 402, and nothing in it can be paid{}", list(notes))]
    NothingAsked {
        /// Where.
        url: String,
        /// What is wrong with what it says.
        notes: Vec<String>,
        /// The dialect in which it asks, where only another one was wanted.
        other: Option<Dialect>,
    },
    /// There is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A secret key is not used over plain HTTP.
    #[error("{url} is not encrypted and not on this machine: the key of {payer} is not used there")]
    Exposed {
        /// Where.
        url: String,
        /// Whose key.
        payer: String,
    },
    /// Nothing was signed.
    #[error(transparent)]
    NotAuthorized(#[from] NotAuthorized),
    /// The journal cannot be used. Nothing was sent that is not in it.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An earlier purchase of the same has no known end.
    #[error("purchase {id} of the same request has no known end: {}", safe(state))]
    Earlier {
        /// The purchase.
        id: String,
        /// What is known of it.
        state: String,
    },
    /// A payment was presented, and then the rest could not be done.
    #[error("purchase {id} was paid for, or may have been ({})", safe(state))]
    After {
        /// The purchase.
        id: String,
        /// What is known of it.
        state: String,
        /// What could not be done.
        #[source]
        source: Box<Self>,
    },
    /// Several purchases are open, and none is named.
    #[error("{} purchases are open: {}", ids.len(), ids.join(", "))]
    WhichOne {
        /// The open purchases.
        ids: Vec<String>,
    },
    /// A new authorization is not made yet.
    #[error("no new authorization is signed for purchase {id}: {}", safe(why))]
    NotAgain {
        /// The purchase.
        id: String,
        /// Why.
        why: String,
    },
    /// The cluster gives no blockhash.
    #[error("no blockhash: {}", said(why))]
    NoBlockhash {
        /// Why.
        why: String,
    },
    /// The chain of an invoice is not there, or another one.
    #[error("the chain does not answer: {}; nothing was signed", said(why))]
    NoChain {
        /// Why.
        why: String,
    },
    /// A transaction that would fail was not signed.
    #[error("the chain would not take the transaction, and nothing was signed: {}", said(why))]
    WouldFail {
        /// What the chain says.
        why: String,
    },
    /// A file cannot be written. It is tried before anything is paid; what happens later stands in [`Self::After`].
    #[error("cannot write {path}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate authorities cannot be read.
    #[error("cannot read certificates from {file}")]
    Certificates {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A load that might hurt somebody.
    #[error("{host} is not on this machine, nor on a private network")]
    Stranger {
        /// The host.
        host: String,
    },
    /// The system does not give what is needed.
    #[error("{what}")]
    System {
        /// What failed.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl PayError {
    /// The same error, after a purchase's authorization was presented: nobody may think that nothing was paid.
    pub fn after(self, purchase: &Entry) -> Self {
        let state = purchase.last().map(state).unwrap_or_default();
        Self::After { id: purchase.id.clone(), state, source: Box::new(self) }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreachable { .. } => "start a server with `x402-dev mock -d`, or look at the address",
            Self::NothingAsked { other: Some(other), .. } => {
                return Some(format!(
                    "it asks in {name}: leave `--dialect` out, or say `--dialect {name}`",
                    name = other.name()
                ));
            }
            Self::NothingAsked { url, .. } => return Some(explained(url)),
            Self::Exposed { .. } => "use https, or a test account with --as",
            Self::Earlier { id, .. } => {
                return Some(format!(
                    "ask what became of it with `x402-dev pay --resume {id}`, buy once more on purpose with --another, or \
                     give it up with `x402-dev pay --resume {id} --forget`"
                ));
            }
            Self::After { id, .. } => return Some(format!("ask again with `x402-dev pay --resume {id}`")),
            Self::WhichOne { .. } => "name one: `x402-dev pay --resume ID`",
            Self::NotAuthorized(NotAuthorized::NoChain) | Self::NoChain { .. } => {
                "give a JSON-RPC endpoint of the invoice's Solana cluster with --rpc"
            }
            Self::NotAuthorized(NotAuthorized::LateInvoice { .. }) => {
                "ask again for a fresh one; where the seller's clock is another one, say its time with --now"
            }
            Self::NotAuthorized(NotAuthorized::NoBlockhash) => {
                "give a JSON-RPC endpoint of the Solana cluster with --rpc, or pay on another network with --network"
            }
            Self::Stranger { .. } => "if it is yours, say --i-own-this-host",
            Self::Journal(JournalError::Unknown { .. }) => "`x402-dev pay --list` shows the open purchases",
            Self::Journal(JournalError::Strange { .. } | JournalError::Form { .. }) => {
                "it may hold an authorization that is still alive: look at it, and remove its directory when it is of no use"
            }
            Self::Journal(JournalError::Io { .. }) => "set X402_DEV_HOME to a directory of yours that can be written",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// The exit code.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } | Self::NoBlockhash { .. } | Self::NoChain { .. } => Exit::Unavailable,
            Self::WouldFail { .. } => Exit::Failure,
            Self::NothingAsked { .. }
            | Self::NotAuthorized(
                NotAuthorized::Memo { .. } | NotAuthorized::Invoice { .. } | NotAuthorized::LateInvoice { .. },
            ) => Exit::NotAcceptable,
            Self::Earlier { .. }
            | Self::NotAgain { .. }
            | Self::After { .. }
            | Self::Journal(JournalError::Busy { .. }) => Exit::Unknown,
            Self::Unwritable { .. }
            | Self::Journal(JournalError::Io { .. } | JournalError::Strange { .. } | JournalError::Form { .. }) => {
                Exit::CannotCreate
            }
            Self::System { .. } => Exit::Bug,
            Self::Usage { .. }
            | Self::Body { .. }
            | Self::BodyTooLarge { .. }
            | Self::Key(_)
            | Self::Exposed { .. }
            | Self::NotAuthorized(_)
            | Self::WhichOne { .. }
            | Self::Certificates { .. }
            | Self::Stranger { .. }
            | Self::Journal(JournalError::Unknown { .. }) => Exit::Usage,
        }
    }
}

/// Where a buyer reads what is wrong with an offer.
pub(super) fn explained(url: &str) -> String {
    // A seller may have chosen the address by a redirect: in a shell it is one word, and does nothing.
    let word = if url.contains(CUT) { "URL".to_owned() } else { format!("'{}'", url.replace('\'', "'\\''")) };
    format!("`x402-dev explain {word}` says what is wrong with the offer, and how its seller mends it")
}

fn list(notes: &[String]) -> String {
    notes.iter().flat_map(|note| ["\n  ".to_owned(), safe(note)]).collect()
}
