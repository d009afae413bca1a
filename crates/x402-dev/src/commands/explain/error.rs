//! Why nothing is explained.

use std::io;

use crate::exit::Exit;
use crate::journal::JournalError;
use crate::terminal::safe;

/// Why nothing is explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// It cannot be read.
    #[error("cannot read {name}")]
    Unreadable {
        /// What.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is larger than what is read.
    #[error("{name} is larger than {limit} MiB")]
    TooLarge {
        /// What.
        name: String,
        /// How much is read.
        limit: usize,
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
    /// A word that is no address that can be asked.
    #[error("{url}: {why}")]
    BadUrl {
        /// The word.
        url: String,
        /// Why.
        why: String,
    },
    /// There is nothing in it.
    #[error("{name} is empty")]
    Empty {
        /// What.
        name: String,
    },
    /// It is nothing that is known.
    #[error("{} is nothing of x402 that can be explained", safe(.what))]
    Nothing {
        /// What.
        what: String,
        /// What was thought of it.
        notes: Vec<String>,
    },
    /// The instance knows nothing of it.
    #[error("the instance knows nothing of {}", safe(.what))]
    Unknown {
        /// What.
        what: String,
    },
    /// The journal holds no such purchase.
    #[error("the journal of `x402-dev pay` holds no purchase {id}")]
    NotBought {
        /// Its name.
        id: String,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The requirements are none.
    #[error("--requirements {} holds no requirements and no offer", safe(.what))]
    NoRequirements {
        /// What.
        what: String,
    },
}

impl ExplainError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Nothing { notes, .. } if !notes.is_empty() => Some(notes.join("; ")),
            Self::Nothing { .. } => Some(
                "give a payment header, an offer, requirements, JSON of a facilitator, a reason string, a HAR, a log of \
                 `curl -v`, or `last`"
                    .to_owned(),
            ),
            Self::Unknown { .. } => Some(
                "`x402-dev events` and `x402-dev purchases` list what it knows; of a server of your own it sees nothing but \
                 what that asks of its facilitator: `x402-dev explain URL-OF-YOUR-SERVER` looks at the offer, and \
                 `x402-dev explain 'THE ERROR'` at what the client throws"
                    .to_owned(),
            ),
            Self::NotBought { .. } => Some("`x402-dev pay --list` lists what it holds".to_owned()),
            Self::NoRequirements { .. } => {
                Some("give one entry of `accepts`, a whole offer, or the value of its PAYMENT-REQUIRED header".to_owned())
            }
            Self::Unreachable { .. } => Some("start a server with `x402-dev mock -d`, or give a file".to_owned()),
            Self::Unreadable { .. }
            | Self::TooLarge { .. }
            | Self::Empty { .. }
            | Self::BadUrl { .. }
            | Self::Journal(_) => None,
        }
    }

    /// The exit code.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unreadable { .. } | Self::BadUrl { .. } | Self::NoRequirements { .. } => Exit::Usage,
            Self::Unreachable { .. } => Exit::Unavailable,
            Self::TooLarge { .. }
            | Self::Empty { .. }
            | Self::Nothing { .. }
            | Self::Unknown { .. }
            | Self::NotBought { .. }
            | Self::Journal(_) => Exit::Failure,
        }
    }
}
