//! Requests to a facilitator and its answers, of either protocol version.
//!
//! Source: TS 2.27 core `httpFacilitatorClient.ts` and `schemas/index.ts`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::json::{Json, Name, Plain};
use crate::payload::PaymentPayload;

/// The body of `POST /verify` and `POST /settle`. It borrows from the bytes that it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct FacilitatorRequest<'a> {
    /// What the payer sent.
    pub payload: PaymentPayload<'a>,
    /// What the resource asks, as the resource server says it.
    pub requirements: Json<'a>,
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

impl<'a> FacilitatorRequest<'a> {
    /// Reads a request body.
    pub fn parse(body: &'a [u8]) -> Result<Self, RequestError> {
        // The parser looks at no byte again that is known to be text.
        let text = std::str::from_utf8(body).ok();
        let read = |text| Plain::read(text, Parts::read).or_else(|| serde_json::from_str(text).ok());
        let parts: Option<Parts<'_>> = text.and_then(read);
        let parts = parts.ok_or_else(|| no_parts(body))?;
        let missing = |part| RequestError::Part { part, state: "missing" };
        let payload = parts.payload.ok_or_else(|| missing(PAYLOAD))?;
        let requirements = parts.requirements.ok_or_else(|| missing(REQUIREMENTS))?;
        for (part, value) in [(PAYLOAD, payload.value()), (REQUIREMENTS, &requirements)] {
            match value {
                Json::Object(_) => {}
                Json::Null => return Err(missing(part)),
                _ => return Err(RequestError::Part { part, state: "not an object" }),
            }
        }
        Ok(Self { payload, requirements })
    }
}

/// Why a body has no parts. All of it is read for that, also what nobody would look at in a good one.
fn no_parts(body: &[u8]) -> RequestError {
    match serde_json::from_slice::<Json<'_>>(body) {
        Ok(_) => RequestError::NotAnObject,
        Err(error) => RequestError::NotJson { detail: error.to_string() },
    }
}

const PAYLOAD: &str = "paymentPayload";
const REQUIREMENTS: &str = "paymentRequirements";

/// The two members that matter. Of a repeated one the last counts, as in JavaScript.
#[derive(Debug, Default, PartialEq)]
struct Parts<'a> {
    payload: Option<PaymentPayload<'a>>,
    requirements: Option<Json<'a>>,
}

impl<'a> Parts<'a> {
    fn read(text: &mut Plain<'a>) -> Option<Self> {
        let mut parts = Self::default();
        text.members(|text, name| {
            match name {
                PAYLOAD => parts.payload = Some(PaymentPayload::read(text)?),
                REQUIREMENTS => parts.requirements = Some(text.recurring()?),
                _ => drop(text.skip()?),
            }
            Some(())
        })?;
        Some(parts)
    }
}

impl<'de> Deserialize<'de> for Parts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PartsReader)
    }
}

struct PartsReader;

impl<'de> Visitor<'de> for PartsReader {
    type Value = Parts<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Parts<'de>, A::Error> {
        let mut parts = Parts::default();
        while let Some(Name(name)) = members.next_key()? {
            match &*name {
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
    /// How much was charged, in atomic units; `exact` does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
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
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::json::tests::{plain_texts, texts};

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
    fn what_is_no_json_is_not_taken_for_something_else() {
        let refuse = |body: &[u8]| FacilitatorRequest::parse(body).unwrap_err().to_string();
        for part in [r#"{"a":"\ud800"}"#, r#"{"a":1e999}"#, r#"{"a" 1}"#] {
            let body = format!(r#"{{"paymentPayload":{{"accepted":{part}}},"paymentRequirements":{part}}}"#);
            let detail = serde_json::from_str::<Value>(&body).unwrap_err();
            assert_eq!(refuse(body.as_bytes()), format!("the body is not JSON: {detail}"));
        }
        let not_text = "the body is not JSON: invalid unicode code point at line 1 column ";
        let parts = br#""paymentPayload":{},"paymentRequirements":{}}"#;
        assert_eq!(refuse(&[b"{\"other\":\"\xff\",", parts.as_slice()].concat()), format!("{not_text}11"));
        assert_eq!(refuse(b"{\"paymentPayload\":{\"a\":\"\xff\"}}"), format!("{not_text}25"));
        assert_eq!(refuse(b"[1"), "the body is not JSON: EOF while parsing a list at line 1 column 2");
        let deep = [b"[".repeat(10_000), b"]".repeat(10_000)].concat();
        assert_eq!(refuse(&deep), "the body is not JSON: recursion limit exceeded at line 1 column 128");
        assert!(refuse(b"[1]").contains("not a JSON object"));
    }

    proptest! {
        #[test]
        fn a_body_means_what_it_means_to_serde_json(
            (is_plain, [terms, resource, other]) in prop_oneof![
                3 => [plain_texts(), plain_texts(), plain_texts()].prop_map(|texts| (true, texts)),
                1 => [texts(), texts(), texts()].prop_map(|texts| (false, texts)),
            ],
            [outer, inner] in [0..4_usize, 0..4],
            cut in any::<prop::sample::Index>(),
        ) {
            let terms = format!(r#"{{"scheme" :"exact","extra": {terms}}}"#);
            let inner = [
                format!(r#""accepted": {terms} , "resource":{resource} "#),
                format!(r#""resource" : {resource}, "accepted":{terms},"accepted":{other}"#),
                format!(r#""payload":{{"accepted":{terms},"extensions":{other}}},"extensions" :{other}"#),
                format!(r#""accepted": [{terms}], "x": {other}"#),
            ][inner].clone();
            let whole = [
                format!(r#"{{"x402Version":2,"paymentPayload":{{{inner}}},"paymentRequirements":{terms}}}"#),
                format!(r#" {{"paymentRequirements":{other},"paymentRequirements": {terms},"paymentPayload":{{{inner}}} }} "#),
                format!(r#"{{"paymentPayload":{{}},"other":{other},"paymentPayload":{{{inner}}}}}"#),
                format!(r#"{{"paymentPayload":{other},"paymentRequirements":{terms}}}"#),
            ][outer].clone();
            let cut: String = whole.chars().take(cut.index(whole.len())).collect();
            for text in [&whole, &whole, &whole, &cut] {
                let theirs: Option<Parts<'_>> = serde_json::from_str(text).ok();
                let plain = Plain::read(text, Parts::read);
                // A payload that is no object is left to the library.
                if is_plain && outer < 3 || plain.is_some() {
                    prop_assert_eq!(plain, theirs);
                }
            }
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
