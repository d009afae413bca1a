//! Values as JSON: exactly, for what is sent, and approximately, for what is shown.

use serde_json::{Map, Number, Value as Json};

use super::cursor::Cursor;
use super::tree::{Node, Scalar, Style, Value};

/// The value as JSON. Numbers that JSON cannot hold exactly, and `.nan` and its like, are refused.
pub(super) fn read(cursor: &Cursor<'_>) -> Option<Json> {
    let mut complete = true;
    let value = convert(cursor.node, &mut |node, text| {
        let inner = Cursor { node, path: cursor.path.clone(), problems: cursor.problems };
        let message = format!("`{text}` cannot be a number in JSON without loss");
        inner.problems.note(inner.problem(message).hinted("put it in quotes to send a text"));
        complete = false;
        Json::Null
    });
    complete.then_some(value)
}

/// The members of a mapping as JSON.
pub(super) fn read_object(cursor: &Cursor<'_>) -> Option<Map<String, Json>> {
    cursor.mapping()?;
    match read(cursor)? {
        Json::Object(members) => Some(members),
        _ => None,
    }
}

/// The value as JSON for people: what is no exact number stays a text.
pub(super) fn show(node: &Node) -> Json {
    convert(node, &mut |_, text| Json::from(text))
}

fn convert(node: &Node, inexact: &mut dyn FnMut(&Node, &str) -> Json) -> Json {
    match &node.value {
        Value::List(items) => items.iter().map(|item| convert(item, inexact)).collect(),
        Value::Mapping(entries) => {
            entries.iter().map(|(key, value)| (key.text.clone(), convert(value, inexact))).collect()
        }
        Value::Scalar(_) if node.is_null() => Json::Null,
        Value::Scalar(Scalar { text, style: Style::Quoted }) => Json::from(text.as_str()),
        Value::Scalar(Scalar { text, style: Style::Plain }) => match text.as_str() {
            "true" | "True" | "TRUE" => Json::Bool(true),
            "false" | "False" | "FALSE" => Json::Bool(false),
            text if is_not_finite(text) => inexact(node, text),
            text => match number(text) {
                Reading::Text => Json::from(text),
                Reading::Exact(number) => Json::Number(number),
                Reading::Inexact => inexact(node, text),
            },
        },
    }
}

fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    [".nan", ".inf"].contains(&unsigned.to_ascii_lowercase().as_str())
}

/// What a text is in JSON's grammar.
enum Reading {
    Text,
    Exact(Number),
    /// A number that cannot be held exactly.
    Inexact,
}

fn number(text: &str) -> Reading {
    if !text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return Reading::Text;
    }
    let number: Number = match serde_json::from_str(text) {
        Ok(number) => number,
        // `1e999` is in the grammar and beyond what can be held.
        Err(error) if error.to_string().contains("out of range") => return Reading::Inexact,
        Err(_) => return Reading::Text,
    };
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
    if number.is_f64() && digits > 15 { Reading::Inexact } else { Reading::Exact(number) }
}
