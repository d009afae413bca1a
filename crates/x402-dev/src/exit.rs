//! The exit codes: one table for every command, for `--help` and for the documentation.

use std::fmt::Write as _;
use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Exit {
    /// Done, or running.
    Success,
    /// It failed: nothing to stop, it would not stop in time, or the thing tested failed.
    Failure,
    /// Not running or stale (status, stop); nothing could be exercised (check, test).
    NotRunning,
    /// An instance of that name is already running.
    AlreadyRunning,
    /// The outcome is unknown (pay): it may have been paid.
    Unknown,
    /// Nothing acceptable, or over the limit (pay).
    NotAcceptable,
    /// The command line is wrong (`EX_USAGE`).
    Usage,
    /// A service or a port that is needed is not available (`EX_UNAVAILABLE`).
    Unavailable,
    /// A bug in this program (`EX_SOFTWARE`).
    Bug,
    /// A file cannot be created (`EX_CANTCREAT`).
    CannotCreate,
    /// The configuration is invalid (`EX_CONFIG`).
    Config,
}

impl Exit {
    /// Every exit code, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Success,
        Self::Failure,
        Self::NotRunning,
        Self::AlreadyRunning,
        Self::Unknown,
        Self::NotAcceptable,
        Self::Usage,
        Self::Unavailable,
        Self::Bug,
        Self::CannotCreate,
        Self::Config,
    ];

    /// The number that the operating system sees.
    pub const fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::NotRunning => 2,
            Self::AlreadyRunning => 3,
            Self::Unknown => 4,
            Self::NotAcceptable => 5,
            Self::Usage => 64,
            Self::Unavailable => 69,
            Self::Bug => 70,
            Self::CannotCreate => 73,
            Self::Config => 78,
        }
    }

    /// What the number means, as a lowercase fragment.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "done, or running",
            Self::Failure => "failed: nothing to stop, would not stop in time, or the thing tested failed",
            Self::NotRunning => "not running or stale (status, stop); nothing could be exercised (check, test)",
            Self::AlreadyRunning => "already running",
            Self::Unknown => "outcome unknown: it may have been paid (pay)",
            Self::NotAcceptable => "nothing acceptable, or over the limit (pay)",
            Self::Usage => "the command line is wrong",
            Self::Unavailable => "a needed service or port is unavailable",
            Self::Bug => "a bug in x402-dev",
            Self::CannotCreate => "a file cannot be created",
            Self::Config => "the configuration is invalid",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// The table for `--help`: a line for each exit code, its number right-aligned.
pub fn table() -> String {
    let mut table = String::new();
    for exit in Exit::ALL {
        writeln!(table, "  {:>2}  {}", exit.number(), exit.meaning()).expect("writing to a string cannot fail");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_every_number_once_and_in_order() {
        assert!(Exit::ALL.windows(2).all(|pair| pair[0].number() < pair[1].number()));
        assert_eq!(table().lines().count(), Exit::ALL.len());
        insta::assert_snapshot!(table(), @r"
           0  done, or running
           1  failed: nothing to stop, would not stop in time, or the thing tested failed
           2  not running or stale (status, stop); nothing could be exercised (check, test)
           3  already running
           4  outcome unknown: it may have been paid (pay)
           5  nothing acceptable, or over the limit (pay)
          64  the command line is wrong
          69  a needed service or port is unavailable
          70  a bug in x402-dev
          73  a file cannot be created
          78  the configuration is invalid
        ");
    }
}
