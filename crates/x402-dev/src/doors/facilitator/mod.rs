//! The facilitator's door: it verifies and settles for other people's servers.
//!
//! | room | what it holds |
//! |---|---|
//! | [`routes`] | the answers |
//! | [`astray`] | what is kept of a request by another method than an endpoint takes |

pub mod astray;
pub mod routes;
