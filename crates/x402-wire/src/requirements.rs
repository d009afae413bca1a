//! What a resource asks, in protocol version 2: the offer, its requirements, and the official rules of matching.
//!
//! Source: TS 2.27 core `src/schemas/index.ts` and `findMatchingRequirements`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::json::Json;

/// The offer: what a 402 answer says in its `PAYMENT-REQUIRED` header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequired {
    /// Always 2.
    pub x402_version: u8,
    /// Why this is a 402; absent when a payment was sent and nothing is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What is paid for.
    pub resource: ResourceInfo,
    /// The ways to pay, in the seller's order of preference.
    pub accepts: Vec<PaymentRequirements>,
    /// What extensions announce, by their key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Map<String, Value>>,
}

/// What is paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceInfo {
    /// The resource's address, with its query.
    pub url: String,
    /// What it is, in words; may be empty.
    #[serde(default)]
    pub description: String,
    /// The content type of what is delivered; may be empty.
    #[serde(default)]
    pub mime_type: String,
}

/// One way to pay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequirements {
    /// How the payment is made: `exact`.
    pub scheme: String,
    /// The network as a CAIP-2 id: `eip155:84532`.
    pub network: String,
    /// How much, in atomic units of the asset.
    pub amount: String,
    /// The asset's address on the network.
    pub asset: String,
    /// Who is paid.
    pub pay_to: String,
    /// How long the payer's authorization shall live, in seconds.
    pub max_timeout_seconds: u64,
    /// What the scheme needs besides, such as the EIP-712 `name` and `version` of the asset.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl PaymentRequirements {
    /// Whether a payer that says `accepted` means these requirements.
    ///
    /// Every member must be equal, whatever the order of keys; the payer may add members to `extra` and nowhere else.
    pub fn matches(&self, accepted: &Json<'_>) -> bool {
        let own = serde_json::to_value(self).expect("requirements have string keys");
        let (Some(own), Json::Object(accepted)) = (own.as_object(), accepted) else {
            return false;
        };
        let same = |(key, ours): (&String, &Value)| match (key.as_str(), accepted.get(key)) {
            ("extra", theirs) => contains(theirs.unwrap_or(&Json::Null), ours),
            (_, theirs) => theirs.is_some_and(|theirs| equal(ours, theirs)),
        };
        let core = |key: &&str| *key != "extra";
        let (ours, theirs) =
            (own.keys().map(String::as_str).filter(core), accepted.distinct().into_keys().filter(core));
        ours.count() == theirs.count() && own.iter().all(same)
    }
}

/// Whether two JSON values are equal as JavaScript sees them: `1` and `1.0` are the same number.
fn equal(ours: &Value, theirs: &Json<'_>) -> bool {
    match (ours, theirs) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(ours), Json::Bool(theirs)) => ours == theirs,
        (Value::Number(ours), Json::Number(theirs)) => ours == theirs || ours.as_f64() == theirs.as_f64(),
        (Value::String(ours), Json::Text(theirs)) => ours == theirs,
        (Value::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| equal(ours, theirs))
        }
        (Value::Object(ours), Json::Object(theirs)) => {
            ours.len() == theirs.distinct().len()
                && ours.iter().all(|(key, ours)| theirs.get(key).is_some_and(|theirs| equal(ours, theirs)))
        }
        _ => false,
    }
}

/// Whether `whole` holds every member of `part`, at every depth.
fn contains(whole: &Json<'_>, part: &Value) -> bool {
    match (whole, part) {
        (Json::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        _ => equal(part, whole),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn requirements() -> PaymentRequirements {
        serde_json::from_value(json!({
            "scheme": "exact", "network": "eip155:84532", "amount": "10000", "asset": "0xa", "payTo": "0xb",
            "maxTimeoutSeconds": 300, "extra": {"name": "USDC", "version": "2"}
        }))
        .unwrap()
    }

    fn matches(asked: &PaymentRequirements, accepted: &Value) -> bool {
        asked.matches(&Json::from(accepted))
    }

    #[test]
    fn a_payer_may_add_to_extra_and_nowhere_else() {
        let same = serde_json::to_value(requirements()).unwrap();
        assert!(matches(&requirements(), &same));
        let mut more = same.clone();
        more["extra"]["memo"] = json!("mine");
        assert!(matches(&requirements(), &more));
        let mut top = same.clone();
        top["note"] = json!("mine");
        assert!(!matches(&requirements(), &top));
    }

    #[test]
    fn every_member_counts() {
        let same = serde_json::to_value(requirements()).unwrap();
        for key in ["scheme", "network", "amount", "asset", "payTo", "maxTimeoutSeconds", "extra"] {
            let mut other = same.clone();
            other[key] = json!("other");
            assert!(!matches(&requirements(), &other), "{key} changed");
            other.as_object_mut().unwrap().remove(key);
            assert!(!matches(&requirements(), &other), "{key} removed");
        }
        let mut float = same.clone();
        float["maxTimeoutSeconds"] = json!(300.0);
        assert!(matches(&requirements(), &float));
        let mut name = same;
        name["extra"]["name"] = json!("USD Coin");
        assert!(!matches(&requirements(), &name));
        assert!(!matches(&requirements(), &json!(null)));
        let mut null = serde_json::to_value(requirements()).unwrap();
        null["bogus"] = json!(null);
        assert!(!matches(&requirements(), &null), "a null is a member to the official code");
        let mut asks_null = requirements();
        asks_null.extra.insert("memo".to_owned(), json!(null));
        assert!(!matches(&asks_null, &serde_json::to_value(requirements()).unwrap()));
    }

    #[test]
    fn of_a_repeated_member_the_last_counts() {
        let text = serde_json::to_string(&requirements()).unwrap();
        let with = |members: &str| format!("{{{members},{}", &text[1..]);
        for (accepted, fits) in [
            (with(r#""scheme":"other","extra":null"#), true),
            (format!(r#"{},"scheme":"other"}}"#, &text[..text.len() - 1]), false),
            (format!(r#"{},"extra":{{"name":"USDC","version":"1","version":"2"}}}}"#, &text[..text.len() - 1]), true),
            (format!(r#"{},"extra":{{"name":"USDC","version":"2","version":"1"}}}}"#, &text[..text.len() - 1]), false),
        ] {
            assert_eq!(requirements().matches(&serde_json::from_str(&accepted).unwrap()), fits, "{accepted}");
        }
    }
}
