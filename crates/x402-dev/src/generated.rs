//! Files that are generated and kept: a test makes each again.

use std::path::Path;

/// Compares a kept file with what was made just now. `INSTA_UPDATE=always` writes it again, as snapshots are.
///
/// `path` begins at this package's `src`.
///
/// # Panics
///
/// The file says something else.
pub(crate) fn compare(path: &str, kept: &str, made: &str) {
    #[expect(clippy::disallowed_methods, reason = "what is asked of the snapshots is asked of these files")]
    let update = std::env::var("INSTA_UPDATE");
    if update.is_ok_and(|update| update == "always") {
        return std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path), made).unwrap();
    }
    let news: Vec<&str> = made.lines().filter(|line| !kept.contains(line)).collect();
    assert!(made == kept, "src/{path} is old, INSTA_UPDATE=always writes it again; new in it: {news:#?}");
}
