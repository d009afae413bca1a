//! The tool's own trouble. A refused payment is not an error, it is data.

use std::io;
use std::net::SocketAddr;

use crate::config::{ConfigError, Paint};
use crate::exit::Exit;
use crate::terminal::Colour;

/// Why a command cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An offer does not fit into a header.
    #[error("the offer of {resource} makes a PAYMENT-REQUIRED header of {bytes} bytes; proxies cut off at {limit}")]
    OfferTooLarge {
        /// The resource's route.
        resource: String,
        /// The header's size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The grant does not fit an asset.
    #[error("accounts.balance does not fit an enabled asset: {0}")]
    Balance(#[from] x402_wire::amount::AmountError),
    /// The port is taken.
    #[error("cannot listen on {address}: the port is in use")]
    PortInUse {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The system does not give us what every program needs.
    #[error("cannot start: {what}")]
    System {
        /// What failed.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.hint(),
            Self::OfferTooLarge { .. } => Some("list fewer ways to pay, or shorten description and extra".to_owned()),
            Self::Balance(_) => Some("write a smaller balance with fewer decimals".to_owned()),
            Self::PortInUse { .. } => {
                Some("choose another port with --port, or let the system choose one with --port 0".to_owned())
            }
            Self::Listen { .. } => Some("choose an address of this machine with --host".to_owned()),
            Self::System { .. } => None,
        }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(error) => error.exit(),
            Self::OfferTooLarge { .. } | Self::Balance(_) => Exit::Config,
            Self::PortInUse { .. } | Self::Listen { .. } => Exit::Unavailable,
            Self::System { .. } => Exit::Bug,
        }
    }

    /// Everything for a person: what happened, where, why, and what to do next.
    pub fn report(&self, colour: Colour) -> String {
        if let Self::Config(error) = self {
            return error.draw(match colour {
                Colour::On => Paint::Coloured,
                Colour::Off => Paint::Plain,
            });
        }
        let mut text = format!("error: {self}");
        let mut cause = std::error::Error::source(self);
        while let Some(inner) = cause {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            cause = inner.source();
        }
        if let Some(hint) = self.hint() {
            text.push_str("\nhint: ");
            text.push_str(&hint);
        }
        text
    }
}
