//! The one place that reads the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock in milliseconds since 1970; zero where the system's clock stands before that.
#[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
