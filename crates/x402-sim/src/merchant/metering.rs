//! What is charged where a payer has signed for at most an amount: meters, and what a handler says itself.
//!
//! Source: TS 2.27 core `x402ResourceServer.ts` `resolveSettlementOverrideAmount`, `x402HTTPResourceServer.ts`.

use alloy_primitives::U256;
use serde_json::Value;
use x402_wire::amount::{AmountError, Decimal, parse_atomic};

/// The header by which a handler says how much is charged, in lower case. The client never sees it.
pub const OVERRIDES_HEADER: &str = "settlement-overrides";

/// How many decimals a rate has beyond those of its asset.
const FINENESS: u8 = 12;

/// How a resource asks for money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The whole amount: scheme `exact`.
    Exact,
    /// At most the amount: scheme `upto`.
    Upto(Meter),
}

/// How much of the most that a payer signs for is charged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Meter {
    /// All of it.
    #[default]
    Whole,
    /// Always the same, in atomic units.
    Fixed(U256),
    /// By the bytes of the content.
    PerByte(Rate),
    /// By a number in a header of the content, named in lower case.
    Header(String, Rate),
    /// By chance, from the world's random stream: at least one atomic unit.
    Random,
}

/// A price of one byte, or of one of whatever a header counts. It may be finer than an atomic unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(U256);

impl Rate {
    /// The rate of so much of an asset with these decimals.
    ///
    /// # Errors
    ///
    /// More decimals than twelve beyond the asset's, or more than fits.
    pub fn new(amount: Decimal, decimals: u8) -> Result<Self, AmountError> {
        amount.to_atomic(decimals.saturating_add(FINENESS)).map(Self)
    }

    /// What so many cost, in atomic units, rounded down; at most `most`.
    pub fn times(self, count: Decimal, most: U256) -> U256 {
        let unit = U256::from(10).pow(U256::from(FINENESS));
        // What is left out of the count costs less than a trillionth of the rate.
        let whole = |amount: Decimal| amount.cut(FINENESS).to_atomic(FINENESS).ok();
        let cost = whole(count).and_then(|count| self.0.checked_mul(count)).map(|cost| cost / unit / unit);
        cost.map_or(most, |cost| cost.min(most))
    }
}

/// What a handler says is charged, put to the amount of requirements whose asset has these decimals: the amount that the
/// facilitator is asked to settle. `None` where it says nothing that can be read, which is ignored.
pub fn overridden(header: &str, amount: &str, decimals: Option<u8>) -> Option<Value> {
    let said = serde_json::from_str::<Value>(header).ok()?.get("amount")?.clone();
    // Anything else than a text is for the facilitator to refuse.
    let Value::String(text) = said else { return Some(said) };
    let resolved = percent(&text, amount).or_else(|| dollars(&text, decimals));
    Some(Value::String(resolved.unwrap_or(text)))
}

/// `50%` or `33.33%` of an amount, rounded down.
fn percent(text: &str, amount: &str) -> Option<String> {
    let (whole, fraction) = split(text.strip_suffix('%')?)?;
    if fraction.len() > 2 {
        return None;
    }
    let scaled = parse_atomic(&format!("{whole}{fraction:0<2}"))?;
    let product = parse_atomic(amount)?.checked_mul(scaled)?;
    Some((product / U256::from(10_000)).to_string())
}

/// `$0.05` in atomic units; digits that the asset cannot hold are dropped.
fn dollars(text: &str, decimals: Option<u8>) -> Option<String> {
    let number = text.strip_prefix('$')?;
    let (whole, fraction) = split(number)?;
    if fraction.is_empty() && number.contains('.') {
        return None;
    }
    let decimals = usize::from(decimals?);
    let digits: String = format!("{fraction:0<decimals$}").chars().take(decimals).collect();
    let atomic = format!("{whole}{digits}");
    let atomic = atomic.trim_start_matches('0');
    Some(if atomic.is_empty() { "0".to_owned() } else { atomic.to_owned() })
}

/// The digits before and after the point.
fn split(number: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    (!whole.is_empty() && all_digits(whole) && all_digits(fraction)).then_some((whole, fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The right column is what the official `resolveSettlementOverrideAmount` gives.
    #[test]
    fn overrides_are_read_as_by_the_official_server() {
        for (said, resolved) in [
            (r#"{"amount":"500"}"#, Some("500")),
            (r#"{"amount":"50%"}"#, Some("5000")),
            (r#"{"amount":"33.33%"}"#, Some("3333")),
            (r#"{"amount":"0.01%"}"#, Some("1")),
            (r#"{"amount":"0.001%"}"#, Some("0.001%")),
            (r#"{"amount":"250.%"}"#, Some("25000")),
            (r#"{"amount":"$0.05"}"#, Some("50000")),
            (r#"{"amount":"$0"}"#, Some("0")),
            (r#"{"amount":"$0.0000009"}"#, Some("0")),
            (r#"{"amount":"$1."}"#, Some("$1.")),
            (r#"{"amount":"abc"}"#, Some("abc")),
            (r#"{"amount":""}"#, Some("")),
            (r#"{"other":"1"}"#, None),
            ("null", None),
            ("500", None),
            ("{", None),
        ] {
            let found = overridden(said, "10000", Some(6));
            assert_eq!(found.as_ref().and_then(Value::as_str), resolved, "{said}");
        }
        assert_eq!(overridden(r#"{"amount":500}"#, "10000", Some(6)), Some(Value::from(500)));
    }

    #[test]
    fn a_rate_may_be_finer_than_an_atomic_unit_and_never_costs_more_than_the_most() {
        let decimal = |text| Decimal::parse(text).unwrap();
        let rate = Rate::new(decimal("0.0000001"), 6).unwrap();
        let most = U256::from(1_000);
        for (count, cost) in [
            ("0", 0),
            ("9", 0),
            ("10", 1),
            ("12.5", 1),
            ("9999", 999),
            ("10000", 1_000),
            ("99999", 1_000),
            ("20.00000000000000000000000000000000001", 2),
            ("0.00000000000000000000000000000000001", 0),
        ] {
            assert_eq!(rate.times(decimal(count), most), U256::from(cost), "{count}");
        }
        assert!(Rate::new(decimal("0.0000000000000000001"), 6).is_err());
    }
}
