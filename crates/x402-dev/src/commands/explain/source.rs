//! What the word on the command line names.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use http::Uri;
use x402_sim::explain::explanation::Explanation;
use x402_wire::shape::shorten;

use super::instance::{self, Wanted};
use super::refused::Refused;
use super::{ExplainError, bought, visit};
use crate::check::Answer;
use crate::commands::door::Door;
use crate::commands::pay::address;
use crate::context::Context;
use crate::error::Error;
use crate::secret::{cleaned, is_like_a_key, is_secret_header};

/// The most that is read of a file or of stdin, in MiB: archives of browsers are large.
const LIMIT: usize = 32;

/// What a word names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
    /// An address that is asked once.
    Url(String),
    /// Something that a running instance knows.
    Instance(Wanted),
    /// A purchase of `x402-dev pay`, by its name.
    Purchase(String),
    /// The thing itself.
    Text(String),
}

/// What was found there.
#[derive(Debug)]
pub enum Found {
    /// A text.
    Text(String),
    /// An answer over HTTP.
    Answer(Box<Answer>),
    /// A refused payment of an instance.
    Refused(Box<Refused>),
    /// What an instance tells of something else.
    Story(Box<Explanation>),
    /// What an instance tells of a request without a payment, and what its client calls itself.
    Unpaid(Box<Explanation>, Option<String>),
}

impl Source {
    /// Tells words apart: a file that exists comes before what the word could be besides.
    pub fn of(context: &Context, word: &str) -> Self {
        let trimmed = word.trim();
        if trimmed == "-" {
            return Self::Stdin;
        }
        let lower = trimmed.get(..8).unwrap_or(trimmed).to_ascii_lowercase();
        if lower.starts_with("http://") || lower.starts_with("https://") {
            return Self::Url(trimmed.to_owned());
        }
        // A name of a file is short; a header is not looked for on the disk.
        let path = context.working_dir.join(word);
        if word.len() < 1024 && !word.contains('\n') && path.is_file() {
            return Self::File(path);
        }
        if bought::is_name(trimmed) {
            return Self::Purchase(trimmed.to_owned());
        }
        match Wanted::of(trimmed) {
            Some(wanted) => Self::Instance(wanted),
            None if looks_like_path(trimmed) => Self::File(path),
            None => Self::Text(word.to_owned()),
        }
    }

    /// What it is called in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "stdin".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Url(word) => cleaned(word),
            Self::Purchase(word) => word.clone(),
            Self::Instance(wanted) => wanted.name(),
            Self::Text(text) => named(text),
        }
    }

    /// Reads it.
    pub fn read(&self, context: &Context, door: &Door) -> Result<Found, Error> {
        match self {
            Self::Stdin | Self::File(_) | Self::Text(_) => self.read_text(context),
            Self::Url(url) => {
                let uri: Uri = address::parse(url).map_err(|why| ExplainError::BadUrl { url: cleaned(url), why })?;
                Ok(Found::Answer(Box::new(visit::ask(&uri)?)))
            }
            Self::Instance(wanted) => instance::find(context, door, wanted),
            Self::Purchase(id) => Ok(Found::Story(Box::new(bought::story(context, id)?))),
        }
    }

    /// Reads what is no address and no instance's.
    pub fn read_text(&self, _: &Context) -> Result<Found, Error> {
        let text = match self {
            Self::Stdin => self.take(io::stdin().lock())?,
            Self::File(path) => {
                let opened = File::open(path);
                self.take(opened.map_err(|source| ExplainError::Unreadable { name: self.name(), source })?)?
            }
            Self::Url(text) | Self::Text(text) => text.clone(),
            Self::Instance(_) | Self::Purchase(_) => String::new(),
        };
        Ok(Found::Text(text))
    }

    fn take(&self, source: impl Read) -> Result<String, ExplainError> {
        let mut bytes = Vec::new();
        let most = LIMIT * 1024 * 1024;
        let read = source.take(most as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|source| ExplainError::Unreadable { name: self.name(), source })?;
        if bytes.len() > most {
            return Err(ExplainError::TooLarge { name: self.name(), limit: LIMIT });
        }
        let text = in_unicode(&bytes);
        if text.trim().is_empty() {
            return Err(ExplainError::Empty { name: self.name() });
        }
        Ok(text)
    }
}

/// Bytes as text: UTF-8, or UTF-16 as `>` of PowerShell writes it.
fn in_unicode(bytes: &[u8]) -> String {
    let utf16 = |rest: &[u8], of: fn([u8; 2]) -> u16| {
        let (pairs, _) = rest.as_chunks();
        String::from_utf16_lossy(&pairs.iter().map(|pair| of(*pair)).collect::<Vec<_>>())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => String::from_utf8_lossy(rest).into_owned(),
    }
}

/// What a text is called in errors: by its beginning, unless that is a secret.
fn named(text: &str) -> String {
    if !text.contains(['{', ':', '=']) && is_like_a_key(text) {
        return "a text that may be a private key".to_owned();
    }
    match text.split_once(':') {
        Some((name, _)) if is_secret_header(name.trim()) => format!("the header `{}`", shorten(name.trim())),
        _ => format!("\"{}\"", shorten(&cleaned(text))),
    }
}

/// A short word that ends as names of files do: that there is no such file is what is wrong with it.
fn looks_like_path(word: &str) -> bool {
    let ends = [".json", ".har", ".txt", ".log", ".b64"];
    word.len() < 256
        && !word.contains([' ', '{', '\n'])
        && (ends.iter().any(|end| word.ends_with(end))
            || ["./", "../", "/", "~/"].iter().any(|start| word.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let context = Context::new("/nowhere", std::collections::BTreeMap::new());
        let of = |word: &str| Source::of(&context, word);
        assert_eq!(of("-"), Source::Stdin);
        assert!(matches!(of("HTTP://127.0.0.1:1/a"), Source::Url(_)));
        assert!(matches!(of("last"), Source::Instance(Wanted::Last)));
        assert!(matches!(of("pay_0123456789abcdef"), Source::Instance(Wanted::Payment(_))));
        assert!(matches!(of("pay_0123456789abcdef0123456789abcdef"), Source::Purchase(_)));
        for path in ["offer.json", "/no/such", "../up", "./here", "~/home"] {
            assert!(matches!(of(path), Source::File(_)), "{path}");
        }
        assert!(matches!(of("invalid_payload"), Source::Text(_)));
        assert!(matches!(of("{\"a.json\": 1}"), Source::Text(_)));
    }

    #[test]
    fn what_may_be_a_private_key_is_not_repeated() {
        let (context, key) = (Context::new("/nowhere", std::collections::BTreeMap::new()), "ab".repeat(32));
        for word in [key.clone(), format!("0x{key}"), format!("0X{key}"), format!(" {key}\n")] {
            assert!(!Source::of(&context, &word).name().contains("abab"), "{word}");
        }
        assert!(Source::of(&context, "abab").name().contains("abab"));
    }

    #[test]
    fn no_secret_of_a_word_is_repeated() {
        let context = Context::new("/nowhere", std::collections::BTreeMap::new());
        for word in [
            "http://127.0.0.1:1/a?token=s3cret",
            "http://user:s3cret@127.0.0.1:1/",
            "Authorization: Bearer s3cret-12",
            "Cookie: a=1; sid=s3cret",
            "apiKey=s3cret",
            &x402_sim::networks::solana::signature_text(&[7; 64]),
        ] {
            let name = Source::of(&context, word).name();
            assert!(
                !name.contains("s3cret") && !name.contains(&word[..word.len().min(20)]) || name.contains("://"),
                "{name}"
            );
            assert!(!name.contains("s3cret"), "{name}");
        }
    }

    #[test]
    fn texts_of_every_shell_are_read() {
        let wide = |of: fn(u16) -> [u8; 2]| "\u{feff}é{".encode_utf16().flat_map(of).collect::<Vec<_>>();
        for bytes in [wide(u16::to_le_bytes), wide(u16::to_be_bytes), "\u{feff}é{".into(), "é{".into()] {
            assert_eq!(in_unicode(&bytes), "é{");
        }
        // A byte that is left over, and bytes that are no text, are no reason to stop.
        assert_eq!(in_unicode(&[0xff, 0xfe, 0x61, 0, 0x62]), "a");
        assert_eq!(in_unicode(&[0xc3]), "\u{fffd}");
    }
}
