//! Objects as languages write and print them, which are nearly JSON: Python's `{'a': True}`, JavaScript's `{ a: 'b' }`,
//! commas before closing brackets, comments.

use serde_json::{Map, Number, Value};

/// How deep brackets may stand within each other.
const DEEPEST: usize = 64;

/// An object that was read, and what of it is no JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Literal {
    /// What it says.
    pub value: Value,
    /// What is no JSON in it, a few words each.
    pub marks: Vec<&'static str>,
}

pub(super) const TRAILING_COMMA: &str = "a comma before a closing bracket";
const SINGLE_QUOTES: &str = "texts in single quotes or backticks";
const PYTHON_WORDS: &str = "`True`, `False` or `None`";
const OTHER_WORDS: &str = "`undefined` or `NaN`";
const BARE_NAMES: &str = "names without quotes";
const BIG_NUMBERS: &str = "numbers that end with `n`";
const TUPLES: &str = "round brackets";
const PIECES: &str = "texts in several pieces";
const COMMENTS: &str = "comments";
/// What a printer leaves out of what is nested deep.
pub(super) const LEFT_OUT: &str = "`[Object]`, `[Array]` or `...`, where whatever printed it left something out";

/// Reads an object or a list that is no JSON. Linear in the text.
pub(super) fn read(text: &str) -> Option<Literal> {
    let mut reader = Reader { rest: text.trim(), marks: Vec::new() };
    let value = reader.value(0)?;
    reader.space();
    let is_whole = reader.rest.is_empty() && matches!(value, Value::Object(_) | Value::Array(_));
    is_whole.then_some(Literal { value, marks: reader.marks })
}

struct Reader<'a> {
    rest: &'a str,
    marks: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    fn mark(&mut self, mark: &'static str) {
        if !self.marks.contains(&mark) {
            self.marks.push(mark);
        }
    }

    /// Takes a text off, if it comes next.
    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn space(&mut self) {
        loop {
            self.rest = self.rest.trim_ascii_start();
            let end = if self.rest.starts_with("//") {
                self.rest.find('\n')
            } else if self.rest.starts_with("/*") {
                self.rest.find("*/").map(|at| at + 2)
            } else {
                return;
            };
            self.mark(COMMENTS);
            self.rest = end.map_or("", |end| &self.rest[end..]);
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.space();
        if depth > DEEPEST {
            return None;
        }
        if ["[Object]", "[Array]", "[Circular *1]", "{...}"].into_iter().any(|word| self.take(word)) {
            self.mark(LEFT_OUT);
            return Some(Value::Null);
        }
        match self.rest.chars().next()? {
            '{' => self.object(depth),
            '[' => self.list(depth, ']'),
            '(' => {
                self.mark(TUPLES);
                self.list(depth, ')')
            }
            '"' | '\'' | '`' => self.text().map(Value::String),
            c if c.is_ascii_digit() || c == '-' => self.number(),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let mut members = Map::new();
        self.rest = self.rest.get(1..)?;
        loop {
            self.space();
            if self.take("}") {
                return Some(Value::Object(members));
            }
            let name = if self.rest.starts_with(['"', '\'']) {
                self.text()?
            } else {
                self.mark(BARE_NAMES);
                self.name()?.to_owned()
            };
            self.space();
            if !self.take(":") {
                return None;
            }
            let value = self.value(depth + 1)?;
            members.insert(name, value);
            if !self.comma('}')? {
                return Some(Value::Object(members));
            }
        }
    }

    fn list(&mut self, depth: usize, end: char) -> Option<Value> {
        let mut items = Vec::new();
        self.rest = self.rest.get(1..)?;
        loop {
            self.space();
            if self.rest.starts_with(end) {
                self.rest = &self.rest[1..];
                return Some(Value::Array(items));
            }
            if self.take("...") {
                self.mark(LEFT_OUT);
                self.rest = &self.rest[self.rest.find(end)?..];
                continue;
            }
            items.push(self.value(depth + 1)?);
            if !self.comma(end)? {
                return Some(Value::Array(items));
            }
        }
    }

    /// What follows a member: whether another may come. Nothing where neither a comma nor the end does.
    fn comma(&mut self, end: char) -> Option<bool> {
        self.space();
        if self.rest.starts_with(end) {
            self.rest = &self.rest[1..];
            return Some(false);
        }
        if !self.take(",") {
            return None;
        }
        self.space();
        // A tuple of one has a comma behind it.
        if self.rest.starts_with(end) && end != ')' {
            self.mark(TRAILING_COMMA);
        }
        Some(true)
    }

    fn name(&mut self) -> Option<&'a str> {
        let rest = self.rest;
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
        let name = &rest[..end];
        let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$');
        self.rest = &rest[end..];
        begins.then_some(name)
    }

    fn word(&mut self) -> Option<Value> {
        let (value, mark) = match self.name()? {
            "true" => return Some(Value::Bool(true)),
            "false" => return Some(Value::Bool(false)),
            "null" => return Some(Value::Null),
            "True" => (Value::Bool(true), PYTHON_WORDS),
            "False" => (Value::Bool(false), PYTHON_WORDS),
            "None" => (Value::Null, PYTHON_WORDS),
            "undefined" | "NaN" => (Value::Null, OTHER_WORDS),
            _ => return None,
        };
        self.mark(mark);
        Some(value)
    }

    fn number(&mut self) -> Option<Value> {
        let end = self.rest.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        if self.take("n") {
            self.mark(BIG_NUMBERS);
            return Some(Value::from(digits));
        }
        serde_json::from_str::<Number>(digits).ok().map(Value::Number)
    }

    /// A text, also in pieces: Python puts them side by side, JavaScript joins them with `+`.
    fn text(&mut self) -> Option<String> {
        let mut whole = self.piece()?;
        loop {
            let before = self.rest;
            self.space();
            if self.take("+") {
                self.space();
            }
            if !self.rest.starts_with(['"', '\'']) {
                self.rest = before;
                return Some(whole);
            }
            self.mark(PIECES);
            whole.push_str(&self.piece()?);
        }
    }

    fn piece(&mut self) -> Option<String> {
        let quote = self.rest.chars().next().filter(|c| ['"', '\'', '`'].contains(c))?;
        if quote != '"' {
            self.mark(SINGLE_QUOTES);
        }
        let mut out = String::new();
        let mut chars = self.rest[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.rest = &self.rest[at + 2..];
                    return Some(out);
                }
                '\\' => out.push(match chars.next()?.1 {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'x' => code(&mut chars, 2)?,
                    'u' => code(&mut chars, 4)?,
                    other => other,
                }),
                _ => out.push(c),
            }
        }
        None
    }
}

/// A character by its number in hexadecimal digits; of UTF-16 both halves. Half of one is none.
fn code(chars: &mut std::str::CharIndices<'_>, digits: usize) -> Option<char> {
    let first = number(chars, digits)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    let is_next = chars.next()?.1 == '\\' && chars.next()?.1 == 'u';
    let second = number(chars, 4).filter(|half| is_next && (0xdc00..0xe000).contains(half))?;
    char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
}

fn number(chars: &mut std::str::CharIndices<'_>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0, |number, _| Some(number * 16 + chars.next()?.1.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_of_other_languages_are_read() {
        for (text, value, marks) in [
            ("{'a': True, 'b': None}", json!({"a": true, "b": null}), vec![SINGLE_QUOTES, PYTHON_WORDS]),
            ("{ a: 'b', c: [ 1, 2 ] }", json!({"a": "b", "c": [1, 2]}), vec![BARE_NAMES, SINGLE_QUOTES]),
            (r#"{"a":1,}"#, json!({"a": 1}), vec![TRAILING_COMMA]),
            (r#"{"a":[1,2,],}"#, json!({"a": [1, 2]}), vec![TRAILING_COMMA]),
            ("{'a': (1,)}", json!({"a": [1]}), vec![SINGLE_QUOTES, TUPLES]),
            ("{\"a\": 1 // one\n}", json!({"a": 1}), vec![COMMENTS]),
            ("{\"a\": \"x\" +\n \"y\"}", json!({"a": "xy"}), vec![PIECES]),
            ("{'a': 'it\\'s \\u00fc'}", json!({"a": "it's ü"}), vec![SINGLE_QUOTES]),
            (r#"{"a":"\ud83d\ude00\b\f",}"#, json!({"a": "\u{1f600}\u{8}\u{c}"}), vec![TRAILING_COMMA]),
            ("{ a: 10000n }", json!({"a": "10000"}), vec![BARE_NAMES, BIG_NUMBERS]),
            ("{ a: [Object] }", json!({"a": null}), vec![BARE_NAMES, LEFT_OUT]),
        ] {
            let read = read(text);
            assert_eq!(read, Some(Literal { value, marks }), "{text}");
        }
    }

    #[test]
    fn what_is_broken_stays_broken() {
        for text in [
            "",
            "{",
            "{\"a\":1",
            "{'a'",
            "{\"a\":1}}",
            "{{payment}}",
            "hello",
            "'a'",
            "{a}",
            "{\"a\" 1}",
            "[1 2]",
            "{,}",
            "{'a': b}",
            r#"{"a":"\ud83d",}"#,
            r#"{"a":"\ud83d\u0041",}"#,
            r#"{"a":"\ude00",}"#,
            "é",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"[".repeat(100_000)), None);
        assert_eq!(read(&"{'a':".repeat(100_000)), None);
    }
}
