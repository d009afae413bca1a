//! A reason within a message: of an error, of a log, of a revert.

use serde_json::Value;

use super::{amid, header, is_archive, literal};
use crate::explain::kind::Kind;
use crate::explain::{confided, manual, waited};

/// The longest message in which a reason is looked for, in bytes.
const LONGEST: usize = 4096;

/// The longest text behind an error's words that is quoted, in bytes.
const LONGEST_TOLD: usize = 200;

/// So many exceptions of a long trace are read.
const ERRORS: usize = 32;

/// The known reason that a text holds which is nothing else: a message of an error, a Python dictionary, a revert.
pub(super) fn reason_within(text: &str) -> Option<String> {
    if text.starts_with("0x") || header::looks_encoded_json(text) {
        return None;
    }
    if text.len() > LONGEST {
        // The last lines of a log say what it came to.
        let lines = Some(text).filter(|text| text.contains('\n') && !begins_as_json(text));
        let lines = lines?;
        let own = said(ending(lines), lines);
        // Words without a cause behind them: the exceptions before it may stand far above.
        let is_bare = own.as_deref().is_none_or(manual::is_bare);
        return if is_bare { said(&errors(lines), lines).or(own) } else { own };
    }
    let is_other = match serde_json::from_str::<Value>(text) {
        Ok(value) => Kind::of(&value) != Kind::Other || is_archive(&value),
        // JSON that was cut stays JSON; a dictionary of Python's has other quotes, and may hold a payment or an offer.
        Err(_) => begins_as_json(text) && (!text.starts_with("{'") || holds_more(text)) && !is_error(text),
    };
    if is_other { None } else { said(text, text) }
}

/// The reason that a message says. Where that is only that one must pay, what stands around the offer says more, and of
/// an answer that did not come the whole trace.
fn said(text: &str, whole: &str) -> Option<String> {
    let (page, spelled) = manual::spelled_within(text)?;
    let around = || {
        let lines: Vec<&str> = text.lines().filter_map(|line| line.split('{').next()).collect();
        manual::spelled_within(&lines.join("\n"))
    };
    let asks = amid::only_asks(&page.reason);
    let (page, spelled) = if asks { around().unwrap_or((page, spelled)) } else { (page, spelled) };
    // A key that is cut in two is not known for one.
    let told = if manual::is_general(page) { confided::without_keys(manual::told(text)) } else { String::new() };
    Some(match told.as_str() {
        "" => waited::named(page, spelled, whole),
        told => format!("{spelled}: {}", &told[..told.floor_char_boundary(LONGEST_TOLD)]),
    })
}

/// The last lines that name an exception, where a long trace stands between them: `httpx.ReadTimeout`, `TypeError: ...`.
fn errors(text: &str) -> String {
    let name =
        |line: &str| line.split(':').next().unwrap_or_default().rsplit('.').next().unwrap_or_default().to_owned();
    let is_error = |line: &&str| {
        let name = name(line);
        ["Error", "Exception", "Timeout", "Exhausted"].iter().any(|end| name.ends_with(end))
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let mut lines: Vec<&str> = text.lines().rev().filter(is_error).take(ERRORS).collect();
    lines.reverse();
    lines.join("\n")
}

/// The end of a long text, from the beginning of a line.
fn ending(text: &str) -> &str {
    let mut begin = text.len().saturating_sub(LONGEST);
    while !text.is_char_boundary(begin) {
        begin += 1;
    }
    let end = &text[begin..];
    end.split_once('\n').map_or(end, |(_, lines)| lines)
}

/// Whether a text begins as an object or a list does: `[x402] ...` is a line of a log.
pub(super) fn begins_as_json(text: &str) -> bool {
    let of_list = |c: char| c.is_ascii_digit() || "{[\"'-tfnTFN]".contains(c);
    text.starts_with('{') || text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(of_list))
}

/// Whether a text is an object of JavaScript as Node prints it that is nothing of x402, such as the members of an error.
fn is_error(text: &str) -> bool {
    literal::read(text).is_some_and(|literal| literal.value.is_object() && Kind::of(&literal.value) == Kind::Other)
}

/// Whether an object as a language prints it is more than the answer of a facilitator.
fn holds_more(text: &str) -> bool {
    let answers = [Kind::VerifyAnswer, Kind::Receipt, Kind::Other];
    literal::read(text).is_some_and(|literal| !answers.contains(&Kind::of(&literal.value)))
}
