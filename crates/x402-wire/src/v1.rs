//! Protocol version 1: the only file that knows its shapes.
//!
//! Source: npm `x402` 1.2.0 `types/verify/x402Specs.ts`, `x402-express` 1.2.0.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::json::Json;

/// The names that legacy clients accept. One unknown name in an offer makes them reject the whole body.
pub const CLIENT_NETWORKS: &[&str] = &[
    "abstract",
    "abstract-testnet",
    "base-sepolia",
    "base",
    "avalanche-fuji",
    "avalanche",
    "iotex",
    "solana-devnet",
    "solana",
    "sei",
    "sei-testnet",
    "polygon",
    "polygon-amoy",
    "peaq",
    "story",
    "educhain",
    "skale-base-sepolia",
];

/// The default lifetime of an authorization, in seconds.
pub const MAX_TIMEOUT_SECONDS: u64 = 60;

/// The body of a 402 answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequiredV1 {
    /// Always 1.
    pub x402_version: u8,
    /// Why this is a 402.
    pub error: String,
    /// The ways to pay.
    pub accepts: Vec<PaymentRequirementsV1>,
    /// Who tried to pay, when a payment failed verification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
}

/// One way to pay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequirementsV1 {
    /// Always `exact`.
    pub scheme: String,
    /// The network's name: `base-sepolia`.
    pub network: String,
    /// How much, in atomic units of the asset.
    pub max_amount_required: String,
    /// The resource's absolute address, without its query.
    pub resource: String,
    /// What it is, in words; may be empty.
    pub description: String,
    /// The content type of what is delivered; may be empty.
    pub mime_type: String,
    /// Who is paid.
    pub pay_to: String,
    /// How long the payer's authorization shall live, in seconds.
    pub max_timeout_seconds: u64,
    /// The asset's address on the network.
    pub asset: String,
    /// The EIP-712 `name` and `version` of the asset.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl PaymentRequirementsV1 {
    /// Whether a payer that names this scheme and network means these requirements. Version 1 compares nothing else.
    pub fn matches(&self, payload: &Json<'_>) -> bool {
        let is = |key: &str, value: &str| payload.get(key).and_then(Json::as_str) == Some(value);
        is("scheme", &self.scheme) && is("network", &self.network)
    }
}
