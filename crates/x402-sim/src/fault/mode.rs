//! The four modes of verification.
/// How payments are judged. A line of [`MODES`] each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// As in production.
    #[default]
    Strict,
    /// The signature is not looked at; every rule of the ledger holds.
    Accept,
    /// Every payment is refused as `payment_rejected_by_simulation`.
    Reject,
    /// Every payment waits and then times out (408); nothing is settled.
    Timeout,
}

/// A mode, its name in the configuration, its name in `X-Simulation-Mode` if it has one, and what it does.
pub type ModeRow = (Mode, &'static str, Option<&'static str>, &'static str);

/// Every mode.
pub const MODES: &[ModeRow] = &[
    (Mode::Strict, "strict", None, "payments are judged as in production"),
    (Mode::Accept, "accept", Some("success"), "signatures are not checked; the ledger's rules hold"),
    (Mode::Reject, "reject", Some("failure"), "every payment is refused"),
    (Mode::Timeout, "timeout", Some("timeout"), "every payment waits, then times out; nothing is settled"),
];

impl Mode {
    /// The mode that the configuration calls so.
    pub fn from_name(name: &str) -> Option<Self> {
        MODES.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The mode that `X-Simulation-Mode` calls so.
    pub fn from_header(value: &str) -> Option<Self> {
        MODES.iter().find(|row| row.2 == Some(value)).map(|row| row.0)
    }

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        MODES.iter().find(|row| row.0 == self).map_or("strict", |row| row.1)
    }

    /// Its name, where answers and events must say that something was simulated.
    pub fn simulation(self) -> Option<&'static str> {
        (self != Self::Strict).then(|| self.name())
    }
}
