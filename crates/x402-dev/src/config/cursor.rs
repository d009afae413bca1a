//! Reading values out of a tree, with the path and the place of everything that is wrong.
//!
//! Every reading function returns `None` exactly when a problem was noted, so that reading goes on behind it.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::error::Problem;
use super::nearest;
use super::parse::join;
use super::tree::{Key, Node, Scalar, Style, Value};

/// How many problems are reported at most: each is drawn with its lines.
const MAX_PROBLEMS: usize = 20;

/// What was found to be wrong so far, and where relative paths start.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: RefCell<Vec<Problem>>,
    base: PathBuf,
}

impl Problems {
    /// No problems so far; relative paths start in a directory.
    pub(super) fn new(base: &Path) -> Self {
        Self { found: RefCell::default(), base: base.to_owned() }
    }

    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    pub(super) fn note(&self, problem: Problem) {
        let mut found = self.found.borrow_mut();
        if found.len() < MAX_PROBLEMS && !found.iter().any(|known| known.is_same(&problem)) {
            found.push(problem);
        }
    }

    /// Every problem; those of one source in the order of their places.
    pub(super) fn into_vec(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        let sources: Vec<_> = found.iter().map(Problem::source).collect();
        let order = |problem: &Problem| sources.iter().position(|source| *source == problem.source());
        found.sort_by_key(|problem| (order(problem), problem.start()));
        found
    }
}

/// A problem was noted: the error of readers whose value is itself optional.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noted;

/// A value in a tree, with the path of the keys that lead to it.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    pub(super) node: &'a Node,
    pub(super) path: String,
    pub(super) problems: &'a Problems,
}

/// The entries of a mapping whose keys are known.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    pub(super) cursor: Cursor<'a>,
    entries: &'a [(Key, Node)],
}

impl<'a> Cursor<'a> {
    pub(super) fn root(node: &'a Node, problems: &'a Problems) -> Self {
        Self { node, path: String::new(), problems }
    }

    /// A problem with this value, to be noted by [`Cursor::refuse`].
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.path.clone(), message, self.node.place.clone())
    }

    /// Notes a problem.
    pub(super) fn refuse<T>(&self, problem: Problem) -> Option<T> {
        self.problems.note(problem);
        None
    }

    fn wrong_kind<T>(&self, expected: &str) -> Option<T> {
        self.refuse(self.problem(format!("expected {expected}, found {}", self.node.kind())))
    }

    /// The entries of a mapping; unknown keys are noted, and the known ones can be read nevertheless.
    pub(super) fn fields(&self, known: &[&'static str]) -> Option<Fields<'a>> {
        let entries = self.mapping()?;
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
            let message = format!("there is no key `{}` here", key.text);
            let problem = Problem::new(join(&self.path, &key.text), message, key.place.clone());
            self.problems.note(match nearest(&key.text, known.iter().copied()) {
                Some(name) => problem.hinted(format!("did you mean `{name}`?")),
                None => problem.hinted(format!("known keys are {}", names(known))),
            });
        }
        Some(Fields { cursor: self.clone(), entries })
    }

    /// The entries of a mapping with any keys.
    pub(super) fn mapping(&self) -> Option<&'a [(Key, Node)]> {
        match &self.node.value {
            Value::Mapping(entries) => Some(entries),
            _ => self.wrong_kind("a mapping"),
        }
    }

    /// The items of a list.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let items = match &self.node.value {
            Value::List(items) => items,
            Value::Scalar(Scalar { text, .. }) if !self.node.is_null() => {
                let problem = self.problem(format!("expected a list, found {}", self.node.kind()));
                return self.refuse(problem.hinted(format!("write `[{text}]`")));
            }
            Value::Mapping(_) => {
                let problem = self.problem("expected a list, found a mapping".to_owned());
                return self.refuse(problem.hinted("write each entry as an item that begins with `- `".to_owned()));
            }
            Value::Scalar(_) => return self.wrong_kind("a list"),
        };
        let item = |(at, node)| Self { node, path: format!("{}[{at}]", self.path), problems: self.problems };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The items of a list that has at least one.
    pub(super) fn list_of_some(&self, why: &str) -> Option<Vec<Self>> {
        let items = self.list()?;
        if items.is_empty() { self.refuse(self.problem(format!("the list is empty; {why}"))) } else { Some(items) }
    }

    /// The text of a value without parts, as it was written.
    pub(super) fn text(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Scalar(scalar) if !self.node.is_null() => Some(&scalar.text),
            _ => self.wrong_kind("a text"),
        }
    }

    /// A whole number in decimal digits, within limits.
    pub(super) fn number(&self, limits: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let expected = format!("a whole number from {} to {}", limits.start(), limits.end());
        let Value::Scalar(Scalar { text, style: Style::Plain }) = &self.node.value else {
            return self.wrong_kind(&expected);
        };
        let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| all_digits && limits.contains(number));
        number.or_else(|| self.refuse(self.problem(format!("`{text}` is not {expected}"))))
    }

    /// One of several names.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*choice);
        }
        let all: Vec<&'static str> = choices.iter().map(|(name, _)| *name).collect();
        let problem = self.problem(format!("`{text}` is not one of {}", names(&all)));
        self.refuse(match nearest(text, all) {
            Some(name) => problem.hinted(format!("did you mean `{name}`?")),
            None => problem,
        })
    }
}

impl<'a> Fields<'a> {
    /// The value of a key; `None` where nothing is said.
    pub(super) fn get(&self, name: &str) -> Option<Cursor<'a>> {
        let (_, node) = self.entries.iter().find(|(key, node)| key.text == name && !node.is_null())?;
        Some(Cursor { node, path: join(&self.cursor.path, name), problems: self.cursor.problems })
    }

    /// The value of a key that must be there.
    pub(super) fn require(&self, name: &str) -> Option<Cursor<'a>> {
        self.get(name).or_else(|| self.cursor.refuse(self.cursor.problem(format!("the key `{name}` is missing here"))))
    }
}

/// Names for a message: "`a`, `b` and `c`".
pub(super) fn names(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Paint;
    use super::super::tests::{Project, problems};

    #[test]
    fn unknown_keys_name_the_nearest_known_one_and_all_are_reported() {
        let yaml = "prices:\n  default: 1\nserver:\n  prot: 1\n  port: 2\nresources:\n- {match: /a, pice: 1}\n- {match: /b, zzzzzz: 1}\n";
        insta::assert_snapshot!(problems(yaml), @r"
            .x402dev.yaml:1:1: prices: there is no key `prices` here [did you mean `pricing`?]
            .x402dev.yaml:4:3: server.prot: there is no key `prot` here [did you mean `port`?]
            .x402dev.yaml:7:15: resources[0].pice: there is no key `pice` here [did you mean `price`?]
            .x402dev.yaml:8:15: resources[1].zzzzzz: there is no key `zzzzzz` here [known keys are `match`, `price`, `accepts`, `description`, `mime_type` and `response`]
        ");
    }

    #[test]
    fn a_problem_is_drawn_with_a_caret() {
        let error = Project::new().yaml("prcing:\n  default: $0.01\nserver:\n  port: http\n").load().unwrap_err();
        insta::assert_snapshot!(error.draw(Paint::Plain), @r"
            error: prcing: there is no key `prcing` here
             --> .x402dev.yaml:1:1
              |
            1 | prcing:
              | ^^^^^^
              |
              = help: did you mean `pricing`?

            error: server.port: `http` is not a whole number from 0 to 65535
             --> .x402dev.yaml:4:9
              |
            4 |   port: http
              |         ^^^^
        ");
        insta::assert_snapshot!(error, @".x402dev.yaml:1:1: prcing: there is no key `prcing` here (and 1 more problem)");
        assert_eq!(error.hint().as_deref(), Some("did you mean `pricing`?"));
        assert!(error.draw(Paint::Coloured).contains('\u{1b}'));
    }

    #[test]
    fn a_flood_of_problems_is_cut_and_drawn_quickly() {
        let yaml = (0..2_000).map(|at| format!("key{at}: 1")).collect::<Vec<_>>().join("\n");
        let text = problems(&yaml);
        assert_eq!(text.lines().count(), super::MAX_PROBLEMS);
        assert!(Project::new().yaml(&yaml).load().unwrap_err().draw(Paint::Plain).contains("key19"));
    }

    #[test]
    fn wrong_kinds_are_refused() {
        let files = [
            "server: []\n",
            "server:\n  port: \"8080\"\n",
            "server:\n  port: [1]\n",
            "server:\n  port: -1\n",
            "server:\n  port: 65536\n",
            "server:\n  port: 0x10\n",
            "server:\n  host: {a: b}\n",
            "server:\n  host: localhost\n",
            "server:\n  facilitator: prefix\n",
            "seed: 18446744073709551616\n",
            "seed: 1.5\n",
            "networks: base\n",
            "networks: []\n",
            "networks: [~]\n",
            "networks: [[base]]\n",
            "dialects: []\n",
            "dialects: [x402v2, x402v2]\n",
            "dialects: [x402]\n",
            "verification: true\n",
            "timeout_delay: 5\n",
            "timeout_delay: 11m\n",
            "timeout_delay: 99999999999999999999s\n",
            "timeout_delay: -5s\n",
            "timeout_delay: 1.5s\n",
            "accounts: {balance: lots}\n",
            "accounts: {balance: -1}\n",
            "accounts: {balance: 0.0000001}\n",
            "accounts: {unknown: rich}\n",
            "log: {level: debug, format: xml}\n",
            "resources: {match: /a}\n",
            "resources: [/a]\n",
        ];
        insta::assert_snapshot!(files.map(problems).join("\n"), @r"
            .x402dev.yaml:1:9: server: expected a mapping, found a list
            .x402dev.yaml:2:9: server.port: expected a whole number from 0 to 65535, found a text
            .x402dev.yaml:2:9: server.port: expected a whole number from 0 to 65535, found a list
            .x402dev.yaml:2:9: server.port: `-1` is not a whole number from 0 to 65535
            .x402dev.yaml:2:9: server.port: `65536` is not a whole number from 0 to 65535
            .x402dev.yaml:2:9: server.port: `0x10` is not a whole number from 0 to 65535
            .x402dev.yaml:2:9: server.host: expected a text, found a mapping
            .x402dev.yaml:2:9: server.host: `localhost` is not an IP address [write 127.0.0.1 for this machine only, 0.0.0.0 for every IPv4 interface, or ::1]
            .x402dev.yaml:2:16: server.facilitator: `prefix` is not one of `bare` and `prefixed` [did you mean `prefixed`?]
            .x402dev.yaml:1:7: seed: `18446744073709551616` is not a whole number from 0 to 18446744073709551615
            .x402dev.yaml:1:7: seed: `1.5` is not a whole number from 0 to 18446744073709551615
            .x402dev.yaml:1:11: networks: expected a list, found a value [write `[base]`]
            .x402dev.yaml:1:11: networks: the list is empty; name at least one network
            .x402dev.yaml:1:12: networks[0]: expected a text, found nothing
            .x402dev.yaml:1:12: networks[0]: expected a text, found a list
            .x402dev.yaml:1:11: dialects: the list is empty; name at least one of `x402v2`, `x402v1` and `invoice`
            .x402dev.yaml:1:20: dialects[1]: `x402v2` is here twice
            .x402dev.yaml:1:12: dialects[0]: `x402` is not one of `x402v2`, `x402v1` and `invoice` [did you mean `x402v2`?]
            .x402dev.yaml:1:15: verification: `true` is not one of `strict`, `accept`, `reject` and `timeout`
            .x402dev.yaml:1:16: timeout_delay: `5` is not a duration [write a whole number with its unit: `500ms`, `5s` or `1m`]
            .x402dev.yaml:1:16: timeout_delay: `11m` is longer than the limit of 10 minutes
            .x402dev.yaml:1:16: timeout_delay: `99999999999999999999s` is not a duration [write a whole number with its unit: `500ms`, `5s` or `1m`]
            .x402dev.yaml:1:16: timeout_delay: `-5s` is not a duration [write a whole number with its unit: `500ms`, `5s` or `1m`]
            .x402dev.yaml:1:16: timeout_delay: `1.5s` is not a duration [write a whole number with its unit: `500ms`, `5s` or `1m`]
            .x402dev.yaml:1:21: accounts.balance: `lots` is not a number [write whole units, such as `1000000` or `2.5`]
            .x402dev.yaml:1:21: accounts.balance: `-1` is negative [write whole units, such as `1000000` or `2.5`]
            .x402dev.yaml:1:21: accounts.balance: 0.0000001 has more than the 6 decimals that the asset can hold: USDC on Base Sepolia (eip155:84532)
            .x402dev.yaml:1:21: accounts.unknown: `rich` is not one of `funded` and `empty`
            .x402dev.yaml:1:14: log.level: `debug` is not one of `quiet`, `normal` and `verbose`
            .x402dev.yaml:1:29: log.format: `xml` is not one of `text` and `json`
            .x402dev.yaml:1:12: resources: expected a list, found a mapping [write each entry as an item that begins with `- `]
            .x402dev.yaml:1:13: resources[0]: expected a mapping, found a value
        ");
    }
}
