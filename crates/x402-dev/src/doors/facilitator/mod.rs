//! The facilitator's door: it verifies and settles for other people's servers.

pub mod routes;
