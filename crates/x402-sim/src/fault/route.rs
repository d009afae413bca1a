//! Routes in what a fault concerns: those of resources, without a table.

/// Whether a path is meant by a route: `*` at the end stands for any rest, `[name]` and `:name` for one segment.
pub fn route_matches(route: &str, path: &str) -> bool {
    let route = route.strip_suffix('/').unwrap_or(route);
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments = path.split('/');
    for wanted in route.split('/') {
        if wanted == "*" {
            return true;
        }
        let Some(segment) = segments.next() else { return false };
        let any = wanted.starts_with(':') || wanted.starts_with('[') && wanted.ends_with(']');
        let same = match wanted.strip_suffix('*') {
            Some(start) => return segment.starts_with(start),
            None => segment.eq_ignore_ascii_case(wanted),
        };
        if !(same || any && !segment.is_empty()) {
            return false;
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_match_as_those_of_resources_do() {
        for (route, path) in
            [("/a", "/a"), ("/a/*", "/a"), ("/a/*", "/a/b/c"), ("/u/[id]", "/u/7"), ("/u/:id/x", "/u/7/x")]
        {
            assert!(route_matches(route, path), "{route} {path}");
        }
        for (route, path) in [("/a", "/b"), ("/a", "/a/b"), ("/u/[id]", "/u"), ("/u/[id]", "/u/7/x"), ("/a/*", "/ab")] {
            assert!(!route_matches(route, path), "{route} {path}");
        }
    }
}
