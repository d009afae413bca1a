//! JSON as programs write it: no escapes, no numbers but whole ones of at most 18 digits, and not deep.
//!
//! Nearly every payment is written so, and is read here in a fraction of the time. What is not, or is no JSON, is given
//! up and read by `serde_json`, which knows everything and says what is wrong.

use std::borrow::Cow;

use super::{Json, Members, ROOM, Store, recurring};

/// How deep values may stand in each other.
const DEEPEST: usize = 64;

/// The most digits of a number: more may not fit.
const DIGITS: usize = 18;

/// A reader of a text. Whatever it gives up with `None` may still be JSON.
pub(crate) struct Plain<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Plain<'a> {
    /// Reads all of a text.
    pub(crate) fn read<T>(text: &'a str, what: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut reader = Self { text, at: 0, depth: 0 };
        let value = what(&mut reader)?;
        reader.peek().is_none().then_some(value)
    }

    /// Reads an object. `each` is given the name of each member, and reads its value.
    pub(crate) fn members(&mut self, mut each: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.open(b'{')?;
        if self.peek()? != b'}' {
            loop {
                let name = self.string()?;
                self.take(b':')?;
                each(self, name)?;
                if self.peek()? != b',' {
                    break;
                }
                self.at += 1;
            }
        }
        self.close(b'}')
    }

    /// Reads an object. `each` is given the name of each member, and reads its value; the object is without those of
    /// which it gives none.
    pub(crate) fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, &'a str) -> Option<Option<Json<'a>>>,
    ) -> Option<Json<'a>> {
        let mut pairs = Vec::new();
        self.members(|reader, name| {
            if let Some(value) = each(reader, name)? {
                if pairs.is_empty() {
                    pairs.reserve_exact(ROOM);
                }
                pairs.push((Cow::Borrowed(name), value));
            }
            Some(())
        })?;
        Some(Json::Object(Members(Store::Own(pairs))))
    }

    /// Reads any value.
    pub(crate) fn value(&mut self) -> Option<Json<'a>> {
        match self.peek()? {
            b'{' => self.object(|reader, _| reader.value().map(Some)),
            b'[' => {
                let mut items = Vec::new();
                self.items(|reader| {
                    items.push(reader.value()?);
                    Some(())
                })?;
                Some(Json::Array(items))
            }
            b'"' => self.string().map(|text| Json::Text(Cow::Borrowed(text))),
            b'0'..=b'9' => self.number().map(|number| Json::Number(number.into())),
            b't' => self.word("true").map(|()| Json::Bool(true)),
            b'f' => self.word("false").map(|()| Json::Bool(false)),
            b'n' => self.word("null").map(|()| Json::Null),
            _ => None,
        }
    }

    /// Reads a value that was often read before.
    pub(crate) fn recurring(&mut self) -> Option<Json<'a>> {
        self.peek()?;
        let start = self.at;
        if let Some((value, length)) = recurring::recall(&self.text[start..]) {
            self.at += length;
            return Some(value);
        }
        let value = self.value()?;
        recurring::learn(&self.text[start..self.at], &value);
        Some(value)
    }

    /// Passes a value over, and gives its text.
    pub(crate) fn skip(&mut self) -> Option<&'a str> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'{' => self.members(|reader, _| reader.skip().map(drop))?,
            b'[' => self.items(|reader| reader.skip().map(drop))?,
            b'"' => drop(self.string()?),
            _ => drop(self.value()?),
        }
        Some(&self.text[start..self.at])
    }

    fn items(&mut self, mut each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.open(b'[')?;
        if self.peek()? != b']' {
            loop {
                each(self)?;
                if self.peek()? != b',' {
                    break;
                }
                self.at += 1;
            }
        }
        self.close(b']')
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        self.depth += 1;
        if self.depth > DEEPEST { None } else { self.take(bracket) }
    }

    fn close(&mut self, bracket: u8) -> Option<()> {
        self.depth -= 1;
        self.take(bracket)
    }

    /// The next byte that is no space; `None` at the end.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.peek()?;
        self.take_here(byte)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let is_there = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        is_there.then_some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        let length = plain_length(&self.text.as_bytes()[start..]);
        self.at += length;
        self.take_here(b'"')?;
        self.text.get(start..start + length)
    }

    /// Takes the byte that stands here.
    fn take_here(&mut self, byte: u8) -> Option<()> {
        let is_there = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += 1;
        is_there.then_some(())
    }

    fn number(&mut self) -> Option<u64> {
        let rest = &self.text.as_bytes()[self.at..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let goes_on = matches!(rest.get(digits), Some(b'.' | b'e' | b'E'));
        if digits > DIGITS || goes_on || (digits > 1 && rest[0] == b'0') {
            return None;
        }
        self.at += digits;
        Some(rest[..digits].iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    }
}

/// How many bytes a text has before a quotation mark, a backslash or a control character, or to its end.
fn plain_length(text: &[u8]) -> usize {
    let is_end = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    let (words, rest) = text.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let ends = ends(u64::from_le_bytes(*word));
        if ends != 0 {
            return 8 * number + ends.trailing_zeros() as usize / 8;
        }
    }
    let before = 8 * words.len();
    before + rest.iter().position(is_end).unwrap_or(rest.len())
}

/// The highest bit of the first byte of eight at which a plain text ends. Of the bytes after it nothing is said.
const fn ends(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    // A byte that is taken from borrows from the next only where it is smaller, and then it is an end itself.
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = quote.wrapping_sub(ONES) & !quote;
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    (control | quote | backslash) & HIGH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<Json<'_>> {
        Plain::read(text, Plain::value)
    }

    #[test]
    fn what_programs_write_is_read() {
        let payment = r#"{"x402Version":2,"resource":{"url":"http://127.0.0.1:3402/hello"},"accepted":{"scheme":"exact",
            "network":"eip155:84532","extra":{"name":"USDC","version":"2"},"maxTimeoutSeconds":300},"payload":{}}"#;
        for text in [
            payment,
            "null",
            " true ",
            "false\n",
            "0",
            "123456789012345678",
            r#""""#,
            r#""ünïcödé €""#,
            "[]",
            "{ }",
            "[1, [ ] ,{\"a\"\t:\r\n[2]}]",
        ] {
            let theirs: Json<'_> = serde_json::from_str(text).unwrap();
            assert_eq!(read(text), Some(theirs), "{text}");
            assert_eq!(Plain::read(text, Plain::skip), Some(text.trim()));
        }
    }

    #[test]
    fn what_recurs_is_shared_wherever_it_stands() {
        let text = r#"{"scheme":"exact","test":"what_recurs_is_shared_wherever_it_stands"}"#;
        let is_shared = |value: Json<'_>| matches!(value, Json::Object(Members(Store::Shared(_))));
        let shared = [(); 3].map(|()| is_shared(Plain::read(text, Plain::recurring).unwrap()));
        assert_eq!(shared, [false, false, true]);
        let nested = format!(r#"{{"a": {text} , "b":{text}}}"#);
        let object = Plain::read(&nested, |reader| reader.object(|reader, _| reader.recurring().map(Some))).unwrap();
        assert_eq!(object, serde_json::from_str(&nested).unwrap());
        assert!(["a", "b"].iter().all(|name| is_shared(object.get(name).unwrap().clone())));
    }

    #[test]
    fn what_else_is_json_is_given_up() {
        let (deep, deeper) = ("[".repeat(DEEPEST), "[".repeat(DEEPEST + 1));
        assert!(read(&format!("{deep}{}", "]".repeat(DEEPEST))).is_some());
        let deeper = format!("{deeper}{}", "]".repeat(DEEPEST + 1));
        for text in [r#""\n""#, r#"{"\u0061":1}"#, "-1", "1.0", "1e3", "1E3", "1234567890123456789", &deeper] {
            assert_eq!((read(text), Plain::read(text, Plain::skip)), (None, None), "{text}");
            assert!(serde_json::from_str::<Json<'_>>(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_given_up() {
        for text in [
            "",
            " ",
            "{",
            "[",
            "\"",
            "\"a",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "[1,]",
            "[1 2]",
            "[1}",
            "{\"a\":1]",
            "01",
            "00",
            "1x",
            "+1",
            "nul",
            "nulls",
            "tru",
            "truefalse",
            "1 1",
            "{} {}",
            "\"a\nb\"",
            "\"\u{1f}\"",
            "'a'",
            "é",
            "[é]",
            "{\"a\":é}",
            "\u{feff}{}",
            ",",
            ":",
            "}",
            "NaN",
        ] {
            assert_eq!((read(text), Plain::read(text, Plain::skip)), (None, None), "{text}");
            assert_eq!(Plain::read(text, Plain::recurring), None, "{text}");
            assert!(serde_json::from_str::<Json<'_>>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_member_that_is_set_aside_is_no_member() {
        let text = r#"{"a": 1, "aside": [1, {"aside": 2}], "b": {"aside": 3}, "aside" : "last" }"#;
        let mut kept = Vec::new();
        let object = Plain::read(text, |reader| {
            reader.object(|reader, name| {
                if name == "aside" {
                    kept.push(reader.skip()?);
                    return Some(None);
                }
                reader.value().map(Some)
            })
        });
        assert_eq!(object.unwrap().to_string(), r#"{"a":1,"b":{"aside":3}}"#);
        assert_eq!(kept, [r#"[1, {"aside": 2}]"#, r#""last""#]);
    }

    proptest! {
        #[test]
        fn a_string_ends_where_its_first_special_character_stands(
            text in prop::collection::vec(prop_oneof![any::<u8>(), 0x1e..0x24_u8, 0x5b..0x5e_u8], 0..40),
        ) {
            let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
            prop_assert_eq!(plain_length(&text), text.iter().position(special).unwrap_or(text.len()));
        }
    }
}
