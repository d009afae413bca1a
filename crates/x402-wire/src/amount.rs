//! Amounts of money: exact decimals, prices as people write them, and atomic units.
//!
//! There is one parser for prices in configuration files, flags and tests: [`Price::parse`]. Nothing here is ever a
//! floating-point number.

use std::fmt;

use ruint::aliases::U256;

/// An exact, non-negative decimal number: `digits` divided by ten to the power of `scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: U256,
    scale: u8,
}

/// The most decimals of an amount that is written in place.
const LONGEST_FRACTION: usize = 30;

/// Room for that many, a point, and the digits of a 64-bit number before it.
const LONGEST: usize = LONGEST_FRACTION + 21;

/// A price as people write it: `$0.01`, `0.01`, `0.05 USDC` or `free`.
///
/// Source: TS 2.27 `parseMoney`, without its truncation of digits that the asset cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Price {
    /// Nothing is charged.
    Free,
    /// An amount of money, in the asset named by the ticker or in the default asset of a network.
    Money {
        /// How much, in whole units (dollars, not atomic units).
        amount: Decimal,
        /// The asset's symbol, when one was written; `USD` counts as none.
        ticker: Option<String>,
    },
}

/// Why a text is no amount, or an amount does not fit an asset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The text does not have the form of a price.
    #[error("`{text}` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`")]
    Malformed {
        /// What was written.
        text: String,
    },
    /// A negative number.
    #[error("`{text}` is negative; a price is zero or more")]
    Negative {
        /// What was written.
        text: String,
    },
    /// More decimals than the asset has.
    #[error("{amount} has more than the {decimals} decimals that the asset can hold")]
    TooPrecise {
        /// The amount.
        amount: String,
        /// The asset's decimals.
        decimals: u8,
    },
    /// More than a 256-bit number of atomic units.
    #[error("{amount} is more than the asset can hold (2^256 - 1 atomic units)")]
    TooLarge {
        /// The amount as written.
        amount: String,
    },
}

impl Decimal {
    /// Reads `12`, `0.01` or `12.50`: digits, and a point followed by digits if there is one.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let malformed = || AmountError::Malformed { text: text.to_owned() };
        if text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            return Err(AmountError::Negative { text: text.to_owned() });
        }
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(malformed()),
            None => (text, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(malformed());
        }
        let fraction = fraction.trim_end_matches('0');
        let too_large = || AmountError::TooLarge { amount: text.to_owned() };
        let scale = u8::try_from(fraction.len()).map_err(|_| too_large())?;
        let digits = parse_atomic(&format!("{whole}{fraction}")).ok_or_else(too_large)?;
        Ok(Self { digits, scale })
    }

    /// The decimal that `units` atomic units of an asset with `decimals` decimals are.
    pub const fn from_atomic(units: U256, decimals: u8) -> Self {
        Self { digits: units, scale: decimals }
    }

    /// The same number without the decimals beyond so many: rounded down.
    pub fn cut(mut self, decimals: u8) -> Self {
        while self.scale > decimals {
            self = Self { digits: self.digits / U256::from(10), scale: self.scale - 1 };
        }
        self
    }

    /// The amount in atomic units of an asset with `decimals` decimals, exactly.
    pub fn to_atomic(self, decimals: u8) -> Result<U256, AmountError> {
        let mut value = self.normal();
        if value.scale > decimals {
            return Err(AmountError::TooPrecise { amount: self.to_string(), decimals });
        }
        while value.scale < decimals {
            let Some(digits) = value.digits.checked_mul(U256::from(10)) else {
                return Err(AmountError::TooLarge { amount: self.to_string() });
            };
            value = Self { digits, scale: value.scale + 1 };
        }
        Ok(value.digits)
    }

    /// Whether the amount is zero.
    pub fn is_zero(self) -> bool {
        self.digits.is_zero()
    }

    /// The same number with no trailing zeros after the point.
    fn normal(mut self) -> Self {
        let ten = U256::from(10);
        while self.scale > 0 && (self.digits % ten).is_zero() {
            self.digits /= ten;
            self.scale -= 1;
        }
        self
    }
}

impl Decimal {
    /// Writes the amount to the end of a text, as its `Display` does.
    pub fn write_onto(self, out: &mut String) {
        let mut place = [0; LONGEST];
        match self.short(&mut place) {
            Some(text) => out.push_str(text),
            None => out.push_str(&self.long()),
        }
    }

    /// Its text, if it is an amount like nearly every one: in place, since every payment is written.
    fn short(self, place: &mut [u8; LONGEST]) -> Option<&str> {
        let mut digits = u64::try_from(self.digits).ok()?;
        let mut scale = usize::from(self.scale);
        if scale > LONGEST_FRACTION {
            return None;
        }
        while scale > 0 && digits.is_multiple_of(10) {
            (digits, scale) = (digits / 10, scale - 1);
        }
        let mut start = LONGEST;
        let mut push = |byte: u8| {
            start -= 1;
            place[start] = byte;
        };
        for _ in 0..scale {
            push(digit(digits));
            digits /= 10;
        }
        if scale > 0 {
            push(b'.');
        }
        loop {
            push(digit(digits));
            digits /= 10;
            if digits == 0 {
                break;
            }
        }
        std::str::from_utf8(&place[start..]).ok()
    }

    fn long(self) -> String {
        let scale = usize::from(self.scale);
        let digits = self.digits.to_string();
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            fraction => format!("{whole}.{fraction}"),
        }
    }
}

/// The last decimal digit of a number.
const fn digit(number: u64) -> u8 {
    b"0123456789"[(number % 10) as usize]
}

impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.short(&mut [0; LONGEST]) {
            Some(text) => out.write_str(text),
            None => out.write_str(&self.long()),
        }
    }
}

impl Price {
    /// Reads a price.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let trimmed = text.trim();
        if trimmed.eq_ignore_ascii_case("free") {
            return Ok(Self::Free);
        }
        let money = trimmed.strip_prefix('$').unwrap_or(trimmed).trim_start();
        let (number, ticker) = match money.split_once(char::is_whitespace) {
            Some((number, ticker)) => (number, Some(ticker.trim_start())),
            None => (money, None),
        };
        let whole_text = |error| match error {
            AmountError::Malformed { .. } => AmountError::Malformed { text: text.to_owned() },
            AmountError::Negative { .. } => AmountError::Negative { text: text.to_owned() },
            other => other,
        };
        let amount = Decimal::parse(number).map_err(whole_text)?;
        let ticker = match ticker {
            None => None,
            Some(word) if is_ticker(word) => Some(word.to_owned()).filter(|word| !word.eq_ignore_ascii_case("USD")),
            Some(_) => return Err(AmountError::Malformed { text: text.to_owned() }),
        };
        if amount.is_zero() && ticker.is_none() { Ok(Self::Free) } else { Ok(Self::Money { amount, ticker }) }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => out.write_str("free"),
            Self::Money { amount, ticker: None } => write!(out, "${amount}"),
            Self::Money { amount, ticker: Some(ticker) } => write!(out, "{amount} {ticker}"),
        }
    }
}

/// Reads atomic units: decimal digits only, at most 2^256 - 1.
///
/// `None` for everything else, also for what JavaScript's `BigInt` would take (`""`, `0x10`, ` 10 `).
pub fn parse_atomic(text: &str) -> Option<U256> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = text.trim_start_matches('0');
    if significant.len() <= 19 {
        return significant.parse::<u64>().map(U256::from).ok().or(Some(U256::ZERO));
    }
    U256::from_str_radix(significant, 10).ok()
}

fn is_ticker(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(amount: &str, ticker: Option<&str>) -> Price {
        Price::Money { amount: Decimal::parse(amount).unwrap(), ticker: ticker.map(str::to_owned) }
    }

    #[test]
    fn prices_as_people_write_them() {
        assert_eq!(Price::parse("$0.01"), Ok(money("0.01", None)));
        assert_eq!(Price::parse(" $ 0.010 "), Ok(money("0.01", None)));
        assert_eq!(Price::parse("0.05 USDC"), Ok(money("0.05", Some("USDC"))));
        assert_eq!(Price::parse("1.5 USD"), Ok(money("1.5", None)));
        assert_eq!(Price::parse("Free"), Ok(Price::Free));
        assert_eq!(Price::parse("0"), Ok(Price::Free));
        assert_eq!(Price::parse("2 USDC.e"), Ok(money("2", Some("USDC.e"))));
    }

    #[test]
    fn what_is_no_price_is_refused_by_name() {
        for text in ["", "$", "NaN", "1e-3", "0x10", "1.", ".5", "1,5", "$1.50USDC", "1 2", "inf", "1 USDC!", "١"] {
            let error = Price::parse(text).unwrap_err();
            assert!(matches!(error, AmountError::Malformed { .. }), "{text}: {error}");
        }
        assert!(matches!(Price::parse("-1"), Err(AmountError::Negative { .. })));
        assert!(matches!(Price::parse("$-0.5 USDC"), Err(AmountError::Negative { .. })));
        assert!(matches!(Price::parse(&"9".repeat(90)), Err(AmountError::TooLarge { .. })));
        assert!(matches!(Price::parse(&format!("0.{}1", "0".repeat(300))), Err(AmountError::TooLarge { .. })));
    }

    #[test]
    fn a_decimal_is_written_without_zeros_that_say_nothing() {
        for (units, decimals, written) in
            [(0, 0, "0"), (0, 6, "0"), (10_000, 6, "0.01"), (1_500_000, 6, "1.5"), (100, 0, "100"), (2_000, 3, "2")]
        {
            assert_eq!(Decimal::from_atomic(U256::from(units), decimals).to_string(), written);
        }
        for (units, decimals, written) in [
            (u64::MAX, 0, "18446744073709551615"),
            (u64::MAX, 19, "1.8446744073709551615"),
            (u64::MAX, 20, "0.18446744073709551615"),
            (u64::MAX, 24, "0.000018446744073709551615"),
            (1, 19, "0.0000000000000000001"),
            (1, 20, "0.00000000000000000001"),
            (100, 30, "0.0000000000000000000000000001"),
        ] {
            assert_eq!(Decimal::from_atomic(U256::from(units), decimals).to_string(), written);
            let thousandfold = U256::from(units) * U256::from(1_000);
            assert_eq!(Decimal::from_atomic(thousandfold, decimals + 3).to_string(), written);
        }
    }

    #[test]
    fn conversion_to_atomic_units_is_exact_or_refused() {
        let atomic = |text: &str, decimals| Decimal::parse(text).unwrap().to_atomic(decimals);
        assert_eq!(atomic("0.01", 6), Ok(U256::from(10_000)));
        assert_eq!(atomic("0.010000000", 6), Ok(U256::from(10_000)));
        assert!(matches!(atomic("0.0000001", 6), Err(AmountError::TooPrecise { .. })));
        assert!(matches!(atomic(&"9".repeat(70), 18), Err(AmountError::TooLarge { .. })));
    }

    #[test]
    fn atomic_units_are_decimal_digits_only() {
        assert_eq!(parse_atomic("10000"), Some(U256::from(10_000)));
        assert_eq!(parse_atomic("000"), Some(U256::ZERO));
        assert_eq!(parse_atomic(&U256::MAX.to_string()), Some(U256::MAX));
        for text in ["", "0x10", " 10", "10 ", "-1", "+1", "1.0", "1e3", "1_000"] {
            assert_eq!(parse_atomic(text), None, "{text:?}");
        }
        let two_to_the_256 = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
        assert_eq!(parse_atomic(two_to_the_256), None);
    }

    proptest! {
        #[test]
        fn atomic_units_survive_the_way_through_a_decimal(units: u128, shift in 0u32..128, decimals in 0u8..=24) {
            let units = units >> shift;
            let decimal = Decimal::from_atomic(U256::from(units), decimals);
            let read = Decimal::parse(&decimal.to_string()).unwrap();
            prop_assert_eq!(read.to_atomic(decimals), Ok(U256::from(units)));
        }

        #[test]
        fn no_text_panics(text in ".{0,64}") {
            let _ = Price::parse(&text);
            let _ = parse_atomic(&text);
        }
    }
}
