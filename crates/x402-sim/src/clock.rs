//! The clock: the world's time as a function of real time.
//!
//! All times are milliseconds since 1970. A clock never reads real time itself: whoever asks brings it.

use serde::{Deserialize, Serialize};

/// How the world's time follows from real time: it stood at `world` when real time was `real`, and runs at `rate` since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    real: u64,
    world: u64,
    rate: Rate,
    frozen: bool,
}

/// How fast the world's time runs, in thousandths of real time. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Rate(u32);

/// The fastest rate: a day in 86 milliseconds.
pub const FASTEST: u32 = 1_000_000;

/// The last time that a clock may be set to: the end of the year 9999.
pub const LATEST: u64 = 253_402_300_799_999;

/// A clock cannot be set so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// Too slow or too fast.
    #[error("the rate must be between 0.001 and {} times real time", FASTEST / 1000)]
    Rate,
    /// Beyond the year 9999.
    #[error("the clock would stand beyond the year 9999")]
    TooLate,
}

impl Default for Clock {
    /// Real time.
    fn default() -> Self {
        Self { real: 0, world: 0, rate: Rate::REAL, frozen: false }
    }
}

impl Clock {
    /// The world's time at a real time.
    pub fn at(&self, real: u64) -> u64 {
        if self.frozen { self.world } else { self.world + self.rate.world(real.saturating_sub(self.real)) }
    }

    /// The real time from which on the clock shows `world` or later; `None` while it is frozen before that.
    pub fn real_at(&self, world: u64) -> Option<u64> {
        match world.checked_sub(self.world) {
            None | Some(0) => Some(self.real),
            Some(_) if self.frozen => None,
            Some(wait) => Some(self.real.saturating_add(self.rate.real(wait))),
        }
    }

    /// By how much the world's time is ahead of real time, in milliseconds; negative where it is behind.
    pub fn offset(&self, real: u64) -> i64 {
        i64::try_from(i128::from(self.at(real)) - i128::from(real)).unwrap_or(i64::MAX)
    }

    /// Whether it shows a time that a clock may show: what was read from a file may be anything.
    pub const fn is_possible(&self) -> bool {
        self.world <= LATEST
    }

    /// Whether it is frozen.
    pub const fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// How fast it runs when it is not frozen.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// The clock moved forward by so many milliseconds, whether it is frozen or not.
    pub fn advanced(&self, by: u64, real: u64) -> Result<Self, ClockError> {
        self.set_to(self.at(real).saturating_add(by), real)
    }

    /// The clock set to a time, from which it goes on as before.
    pub fn set_to(&self, world: u64, real: u64) -> Result<Self, ClockError> {
        if world > LATEST { Err(ClockError::TooLate) } else { Ok(Self { real, world, ..*self }) }
    }

    /// The clock standing still.
    pub fn frozen(&self, real: u64) -> Self {
        Self { real, world: self.at(real), frozen: true, ..*self }
    }

    /// The clock running on from where it stands.
    pub fn resumed(&self, real: u64) -> Self {
        Self { real, world: self.at(real), frozen: false, ..*self }
    }

    /// The clock at another speed, from where it stands.
    pub fn paced(&self, rate: Rate, real: u64) -> Self {
        Self { real, world: self.at(real), rate, ..*self }
    }
}

impl Rate {
    /// As fast as real time.
    pub const REAL: Self = Self(1000);

    /// A rate in thousandths of real time.
    pub const fn from_thousandths(thousandths: u32) -> Result<Self, ClockError> {
        if thousandths == 0 || thousandths > FASTEST { Err(ClockError::Rate) } else { Ok(Self(thousandths)) }
    }

    /// The rate in thousandths of real time.
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    fn world(self, real: u64) -> u64 {
        if let Some(product) = real.checked_mul(self.0.into()) {
            return (product / 1000).min(LATEST);
        }
        u64::try_from(u128::from(real) * u128::from(self.0) / 1000).unwrap_or(u64::MAX).min(LATEST)
    }

    fn real(self, world: u64) -> u64 {
        u64::try_from((u128::from(world) * 1000).div_ceil(u128::from(self.0))).unwrap_or(u64::MAX)
    }
}

impl TryFrom<u32> for Rate {
    type Error = ClockError;

    fn try_from(thousandths: u32) -> Result<Self, ClockError> {
        Self::from_thousandths(thousandths)
    }
}

impl From<Rate> for u32 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}

/// A span of time for people: `10m`, `1h 30m`, `0.5s`.
pub fn span(milliseconds: u64) -> String {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    let whole = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m")];
    let mut parts: Vec<String> =
        whole.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number}{unit}")).collect();
    if rest > 0 {
        parts.push(format!("{}s", format!("{}.{rest:03}", seconds % 60).trim_end_matches('0')));
    } else if seconds % 60 > 0 || parts.is_empty() {
        parts.push(format!("{}s", seconds % 60));
    }
    parts.join(" ")
}

/// By how much the mock's clock differs from this computer's, as a sentence; `None` where it does not.
pub fn skew(offset: i64) -> Option<String> {
    let side = match offset {
        0 => return None,
        1.. => "ahead of",
        _ => "behind",
    };
    // Whoever reads of minutes does not ask for milliseconds, and those of a frozen clock change all the time.
    let by = offset.unsigned_abs();
    let by = if by >= 60_000 { by / 1000 * 1000 } else { by };
    Some(format!("the mock's clock is {} {side} this computer's", span(by)))
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
pub const fn civil(days: u64) -> (u64, u64, u64) {
    // Eras of 400 years that begin on the first of March, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: u64 = 1_800_000_000_000;

    #[test]
    fn a_new_clock_shows_real_time() {
        let clock = Clock::default();
        assert_eq!((clock.at(REAL), clock.offset(REAL), clock.real_at(REAL)), (REAL, 0, Some(REAL)));
    }

    #[test]
    fn a_frozen_clock_moves_only_when_it_is_advanced() {
        let frozen = Clock::default().frozen(REAL);
        assert_eq!(frozen.at(REAL + 5_000), REAL);
        assert_eq!((frozen.real_at(REAL), frozen.real_at(REAL + 1)), (Some(REAL), None));
        let advanced = frozen.advanced(600_000, REAL + 5_000).unwrap();
        assert_eq!(advanced.at(REAL + 9_000), REAL + 600_000);
        let running = advanced.resumed(REAL + 10_000);
        assert_eq!((running.at(REAL + 11_000), running.offset(REAL + 11_000)), (REAL + 601_000, 590_000));
    }

    #[test]
    fn a_rate_changes_nothing_at_the_moment_it_is_set() {
        let fast = Clock::default().paced(Rate::from_thousandths(10_000).unwrap(), REAL);
        assert_eq!((fast.at(REAL), fast.at(REAL + 100)), (REAL, REAL + 1_000));
        assert_eq!(fast.real_at(REAL + 1_001), Some(REAL + 101));
        let slow = fast.paced(Rate::from_thousandths(1).unwrap(), REAL + 100);
        assert_eq!(slow.at(REAL + 2_100), REAL + 1_002);
    }

    #[test]
    fn impossible_settings_are_refused() {
        assert_eq!(Rate::from_thousandths(0), Err(ClockError::Rate));
        assert_eq!(Rate::from_thousandths(FASTEST + 1), Err(ClockError::Rate));
        assert_eq!(Clock::default().set_to(LATEST + 1, REAL), Err(ClockError::TooLate));
        assert_eq!(Clock::default().advanced(u64::MAX, REAL), Err(ClockError::TooLate));
        let fast = Clock::default().paced(Rate::from_thousandths(FASTEST).unwrap(), REAL);
        assert!(fast.at(u64::MAX) >= LATEST, "no overflow");
    }

    #[test]
    fn a_clock_may_be_set_back() {
        let back = Clock::default().set_to(REAL - 60_000, REAL).unwrap();
        assert_eq!((back.at(REAL + 1_000), back.offset(REAL)), (REAL - 59_000, -60_000));
    }

    #[test]
    fn a_difference_is_told_in_words() {
        for (offset, words) in [
            (600_000, "10m ahead of"),
            (-5_000, "5s behind"),
            (1_500, "1.5s ahead of"),
            (-90_061_234, "1d 1h 1m 1s behind"),
            (7, "0.007s ahead of"),
        ] {
            assert_eq!(skew(offset), Some(format!("the mock's clock is {words} this computer's")), "{offset}");
        }
        assert_eq!(skew(0), None);
        assert_eq!((span(0), span(3_600_000)), ("0s".to_owned(), "1h".to_owned()));
    }
}
