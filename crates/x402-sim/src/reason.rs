//! Why a payment is refused: known codes, spelled in one place for each protocol version.
//!
//! Source: TS 2.27 evm `exact/facilitator/errors.ts`, npm `x402` 1.2.0 `ErrorReasons`.

use crate::networks::solana::exact::reason as svm;
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
    /// The payload is of another kind than its scheme.
    PayloadType,
    /// Permit2: the spender is not the scheme's proxy.
    Permit2Spender,
    /// Permit2: the witness names another payee than `payTo`.
    Permit2Recipient,
    /// Permit2: the permit has expired, or will within six seconds.
    Permit2Deadline,
    /// Permit2: the permit is not valid yet.
    Permit2NotYetValid,
    /// Permit2: the permitted amount is not the amount asked.
    Permit2Amount,
    /// Permit2: the permitted token is not the asset.
    Permit2Token,
    /// Permit2: the signature is not the payer's.
    Permit2Signature,
    /// Permit2: the payer has too little.
    Permit2Balance,
    /// Permit2: the payer allows the Permit2 contract too little.
    Permit2Allowance,
    /// Permit2: the settlement would revert, and no diagnosis fits.
    Permit2Simulation,
    /// The settlement would revert, because the nonce was used before.
    Permit2Used,
    /// Permit2: the proxy moves no zero.
    Permit2InvalidAmount,
    /// Permit2: the proxy pays nobody at the zero address.
    Permit2InvalidDestination,
    /// Permit2: the proxy takes nothing from the zero address.
    Permit2InvalidOwner,
    /// Permit2: the proxy finds the permit not valid yet.
    Permit2TooEarly,
    /// Permit2: the nonce was used or cancelled before.
    Permit2InvalidNonce,
    /// `upto`: `scheme` differs between payload and requirements.
    UptoScheme,
    /// `upto`: `network` differs between payload and requirements.
    UptoNetwork,
    /// `upto`: the witness names another facilitator.
    UptoFacilitator,
    /// `upto`: more is to be settled than was permitted.
    UptoExceeds,
    /// `verification: reject`. (Ours.)
    Simulated,
    /// What is wrong on Solana. Its codes are in a list of their own: the versions share spellings with others.
    Svm(svm::Code),
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
        Self::PayloadType,
        Self::Permit2Spender,
        Self::Permit2Recipient,
        Self::Permit2Deadline,
        Self::Permit2NotYetValid,
        Self::Permit2Amount,
        Self::Permit2Token,
        Self::Permit2Signature,
        Self::Permit2Balance,
        Self::Permit2Allowance,
        Self::Permit2Simulation,
        Self::Permit2Used,
        Self::Permit2InvalidAmount,
        Self::Permit2InvalidDestination,
        Self::Permit2InvalidOwner,
        Self::Permit2TooEarly,
        Self::Permit2InvalidNonce,
        Self::UptoScheme,
        Self::UptoNetwork,
        Self::UptoFacilitator,
        Self::UptoExceeds,
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
            Self::PayloadType => "unsupported_payload_type",
            Self::Permit2Spender => "invalid_permit2_spender",
            Self::Permit2Recipient => "invalid_permit2_recipient_mismatch",
            Self::Permit2Deadline => "permit2_deadline_expired",
            Self::Permit2NotYetValid => "permit2_not_yet_valid",
            Self::Permit2Amount => "permit2_amount_mismatch",
            Self::Permit2Token => "permit2_token_mismatch",
            Self::Permit2Signature => "invalid_permit2_signature",
            Self::Permit2Balance => "permit2_insufficient_balance",
            Self::Permit2Allowance => "permit2_allowance_required",
            // The official facilitator has no question about the nonce.
            Self::Permit2Simulation | Self::Permit2Used => "permit2_simulation_failed",
            Self::Permit2InvalidAmount => "permit2_invalid_amount",
            Self::Permit2InvalidDestination => "permit2_invalid_destination",
            Self::Permit2InvalidOwner => "permit2_invalid_owner",
            Self::Permit2TooEarly => "permit2_payment_too_early",
            Self::Permit2InvalidNonce => "permit2_invalid_nonce",
            Self::UptoScheme => "invalid_upto_evm_scheme",
            Self::UptoNetwork => "invalid_upto_evm_network_mismatch",
            Self::UptoFacilitator => "upto_facilitator_mismatch",
            Self::UptoExceeds => "invalid_upto_evm_payload_settlement_exceeds_amount",
            Self::Simulated => "payment_rejected_by_simulation",
            Self::Svm(code) => code.spell(version),
        }
    }

    /// Whether it says that the payment was made before.
    pub const fn is_replay(self) -> bool {
        matches!(
            self,
            Self::NonceUsed | Self::Permit2Used | Self::Permit2InvalidNonce | Self::Svm(svm::Code::Duplicate)
        )
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
