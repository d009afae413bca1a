//! A reason within a message: of an error, of a log, of a revert.

use serde_json::Value;

use super::{amid, header, is_archive, literal};
use crate::explain::kind::Kind;
use crate::explain::manual;

/// The longest message in which a reason is looked for, in bytes.
const LONGEST: usize = 4096;

/// The known reason that a text holds which is nothing else: a message of an error, a Python dictionary, a revert.
pub(super) fn reason_within(text: &str) -> Option<String> {
    if text.starts_with("0x") || header::looks_encoded_json(text) {
        return None;
    }
    if text.len() > LONGEST {
        // The last lines of a log say what it came to.
        let lines = Some(text).filter(|text| text.contains('\n') && !begins_as_json(text));
        return said(ending(lines?));
    }
    let is_other = match serde_json::from_str::<Value>(text) {
        Ok(value) => Kind::of(&value) != Kind::Other || is_archive(&value),
        // JSON that was cut stays JSON; a dictionary of Python's has other quotes, and may hold a payment or an offer.
        Err(_) => begins_as_json(text) && (!text.starts_with("{'") || holds_more(text)),
    };
    if is_other { None } else { said(text) }
}

/// The reason that a message says. Where that is only that one must pay, what stands around the offer says more.
fn said(text: &str) -> Option<String> {
    let page = manual::within(text)?;
    let around = || {
        let lines: Vec<&str> = text.lines().filter_map(|line| line.split('{').next()).collect();
        manual::within(&lines.join("\n"))
    };
    let page = if amid::only_asks(&page.reason) { around().unwrap_or(page) } else { page };
    Some(page.reason.clone())
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

/// Whether an object as a language prints it is more than the answer of a facilitator.
fn holds_more(text: &str) -> bool {
    let answers = [Kind::VerifyAnswer, Kind::Receipt, Kind::Other];
    literal::read(text).is_some_and(|literal| !answers.contains(&Kind::of(&literal.value)))
}
