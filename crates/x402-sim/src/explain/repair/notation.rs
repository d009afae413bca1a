//! How languages write numbers and signatures which the protocol wants as plain texts.

use alloy_primitives::{U256, hex};
use serde_json::Value;

/// The most zeros that a power of ten adds.
const MOST_ZEROS: u32 = 60;

/// A whole number that is written otherwise than in digits alone: `1e4`, `10_000`, `10,000`, `10000n`, `+10000`, `10000.0`.
pub(super) fn whole(text: &str) -> Option<U256> {
    let text = text.strip_suffix('n').unwrap_or(text);
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Some((mantissa, power)) = text.split_once(['e', 'E']) {
        return scientific(mantissa, power.strip_prefix('+').unwrap_or(power).parse().ok()?);
    }
    let whole = match text.split_once('.') {
        Some((whole, rest)) if !rest.is_empty() && rest.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    digits(&grouped(whole)?)
}

fn digits(text: &str) -> Option<U256> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// `1.5e4`: nothing where it is no whole number.
fn scientific(mantissa: &str, power: u32) -> Option<U256> {
    let (whole, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let zeros = power.checked_sub(u32::try_from(rest.len()).ok()?).filter(|zeros| *zeros <= MOST_ZEROS)?;
    digits(&format!("{whole}{rest}"))?.checked_mul(U256::from(10).pow(U256::from(zeros)))
}

/// Digits in groups of three without what stands between them. `0,010` may as well be a hundredth.
fn grouped(text: &str) -> Option<String> {
    let Some(mark) = ['_', ',', '\'', ' ', '\u{a0}', '\u{202f}'].into_iter().find(|mark| text.contains(*mark)) else {
        return Some(text.to_owned());
    };
    let groups: Vec<&str> = text.split(mark).collect();
    let (first, rest) = groups.split_first()?;
    let is_grouped =
        (1..=3).contains(&first.len()) && !first.starts_with('0') && rest.iter().all(|group| group.len() == 3);
    is_grouped.then(|| groups.concat())
}

/// A time that is no whole number of seconds in digits, as one, and what it is: a number with a fraction, or a date of ISO
/// 8601 in Greenwich's time or with its offset.
pub(super) fn seconds(text: &str) -> Option<(u64, &'static str)> {
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((whole, _)) = text.split_once('.').filter(|(whole, rest)| plain(whole) && plain(rest)) {
        return Some((whole.parse().ok()?, "a number of seconds with a fraction"));
    }
    // A day alone begins at midnight.
    let (day_alone, date) = (format!("{text}T00:00:00Z"), text.len() == 10);
    let text = if date { day_alone.as_str() } else { text };
    let number = |range: std::ops::Range<usize>| text.get(range).filter(|part| plain(part))?.parse::<u64>().ok();
    let marks = [(4, "-"), (7, "-"), (13, ":"), (16, ":")];
    if !marks.iter().all(|(at, mark)| text.get(*at..at + 1) == Some(mark)) || !matches!(text.get(10..11)?, "T" | " ") {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 {
        return None;
    }
    let fraction =
        text.get(19..)?.strip_prefix('.').unwrap_or(&text[19..]).trim_start_matches(|c: char| c.is_ascii_digit());
    let behind = |sign: char| {
        let (hours, minutes) = fraction.strip_prefix(sign)?.split_once(':')?;
        let of = |text: &str, most: u64| text.parse::<u64>().ok().filter(|own| *own <= most);
        Some(of(hours, 23)? * 3600 + of(minutes, 59)? * 60)
    };
    let local = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let seconds = match fraction {
        "" | "Z" => local,
        _ => match (behind('+'), behind('-')) {
            (Some(by), _) => local.checked_sub(by)?,
            (None, by) => local + by?,
        },
    };
    Some((seconds, "a date, as people write it"))
}

/// The days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: u64, month: u64, day: u64) -> u64 {
    // Years begin in March, so that the leap day is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// A text without its white space, and what stood where.
pub(super) fn without_white(text: &str) -> (String, Option<String>) {
    let tidy: String = text.chars().filter(|own| !own.is_whitespace()).collect();
    let Some(first) = text.chars().find(|own| own.is_whitespace()) else { return (tidy, None) };
    let what = match first {
        '\n' | '\r' => "a line break",
        '\t' => "a tab",
        _ => "a space",
    };
    let place = if text.trim_end() == tidy {
        "at its end"
    } else if text.trim_start() == tidy {
        "at its beginning"
    } else {
        "within it"
    };
    (tidy, Some(format!("white space stands in it: {what} {place}")))
}

/// Bytes that are written as a list, as a buffer of Node's or as the object that JavaScript makes of a `Uint8Array`, as a
/// text, and what they are written as.
pub(super) fn bytes(value: &Value, count: usize) -> Option<(String, &'static str)> {
    let of_list = |items: &mut dyn Iterator<Item = &Value>| {
        let bytes: Option<Vec<u8>> = items.map(|item| item.as_u64()?.try_into().ok()).collect();
        bytes.filter(|bytes| bytes.len() == count).map(hex::encode_prefixed)
    };
    if let Value::Array(items) = value {
        return Some((of_list(&mut items.iter())?, "a list of bytes"));
    }
    if let Some(items) = value.get("data").and_then(Value::as_array) {
        return Some((of_list(&mut items.iter())?, "a buffer, as Node writes it"));
    }
    // Its members are the numbers from 0 on, whatever their sequence.
    let numbered: Option<Vec<&Value>> = (0..count).map(|place| value.get(place.to_string())).collect();
    Some((of_list(&mut numbered?.into_iter())?, "an object of numbered bytes, as JavaScript writes a Uint8Array"))
}

/// A signature that is written as an object or as a list, as `0x` and 65 bytes, and what it is written as.
pub(super) fn signature(value: &Value) -> Option<(String, &'static str)> {
    if let Some(found) = bytes(value, 65) {
        return Some(found);
    }
    let half = |key: &str| {
        let number = value.get(key)?;
        let bytes = match number.as_str()?.strip_prefix("0x") {
            Some(digits) => U256::from_str_radix(digits, 16).ok()?,
            None => number.as_str()?.parse().ok()?,
        };
        Some(bytes.to_be_bytes::<32>())
    };
    let last = |key: &str| {
        let number = value.get(key)?;
        let number = number.as_u64().or_else(|| {
            let text = number.as_str()?;
            text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |digits| u64::from_str_radix(digits, 16).ok())
        })?;
        u8::try_from(if number < 27 { number + 27 } else { number }).ok().filter(|v| [27, 28].contains(v))
    };
    let v = last("v").or_else(|| last("yParity")).or_else(|| last("recovery"))?;
    let bytes = [&half("r")?[..], &half("s")?[..], &[v]].concat();
    Some((hex::encode_prefixed(bytes), "an object of r, s and v"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_are_read_however_they_are_written() {
        for (text, number) in [
            ("1e4", 10_000),
            ("1.5E+4", 15_000),
            ("10_000", 10_000),
            ("10,000", 10_000),
            ("1'000'000", 1_000_000),
            ("10000n", 10_000),
            ("+10000", 10_000),
            ("10000.0", 10_000),
            ("10,000.00", 10_000),
        ] {
            assert_eq!(whole(text), Some(U256::from(number)), "{text}");
        }
        for text in [
            "", "1e", "e4", "1.55e1", "1e-4", "1e999", "0,01", "0,010", "1,00", "10.5", "10000.", "$1", "1,2,3", "-1",
            "n", "0x10",
        ] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_read_however_they_are_written() {
        for (text, time) in [
            ("1795000300.37", 1_795_000_300),
            ("1795000300.1234567", 1_795_000_300),
            ("2026-11-18T12:25:00Z", 1_795_004_700),
            ("2026-11-18T13:25:00.123+01:00", 1_795_004_700),
            ("2026-11-18 06:55:00-05:30", 1_795_004_700),
            ("2024-02-29T00:00:00", 1_709_164_800),
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-02", 86_400),
        ] {
            assert_eq!(seconds(text).map(|(time, _)| time), Some(time), "{text}");
        }
        for text in [
            "",
            "1795000300",
            "1.2.3",
            ".5",
            "5.",
            "2026-13-01T00:00:00Z",
            "2026-11-18T12:25:00+9999999999999999:00",
            "2026-11-18T12:25:00-01:9999999999999999999",
            "tomorrow",
            "$0.01",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn white_space_is_told_by_its_place() {
        for (text, seen) in [
            ("0x01", None),
            ("0x01\n", Some("a line break at its end")),
            (" 0x01", Some("a space at its beginning")),
            ("0x\t01", Some("a tab within it")),
            (" 0x01\n", Some("a space within it")),
        ] {
            let (tidy, said) = without_white(text);
            assert_eq!(tidy, "0x01");
            assert_eq!(said.is_some(), seen.is_some(), "{text:?}");
            assert!(said.unwrap_or_default().ends_with(seen.unwrap_or_default()), "{text:?}");
        }
    }

    #[test]
    fn bytes_are_read_however_they_are_listed() {
        for value in [json!([1, 2, 3]), json!({"type": "Buffer", "data": [1, 2, 3]}), json!({"0": 1, "1": 2, "2": 3})] {
            assert_eq!(bytes(&value, 3).map(|(text, _)| text).as_deref(), Some("0x010203"), "{value}");
            assert_eq!(bytes(&value, 4), None, "{value}");
        }
        assert_eq!(bytes(&json!([256]), 1), None);
    }

    #[test]
    fn signatures_in_parts_are_put_together() {
        let whole = format!("0x{}{}1c", "01".repeat(32), "02".repeat(32));
        let (r, s) = (format!("0x{}", "01".repeat(32)), format!("0x{}", "02".repeat(32)));
        let bytes: Vec<u8> = hex::decode(&whole).unwrap();
        for value in [
            json!({"r": r, "s": s, "v": 28}),
            json!({"r": r, "s": s, "yParity": 1}),
            json!({"r": r, "s": s, "v": "0x1c"}),
            json!(bytes),
            json!({"type": "Buffer", "data": bytes}),
        ] {
            assert_eq!(signature(&value).map(|(text, _)| text).as_deref(), Some(whole.as_str()), "{value}");
        }
        for value in
            [json!({}), json!([1]), json!({"r": r, "s": s}), json!({"r": "x", "s": s, "v": 27}), json!({"data": [256]})]
        {
            assert_eq!(signature(&value), None, "{value}");
        }
    }
}
