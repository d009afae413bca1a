//! What a JSON value of the protocol is.

use serde::Serialize;
use serde_json::Value;

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `PaymentRequired` of version 2.
    OfferV2,
    /// `PaymentRequired` of version 1.
    OfferV1,
    /// `PaymentPayload` of version 2.
    PaymentV2,
    /// `PaymentPayload` of version 1.
    PaymentV1,
    /// One entry of `accepts`.
    Requirements,
    /// A request to `/verify` or `/settle`.
    FacilitatorRequest,
    /// An answer of `/verify`.
    VerifyAnswer,
    /// An answer of `/settle`: a receipt.
    Receipt,
    /// An answer of `/supported`.
    Supported,
    /// The invoice challenge.
    Invoice,
    /// Typed data of EIP-712.
    TypedData,
    /// A signed EVM transaction.
    EvmTransaction,
    /// A Solana transaction.
    SolanaTransaction,
    /// A reason string.
    Reason,
    /// A record of HTTP requests.
    Transcript,
    /// Something that happened in an instance.
    Record,
    /// A header or a text that cannot be decoded.
    Undecodable,
    /// JSON of something else.
    Other,
}

impl Kind {
    /// What it is, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::OfferV2 => "an offer (PaymentRequired) of x402 version 2",
            Self::OfferV1 => "an offer (PaymentRequired) of x402 version 1",
            Self::PaymentV2 => "a payment (PaymentPayload) of x402 version 2",
            Self::PaymentV1 => "a payment (PaymentPayload) of x402 version 1",
            Self::Requirements => "payment requirements: one entry of an offer's `accepts`",
            Self::FacilitatorRequest => "a request to a facilitator's /verify or /settle",
            Self::VerifyAnswer => "a facilitator's answer to /verify",
            Self::Receipt => "a receipt: a facilitator's answer to /settle",
            Self::Supported => "a facilitator's answer to /supported",
            Self::Invoice => "an invoice challenge (WWW-Authenticate: x402-solana)",
            Self::TypedData => "typed data of EIP-712",
            Self::EvmTransaction => "a signed EVM transaction",
            Self::SolanaTransaction => "a Solana transaction",
            Self::Reason => "a reason string",
            Self::Transcript => "a record of HTTP requests",
            Self::Record => "a record of an instance",
            Self::Undecodable => "something that cannot be decoded",
            Self::Other => "JSON that is nothing of x402",
        }
    }

    /// What a JSON value is.
    pub fn of(value: &Value) -> Self {
        let has = |key: &str| value.get(key).is_some_and(|member| !member.is_null());
        let is_one = || value.get("x402Version").is_some_and(|version| *version == 1 || *version == "1");
        if !value.is_object() {
            return Self::Other;
        }
        if has("paymentPayload") || has("paymentRequirements") {
            return Self::FacilitatorRequest;
        }
        if has("accepts") || (has("x402Version") && has("error") && !has("payload")) {
            let first = value.get("accepts").and_then(|accepts| accepts.get(0));
            let old =
                first.is_some_and(|first| first.get("maxAmountRequired").is_some() && first.get("amount").is_none());
            return if is_one() || (old && !has("x402Version")) { Self::OfferV1 } else { Self::OfferV2 };
        }
        if has("payload") || has("accepted") {
            let flat = !has("accepted") && (has("scheme") || has("network"));
            let said = value.get("x402Version").is_some_and(|version| *version == 2 || *version == "2");
            return if is_one() || (flat && !said) { Self::PaymentV1 } else { Self::PaymentV2 };
        }
        if has("isValid") {
            return Self::VerifyAnswer;
        }
        if has("success") && (has("transaction") || has("errorReason") || has("network") || has("payer")) {
            return Self::Receipt;
        }
        if has("kinds") {
            return Self::Supported;
        }
        if has("primaryType") || (has("domain") && has("types")) {
            return Self::TypedData;
        }
        if has("payTo") || (has("scheme") && has("network") && (has("amount") || has("maxAmountRequired"))) {
            return Self::Requirements;
        }
        if has("authorization") || has("permit2Authorization") {
            return Self::PaymentV2;
        }
        Self::Other
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_told_apart_by_what_it_has() {
        for (value, kind) in [
            (json!({"x402Version": 2, "accepts": []}), Kind::OfferV2),
            (json!({"x402Version": 1, "accepts": [], "error": ""}), Kind::OfferV1),
            (json!({"accepts": [{"maxAmountRequired": "1"}]}), Kind::OfferV1),
            (json!({"x402Version": 2, "accepted": {}, "payload": {}}), Kind::PaymentV2),
            (json!({"x402Version": 1, "scheme": "exact", "payload": {}}), Kind::PaymentV1),
            (json!({"scheme": "exact", "payload": {}}), Kind::PaymentV1),
            (json!({"x402Version": 2, "scheme": "exact", "payload": {}}), Kind::PaymentV2),
            (json!({"paymentPayload": {}, "paymentRequirements": {}}), Kind::FacilitatorRequest),
            (json!({"isValid": false}), Kind::VerifyAnswer),
            (json!({"success": true, "transaction": "0x", "network": "base"}), Kind::Receipt),
            (json!({"kinds": []}), Kind::Supported),
            (json!({"domain": {}, "types": {}, "primaryType": "X"}), Kind::TypedData),
            (json!({"scheme": "exact", "network": "base", "amount": "1"}), Kind::Requirements),
            (json!({"sky": "clear"}), Kind::Other),
            (json!([1]), Kind::Other),
        ] {
            assert_eq!(Kind::of(&value), kind, "{value}");
        }
    }
}
