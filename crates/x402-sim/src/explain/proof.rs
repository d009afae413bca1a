//! What pays an invoice: `X-Payment-Proof`.

use x402_wire::invoice::memo_bytes;

use super::explanation::{Explanation, Section};
use super::finding::Finding;
use super::kind::Kind;
use crate::networks::solana;

/// What a proof is. Whether it pays for anything, only the server knows that issued the invoice.
pub(super) fn explained(text: &str) -> Explanation {
    let mut explanation = Explanation::new(Kind::Invoice, "the proof of an invoice's payment (X-Payment-Proof)");
    let is_memo = memo_bytes(text).is_some();
    let form = if is_memo {
        "a memo: `memo` of the invoice, given back"
    } else if solana::parse_signature(text).is_some() {
        "the signature of a Solana transaction"
    } else {
        "neither a memo `req-<uuid>` nor the signature of a Solana transaction"
    };
    let mut section = Section::new("proof");
    section.add("form", form, "");
    explanation.sections.push(section);
    if !is_memo && solana::parse_signature(text).is_none() {
        let finding = Finding::new("invoice_proof").at("X-Payment-Proof").seen(format!("it is {form}"));
        explanation.find(finding.proven("servers answer `invoice_memo_malformed` to everything else"));
    }
    explanation
        .notes
        .push("only the server that issued the invoice can say whether it is paid: `x402-dev explain last`".to_owned());
    explanation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_a_memo_or_a_signature() {
        let ids = |text: &str| explained(text).findings.iter().map(|finding| finding.id).collect::<Vec<_>>();
        assert!(ids("req-00000000-0000-4000-8000-000000000000").is_empty());
        assert!(ids(&"1".repeat(64)).is_empty());
        assert_eq!(ids("abc"), ["invoice_proof"]);
    }
}
