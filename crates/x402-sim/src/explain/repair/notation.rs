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

/// A signature that is written as an object or as a list, as `0x` and 65 bytes, and what it is written as.
pub(super) fn signature(value: &Value) -> Option<(String, &'static str)> {
    let of_bytes = |items: &[Value]| -> Option<String> {
        let bytes: Option<Vec<u8>> = items.iter().map(|item| item.as_u64()?.try_into().ok()).collect();
        bytes.filter(|bytes| bytes.len() == 65).map(hex::encode_prefixed)
    };
    if let Value::Array(items) = value {
        return Some((of_bytes(items)?, "a list of bytes"));
    }
    // What Node makes of a buffer.
    if let Some(items) = value.get("data").and_then(Value::as_array) {
        return Some((of_bytes(items)?, "a buffer, as Node writes it"));
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
