//! An amount that this instance has never asked: it is the client's, and no price has changed.

use serde_json::{Value, json};
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::registry;
use x402_wire::amount::{Decimal, parse_atomic};

use super::instance::Seen;

/// What is to be done where a client has changed what it accepted.
const FIX: &str = "Take the entry of `accepts` as it stands: sign its amount, and send the entry as `accepted` with nothing \
                   changed in it.";

/// What tells that nobody was asked the amount that a payment says it accepted, in a sentence: every offer for the path asked
/// what is asked now.
pub(super) fn never_asked(payload: &Value, requirements: &Value, offers: &[&Seen]) -> Option<String> {
    let accepted = payload.get("accepted")?;
    let networks = registry::networks();
    let network = networks.iter().find(|own| accepted["network"].as_str().is_some_and(|name| own.is_called(name)))?;
    let asset = network.asset_by_address(accepted["asset"].as_str()?)?;
    let entries = requirements.get("accepts").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    let is_meant = |entry: &&Value| ["network", "asset"].iter().all(|key| entry.get(*key) == accepted.get(*key));
    let asked = entries.iter().find(is_meant)?["amount"].as_str().and_then(parse_atomic)?;
    let paid = accepted["amount"].as_str().and_then(parse_atomic).filter(|paid| *paid != asked)?;
    let price = |own: &Seen| {
        let (number, _) = own.data.get("amount")?.as_str()?.split_once(' ')?;
        Decimal::parse(number).ok()?.to_atomic(asset.decimals).ok()
    };
    let is_steady = !offers.is_empty() && offers.iter().all(|own| price(own) == Some(asked));
    is_steady.then(|| {
        let (price, other) =
            (Decimal::from_atomic(asked, asset.decimals), Decimal::from_atomic(paid, asset.decimals));
        let count = if offers.len() == 1 { "the offer".to_owned() } else { format!("each of the {} offers", offers.len()) };
        format!(
            "{count} for this path that the instance knows of asked {price} {symbol}, and none {other} {symbol}: the client has \
             changed what it was offered, or has its offer from elsewhere",
            symbol = asset.symbol
        )
    })
}

/// Puts the blame where it belongs: on the client, in place of a price that has changed.
pub(super) fn blame(seen: &str, requirements: Option<&Value>, explanation: &mut Explanation) {
    let Some(place) = explanation.findings.iter().position(|own| own.id == "price_changed") else { return };
    let old = explanation.findings.remove(place);
    let offer = requirements.and_then(|asked| asked.get("accepts")).map(|accepts| json!({ "accepts": accepts }));
    let own = Finding { fix: FIX.to_owned(), ..Finding::new("amount_mismatch") };
    let own = offer.iter().fold(own, Finding::for_offer);
    let (path, evidence, proof) = (old.path, old.evidence, old.proof);
    let own = Finding { path, evidence, proof, certainty: old.certainty, ..own }.seen(seen);
    explanation.findings.insert(place, own);
}
