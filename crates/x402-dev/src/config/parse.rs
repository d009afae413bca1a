//! YAML to a tree of values: plain data only, with every value's place.
//!
//! It reads the parser's events, because they alone carry a number's text and both ends of every value. Tags,
//! directives, several documents and endless aliases have no use in a configuration and are refused.

use std::collections::HashMap;
use std::sync::Arc;

use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, ScanError, Span};

use super::error::Problem;
use super::tree::{Key, Node, Place, Scalar, Source, Style, Value};

/// How many values a file may have when its aliases are written out.
const MAX_VALUES: usize = 20_000;
const MAX_DEPTH: usize = 64;

/// Reads one document. `None` for a text without any value.
pub(super) fn parse(source: &Arc<Source>) -> Result<Option<Node>, Problem> {
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder = Builder { source, open: Vec::new(), anchors: HashMap::new(), root: None, values: 0 };
    for event in Parser::new_from_str_with_options(&source.text, options) {
        let (event, span) = event.map_err(|error| builder.syntax(&error))?;
        builder.take(event, span)?;
    }
    Ok(builder.root.filter(|root| !root.is_null()))
}

struct Builder<'a> {
    source: &'a Arc<Source>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    values: usize,
}

/// A list or a mapping whose end was not read yet.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<Key>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let place = self.place(span);
        match event {
            Event::Scalar(.., Some(_)) | Event::SequenceStart(.., Some(_)) | Event::MappingStart(.., Some(_)) => {
                Err(self.problem(span.tag_span().unwrap_or(span), "tags have no meaning here; leave it out"))
            }
            Event::Scalar(text, style, anchor, None) => {
                let style = if style == ScalarStyle::Plain { Style::Plain } else { Style::Quoted };
                let value = Value::Scalar(Scalar { text: text.into_owned(), style });
                self.put(Node { place, value }, anchor)
            }
            Event::SequenceStart(_, anchor, None) => self.open(place, Value::List(Vec::new()), anchor),
            Event::MappingStart(_, anchor, None) => self.open(place, Value::Mapping(Vec::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(self.problem(span, "a configuration is one document; this starts a second one"))
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, place: Place, value: Value, anchor: usize) -> Result<(), Problem> {
        if self.expects_key() {
            return Err(Problem::new("", "a key must be a single word, not a list or a mapping", place));
        }
        self.open.push(Open { node: Node { place, value }, anchor, key: None });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), Problem> {
        let Some(mut open) = self.open.pop() else { return Ok(()) };
        let end = span.end.byte_offset().unwrap_or_default();
        let range = &mut open.node.place.range;
        range.end = range.end.max(end.min(self.source.text.len()));
        self.put(open.node, open.anchor)
    }

    /// Puts a complete value where it belongs: it is a key, an item, a key's value, or the root.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        self.values += 1;
        if self.values > MAX_VALUES {
            let message = format!("there are more than {MAX_VALUES} values, counting those that aliases stand for");
            return Err(Problem::new("", message, node.place));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        if self.expects_key() {
            return self.key(node);
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open { node: Node { value: Value::List(items), .. }, .. }) => items.push(node),
            Some(Open { node: Node { value: Value::Mapping(entries), .. }, key, .. }) => {
                entries.extend(key.take().map(|key| (key, node)));
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        let last = self.open.last();
        last.is_some_and(|open| matches!(open.node.value, Value::Mapping(_)) && open.key.is_none())
    }

    fn key(&mut self, node: Node) -> Result<(), Problem> {
        let path = self.path();
        let (Some(open), Value::Scalar(scalar)) = (self.open.last_mut(), node.value) else {
            return Err(Problem::new(path, "a key must be a single word, not a list or a mapping", node.place));
        };
        if let Value::Mapping(entries) = &open.node.value
            && let Some((first, _)) = entries.iter().find(|(key, _)| key.text == scalar.text)
        {
            let message = format!("the key `{}` is here twice", scalar.text);
            return Err(Problem::new(join(&path, &scalar.text), message, node.place).and(&first.place, "first here"));
        }
        open.key = Some(Key { text: scalar.text, place: node.place });
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Problem> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(self.problem(span, "an alias cannot stand inside of what it stands for"));
        };
        self.values += count(node);
        if self.values > MAX_VALUES {
            return Err(self.problem(span, format!("the aliases stand for more than {MAX_VALUES} values")));
        }
        let node = node.clone();
        self.put(node, 0)
    }

    /// The path of what is being read.
    fn path(&self) -> String {
        let step = |path: String, open: &Open| match (&open.node.value, &open.key) {
            (Value::List(items), _) => format!("{path}[{}]", items.len()),
            (_, Some(key)) => join(&path, &key.text),
            _ => path,
        };
        self.open.iter().fold(String::new(), step)
    }

    fn place(&self, span: Span) -> Place {
        Place { source: Arc::clone(self.source), range: span.byte_range().unwrap_or_default() }
    }

    fn problem(&self, span: Span, message: impl Into<String>) -> Problem {
        Problem::new(self.path(), message, self.place(span))
    }

    fn syntax(&self, error: &ScanError) -> Problem {
        let at = error.marker().byte_offset().unwrap_or_default();
        let rest = self.source.text.get(at..).unwrap_or_default();
        let range = at..rest.chars().next().map_or(at, |c| at + c.len_utf8());
        let place = Place { source: Arc::clone(self.source), range };
        let info = error.info();
        if info.contains("recursion limit") {
            return Problem::new("", format!("lists and mappings are nested deeper than {MAX_DEPTH} levels"), place);
        }
        let problem = Problem::new("", format!("this is no YAML: {info}"), place);
        if rest.starts_with('\t') || info.contains("tabs ") || info.contains("tab cannot") {
            return problem.hinted("YAML is indented by spaces; replace the tab");
        }
        problem
    }
}

/// A key's path below another one.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn count(node: &Node) -> usize {
    1 + match &node.value {
        Value::Scalar(_) => 0,
        Value::List(items) => items.iter().map(count).sum::<usize>(),
        Value::Mapping(entries) => entries.iter().map(|(_, value)| count(value)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Project, loaded, problems};
    use super::super::{ConfigError, Paint};

    #[test]
    fn broken_yaml_is_refused_where_it_breaks() {
        let files = [
            "server:\n\tport: 1\n",
            "server:\n  port: 1\n port: 2\n",
            "a: b: c\n",
            "networks: [base\nseed: 1\n",
            "price: \"open\n",
            "seed: *nobody\n",
            "seed: @1\n",
            "%YAML 1.2\n---\nseed: 1\n",
            "seed: !!int 1\n",
            "seed: 1\n---\nseed: 2\n",
            "? [a, b]\n: 1\n",
            "? {a: b}\n: 1\n",
            "accepts: &a [*a]\n",
        ];
        insta::assert_snapshot!(files.map(problems).join("\n"), @r"
            .x402dev.yaml:2:2: this is no YAML: tabs disallowed within this context (block indentation) [YAML is indented by spaces; replace the tab]
            .x402dev.yaml:3:2: this is no YAML: while parsing a block mapping, did not find expected key
            .x402dev.yaml:1:5: this is no YAML: mapping values are not allowed in this context
            .x402dev.yaml:2:5: this is no YAML: illegal placement of ':' indicator
            .x402dev.yaml:1:8: this is no YAML: unclosed quote
            .x402dev.yaml:1:7: this is no YAML: while parsing node, found unknown anchor
            .x402dev.yaml:1:7: this is no YAML: unexpected character: `@'
            .x402dev.yaml:1:1: this is no YAML: YAML directives are disallowed
            .x402dev.yaml:1:7: seed: tags have no meaning here; leave it out
            .x402dev.yaml:2:1: a configuration is one document; this starts a second one
            .x402dev.yaml:1:3: a key must be a single word, not a list or a mapping
            .x402dev.yaml:1:3: a key must be a single word, not a list or a mapping
            .x402dev.yaml:1:14: accepts[0]: an alias cannot stand inside of what it stands for
        ");
    }

    #[test]
    fn a_key_that_is_there_twice_is_drawn_with_both_places() {
        let yaml = "server:\n  port: 1\nseed: 5\nserver:\n  host: 127.0.0.1\n";
        insta::assert_snapshot!(problems(yaml), @".x402dev.yaml:4:1: server: the key `server` is here twice");
        insta::assert_snapshot!(Project::new().yaml(yaml).load().unwrap_err().draw(Paint::Plain), @r"
            error: server: the key `server` is here twice
             --> .x402dev.yaml:4:1
              |
            1 | server:
              | ------ first here
            ...
            4 | server:
              | ^^^^^^
        ");
        insta::assert_snapshot!(problems("resources:\n  - match: /a\n    price: 1\n    price: 2\n"), @".x402dev.yaml:4:5: resources[0].price: the key `price` is here twice");
    }

    #[test]
    fn deep_nesting_and_alias_bombs_are_refused() {
        let deep = format!("resources: {}", "[".repeat(10_000));
        insta::assert_snapshot!(problems(&deep), @".x402dev.yaml:1:76: lists and mappings are nested deeper than 64 levels");
        let mut bomb = "resources:\n  - &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..=9 {
            let below = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.extend(["  - &a", &level.to_string(), " [", &below, "]\n"]);
        }
        insta::assert_snapshot!(problems(&bomb), @".x402dev.yaml:6:10: resources[4][0]: the aliases stand for more than 20000 values");
        let many = format!("dialects: [{}]", "x,".repeat(30_000));
        insta::assert_snapshot!(problems(&many), @".x402dev.yaml:1:40010: there are more than 20000 values, counting those that aliases stand for");
    }

    #[test]
    fn aliases_stand_for_what_they_name() {
        let config = loaded("resources:\n  - {match: /a, price: &p 2}\n  - {match: /b, price: *p}\n").config;
        let amount = |path| config.resources.find("GET", path).unwrap().1.accepts[0].amount.to_string();
        assert_eq!((amount("/a"), amount("/b")), ("2000000".to_owned(), "2000000".to_owned()));
    }

    #[test]
    fn files_that_say_nothing_are_fine() {
        for yaml in ["", "# nothing\n", "---\n", "\u{feff}seed:\r\n", "{}", "server:\npricing: ~\nseed: null\n"] {
            assert_eq!(loaded(yaml).config.server.port, 3402, "{yaml:?}");
        }
        assert_eq!(loaded("\u{feff}server:\r\n  port: 81\r\n").config.server.port, 81);
    }

    #[test]
    fn what_is_written_cannot_command_a_terminal() {
        let error = Project::new().yaml("\"\\e[31mred\": 1\n").load().unwrap_err();
        assert!(matches!(error, ConfigError::Invalid { .. }));
        let variable = Project::new().variable("X402_DEV_PRICING__DEFAULT", "\u{1b}[31m1\u{7}").load().unwrap_err();
        for text in [error.to_string(), error.draw(Paint::Plain), variable.to_string(), variable.draw(Paint::Plain)] {
            assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
        }
    }
}
