//! JSON that borrows from the text that it was read from: only a string that was written with escapes is copied.
//!
//! Every request to a facilitator is read into one, judged and forgotten; a `serde_json::Value` allocates memory for
//! each name and each string. The depth is limited by `serde_json`, to 128.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Number, Value};

pub(crate) use self::plain::Plain;

mod plain;
mod recurring;

/// A JSON value. Rendered, it is compact and has its names in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number: a whole one of 64 bits, or the nearest floating-point one.
    Number(Number),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    Array(Vec<Self>),
    /// An object.
    Object(Members<'a>),
}

/// The members of an object, as they were written. Of those with one name the last counts, as in JavaScript.
#[derive(Clone, Debug)]
pub struct Members<'a>(Store<'a>);

/// Names and values.
type Pairs<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

/// Where members are.
#[derive(Clone, Debug)]
enum Store<'a> {
    /// They were read for this object.
    Own(Pairs<'a>),
    /// They were read before, from the same text.
    Shared(Arc<Pairs<'a>>),
}

/// Room for as many members as objects of the protocol have, so that reading one allocates once.
const ROOM: usize = 8;

/// Writes a text as a JSON string. Nearly every text of the protocol has nothing to escape.
pub fn quote_onto(text: &str, out: &mut String) {
    // Every byte is looked at, so that many are looked at together.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'!' | b'#'..=b'[' | b']'..=b'~');
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::to_string(text).expect("a string is JSON"));
    }
}

impl Json<'_> {
    /// A member of this object; `None` where there is none, or where this is no object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(name),
            _ => None,
        }
    }

    /// The text of this string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether this is an object.
    pub const fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// What JavaScript takes for true.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(flag) => *flag,
            Self::Number(number) => number.as_f64() != Some(0.0),
            Self::Text(text) => !text.is_empty(),
            Self::Array(_) | Self::Object(_) => true,
        }
    }
}

impl<'a> Members<'a> {
    fn pairs(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        match &self.0 {
            Store::Own(pairs) => pairs,
            Store::Shared(pairs) => pairs,
        }
    }

    /// The member with this name.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.pairs().iter().rev().find(|(written, _)| written == name).map(|(_, value)| value)
    }

    /// The members that count, in the order of their names.
    pub fn distinct(&self) -> BTreeMap<&str, &Json<'a>> {
        let mut distinct = BTreeMap::new();
        for (name, value) in self.pairs() {
            distinct.insert(&**name, value);
        }
        distinct
    }
}

impl PartialEq for Members<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.distinct() == other.distinct()
    }
}

impl fmt::Display for Json<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => serializer.collect_map(members.distinct()),
        }
    }
}

impl<'a> From<&'a Value> for Json<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::Text(text.into()),
            Value::Array(items) => Self::Array(items.iter().map(Self::from).collect()),
            Value::Object(members) => {
                let members = members.iter().map(|(name, value)| (name.into(), value.into()));
                Self::Object(Members(Store::Own(members.collect())))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader { aside: &[], texts: &mut [] })
    }
}

/// A name in an object.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Name<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Reads any value. Some members of an object are set aside: they do not become part of it, and their text is kept.
pub(crate) struct Reader<'r, 'de> {
    /// The names of the members that are set aside. Objects further inside keep theirs.
    pub(crate) aside: &'static [&'static str],
    /// A place for the text of each.
    pub(crate) texts: &'r mut [Option<&'de str>],
}

impl<'de> Visitor<'de> for Reader<'_, 'de> {
    type Value = Json<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let mut read = Vec::new();
        while let Some(Name(name)) = members.next_key()? {
            if let Some(place) = self.aside.iter().position(|aside| *aside == name) {
                self.texts[place] = Some(members.next_value::<&RawValue>()?.get());
                continue;
            }
            if read.is_empty() {
                read = Vec::with_capacity(ROOM);
            }
            read.push((name, members.next_value()?));
        }
        Ok(Json::Object(Members(Store::Own(read))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element()? {
            read.push(item);
        }
        Ok(Json::Array(read))
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json<'de>, E> {
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Json<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_string_is_borrowed_unless_it_has_escapes() {
        let text = r#"{"plain": "ü", "with\u0020escapes": "\n"}"#;
        let Json::Object(members) = read(text) else { panic!("{text} is an object") };
        let members = members.pairs();
        assert!(matches!(members, [(Cow::Borrowed("plain"), Json::Text(Cow::Borrowed("ü"))), _]));
        assert!(matches!(&members[1], (Cow::Owned(name), Json::Text(Cow::Owned(value)))
            if name == "with escapes" && value == "\n"));
    }

    #[test]
    fn of_a_repeated_name_the_last_member_counts_everywhere() {
        let twice = read(r#"{"b": 1, "a": [], "b": {"c": 1, "c": 2}}"#);
        assert_eq!(twice.get("b").and_then(|b| b.get("c")), Some(&read("2")));
        assert_eq!(twice.to_string(), r#"{"a":[],"b":{"c":2}}"#);
        assert_eq!(twice, read(r#"{"b": {"c": 2}, "a": []}"#));
        assert_ne!(twice, read(r#"{"b": 1, "a": []}"#));
    }

    #[test]
    fn deep_nesting_is_refused_where_serde_json_refuses_it() {
        for depth in [127, 128, 10_000] {
            for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
                let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                let (ours, theirs) = (serde_json::from_str::<Json>(&text), serde_json::from_str::<Value>(&text));
                assert_eq!(ours.is_ok(), depth < 128);
                assert_eq!(
                    ours.map_err(|error| error.to_string()).err(),
                    theirs.map_err(|error| error.to_string()).err()
                );
            }
        }
    }

    proptest! {
        #[test]
        fn a_quoted_text_is_what_serde_json_writes(text in "[ -~]{0,99}|[\u{0}-\u{ff}]{0,20}|.{0,40}") {
            let mut quoted = "a".to_owned();
            quote_onto(&text, &mut quoted);
            prop_assert_eq!(quoted, format!("a{}", json!(text)));
        }
    }

    #[test]
    fn a_name_that_means_something_to_serde_json_is_a_name() {
        let text = r#"{"$serde_json::private::RawValue":"1"}"#;
        assert_eq!(read(text).to_string(), text);
    }

    #[test]
    fn truth_is_javascripts() {
        for text in ["null", "false", "0", "-0", "0.0", r#""""#] {
            assert!(!read(text).is_truthy(), "{text}");
        }
        for text in ["true", "1", "-0.5", r#"" ""#, "[]", "{}"] {
            assert!(read(text).is_truthy(), "{text}");
        }
    }

    /// JSON texts as nobody should write them: repeated names, escapes, odd numbers, spaces.
    pub(crate) fn texts() -> impl Strategy<Value = String> {
        let number = "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?";
        let string = prop_oneof!["[a-c]{0,2}", any::<String>()].prop_map(|text| json!(text).to_string());
        let escaped = "[a-c]{0,2}\\\\(n|/|u00e9|ud83d\\\\ude00)".prop_map(|text| format!("\"{text}\""));
        texts_of(number, prop_oneof![3 => string, 1 => escaped])
    }

    /// JSON texts as programs write them, with repeated names and spaces all the same.
    pub(crate) fn plain_texts() -> impl Strategy<Value = String> {
        texts_of("0|[1-9][0-9]{0,17}", "\"([a-c]{0,2}|[ -!#-\\[\\]-~é€]{0,20})\"")
    }

    fn texts_of(
        number: impl Strategy<Value = String> + 'static,
        string: impl Strategy<Value = String> + Clone + 'static,
    ) -> impl Strategy<Value = String> {
        let name = string.clone();
        prop_oneof!["null|true|false", number, string].prop_recursive(4, 64, 8, move |inner| {
            let member = (name.clone(), inner.clone()).prop_map(|(name, value)| format!("{name} : {value}"));
            prop_oneof![
                prop::collection::vec(inner, 0..8).prop_map(|items| format!("[{}]", items.join(", "))),
                prop::collection::vec(member, 0..12).prop_map(|members| format!("{{{}}}", members.join(","))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_programs_write_is_read_in_place(text in plain_texts()) {
            let plain = Plain::read(&text, Plain::value);
            prop_assert_eq!(format!("{plain:?}"), format!("{:?}", Some(read(&text))));
            prop_assert_eq!(Plain::read(&text, Plain::skip), Some(text.trim()));
        }
    }

    proptest! {
        #[test]
        fn a_text_means_what_it_means_to_serde_json(text in prop_oneof![texts(), plain_texts()], cut in any::<prop::sample::Index>()) {
            let (ours, theirs) = (read(&text), serde_json::from_str::<Value>(&text).unwrap());
            prop_assert_eq!(ours.to_string(), theirs.to_string());
            prop_assert_eq!(&ours, &Json::from(&theirs));
            prop_assert_eq!(Json::from(&theirs).to_string(), theirs.to_string());
            if let Some(plain) = Plain::read(&text, Plain::value) {
                prop_assert_eq!(format!("{plain:?}"), format!("{ours:?}"));
            }
            if let Some(recurring) = Plain::read(&text, Plain::recurring) {
                prop_assert_eq!(recurring.to_string(), ours.to_string());
                prop_assert_eq!(&recurring, &ours);
            }
            let raw = serde_json::from_str::<&RawValue>(&text).unwrap().get();
            prop_assert_eq!(Plain::read(&text, Plain::skip).unwrap_or(raw), raw);
            let cut: String = text.chars().take(cut.index(text.len())).collect();
            let error = |error: serde_json::Error| error.to_string();
            let ours = serde_json::from_str::<Json>(&cut).map_err(error).map(|ours| ours.to_string());
            for plain in [Plain::read(&cut, Plain::value), Plain::read(&cut, Plain::recurring)].into_iter().flatten() {
                prop_assert_eq!(Ok(plain.to_string()), ours.clone());
            }
            prop_assert!(Plain::read(&cut, Plain::skip).is_none() || ours.is_ok());
            let theirs = serde_json::from_str::<Value>(&cut).map_err(error).map(|theirs| theirs.to_string());
            prop_assert_eq!(ours, theirs);
        }
    }
}
