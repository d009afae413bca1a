//! A text cut into words.

use super::{AssertError, Comparison};

/// A word and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it begins, in bytes.
    pub at: usize,
    /// How long it is, in bytes.
    pub length: usize,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name: `settlements`, `and`.
    Word(String),
    /// A number without a unit: `1`, `0.01`.
    Number(String),
    /// A number with a dollar sign.
    Dollars(String),
    /// A text in quotes.
    Quoted(String),
    /// `==` and its like.
    Compare(Comparison),
    /// `&&`
    And,
    /// `||`
    Or,
    /// `!`
    Not,
    /// `(`
    Open,
    /// `)`
    Close,
}

/// Cuts a text into words.
///
/// # Errors
///
/// A character that begins no word, or a quote that is not closed.
pub fn cut(source: &str) -> Result<Vec<Token>, AssertError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let (kind, length) = word(rest).map_err(|(what, hint)| AssertError {
            what: what.to_owned(),
            at,
            length: rest.chars().next().map_or(1, char::len_utf8),
            hint: Some(hint.to_owned()),
        })?;
        tokens.push(Token { kind, at, length });
        at += length;
    }
    Ok(tokens)
}

/// The word at the beginning of a text, and its length. `Err` holds what is wrong and what to do about it.
fn word(text: &str) -> Result<(Kind, usize), (&'static str, &'static str)> {
    for (sign, comparison) in Comparison::ALL {
        if text.starts_with(sign) {
            return Ok((Kind::Compare(comparison), sign.len()));
        }
    }
    for (sign, kind) in [("&&", Kind::And), ("||", Kind::Or), ("!", Kind::Not), ("(", Kind::Open), (")", Kind::Close)] {
        if text.starts_with(sign) {
            return Ok((kind, sign.len()));
        }
    }
    let first = text.chars().next().unwrap_or(' ');
    match first {
        '"' | '\'' => {
            let inside = &text[1..];
            let end = inside.find(first).ok_or(("a quote that is not closed", "close it with the same quote"))?;
            Ok((Kind::Quoted(inside[..end].to_owned()), end + 2))
        }
        '$' => {
            let number = numeral(&text[1..]);
            let nothing = ("`$` without a number", "write an amount, such as `$0.01`");
            if number.is_empty() { Err(nothing) } else { Ok((Kind::Dollars(number.to_owned()), number.len() + 1)) }
        }
        '0'..='9' => {
            let number = numeral(text);
            Ok((Kind::Number(number.to_owned()), number.len()))
        }
        letter if letter.is_ascii_alphabetic() => {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
            Ok((Kind::Word(text[..end].to_owned()), end))
        }
        '=' => Err(("a single `=`", "compare with `==`")),
        _ => Err(("a character that begins nothing", "write a comparison, such as `settlements == 1`")),
    }
}

fn numeral(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    &text[..end]
}
