//! Models of the Python SDK as Python prints them: `PaymentPayload(x402_version=2, ...)` by `repr`, and
//! `x402_version=2 payload={...}` by `str`.

use serde_json::Value;

use super::literal;
use crate::explain::kind::Kind;

/// The longest text that is read, in bytes.
const LONGEST: usize = 256 * 1024;

/// What a printed model says, with the names that it has in JSON. Linear in the text.
pub(super) fn read(text: &str) -> Option<Value> {
    let text = text.trim();
    let begin = text.find(|c: char| !is_name(c))?;
    let begins = begin > 0 && text[begin..].starts_with(['(', '=']);
    if !begins || text.len() > LONGEST {
        return None;
    }
    let mut value = literal::read(&rewritten(text))?.value;
    without_nothing(&mut value);
    (Kind::of(&value) != Kind::Other).then_some(value)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What a name in front of a member is called that was not set: `None` is left out in JSON.
const UNSET: char = '-';

/// The same as Python writes dictionaries.
fn rewritten(text: &str) -> String {
    let bare = text.find(|c: char| !is_name(c)).is_some_and(|end| text[end..].starts_with('='));
    let mut out = String::with_capacity(text.len() + 64);
    // How each bracket that is open ends; whether it is a model.
    let mut open: Vec<(char, bool)> = Vec::new();
    if bare {
        out.push('{');
        open.push(('}', true));
    }
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let name = &rest[..rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())];
        let behind = &rest[name.len()..];
        if c == '\'' || c == '"' {
            let end = quoted(rest);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        if !name.is_empty() && behind.starts_with('(') {
            out.push('{');
            open.push(('}', true));
            rest = &behind[1..];
            continue;
        }
        let in_model = open.last().is_some_and(|(_, is_model)| *is_model);
        if !name.is_empty() && in_model && behind.starts_with('=') {
            // Members of a bare model stand side by side.
            if bare && open.len() == 1 && !out.ends_with('{') {
                out.push(',');
            }
            out.push('\'');
            out.extend(behind.starts_with("=None").then_some(UNSET));
            out.push_str(&camel(name));
            out.push_str("':");
            rest = &behind[1..];
            continue;
        }
        if !name.is_empty() {
            out.push_str(name);
            rest = behind;
            continue;
        }
        match c {
            '(' => open.push((')', false)),
            '{' => open.push(('}', false)),
            '[' => open.push((']', false)),
            _ => {}
        }
        let ends = [')', '}', ']'].contains(&c);
        out.push(if ends { open.pop().map_or(c, |(end, _)| end) } else { c });
        rest = &rest[c.len_utf8()..];
    }
    if bare {
        out.push('}');
    }
    out
}

/// Where a text in quotes ends.
fn quoted(text: &str) -> usize {
    let quote = text.chars().next().unwrap_or_default();
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// `max_timeout_seconds` as JSON has it.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        out.push_str(&word[..word.len().min(1)].to_ascii_uppercase());
        out.push_str(word.get(1..).unwrap_or_default());
    }
    out
}

fn without_nothing(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !name.starts_with(UNSET));
            members.values_mut().for_each(without_nothing);
        }
        Value::Array(all) => all.iter_mut().for_each(without_nothing),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_ways_of_printing_a_model_are_read() {
        let accepted =
            "PaymentRequirements(scheme='exact', network='eip155:84532', pay_to='0xa(=1)', extra={'a_b': None})";
        let payload = "{'authorization': {'from': \"it's\", 'value': '1'}, 'signature': '0x'}";
        let value = json!({"x402Version": 2, "payload": {"authorization": {"from": "it's", "value": "1"}, "signature": "0x"},
            "accepted": {"scheme": "exact", "network": "eip155:84532", "payTo": "0xa(=1)", "extra": {"a_b": null}}});
        for text in [
            format!("PaymentPayload(x402_version=2, payload={payload}, accepted={accepted}, extensions=None)"),
            format!("x402_version=2 payload={payload} accepted={accepted} extensions=None"),
        ] {
            assert_eq!(read(&text), Some(value.clone()), "{text}");
        }
        let answer = read("VerifyResponse(is_valid=False, invalid_reason='expired', payer=None)");
        assert_eq!(answer, Some(json!({"isValid": false, "invalidReason": "expired"})));
    }

    #[test]
    fn other_texts_are_none() {
        for text in
            ["", "a(", "a=", "f(x)", "x=1", "hello world", "Thing(a=1)", "é=1", "a=(", "a('", "x402_version=2 )"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"a(".repeat(100_000)), None);
    }
}
