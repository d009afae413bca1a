//! What goes wrong at a chain's own door.

/// How a chain's JSON-RPC goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainTrouble {
    /// A transaction is refused: its nonce was used meanwhile.
    NonceTooLow,
    /// A transaction is taken and never seen again.
    Dropped,
    /// A transaction is executed, and nobody can have its receipt.
    NoReceipt,
    /// The newest blockhash is an old one; a transaction's is too old.
    StaleBlockhash,
    /// The chain stands still: its newest block or slot stays the same.
    Stalled,
}

impl ChainTrouble {
    /// Its name as an effect.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NonceTooLow => "nonce_too_low",
            Self::Dropped => "dropped",
            Self::NoReceipt => "no_receipt",
            Self::StaleBlockhash => "stale_blockhash",
            Self::Stalled => "stalled",
        }
    }

    /// The trouble of a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let all = [Self::NonceTooLow, Self::Dropped, Self::NoReceipt, Self::StaleBlockhash, Self::Stalled];
        all.into_iter().find(|trouble| trouble.name() == name)
    }
}
