//! JSON as JavaScript keeps it: members in their order, and rendered as `JSON.stringify` renders them.
//!
//! Whoever repeats a part of what it was sent, as a payer repeats the requirements, repeats it byte for byte this way.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::shape::shorten;

/// A JSON value whose objects know the order of their members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as JavaScript writes it (of one with more than 17 digits, the last may differ by one).
    Number(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Document>),
    /// An object.
    Object(Vec<(String, Document)>),
}

impl Document {
    /// Reads JSON.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// An object of these members.
    pub fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Compact JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("documents have string keys and numbers that were read or made as JSON")
    }

    /// A member of this object, if there is one that is not `null`.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(own, _)| own == key).map(|(_, value)| value).filter(|value| **value != Self::Null)
    }

    /// The value at the end of a way from object to object.
    pub fn at_mut(&mut self, way: &[&str]) -> Option<&mut Self> {
        let Some((key, rest)) = way.split_first() else { return Some(self) };
        let Self::Object(members) = self else { return None };
        members.iter_mut().find(|(own, _)| own == key)?.1.at_mut(rest)
    }

    /// Removes a member of this object.
    pub fn remove(&mut self, key: &str) {
        if let Self::Object(members) = self {
            members.retain(|(own, _)| own != key);
        }
    }

    /// This value as a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// This value as a whole number that JavaScript holds exactly.
    pub fn whole(&self) -> Option<u64> {
        let Self::Number(digits) = self else { return None };
        digits.parse().ok().filter(|number| *number <= 9_007_199_254_740_991)
    }

    /// The keys of this object.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let members = if let Self::Object(members) = self { members.as_slice() } else { &[] };
        members.iter().map(|(key, _)| key.as_str())
    }

    /// This value in a few words, for a complaint.
    pub fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(flag) => flag.to_string(),
            Self::Number(number) => format!("the number {number}"),
            Self::Text(text) => format!("\"{}\"", shorten(text)),
            Self::List(_) => "an array".to_owned(),
            Self::Object(_) => "an object".to_owned(),
        }
    }
}

impl From<&str> for Document {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Document {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u8> for Document {
    fn from(number: u8) -> Self {
        Self::Number(number.to_string())
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => {
                RawValue::from_string(number.clone()).map_err(S::Error::custom)?.serialize(serializer)
            }
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(members) => serializer.collect_map(members.iter().map(|(key, value)| (key, value))),
        }
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Builds a document from what the parser finds.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Document;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Document, E> {
        Ok(Document::Bool(flag))
    }

    #[expect(clippy::cast_precision_loss, reason = "JavaScript loses it too")]
    fn visit_u64<E>(self, number: u64) -> Result<Document, E> {
        Ok(Document::Number(as_javascript(number as f64)))
    }

    #[expect(clippy::cast_precision_loss, reason = "JavaScript loses it too")]
    fn visit_i64<E>(self, number: i64) -> Result<Document, E> {
        Ok(Document::Number(as_javascript(number as f64)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Document, E> {
        Ok(Document::Number(as_javascript(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Document, E> {
        Ok(Document::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Document, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Document::List(list))
    }

    /// A key that stands there twice has the place of the first and the value of the last, and keys that are numbers
    /// come first, in their order.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Document, A::Error> {
        let (mut members, mut places) = (Vec::new(), BTreeMap::new());
        while let Some((key, value)) = entries.next_entry::<String, Document>()? {
            if let Some((_, own)) = places.get(&key).and_then(|place: &usize| members.get_mut(*place)) {
                *own = value;
            } else {
                places.insert(key.clone(), members.len());
                members.push((key, value));
            }
        }
        members.sort_by_key(|(key, _)| index(key).map_or((1, 0), |index| (0, index)));
        Ok(Document::Object(members))
    }
}

/// The number that a key is to JavaScript: `0`, `7`, but not `07`.
fn index(key: &str) -> Option<u32> {
    key.parse().ok().filter(|number: &u32| *number < u32::MAX && number.to_string() == key)
}

/// A number as JavaScript writes it: whole ones without a point, and an exponent only where it must be.
fn as_javascript(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    if size < 1.0 { text } else { text.replace('e', "e+") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_as_javascript_would() {
        // The right side is what `JSON.stringify(JSON.parse(left))` gives.
        for (read, written) in [
            (r#"{"b":1,"a":[true,null,"x"]}"#, r#"{"b":1,"a":[true,null,"x"]}"#),
            (r#" { "z" : { "y" : {} } , "a" : [ ] } "#, r#"{"z":{"y":{}},"a":[]}"#),
            (r#"{"b":0,"10":1,"9":2,"07":3,"a":4}"#, r#"{"9":2,"10":1,"b":0,"07":3,"a":4}"#),
            (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
            (r"[300.0, 1.50, -0, 1e3, 1e21, 1.5e-7, 0.000001]", "[300,1.5,0,1000,1e+21,1.5e-7,0.000001]"),
            ("[9007199254740993, 18446744073709551616]", "[9007199254740992,18446744073709552000]"),
            (r#"["\u00fc\/\u0007\n\u007f\ud83d\ude00"]"#, "[\"ü/\\u0007\\n\u{7f}😀\"]"),
            ("null", "null"),
        ] {
            assert_eq!(Document::parse(read.as_bytes()).unwrap().to_json(), written, "{read}");
        }
        for wrong in ["", "{", "{\"a\":1}x", "nul", "\"\\ud83d\"", &"[".repeat(1000)] {
            assert!(Document::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    /// Comparing each key with all before it would take minutes.
    #[test]
    fn an_object_of_many_members_is_read() {
        let members: Vec<String> = (0..300_000).map(|number| format!("\"k{number}\":1")).collect();
        let text = format!("{{{}}}", members.join(","));
        assert_eq!(Document::parse(text.as_bytes()).unwrap().to_json(), text);
    }

    #[test]
    fn members_are_found_changed_and_removed() {
        let mut document = Document::parse(br#"{"a":{"b":"c"},"n":null}"#).unwrap();
        assert_eq!(document.get("n"), None);
        assert_eq!(document.get("a").and_then(|a| a.get("b")?.text()), Some("c"));
        *document.at_mut(&["a", "b"]).unwrap() = Document::from(2);
        assert_eq!(document.get("a").and_then(|a| a.get("b")?.whole()), Some(2));
        assert_eq!(document.at_mut(&["a", "b", "c"]), None);
        document.remove("a");
        assert_eq!(document.to_json(), r#"{"n":null}"#);
        assert_eq!(document.keys().collect::<Vec<_>>(), ["n"]);
    }
}
