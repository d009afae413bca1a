//! Characters that a text gets where it was pasted: typographic quotes of chats and word processors, spaces that do not
//! break, marks that nobody sees.

use std::fmt::Write as _;

use serde_json::Value;
use x402_wire::shape::shorten;

use super::{Reading, Subject, plainly};
use crate::explain::finding::Finding;
use crate::explain::kind::Kind;

/// What stands there, what it is called, and what was meant; nothing was meant by what nobody sees.
const LOOKALIKES: [(char, &str, &str); 22] = [
    ('\u{201c}', "typographic quote", "\""),
    ('\u{201d}', "typographic quote", "\""),
    ('\u{201e}', "typographic quote", "\""),
    ('\u{201f}', "typographic quote", "\""),
    ('\u{ab}', "typographic quote", "\""),
    ('\u{bb}', "typographic quote", "\""),
    ('\u{2018}', "typographic quote", "'"),
    ('\u{2019}', "typographic quote", "'"),
    ('\u{a0}', "no-break space", " "),
    ('\u{2007}', "no-break space", " "),
    ('\u{2009}', "thin space", " "),
    ('\u{202f}', "no-break space", " "),
    ('\u{3000}', "wide space", " "),
    ('\u{ad}', "soft hyphen, which nobody sees", ""),
    ('\u{200b}', "space of no width", ""),
    ('\u{200c}', "joiner of no width", ""),
    ('\u{200d}', "joiner of no width", ""),
    ('\u{200e}', "mark of direction, which nobody sees", ""),
    ('\u{200f}', "mark of direction, which nobody sees", ""),
    ('\u{2060}', "joiner of no width", ""),
    ('\u{2212}', "minus sign of typography", "-"),
    ('\u{feff}', "byte order mark", ""),
];

/// Members that people read: whatever stands there is theirs.
const OF_PEOPLE: [&str; 7] =
    ["description", "error", "errorMessage", "invalidMessage", "outputSchema", "serviceName", "tags"];

/// So many characters are named, and so many members.
const SHOWN: usize = 4;

/// The shortest text of a member that is looked at, in bytes: the version of a token is the shortest that anybody writes.
const SHORTEST: usize = 3;

/// What addresses, numbers, networks, names of tokens and addresses of pages are made of.
const fn is_machine(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b' ' | b':' | b'.' | b'_' | b'-' | b'/' | b'?' | b'=' | b'&' | b'%' | b'+')
}

/// So much of the beginning and of the end of a long way is said, in bytes each.
const ENDS: usize = 40;

/// How deep members are looked at.
const DEEPEST: usize = 32;

/// What was read; or, where it is nothing as it stands and something without such characters, that.
pub(super) fn read_on(text: &str, reading: Reading) -> Reading {
    let is_nothing = |own: &Reading| matches!(own.subject, Subject::Undecodable | Subject::Nothing);
    let Some((plain, seen)) = cleaned(text).filter(|_| is_nothing(&reading)) else { return reading };
    let mut again = plainly(&plain);
    if is_nothing(&again) || matches!(again.subject, Subject::Json(Kind::Other, _) | Subject::Reason(_)) {
        return reading;
    }
    // The quotes are a part of it.
    again.findings.retain(|finding| finding.id != "header_quoted");
    again.findings.insert(0, found().seen(seen).proven("without them, it is read"));
    again
}

fn found() -> Finding {
    Finding::new("pasted_characters")
}

/// A text with what was meant, and what stood there.
fn cleaned(text: &str) -> Option<(String, String)> {
    if text.is_ascii() {
        return None;
    }
    let (mut plain, mut met) = (String::with_capacity(text.len()), Vec::<(char, &str, usize)>::new());
    for c in text.chars() {
        let Some((_, name, meant)) = LOOKALIKES.iter().find(|(own, ..)| *own == c) else {
            plain.push(c);
            continue;
        };
        plain.push_str(meant);
        match met.iter_mut().find(|(own, ..)| *own == c) {
            Some((.., count)) => *count += 1,
            None => met.push((c, name, 1)),
        }
    }
    let told = met.iter().take(SHOWN).map(|(c, name, count)| {
        let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        format!("U+{:04X} ({name}) {times}", u32::from(*c))
    });
    (!met.is_empty()).then(|| (plain, format!("it holds {}", told.collect::<Vec<_>>().join(", "))))
}

/// Takes such characters out of what machines read, and says where they stood.
pub(super) fn without(value: &mut Value, findings: &mut Vec<Finding>) {
    let at = match Kind::of(value) {
        Kind::PaymentV1 | Kind::PaymentV2 => "paymentPayload",
        Kind::Requirements => "paymentRequirements",
        Kind::Other => return,
        _ => "",
    };
    let mut found = Found { at: at.to_owned(), seen: Vec::new(), more: 0 };
    found.clean(value, 0);
    let Some(more) = found.finding() else { return };
    match findings.iter_mut().find(|own| own.id == more.id) {
        Some(own) => own.evidence.extend(more.evidence),
        None => findings.push(more),
    }
}

/// What is found on the way through the members.
struct Found {
    /// The way to the member that is looked at. It is written on, and taken back.
    at: String,
    /// The first of what was seen, each with its place.
    seen: Vec<(String, String)>,
    /// How many more there were.
    more: usize,
}

/// A way as it is, or the beginning and the end of a long one.
fn ends_of(at: &str) -> String {
    if at.len() <= 2 * ENDS {
        return shorten(at);
    }
    let (begin, end) = (at.floor_char_boundary(ENDS), at.ceil_char_boundary(at.len() - ENDS));
    format!("{}…{}", shorten(&at[..begin]), shorten(&at[end..]))
}

impl Found {
    fn clean(&mut self, value: &mut Value, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        match value {
            Value::String(text) => {
                // What is still no word of machines was none before something was pasted into it.
                let is_word = |plain: &str| plain.len() >= SHORTEST && plain.bytes().all(is_machine);
                let Some((plain, seen)) = cleaned(text).filter(|(plain, _)| is_word(plain.trim())) else { return };
                if self.seen.len() < SHOWN {
                    self.seen.push((ends_of(&self.at), seen));
                } else {
                    self.more += 1;
                }
                plain.trim().clone_into(text);
            }
            Value::Array(items) => {
                for (place, item) in items.iter_mut().enumerate() {
                    self.within(format_args!("[{place}]"), |own| own.clean(item, depth + 1));
                }
            }
            Value::Object(members) => {
                for (name, member) in members.iter_mut().filter(|(name, _)| !OF_PEOPLE.contains(&name.as_str())) {
                    let mark = if self.at.is_empty() { "" } else { "." };
                    self.within(format_args!("{mark}{name}"), |own| own.clean(member, depth + 1));
                }
            }
            _ => {}
        }
    }

    /// Does something further on the way, and comes back.
    fn within(&mut self, step: std::fmt::Arguments<'_>, look: impl FnOnce(&mut Self)) {
        let before = self.at.len();
        // Writing into a text does not fail.
        let _ = self.at.write_fmt(step);
        look(self);
        self.at.truncate(before);
    }

    fn finding(self) -> Option<Finding> {
        let (first, _) = self.seen.first()?;
        let mut finding = found().at(first.clone());
        for (at, seen) in &self.seen {
            finding = finding.seen(format!("`{at}`: {seen}"));
        }
        Some(if self.more == 0 { finding } else { finding.seen(format!("and {} more", self.more)) })
    }
}

#[cfg(test)]
mod tests {
    use x402_wire::header::encode_text;

    use super::super::read;
    use super::*;

    const PAYMENT: &str =
        r#"{"x402Version":2,"accepted":{"scheme":"exact","payTo":"0x12"},"payload":{"signature":"0x12"}}"#;

    #[test]
    fn what_was_pasted_is_named_and_read_on() {
        let (good, plain) = (encode_text(PAYMENT), serde_json::from_str::<Value>(PAYMENT).unwrap());
        let (head, tail) = good.split_at(20);
        for (text, part) in [
            (PAYMENT.replacen('"', "\u{201c}", 1).replace('"', "\u{201d}"), "typographic quote"),
            (PAYMENT.replace(',', ",\u{a0}"), "U+00A0 (no-break space) 3 times"),
            (PAYMENT.replace(':', ":\u{200b}"), "space of no width"),
            (format!("PAYMENT-SIGNATURE: {head}\u{200b}{tail}"), "U+200B (space of no width) once"),
            (format!("PAYMENT-SIGNATURE: \u{201c}{good}\u{201d}"), "U+201C"),
            (format!("{head}\u{ad}{tail}"), "soft hyphen"),
            (PAYMENT.replace("0x12\"}}", "0x12\u{200b}\"}}"), "`paymentPayload.payload.signature`: it holds U+200B"),
        ] {
            let reading = read(&text);
            assert_eq!(reading.json().map(|(_, value)| value), Some(&plain), "{text}: {reading:?}");
            let ids: Vec<&str> = reading.findings.iter().map(|own| own.id).collect();
            assert_eq!(ids, ["pasted_characters"], "{text}");
            assert!(reading.findings[0].evidence[0].contains(part), "{:?}", reading.findings[0]);
        }
    }

    /// A long name over many items is no reason to write it as often.
    #[test]
    fn what_is_said_of_many_members_is_short() {
        let mut value: Value = serde_json::from_str(PAYMENT).unwrap();
        value["payload"][&"k".repeat(20_000)] = vec!["0x12\u{200b}"; 20_000].into();
        let mut findings = Vec::new();
        without(&mut value, &mut findings);
        let [finding] = &findings[..] else { panic!("{}", findings.len()) };
        assert_eq!(finding.evidence.len(), SHOWN + 1);
        assert_eq!(finding.evidence.last().unwrap(), &format!("and {} more", 20_000 - SHOWN));
        let told: usize = finding.evidence.iter().chain(&finding.path).map(String::len).sum();
        assert!(told < 2_000, "{told}");
        assert!(!value.to_string().contains('\u{200b}'));
        // The way is one text, as long as the longest: written on by each item, never copied.
        let mut found = Found { at: "a".repeat(20_000), seen: Vec::new(), more: 0 };
        let room = found.at.capacity() * 2;
        found.clean(&mut vec!["0x12"; 20_000].into(), 0);
        assert!(found.at.len() == 20_000 && found.at.capacity() <= room, "{}", found.at.capacity());
    }

    #[test]
    fn what_people_write_for_people_is_theirs() {
        let kind = r#"{"x402Version":2,"resource":{"url":"http://a/","description":"It’s “good”"},"accepts":[]}"#;
        for text in [kind, "It’s “good”", "“”", "\u{200b}"] {
            assert!(read(text).findings.iter().all(|own| own.id != "pasted_characters"), "{text}");
        }
    }
}
