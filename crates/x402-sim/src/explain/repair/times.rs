//! Times: what has expired, what is not valid yet, and whose clock is wrong.

use serde_json::Value;
use x402_wire::shape::shorten;

use super::{Candidate, notation, number, path, signed_part};
use crate::explain::finding::Finding;
use crate::explain::judge::Attempt;
use crate::registry::Version;

/// How many seconds an authorization must still live when it is verified.
const BUFFER: u64 = 6;

/// From here on a number of seconds is one of milliseconds: the year 5138.
const MILLISECONDS: u64 = 100_000_000_000;

/// About a century, in seconds.
const CENTURY: u64 = 100 * 366 * 86_400;

/// How far before its clock a client of version 1 lets an authorization begin, in seconds.
const HEAD_START: u64 = 600;

/// Up to here a difference of clocks is likelier than a wish, in seconds.
const LIKELY_SKEW: u64 = 900;

/// A clock that is wrong by a time zone is wrong by less, in seconds.
const LONGEST_SKEW: u64 = 86_400;

/// Up to here a number of seconds is a duration and no time, in seconds: a year, which as a time lies in 1970.
const LONGEST_DURATION: u64 = 366 * 86_400;

/// What time zones differ by, in seconds: whole hours, and half ones.
const HALF_HOUR: u64 = 1800;

/// No two places differ by more, in seconds: 26 hours.
const WIDEST_ZONES: u64 = 26 * 3600;

/// How long a payment may take to its verification, in seconds, for a difference of zones still to be seen.
const ON_ITS_WAY: u64 = 10;

/// What is said first of clocks that differ by `by` seconds, where that is a difference of time zones.
fn zone(by: u64) -> Option<String> {
    let beyond = by % HALF_HOUR;
    let whole = if beyond > HALF_HOUR - ON_ITS_WAY { by + HALF_HOUR - beyond } else { by - beyond };
    let is_near = beyond <= ON_ITS_WAY || beyond > HALF_HOUR - ON_ITS_WAY;
    (is_near && (2 * HALF_HOUR..=WIDEST_ZONES).contains(&whole)).then(|| {
        format!(
            "{} is what time zones differ by: take the seconds of UTC (`time.time()`, `Date.now() / 1000`), and never those of \
             a date without its zone (`datetime.utcnow().timestamp()`, local time read as UTC).",
            told(whole)
        )
    })
}

/// Seconds in words.
fn told(seconds: u64) -> String {
    crate::clock::span(seconds.saturating_mul(1000))
}

/// The pointers of both ends.
pub(super) fn ends(attempt: &Attempt) -> (String, String) {
    let part = signed_part(attempt);
    if part.ends_with("permit2Authorization") {
        (format!("{part}/witness/validAfter"), format!("{part}/deadline"))
    } else {
        (format!("{part}/validAfter"), format!("{part}/validBefore"))
    }
}

/// The lifetime that the requirements ask for, in seconds.
pub(super) fn lifetime(attempt: &Attempt) -> Option<u64> {
    attempt.requirements.get("maxTimeoutSeconds").and_then(Value::as_u64)
}

/// A number of seconds, also where it is written as a text.
pub(in crate::explain) fn lifetime_of(value: Option<&Value>) -> Option<u64> {
    value.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
}

pub(super) fn expired(attempt: &Attempt) -> Vec<Candidate> {
    let (after, before) = ends(attempt);
    let Some(until) = number(attempt.payload.pointer(&before)) else { return Vec::new() };
    let from = number(attempt.payload.pointer(&after)).unwrap_or(0);
    let place = path("paymentPayload", &before);
    let now = attempt.now;
    let mut all = Vec::new();
    let asked = lifetime(attempt);
    let made = asked.map(|lifetime| until.saturating_sub(lifetime));
    if let Some(real) = attempt.real.filter(|real| *real != now && until >= real.saturating_add(BUFFER)) {
        let by = told(now.abs_diff(real));
        let side = if now > real { "ahead of" } else { "behind" };
        let finding = Finding::new("clock_moved")
            .at(place.clone())
            .seen(format!("the instance's clock is {by} {side} this computer's"));
        all.push(Candidate::new(finding, attempt.clone().at(real), "judged by this computer's clock"));
    }
    if let Some(candidate) = window(attempt, from, until) {
        all.push(candidate);
        return all;
    }
    if (1..=LONGEST_DURATION).contains(&until) && from <= until && until < now {
        let name = last(&before);
        let seen = format!("{name} is {until}: as a time that is in 1970, and as a duration {}", told(until));
        let good = now.saturating_add(until.max(60));
        let next = attempt.pay(&before, good.to_string()).again();
        let finding = Finding::new("duration_not_time").at(place).seen(seen);
        all.push(Candidate::new(finding, next, format!("with {name} {good}")));
        return all;
    }
    let lived = asked.unwrap_or_else(|| until.saturating_sub(from));
    // What lives long enough to be verified at once has expired by being late.
    if lived < BUFFER || (lived < 2 * BUFFER && now < until.saturating_add(BUFFER)) {
        let finding = Finding::new("lifetime_too_short").at("paymentRequirements.maxTimeoutSeconds").seen(format!(
            "it lives for {lived} s from its signing on, and {BUFFER} s must be left when it is verified"
        ));
        let next = attempt.ask("/maxTimeoutSeconds", 60).pay(&before, (now.saturating_add(60)).to_string()).again();
        all.push(Candidate::new(finding, next, "with a lifetime of 60 s"));
    }
    let ago = if until <= now {
        format!("it ended {} ago ({until}, the clock shows {now})", told(now - until))
    } else {
        format!("it ends in {} s, and {BUFFER} s must be left ({until}, the clock shows {now})", until - now)
    };
    let mut finding = Finding::new("expired").at(place).seen(ago);
    let window = until.saturating_sub(from);
    // It was not signed before it begins, and whoever wants it for its whole length ends it later.
    if asked.is_some_and(|asked| window < asked) && from > 1_000_000_000 {
        let seen = format!("from its beginning on it lives for {}, and maxTimeoutSeconds is {lived}", told(window));
        finding = finding.seen(seen).fixed_by("Let it end maxTimeoutSeconds after now.");
    } else if let Some(made) = made.filter(|made| *made < now && *made > 1_000_000_000) {
        let late = told(now - made);
        finding = finding.seen(format!(
            "with maxTimeoutSeconds {lived} it was signed {late} before it was verified, if both clocks agree"
        ));
        let behind = || format!("the payer's clock is {late} behind the verifier's: set it by NTP.");
        if until.saturating_add(BUFFER) > now {
            // It ends about now, as what is signed for some seconds does.
            finding = finding.fixed_by(format!(
                "Let it end maxTimeoutSeconds after now: {BUFFER} s must be left when it is verified, and some seconds are too \
                 short a time. If it was signed for {lived} s and sent at once, {}",
                behind()
            ));
        } else if let Some(zone) = zone(now - made) {
            finding = finding.fixed_by(zone);
        } else if now - made <= LONGEST_SKEW {
            finding = finding.fixed_by(format!("If it was sent at once, {}", behind()));
        }
    }
    // The moment at which it was still good, so that what else is wrong shows.
    let then = until.saturating_sub(BUFFER + 1).max(from);
    all.push(Candidate::new(finding, attempt.clone().at(then), format!("judged at {then}, when it was still valid")));
    all
}

/// A window that nothing can be paid in, whenever it is presented: its ends are swapped, or it has no end, or no time
/// between them. What the requirements ask for is not to blame for it.
fn window(attempt: &Attempt, from: u64, until: u64) -> Option<Candidate> {
    let (after, before) = ends(attempt);
    let (after_name, before_name) = (last(&after), last(&before));
    let place = path("paymentPayload", &before);
    let signed = |from: u64, until: u64| attempt.pay(&after, from.to_string()).pay(&before, until.to_string()).again();
    let now = attempt.now;
    // Official clients let it begin at 0, which swapped is its end.
    if until < from && until <= now && (until > 0 || from > now) {
        let seen = format!(
            "{after_name} is {from}, and {before_name} is {until}: it ends {} before it begins",
            told(from - until)
        );
        let finding = Finding::new("times_swapped").at(place).seen(seen);
        return Some(Candidate::new(finding, signed(until, from), "with both times swapped"));
    }
    let length = until.saturating_sub(from);
    // A server that asks for less than can be verified is told so elsewhere.
    if length >= BUFFER || (length > 0 && lifetime(attempt).is_some_and(|asked| asked < BUFFER)) {
        return None;
    }
    let what = match (until, length) {
        (0, _) => format!("{before_name} is 0: it ended in 1970, and no clock makes it valid"),
        (_, 0) => format!("{after_name} is {from} and {before_name} is {until}: no moment lies between them"),
        _ => format!(
            "{length} s lie between {after_name} {from} and {before_name} {until}, and {BUFFER} s must be left when it is verified"
        ),
    };
    let finding = Finding::new("window_empty").at(place).seen(what);
    let good = now.saturating_add(lifetime(attempt).unwrap_or(300).max(60));
    Some(Candidate::new(finding, signed(from.min(now.saturating_sub(1)), good), format!("with {before_name} {good}")))
}

/// What is wrong with an offer's lifetime that is no whole number of seconds.
pub(in crate::explain) fn unreadable_lifetime(said: Option<&Value>) -> Option<Finding> {
    let told = |what: &str| Finding::new("timeout_not_whole").seen(format!("maxTimeoutSeconds is {what}"));
    Some(match said {
        None | Some(Value::Null) => Finding::new("missing_field").seen("there is no `maxTimeoutSeconds`"),
        Some(Value::Number(number)) if number.is_u64() => return None,
        Some(Value::Number(number)) => {
            let whole = number.as_f64().filter(|own| *own >= 1.0).map_or(60.0, f64::ceil);
            told(&number.to_string()).fixed_by(format!("Write a whole number of seconds, without a fraction: {whole}."))
        }
        Some(Value::String(text)) if text.trim().parse::<u64>().is_ok() => {
            let seen = format!("maxTimeoutSeconds is the text \"{text}\"");
            Finding::new("number_is_text").seen(seen).fixed_by(format!("Write it without quotes: {}.", text.trim()))
        }
        Some(Value::String(text)) => told(&match notation::seconds(text.trim()) {
            Some((_, what)) => format!("\"{}\", {what}", shorten(text)),
            None => format!("the text \"{}\"", shorten(text)),
        }),
        Some(other) => told(&shorten(&other.to_string())),
    })
}

/// The name of what a pointer points to.
fn last(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or_default()
}

pub(super) fn early(attempt: &Attempt) -> Vec<Candidate> {
    let (after, before) = ends(attempt);
    let Some(from) = number(attempt.payload.pointer(&after)) else { return Vec::new() };
    let until = number(attempt.payload.pointer(&before)).unwrap_or(from);
    let (place, now) = (path("paymentPayload", &after), attempt.now);
    let mut all = Vec::new();
    // Milliseconds on one side only are a mistake of their own, and not of the window.
    if from < MILLISECONDS
        && let Some(candidate) = window(attempt, from, until)
    {
        return vec![candidate];
    }
    if from >= MILLISECONDS {
        let finding =
            Finding::new("times_in_milliseconds").at(place.clone()).seen(format!("{from} is a time in milliseconds"));
        let mut next = attempt.pay(&after, (from / 1000).min(now.saturating_sub(1)).to_string()).again();
        if until >= MILLISECONDS {
            next = next.pay(&before, (until / 1000).max(now.saturating_add(60)).to_string());
        }
        all.push(Candidate::new(finding, next, "in seconds"));
        return all;
    }
    let wait = from - now.min(from);
    let wait_text = format!("it begins in {} ({from}, the clock shows {now})", told(wait));
    if let Some(real) = attempt.real.filter(|real| *real != now && from <= *real) {
        let by = told(now.abs_diff(real));
        let side = if now > real { "ahead of" } else { "behind" };
        let finding = Finding::new("clock_moved")
            .at(place.clone())
            .seen(format!("the instance's clock is {by} {side} this computer's"));
        all.push(Candidate::new(finding, attempt.clone().at(real), "judged by this computer's clock"));
    }
    let by = skewed(attempt, from, until, wait);
    // What was made at one moment begins then, or some minutes before.
    let made = lifetime(attempt).map(|lifetime| until.saturating_sub(lifetime).saturating_sub(now));
    let of_zones = by.or(made).and_then(zone).or_else(|| zone(wait));
    let finding = match by.map(told) {
        // Verification takes the second in which it begins, and the token's contract only what comes after it.
        _ if wait == 0 => Finding::new("not_yet_valid").at(place).seen(format!(
            "it begins in the very second in which it was verified ({from}): the token takes it from the next one on"
        )),
        Some(by) => Finding::new("clock_skew")
            .at(place)
            .seen(wait_text)
            .seen(format!("the payer's clock is {by} ahead of the verifier's, if it was verified at once"))
            .fixed_by(format!("Set the payer's clock back by {by}.")),
        None => Finding::new("not_yet_valid").at(place).seen(wait_text),
    };
    let finding = of_zones.into_iter().fold(finding, Finding::fixed_by);
    all.push(Candidate::new(
        finding,
        attempt.clone().at(from.saturating_add(1)),
        format!("judged at {}, when it has begun", from.saturating_add(1)),
    ));
    all
}

/// By how many seconds the payer's clock must be ahead, where the times look as a client with such a clock makes them.
fn skewed(attempt: &Attempt, from: u64, until: u64, wait: u64) -> Option<u64> {
    let made = until.saturating_sub(lifetime(attempt)?);
    match attempt.version()? {
        Version::V1 if made.abs_diff(from.saturating_add(HEAD_START)) <= 5 => Some(wait.saturating_add(HEAD_START)),
        _ if made.abs_diff(from) <= 5 && wait <= LIKELY_SKEW => Some(wait),
        _ => None,
    }
}

/// What is valid here and unwise: a time in milliseconds, a window without an end.
pub(in crate::explain) fn remarks(attempt: &Attempt) -> Option<Finding> {
    let (_, before) = ends(attempt);
    let until = number(attempt.payload.pointer(&before))?;
    let place = path("paymentPayload", &before);
    let asked = lifetime(attempt).unwrap_or(300);
    if until >= MILLISECONDS && (until / 1000).abs_diff(attempt.now) < 366 * 86_400 {
        let seen = format!("{until} is a time in milliseconds: as seconds it lies thousands of years ahead");
        return Some(Finding::new("times_in_milliseconds").at(place).seen(seen));
    }
    // A day is what the most patient servers ask for.
    let most = asked.max(3600).saturating_mul(24);
    if until > attempt.now.saturating_add(most) {
        let seen = format!(
            "it is valid for {}, and maxTimeoutSeconds asks for {asked} s",
            if until - attempt.now > CENTURY { "centuries".to_owned() } else { told(until - attempt.now) }
        );
        return Some(Finding::new("lifetime_too_long").at(place).seen(seen));
    }
    None
}
