//! Who said a value.

use std::fmt;
use std::path::PathBuf;

/// Who said a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody: it is built in.
    Default,
    /// A configuration file.
    File {
        /// The file as it was named or found.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name: `X402_DEV_SERVER__PORT`.
        variable: String,
    },
    /// A flag of the command line.
    Flag {
        /// Its name: `--port`.
        flag: &'static str,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File { path, line, column } => write!(out, "{}:{line}:{column}", path.display()),
            Self::Environment { variable } => out.write_str(variable),
            Self::Flag { flag } => out.write_str(flag),
        }
    }
}
