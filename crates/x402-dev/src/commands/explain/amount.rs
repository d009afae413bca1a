//! What an instance has offered for a path, beside what a payment accepted: an amount that it has never asked is the client's,
//! and what it has asked for another method of the path was offered for another request. No price has changed in either.

use serde_json::{Value, json};
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::{Finding, Severity};
use x402_sim::explain::judge::{Attempt, Bench, Signed};
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
    let is_meant =
        |entry: &&Value| ["scheme", "network", "asset"].iter().all(|key| entry.get(*key) == accepted.get(*key));
    // An event tells the price of the first entry alone.
    let asked = entries.first().filter(is_meant)?["amount"].as_str().and_then(parse_atomic)?;
    let paid = accepted["amount"].as_str().and_then(parse_atomic).filter(|paid| *paid != asked)?;
    let price = |own: &Seen| {
        let (number, _) =
            own.data.get("amount")?.as_str()?.split_once(' ').filter(|(_, symbol)| *symbol == asset.symbol)?;
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

/// Findings that a payment gives which answers the offer of another request.
const OF_ANOTHER_OFFER: [&str; 6] =
    ["price_changed", "amount_mismatch", "amount_decimals", "scheme_mismatch", "wrong_payee", "wrong_asset"];

/// How the path of a finding about what was accepted begins.
const ACCEPTED: &str = "paymentPayload.accepted.";

/// An offer for the same path and another method that asked what a payment says it accepted: its method, and what tells of it.
/// `method` is that of the paid request, for which nobody was asked the same, and `requirements` are what it asks. Events tell the
/// price of an offer's first entry alone: a payment for another entry is compared with none.
pub(super) fn asked_otherwise(
    payload: &Value,
    requirements: &Value,
    method: &str,
    offers: &[&Seen],
) -> Option<(String, String)> {
    let accepted = payload.get("accepted")?;
    let first = requirements.get("accepts").and_then(|entries| entries.get(0));
    let is_first = |first: &Value| ["network", "asset"].iter().all(|key| first.get(*key) == accepted.get(*key));
    first.filter(|first| is_first(first))?;
    let networks = registry::networks();
    let network = networks.iter().find(|own| accepted["network"].as_str().is_some_and(|name| own.is_called(name)))?;
    let asset = network.asset_by_address(accepted["asset"].as_str()?)?;
    let paid = accepted["amount"].as_str().and_then(parse_atomic)?;
    let is_upto = accepted["scheme"] == "upto";
    let is_accepted = |own: &&&Seen| {
        let Some(said) = own.data.get("amount").and_then(Value::as_str) else { return false };
        let most = said.strip_prefix("up to ");
        let (number, symbol) = most.unwrap_or(said).split_once(' ').unwrap_or_default();
        let price = Decimal::parse(number).ok().and_then(|price| price.to_atomic(asset.decimals).ok());
        most.is_some() == is_upto && price == Some(paid) && symbol == asset.symbol
    };
    let of = |own: &Seen| own.data.get("method").and_then(Value::as_str).map(str::to_owned);
    // HEAD is answered as GET is.
    let kind = |method: &str| if method == "HEAD" { "GET".to_owned() } else { method.to_owned() };
    let is_own = |own: &Seen| of(own).is_none_or(|other| kind(&other) == kind(method));
    let mut fitting = offers.iter().rev().filter(is_accepted);
    if fitting.clone().any(|own| is_own(own)) {
        return None;
    }
    let other = fitting.find(|own| !is_own(own))?;
    let seen = format!("what was accepted is the offer for {}: {}", other.request(), other.told());
    Some((of(other)?, seen))
}

/// Where the amount stands that was signed.
const SIGNED: [&str; 2] = ["/payload/authorization/value", "/payload/permit2Authorization/permitted/amount"];

/// Says that a payment answers the offer for another method, where its payer has signed what it accepted.
pub(super) fn blame_method(
    (other, seen): &(String, String),
    request: &str,
    (payload, now): (&Value, u64),
    explanation: &mut Explanation,
) {
    let is_of_accepted = |own: &Finding| own.path.as_deref().is_some_and(|path| path.starts_with(ACCEPTED));
    let is_other = |own: &Finding| is_of_accepted(own) && OF_ANOTHER_OFFER.contains(&own.id);
    let Some(place) = explanation.findings.iter().position(is_other) else { return };
    let Some(accepted) = payload.get("accepted") else { return };
    let (payload, requirements) = (payload.clone(), accepted.clone());
    let own = Attempt { payload, requirements, now, signed: Signed::AsSent, real: None };
    let is_good = Bench::new(accepted).judge(&own).is_ok();
    let amount = accepted["amount"].as_str();
    if !is_good && !SIGNED.iter().any(|at| own.paid(at).is_some_and(|signed| Some(signed) == amount)) {
        return;
    }
    let differing: Vec<String> =
        explanation.findings.iter().filter(|own| is_of_accepted(own)).flat_map(|own| own.evidence.clone()).collect();
    let redirect = if other == "GET" {
        ""
    } else {
        " Where a redirect stands between: 301, 302 and 303 make a GET of it, and 308 leaves the method."
    };
    let fix = format!(
        "This offer was made for {other}, and {request} has an offer of its own: ask for the offer with the method that pays.\
         {redirect}"
    );
    let finding = differing.into_iter().fold(Finding::new("request_changed").seen(seen), Finding::seen).fixed_by(fix);
    let proof = "the instance's events hold that offer, and none of its kind for this request";
    let passes = if is_good { "; with what was accepted as the requirements, verify passes" } else { "" };
    let later = explanation.findings.split_off(place);
    explanation.findings.push(finding.proven(format!("{proof}{passes}")));
    // What else was found in a payment that is good, was found in the requirements of the other method.
    explanation.findings.extend(later.into_iter().filter(|own| !is_good || own.severity != Severity::Error));
    explanation.findings.retain(|own| !is_of_accepted(own));
}
