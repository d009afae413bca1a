//! What the words of a refusal weigh.
//!
//! A reason counts as a refusal only where it was said before anything was sent to a chain. What is said of a transaction
//! that was sent says nothing of its end: it may be in a block, or come into one.

/// What a reason says of the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It was used.
    Used,
    /// It is not taken, in words that mean this payment.
    Plain,
    /// Anything.
    Vague,
}

/// Sentences of official servers that mean this payment.
const SENTENCES: [&str; 3] =
    ["No matching payment requirements", "Unable to find matching payment requirements", "Unsupported x402 version"];

/// Parts of codes that say: this authorization was used.
///
/// Source: TS 2.27 `exact/facilitator/permit2.ts` (`InvalidNonce` of the contract: the nonce's bit is set).
const USED: [&str; 7] = [
    "already_used",
    "nonce_used",
    "duplicate_settlement",
    "already_paid",
    "memo_spent",
    "already_redeemed",
    "permit2_invalid_nonce",
];

/// Parts of codes that leave the end open: servers that have lost their way, and transactions that were sent.
///
/// Source: npm x402 1.2.0 `schemes/exact/svm/facilitator/settle.ts` (confirmation timed out, block height exceeded) and
/// `.../evm/facilitator.ts` (`invalid_transaction_state`); TS 2.27 and Python 2.25 `transaction_failed`, which is said where
/// sending has thrown, too; `invalid_exact_evm_transfer_event_mismatch`, of a transaction in a block.
const OPEN: [&str; 19] = [
    "pending",
    "unexpected",
    "timeout",
    "timed_out",
    "unknown",
    "internal",
    "settle_failed",
    "error",
    "transaction_failed",
    "transaction_state",
    "confirm",
    "broadcast",
    "reverted",
    "receipt",
    "block_height",
    "event_mismatch",
    "channel_state",
    "unavailable",
    "not_found",
];

impl Weight {
    /// Weighs a reason: the codes of protocol and SDKs are plain, sentences of servers that lost their way are not.
    pub fn of(reason: &str) -> Self {
        // An official server adds the facilitator's sentence behind the code.
        let code = reason.split(':').next().unwrap_or_default().trim();
        let lower = code.to_ascii_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
        let is_code = code.contains('_')
            && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if has(&USED) {
            Self::Used
        } else if SENTENCES.iter().any(|sentence| reason.starts_with(sentence)) || (is_code && !has(&OPEN)) {
            Self::Plain
        } else {
            Self::Vague
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_weighed() {
        for (reason, weight) in [
            ("invalid_exact_evm_signature", Weight::Plain),
            ("invalid_exact_evm_insufficient_balance: the payer has 0", Weight::Plain),
            ("invalid_exact_evm_transaction_simulation_failed", Weight::Plain),
            ("insufficient_funds", Weight::Plain),
            ("permit2_deadline_expired", Weight::Plain),
            ("No matching payment requirements", Weight::Plain),
            ("invalid_exact_evm_nonce_already_used", Weight::Used),
            ("duplicate_settlement", Weight::Used),
            ("permit2_invalid_nonce", Weight::Used),
            ("Payment required", Weight::Vague),
            ("settlement_pending", Weight::Vague),
            ("unexpected_settle_error", Weight::Vague),
            ("Facilitator settle failed (503): <empty response>", Weight::Vague),
            ("fetch failed", Weight::Vague),
            ("", Weight::Vague),
        ] {
            assert_eq!(Weight::of(reason), weight, "{reason}");
        }
    }

    #[test]
    fn what_is_said_of_a_transaction_that_was_sent_is_no_refusal() {
        for reason in [
            "settle_exact_svm_transaction_confirmation_timed_out",
            "settle_exact_svm_block_height_exceeded",
            "transaction_failed",
            "invalid_exact_evm_transaction_failed",
            "invalid_exact_evm_transaction_failed: replacement transaction underpriced",
            "invalid_exact_svm_transaction_failed",
            "invalid_upto_evm_transaction_failed",
            "invalid_transaction_state",
            "invalid_exact_evm_transfer_event_mismatch",
            "erc20_approval_broadcast_failed",
            "post_settlement_transfer_not_confirmed",
            "invalid_batch_settlement_evm_wait_for_receipt_failed",
        ] {
            assert_eq!(Weight::of(reason), Weight::Vague, "{reason}");
        }
    }
}
