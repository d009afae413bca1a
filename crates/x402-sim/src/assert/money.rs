//! Amounts, and how they compare with what moved. Nothing here is ever a floating-point number.

use std::cmp::Ordering;

use alloy_primitives::U256;
use x402_wire::amount::{Decimal, Price, parse_atomic};

use crate::purchase::Listed;
use crate::purchase::listed::Moved;

/// How many decimals sums are made with. No asset that is worth a dollar has more.
const SCALE: u8 = 18;

/// An amount that what moved is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    amount: Decimal,
    /// The asset's ticker; without one, dollars in whatever asset.
    ticker: Option<String>,
}

/// Why amounts cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// An asset that is no dollar.
    #[error("{moved} moved, which is not counted in dollars")]
    NoDollars {
        /// What moved.
        moved: String,
    },
    /// A number that is too large to be compared.
    #[error("the amounts are too large or too fine to be compared")]
    TooLarge,
}

impl Money {
    /// Reads `0.01`, `$0.01` or `0.01 USDC`; `None` for what is no amount.
    pub fn parse(text: &str) -> Option<Self> {
        match Price::parse(text).ok()? {
            Price::Money { amount, ticker } => Some(Self { amount, ticker }),
            // A zero without a ticker reads as a price that nobody pays.
            Price::Free => Decimal::parse("0").ok().map(|amount| Self { amount, ticker: None }),
        }
    }

    /// How what moved compares with this amount.
    ///
    /// # Errors
    ///
    /// Dollars compared with an asset that is none, or numbers beyond all bounds.
    pub fn compare(&self, purchase: &Listed) -> Result<Ordering, Incomparable> {
        let mut sum = U256::ZERO;
        for moved in &purchase.moved {
            match &self.ticker {
                Some(ticker) if !ticker.eq_ignore_ascii_case(&moved.symbol) => continue,
                None if !is_dollar(moved) => {
                    if moved.atomic == "0" {
                        continue;
                    }
                    return Err(Incomparable::NoDollars { moved: moved.amount.clone() });
                }
                _ => {}
            }
            let value = scaled(moved).ok_or(Incomparable::TooLarge)?;
            sum = sum.checked_add(value).ok_or(Incomparable::TooLarge)?;
        }
        let wanted = self.amount.to_atomic(SCALE).map_err(|_| Incomparable::TooLarge)?;
        Ok(sum.cmp(&wanted))
    }
}

/// What moved, with the decimals of sums; `None` where that is no exact number.
fn scaled(moved: &Moved) -> Option<U256> {
    let atomic = parse_atomic(&moved.atomic)?;
    Decimal::from_atomic(atomic, moved.decimals).to_atomic(SCALE).ok()
}

/// Whether one unit of an asset is a dollar: its ticker says so.
fn is_dollar(moved: &Moved) -> bool {
    moved.symbol.to_ascii_uppercase().contains("USD")
}
