//! Explanation: sentences that name both sides, and causes found by trying.

use alloy_primitives::U256;
use x402_wire::amount::Decimal;

use crate::catalog::Token;

pub mod nearest;
pub mod permit;
pub mod signature;

pub use nearest::nearest;

/// An amount for people: atomic units, and whole units where the asset is known.
pub fn money(units: U256, token: Option<&Token>) -> String {
    match token {
        Some(token) => {
            format!("{units} ({} {})", Decimal::from_atomic(units, token.asset.decimals), token.asset.symbol)
        }
        None => units.to_string(),
    }
}
