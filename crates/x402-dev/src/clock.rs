//! The one place that reads the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use x402_sim::clock::civil;
pub use x402_sim::clock::{skew, span};

/// The wall clock in milliseconds since 1970; zero where the system's clock stands before that.
#[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A time in milliseconds since 1970 as `2026-11-22T21:50:07.123Z`.
pub fn timestamp(milliseconds: u64) -> String {
    let (days, rest) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
    let (year, month, day) = civil(days);
    let (seconds, millis) = (rest / 1000, rest % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// A time as people write it, in milliseconds since 1970: seconds since 1970, or RFC 3339 with `Z` or an offset.
pub fn parse(text: &str) -> Option<u64> {
    if let Some(seconds) = number(text) {
        return seconds.checked_mul(1000);
    }
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let (time, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-'])?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] =
        numbers(time, ':', [2, 2, 2]).filter(|[hour, minute, second]| *hour < 24 && *minute < 60 && *second < 60)?;
    let here = ((days(year, month, day)? * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + millis(fraction)?;
    let offset = |zone| {
        let parts = numbers(zone, ':', [2, 2]).filter(|[hours, minutes]| *hours < 24 && *minutes < 60);
        parts.map(|[hours, minutes]| (hours * 60 + minutes) * 60_000)
    };
    match zone.split_at(1) {
        ("+", zone) => here.checked_sub(offset(zone)?),
        ("-", zone) => here.checked_add(offset(zone)?),
        (_, rest) => Some(here).filter(|_| rest.is_empty()),
    }
}

/// A date as HTTP has it (RFC 9110, 5.6.7), in milliseconds since 1970: `Mon, 23 Nov 2026 18:36:58 GMT`.
pub fn parse_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.trim().split(' ').skip(1);
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|own| *own == month)? + 1;
    words.next().filter(|zone| *zone == "GMT")?;
    parse(&format!("{year}-{month:02}-{day}T{time}Z"))
}

/// A number of digits alone.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Numbers of these widths with a mark between them.
fn numbers<const N: usize>(text: &str, mark: char, widths: [usize; N]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(mark);
    for (place, width) in numbers.iter_mut().zip(widths) {
        *place = parts.next().filter(|part| part.len() == width).and_then(number)?;
    }
    Some(numbers).filter(|_| parts.next().is_none())
}

/// Thousandths in the digits after a point.
fn millis(fraction: &str) -> Option<u64> {
    number(fraction)?;
    number(&format!("{fraction:0<3}")[..3])
}

/// The day of a date counted from 1970-01-01, if there is such a date.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let shifted = if month > 2 { year } else { year.checked_sub(1)? };
    let (era, year_of_era) = (shifted / 400, shifted % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.checked_sub(1)?;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    // Looked up the other way round, so that the 30th of February is none.
    (era * 146_097 + of_era).checked_sub(719_468).filter(|days| civil(*days) == (year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_know_leap_years() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(timestamp(1_800_000_000_123), "2027-01-15T08:00:00.123Z");
        assert_eq!(timestamp(4_107_542_399_999), "2100-02-28T23:59:59.999Z");
        assert_eq!(timestamp(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
    }

    #[test]
    fn dates_of_http_are_read() {
        assert_eq!(parse_date("Mon, 23 Nov 2026 18:36:58 GMT"), Some(1_795_459_018_000));
        for text in ["", "Mon, 23 Nov 2026 18:36:58 CET", "Mon, 31 Feb 2026 18:36:58 GMT", "2026-11-23T18:36:58Z"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for time in [0, 951_782_400_000, 1_800_000_000_123, 4_107_542_399_999, 4_107_542_400_000, 253_402_300_799_000] {
            assert_eq!(parse(&timestamp(time)), Some(time));
        }
        for (text, time) in [
            ("0", Some(0)),
            ("1800000000", Some(1_800_000_000_000)),
            ("2027-01-15T08:00:00Z", Some(1_800_000_000_000)),
            ("2027-01-15 08:00:00.5z", Some(1_800_000_000_500)),
            ("2027-01-15T08:00:00.1239Z", Some(1_800_000_000_123)),
            ("2027-01-15T09:30:00+01:30", Some(1_800_000_000_000)),
            ("2027-01-14T23:00:00-09:00", Some(1_800_000_000_000)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("18446744073709551615", None),
            ("2027-01-15", None),
            ("2027-01-15T08:00:00", None),
            ("2027-02-30T08:00:00Z", None),
            ("2027-13-01T08:00:00Z", None),
            ("2027-00-01T08:00:00Z", None),
            ("2027-01-00T08:00:00Z", None),
            ("2027-01-15T24:00:00Z", None),
            ("2027-01-15T08:60:00Z", None),
            ("2027-1-15T08:00:00Z", None),
            ("2027-01-15T08:00:00.Z", None),
            ("2027-01-15T08:00:00.a€Z", None),
            ("2027-01-15T08:00:00Zx", None),
            ("2027-01-15T08:00:00:00Z", None),
            ("2027-01-15T08:00:00+1:00", None),
            ("2027-01-15T08:00:00+24:00", None),
            ("1969-12-31T23:59:59Z", None),
            ("1970-01-01T00:00:00+00:01", None),
            ("tomorrow", None),
        ] {
            assert_eq!(parse(text), time, "{text}");
        }
    }
}
