//! What a resource asks, in protocol version 2: the offer, its requirements, and the official rules of matching.
//!
//! Source: TS 2.27 core `src/schemas/index.ts` and `findMatchingRequirements`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
    pub fn matches(&self, accepted: &Value) -> bool {
        let own = serde_json::to_value(self).expect("requirements have string keys");
        let (Some(own), Some(accepted)) = (own.as_object(), accepted.as_object()) else {
            return false;
        };
        let core = |members: &Map<String, Value>| members.keys().filter(|key| *key != "extra").count();
        let same = |(key, ours): (&String, &Value)| match (key.as_str(), accepted.get(key)) {
            ("extra", theirs) => contains(theirs.unwrap_or(&Value::Null), ours),
            (_, theirs) => theirs.is_some_and(|theirs| equal(ours, theirs)),
        };
        core(own) == core(accepted) && own.iter().all(same)
    }
}

/// Whether two JSON values are equal as JavaScript sees them: `1` and `1.0` are the same number.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| equal(left, right)))
        }
        _ => left == right,
    }
}

/// Whether `whole` holds every member of `part`, at every depth.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        _ => equal(whole, part),
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

    #[test]
    fn a_payer_may_add_to_extra_and_nowhere_else() {
        let same = serde_json::to_value(requirements()).unwrap();
        assert!(requirements().matches(&same));
        let mut more = same.clone();
        more["extra"]["memo"] = json!("mine");
        assert!(requirements().matches(&more));
        let mut top = same.clone();
        top["note"] = json!("mine");
        assert!(!requirements().matches(&top));
    }

    #[test]
    fn every_member_counts() {
        let same = serde_json::to_value(requirements()).unwrap();
        for key in ["scheme", "network", "amount", "asset", "payTo", "maxTimeoutSeconds", "extra"] {
            let mut other = same.clone();
            other[key] = json!("other");
            assert!(!requirements().matches(&other), "{key} changed");
            other.as_object_mut().unwrap().remove(key);
            assert!(!requirements().matches(&other), "{key} removed");
        }
        let mut float = same.clone();
        float["maxTimeoutSeconds"] = json!(300.0);
        assert!(requirements().matches(&float));
        let mut name = same;
        name["extra"]["name"] = json!("USD Coin");
        assert!(!requirements().matches(&name));
        assert!(!requirements().matches(&json!(null)));
        let mut null = serde_json::to_value(requirements()).unwrap();
        null["bogus"] = json!(null);
        assert!(!requirements().matches(&null), "a null is a member to the official code");
        let mut asks_null = requirements();
        asks_null.extra.insert("memo".to_owned(), json!(null));
        assert!(!asks_null.matches(&serde_json::to_value(requirements()).unwrap()));
    }
}
