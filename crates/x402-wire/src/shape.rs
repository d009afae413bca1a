//! Reading untrusted JSON: a cursor that knows its path, so that every complaint names the place.

use std::fmt::Write as _;

use crate::json::Json;

/// A value and the way to it from the root. Costs nothing until something is wrong.
#[derive(Clone, Copy)]
pub struct Shape<'v, 'p> {
    value: &'v Json<'v>,
    key: &'p str,
    parent: Option<&'p Shape<'v, 'p>>,
}

/// Something in a JSON document is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}, found {found}")]
pub struct Malformed {
    /// The place, as in `paymentPayload.payload.authorization.value`.
    pub path: String,
    /// What should stand there.
    pub expected: String,
    /// What stands there, shortened.
    pub found: String,
}

impl<'v, 'p> Shape<'v, 'p> {
    /// The root of a document, under the name that paths shall begin with.
    pub const fn root(name: &'p str, value: &'v Json<'v>) -> Self {
        Self { value, key: name, parent: None }
    }

    /// The value itself.
    pub const fn value(&self) -> &'v Json<'v> {
        self.value
    }

    /// A member of this object. An explicit `null` counts as missing, as in the official schemas.
    pub fn field<'q>(&'q self, key: &'q str) -> Result<Shape<'v, 'q>, Malformed> {
        if !self.value.is_object() {
            return Err(self.malformed("an object"));
        }
        self.optional(key).ok_or_else(|| Malformed {
            path: format!("{}.{key}", self.path()),
            expected: "a value".to_owned(),
            found: "nothing".to_owned(),
        })
    }

    /// A member of this object, if there is one that is not `null`.
    pub fn optional<'q>(&'q self, key: &'q str) -> Option<Shape<'v, 'q>> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(self.child(key, value))
    }

    /// This value as a string.
    pub fn text(&self) -> Result<&'v str, Malformed> {
        self.value.as_str().ok_or_else(|| self.malformed("a string"))
    }

    /// The complaint that something else should stand here.
    pub fn malformed(&self, expected: &str) -> Malformed {
        Malformed { path: self.path(), expected: expected.to_owned(), found: describe(self.value) }
    }

    /// The way to this value, joined by dots.
    pub fn path(&self) -> String {
        match self.parent {
            Some(parent) => format!("{}.{}", parent.path(), self.key),
            None => self.key.to_owned(),
        }
    }

    fn child<'q>(&'q self, key: &'q str, value: &'v Json<'v>) -> Shape<'v, 'q> {
        Shape { value, key, parent: Some(self) }
    }
}

/// Texts up to this many characters are repeated whole: an address fits, a key that stands in the wrong place does not.
const QUOTED: usize = 48;

/// How much is repeated of a longer one.
const BEGINNING: usize = 12;

/// A value in a few words, for a complaint.
pub fn describe(value: &Json<'_>) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => format!("the number {number}"),
        Json::Text(text) => format!("\"{}\"", shorten(text)),
        Json::Array(_) => "an array".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}

/// A text as it is, or the beginning of a long one and its length; control characters escaped.
pub fn shorten(text: &str) -> String {
    if text.len() <= QUOTED && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    let length = text.chars().count();
    let shown = if length > QUOTED { BEGINNING } else { length };
    let mut short = String::new();
    for c in text.chars().take(shown) {
        // It stands between double quotes, or between none.
        if c == '\'' { short.push(c) } else { short.extend(c.escape_debug()) }
    }
    if shown < length {
        let _ = write!(short, "… ({length} characters)");
    }
    short
}

/// Whether a character is shown as it is. Most texts hold no others, and need not be taken apart.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_complaint_names_place_expectation_and_find() {
        let value = json!({"payload": {"authorization": {"value": 1000, "to": null}}});
        let value = Json::from(&value);
        let root = Shape::root("paymentPayload", &value);
        let payload = root.field("payload").unwrap();
        let authorization = payload.field("authorization").unwrap();
        let error = authorization.field("value").unwrap().text().unwrap_err();
        assert_eq!(
            error.to_string(),
            "paymentPayload.payload.authorization.value: expected a string, found the number 1000"
        );
        let missing = authorization.field("to").map(|_| ()).unwrap_err();
        assert_eq!(missing.to_string(), "paymentPayload.payload.authorization.to: expected a value, found nothing");
        let flat = root.field("payload").unwrap();
        let not_text = flat.text().unwrap_err();
        assert_eq!(not_text.found, "an object");
    }

    #[test]
    fn long_and_hostile_text_is_shortened_and_escaped() {
        assert_eq!(describe(&Json::Text("\u{1b}[31m".into())), "\"\\u{1b}[31m\"");
        assert!(describe(&Json::Text("x".repeat(1000).into())).chars().count() < 100);
    }

    #[test]
    fn a_plain_text_is_what_escaping_leaves_as_it_is() {
        for character in '\0'..='\u{ff}' {
            let text = character.to_string();
            let escaped = character.escape_debug().to_string();
            assert_eq!(shorten(&text), if character == '\'' { text.clone() } else { escaped });
            assert!(character.is_ascii() || !text.bytes().all(is_plain));
        }
        for length in [QUOTED, QUOTED + 1] {
            let text = "x".repeat(length);
            assert_eq!(shorten(&text) == text, length == QUOTED);
        }
    }
}
