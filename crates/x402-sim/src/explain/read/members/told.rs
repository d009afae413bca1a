//! What is said of members under other names: which name belongs there, and how the language at hand writes it.

use super::Seen;
use crate::explain::finding::{Finding, Side};

/// So many names are told one by one.
const SHOWN: usize = 12;

/// What is said of a name that stands where another belongs.
pub(in crate::explain) fn placed(own: &str, right: &str) -> String {
    format!("`{own}` stands where `{right}` belongs")
}

/// The finding of members under other names: in an offer, in a body of a facilitator's, else in a payment.
pub(super) fn finding(seen: &Seen, is_offer: bool, in_body: bool) -> Finding {
    let at = seen.first().map(|(at, ..)| at.clone()).unwrap_or_default();
    // What a body calls a payment is a server's mistake; what stands in it, the payer's.
    let by_server = in_body && !at.starts_with("paymentPayload");
    let at = if is_offer || in_body { at } else { format!("paymentPayload.{at}") };
    let more = seen.len().saturating_sub(SHOWN);
    let finding = Finding::new("misnamed_field").at(at);
    let finding = seen.iter().take(SHOWN).fold(finding, |finding, (_, own, right)| finding.seen(placed(own, right)));
    let finding = in_words(seen, finding);
    let finding = if more > 0 { finding.seen(format!("and {more} more")) } else { finding };
    let who = if is_offer { "clients" } else { "servers and facilitators" };
    let is_python = seen.iter().all(|(at, own, right)| {
        let is_models = !["payload.", "extra."].iter().any(|part| at.contains(part));
        is_models && *own == in_snake_case(right)
    });
    let python = format!("{who} of Python read these names as well, since the SDK's models take both");
    let (finding, others) =
        if is_python { (finding.seen(python), " of TypeScript, Go and Rust") } else { (finding, "") };
    let finding = finding.proven(format!("{who}{others} read members by these names, and find none by others"));
    let side = if by_server { Side::Server } else { finding.side };
    Finding { side, ..finding }
}

/// How the language that writes such names by itself is made to write the protocol's.
fn in_words(seen: &Seen, finding: Finding) -> Finding {
    // `from` is a word of Python's own.
    if let Some((_, own, right)) = seen.iter().find(|(_, own, right)| own.strip_suffix('_') == Some(right)) {
        return finding.fixed_by(format!(
            "A model has `{own}` because `{right}` is a word of its language: write it by its alias."
        ));
    }
    if seen.iter().any(|(_, own, _)| own.contains('_')) {
        return finding.fixed_by(
            "Models of Python write the protocol's names by `model_dump(by_alias=True)`, structures of Rust with \
             `#[serde(rename_all = \"camelCase\")]`.",
        );
    }
    match seen.iter().find(|(_, own, _)| own.starts_with(|first: char| first.is_ascii_uppercase())) {
        Some((.., right)) => {
            finding.fixed_by(format!("Give the fields of the structure tags: `json:\"{right}\"` in Go, say."))
        }
        None => finding,
    }
}

/// A name as models of Python's have it. They take it in what they read themselves, and not within `payload`, which each
/// scheme reads by the protocol's names. Source: Python x402 2.25 `schemas/base.py` (`populate_by_name`), `evm/types.py`.
pub(in crate::explain) fn in_snake_case(name: &str) -> String {
    name.chars().fold(String::new(), |mut all, c| {
        if c.is_ascii_uppercase() {
            all.push('_');
        }
        all.push(c.to_ascii_lowercase());
        all
    })
}
