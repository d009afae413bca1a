//! Members of an offer, a payment or a body under names as other languages spell them: `pay_to`, `PayTo`.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::explain::finding::Finding;
use crate::explain::kind::Kind;

mod told;

pub(in crate::explain) use told::placed;

/// The members of what the protocol knows, as it spells them.
const MEMBERS: [&str; 41] = [
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
    "extra",
    "name",
    "version",
    "url",
    "paymentPayload",
    "paymentRequirements",
    "accepted",
    "payload",
    "transaction",
    "signature",
    "authorization",
    "permit2Authorization",
    "from",
    "to",
    "value",
    "validAfter",
    "validBefore",
    "nonce",
    "deadline",
    "spender",
    "permitted",
    "token",
    "witness",
];

/// How deep members stand: a body, its payment, the `payload`, what was signed, its members.
const DEPTH: usize = 6;

/// What holds members of others.
const FOREIGN: [&str; 2] = ["extensions", "outputSchema"];

/// Whether the members of `extra` are looked at, which are a server's own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extra {
    Always,
    /// Where those around it are called otherwise as well: a payment gives back what an offer said.
    WithItsHolder,
}

/// The same with every member under its own name, and what was wrong with them.
pub(super) fn renamed(value: Value) -> (Value, Option<Finding>) {
    let mut seen = Vec::new();
    let mut mended = respelt(&value, &mut String::new(), (DEPTH, Extra::Always), &mut seen);
    let is_offer = matches!(Kind::of(&mended), Kind::OfferV1 | Kind::OfferV2 | Kind::Requirements);
    if !is_offer {
        seen.clear();
        mended = respelt(&value, &mut String::new(), (DEPTH, Extra::WithItsHolder), &mut seen);
    }
    if seen.is_empty() || !(is_offer || is_payment(&mended)) {
        return (value, None);
    }
    if is_offer && seen.iter().any(|(.., right)| *right == "maxAmountRequired") && of_version_2(&mut mended) {
        let amounts = seen.iter_mut().filter(|(.., right)| *right == "maxAmountRequired");
        amounts.for_each(|(.., right)| *right = "amount");
    }
    let finding = told::finding(&seen, is_offer, Kind::of(&mended) == Kind::FacilitatorRequest);
    (mended, Some(finding))
}

/// Whether it is a payment, or a body with one, and nothing that only looks alike.
fn is_payment(value: &Value) -> bool {
    let has = |key: &str| value.get(key).is_some_and(|member| !member.is_null());
    match Kind::of(value) {
        Kind::PaymentV1 | Kind::PaymentV2 => {
            has("x402Version") || has("accepted") || value.pointer("/payload/authorization").is_some()
        }
        Kind::FacilitatorRequest => has("paymentPayload") || has("paymentRequirements"),
        _ => false,
    }
}

/// The right spelling of a name: the same letters, whatever stands between them and whatever their case.
pub(in crate::explain) fn spelling(name: &str) -> Option<&'static str> {
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let own = letters(name);
    MEMBERS.into_iter().find(|known| letters(known) == own)
}

/// So many of them are told.
const MOST: usize = 64;

/// What is called otherwise: where, how, and what it should be called.
type Seen = Vec<(String, String, &'static str)>;

/// `at` is the way there, which may be as long as the text.
fn respelt(value: &Value, at: &mut String, (depth, extra): (usize, Extra), seen: &mut Seen) -> Value {
    match value {
        Value::Object(members) if depth > 0 => {
            let right = |name: &String| spelling(name).filter(|right| right != name && !members.contains_key(*right));
            let is_own = extra == Extra::Always || members.keys().any(|name| right(name).is_some());
            let mut mended = Map::new();
            for (name, member) in members {
                let right = right(name);
                let length = at.len();
                at.push_str(if at.is_empty() { "" } else { "." });
                at.push_str(name);
                let known = right.unwrap_or(name);
                let is_left = FOREIGN.contains(&known) || (known == "extra" && !is_own);
                let depth = if is_left { 0 } else { depth - 1 };
                let extra = if known == "extra" { Extra::Always } else { extra };
                let member = respelt(member, at, (depth, extra), seen);
                if let Some(right) = right.filter(|_| seen.len() < MOST) {
                    seen.push((at.clone(), name.clone(), right));
                }
                at.truncate(length);
                mended.insert(known.to_owned(), member);
            }
            Value::Object(mended)
        }
        Value::Array(items) if depth > 0 => {
            let each = items.iter().enumerate().map(|(place, item)| {
                let length = at.len();
                let _ = write!(at, "[{place}]");
                let item = respelt(item, at, (depth - 1, extra), seen);
                at.truncate(length);
                item
            });
            each.collect()
        }
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
    use crate::explain::finding::Side;

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
            "`x402_version` stands where `x402Version` belongs",
            "`max_amount_required` stands where `amount` belongs",
            "`pay_to` stands where `payTo` belongs",
            "`Asset` stands where `asset` belongs",
            "`fee_payer` stands where `feePayer` belongs",
        ] {
            assert!(finding.evidence.iter().any(|seen| seen == part), "{part}: {:?}", finding.evidence);
        }
        let (old, finding) = renamed(json!({"x402Version": 1, "accepts": [entry("base")]}));
        assert_eq!((&old["accepts"][0]["maxAmountRequired"], finding.is_some()), (&json!("10000"), true));
        let (alone, finding) = renamed(entry("eip155:1"));
        assert_eq!((Kind::of(&alone), finding.is_some()), (Kind::Requirements, true));
        // Python's models take both spellings, but for what they do not read themselves.
        let told = |entry: Value| renamed(entry).1.unwrap().evidence.join("; ").contains("of Python read these names");
        let mut entry =
            json!({"scheme": "exact", "network": "eip155:1", "amount": "1", "asset": "0x2", "pay_to": "0x1"});
        assert!(told(entry.clone()));
        entry["extra"] = json!({"fee_payer": "x"});
        assert!(!told(entry));
    }

    #[test]
    fn of_many_misnamed_members_some_are_told() {
        let many: Vec<Value> = (0..1000).map(|_| json!({"pay_to": "0x1"})).collect();
        let mut seen = Seen::new();
        let mended = respelt(&json!({"accepts": many}), &mut String::new(), (DEPTH, Extra::Always), &mut seen);
        assert_eq!((seen.len(), mended.pointer("/accepts/999/payTo")), (MOST, Some(&json!("0x1"))));
        assert_eq!(seen[1].0, "accepts[1].pay_to");
    }

    #[test]
    fn payments_and_bodies_get_them_too() {
        let payment = json!({
            "X402Version": 2, "Accepted": {"Scheme": "exact", "PayTo": "0x1", "Extra": {"Name": "USDC"}},
            "Payload": {"Signature": "0x", "Authorization": {"From": "0x2", "valid_after": "0"}},
        });
        let (mended, finding) = renamed(payment.clone());
        assert_eq!(mended.pointer("/accepted/extra/name"), Some(&json!("USDC")));
        assert_eq!(mended.pointer("/payload/authorization/validAfter"), Some(&json!("0")));
        assert_eq!(finding.unwrap().path.as_deref(), Some("paymentPayload.Accepted.Extra.Name"));
        let reserved = json!({"x402Version": 2, "payload": {"authorization": {"from_": "0x2"}}});
        assert_eq!(renamed(reserved).0.pointer("/payload/authorization/from"), Some(&json!("0x2")));
        let (body, finding) = renamed(json!({"payment_payload": payment, "payment_requirements": {"pay_to": "0x1"}}));
        assert_eq!(body.pointer("/paymentRequirements/payTo"), Some(&json!("0x1")));
        assert!(body.pointer("/paymentPayload/payload/signature").is_some() && finding.is_some());
        // Also where a part is missing: its absence is said besides.
        let (body, finding) = renamed(json!({"paymentRequirements": {"max_amount_required": "1", "network": "base"}}));
        assert_eq!(body.pointer("/paymentRequirements/maxAmountRequired"), Some(&json!("1")));
        assert_eq!(finding.unwrap().side, Side::Server);
    }

    #[test]
    fn the_fix_is_in_the_words_of_the_language_that_writes_such_names() {
        let fix = |key: &str| {
            let mut entry = json!({"scheme": "exact", "network": "eip155:1", "amount": "1", "asset": "0x2"});
            entry[key] = json!("0x1");
            renamed(entry).1.unwrap().fix
        };
        assert!(fix("pay_to").contains("model_dump(by_alias=True)"), "{}", fix("pay_to"));
        assert!(fix("pay_to").contains("rename_all"), "{}", fix("pay_to"));
        assert!(
            fix("PayTo").starts_with("Give the fields of the structure tags: `json:\"payTo\"`"),
            "{}",
            fix("PayTo")
        );
        assert!(fix("payto").starts_with("Write it as"), "{}", fix("payto"));
    }

    #[test]
    fn what_is_no_offer_or_well_spelt_stays_as_it_is() {
        for value in [
            json!({"x402Version": 2, "payload": {}, "accepted": {"payTo": "x", "extra": {"fee_payer": "x"}}}),
            json!({"x402Version": 2, "payload": {}, "accepted": {}, "extensions": {"a": {"Name": "x"}}}),
            json!({"Payload": {"Value": 1}, "Version": 2}),
            json!({"x402Version": 2, "accepts": [{"payTo": "0x1", "amount": "1"}], "error": ""}),
            json!({"pay_to": "0x1", "payTo": "0x2", "scheme": "exact", "network": "a", "amount": "1"}),
            json!({"max_amount": 1}),
        ] {
            assert_eq!(renamed(value.clone()), (value, None));
        }
    }
}
