//! How many tests passed and failed, read from what the test runners say.

use std::fmt;

/// A sum over test runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// Whether no test was run at all.
    pub(crate) fn is_empty(self) -> bool {
        self.passed + self.failed == 0
    }

    /// Adds another sum.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Reads a line of `cargo test`: `test result: ok. 12 passed; 0 failed; ...`.
    pub(crate) fn read_cargo(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    /// Reads a line of `node --test`: `# pass 12` of one reporter, `ℹ pass 12` of another, perhaps in colour.
    /// A test that ran out of time is cancelled in node's words and failed in ours.
    pub(crate) fn read_node(&mut self, line: &str) {
        let line = without_colour(line);
        let Some(rest) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) else {
            return;
        };
        let Some((what, Ok(number))) = rest.split_once(' ').map(|(what, number)| (what, number.trim().parse())) else {
            return;
        };
        let number: u64 = number;
        match what {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            _ => {}
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The text without the terminal's colour sequences: `ESC [ ... m`.
fn without_colour(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    plain.extend(parts.map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)));
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_results_are_added_up() {
        let mut tally = Tally::default();
        assert!(tally.is_empty());
        for line in [
            "running 3 tests",
            "test a::b ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ] {
            tally.read_cargo(line);
        }
        assert_eq!(tally.to_string(), "13 passed, 2 failed");
    }

    #[test]
    fn node_results_of_every_reporter_are_added_up() {
        let mut tally = Tally::default();
        for line in [
            "# tests 9",
            "# pass 5",
            "ℹ pass 3",
            "ℹ fail 1",
            "# cancelled 1",
            "# todo 7",
            "\u{1b}[34mℹ pass 2\u{1b}[39m",
            "ℹ verify v2: invalid_exact_evm_signature: 100",
            "    # pass 40",
        ] {
            tally.read_node(line);
        }
        assert_eq!(tally.to_string(), "10 passed, 2 failed");
    }
}
