//! `exact` by EIP-3009: the payer signs `transferWithAuthorization`, the facilitator sends it.
//!
//! | room | what it holds |
//! |---|---|
//! | [`claim`] | the decoded request |
//! | [`case`] | the claim beside the chain |
//! | [`checks`] | the checks, and the official order of each protocol version |
//! | [`charge`] | what will move, and how a revert is told |
//! | [`draft`] | the other direction: what a payer makes of requirements |
//! | [`defect`] | what can be wrong with it, by name |

pub mod case;
pub mod charge;
pub mod checks;
pub mod claim;
pub mod defect;
pub mod draft;

pub use case::Case;
pub use charge::Charge;
pub use checks::order;
pub use claim::Claim;
pub use defect::Defect;
pub use draft::Draft;
