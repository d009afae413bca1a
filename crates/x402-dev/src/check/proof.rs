//! Rules about invoices: the proof of one that stands elsewhere, or that the seller does not take.

use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::explain::read::{Reading, read};
use x402_sim::networks::solana;
use x402_wire::invoice::SCHEME;
use x402_wire::shape::shorten;

use super::exchange::Exchange;
use super::refusal;

/// The field in which a proof comes.
const PROOF: &str = "x-payment-proof";

/// The invoice that came back: the header's challenge, or the members of the one in the body.
pub fn invoice(own: &Exchange) -> Option<Reading> {
    let fields = own.response.fields.iter().filter(|(name, _)| name == "www-authenticate");
    let mut fields = fields.map(|(_, value)| value.trim());
    if let Some(challenge) = fields.find(|value| value.starts_with(SCHEME)) {
        return Some(read(&format!("WWW-Authenticate: {challenge}")));
    }
    let invoice = own.answered()?.get("invoice")?.as_object()?;
    // Unlike the words of a challenge, a member may be a number, or have spaces in it.
    let written = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let parts = invoice.iter().filter_map(|(name, value)| Some((name.clone(), written(value)?)));
    Some(Reading::invoice(parts.collect()))
}

/// Looks for the proof of an invoice in another field than its own.
pub fn misplaced(own: &Exchange, name: &str, explanation: &mut Explanation) {
    if own.payment().is_some() || own.status < 400 {
        return;
    }
    let offers = || invoice(own).is_some();
    let is_proof = |(field, value): &&(String, String)| {
        let value = value.trim();
        let (word, last) = value.rsplit_once(' ').unwrap_or(("", value));
        let is_signature = field != PROOF && solana::parse_signature(last.trim_matches('"')).is_some();
        is_signature && (word.starts_with(SCHEME) || offers())
    };
    let Some((field, _)) = own.request.fields.iter().find(is_proof) else { return };
    let seen = format!("{name} carries the signature of a Solana transaction in `{}`", shorten(field));
    explanation.find(Finding::new("invoice_proof_misplaced").seen(seen));
}

/// Tells of a proof that is refused, where the refusal says no more.
pub fn refused(own: &Exchange, name: &str, explanation: &mut Explanation) {
    let is_open = explanation.findings.is_empty() && own.is_invoice() && (400..500).contains(&own.status);
    if is_open {
        let said = refusal::reason(own).map(|reason| format!("the answer says \"{}\"", shorten(reason)));
        let seen = format!("{name} carries the proof of an invoice, and is answered with {}", own.status);
        let said = said.unwrap_or_else(|| "the answer gives no reason".to_owned());
        explanation.find(Finding::new("invoice_refused").seen(seen).seen(said));
    }
}
