//! What a refusal says, and what is left of it once the payment itself was judged.

use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::manual::{self, Page};

use super::exchange::Exchange;
use super::judge::Judged;
use super::payments::offer_for;

/// What official servers say where they saw no payment.
pub(crate) const UNPAID: [&str; 2] = ["Payment required", "X-PAYMENT header is required"];

/// Findings that a payment beside its offer does not show: they are of balances, of what was used before, of other
/// clocks, of other machines. All others were looked for when it was judged.
pub(crate) const BEYOND: [&str; 22] = [
    "asset_not_eip3009",
    "asset_unknown",
    "blocked_account",
    "clock_moved",
    "clock_skew",
    "facilitator_failed",
    "facilitator_redirect",
    "fee_payer_mismatch",
    "foreign_blockhash",
    "insufficient_balance",
    "invoice_proof",
    "kind_not_supported",
    "nonce_used",
    "permit2_allowance",
    "rate_limited",
    "settlement_pending",
    "signature_wrapped",
    "simulation_mode",
    "solana_simulation",
    "stale_blockhash",
    "transaction_would_fail",
    "upto_facilitator",
];

/// Words of reasons about parts of a payment that are not judged: extensions.
const NOT_JUDGED: [&str; 4] = ["extension", "eip2612", "erc20", "builder_code"];

/// The reason that a refusal gives.
pub fn reason(own: &Exchange) -> Option<&str> {
    fn said<'a>(value: Option<&'a Value>, key: &str) -> Option<&'a str> {
        value?.get(key)?.as_str()
    }
    let offer = own.payload().and_then(|payload| own.offer_of(offer_for(payload))).or_else(|| own.offer());
    said(own.receipt(), "errorReason")
        .or_else(|| said(offer, "error"))
        .or_else(|| ["error", "reason", "invalidReason"].iter().find_map(|key| said(own.answered(), key)))
}

/// Whether the answer says that no payment came.
pub fn says_unpaid(own: &Exchange) -> bool {
    reason(own).is_some_and(|reason| UNPAID.contains(&reason))
}

/// Whether the answer says that the payment was used, and means nothing else by it.
pub fn says_used(own: &Exchange) -> bool {
    let page = if own.status >= 400 { reason(own).and_then(manual::page) } else { None };
    page.is_some_and(|page| matches!(page.findings.as_slice(), [only] if only == "nonce_used"))
}

/// Tells what a refusal says, where nothing else was found: what can be its cause after the payment was judged.
pub fn tell(own: &Exchange, name: &str, judged: Judged, explanation: &mut Explanation) {
    if !explanation.findings.is_empty() || says_unpaid(own) {
        return;
    }
    let said = reason(own);
    let page = said.and_then(manual::page);
    let ids: Vec<&String> = page.iter().flat_map(|page| &page.findings).collect();
    let is_good =
        judged == Judged::Sound && !said.is_some_and(|said| NOT_JUDGED.iter().any(|word| said.contains(word)));
    let possible = ids.iter().filter(|id| !is_good || BEYOND.contains(&id.as_str()));
    for id in possible {
        let reason = page.map_or("", |page| &page.reason);
        explanation.find(Finding::new(id).seen(format!("{name}: the server says {reason}")));
    }
    if is_good && explanation.findings.is_empty() {
        let seen = format!(
            "{name} carries a payment that verify passes in a fresh world, and is answered with {}",
            own.status
        );
        let finding = Finding::new("refused_though_good").seen(seen).seen(words(said, page));
        explanation.find(finding.seen(version(own)));
    }
}

/// That the answer is of another version than the payment; empty where it is not.
fn version(own: &Exchange) -> &'static str {
    let is_new = own.payload().is_some_and(|payload| offer_for(payload) == Kind::OfferV2);
    let is_old = |offer: &Value| Kind::of(offer) == Kind::OfferV1;
    if is_new && !own.offers().is_empty() && own.offers().iter().all(is_old) {
        return "the payment is of version 2, and the answer an offer of version 1 alone: it came to a server of version 1, or \
                under the name X-PAYMENT";
    }
    ""
}

/// What the server says, and what that means.
fn words(said: Option<&str>, page: Option<&Page>) -> String {
    match (said, page) {
        (None, _) => "the answer gives no reason".to_owned(),
        (Some(said), None) => format!("the answer says \"{said}\""),
        (Some(said), Some(page)) => format!("the answer says \"{said}\": {}", page.meaning),
    }
}

/// Content for a payment that was not settled, as the receipt says.
pub fn unsettled(own: &Exchange, name: &str) -> Finding {
    let seen = format!("{name} is answered with {}, and its receipt says success: false", own.status);
    let finding = Finding::new("delivered_unsettled").seen(seen);
    let Some(reason) = reason(own) else { return finding };
    let meaning = manual::page(reason).map(|page| format!(": {}", page.meaning)).unwrap_or_default();
    finding.seen(format!("the receipt says {reason}{meaning}"))
}

/// What the manual says of a reason in the body of an answer; empty where there is none.
pub fn within(own: &Exchange) -> String {
    let page = own.response.body_text().and_then(manual::within);
    page.map(|page| format!("the body says {}: {}", page.reason, page.meaning)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use x402_sim::explain::finding::entry;

    use super::*;

    #[test]
    fn what_a_payment_does_not_show_is_in_the_table_of_findings() {
        assert!(BEYOND.iter().all(|id| entry(id).is_some()));
        assert!(BEYOND.is_sorted());
    }
}
