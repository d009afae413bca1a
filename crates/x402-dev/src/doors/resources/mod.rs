//! The paid resources: every path that is not reserved, any method.
//!
//! An unpaid request is answered in every dialect at once; an answer to a payment speaks only the dialect that it came
//! in, as the official servers do.
//!
//! | room | what it holds |
//! |---|---|
//! | [`visit`] | what a request says about itself |
//! | [`payment`] | the payment header that it carries |
//! | [`routes`] | the flow: which dialect, match, verify, content, settle, answer |
//! | [`sale`] | what both protocol versions share: verify, content, settle |
//! | [`offer`] | the answer to an unpaid request |
//! | [`offered`] | the offer in force, where a fault makes it another one |
//! | [`delivery`] | the answer to a settled payment, and what may become of it |
//! | [`v2`], [`v1`], [`invoice`] | the answers to a payment |
//! | [`content`] | what is delivered |
//! | [`page`] | the page for browsers |
//! | [`refused`], [`stray`], `proof` | what is kept of a refused payment, and of one that stands where nobody looks |
//! | [`torn`] | what is kept of a payment whose header goes on in lines of its own |

pub mod content;
pub mod delivery;
pub mod invoice;
pub mod metering;
pub mod offer;
pub mod offered;
pub mod page;
pub mod payment;
mod proof;
pub mod refused;
pub mod routes;
pub mod sale;
pub mod stray;
pub mod torn;
pub mod v1;
pub mod v2;
pub mod visit;

pub use visit::Visit;
