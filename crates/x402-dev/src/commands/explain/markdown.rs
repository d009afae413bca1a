//! An explanation as Markdown, to paste into an issue.

use std::fmt::Write as _;

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;

use super::Sdk;
use super::text::{grade, shown, verdict_lines};
use crate::terminal::safe;

/// The explanation in Markdown.
pub fn render(explanation: &Explanation, sdk: Option<Sdk>) -> String {
    let mut out = format!("## {}\n", plain(&explanation.title));
    if let Some(newer) = &explanation.newer {
        let _ = writeln!(out, "\n> NEWER: {}", plain(newer));
    }
    if let Some(verdict) = verdict_lines(explanation) {
        // Two spaces at the end of a line break it.
        let _ = writeln!(out, "\n> {}", plain(&verdict).replace('\n', "  \n> "));
    }
    if !explanation.findings.is_empty() {
        out.push_str("\n### Findings\n");
        for (place, own) in explanation.findings.iter().enumerate() {
            out.push_str(&finding(place + 1, own, sdk));
        }
    }
    if !explanation.comparison.is_empty() {
        out.push_str("\n### Payment and requirements\n\n| field | payment | requirements | |\n|---|---|---|---|\n");
        for row in &explanation.comparison {
            let mark = if row.equal { "" } else { "**differs**" };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {mark} |",
                cell(&row.field),
                cell(&row.payment),
                cell(&row.requirements)
            );
        }
    }
    for section in &explanation.sections {
        let _ = writeln!(out, "\n### {}\n\n| field | value | meaning |\n|---|---|---|", plain(&section.title));
        for field in &section.fields {
            let _ = writeln!(out, "| {} | {} | {} |", cell(&field.label), cell(&field.value), cell(&field.meaning));
        }
    }
    for note in &explanation.notes {
        let _ = writeln!(out, "\n*Note:* {}", plain(note));
    }
    out
}

fn finding(place: usize, own: &Finding, sdk: Option<Sdk>) -> String {
    let mut out = format!("\n{place}. **{}** ({}, `{}`)\n", plain(own.title), grade(own).to_lowercase(), own.id);
    if let Some(path) = &own.path {
        let _ = writeln!(out, "   - at {}", code(path));
    }
    for evidence in &own.evidence {
        let _ = writeln!(out, "   - seen: {}", plain(evidence));
    }
    if let Some(proof) = &own.proof {
        let _ = writeln!(out, "   - proof: {}", plain(proof));
    }
    let _ = writeln!(out, "   - cause: {}\n   - fix: {}", plain(own.cause), plain(&own.fix));
    for line in shown(own, sdk) {
        let _ = writeln!(out, "   - {}: {}", line.sdk, code(&line.line));
    }
    if let Some(why) = own.no_code {
        let _ = writeln!(out, "   - code: {}", plain(why));
    }
    out
}

/// A text that is no markup, whoever wrote it: words with anything in them that could be some are code, and so is what
/// stands between two backticks. What is code is no link, no mention, no HTML, and is shown as it is.
fn plain(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn line(text: &str) -> String {
    let text = safe(text);
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len() - 1;
    let mut out = String::new();
    for (place, part) in parts.into_iter().enumerate() {
        let next = match place % 2 {
            1 if place == last => format!("\\`{}", words(part, Place::Within)),
            1 => code(part),
            _ => words(part, if place == 0 { Place::Begin } else { Place::Within }),
        };
        // Two pieces of code side by side would be one.
        if out.ends_with('`') && next.starts_with('`') {
            out.push(' ');
        }
        out.push_str(&next);
    }
    out
}

/// Where in a line words stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Begin,
    Within,
}

fn words(text: &str, place: Place) -> String {
    let shown = |(at, word): (usize, &str)| {
        let place = if at == 0 { place } else { Place::Within };
        if is_plain(word, place) { word.to_owned() } else { code(word) }
    };
    text.split(' ').enumerate().map(shown).collect::<Vec<_>>().join(" ")
}

/// Whether a word is nothing but a word, a number, a sign of punctuation.
fn is_plain(word: &str, place: Place) -> bool {
    let harmless = |c: char| c.is_alphanumeric() || ".,;:!?'\"()%+=/-$€…".contains(c);
    // A lone sign may begin a list there, or a number with a sign behind it.
    let is_word =
        |word: &str| word.is_empty() || word.ends_with(char::is_alphanumeric) || word.contains(char::is_alphabetic);
    let address = word.contains("://") || word.to_ascii_lowercase().contains("www.");
    !address && word.chars().all(harmless) && (place == Place::Within || is_word(word))
}

/// A text as code, with a fence that does not stand in it.
fn code(text: &str) -> String {
    let text = safe(text);
    if text.trim().is_empty() {
        return text;
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

/// A text in a cell: as code where it is no sentence. A bar would end the cell even within code.
fn cell(text: &str) -> String {
    let shown = if text.contains(' ') { plain(text) } else { code(text) };
    shown.replace('\n', " ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_others_write_is_markup() {
        for (text, expected) in [
            ("the signature fits domain name \"USDC\"", "the signature fits domain name \"USDC\""),
            ("there is no `payTo`, but a `pay_to`", "there is no `payTo`, but a `pay_to`"),
            ("it is invalid_payload", "it is `invalid_payload`"),
            ("ask @team or #12 now", "ask `@team` or `#12` now"),
            ("see [this](https://evil.example) <b>", "see `[this](https://evil.example)` `<b>`"),
            ("a ` b @team", "a \\` b `@team`"),
            ("a `b` c` @team", "a `b` c\\` `@team`"),
            ("see www.evil.example", "see `www.evil.example`"),
            ("- one\n1. two\n# three", "`-` one\n`1.` two\n`#` three"),
            ("Take `extra.name`, and 5 - 4", "Take `extra.name`, and 5 - 4"),
            ("the `a`_b_", "the `a` `_b_`"),
            ("&lt; ~~x~~ *y* _z_ !", "`&lt;` `~~x~~` `*y*` `_z_` !"),
            ("\u{202e}evil", "`\\u{202e}evil`"),
        ] {
            assert_eq!(plain(text), expected);
        }
        for (text, expected) in [
            ("", ""),
            ("0.01 USDC", "0.01 USDC"),
            ("0x036C", "`0x036C`"),
            ("a|b", "`a\\|b`"),
            ("``", "``` `` ```"),
            ("|`<script>", "``\\|`<script>``"),
            ("@team says | yes", "`@team` says `\\|` yes"),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
