//! Why a payment is refused, in the words of each protocol version.
//!
//! Source: TS 2.27 svm `exact/facilitator/errors.ts` (version 2), `exact/v1/facilitator/scheme.ts` (version 1).

use crate::reason;
use crate::registry::Version;

/// What is wrong with a payment on Solana. The versions of the protocol share most spellings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// Another scheme than `exact`.
    Scheme,
    /// Payload and requirements name different networks.
    Network,
    /// `extra.feePayer` is missing.
    NoFeePayer,
    /// `extra.feePayer` is not the facilitator.
    FeePayerNotManaged,
    /// The transaction cannot be decoded.
    NotDecoded,
    /// The first account is not the fee payer.
    FeePayerMismatch,
    /// A signature is missing or wrong.
    Signature,
    /// A lookup table cannot be read.
    LookupTable,
    /// Too few instructions, or too many.
    Length,
    /// The first instruction sets no compute limit.
    ComputeLimit,
    /// The second instruction sets no compute price.
    ComputePrice,
    /// It sets too high a one.
    ComputePriceTooHigh,
    /// The third instruction is no `TransferChecked`.
    NoTransfer,
    /// The facilitator's own tokens would move.
    FeePayerTransferring,
    /// Another mint.
    Mint,
    /// Another recipient.
    Recipient,
    /// Another amount.
    Amount,
    /// An instruction that may not stand there: from the fourth on.
    Unknown(Place),
    /// Not exactly one memo.
    MemoCount,
    /// Another memo.
    Memo,
    /// The transaction would fail.
    Simulation,
    /// The same transaction was settled a short time ago.
    Duplicate,
    /// The transaction failed.
    Failed,
}

/// Which instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// The fourth.
    Fourth,
    /// The fifth.
    Fifth,
    /// The sixth.
    Sixth,
    /// The seventh.
    Seventh,
}

impl Place {
    /// The places behind the transfer, in sequence.
    pub const ALL: [Self; 4] = [Self::Fourth, Self::Fifth, Self::Sixth, Self::Seventh];
}

impl Code {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::Scheme,
        Self::Network,
        Self::NoFeePayer,
        Self::FeePayerNotManaged,
        Self::NotDecoded,
        Self::FeePayerMismatch,
        Self::Signature,
        Self::LookupTable,
        Self::Length,
        Self::ComputeLimit,
        Self::ComputePrice,
        Self::ComputePriceTooHigh,
        Self::NoTransfer,
        Self::FeePayerTransferring,
        Self::Mint,
        Self::Recipient,
        Self::Amount,
        Self::Unknown(Place::Fourth),
        Self::Unknown(Place::Fifth),
        Self::Unknown(Place::Sixth),
        Self::Unknown(Place::Seventh),
        Self::MemoCount,
        Self::Memo,
        Self::Simulation,
        Self::Duplicate,
        Self::Failed,
    ];

    /// The reason string on the wire.
    pub const fn spell(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::Scheme, Version::V1) => "unsupported_scheme",
            (Self::Scheme, Version::V2) => "invalid_exact_svm_unsupported_scheme",
            (Self::Network, Version::V1) => "network_mismatch",
            (Self::Network, Version::V2) => "invalid_exact_svm_network_mismatch",
            (Self::FeePayerNotManaged, Version::V1) => "fee_payer_not_managed_by_facilitator",
            (Self::FeePayerNotManaged, Version::V2) => "invalid_exact_svm_fee_payer_not_managed_by_facilitator",
            (Self::Simulation, Version::V1) => "transaction_simulation_failed",
            (Self::Simulation, Version::V2) => "invalid_exact_svm_transaction_simulation_failed",
            (Self::Failed, Version::V1) => "transaction_failed",
            (Self::Failed, Version::V2) => "invalid_exact_svm_transaction_failed",
            (Self::NoFeePayer, _) => "invalid_exact_svm_payload_missing_fee_payer",
            (Self::NotDecoded, _) => "invalid_exact_svm_payload_transaction_could_not_be_decoded",
            (Self::FeePayerMismatch, _) => "invalid_exact_svm_fee_payer_mismatch",
            (Self::Signature, _) => "invalid_exact_svm_payload_signature_invalid",
            (Self::LookupTable, _) => "invalid_exact_svm_smart_wallet_alt_resolution_failed",
            (Self::Length, _) => "invalid_exact_svm_payload_transaction_instructions_length",
            (Self::ComputeLimit, _) => "invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction",
            (Self::ComputePrice, _) => "invalid_exact_svm_payload_transaction_instructions_compute_price_instruction",
            (Self::ComputePriceTooHigh, _) => {
                "invalid_exact_svm_payload_transaction_instructions_compute_price_instruction_too_high"
            }
            (Self::NoTransfer, _) => "invalid_exact_svm_payload_no_transfer_instruction",
            (Self::FeePayerTransferring, _) => "invalid_exact_svm_payload_transaction_fee_payer_transferring_funds",
            (Self::Mint, _) => "invalid_exact_svm_payload_mint_mismatch",
            (Self::Recipient, _) => "invalid_exact_svm_payload_recipient_mismatch",
            (Self::Amount, _) => "invalid_exact_svm_payload_amount_mismatch",
            (Self::Unknown(Place::Fourth), _) => "invalid_exact_svm_payload_unknown_fourth_instruction",
            (Self::Unknown(Place::Fifth), _) => "invalid_exact_svm_payload_unknown_fifth_instruction",
            (Self::Unknown(Place::Sixth), _) => "invalid_exact_svm_payload_unknown_sixth_instruction",
            (Self::Unknown(Place::Seventh), _) => "invalid_exact_svm_payload_unknown_seventh_instruction",
            (Self::MemoCount, _) => "invalid_exact_svm_payload_memo_count",
            (Self::Memo, _) => "invalid_exact_svm_payload_memo_mismatch",
            (Self::Duplicate, _) => "duplicate_settlement",
        }
    }

    /// Whether the official code has looked for the payer when it says this.
    pub const fn names_the_payer(self) -> bool {
        !matches!(
            self,
            Self::Scheme
                | Self::Network
                | Self::NoFeePayer
                | Self::FeePayerNotManaged
                | Self::NotDecoded
                | Self::FeePayerMismatch
                | Self::Signature
                | Self::LookupTable
                | Self::Length
                | Self::ComputeLimit
                | Self::ComputePrice
                | Self::ComputePriceTooHigh
        )
    }

    /// This code with a sentence.
    pub fn because(self, detail: impl Into<String>) -> reason::Reason {
        reason::Code::Svm(self).because(detail)
    }
}
