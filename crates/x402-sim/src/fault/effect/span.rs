//! Durations and waits, as they are written.

use crate::world::Wait;

/// The longest delay, in milliseconds: a day.
pub const LONGEST: u64 = 86_400_000;

/// A duration in milliseconds: a whole number with `ms`, `s`, `m` or `h`, of a day at most.
pub fn duration(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|milliseconds| *milliseconds <= LONGEST)
}

/// A duration as it is written.
pub fn written(milliseconds: u64) -> String {
    if milliseconds == 0 || !milliseconds.is_multiple_of(1_000) {
        return format!("{milliseconds}ms");
    }
    if milliseconds.is_multiple_of(60_000) {
        format!("{}m", milliseconds / 60_000)
    } else {
        format!("{}s", milliseconds / 1_000)
    }
}

/// What is waited for: a duration, `3blocks`, or `1ask`.
pub(super) fn wait_of(text: &str) -> Option<Wait> {
    let counted = |units: [&str; 2]| {
        let digits = units.iter().find_map(|unit| text.strip_suffix(unit))?;
        digits.trim().parse::<u32>().ok().filter(|count| (1..=1_000_000).contains(count))
    };
    if let Some(count) = counted(["blocks", "block"]) {
        return Some(Wait::Blocks(count));
    }
    if let Some(count) = counted(["asks", "ask"]) {
        return Some(Wait::Asks(count));
    }
    duration(text).map(Wait::Milliseconds)
}

pub(super) fn wait_written(wait: Wait) -> String {
    match wait {
        Wait::Milliseconds(time) => written(time),
        Wait::Blocks(1) => "1block".to_owned(),
        Wait::Blocks(count) => format!("{count}blocks"),
        Wait::Asks(1) => "1ask".to_owned(),
        Wait::Asks(count) => format!("{count}asks"),
    }
}
