//! What will move: made only from a case that passed its order.

use std::sync::Arc;

use crate::catalog::{Catalog, Token};
use crate::ledger::{AssetId, Effect, View};
use crate::networks::eip155::chain::{Code, NO_SUCH_FUNCTION, Revert, Signatures, TransferWithAuthorization, execute};
use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::signature::{Ecdsa, Recovered};
use crate::order::Passed;
use crate::reason::{self, Reason};

use super::case::Case;

/// A transfer that passed every check but its own execution.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The token's number.
    pub asset: AssetId,
    /// What the payer signed.
    pub authorization: Authorization,
    /// The signature that the token is called with.
    pub signature: Ecdsa,
    /// Whether the token looks at it.
    pub signatures: Signatures,
    recovered: Option<Recovered>,
    catalog: Arc<Catalog>,
}

impl Charge {
    /// The charge of a case that passed. `Err` where no token stands at the asset's address.
    pub fn new(case: &Case<'_>, _: &Passed) -> Result<Self, Reason> {
        let token = match case.code {
            Code::Token(token) => token,
            Code::Other => return Err(reason_of_revert(Revert(NO_SUCH_FUNCTION))),
            // Only the order of version 1 lets this pass.
            Code::Nothing => {
                return Err(reason::Code::NotEip3009.because("there is no contract at the asset's address"));
            }
        };
        let no_parts = || reason::Code::Signature.because("the signature has no v, r and s");
        Ok(Self {
            asset: token.id,
            authorization: case.claim.authorization,
            signature: case.call_signature().ok_or_else(no_parts)?,
            signatures: case.signatures,
            recovered: if case.signatures == Signatures::Checked { case.recovered() } else { None },
            catalog: Arc::clone(&case.chain.catalog),
        })
    }

    /// The token that is called.
    ///
    /// # Panics
    ///
    /// Never: the charge was made with this catalog.
    pub fn token(&self) -> &Token {
        self.catalog.token_by_id(self.asset).expect("the charge was made with a token of this catalog")
    }

    /// Executes the transfer on a state, at a block time in seconds.
    pub fn execute(&self, view: &View, block_time: u64) -> Result<Vec<Effect>, Reason> {
        let call = TransferWithAuthorization {
            token: self.token(),
            authorization: self.authorization,
            signature: self.signature,
            recovered: self.recovered,
        };
        execute(&call, view, block_time, self.signatures).map_err(reason_of_revert)
    }
}

/// How the official facilitator tells a revert on settle: by words in its text, not by asking the chain again.
///
/// Source: TS 2.27 `parseEip3009TransferError`.
pub fn reason_of_revert(revert: Revert) -> Reason {
    let text = revert.0.to_ascii_lowercase();
    let in_sequence = |words: &[&str]| {
        let mut rest = text.as_str();
        words.iter().all(|word| rest.find(word).map(|at| rest = &rest[at + word.len()..]).is_some())
    };
    let code = if in_sequence(&["authorization", "expired"]) {
        reason::Code::ValidBefore
    } else if in_sequence(&["authorization", "not", "valid"]) {
        reason::Code::ValidAfter
    } else if in_sequence(&["authorization", "used"]) {
        reason::Code::NonceUsed
    } else if in_sequence(&["transfer", "exceeds", "balance"]) {
        reason::Code::InsufficientBalance
    } else if in_sequence(&["invalid", "signature"]) {
        reason::Code::Signature
    } else {
        reason::Code::TransactionFailed
    };
    code.because(format!("the transfer reverted: {}", revert.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revert_texts_are_told_as_the_official_code_tells_them() {
        for (text, code) in [
            ("FiatTokenV2: authorization is expired", reason::Code::ValidBefore),
            ("FiatTokenV2: authorization is not yet valid", reason::Code::ValidAfter),
            ("FiatTokenV2: authorization is used or canceled", reason::Code::NonceUsed),
            ("ERC20: transfer amount exceeds balance", reason::Code::InsufficientBalance),
            ("FiatTokenV2: invalid signature", reason::Code::Signature),
            ("ECRecover: invalid signature 's' value", reason::Code::Signature),
            ("ERC20: transfer to the zero address", reason::Code::TransactionFailed),
        ] {
            let reason = reason_of_revert(Revert(text));
            assert_eq!(reason.code, code, "{text}");
            assert!(reason.detail.contains(text));
        }
    }
}
