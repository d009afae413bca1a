//! Route patterns and request paths, as the official servers compare them.
//!
//! Source: TS 2.27 core `src/http/x402HTTPResourceServer.ts`, `parseRoutePattern` and `normalizePath`. Where several
//! patterns match, the official servers take the first that was registered; we take the most specific one.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::fmt;

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
    /// Requests are compared in another form, so that the pattern would match nothing.
    #[error("`{path}` can never match: requests are compared in the form `{normal}`")]
    NeverMatches {
        /// What was written.
        path: String,
        /// How a request with this path would be compared.
        normal: String,
    },
}

/// What the matcher takes next from a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// This character, in any case.
    Literal(char),
    /// One character that is no slash.
    One,
    /// Any number of characters that are no slash.
    Rest,
    /// Any number of characters.
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
            return Err(RouteError::NeverMatches { path: plain, normal });
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
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(Step::Tail | Step::Literal('/'))))
    }

    /// Runs all ways through the pattern side by side: the time is at most the path's length times the pattern's.
    fn takes_path(&self, path: &[char]) -> bool {
        let literal = self.steps.iter().zip(path).take_while(|(step, _)| matches!(step, Step::Literal(_)));
        if literal.into_iter().any(|(step, c)| *step != Step::Literal(*c)) {
            return false;
        }
        let end = self.steps.len();
        let mut now = vec![false; end + 1];
        let mut next = now.clone();
        self.reach(&mut now, 0);
        for &c in path {
            next.fill(false);
            for at in (0..end).filter(|at| now[*at]) {
                match self.steps[at] {
                    Step::Literal(own) if own == c => self.reach(&mut next, at + 1),
                    Step::One if c != '/' => self.reach(&mut next, at + 1),
                    Step::Tail if c == '/' => self.reach(&mut next, at + 1),
                    Step::Rest if c != '/' => self.reach(&mut next, at),
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

/// Values by route, the most specific route first.
#[derive(Clone, Debug)]
pub struct RouteTable<T> {
    entries: Vec<(Route, T)>,
}

/// Two routes that match the same requests, by their places in the list that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EqualRoutes {
    /// The place of the first one, from 0.
    pub first: usize,
    /// The place of the second one, from 0.
    pub second: usize,
}

impl<T> Default for RouteTable<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T> RouteTable<T> {
    /// Sorts the entries: method-specific before any method, then literal segments, parameters, wildcards.
    pub fn new(mut entries: Vec<(Route, T)>) -> Result<Self, EqualRoutes> {
        for second in 0..entries.len() {
            let equal = |(route, _): &(Route, T)| route.equals(&entries[second].0);
            if let Some(first) = entries[..second].iter().position(equal) {
                return Err(EqualRoutes { first, second });
            }
        }
        entries.sort_by(|(left, _), (right, _)| left.compare(right));
        Ok(Self { entries })
    }

    /// The most specific entry for a method and a path from [`normalise_path`].
    ///
    /// A HEAD request is matched as HEAD first, then as GET, then by routes for any method.
    pub fn find(&self, method: &str, path: &str) -> Option<(&Route, &T)> {
        let path = fold(path);
        let method = method.to_ascii_uppercase();
        let methods: &[Option<&str>] =
            if method == "HEAD" { &[Some("HEAD"), Some("GET"), None] } else { &[Some(&method), None] };
        let entry = |wanted: Option<&str>| {
            self.entries.iter().find(|(route, _)| route.method() == wanted && route.takes_path(&path))
        };
        methods.iter().copied().find_map(entry).map(|(route, value)| (route, value))
    }

    /// Every entry, the most specific first.
    pub fn iter(&self) -> impl Iterator<Item = (&Route, &T)> {
        self.entries.iter().map(|(route, value)| (route, value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// The form in which request paths are compared: the query cut, escapes decoded segment by segment (a decoded `/` or
/// `\` is escaped again, a malformed escape leaves its segment as it is), slashes collapsed, no slash at the end.
///
/// Bytes above 127 that were sent without escapes are read as Latin-1, as Node does.
pub fn normalise_path(raw: &[u8]) -> Cow<'_, str> {
    let plain = |byte: &u8| byte.is_ascii() && !b"%\\?#".contains(byte);
    if raw.iter().all(plain)
        && !raw.windows(2).any(|pair| pair == b"//")
        && (raw.len() < 2 || !raw.ends_with(b"/"))
        && let Ok(text) = std::str::from_utf8(raw)
    {
        return Cow::Borrowed(text);
    }
    let text: String = raw.iter().map(|byte| char::from(*byte)).collect();
    Cow::Owned(normalise(&text))
}

fn normalise(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments = path.split('/').map(|segment| match decode_segment(segment) {
        Some(decoded) => Cow::Owned(decoded.replace('/', "%2F").replace('\\', "%5C")),
        None => Cow::Borrowed(segment),
    });
    let mut normal = String::with_capacity(path.len());
    for (at, segment) in segments.enumerate() {
        if at > 0 && !normal.ends_with('/') {
            normal.push('/');
        }
        normal.push_str(&segment);
    }
    // The official expression is `(.+?)\/+$` without the flag that lets a point match the end of a line.
    let before = normal.strip_suffix('/').and_then(|rest| rest.chars().next_back());
    if before.is_some_and(|c| !['\n', '\r', '\u{2028}', '\u{2029}'].contains(&c)) {
        normal.pop();
    }
    normal
}

/// JavaScript's `decodeURIComponent`; `None` where that throws.
fn decode_segment(segment: &str) -> Option<String> {
    let mut decoded = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let first = escape_at(rest)?;
        let length = match first.leading_ones() {
            0 => 1,
            ones @ 2..=4 => ones as usize,
            _ => return None,
        };
        let mut bytes = [0; 4];
        for byte in &mut bytes[..length] {
            *byte = escape_at(rest)?;
            rest = &rest[3..];
        }
        decoded.push_str(std::str::from_utf8(&bytes[..length]).ok()?);
    }
    decoded.push_str(rest);
    Some(decoded)
}

/// The byte that `%` and two hexadecimal digits at the start of a text mean.
fn escape_at(text: &str) -> Option<u8> {
    let digits = text.strip_prefix('%')?.get(..2)?;
    let all_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if all_digits { u8::from_str_radix(digits, 16).ok() } else { None }
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
                steps.push(Step::Literal(fold_char(c)));
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
    let split = steps.split(|step| matches!(step, Step::Literal('/') | Step::Tail));
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

fn fold(path: &str) -> Vec<char> {
    path.chars().map(fold_char).collect()
}

/// The case folding of JavaScript's expressions with the flag `i` and without `u`.
fn fold_char(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) if c.is_ascii() == single.is_ascii() && u32::from(c) <= 0xFFFF => single,
        _ => c,
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
    fn paths_are_normalised_as_the_official_matcher_does() {
        for (raw, normal) in [
            (&b"/a//b///"[..], "/a/b"),
            (b"/", "/"),
            (b"//", "/"),
            (b"", ""),
            (b"/a?b=/c/", "/a"),
            (b"/a#b", "/a"),
            (b"/%61%2f%5C\\", "/a%2F%5C%5C"),
            (b"/%2561", "/%61"),
            (b"/bad%2/x", "/bad%2/x"),
            (b"/%zz%61/%61", "/%zz%61/a"),
            (b"/%+1", "/%+1"),
            (b"/%C3%A9/%C3/%E2%82%AC/%F0%9F%98%80", "/\u{e9}/%C3/\u{20ac}/\u{1f600}"),
            (b"/%C0%80/%ED%A0%80/%F5%80%80%80/%80", "/%C0%80/%ED%A0%80/%F5%80%80%80/%80"),
            (b"/\xe9\xff", "/\u{e9}\u{ff}"),
            (b"/%C3\xa9", "/%C3\u{a9}"),
            (b"/..%2f../x", "/..%2F../x"),
            (b"/a%0A/", "/a\n/"),
            (b"/%00", "/\0"),
        ] {
            assert_eq!(normalise_path(raw), normal, "{}", raw.escape_ascii());
        }
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
            `/a/` can never match: requests are compared in the form `/a`
            `/a//b` can never match: requests are compared in the form `/a/b`
            `/a?b` can never match: requests are compared in the form `/a`
            `/%41` can never match: requests are compared in the form `/A`
            `/a\b` can never match: requests are compared in the form `/a%5Cb`
            "
        );
    }

    #[test]
    fn the_most_specific_route_wins() {
        let patterns = [
            "*",
            "/api/*",
            "/api/[id]",
            "/api/v[n]",
            "/api/users",
            "GET *",
            "POST /api/*",
            "/api/*/x",
            "/api",
            "HEAD /h",
            "GET /h",
            "/[a]/b",
        ];
        let table = RouteTable::new(patterns.map(|p| (Route::parse(p).unwrap(), ())).into()).unwrap();
        let find = |method: &str, path: &str| table.find(method, path).unwrap().0.to_string();
        assert_eq!(find("PUT", "/api/users"), "/api/users");
        assert_eq!(find("PUT", "/api/v2"), "/api/v[n]");
        assert_eq!(find("PUT", "/api/7"), "/api/[id]");
        assert_eq!(find("PUT", "/api/b"), "/api/[id]");
        assert_eq!(find("PUT", "/q/b"), "/[a]/b");
        assert_eq!(find("PUT", "/api/7/x"), "/api/*/x");
        assert_eq!(find("PUT", "/api/7/y"), "/api/*");
        assert_eq!(find("PUT", "/api"), "/api");
        assert_eq!(find("POST", "/api/users"), "POST /api/*");
        assert_eq!(find("GET", "/api/users"), "GET *");
        assert_eq!(find("HEAD", "/h"), "HEAD /h");
        assert_eq!(find("HEAD", "/z"), "GET *");
        assert_eq!(find("PUT", "/z/z/z"), "*");
    }

    #[test]
    fn routes_that_match_the_same_requests_are_equal() {
        let table = |patterns: &[&str]| {
            RouteTable::new(patterns.iter().map(|pattern| (Route::parse(pattern).unwrap(), ())).collect()).map(|_| ())
        };
        assert_eq!(table(&["/a", "/users/[id]", "/USERS/:name"]), Err(EqualRoutes { first: 1, second: 2 }));
        assert_eq!(table(&["GET /a", "get /a"]), Err(EqualRoutes { first: 0, second: 1 }));
        assert_eq!(table(&["GET /a", "/a", "/a/*"]), Ok(()));
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

    #[test]
    fn no_pattern_takes_exponential_time() {
        let pattern = format!("/{}b", "*a".repeat(100));
        let path = format!("/{}", "a".repeat(8_000));
        assert!(!matches(&pattern, "GET", &path));
    }
}
