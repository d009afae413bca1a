//! The proof of an invoice where no server looks for one: in another header, in the query, in the body. And the hash of a
//! transaction where a payment belongs.

use http::{HeaderMap, header};
use x402_sim::explain::confided::Form;
use x402_sim::explain::onchain;
use x402_sim::networks::solana::{SIGNATURE_LENGTH, ed25519, parse_signature};
use x402_wire::header::X_PAYMENT_PROOF;
use x402_wire::invoice::SCHEME;

use super::Visit;
use crate::config::Dialect;
use crate::state::State;

/// The longest body that a proof is looked for in, in bytes.
const LONGEST_BODY: usize = 32 * 1024;

/// So many signatures of one text are looked for on the chain: the world is locked for each.
const MOST: usize = 4;

/// A proof that was found.
#[derive(Debug)]
pub(super) struct Misplaced {
    /// The signature, in base58.
    pub signature: String,
    /// Where it stood, and what is known of it, in words.
    pub seen: String,
}

/// Looks for the signature of a transaction that this instance's chain has, or that is called a proof: whatever else looks
/// like one may be anybody's secret, and is not kept. A signature is no secret: the chain shows it to everybody.
pub(super) fn misplaced(state: &State, visit: &Visit, headers: &HeaderMap, body: &[u8]) -> Option<Misplaced> {
    if !state.speaks(Dialect::Invoice) {
        return None;
    }
    let fields = headers
        .iter()
        .filter(|(name, value)| name.as_str() != X_PAYMENT_PROOF && value.len() >= *SIGNATURE_LENGTH.start());
    for (name, value) in fields {
        let text = value.to_str().unwrap_or_default();
        let is_called = name == header::AUTHORIZATION && text.starts_with(SCHEME);
        if let Some(found) = known(state, text, is_called, || format!("in the header `{name}`")) {
            return Some(found);
        }
    }
    let (_, query) = visit.target().split_once('?').unwrap_or_default();
    let body = std::str::from_utf8(body).ok().filter(|body| body.len() <= LONGEST_BODY).unwrap_or_default();
    let in_body = || known(state, body, false, || "in the body of the request".to_owned());
    known(state, query, false, || "in the query".to_owned()).or_else(in_body)
}

/// The hash in the header of a payment, if a chain of this instance knows it: then it is no key, and is shown to everybody.
pub(super) fn on_chain(state: &State, text: &str) -> Option<String> {
    if Form::of(text) != Some(Form::Digits) {
        return None;
    }
    let hash = onchain::hash_in(text)?;
    state.act(|world, _| world.find_transaction(hash)).map(|_| hash.to_string())
}

/// The signature in a text, of a transaction that is on the chain or, where it is called a proof, of any.
fn known(state: &State, text: &str, is_called: bool, place: impl Fn() -> String) -> Option<Misplaced> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let signatures = words.filter_map(|word| Some((word, parse_signature(word)?))).take(MOST);
    // What has the form of a signature and is a key pair is a secret, whatever it is called.
    let mut signatures = signatures.filter(|(_, own)| !ed25519::is_pair(own));
    signatures.find_map(|(word, signature)| {
        let is_there = state.act(|world, _| world.payment_of_signature(&signature)).is_some();
        let known = if is_there { "that transaction is on this mock's chain" } else { "this mock's chain has no such transaction" };
        let place = place();
        let seen = format!(
            "the proof came {place}, where no server looks for one, and {known}; it belongs into `X-Payment-Proof: {word}`"
        );
        (is_there || is_called).then(|| Misplaced { signature: word.to_owned(), seen })
    })
}
