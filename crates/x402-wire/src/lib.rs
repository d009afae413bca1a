//! What is said: the x402 dialects as types and codecs.
//!
//! This crate knows how a payment is written down and nothing else: no HTTP server, no cryptography, no clock and no
//! ledger. Networks, assets and addresses are opaque strings here; what they mean is the simulation's business.
//!
//! | room | what it holds |
//! |---|---|
//! | [`amount`] | exact decimals and prices as people write them |
//! | [`header`] | header names, base64, size limits |
//! | [`requirements`] | what a resource asks: offer and requirements (protocol version 2) |
//! | [`payload`] | what a payer sends (either version) |
//! | [`facilitator`] | requests to and answers from a facilitator |
//! | [`v1`] | the shapes of protocol version 1, and nowhere else |
//! | [`invoice`] | the `WWW-Authenticate: x402-solana` challenge |
//! | [`json`] | JSON that borrows from its text |
//! | [`document`] | JSON that keeps its order, as JavaScript renders it |
//! | [`shape`] | reading untrusted JSON with the path of what is wrong |

pub mod amount;
pub mod document;
pub mod facilitator;
pub mod header;
pub mod invoice;
pub mod json;
pub mod payload;
pub mod requirements;
pub mod shape;
pub mod v1;

pub use ruint::aliases::U256;
