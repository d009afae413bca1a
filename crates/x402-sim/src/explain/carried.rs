//! Offers in the header of version 2: what stands there must be a whole offer of that version.
//!
//! Source: TS 2.27 `x402HTTPClient.getPaymentRequiredResponse` takes whatever the header PAYMENT-REQUIRED holds, and
//! `x402Client` then looks for a client of its `x402Version`; `x402-fetch` 1 reads bodies alone.

use super::explanation::Explanation;
use super::finding::Finding;
use super::kind::Kind;

/// Looks at what a header carries in the place of an offer of version 2.
pub(super) fn offer(header: Option<&str>, kind: Kind, explanation: &mut Explanation) {
    if header != Some("PAYMENT-REQUIRED") {
        return;
    }
    match kind {
        Kind::Requirements => explanation.find(
            Finding::new("no_accepts")
                .at("accepts")
                .seen("PAYMENT-REQUIRED holds one entry of `accepts` alone, and no offer around it")
                .fixed_by("Put the entry into an offer: `x402Version: 2`, `resource`, and the entry in `accepts`.")
                .proven("without an `x402Version` there is no client for it: official clients throw"),
        ),
        Kind::OfferV1 => explanation.find(
            Finding::new("v1_offer_in_v2_header")
                .at("x402Version")
                .seen("PAYMENT-REQUIRED holds an offer of version 1"),
        ),
        _ => {}
    }
}
