//! Purchases: the attempts of one buyer to buy one resource once, counted, with a verdict.
//!
//! Purchases learn only from events, where [`World`](crate::World) records them, and from what truly moved in the
//! ledger: an answer that claims a settlement counts for nothing here.
//!
//! | room | what it holds |
//! |---|---|
//! | [`buyer`] | what a door knows about who buys what, and the keys that follow from it |
//! | [`tally`] | one purchase: its counts |
//! | [`verdict`] | what is to be said of it |
//! | [`register`] | the purchases that are kept, and to which of them an event belongs |
//! | [`moves`] | what moved in the ledger and was not counted yet |
//! | [`listed`] | a purchase as it is told to people and programs |

pub mod buyer;
pub mod id;
pub mod listed;
pub mod moves;
pub mod register;
pub mod tally;
pub mod verdict;

pub use buyer::{Buyer, Name, Wanted};
pub use id::PurchaseId;
pub use listed::Listed;
pub use register::Register;
pub use verdict::{Delivery, Grouping, Seen, Verdict};
