//! Members of an offer under names as other languages spell them: `pay_to`, `PayTo`.

use serde_json::{Map, Value};

use crate::explain::finding::Finding;
use crate::explain::kind::Kind;

/// The members of an offer and of requirements, as the protocol spells them.
const MEMBERS: [&str; 18] = [
    "x402Version",
    "error",
    "accepts",
    "resource",
    "extensions",
    "scheme",
    "network",
    "amount",
    "maxAmountRequired",
    "asset",
    "payTo",
    "maxTimeoutSeconds",
    "description",
    "mimeType",
    "outputSchema",
    "assetTransferMethod",
    "feePayer",
    "facilitatorAddress",
];

/// How deep members stand: an offer, its list, an entry, its `extra`.
const DEPTH: usize = 4;

/// An offer or requirements with every member under its own name, and what was wrong with them. What a payment calls its
/// members is told by mending it.
pub(super) fn renamed(value: Value) -> (Value, Option<Finding>) {
    let mut seen = Vec::new();
    let mut mended = respelt(&value, "", DEPTH, &mut seen);
    if seen.is_empty() || !matches!(Kind::of(&mended), Kind::OfferV1 | Kind::OfferV2 | Kind::Requirements) {
        return (value, None);
    }
    if seen.iter().any(|(.., right)| *right == "maxAmountRequired") && of_version_2(&mut mended) {
        let amounts = seen.iter_mut().filter(|(.., right)| *right == "maxAmountRequired");
        amounts.for_each(|(.., right)| *right = "amount");
    }
    let at = seen.first().map(|(at, ..)| at.clone()).unwrap_or_default();
    let finding = seen.iter().fold(Finding::new("misnamed_field").at(at), |finding, (_, own, right)| {
        finding.seen(format!("`{own}` is called `{right}`"))
    });
    (mended, Some(finding.proven("clients read members by these names, and find none by others")))
}

/// The right spelling of a name: the same letters, whatever stands between them and whatever their case.
fn spelling(name: &str) -> Option<&'static str> {
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let own = letters(name);
    MEMBERS.into_iter().find(|known| letters(known) == own)
}

/// What is called otherwise: where, how, and what it should be called.
type Seen = Vec<(String, String, &'static str)>;

fn respelt(value: &Value, at: &str, depth: usize, seen: &mut Seen) -> Value {
    match value {
        Value::Object(members) if depth > 0 => {
            let mut mended = Map::new();
            for (name, member) in members {
                let right = spelling(name).filter(|right| right != name && !members.contains_key(*right));
                let place = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                let member = respelt(member, &place, depth - 1, seen);
                if let Some(right) = right {
                    seen.push((place, name.clone(), right));
                }
                mended.insert(right.unwrap_or(name).to_owned(), member);
            }
            Value::Object(mended)
        }
        Value::Array(items) if depth > 0 => items
            .iter()
            .enumerate()
            .map(|(place, item)| respelt(item, &format!("{at}[{place}]"), depth - 1, seen))
            .collect(),
        other => other.clone(),
    }
}

/// Gives entries of version 2 their `amount`, where it was called as in version 1. Whether there were any.
fn of_version_2(offer: &mut Value) -> bool {
    if offer.get("x402Version").is_some_and(|version| *version != 2) {
        return false;
    }
    let entries: Vec<&mut Value> = match offer.get_mut("accepts") {
        Some(Value::Array(entries)) => entries.iter_mut().collect(),
        _ => vec![offer],
    };
    let mut any = false;
    for members in entries.into_iter().filter_map(Value::as_object_mut) {
        let is_new = members.get("network").and_then(Value::as_str).is_some_and(|network| network.contains(':'));
        let amount = if is_new && !members.contains_key("amount") { members.remove("maxAmountRequired") } else { None };
        any |= amount.is_some();
        members.extend(amount.map(|amount| ("amount".to_owned(), amount)));
    }
    any
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_get_the_names_that_the_protocol_gives_them() {
        let entry = |network: &str| {
            json!({
                "scheme": "exact", "network": network, "max_amount_required": "10000", "pay_to": "0x1", "Asset": "0x2",
                "max_timeout_seconds": 60, "extra": {"name": "USDC", "fee_payer": "x", "my_own": 1},
            })
        };
        let (offer, finding) = renamed(json!({"x402_version": 2, "accepts": [entry("eip155:1"), entry("eip155:2")]}));
        for place in [0, 1] {
            let own = &offer["accepts"][place];
            assert_eq!((&own["amount"], &own["payTo"], &own["asset"]), (&json!("10000"), &json!("0x1"), &json!("0x2")));
            assert_eq!((&own["maxTimeoutSeconds"], &own["extra"]["my_own"]), (&json!(60), &json!(1)));
        }
        let finding = finding.unwrap();
        assert!(finding.is_proven() && finding.id == "misnamed_field");
        for part in [
            "`x402_version` is called `x402Version`",
            "`max_amount_required` is called `amount`",
            "`pay_to` is called `payTo`",
            "`Asset` is called `asset`",
            "`fee_payer` is called `feePayer`",
        ] {
            assert!(finding.evidence.iter().any(|seen| seen == part), "{part}: {:?}", finding.evidence);
        }
        let (old, finding) = renamed(json!({"x402Version": 1, "accepts": [entry("base")]}));
        assert_eq!((&old["accepts"][0]["maxAmountRequired"], finding.is_some()), (&json!("10000"), true));
        let (alone, finding) = renamed(entry("eip155:1"));
        assert_eq!((Kind::of(&alone), finding.is_some()), (Kind::Requirements, true));
    }

    #[test]
    fn what_is_no_offer_or_well_spelt_stays_as_it_is() {
        for value in [
            json!({"x402Version": 2, "payload": {"authorization": {"valid_after": "0"}}, "accepted": {"pay_to": "x"}}),
            json!({"x402Version": 2, "accepts": [{"payTo": "0x1", "amount": "1"}], "error": ""}),
            json!({"pay_to": "0x1", "payTo": "0x2", "scheme": "exact", "network": "a", "amount": "1"}),
            json!({"max_amount": 1}),
        ] {
            assert_eq!(renamed(value.clone()), (value, None));
        }
    }
}
