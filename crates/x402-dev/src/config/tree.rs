//! What a layer says, before it means anything: texts, lists and mappings, each with the place where it stands.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::origin::Origin;

/// A text in which values stand.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: SourceName,
    pub(super) text: String,
}

/// Where a text came from.
#[derive(Debug)]
pub(super) enum SourceName {
    /// It is built in.
    Default,
    /// A file, as it was named or found.
    File(PathBuf),
    /// The environment variable of this name.
    Environment(String),
    /// The flag of this name.
    Flag(&'static str),
}

/// A piece of a source, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) source: Arc<Source>,
    pub(super) range: Range<usize>,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

/// A value without parts, by its text.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes: it may be a number, `true` or nothing.
    Plain,
    /// In quotes or as a block: it is text.
    Quoted,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) place: Place,
}

impl Source {
    pub(super) fn new(name: SourceName, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name, text: text.into() })
    }
}

impl Place {
    /// All of a source.
    pub(super) fn whole(source: Arc<Source>) -> Self {
        let range = 0..source.text.len();
        Self { source, range }
    }

    /// The line and the column where the place starts, from 1; the column counts characters.
    pub(super) fn line_and_column(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.range.start).unwrap_or(&self.source.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    pub(super) fn origin(&self) -> Origin {
        let (line, column) = self.line_and_column();
        match &self.source.name {
            SourceName::Default => Origin::Default,
            SourceName::File(path) => Origin::File { path: path.clone(), line, column },
            SourceName::Environment(variable) => Origin::Environment { variable: variable.clone() },
            SourceName::Flag(flag) => Origin::Flag { flag },
        }
    }

    pub(super) fn is_default(&self) -> bool {
        matches!(self.source.name, SourceName::Default)
    }
}

impl Node {
    /// A scalar that is all of a source, read as if it stood in a file without quotes.
    pub(super) fn scalar(source: Arc<Source>) -> Self {
        let value = Value::Scalar(Scalar { text: source.text.clone(), style: Style::Plain });
        Self { place: Place::whole(source), value }
    }

    /// A mapping that says nothing.
    pub(super) fn nothing(source: Arc<Source>) -> Self {
        Self { place: Place::whole(source), value: Value::Mapping(Vec::new()) }
    }

    /// Whether nothing was said: `null`, `~` or nothing at all.
    pub(super) fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar(Scalar { text, style: Style::Plain }) => {
                ["", "~", "null", "Null", "NULL"].contains(&text.as_str())
            }
            _ => false,
        }
    }

    /// What is wrong about this value in a message: `a list`.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            _ if self.is_null() => "nothing",
            Value::Scalar(Scalar { style: Style::Plain, .. }) => "a value",
            Value::Scalar(_) => "a text",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// The value at a path of keys: `server.port`. `None` where nothing is said.
    pub(super) fn at(&self, path: &str) -> Option<&Self> {
        let found = path.split('.').try_fold(self, |node, key| match &node.value {
            Value::Mapping(entries) => entries.iter().find(|(own, _)| own.text == key).map(|(_, value)| value),
            _ => None,
        });
        found.filter(|node| !node.is_null())
    }

    /// Puts a value at a path of keys of which none is there yet.
    pub(super) fn insert(&mut self, path: &str, node: Self) {
        let Value::Mapping(entries) = &mut self.value else { return };
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let position = entries.iter().position(|(key, _)| key.text == first).unwrap_or_else(|| {
            let key = Key { text: first.to_owned(), place: node.place.clone() };
            entries.push((key, Self { place: node.place.clone(), value: Value::Mapping(Vec::new()) }));
            entries.len() - 1
        });
        match rest {
            Some(rest) => entries[position].1.insert(rest, node),
            None => entries[position].1 = node,
        }
    }

    /// Lets another layer speak over this one, key by key. Lists are replaced; who says nothing changes nothing.
    pub(super) fn merge(&mut self, over: Self) {
        match (&mut self.value, over.value) {
            (Value::Mapping(entries), Value::Mapping(over)) => {
                for (key, node) in over {
                    match entries.iter_mut().find(|(own, _)| own.text == key.text) {
                        Some((_, own)) => own.merge(node),
                        None => entries.push((key, node)),
                    }
                }
            }
            (_, value) => {
                let over = Self { place: over.place, value };
                if !over.is_null() {
                    *self = over;
                }
            }
        }
    }
}
