//! What an event says besides its kind.

use std::borrow::Cow;

use serde::Serialize;

/// The facts of an event. What a client sent is here only where it cannot be a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The request's method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Cow<'static, str>>,
    /// The request's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Cow<'static, str>>,
    /// The dialect that was spoken: `x402v2`, `x402v1` or `invoice`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<&'static str>,
    /// The scheme, where it is not `exact`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<&'static str>,
    /// The network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The amount for people: `0.01 USDC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Who pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// The reason string of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A sentence with the details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The transaction's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// The mode, when the outcome was simulated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<&'static str>,
}
