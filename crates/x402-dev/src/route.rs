//! Route patterns and request paths, as the official servers compare them.
//!
//! Source: TS 2.27 core `src/http/x402HTTPResourceServer.ts`, `parseRoutePattern` and `normalizePath`. Where several
//! patterns match, the official servers take the first that was registered; we take the most specific one.

use std::cmp::{Ordering, Reverse};
use std::fmt;

mod path;
mod table;

pub use path::normalise_path;
pub use table::{EqualRoutes, RouteTable};

use path::normalise;

/// The facilitator's paths, reserved at the root unless the facilitator is only served under `/facilitator`.
pub const FACILITATOR_PATHS: [&str; 6] =
    ["/verify", "/settle", "/supported", "/discovery/resources", "/discovery/search", "/health"];

/// Where the facilitator's paths are always reserved.
pub const FACILITATOR_PREFIX: &str = "/facilitator";

/// Everything under this path belongs to the server itself.
pub const ADMIN_PREFIX: &str = "/_x402";

/// A pattern of methods and paths: `GET /api/*`, `/users/[id]`, `POST /users/:id`, `*`.
#[derive(Clone, Debug)]
pub struct Route {
    source: String,
    method: Option<String>,
    steps: Vec<Step>,
    segments: Vec<Segment>,
}

/// Why a text is no route pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Nothing was written.
    #[error("the pattern is empty; write `/path` or `GET /path`")]
    Empty,
    /// More words than a method and a path.
    #[error("`{text}` has more than a method and a path; a space in a path cannot be matched")]
    TooManyWords {
        /// What was written.
        text: String,
    },
    /// The method is no HTTP token.
    #[error("`{method}` is not an HTTP method")]
    Method {
        /// What was written in its place.
        method: String,
    },
    /// The path starts with neither `/` nor `*`.
    #[error("the path `{path}` must start with `/`")]
    NoSlash {
        /// What was written.
        path: String,
    },
    /// A `[` without its `]`, or nothing between them.
    #[error("`[` in `{path}` must be closed by `]` around a name")]
    Bracket {
        /// What was written.
        path: String,
    },
    /// Requests are compared in another form, so that the pattern would match nothing that is well-formed.
    #[error("`{path}` is not in the form in which requests are compared; write `{normal}`")]
    NotNormal {
        /// What was written.
        path: String,
        /// How a request with this path would be compared.
        normal: String,
    },
}

/// One UTF-16 code unit, as JavaScript's expressions count characters.
type Unit = u16;

const SLASH: Unit = b'/' as Unit;

/// What the matcher takes next from a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// This unit, in any case.
    Literal(Unit),
    /// One unit that is no slash.
    One,
    /// Any number of units that are no slash.
    Rest,
    /// Any number of units.
    Any,
    /// The end, or a slash and what the `Any` after it takes.
    Tail,
}

/// How specific one segment of a pattern is; less is more specific.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Segment {
    kind: Kind,
    literals: Reverse<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Literal,
    Parameter,
    /// The pattern has ended.
    Absent,
    Wildcard,
}

impl Route {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, RouteError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (method, path) = match words[..] {
            [] => return Err(RouteError::Empty),
            [path] => (None, path),
            [method, path] => (Some(method), path),
            _ => return Err(RouteError::TooManyWords { text: text.to_owned() }),
        };
        let method = method.filter(|method| *method != "*").map(str::to_ascii_uppercase);
        if let Some(method) = method.as_ref().filter(|method| http::Method::from_bytes(method.as_bytes()).is_err()) {
            return Err(RouteError::Method { method: method.clone() });
        }
        if !path.starts_with(['/', '*']) {
            return Err(RouteError::NoSlash { path: path.to_owned() });
        }
        let (steps, plain) = compile(path)?;
        let normal = normalise(&plain);
        if normal != plain {
            return Err(RouteError::NotNormal { path: plain, normal });
        }
        let segments = segments(&steps);
        Ok(Self { source: words.join(" "), method, steps, segments })
    }

    /// Whether a request is meant, by its method and its path from [`normalise_path`].
    pub fn matches(&self, method: &str, path: &str) -> bool {
        self.takes_method(method) && self.takes_path(&fold(path))
    }

    /// The method that the pattern names, in upper case.
    pub fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// The reserved path, or the prefix of reserved paths, that takes every request this pattern could match.
    pub fn reserved(&self, facilitator: FacilitatorPaths) -> Option<&'static str> {
        let bare = FACILITATOR_PATHS.iter().find(|path| facilitator == FacilitatorPaths::Bare && self.is_exactly(path));
        let prefixed = || FACILITATOR_PATHS.iter().find(|path| self.is_exactly(&format!("{FACILITATOR_PREFIX}{path}")));
        let admin = || self.is_under(ADMIN_PREFIX).then_some(ADMIN_PREFIX);
        bare.copied().or_else(|| prefixed().map(|_| FACILITATOR_PREFIX)).or_else(admin)
    }

    fn takes_method(&self, method: &str) -> bool {
        self.method.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(method))
    }

    fn is_exactly(&self, path: &str) -> bool {
        self.steps.iter().copied().eq(fold(path).into_iter().map(Step::Literal))
    }

    fn is_under(&self, prefix: &str) -> bool {
        let prefix: Vec<Step> = fold(prefix).into_iter().map(Step::Literal).collect();
        let rest = self.steps.strip_prefix(&prefix[..]);
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(Step::Tail | Step::Literal(SLASH))))
    }

    /// Runs all ways through the pattern side by side: the time is at most the path's length times the pattern's.
    fn takes_path(&self, path: &[Unit]) -> bool {
        let literal = |step: &&Step| matches!(step, Step::Literal(_));
        let prefix = self.steps.iter().take_while(literal).count();
        let starts_alike = || self.steps[..prefix].iter().zip(path).all(|(step, c)| *step == Step::Literal(*c));
        if path.len() < prefix || !starts_alike() {
            return false;
        }
        let end = self.steps.len();
        let mut now = vec![false; end + 1];
        let mut next = now.clone();
        self.reach(&mut now, prefix);
        for &c in &path[prefix..] {
            next.fill(false);
            for at in (0..end).filter(|at| now[*at]) {
                match self.steps[at] {
                    Step::Literal(own) if own == c => self.reach(&mut next, at + 1),
                    Step::One if c != SLASH => self.reach(&mut next, at + 1),
                    Step::Tail if c == SLASH => self.reach(&mut next, at + 1),
                    Step::Rest if c != SLASH => self.reach(&mut next, at),
                    Step::Any => self.reach(&mut next, at),
                    _ => {}
                }
            }
            std::mem::swap(&mut now, &mut next);
        }
        now[end]
    }

    /// Marks a position, and those that follow from it without taking a character.
    fn reach(&self, positions: &mut [bool], mut at: usize) {
        while !std::mem::replace(&mut positions[at], true) {
            at += match self.steps.get(at) {
                Some(Step::Rest | Step::Any) => 1,
                Some(Step::Tail) => 2,
                _ => return,
            };
        }
    }

    fn equals(&self, other: &Self) -> bool {
        self.method == other.method && self.steps == other.steps
    }

    fn compare(&self, other: &Self) -> Ordering {
        let absent = Segment { kind: Kind::Absent, literals: Reverse(0) };
        let by_method = self.method.is_none().cmp(&other.method.is_none());
        let length = self.segments.len().max(other.segments.len());
        let segment = |of: &Self, at: usize| of.segments.get(at).copied().unwrap_or(absent);
        (0..length).fold(by_method, |so_far, at| so_far.then_with(|| segment(self, at).cmp(&segment(other, at))))
    }
}

impl fmt::Display for Route {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.source)
    }
}

/// Where the facilitator is served besides `/facilitator`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FacilitatorPaths {
    /// Also at the root: `/verify`.
    #[default]
    Bare,
    /// Only under `/facilitator`.
    Prefixed,
}

/// The steps of a path pattern, and the pattern with its parameters replaced by a plain letter.
fn compile(path: &str) -> Result<(Vec<Step>, String), RouteError> {
    let (mut rest, tail) = match path.strip_suffix("/*") {
        Some(rest) => (rest, [Step::Tail, Step::Any].as_slice()),
        None => (path, [].as_slice()),
    };
    let mut steps = Vec::new();
    let mut plain = String::new();
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        let name = match c {
            '[' => Some(rest.find(']').filter(|end| *end > 0).map(|end| end + 1)),
            ':' => Some(name_length(rest)).filter(|length| *length > 0).map(Some),
            _ => None,
        };
        match (name, c) {
            (Some(Some(length)), _) => {
                rest = &rest[length..];
                steps.extend([Step::One, Step::Rest]);
                plain.push('x');
            }
            (Some(None), _) => return Err(RouteError::Bracket { path: path.to_owned() }),
            (None, '*') => {
                steps.push(Step::Any);
                plain.push('*');
            }
            (None, _) => {
                steps.extend(fold(c.encode_utf8(&mut [0; 4])).into_iter().map(Step::Literal));
                plain.push(c);
            }
        }
    }
    steps.extend(tail);
    plain.push_str(if tail.is_empty() { "" } else { "/*" });
    Ok((steps, plain))
}

/// How many bytes at the start of a text are a name: a letter or `_`, then letters, digits and `_`.
fn name_length(text: &str) -> usize {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.starts_with(|c: char| c.is_ascii_digit()) { 0 } else { text.find(|c| !is_name(c)).unwrap_or(text.len()) }
}

fn segments(steps: &[Step]) -> Vec<Segment> {
    let split = steps.split(|step| matches!(step, Step::Literal(SLASH) | Step::Tail));
    let segments = split.map(|steps| {
        let kind = match steps {
            _ if steps.contains(&Step::Any) => Kind::Wildcard,
            _ if steps.contains(&Step::One) => Kind::Parameter,
            _ => Kind::Literal,
        };
        let literals = steps.iter().filter(|step| matches!(step, Step::Literal(_))).count();
        Segment { kind, literals: Reverse(literals) }
    });
    // Before the first slash there is nothing, unless the pattern starts with a wildcard.
    segments.skip_while(|segment| segment.kind == Kind::Literal && segment.literals == Reverse(0)).collect()
}

/// The text in the case folding of JavaScript's expressions with the flag `i` and without `u`.
fn fold(text: &str) -> Vec<Unit> {
    text.encode_utf16().map(fold_unit).collect()
}

fn fold_unit(unit: Unit) -> Unit {
    let Some(c) = char::from_u32(u32::from(unit)) else { return unit };
    if c.is_ascii() {
        return Unit::from(c.to_ascii_uppercase() as u8);
    }
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) if !single.is_ascii() => Unit::try_from(u32::from(single)).unwrap_or(unit),
        _ => unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, method: &str, path: &str) -> bool {
        Route::parse(pattern).unwrap().matches(method, &normalise_path(path.as_bytes()))
    }

    #[test]
    fn patterns_match_as_the_official_matcher_does() {
        for (pattern, path, expected) in [
            ("/api/*", "/api", true),
            ("/api/*", "/api/", true),
            ("/api/*", "/api/x/y", true),
            ("/api/*", "/apix", false),
            ("/api/*", "/API/x?q=/", true),
            ("*", "/", true),
            ("/*", "/", true),
            ("/*", "/x/y", true),
            ("/", "/", true),
            ("/", "/x", false),
            ("/users/[id]", "/users/7", true),
            ("/users/[id]", "/users/", false),
            ("/users/[id]", "/users/7/x", false),
            ("/users/:id/posts", "/users/a%2Fb/posts", true),
            ("/users/:id/posts", "/users/a/b/posts", false),
            ("/v:major.:minor", "/v1.2", true),
            ("/a*z", "/abc/xyz", true),
            ("/a*z/q", "/a1/2z/q", true),
            ("/x.y", "/xzy", false),
            ("/(a+)$", "/(a+)$", true),
            ("/caf\u{e9}", "/caf%C3%89", true),
            ("/a/[...slug]", "/a/b", true),
            ("/a]", "/a]", true),
        ] {
            assert_eq!(matches(pattern, "GET", path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_verb_is_compared_in_any_case_and_a_star_means_all() {
        assert!(matches("get /a", "GET", "/a") && matches("GET  /a", "get", "/a") && matches("* /a", "PUT", "/a"));
        assert!(!matches("GET /a", "POST", "/a"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let error = |text: &str| Route::parse(text).unwrap_err().to_string();
        insta::assert_snapshot!(
            ["", "  ", "GET /a b", "G@T /a", "GET", "api/x", "/a/[", "/a/[]", "/a/", "/a//b", "/a?b", "/%41", "/a\\b"]
                .map(error).join("\n"),
            @r"
            the pattern is empty; write `/path` or `GET /path`
            the pattern is empty; write `/path` or `GET /path`
            `GET /a b` has more than a method and a path; a space in a path cannot be matched
            `G@T` is not an HTTP method
            the path `GET` must start with `/`
            the path `api/x` must start with `/`
            `[` in `/a/[` must be closed by `]` around a name
            `[` in `/a/[]` must be closed by `]` around a name
            `/a/` is not in the form in which requests are compared; write `/a`
            `/a//b` is not in the form in which requests are compared; write `/a/b`
            `/a?b` is not in the form in which requests are compared; write `/a`
            `/%41` is not in the form in which requests are compared; write `/A`
            `/a\b` is not in the form in which requests are compared; write `/a%5Cb`
            "
        );
    }

    #[test]
    fn patterns_that_only_match_reserved_paths_are_told() {
        let reserved = |pattern: &str, paths| Route::parse(pattern).unwrap().reserved(paths);
        for pattern in ["/verify", "GET /Health", "/discovery/search"] {
            assert!(reserved(pattern, FacilitatorPaths::Bare).is_some(), "{pattern}");
            assert_eq!(reserved(pattern, FacilitatorPaths::Prefixed), None, "{pattern}");
        }
        for pattern in ["/facilitator/settle", "/_x402", "/_X402/*", "/_x402/[a]/b"] {
            assert!(reserved(pattern, FacilitatorPaths::Prefixed).is_some(), "{pattern}");
        }
        for pattern in ["*", "/verify/*", "/verify/x", "/facilitator/*", "/_x402y", "/discovery"] {
            assert_eq!(reserved(pattern, FacilitatorPaths::Bare), None, "{pattern}");
        }
    }

    /// Each line: a pattern, the bytes of a path, its normal form, and whether they match, all by the official code
    /// on random input (`parseRoutePattern` and `normalizePath` in Node, the bytes read as Latin-1).
    #[test]
    fn random_cases_of_the_official_matcher_agree() {
        let mut matched = 0;
        for line in include_str!("route/official.jsonl").lines() {
            let (pattern, raw, normal, expected): (String, String, String, bool) = serde_json::from_str(line).unwrap();
            let byte = |at: usize| u8::from_str_radix(&raw[at..at + 2], 16).unwrap();
            let raw: Vec<u8> = (0..raw.len()).step_by(2).map(byte).collect();
            assert_eq!(normalise_path(&raw), normal, "{line}");
            match Route::parse(&pattern) {
                Ok(route) => assert_eq!(route.matches("GET", &normal), expected, "{line}"),
                // What the official matcher takes although it matches nothing, we refuse.
                Err(error) => assert!(!expected, "{line}: {error}"),
            }
            matched += usize::from(expected);
        }
        assert!(matched >= 200);
    }

    #[test]
    fn no_pattern_takes_exponential_time() {
        let pattern = format!("/{}b", "*a".repeat(100));
        let path = format!("/{}", "a".repeat(8_000));
        assert!(!matches(&pattern, "GET", &path));
    }
}
