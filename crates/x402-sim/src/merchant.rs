//! The merchant: what a resource offers, and which of its requirements a payment means.

use alloy_primitives::U256;
use serde_json::{Map, Value};
use x402_wire::amount::Decimal;
use x402_wire::header;
use x402_wire::json::Json;
use x402_wire::payload::PaymentPayload;
use x402_wire::requirements::{PaymentRequired, PaymentRequirements, ResourceInfo};
use x402_wire::shape::shorten;
use x402_wire::v1::{self, PaymentRequirementsV1};

use crate::accounts;
use crate::memo;
use crate::networks::{Asset, Network, Transfer};
use crate::registry::{self, PAIRS, Pair, Version};

pub use metering::{Meter, Plan};

pub mod hearing;
pub mod metering;

/// The default lifetime of an authorization in version 2, in seconds.
pub const MAX_TIMEOUT_SECONDS: u64 = 300;

/// The address that stands for a resource when an offer's size is measured.
const SAMPLE_URL: &str = "http://127.0.0.1:3402/a/path/of/ordinary/length?with=query";

/// Where payers on Solana have a recent blockhash from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blockhash {
    /// They ask the chain.
    #[default]
    Asked,
    /// Every offer of version 2 says a new one. Clients of version 1 always ask the chain.
    Offered,
}

/// One way to pay for a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// Where.
    pub network: Network,
    /// With what.
    pub asset: Asset,
    /// Who is paid.
    pub pay_to: String,
    /// How much, in atomic units.
    pub amount: U256,
    /// How long an authorization shall live, in seconds, if not the version's default.
    pub max_timeout_seconds: Option<u64>,
    /// Where payers on Solana have a recent blockhash from.
    pub blockhash: Blockhash,
    /// What is merged over the `extra` that the asset needs.
    pub extra: Map<String, Value>,
    /// How the asset is moved.
    pub instrument: Transfer,
    /// Whether all of the amount is asked, or at most it.
    pub plan: Plan,
}

/// What a resource asks, in every dialect.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offer {
    /// The ways in version 2.
    pub v2: Vec<PaymentRequirements>,
    /// The ways in version 1: those that legacy clients can read. `resource` is set for each request.
    pub v1: Vec<PaymentRequirementsV1>,
    /// The invoice's amount, in atomic units of USDC, if the price can be invoiced.
    pub invoice: Option<U256>,
    /// The price for people: `0.01 USDC`.
    pub price: String,
    /// The networks on which the ways in version 2 say a recent blockhash.
    pub blockhashes: Vec<String>,
}

impl Offer {
    /// The offer of a resource.
    pub fn new(ways: &[Way], description: &str, mime_type: &str) -> Self {
        let legacy = ways.iter().filter_map(|way| way.to_v1(description, mime_type));
        let first = ways.first();
        let price = |way: &Way| Decimal::from_atomic(way.amount, way.asset.decimals);
        Self {
            v2: ways.iter().map(Way::to_v2).collect(),
            blockhashes: ways
                .iter()
                .filter(|way| way.blockhash == Blockhash::Offered)
                .map(|way| way.network.id.clone())
                .collect(),
            v1: legacy.collect(),
            invoice: first
                .filter(|way| is_dollar(&way.asset) && way.plan == Plan::Exact)
                .and_then(|way| price(way).to_atomic(memo::DECIMALS).ok()),
            price: first
                .map(|way| {
                    let most = if way.plan == Plan::Exact { "" } else { "up to " };
                    format!("{most}{} {}", price(way), way.asset.symbol)
                })
                .unwrap_or_default(),
        }
    }

    /// The same with recent blockhashes, where it says any: `recent` gives one of a network, and the last block that it is
    /// good for. Matching knows nothing of them, as they are others in each answer.
    ///
    /// Source: TS 2.27 svm `exact/server/scheme.ts` `enhancePaymentRequirements`.
    pub fn with_blockhashes(&self, mut recent: impl FnMut(&str) -> (String, u64)) -> Option<Self> {
        if self.blockhashes.is_empty() {
            return None;
        }
        let mut offer = self.clone();
        for own in offer.v2.iter_mut().filter(|own| self.blockhashes.contains(&own.network)) {
            let (blockhash, last) = recent(&own.network);
            own.extra.insert("recentBlockhash".to_owned(), Value::from(blockhash));
            own.extra.insert("lastValidBlockHeight".to_owned(), Value::from(last.to_string()));
        }
        Some(offer)
    }

    /// The size of the `PAYMENT-REQUIRED` header that it makes for an ordinary address, in bytes.
    pub fn header_size(&self, description: &str, mime_type: &str) -> usize {
        let (description, mime_type) = (description.to_owned(), mime_type.to_owned());
        let offer = PaymentRequired {
            x402_version: 2,
            error: Some("Payment required".to_owned()),
            resource: ResourceInfo { url: SAMPLE_URL.to_owned(), description, mime_type },
            accepts: self.v2.clone(),
            extensions: None,
        };
        header::encode(&offer).len()
    }

    /// Which of the requirements of version 2 a payment means, by their place, or the official error text.
    pub fn matching_v2(&self, payload: &PaymentPayload<'_>) -> Result<usize, String> {
        let Some(version) = payload.version().and_then(Version::from_number) else {
            return Err(format!("Unsupported x402 version: {}", shorten(&payload.version_text())));
        };
        let found = payload.accepted().and_then(|accepted| {
            self.v2.iter().position(|own| match version {
                Version::V1 => is(accepted, "scheme", &own.scheme) && is(accepted, "network", &own.network),
                Version::V2 => own.matches(accepted),
            })
        });
        found.ok_or_else(|| "No matching payment requirements".to_owned())
    }

    /// The requirements that a payment of version 1 means, or the official error text.
    pub fn matching_v1(&self, payload: &PaymentPayload<'_>) -> Result<&PaymentRequirementsV1, String> {
        let found = self.v1.iter().find(|own| own.matches(payload.value()));
        found.ok_or_else(|| "Unable to find matching payment requirements".to_owned())
    }
}

fn is(value: &Json<'_>, key: &str, text: &str) -> bool {
    value.get(key).and_then(Json::as_str) == Some(text)
}

/// Whether one unit of an asset is a dollar, so that a price in it is one in USDC: all assets that are known without
/// configuration are, and own ones that say `USD` in their ticker.
fn is_dollar(asset: &Asset) -> bool {
    let known = || registry::networks().iter().any(|network| network.asset_by_address(&asset.address).is_some());
    asset.symbol.to_ascii_uppercase().contains("USD") || known()
}

impl Way {
    fn to_v2(&self) -> PaymentRequirements {
        PaymentRequirements {
            scheme: self.scheme().to_owned(),
            network: self.network.id.clone(),
            amount: self.amount.to_string(),
            asset: self.asset.address.clone(),
            pay_to: self.pay_to.clone(),
            max_timeout_seconds: self.max_timeout_seconds.unwrap_or(MAX_TIMEOUT_SECONDS),
            extra: self.extra(),
        }
    }

    /// `None` where a legacy client would reject the whole offer for this entry.
    fn to_v1(&self, description: &str, mime_type: &str) -> Option<PaymentRequirementsV1> {
        let network = self.network.v1_name.as_ref().filter(|name| v1::CLIENT_NETWORKS.contains(&name.as_str()))?;
        let payable = self.instrument != Transfer::Permit2 && self.plan == Plan::Exact;
        payable.then(|| PaymentRequirementsV1 {
            scheme: "exact".to_owned(),
            network: network.clone(),
            max_amount_required: self.amount.to_string(),
            resource: String::new(),
            description: description.to_owned(),
            mime_type: mime_type.to_owned(),
            pay_to: self.pay_to.clone(),
            max_timeout_seconds: self.max_timeout_seconds.unwrap_or(v1::MAX_TIMEOUT_SECONDS),
            asset: self.asset.address.clone(),
            extra: self.extra(),
        })
    }

    /// The scheme's name.
    const fn scheme(&self) -> &'static str {
        match self.plan {
            Plan::Exact => "exact",
            Plan::Upto(_) => "upto",
        }
    }

    /// What the requirements' `extra` says.
    fn extra(&self) -> Map<String, Value> {
        let mut extra = Map::new();
        let (family, scheme) = (self.network.family, self.scheme());
        let is_own = |pair: &&Pair| (pair.family, pair.instrument, pair.scheme) == (family, self.instrument, scheme);
        if let Some(pair) = PAIRS.iter().find(is_own) {
            extra.extend((pair.terms)(&self.asset).into_iter().map(|(key, said)| (key.to_owned(), Value::from(said))));
            extra.extend((pair.extra)(&accounts::facilitator()).unwrap_or_default());
        }
        extra.extend(self.extra.clone());
        extra
    }
}
