//! Documents that are rendered once, with gaps where the address of a request belongs.

use serde::Serialize;
use x402_wire::header::encode_onto;
use x402_wire::json::quote_onto;

/// What stands in a gap: a text that no configuration holds by chance, with characters of Unicode's private use.
pub const GAP: &str = "\u{10fffd}address\u{10fffd}";

/// A JSON document with gaps.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<String>,
    length: usize,
}

/// The base64 of a JSON document with one gap. All but the gap and a few bytes around it is encoded before: base64
/// turns three bytes into four characters, so that what follows the gap has three encodings.
#[derive(Clone, Debug)]
pub struct Encoded {
    head: String,
    /// The bytes before the gap that fill no group of three.
    before: Vec<u8>,
    /// The first two bytes after it.
    after: [u8; 2],
    /// The encodings of what follows the gap without its first 0, 1 or 2 bytes.
    tails: [String; 3],
}

impl Template {
    /// Renders a document whose addresses are [`GAP`].
    pub fn render<T: Serialize>(document: &T) -> Self {
        let text = serde_json::to_string(document).expect("offers have string keys");
        let gap = serde_json::to_string(GAP).expect("a string is JSON");
        let parts: Vec<String> = text.split(&gap).map(str::to_owned).collect();
        Self { length: text.len(), parts }
    }

    /// The document for an address.
    pub fn fill(&self, url: &str) -> String {
        let url = quoted(url);
        let mut text = String::with_capacity(self.length + self.parts.len() * url.len());
        for (at, part) in self.parts.iter().enumerate() {
            if at > 0 {
                text.push_str(&url);
            }
            text.push_str(part);
        }
        text
    }
}

impl Encoded {
    /// Renders a document one of whose texts is [`GAP`]: the first, if there are several.
    ///
    /// # Panics
    ///
    /// When there is none, or less than two bytes after it.
    pub fn render<T: Serialize>(document: &T) -> Self {
        let text = serde_json::to_string(document).expect("offers have string keys");
        let gap = serde_json::to_string(GAP).expect("a string is JSON");
        let (front, after) = text.split_once(&gap).expect("the document has a gap");
        let (front, before) = front.as_bytes().split_at(front.len() - front.len() % 3);
        let after = after.as_bytes();
        let encoded = |bytes| {
            let mut text = String::new();
            encode_onto(bytes, &mut text);
            text
        };
        Self {
            head: encoded(front),
            before: before.to_vec(),
            after: [after[0], after[1]],
            tails: [0, 1, 2].map(|cut| encoded(&after[cut..])),
        }
    }

    /// The base64 of the document for an address.
    pub fn fill(&self, url: &str) -> String {
        let url = quoted(url);
        let cut = (3 - (self.before.len() + url.len()) % 3) % 3;
        let middle = [&self.before, url.as_bytes(), &self.after[..cut]].concat();
        let tail = &self.tails[cut];
        let mut text = String::with_capacity(self.head.len() + middle.len() / 3 * 4 + tail.len());
        text.push_str(&self.head);
        encode_onto(&middle, &mut text);
        text.push_str(tail);
        text
    }
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quote_onto(text, &mut quoted);
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use x402_wire::header::encode_text;

    use super::*;

    #[test]
    fn a_filled_gap_is_the_document_with_that_text() {
        for front in ["", "a", "ab", "abc", "\u{e9}", "\u{20ac}x", "\u{1f600}"] {
            for back in ["", "z", "zz"] {
                let document = |url: &str| json!([front, url, back]);
                let (template, encoded) = (Template::render(&document(GAP)), Encoded::render(&document(GAP)));
                for url in ["", "/", "/a", "/ab", "/abc", "a\"b\\c", "\u{7f}\u{e9}\n", "http://127.0.0.1:3402/a?b=c&d"]
                {
                    let text = document(url).to_string();
                    assert_eq!(template.fill(url), text);
                    assert_eq!(encoded.fill(url), encode_text(&text), "{text}");
                }
            }
        }
    }
}
