//! Quotation marks, of languages and of shells, and where what stands in them ends.

/// The deepest a mark is escaped: JSON in JSON in JSON in JSON.
const DEEPEST: usize = 15;

/// What stands before a mark in Python and Rust: `b'...'`, `rb"..."`.
const PREFIX: usize = 2;

/// A quotation mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quote {
    mark: char,
    /// How many backslashes stand before it.
    escapes: usize,
    /// Three at once are one in Python.
    marks: usize,
}

/// Over how many lines what is quoted may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    One,
    Many,
}

/// Where what is quoted ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    /// Before the mark.
    pub inner: usize,
    /// Behind it. The same where there is none.
    pub outer: usize,
}

impl Quote {
    /// The mark that a text ends with.
    pub(super) fn before(text: &str) -> Option<Self> {
        let mark = text.chars().next_back().filter(|c| matches!(c, '"' | '\''))?;
        let bare = &text[..text.len() - 1];
        let escapes = bare.len() - bare.trim_end_matches('\\').len();
        Some(Self { mark, escapes, marks: 1 })
    }

    /// The mark that a text begins with, perhaps behind the letters of a language; and where it ends.
    pub(super) fn opening(text: &str) -> Option<(Self, usize)> {
        let bytes = text.as_bytes();
        let count = |begin: usize, most: usize, is: fn(&u8) -> bool| {
            bytes[begin.min(bytes.len())..].iter().take(most).take_while(|byte| is(byte)).count()
        };
        let letters = count(0, PREFIX + 1, u8::is_ascii_alphabetic);
        let escapes = count(letters, DEEPEST + 1, |byte| *byte == b'\\');
        let begin = letters + escapes;
        let mark = *bytes.get(begin).filter(|byte| b"\"'`".contains(byte))?;
        if letters > PREFIX || escapes > DEEPEST || (letters > 0 && mark == b'`') {
            return None;
        }
        let marks = if escapes == 0 && bytes[begin..].starts_with(&[mark; 3]) { 3 } else { 1 };
        Some((Self { mark: char::from(mark), escapes, marks }, begin + marks))
    }

    /// Whether a text begins with this mark.
    pub(super) fn begins(self, text: &str) -> bool {
        let bare = text.trim_start_matches('\\');
        text.len() - bare.len() == self.escapes && bare.starts_with(self.mark)
    }

    /// Where it closes in what stands behind it: at the first that is not escaped once more, or at the end of the line.
    pub(super) fn closing(self, text: &str, lines: Lines) -> Closed {
        let mut escapes = 0;
        for (at, c) in text.char_indices() {
            match c {
                '\\' => {
                    escapes += 1;
                    continue;
                }
                '\n' if lines == Lines::One => return Closed { inner: at, outer: at },
                // A backslash that is itself escaped escapes no mark.
                _ if c == self.mark && escapes % (2 * (self.escapes + 1)) == self.escapes => {
                    let behind = &text[at..];
                    if behind.bytes().take(self.marks).filter(|byte| char::from(*byte) == c).count() == self.marks {
                        return Closed { inner: at - self.escapes, outer: at + self.marks };
                    }
                }
                _ => {}
            }
            escapes = 0;
        }
        Closed { inner: text.len(), outer: text.len() }
    }

    /// How long a value is that this mark closes. In a shell a word goes on behind it: `'a'\''b'`, `'a'"$B"`.
    pub(super) fn word(self, text: &str) -> usize {
        let mut end = self.closing(text, Lines::One);
        if end.inner == end.outer {
            return end.inner;
        }
        loop {
            let behind = &text[end.outer..];
            let escapes = behind.len() - behind.trim_start_matches('\\').len();
            let next = behind[escapes..].chars().next().unwrap_or_default();
            let own = if matches!(next, '"' | '\'') {
                let mark = Self { mark: next, escapes: if next == self.mark { self.escapes } else { 0 }, marks: 1 };
                if escapes < mark.escapes || (escapes == mark.escapes && closes_another(&behind[escapes + 1..])) {
                    return end.inner;
                }
                let begin = escapes + 1;
                if escapes > mark.escapes {
                    Closed { inner: begin, outer: begin }
                } else {
                    let own = mark.closing(&behind[begin..], Lines::One);
                    // The last mark stays where it is the one that the first was.
                    let inner = if mark == self { own.inner } else { own.outer };
                    Closed { inner: begin + inner, outer: begin + own.outer }
                }
            } else {
                let length = if escapes > 0 { 0 } else { bare(behind) };
                if length == 0 {
                    return end.inner;
                }
                Closed { inner: length, outer: length }
            };
            end = Closed { inner: end.outer + own.inner, outer: end.outer + own.outer };
        }
    }
}

/// Whether a mark with this behind it closes what stands around, and opens nothing: `{"run": "curl -H 'Cookie: a=b'"}`.
fn closes_another(behind: &str) -> bool {
    behind.is_empty() || behind.starts_with([',', '}', ']', ')', ':', '\n', '\r'])
}

/// How long what stands in a shell's word without quotes is.
fn bare(text: &str) -> usize {
    let end = match text.as_bytes() {
        [b'$', b'{', ..] => text.find(['}', '\n']),
        [b'$', b'(', ..] => text.find([')', '\n']),
        _ => {
            let is_bare = |c: char| c.is_alphanumeric() || "_=$%+@~/-".contains(c);
            let length = text.find(|c| !is_bare(c)).unwrap_or(text.len());
            // The next of them begins another part.
            return text[..length].rfind('$').filter(|at| *at > 0).unwrap_or(length);
        }
    };
    end.map_or(text.len(), |at| if text.as_bytes()[at] == b'\n' { at } else { at + 1 })
}
