//! What tests conclude from.

use super::chain::{Fate, State};
use crate::journal::Authorized;

/// An authorization that was presented twice, and ends at second 1,000.
pub(super) fn paid() -> Authorized {
    serde_json::from_value(serde_json::json!({
        "at": 1, "instrument": "eip3009", "network": "eip155:84532", "asset": "0xa", "from": "0xb", "to": "0xc",
        "amount": "10000", "price": "0.01 USDC", "nonce": "0x1", "validBefore": 1000, "headers": [], "presented": 2,
        "answers": [], "transactions": [], "dead": null,
    }))
    .unwrap()
}

/// What the chain says of it, at a block time in seconds.
pub(super) fn state(fate: Fate, time: u64) -> State {
    State { fate, block: 7, time, transactions: Vec::new() }
}
