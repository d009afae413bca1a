//! Objects that come again and again: a server asks the same of every payer, and every payer repeats it.
//!
//! Each thread remembers the last ones by their text. One that comes again is compared, and not read. They are only
//! those that stand in the place of requirements, and are never printed from here.

use std::borrow::Cow;
use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::{Json, Members, Pairs, Store};

/// How many texts are remembered, by each thread.
const KNOWN: usize = 8;

/// The longest text that is remembered, in bytes.
const LONGEST: usize = 2048;

/// Of how many texts that were not known it is remembered that they came.
const STRANGERS: usize = 16;

/// Objects that came twice.
#[derive(Default)]
struct Memory {
    known: Vec<(Box<str>, Arc<Pairs<'static>>)>,
    /// Which one is forgotten next.
    oldest: usize,
    /// Hashes of the last texts that were not known: what comes once only is not worth remembering.
    strangers: [u64; STRANGERS],
    /// Which of these is forgotten next.
    oldest_stranger: usize,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// The object that a text begins with, if that is a known one, and its length.
///
/// No object's text is the beginning of another one's, and whatever follows is the reader's. How deep it stands is not
/// counted again: what is known was read within the reader's own limit.
pub(super) fn recall(text: &str) -> Option<(Json<'static>, usize)> {
    MEMORY.with_borrow(|memory| memory.recall(text))
}

/// Learns what a text means.
pub(super) fn learn(text: &str, value: &Json<'_>) {
    MEMORY.with_borrow_mut(|memory| memory.learn(text, value));
}

impl Memory {
    fn recall(&self, text: &str) -> Option<(Json<'static>, usize)> {
        let (known, pairs) = self.known.iter().find(|(known, _)| text.starts_with(&**known))?;
        Some((Json::Object(Members(Store::Shared(Arc::clone(pairs)))), known.len()))
    }

    fn learn(&mut self, text: &str, value: &Json<'_>) {
        let Json::Object(members) = value else { return };
        if text.len() > LONGEST {
            return;
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        if !self.strangers.contains(&hash) {
            self.strangers[self.oldest_stranger] = hash;
            self.oldest_stranger = (self.oldest_stranger + 1) % STRANGERS;
            return;
        }
        let known = (text.into(), Arc::new(owned_pairs(members)));
        if self.known.len() < KNOWN {
            self.known.push(known);
        } else {
            self.known[self.oldest] = known;
            self.oldest = (self.oldest + 1) % KNOWN;
        }
    }
}

/// The members, without what they borrow.
fn owned_pairs(members: &Members<'_>) -> Pairs<'static> {
    members.pairs().iter().map(|(name, value)| (owned_text(name), owned(value))).collect()
}

fn owned(value: &Json<'_>) -> Json<'static> {
    match value {
        Json::Null => Json::Null,
        Json::Bool(flag) => Json::Bool(*flag),
        Json::Number(number) => Json::Number(number.clone()),
        Json::Text(text) => Json::Text(owned_text(text)),
        Json::Array(items) => Json::Array(items.iter().map(owned).collect()),
        Json::Object(members) => Json::Object(Members(Store::Own(owned_pairs(members)))),
    }
}

fn owned_text(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Json<'_> {
        serde_json::from_str(text).unwrap()
    }

    /// Reads as the reader does: what is not known is learned.
    fn read<'a>(memory: &mut Memory, text: &'a str) -> (Json<'a>, bool) {
        if let Some((known, length)) = memory.recall(text) {
            assert_eq!(length, text.len());
            return (known, true);
        }
        memory.learn(text, &value(text));
        (value(text), false)
    }

    #[test]
    fn an_object_that_comes_a_third_time_is_known_and_means_the_same() {
        let text = r#"{"scheme":"exact","extra":{"name":"US\u0044C","list":[1,-1.5,null,true,"x"]},"a":1,"a":2}"#;
        let mut memory = Memory::default();
        for times in 0..4 {
            let (read, is_known) = read(&mut memory, text);
            assert_eq!(is_known, times > 1);
            assert_eq!((&read, read.to_string()), (&value(text), value(text).to_string()));
            assert_eq!(read.get("a").map(ToString::to_string).as_deref(), Some("2"));
        }
        let (known, length) = memory.recall(&format!("{text}}},\"more\":1")).unwrap();
        assert_eq!((known, length), (value(text), text.len()));
    }

    #[test]
    fn objects_that_take_turns_are_known_too() {
        let mut memory = Memory::default();
        let texts = [r#"{"a":1}"#, r#"{"a": 1}"#, r#"{"b":1}"#];
        for times in 0..4 {
            assert_eq!(texts.map(|text| read(&mut memory, text).1), [times > 1; 3]);
        }
    }

    #[test]
    fn only_the_same_text_is_the_same_object() {
        let mut memory = Memory::default();
        for _ in 0..3 {
            read(&mut memory, r#"{"amount":"10000"}"#);
        }
        for other in [r#"{"amount":"10001"}"#, r#"{"amount":"10000" }"#, r#"{"amount":"1000"}"#, "{}", "", "{"] {
            assert_eq!(memory.recall(other), None, "{other}");
        }
    }

    #[test]
    fn the_last_ones_are_remembered_and_no_others() {
        let text = |number: usize| format!(r#"{{"number":{number}}}"#);
        let mut memory = Memory::default();
        for number in 0..3 * KNOWN {
            for _ in 0..2 {
                read(&mut memory, &text(number));
            }
        }
        for number in 0..3 * KNOWN {
            assert_eq!(memory.recall(&text(number)).is_some(), number >= 2 * KNOWN, "{number}");
        }
    }

    #[test]
    fn what_is_no_object_or_large_is_not_remembered() {
        let mut memory = Memory::default();
        let large = format!(r#"{{"text":"{}"}}"#, "x".repeat(LONGEST));
        for text in ["null", "[]", r#""text""#, "1", &large] {
            for _ in 0..3 {
                assert!(!read(&mut memory, text).1);
            }
        }
        assert!(memory.known.is_empty() && memory.strangers == [0; STRANGERS]);
    }
}
