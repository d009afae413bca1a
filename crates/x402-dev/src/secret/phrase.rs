//! The words that an account is recovered with (BIP-39).

use std::ops::Range;

/// How many words there are, at least and at most.
const LEAST: usize = 12;
const MOST: usize = 24;

/// How long a word is, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=8;

/// So many characters stand between two of them at most: `",\n    "`, `\n 12. `.
const GAP: usize = 12;

/// Where the words stand that a text begins with: 12 to 24 of small letters, with marks and numbers between them. It is
/// looked at no farther than up to the last.
pub(super) fn find(text: &str) -> Option<Range<usize>> {
    let (mut begin, mut end, mut count) = (0, 0, 0);
    while count < MOST {
        let Some(gap) = gap(&text[end..]) else { break };
        let word = &text[end + gap..];
        let Some(length) = word_length(word) else { break };
        if count == 0 {
            begin = gap;
        }
        end += gap + length;
        count += 1;
    }
    (count >= LEAST).then_some(begin..end)
}

/// How long what stands before a word is.
fn gap(text: &str) -> Option<usize> {
    let is_gap = |c: char| c.is_whitespace() || c.is_ascii_digit() || ".,;:|>-'\"`\\()[]".contains(c);
    text.char_indices().take(GAP + 1).find(|(_, c)| !is_gap(*c)).map(|(at, _)| at)
}

/// How long a word is. Other alphabets have shorter ones.
fn word_length(text: &str) -> Option<usize> {
    let most = LENGTH.end() + 1;
    let letters = || text.chars().take(most).take_while(|c| c.is_alphabetic());
    let (count, length) = (letters().count(), letters().map(char::len_utf8).sum());
    let is_small = letters().all(|c| !c.is_uppercase());
    let is_one = LENGTH.contains(&count) || (0 < count && count < most && !text[..length].is_ascii());
    (is_small && is_one).then_some(length)
}
