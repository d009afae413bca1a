//! Values by route, and which of several matching routes is meant.

use super::{Route, fold};

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
        if self.entries.is_empty() {
            return None;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
