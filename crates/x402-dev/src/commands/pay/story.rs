//! What is told on stderr, and how hostile texts are shown: as texts, never as commands to the terminal.

use crate::clock::timestamp;
use crate::terminal;
pub use crate::terminal::safe;

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Voice {
    /// Errors only.
    Quiet,
    /// The outcome, and what the buyer should know.
    #[default]
    Normal,
    /// Every step.
    Loud,
}

/// Tells what happens.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// How much.
    pub voice: Voice,
}

impl Story {
    /// Something that everybody wants to know.
    pub fn say(self, text: &str) {
        if self.voice >= Voice::Normal {
            tell("", text);
        }
    }

    /// Something that is an error: those who hear nothing else hear this.
    pub fn fail(self, text: &str) {
        tell("", text);
    }

    /// A step, for those who want to see each.
    pub fn step(self, text: &str) {
        if self.voice == Voice::Loud {
            tell("* ", text);
        }
    }

    /// A step with its details.
    pub fn table(self, rows: &[(String, String)]) {
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in rows {
            self.step(&format!("    {:width$}  {}", safe(name), safe(value)));
        }
    }

    /// Some things that are not as they should be.
    pub fn warn_of<'a>(self, texts: impl IntoIterator<Item = &'a str>) {
        for text in texts {
            self.warn(text);
        }
    }

    /// Something that is not as it should be.
    pub fn warn(self, text: &str) {
        if self.voice >= Voice::Normal {
            tell("warning: ", text);
        }
    }
}

fn tell(before: &str, text: &str) {
    for line in text.lines() {
        terminal::error(&format!("{before}{}", safe(line)));
    }
}

/// A time in seconds since 1970, which may be a stranger's: the largest number is a time, too.
pub fn moment(seconds: u64) -> String {
    timestamp(seconds.saturating_mul(1000))
}

/// A text of a seller: safe, on one line, and not longer than a few lines should be.
pub fn said(text: &str) -> String {
    cut(text, 500)
}

/// A text of a seller: safe, on one line, and not longer than a line should be.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", cut(text, 200))
}

fn cut(text: &str, most: usize) -> String {
    let short: String = text.chars().take(most).collect();
    let more = if text.chars().nth(most).is_some() { "..." } else { "" };
    format!("{}{more}", safe(&short))
}

/// Content for a terminal: what would steer it is shown. Lines and tabs stay.
pub fn safe_content(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> =
        text.split('\n').map(|line| line.split('\t').map(safe).collect::<Vec<_>>().join("\t")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_seller_says_steers_the_terminal() {
        let hostile = "pay\u{1b}[2J\u{1b}]0;title\u{7} \u{202e}evil\u{200b}\u{9b}31m\r\u{e0041}";
        let shown = safe(hostile);
        assert!(shown.chars().all(|c| !c.is_control() && c.is_ascii()), "{shown}");
        assert!(shown.contains("\\u{1b}[2J") && shown.contains("\\u{202e}evil"), "{shown}");
        assert_eq!(safe("für 1 €"), "für 1 €");
        assert_eq!(safe_content("a\tb\n\u{1b}[1m\r\n".as_bytes()), "a\tb\n\\u{1b}[1m\\u{d}\n");
        assert!(quoted(&"x".repeat(500)).len() < 220);
        assert_eq!(safe("no\nwarning: pay again"), "no\\u{a}warning: pay again");
        assert!(moment(u64::MAX).ends_with('Z'), "a number of a stranger is no end of the program");
    }
}
