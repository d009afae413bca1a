//! `exact` by EIP-3009: the payer signs `transferWithAuthorization`, the facilitator sends it.
//!
//! | room | what it holds |
//! |---|---|
//! | [`claim`] | the decoded request |
//! | [`case`] | the claim beside the chain |
//! | [`checks`] | the checks, and the official order of each protocol version |
//! | [`charge`] | what will move, and how a revert is told |
//! | [`draft`] | the other direction: what a payer makes of requirements |
//! | [`defect`], [`missigned`] | what can be wrong with it, by name |

pub mod case;
pub mod charge;
pub mod checks;
pub mod claim;
pub mod defect;
pub mod draft;
mod missigned;

pub use case::Case;
pub use charge::Charge;
pub use checks::order;
pub use claim::Claim;
pub use defect::Defect;
pub use draft::Draft;

use std::borrow::Cow;

use crate::charge::Charge as Any;
use crate::facilitator::{Denial, Judged, Trial, said_payer};
use crate::networks::Asset;
use crate::reason::{Code, Reason};

/// Judges a request.
pub fn judge(trial: &Trial<'_>) -> Result<Judged, Denial> {
    let Trial { version, request, chain, now, depth, signatures } = *trial;
    let deny = |reason: Reason| Denial { reason, payer: said_payer(&request.payload).map(Cow::into_owned) };
    let claim = Claim::decode(version, request)
        .map_err(|malformed| deny(Code::InvalidPayload.because(malformed.to_string())))?;
    let case = Case::new(claim, chain, now, signatures);
    let passed = order(version).judge(depth, |test| test(&case)).map_err(deny)?;
    let charge = Charge::new(&case, &passed).map_err(deny)?;
    Ok(Judged { charge: Any::Eip3009(charge), payer: case.claim.payer.to_owned() })
}

/// What an offer says of a token: its domain.
///
/// Source: TS 2.27 evm `exact/server/scheme.ts`.
pub fn terms(asset: &Asset) -> Vec<(&'static str, String)> {
    vec![("name", asset.name.clone()), ("version", asset.version.clone())]
}
