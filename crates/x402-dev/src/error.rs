//! The tool's own trouble. A refused payment is not an error, it is data.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::commands::door::DoorError;
use crate::commands::explain::ExplainError;
use crate::commands::pay::PayError;
use crate::commands::sign::SignError;
use crate::config::{ConfigError, Paint};
use crate::exit::Exit;
use crate::instance::hold::HoldError;
use crate::instance::home::{BadName, InstanceName};
use crate::terminal::Colour;

/// Why a command cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The grant does not fit an asset.
    #[error("accounts.balance does not fit an enabled asset: {0}")]
    Balance(#[from] x402_wire::amount::AmountError),
    /// The port is taken.
    #[error("cannot listen on {address}: port {} is in use{}", address.port(), held_by(holder.as_ref()))]
    PortInUse {
        /// The address.
        address: SocketAddr,
        /// Who listens there, as far as it may be known: PID and name.
        holder: Option<(u32, String)>,
    },
    /// The instance cannot be this process's.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] BadName),
    /// There is no place for the state of an instance.
    #[error("there is no home directory for the state of the server{}", of_home(home.as_deref()))]
    NoHome {
        /// What `HOME` says.
        home: Option<PathBuf>,
    },
    /// The directory in which the last server worked is no more.
    #[error("cannot use the server's working directory {directory}")]
    WorkingDir {
        /// The directory.
        directory: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The state of an instance cannot be read or changed.
    #[error("cannot use the state of instance {name}")]
    State {
        /// The instance.
        name: InstanceName,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A server in the background died, or could not start, with its own words.
    #[error("{report}")]
    Child {
        /// What it said.
        report: String,
        /// Its exit code.
        exit: u8,
    },
    /// The process that the server shall end with does not exist.
    #[error("there is no process {pid} to end with")]
    NoParent {
        /// Its PID.
        pid: u32,
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
    /// A server cannot be asked, or has refused.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// Nothing was signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Nothing was bought, or nobody knows.
    #[error(transparent)]
    Pay(#[from] PayError),
    /// Nothing is explained.
    #[error(transparent)]
    Explain(#[from] ExplainError),
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
            Self::Balance(_) => Some("write a smaller balance with fewer decimals".to_owned()),
            Self::PortInUse { .. } => {
                Some("choose another port with --port, or let the system choose one with --port 0".to_owned())
            }
            Self::Hold(HoldError::AlreadyRunning { .. } | HoldError::Elsewhere { .. }) => {
                Some("stop it with `x402-dev mock stop`, or start another one with --name".to_owned())
            }
            Self::Hold(HoldError::Stranger { .. }) => Some(
                "end that process yourself, start another instance with --name, set X402_DEV_HOME to another directory, \
                 or run without one with --no-instance"
                    .to_owned(),
            ),
            Self::NoHome { .. } | Self::Hold(HoldError::Directory { .. }) | Self::State { .. } => Some(
                "set X402_DEV_HOME to a directory of yours that can be written, or run a server without one with \
                 --no-instance"
                    .to_owned(),
            ),
            Self::WorkingDir { .. } => {
                Some("stop the server with `x402-dev mock stop`, and start another one where you are".to_owned())
            }
            Self::Sign(error) => error.hint().map(str::to_owned),
            Self::Explain(error) => error.hint(),
            Self::Pay(error) => error.hint(),
            Self::Door(error) => error.hint(),
            Self::Listen { .. } => Some("choose an address of this machine with --host".to_owned()),
            Self::Name(_) | Self::Child { .. } | Self::NoParent { .. } | Self::System { .. } => None,
        }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(error) => error.exit(),
            Self::Balance(_) => Exit::Config,
            Self::PortInUse { .. } | Self::Listen { .. } => Exit::Unavailable,
            Self::Hold(HoldError::AlreadyRunning { .. } | HoldError::Elsewhere { .. }) => Exit::AlreadyRunning,
            Self::NoHome { .. }
            | Self::WorkingDir { .. }
            | Self::Hold(HoldError::Directory { .. } | HoldError::Stranger { .. })
            | Self::State { .. } => Exit::CannotCreate,
            Self::Name(_) | Self::NoParent { .. } => Exit::Usage,
            Self::Child { exit, .. } => {
                Exit::ALL.into_iter().find(|known| known.number() == *exit).unwrap_or(Exit::Bug)
            }
            Self::Sign(error) => error.exit(),
            Self::Explain(error) => error.exit(),
            Self::Pay(error) => error.exit(),
            Self::Door(error) => error.exit(),
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
        if let Self::Child { report, .. } = self {
            return report.clone();
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

fn of_home(home: Option<&Path>) -> String {
    home.map(|home| format!(": HOME is {}, which is no directory", home.display())).unwrap_or_default()
}

fn held_by(holder: Option<&(u32, String)>) -> String {
    holder.map(|(pid, name)| format!(" by {name} (PID {pid})")).unwrap_or_default()
}
