//! A payment for one resource's offer that is presented for another resource.

use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;

use super::exchange::path;

/// What is another in the offer of another resource.
const TERMS: [&str; 9] = [
    "price_changed",
    "amount_mismatch",
    "amount_decimals",
    "wrong_payee",
    "wrong_asset",
    "network_mismatch",
    "scheme_mismatch",
    "timeout_altered",
    "extra_altered",
];

/// Puts one finding in the place of those that come of the other resource, from the one at `first` on. It is proven where
/// one of `offers`, each with the address that it is for, is the named resource's and holds what was accepted.
pub fn tell<'a>(
    payload: &Value,
    url: &str,
    offers: impl IntoIterator<Item = (&'a str, &'a Value)>,
    first: usize,
    explanation: &mut Explanation,
) {
    let Some(named) = payload.pointer("/resource/url").and_then(Value::as_str) else { return };
    let (named, asked) = (path(named), path(url));
    // A proxy takes a part off, or puts one before.
    let is_same = asked.ends_with(named) || named.ends_with(asked);
    let is_of_terms = |finding: &Finding| {
        let is_accepted = finding.path.as_deref().is_some_and(|path| path.starts_with("paymentPayload.accepted."));
        is_accepted && TERMS.contains(&finding.id)
    };
    let later = explanation.findings.get(first..).unwrap_or_default();
    if is_same || !later.iter().any(is_of_terms) {
        return;
    }
    let seen = format!("the payload's resource.url is {named}, and the request is for {asked}");
    let finding = Finding::new("offer_of_other_resource").at("paymentPayload.resource.url").seen(seen);
    let of_terms: Vec<Finding> = explanation.findings.extract_if(first.., |finding| is_of_terms(finding)).collect();
    let finding = of_terms.into_iter().flat_map(|finding| finding.evidence).fold(finding, Finding::seen);
    let holds = |offer: &Value| {
        let entries = offer.get("accepts").and_then(Value::as_array);
        payload.get("accepted").is_some_and(|accepted| entries.is_some_and(|entries| entries.contains(accepted)))
    };
    let is_held = offers.into_iter().any(|(url, offer)| path(url) == named && holds(offer));
    let proof = format!("the record holds an offer of {named}, and what was accepted is one of its entries");
    let finding = if is_held { finding.proven(proof) } else { finding };
    explanation.findings.insert(first, finding);
}
