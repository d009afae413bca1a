//! What the command line says about the configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The values of flags; they win over every other layer. Texts are read by the rules of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl Overrides {
    /// These flags over older ones: what is said now wins, what is not said stays.
    pub fn over(self, old: Self) -> Self {
        Self {
            host: self.host.or(old.host),
            port: self.port.or(old.port),
            price: self.price.or(old.price),
            networks: if self.networks.is_empty() { old.networks } else { self.networks },
            config: self.config.or(old.config),
            seed: self.seed.or(old.seed),
            verification: self.verification.or(old.verification),
            timeout_delay: self.timeout_delay.or(old.timeout_delay),
            log_format: self.log_format.or(old.log_format),
            log_level: self.log_level.or(old.log_level),
        }
    }
}
