//! The list of `accepts` without the offer around it.

use serde_json::{Value, json};

use super::{Reading, members};
use crate::explain::finding::Finding;
use crate::explain::kind::Kind;

/// What is to be known of a list of requirements that was given alone.
const AS_ACCEPTS: &str = "read as the `accepts` of an offer";

impl Reading {
    /// Takes a list of requirements as an offer: in a header it is a mistake that nothing stands around it, elsewhere the
    /// list may be a part of one. Whatever else it is stays as it is.
    pub(super) fn take_list(&mut self, value: Value) -> Value {
        let Some((version, count)) = entries(&value) else { return value };
        if self.is_carrier() {
            let header = self.header.as_deref().unwrap_or_default();
            let seen = format!(
                "{header} holds a list of {count}: that is what belongs in `accepts`, and the list stands where the object \
                 around it belongs"
            );
            let finding = Finding::new("no_accepts").at("accepts").seen(seen).fixed_by(format!(
                "Put the list into an object: `{{ x402Version: {version}, resource: {{ url }}, accepts: [...] }}`."
            ));
            self.findings.push(finding.proven("a list has no `x402Version` and no `accepts`: official clients throw"));
        } else {
            self.notes.push(format!("it is a list of {count}, {AS_ACCEPTS}"));
        }
        json!({"x402Version": version, "accepts": value})
    }

    /// Whether it is the list of an offer that was given without the offer.
    pub(in crate::explain) fn is_list(&self) -> bool {
        let of_header = self.findings.iter().any(|own| own.id == "no_accepts");
        of_header || self.notes.iter().any(|note| note.ends_with(AS_ACCEPTS))
    }
}

/// The version of the requirements in a list, and how many there are.
fn entries(value: &Value) -> Option<(u64, usize)> {
    let entries = value.as_array()?;
    let is_entry = |own: &Value| Kind::of(&members::renamed(own.clone()).0) == Kind::Requirements;
    if !entries.first().is_some_and(is_entry) {
        return None;
    }
    let is_new = |own: &Value| own["network"].as_str().is_some_and(|network| network.contains(':'));
    Some((if entries.iter().any(is_new) { 2 } else { 1 }, entries.len()))
}

#[cfg(test)]
mod tests {
    use x402_wire::header::encode_text;

    use super::super::read;
    use super::*;
    use crate::explain::Explanation;
    use crate::explain::case::{Depth, Question, explain};

    fn explained(text: &str) -> Explanation {
        let reading = read(text);
        explain(&Question { reading, requirements: None, now: 1, real: None, record: None, depth: Depth::Judge })
    }

    #[test]
    fn a_list_in_the_place_of_an_offer_is_told_and_its_entries_are_judged() {
        let entry = |payee: &str| {
            json!({"scheme": "exact", "network": "eip155:84532", "amount": "10000", "payTo": payee,
                "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "maxTimeoutSeconds": 300,
                "extra": {"name": "USDC", "version": "2"}})
        };
        let payee = "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720";
        let ids = |told: &Explanation| told.findings.iter().map(|own| own.id).collect::<Vec<_>>();
        for (list, more) in
            [(json!([entry(payee)]), None), (json!([entry(payee), entry("shop.eth")]), Some("address_malformed"))]
        {
            let told = explained(&format!("PAYMENT-REQUIRED: {}", encode_text(&list.to_string())));
            let first = &told.findings[0];
            assert!(first.id == "no_accepts" && first.is_proven(), "{:?}", told.findings);
            assert!(first.evidence[0].contains("the list stands where the object around it belongs"), "{first:?}");
            assert!(first.fix.starts_with("Put the list into an object: `{ x402Version: 2, "), "{}", first.fix);
            assert_eq!(ids(&told).get(1).copied(), more);
            assert_eq!((told.kind, told.verdict.is_none_or(|own| !own.valid)), (Kind::OfferV2, true));
            // As a part of an offer that somebody looks at it is no mistake.
            let told = explained(&list.to_string());
            assert_eq!((told.kind, ids(&told).first().copied()), (Kind::OfferV2, more), "{:?}", told.findings);
        }
    }

    #[test]
    fn another_list_stays_one() {
        for text in ["[1,2]", "[{\"a\":1}]", "[]", "[{\"x402Version\":2,\"accepts\":[]}]"] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(entries(&value), None, "{text}");
        }
        assert_eq!(entries(&json!([{"scheme": "exact", "network": "base", "maxAmountRequired": "1"}])), Some((1, 1)));
    }
}
