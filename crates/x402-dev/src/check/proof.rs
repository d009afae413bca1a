//! Rules about invoices: the proof of one that stands elsewhere, or that the seller does not take.

use std::borrow::Cow;

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::networks::solana;
use x402_wire::invoice::SCHEME;
use x402_wire::shape::shorten;

use super::exchange::Exchange;
use super::refusal;

/// The field in which a proof comes.
const PROOF: &str = "x-payment-proof";

/// The challenge of the invoice that came back: the header's, or one of the invoice in the body.
pub fn challenge(own: &Exchange) -> Option<Cow<'_, str>> {
    let fields = own.response.fields.iter().filter(|(name, _)| name == "www-authenticate");
    let mut fields = fields.map(|(_, value)| value.trim());
    if let Some(challenge) = fields.find(|value| value.starts_with(SCHEME)) {
        return Some(challenge.into());
    }
    let invoice = own.answered()?.get("invoice")?.as_object()?;
    // Its words stand apart by spaces.
    let parts = invoice.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    let parts = parts.filter(|(_, value)| !value.contains([' ', ',']));
    let parts: Vec<String> = parts.map(|(name, value)| format!("{name}={value}")).collect();
    Some(format!("{SCHEME} {}", parts.join(" ")).into())
}

/// Looks for the proof of an invoice in another field than its own.
pub fn misplaced(own: &Exchange, name: &str, explanation: &mut Explanation) {
    if own.payment().is_some() || own.status < 400 {
        return;
    }
    let offers = || challenge(own).is_some();
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
