//! Why a payment is refused: known codes, spelled in one place for each protocol version.
//!
//! Source: TS 2.27 evm `exact/facilitator/errors.ts`, npm `x402` 1.2.0 `ErrorReasons`.

use crate::registry::Version;

/// A refusal: what is wrong, and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What is wrong.
    pub code: Code,
    /// What exactly, naming both sides; empty where the code says all.
    pub detail: String,
    /// What the client is told besides, and no event says, because it depends on this computer's clock.
    pub aside: Option<String>,
}

/// What is wrong with a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The protocol version is neither 1 nor 2. (Chosen; the official code throws.)
    UnknownVersion,
    /// The requirements name a scheme that is not played here. (Chosen; the official code throws.)
    UnknownScheme,
    /// The requirements name a network that is not enabled. (Chosen; the official code throws.)
    UnknownNetwork,
    /// A part has the wrong shape. (Chosen; the official code throws or guesses.)
    InvalidPayload,
    /// `scheme` differs between payload and requirements.
    Scheme,
    /// `network` differs between payload and requirements.
    NetworkMismatch,
    /// `extra.name` or `extra.version` is missing.
    MissingDomain,
    /// An ERC-6492 wrapper names a factory that may not be called.
    FactoryNotAllowed,
    /// The signature is not the payer's.
    Signature,
    /// `to` is not `payTo`.
    Recipient,
    /// The authorization has expired, or will within six seconds.
    ValidBefore,
    /// The authorization is not valid yet.
    ValidAfter,
    /// `value` is not the amount asked.
    Value,
    /// There is no contract at the asset's address.
    AssetNotContract,
    /// The asset has no `transferWithAuthorization`.
    NotEip3009,
    /// The authorization was used before.
    NonceUsed,
    /// `extra.name` is not the token's name.
    TokenName,
    /// `extra.version` is not the token's version.
    TokenVersion,
    /// The payer has too little.
    InsufficientBalance,
    /// The transfer would revert, and no diagnosis fits.
    SimulationFailed,
    /// The transfer reverted, and no mapping fits.
    TransactionFailed,
    /// The transfer is broadcast and not confirmed yet.
    SettlementPending,
    /// `verification: reject`. (Ours.)
    Simulated,
}

impl Code {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::UnknownVersion,
        Self::UnknownScheme,
        Self::UnknownNetwork,
        Self::InvalidPayload,
        Self::Scheme,
        Self::NetworkMismatch,
        Self::MissingDomain,
        Self::FactoryNotAllowed,
        Self::Signature,
        Self::Recipient,
        Self::ValidBefore,
        Self::ValidAfter,
        Self::Value,
        Self::AssetNotContract,
        Self::NotEip3009,
        Self::NonceUsed,
        Self::TokenName,
        Self::TokenVersion,
        Self::InsufficientBalance,
        Self::SimulationFailed,
        Self::TransactionFailed,
        Self::SettlementPending,
        Self::Simulated,
    ];

    /// The reason string on the wire.
    pub const fn spell(self, version: Version) -> &'static str {
        match self {
            Self::UnknownVersion => "invalid_x402_version",
            Self::UnknownScheme => "unsupported_scheme",
            Self::UnknownNetwork => "invalid_network",
            Self::InvalidPayload => "invalid_payload",
            Self::Scheme => "invalid_exact_evm_scheme",
            Self::NetworkMismatch => "invalid_exact_evm_network_mismatch",
            Self::MissingDomain => "invalid_exact_evm_missing_eip712_domain",
            Self::FactoryNotAllowed => "eip6492_factory_not_allowed",
            Self::Signature => "invalid_exact_evm_signature",
            Self::Recipient => "invalid_exact_evm_recipient_mismatch",
            Self::ValidBefore => "invalid_exact_evm_payload_authorization_valid_before",
            Self::ValidAfter => "invalid_exact_evm_payload_authorization_valid_after",
            Self::Value => match version {
                Version::V1 => "invalid_exact_evm_authorization_value",
                Version::V2 => "invalid_exact_evm_payload_authorization_value_mismatch",
            },
            Self::AssetNotContract => "asset_not_deployed_contract",
            Self::NotEip3009 => "invalid_exact_evm_eip3009_not_supported",
            Self::NonceUsed => "invalid_exact_evm_nonce_already_used",
            Self::TokenName => "invalid_exact_evm_token_name_mismatch",
            Self::TokenVersion => "invalid_exact_evm_token_version_mismatch",
            Self::InsufficientBalance => "invalid_exact_evm_insufficient_balance",
            Self::SimulationFailed => "invalid_exact_evm_transaction_simulation_failed",
            Self::TransactionFailed => "invalid_exact_evm_transaction_failed",
            Self::SettlementPending => "settlement_pending",
            Self::Simulated => "payment_rejected_by_simulation",
        }
    }

    /// This code with a sentence. Texts of the request that it repeats are shortened by whoever writes it.
    pub fn because(self, detail: impl Into<String>) -> Reason {
        Reason { code: self, detail: detail.into(), aside: None }
    }
}

impl Reason {
    /// The same reason, with something that only the client is told.
    pub fn with_aside(self, aside: Option<String>) -> Self {
        Self { aside, ..self }
    }

    /// Everything that the client is told.
    pub fn told(&self) -> String {
        match &self.aside {
            Some(aside) => format!("{}; {aside}", self.detail),
            None => self.detail.clone(),
        }
    }
}
