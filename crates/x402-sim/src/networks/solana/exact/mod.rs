//! `exact` on Solana: the payer signs a transaction in which the facilitator pays the fee, and the facilitator sends it.
//!
//! | room | what it holds |
//! |---|---|
//! | [`claim`] | the decoded request |
//! | [`case`] | the claim beside the chain: the transaction taken apart |
//! | [`checks`], [`duplicate`], [`layout`] | the checks, and the official order of each protocol version |
//! | [`reason`] | why a payment is refused, in the words of each version |
//! | [`charge`] | what will move |
//! | [`draft`] | the other direction: what a payer makes of requirements |
//! | [`defect`], [`spoil`] | named ways in which a payment can be wrong |

pub mod case;
pub mod charge;
pub mod checks;
pub mod claim;
pub mod defect;
pub mod draft;
pub mod duplicate;
pub mod layout;
pub mod reason;
mod spoil;

pub use case::Case;
pub use charge::Charge;
pub use checks::order;
pub use claim::Claim;

use serde_json::{Map, Value};

use super::key::Key;
use super::transaction::Transaction;
use crate::accounts::TestAccount;
use crate::charge::Charge as Any;
use crate::facilitator::{Denial, Judged, Trial};
use crate::order::Depth;
use crate::reason::{Code, Reason};

/// Judges a request.
pub fn judge(trial: &Trial<'_>) -> Result<Judged, Denial> {
    let claim = Claim::decode(trial.version, trial.request).map_err(|malformed| Denial {
        reason: Code::InvalidPayload.because(malformed.to_string()),
        payer: Some(String::new()),
    })?;
    let case = Case::new(claim, trial.chain, trial.now, trial.signatures);
    // The official code names the payer once it has looked for one: a check before that says nobody.
    let deny = |reason: Reason| Denial { payer: Some(case.payer_in_answer(&reason)), reason };
    if trial.depth == Depth::Settle {
        duplicate::not_settled_already(&case).map_err(deny)?;
    }
    let passed = order(trial.version).judge(trial.depth, |test| test(&case)).map_err(deny)?;
    let charge = Charge::new(&case, &passed).map_err(deny)?;
    let payer = charge.payer.to_string();
    Ok(Judged { charge: Any::other(charge), payer })
}

/// The hash of the message of a transaction in base64.
pub fn identity_of(transaction: &str) -> Option<[u8; 32]> {
    Some(Transaction::shared(transaction).ok()?.identity())
}

/// Whose tokens a transaction would move, before it is judged.
pub fn payer_of(transaction: &str) -> Option<Key> {
    case::owner(&*Transaction::shared(transaction).ok()?)
}

/// What a server copies from `/supported` into its offers: who pays the fee.
pub fn extra(facilitator: &TestAccount) -> Option<Map<String, Value>> {
    Some(Map::from_iter([("feePayer".to_owned(), Value::from(facilitator.solana_address))]))
}
