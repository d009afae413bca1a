//! Amounts in units, times beside now.

use alloy_primitives::U256;
use x402_wire::amount::{Decimal, parse_atomic};

use crate::clock::{civil, span};
use crate::networks::{Asset, Network};
use crate::registry;

/// A second since 1970 as `2026-11-22T21:50:07Z`.
pub fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// A time in seconds, and how far it is from now.
pub fn time(text: &str, now: u64) -> String {
    let Some(seconds) = text.parse::<u64>().ok() else { return String::new() };
    if seconds == 0 {
        return "always".to_owned();
    }
    if seconds > 253_402_300_799 {
        return "beyond the year 9999".to_owned();
    }
    let away = match seconds.checked_sub(now) {
        Some(0) => "now".to_owned(),
        Some(ahead) => format!("in {}", span(ahead.saturating_mul(1000))),
        None => format!("{} ago", span((now - seconds).saturating_mul(1000))),
    };
    format!("{}, {away}", date(seconds))
}

/// The network that a text names.
pub fn network(text: &str) -> Option<Network> {
    registry::networks().into_iter().find(|network| network.is_called(text))
}

/// The asset at an address of a network.
pub fn asset(network_text: &str, address: &str) -> Option<Asset> {
    network(network_text)?.asset_by_address(address).cloned()
}

/// Atomic units as an amount of an asset, where it is known.
pub fn amount(text: &str, asset: Option<&Asset>) -> String {
    match (parse_atomic(text), asset) {
        (Some(units), Some(asset)) => whole(units, asset),
        (Some(_), None) => "atomic units of an asset that is not known here".to_owned(),
        (None, _) => "no whole number of atomic units".to_owned(),
    }
}

/// Atomic units of a known asset.
pub fn whole(units: U256, asset: &Asset) -> String {
    format!("{} {}", Decimal::from_atomic(units, asset.decimals), asset.symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_384_207, "2026-11-22T21:50:07Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(date(seconds), text);
        }
    }

    #[test]
    fn times_are_told_beside_now() {
        assert_eq!(time("0", 100), "always");
        assert_eq!(time("160", 100), "1970-01-01T00:02:40Z, in 1m");
        assert_eq!(time("88", 100), "1970-01-01T00:01:28Z, 12s ago");
        assert_eq!(time("99999999999999999", 100), "beyond the year 9999");
        assert_eq!(time("x", 100), "");
    }
}
