//! Where the value behind a name of a secret begins and ends.

use super::quote::{Lines, Quote};
use super::{CUT, is_named_secret, phrase, plain};

/// What a name says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// It is a word, or stands in quotes.
    Word,
    /// It has parts, to the end of its line or of its quotes.
    Cookie,
    /// It is the words that an account is recovered with.
    Mnemonic,
    /// `seed phrase`: a sentence may be about one.
    Phrase,
}

/// With what a value is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    /// A colon, or an equals sign.
    Mark,
    /// The word of a sentence.
    Word,
}

impl Name {
    /// What a word names. `last` is the word before.
    pub(super) fn of(word: &str, last: &str) -> Option<Self> {
        let own = plain(word.rsplit('.').next().unwrap_or_default());
        if is_named_secret(&own) {
            let is = |part: &str| own.contains(part);
            let is_phrase = is("mnemonic") || is("seedphrase") || is("recoveryphrase");
            let is_cookie = plain(word).contains("cookie");
            return Some(if is_cookie {
                Self::Cookie
            } else if is_phrase {
                Self::Mnemonic
            } else {
                Self::Word
            });
        }
        let of = ["seed", "recovery", "mnemonic", "backup", "secret"];
        let is_two = ["phrase", "words"].contains(&own.as_str()) && of.contains(&plain(last).as_str());
        is_two.then_some(Self::Phrase)
    }
}

/// What stands between a name and its value, and how long that is. `quote` is the mark before the name.
pub(super) fn find(rest: &str, name: Name, quote: Option<Quote>) -> Option<(usize, usize)> {
    let begins = begins(rest);
    if matches!(name, Name::Mnemonic | Name::Phrase) {
        let bare = || {
            let is = rest.find(|c: char| !c.is_whitespace()).unwrap_or_default();
            let begin = if rest[is..].starts_with("is") { is + 2 } else { 0 };
            let own = phrase::find(&rest[begin..])?;
            Some((begin + own.start, own.len()))
        };
        let Some((between, given)) = begins else { return bare() };
        let value = &rest[between..];
        return match (given, name, phrase::find(value)) {
            (Given::Mark, _, own) => Some((between, words(value, own.map_or(0, |own| own.end)))),
            (Given::Word, _, Some(own)) => Some((between, own.end)),
            (Given::Word, Name::Mnemonic, None) => Some((between, word(value))),
            (Given::Word, _, None) => None,
        };
    }
    let (between, _) = begins?;
    let value = &rest[between..];
    let length = match quote {
        _ if name == Name::Word => word(value),
        // Where the name stands in quotes alone, the value has its own.
        Some(quote) if quote.begins(rest) => {
            let own = structure(value).or_else(|| quoted(value, Lines::One));
            own.unwrap_or_else(|| quote.closing(value, Lines::One).inner)
        }
        Some(quote) => quote.word(value),
        None => {
            let begin = structure(value).unwrap_or_default();
            begin + value[begin..].find('\n').unwrap_or(value.len() - begin)
        }
    };
    Some((between, length))
}

/// How long what stands between a name and its value is, if a value follows.
fn begins(rest: &str) -> Option<(usize, Given)> {
    if let Some(other) = rest.strip_prefix(", the requirements' is ") {
        return Some((rest.len() - other.len(), Given::Word));
    }
    let bare = rest.trim_start_matches(['"', '\'', '\\']).trim_start();
    let (value, given) = match bare.strip_prefix([':', '=']) {
        Some(value) => (value, Given::Mark),
        None => (bare.strip_prefix("is ")?, Given::Word),
    };
    let value = value.trim_start();
    // What was cut out stays cut out.
    let is_cut = value.is_empty() || value.starts_with(CUT);
    (!is_cut).then_some((rest.len() - value.len(), given))
}

/// How long a value is that is a word.
fn word(value: &str) -> usize {
    let own = structure(value).or_else(|| quoted(value, Lines::Many));
    own.unwrap_or_else(|| value.find([',', '}', ']', ')', ';', '&', '\n', ' ']).unwrap_or(value.len()))
}

/// How long a value is that has words: so far as they were found, and at least to the end of its line.
fn words(value: &str, found: usize) -> usize {
    let of_line = || value.find(['\n', '"', '\'', '`', '\\']).unwrap_or(value.len()).max(found);
    structure(value).or_else(|| quoted(value, Lines::Many)).unwrap_or_else(of_line)
}

/// How long a value in quotes is.
fn quoted(value: &str, lines: Lines) -> Option<usize> {
    let (quote, begin) = Quote::opening(value)?;
    Some(begin + quote.closing(&value[begin..], lines).outer)
}

/// How long a value in brackets is, as languages print lists and bytes: `['a=b', 'c=d']`, `Uint8Array(64) [ 1, 2 ]`,
/// `<Buffer 01 02>`. What is never closed goes to the end.
fn structure(value: &str) -> Option<usize> {
    if value.starts_with("<Buffer ") {
        return Some(value.find(['>', '\n']).map_or(value.len(), |end| end + 1));
    }
    let head = head(value);
    let inner = value[head..].strip_prefix(['[', '(', '{'])?.trim_start();
    let name = inner.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    let is_member = value[head..].starts_with('{') && name.len() < inner.len() && name.starts_with(':');
    let begins = |c: char| c.is_ascii_digit() || "[]{}()".contains(c);
    if !(inner.starts_with(begins) || is_member || Quote::opening(inner).is_some()) {
        return None;
    }
    let (mut at, mut depth) = (head, 0_usize);
    while let Some(c) = value[at..].chars().next() {
        match c {
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => depth -= 1,
            _ => {
                if let Some(length) = quoted(&value[at..], Lines::Many) {
                    at += length;
                    continue;
                }
            }
        }
        at += c.len_utf8();
        if depth == 0 {
            return Some(at);
        }
    }
    Some(value.len())
}

/// How long the name of a type before a bracket is: `new Uint8Array`, `Uint8Array(64) `.
fn head(value: &str) -> usize {
    let bare = value.strip_prefix("new ").unwrap_or(value);
    let bare = bare.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    let counted = bare.strip_prefix('(').and_then(|rest| {
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(')')?.trim_start_matches(' ');
        rest.starts_with('[').then_some(rest)
    });
    value.len() - counted.unwrap_or_else(|| bare.trim_start_matches(' ')).len()
}
