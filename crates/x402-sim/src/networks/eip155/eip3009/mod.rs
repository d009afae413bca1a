//! `exact` by EIP-3009: the payer signs `transferWithAuthorization`, the facilitator sends it.
//!
//! | room | what it holds |
//! |---|---|
//! | [`claim`] | the decoded request |
//! | [`case`] | the claim beside the chain |
//! | [`checks`] | the checks, and the official order of each protocol version |
//! | [`charge`] | what will move, and how a revert is told |

pub mod case;
pub mod charge;
pub mod checks;
pub mod claim;

pub use case::Case;
pub use charge::Charge;
pub use checks::order;
pub use claim::Claim;
