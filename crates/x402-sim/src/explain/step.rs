//! The order of the checks, over all schemes.

use crate::networks::solana::exact::reason as svm;
use crate::reason::Code;

/// At which step of the order a code is said. The orders of all pairs agree in it.
pub(super) fn step(code: Code) -> usize {
    match code {
        Code::UnknownVersion => 0,
        Code::UnknownScheme => 1,
        Code::UnknownNetwork => 2,
        Code::InvalidPayload => 3,
        Code::Scheme | Code::PayloadType | Code::UptoScheme => 10,
        Code::MissingDomain => 11,
        Code::NetworkMismatch | Code::UptoNetwork => 12,
        Code::FactoryNotAllowed | Code::Permit2Spender => 13,
        Code::Signature | Code::Permit2Recipient => 14,
        Code::Recipient | Code::UptoFacilitator => 15,
        Code::ValidBefore | Code::Permit2Deadline => 16,
        Code::ValidAfter | Code::Permit2NotYetValid => 17,
        Code::Value | Code::Permit2Amount => 18,
        Code::Permit2Token => 19,
        Code::AssetNotContract => 20,
        Code::NotEip3009 | Code::Permit2Signature => 21,
        Code::Svm(code) => 10 + svm::Code::ALL.iter().position(|own| *own == code).unwrap_or_default(),
        Code::NonceUsed => 40,
        Code::TokenName => 41,
        Code::TokenVersion => 42,
        Code::InsufficientBalance | Code::Permit2Balance => 43,
        Code::Permit2Allowance => 44,
        _ => 45,
    }
}
