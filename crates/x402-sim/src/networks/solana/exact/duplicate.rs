//! What a facilitator has settled it refuses for a while, before it looks at anything else.

use super::case::Case;
use super::reason::Code;
use crate::ledger::Once;
use crate::reason::Reason;

/// How long a transaction that was settled is refused as a duplicate, in milliseconds.
///
/// Source: TS 2.27 svm `constants.ts` `SETTLEMENT_TTL_MS`.
pub const DUPLICATE_FOR: u64 = 120_000;

/// Settling only: the same transaction was settled a short time ago, by a facilitator of this world.
pub fn not_settled_already(case: &Case<'_>) -> Result<(), Reason> {
    let Ok(transaction) = case.transaction() else { return Ok(()) };
    let ledger = case.chain.view.ledger();
    let settled =
        ledger.user_of(&Once::Message(transaction.identity().into())).and_then(|number| ledger.record(number));
    let Some(record) = settled.filter(|record| record.is_settlement()) else { return Ok(()) };
    let age = case.now.saturating_mul(1000).saturating_sub(record.at());
    if age > DUPLICATE_FOR {
        return Ok(());
    }
    let detail =
        format!("the same transaction was settled {} s ago; it is refused for {} s", age / 1000, DUPLICATE_FOR / 1000);
    Err(Code::Duplicate.because(detail))
}
