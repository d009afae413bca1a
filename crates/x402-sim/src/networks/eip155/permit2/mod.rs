//! Payments by the Permit2 contract: `exact`, for any token, and `upto`, for at most an amount.
//!
//! | room | what it holds |
//! |---|---|
//! | [`permit`] | what the payer signs, the proxies' addresses |
//! | [`claim`] | the decoded request |
//! | [`case`] | the claim beside the chain |
//! | [`checks`] | the checks, and the official order of each scheme |
//! | [`charge`] | what will move, and how a revert is told |
//! | [`contract`] | the deployed contracts' own rules |

use std::borrow::Cow;

use alloy_primitives::Address;
use serde_json::{Map, Value};

use crate::accounts::TestAccount;
use crate::charge::Charge as Any;
use crate::facilitator::{Denial, Judged, Trial};
use crate::networks::Asset;
use crate::networks::eip155::eip3009;
use crate::reason::{Code, Reason};

pub mod case;
pub mod charge;
pub mod checks;
pub mod claim;
pub mod contract;
pub mod permit;

pub use case::Case;
pub use charge::Charge;
pub use checks::order;
pub use claim::Claim;
pub use permit::Permit;

use claim::{NoClaim, said_owner};

/// The schemes that Permit2 carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// The whole amount.
    Exact,
    /// At most the amount; the settlement says how much.
    Upto,
}

impl Scheme {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Upto => "upto",
        }
    }

    /// The proxy that moves the money.
    pub const fn proxy(self) -> Address {
        match self {
            Self::Exact => permit::EXACT_PROXY,
            Self::Upto => permit::UPTO_PROXY,
        }
    }
}

/// Judges a request of `exact`.
pub fn judge_exact(trial: &Trial<'_>) -> Result<Judged, Denial> {
    judge(Scheme::Exact, trial)
}

/// Judges a request of `upto`.
pub fn judge_upto(trial: &Trial<'_>) -> Result<Judged, Denial> {
    judge(Scheme::Upto, trial)
}

/// What an offer of `exact` says of a token.
///
/// Source: TS 2.27 evm `exact/server/scheme.ts`.
pub fn exact_terms(asset: &Asset) -> Vec<(&'static str, String)> {
    // Clients take the domain of a token that moves by Permit2 for a sign that it has EIP-2612.
    let mut terms = if asset.eip2612 { eip3009::terms(asset) } else { Vec::new() };
    terms.push(("assetTransferMethod", "permit2".to_owned()));
    terms
}

/// What an offer of `upto` says of a token.
///
/// Source: TS 2.27 evm `upto/server/scheme.ts`.
pub fn upto_terms(asset: &Asset) -> Vec<(&'static str, String)> {
    let mut terms = eip3009::terms(asset);
    terms.push(("assetTransferMethod", "permit2".to_owned()));
    terms
}

/// What a server must copy into its offers of `upto`.
pub fn upto_extra(facilitator: &TestAccount) -> Option<Map<String, Value>> {
    Some(Map::from_iter([("facilitatorAddress".to_owned(), Value::from(facilitator.address))]))
}

fn judge(scheme: Scheme, trial: &Trial<'_>) -> Result<Judged, Denial> {
    let Trial { request, chain, now, depth, signatures, .. } = *trial;
    let payer = said_owner(request).map(Cow::into_owned);
    let deny = |reason: Reason| Denial { reason, payer: payer.clone() };
    let claim = Claim::decode(scheme, request).map_err(|no_claim| match no_claim {
        // The official facilitator names nobody then.
        NoClaim::OtherPayload(why) => Denial { reason: Code::PayloadType.because(why), payer: Some(String::new()) },
        NoClaim::Malformed(malformed) => deny(Code::InvalidPayload.because(malformed.to_string())),
    })?;
    let case = Case::new(claim, chain, now, depth, signatures);
    let passed = order(scheme).judge(depth, |test| test(&case)).map_err(deny)?;
    let charge = Charge::new(&case, depth, &passed).map_err(deny)?;
    Ok(Judged { charge: Any::other(charge), payer: payer.unwrap_or_default() })
}
