//! Texts of others for a terminal: shown, and never obeyed.

use std::fmt::Write as _;

/// A text of others without anything that steers a terminal or hides what stands there: controls, changes of direction,
/// marks without a width. They are shown as what they are. So are the ends of lines: a stranger's text that goes through
/// here before it is put into a sentence can begin no line of its own.
pub fn safe(text: &str) -> String {
    let shown = |c: char| if steers(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// JSON in one line, with the same characters in its texts escaped as JSON does it: it holds what it held.
pub fn safe_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if steers(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether a character does something to a terminal, or to the text around it, or cannot be seen.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_says_the_same_without_what_steers() {
        let hostile = "\u{1b}[2J\u{202e}evil\u{7f}\u{e0041} für";
        let json = safe_json(&json!(hostile).to_string());
        assert!(json.chars().all(|c| !steers(c)), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
    }

    #[test]
    fn text_of_clients_cannot_steer_the_terminal() {
        assert_eq!(safe("/a\u{1b}[2J\r\n"), "/a\\u{1b}[2J\\u{d}\\u{a}");
        let hostile = "pay\u{1b}[2J\u{1b}]0;title\u{7} \u{202e}evil\u{200b}\u{9b}31m\r\u{e0041}";
        let shown = safe(hostile);
        assert!(shown.chars().all(|c| !c.is_control() && c.is_ascii()), "{shown}");
        assert!(shown.contains("\\u{1b}[2J") && shown.contains("\\u{202e}evil"), "{shown}");
        assert_eq!(safe("für 1 €"), "für 1 €");
    }
}
