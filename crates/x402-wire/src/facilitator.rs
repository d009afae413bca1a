//! Requests to a facilitator and its answers, of either protocol version.
//!
//! Source: TS 2.27 core `httpFacilitatorClient.ts` and `schemas/index.ts`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::error::Category;
use serde_json::{Map, Value};

use crate::payload::PaymentPayload;

/// The body of `POST /verify` and `POST /settle`.
#[derive(Clone, Debug, PartialEq)]
pub struct FacilitatorRequest {
    /// What the payer sent.
    pub payload: PaymentPayload,
    /// What the resource asks, as the resource server says it.
    pub requirements: Value,
}

/// A request body that cannot be taken as a request at all. The answer is HTTP 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not JSON.
    #[error("the body is not JSON: {detail}")]
    NotJson {
        /// Line, column and what is wrong.
        detail: String,
    },
    /// JSON, but not an object.
    #[error("the body is not a JSON object with `paymentPayload` and `paymentRequirements`")]
    NotAnObject,
    /// A part is missing or is not an object.
    #[error("Missing paymentPayload or paymentRequirements: `{part}` is {state}")]
    Part {
        /// The part's name.
        part: &'static str,
        /// `missing` or `not an object`.
        state: &'static str,
    },
}

impl FacilitatorRequest {
    /// Reads a request body.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let parts: Parts = serde_json::from_slice(body).map_err(|error| match error.classify() {
            Category::Data => RequestError::NotAnObject,
            _ => RequestError::NotJson { detail: error.to_string() },
        })?;
        let missing = |part| RequestError::Part { part, state: "missing" };
        let payload = parts.payload.ok_or_else(|| missing(PAYLOAD))?;
        let requirements = parts.requirements.ok_or_else(|| missing(REQUIREMENTS))?;
        for (part, value) in [(PAYLOAD, payload.value()), (REQUIREMENTS, &requirements)] {
            match value {
                Value::Object(_) => {}
                Value::Null => return Err(missing(part)),
                _ => return Err(RequestError::Part { part, state: "not an object" }),
            }
        }
        Ok(Self { payload, requirements })
    }
}

const PAYLOAD: &str = "paymentPayload";
const REQUIREMENTS: &str = "paymentRequirements";

/// The two members that matter. Of a repeated one the last counts, as in JavaScript.
#[derive(Default)]
struct Parts {
    payload: Option<PaymentPayload>,
    requirements: Option<Value>,
}

impl<'de> Deserialize<'de> for Parts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PartsReader)
    }
}

struct PartsReader;

impl<'de> Visitor<'de> for PartsReader {
    type Value = Parts;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Parts, A::Error> {
        let mut parts = Parts::default();
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                PAYLOAD => parts.payload = Some(members.next_value()?),
                REQUIREMENTS => parts.requirements = Some(members.next_value()?),
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(parts)
    }
}

/// The answer to `POST /verify`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyResponse {
    /// Whether the payment would settle.
    pub is_valid: bool,
    /// Why not: one of the protocol's reason strings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_reason: Option<String>,
    /// Why not, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_message: Option<String>,
    /// Who would pay, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
}

/// The answer to `POST /settle`, and the receipt in `PAYMENT-RESPONSE` and `X-PAYMENT-RESPONSE`.
///
/// `transaction` and `network` are always there: strict clients refuse an answer without them, also on failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettleResponse {
    /// Whether the payment moved.
    pub success: bool,
    /// Why not: one of the protocol's reason strings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_reason: Option<String>,
    /// Why not, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Who paid, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// The transaction's hash; empty where there is none.
    pub transaction: String,
    /// The network as the request wrote it.
    pub network: String,
}

/// The answer to `GET /supported`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SupportedResponse {
    /// What can be verified and settled.
    pub kinds: Vec<SupportedKind>,
    /// The extensions that the facilitator knows.
    pub extensions: Vec<String>,
    /// The accounts that sign for the facilitator, by family of networks (`eip155:*`).
    pub signers: BTreeMap<String, Vec<String>>,
}

/// One line of [`SupportedResponse`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SupportedKind {
    /// The protocol version.
    pub x402_version: u8,
    /// The scheme.
    pub scheme: String,
    /// The network: a CAIP-2 id in version 2, a name in version 1.
    pub network: String,
    /// What servers must copy into their offers, where the scheme needs something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_that_lacks_a_part_is_refused_by_the_parts_name() {
        let refuse = |body: Value| FacilitatorRequest::parse(body.to_string().as_bytes()).unwrap_err().to_string();
        assert_eq!(
            refuse(json!({"paymentPayload": {}})),
            "Missing paymentPayload or paymentRequirements: `paymentRequirements` is missing"
        );
        assert_eq!(
            refuse(json!({"paymentPayload": "x", "paymentRequirements": {}})),
            "Missing paymentPayload or paymentRequirements: `paymentPayload` is not an object"
        );
        assert!(refuse(json!([])).contains("not a JSON object"));
        for member in ["paymentPayload", "paymentRequirements", "other"] {
            let deep = format!(r#"{{"{member}": {}"#, "[".repeat(10_000));
            let error = FacilitatorRequest::parse(deep.as_bytes()).unwrap_err();
            assert!(matches!(error, RequestError::NotJson { .. }));
        }
    }

    #[test]
    fn a_failed_settlement_still_carries_transaction_and_network() {
        let answer = SettleResponse { network: "eip155:84532".to_owned(), ..SettleResponse::default() };
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"success":false,"transaction":"","network":"eip155:84532"}"#
        );
    }
}
