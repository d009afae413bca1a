//! What the command line says about the configuration.

use std::path::PathBuf;

/// The values of flags; they win over every other layer. Texts are read by the rules of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--host`: `server.host`.
    pub host: Option<String>,
    /// `--port`: `server.port`.
    pub port: Option<u16>,
    /// `--price`: `pricing.default`.
    pub price: Option<String>,
    /// `--network`, once for each: `networks`; empty where the flag is absent.
    pub networks: Vec<String>,
    /// `--config`: the file that is read in place of the project's.
    pub config: Option<PathBuf>,
    /// `--seed`: `seed`.
    pub seed: Option<u64>,
    /// `--verification`: `verification`.
    pub verification: Option<String>,
    /// `--timeout-delay`: `timeout_delay`.
    pub timeout_delay: Option<String>,
    /// `--log-format`: `log.format`.
    pub log_format: Option<String>,
    /// `--quiet` and `--verbose`: `log.level`.
    pub log_level: Option<String>,
}
