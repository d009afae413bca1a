//! Addresses of an offer whose letters are no checksum: some clients refuse to sign them.

use serde_json::Value;

use super::explanation::Explanation;
use super::finding::{Finding, Severity, Side};
use crate::networks::eip155::{checksum, is_strict_spelling, parse_address};

/// What comes of it, by the member.
///
/// Source: TS 2.27 `exact/client/eip3009.ts` spells `payTo` and `asset` anew (`getAddress`), PY 2.25 signs them as they
/// are; viem, which the TypeScript facilitator verifies with, and ethers throw at a wrong checksum in typed data.
const OUTCOMES: [(&str, &str); 2] = [
    (
        "payTo",
        "the official TypeScript client spells it anew; the Python one signs it as it is, and the TypeScript facilitator \
         refuses that",
    ),
    ("asset", "official clients take it; viem and ethers throw where it is signed as it is"),
];

/// Remarks addresses of an offer's entry that are spelt otherwise than their checksum has it.
pub(super) fn remark(entry: &Value, explanation: &mut Explanation) {
    for (key, outcome) in OUTCOMES {
        let Some(text) = entry.get(key).and_then(Value::as_str) else { continue };
        let Some(address) = parse_address(text).filter(|address| !is_strict_spelling(text, *address)) else { continue };
        let seen = format!("{text} is spelled {}: {outcome}", checksum(address));
        let finding = Finding::new("address_checksum").at(format!("paymentRequirements.{key}")).seen(seen);
        explanation.find(Finding { severity: Severity::Warning, side: Side::Server, ..finding });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::explain::kind::Kind;

    #[test]
    fn an_address_with_a_wrong_checksum_is_remarked_and_one_without_any_is_not() {
        for (text, is_remarked) in [
            ("0xa0Ee7A142d267C1f36714E4a8F75612F20a79720", false),
            ("0xa0ee7a142d267c1f36714e4a8f75612f20a79720", false),
            ("0xa0ee7A142d267C1f36714E4a8F75612F20a79720", true),
            ("0xA0EE7A142D267C1F36714E4A8F75612F20A79720", true),
            ("2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab", false),
        ] {
            let mut explanation = Explanation::new(Kind::OfferV2, "");
            remark(&json!({ "payTo": text }), &mut explanation);
            assert_eq!(explanation.findings.len(), usize::from(is_remarked), "{text}");
            assert!(
                explanation.findings.iter().all(|own| own.severity == Severity::Warning && own.side == Side::Server)
            );
        }
    }
}
