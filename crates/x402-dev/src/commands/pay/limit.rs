//! How much may be paid at once, and amounts in words.

use std::fmt;

use x402_sim::U256;
use x402_sim::networks::Asset;
use x402_wire::amount::{Decimal, Price, parse_atomic};

/// The most that is paid for one purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many dollars, in any of the assets that the official clients pay with.
    Dollars(Decimal),
    /// So much of one asset.
    Of(Decimal, String),
    /// So many atomic units of whatever was asked for.
    Units(U256),
}

impl Default for Limit {
    /// One dollar. Source: TS 2.27 core `DEFAULT_MAX_AMOUNT_PER_PAYMENT`.
    fn default() -> Self {
        Self::Dollars(Decimal::from_atomic(U256::from(1), 0))
    }
}

impl Limit {
    /// Reads `$1`, `0.5`, `0.05 USDC` or `10000 units`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(number) = text.trim().strip_suffix("units") {
            let units = parse_atomic(number.trim_end());
            return units.map(Self::Units).ok_or_else(|| format!("`{text}` is no number of atomic units"));
        }
        match Price::parse(text) {
            Ok(Price::Free) => Ok(Self::Units(U256::ZERO)),
            Ok(Price::Money { amount, ticker: None }) => Ok(Self::Dollars(amount)),
            Ok(Price::Money { amount, ticker: Some(ticker) }) => Ok(Self::Of(amount, ticker)),
            Err(_) => Err(format!("`{text}` is no amount; write `$1`, `0.05 USDC` or `10000 units`")),
        }
    }

    /// Whether the limit says anything of an asset: dollars of known ones alone, and an asset of itself.
    pub fn measures(&self, asset: Option<&Asset>) -> bool {
        match self {
            Self::Units(_) => true,
            Self::Dollars(_) => asset.is_some(),
            Self::Of(_, symbol) => asset.is_some_and(|asset| asset.symbol.eq_ignore_ascii_case(symbol)),
        }
    }

    /// Whether an amount of an asset is within the limit. An asset that nobody knows is measured in units alone.
    pub fn allows(&self, amount: U256, asset: Option<&Asset>) -> bool {
        let within = |most: &Decimal, asset: &Asset| match most.to_atomic(asset.decimals) {
            Ok(most) => amount <= most,
            // More digits than the asset has: what is left of them is the limit.
            Err(_) => whole_part(*most, asset.decimals).is_some_and(|most| amount <= most),
        };
        match self {
            Self::Units(most) => amount <= *most,
            Self::Dollars(most) => asset.is_some_and(|asset| within(most, asset)),
            Self::Of(most, symbol) => {
                asset.is_some_and(|asset| asset.symbol.eq_ignore_ascii_case(symbol) && within(most, asset))
            }
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dollars(most) => write!(out, "${most}"),
            Self::Of(most, symbol) => write!(out, "{most} {symbol}"),
            Self::Units(most) => write!(out, "{most} units"),
        }
    }
}

/// As many atomic units as a decimal holds wholly.
fn whole_part(most: Decimal, decimals: u8) -> Option<U256> {
    let text = most.to_string();
    let (whole, fraction) = text.split_once('.')?;
    let kept: String = fraction.chars().take(usize::from(decimals)).collect();
    let text = if kept.is_empty() { whole.to_owned() } else { format!("{whole}.{kept}") };
    Decimal::parse(&text).ok()?.to_atomic(decimals).ok()
}

/// An amount as people say it: `0.01 USDC`, or `10000 units of 0x..` where nobody knows the asset.
pub fn price(amount: U256, asset: Option<&Asset>, address: &str) -> String {
    match asset {
        Some(asset) => format!("{} {}", Decimal::from_atomic(amount, asset.decimals), asset.symbol),
        None => format!("{amount} units of {address}"),
    }
}

#[cfg(test)]
mod tests {
    use x402_sim::registry::networks;

    use super::*;

    fn usdc() -> Asset {
        networks().into_iter().find(|network| network.id == "eip155:84532").unwrap().assets[0].clone()
    }

    #[test]
    fn limits_are_read_in_dollars_assets_and_units() {
        for (text, within, beyond) in [
            ("$1", 1_000_000, 1_000_001),
            ("0.05 usdc", 50_000, 50_001),
            ("10000 units", 10_000, 10_001),
            ("0", 0, 1),
            ("0.0000019", 1, 2),
        ] {
            let limit = Limit::parse(text).unwrap();
            assert!(limit.allows(U256::from(within), Some(&usdc())), "{text}");
            assert!(!limit.allows(U256::from(beyond), Some(&usdc())), "{text}");
        }
        let other = Limit::parse("5 EURC").unwrap();
        assert!(!other.allows(U256::from(1), Some(&usdc())) && !other.measures(Some(&usdc())));
        assert!(!Limit::default().allows(U256::from(1), None), "dollars say nothing of an unknown asset");
        assert!(Limit::parse("7 units").unwrap().allows(U256::from(7), None));
        assert_eq!(Limit::default().to_string(), "$1");
        for text in ["", "-1", "$", "units", "1.5 units", "many"] {
            assert!(Limit::parse(text).is_err(), "{text}");
        }
        assert_eq!(price(U256::from(10_000), Some(&usdc()), ""), "0.01 USDC");
        assert_eq!(price(U256::from(7), None, "0xa"), "7 units of 0xa");
    }
}
