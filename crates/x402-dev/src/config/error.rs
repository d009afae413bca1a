//! Why a configuration is refused, and where.

use std::fmt;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::origin::Origin;
use super::tree::{Place, Source, SourceName};
use crate::exit::Exit;
use crate::terminal::safe;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was asked for does not exist.
    #[error("there is no file {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A directory stands where a file is expected.
    #[error("{} is a directory, not a configuration file", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// A file is too large to be a configuration.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file is not UTF-8.
    #[error("{}:{line}:{column}: the byte 0x{byte:02x} is not UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// Where, in characters from 1.
        column: usize,
        /// The first byte that is wrong.
        byte: u8,
    },
    /// What is said is wrong.
    #[error("{}", summary(problems))]
    Invalid {
        /// What was found, at most 20 problems, those of one source in the order of their places. Never empty.
        problems: Vec<Problem>,
    },
}

/// One thing that is wrong in a configuration.
#[derive(Clone, Debug)]
pub struct Problem {
    key: String,
    message: String,
    place: Place,
    also: Option<Box<(Place, String)>>,
    hint: Option<String>,
}

/// Whether a drawing has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Text only.
    Plain,
    /// With terminal colours.
    Coloured,
}

impl ConfigError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => {
                Some("`x402-dev mock` needs no file; leave `--config` out to start without".to_owned())
            }
            Self::Read { .. } => Some("check that the file may be read".to_owned()),
            Self::Directory { .. } => Some("move the directory away, or name a file with `--config`".to_owned()),
            Self::TooLarge { .. } => {
                Some("move large answers to files of their own: `response: {file: ...}`".to_owned())
            }
            Self::NotText { .. } => Some("save the file as UTF-8".to_owned()),
            Self::Invalid { problems } => problems.iter().find_map(|problem| problem.hint.clone()),
        }
    }

    /// The exit code: always [`Exit::Config`].
    pub fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. }
            | Self::Read { .. }
            | Self::Directory { .. }
            | Self::TooLarge { .. }
            | Self::NotText { .. }
            | Self::Invalid { .. } => Exit::Config,
        }
    }

    /// What is wrong, with the offending lines and carets under them. It has the hints, and several lines.
    pub fn draw(&self, paint: Paint) -> String {
        let renderer = if paint == Paint::Coloured { Renderer::styled() } else { Renderer::plain() };
        if let Self::Invalid { problems } = self {
            let drawings: Vec<String> = problems.iter().map(|problem| renderer.render(&[problem.group()])).collect();
            return drawings.join("\n\n");
        }
        let group = Group::with_title(Level::ERROR.primary_title(self.to_string()));
        renderer.render(&[group.elements(self.hint().map(|hint| Level::HELP.message(hint)))])
    }
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, message: impl Into<String>, place: Place) -> Self {
        Self { key: safe(&key.into()), message: safe(&message.into()), place, also: None, hint: None }
    }

    /// Adds a second place that has to do with it.
    pub(super) fn and(mut self, place: &Place, label: &str) -> Self {
        self.also = Some(Box::new((place.clone(), label.to_owned())));
        self
    }

    /// Moves it to a place where somebody can change it.
    pub(super) fn at(mut self, place: &Place) -> Self {
        self.place = place.clone();
        self
    }

    pub(super) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(safe(&hint.into()));
        self
    }

    /// The path of the key: `resources[2].price`; empty where the file as a whole is meant.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is wrong, as a lowercase fragment.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Where it stands.
    pub fn origin(&self) -> Origin {
        self.place.origin()
    }

    /// Which source it is about; equal for the same one only.
    pub(super) fn source(&self) -> *const Source {
        std::sync::Arc::as_ptr(&self.place.source)
    }

    /// Where it starts in its source, in bytes.
    pub(super) fn start(&self) -> usize {
        self.place.range.start
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.source() == other.source()
            && self.place.range == other.place.range
            && self.message == other.message
            && self.key == other.key
    }

    fn title(&self) -> String {
        if self.key.is_empty() { self.message.clone() } else { format!("{}: {}", self.key, self.message) }
    }

    fn group(&self) -> Group<'_> {
        let group = Group::with_title(Level::ERROR.primary_title(self.title()));
        let group = match self.also.as_deref() {
            Some((place, label)) if std::sync::Arc::ptr_eq(&place.source, &self.place.source) => {
                let second = AnnotationKind::Context.span(first_line(place)).label(label.as_str());
                group.element(snippet(&self.place).annotation(second))
            }
            Some((place, label)) => {
                let second = AnnotationKind::Primary.span(first_line(place)).label(label.as_str());
                group.element(snippet(&self.place)).element(file(place).annotation(second))
            }
            None if self.place.is_default() => group,
            None => group.element(snippet(&self.place)),
        };
        group.elements(self.hint.as_ref().map(|hint| Level::HELP.message(hint.as_str())))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.origin(), self.title())
    }
}

fn summary(problems: &[Problem]) -> String {
    let first = problems.first().map(ToString::to_string).unwrap_or_default();
    match problems.len() {
        0 | 1 => first,
        2 => format!("{first} (and 1 more problem)"),
        more => format!("{first} (and {} more problems)", more - 1),
    }
}

fn snippet(place: &Place) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    file(place).annotation(AnnotationKind::Primary.span(first_line(place)))
}

fn file(place: &Place) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    let name = match &place.source.name {
        SourceName::Default => "defaults".to_owned(),
        SourceName::File(path) => path.display().to_string(),
        SourceName::Environment(variable) => variable.clone(),
        SourceName::Flag(flag) => (*flag).to_owned(),
    };
    Snippet::source(place.source.text.as_str()).path(name)
}

/// The part of a place on its first line, so that a caret stands under one line.
fn first_line(place: &Place) -> std::ops::Range<usize> {
    let text = &place.source.text;
    let start = place.range.start.min(text.len());
    let rest = &text[start..place.range.end.clamp(start, text.len())];
    start..start + rest.find('\n').unwrap_or(rest.len())
}
