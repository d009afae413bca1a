//! The command line, parsed once.

use crate::docs::Mode;
use crate::failure::Failure;
use crate::isolation::Means;

/// What `--help` says, and what follows a command line that is wrong.
pub(crate) const USAGE: &str = "\
usage: cargo xtask TASK

  test    runs every test: format, documents, lints, licences, unit, property, end-to-end and interop
          --skip-interop           leaves out the official SDKs, and says so
          --isolation namespace    keeps the interop tests from the network by a network namespace
          --isolation preload      ... by a preloaded library; without the option: the first that works
  docs    makes docs/fidelity.md, docs/findings.md and the tables of docs/faults.md from their data
          --check                  writes nothing, and fails when a file is not what it would be
  bench   measures speed and memory
          --write                  keeps the numbers in docs/benchmarks.md
          --only TABLE             measures one table and keeps nothing
          --quick                  measures little, for trying the benchmark itself
          --skip-official          leaves out the comparison with the official facilitator";

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Print the usage.
    Help,
    /// Pass every test.
    Test(Options),
    /// Make the documents that are made from data.
    Docs(Mode),
    /// Measure; the words are the measurement's own.
    Bench(Vec<String>),
}

/// How the tests are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Options {
    /// Whether the official SDKs are part of it.
    pub(crate) interop: Interop,
    /// How they are kept from the network; none: whatever this system allows.
    pub(crate) isolation: Option<Means>,
}

/// Whether the official SDKs are part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Interop {
    /// They are.
    #[default]
    Run,
    /// They were left out by `--skip-interop`.
    Skip,
}

impl Task {
    /// Reads the words after `cargo xtask`.
    pub(crate) fn parse(words: &[String]) -> Result<Self, Failure> {
        let Some((name, rest)) = words.split_first() else {
            return Err(Failure::new("no task was named"));
        };
        match name.as_str() {
            "help" | "--help" | "-h" => Ok(Self::Help),
            "test" => Options::parse(rest).map(Self::Test),
            "docs" => docs_mode(rest).map(Self::Docs),
            "bench" => Ok(Self::Bench(rest.to_vec())),
            other => Err(Failure::new(format!("there is no task `{other}`"))),
        }
    }
}

impl Options {
    fn parse(words: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--skip-interop" => options.interop = Interop::Skip,
                "--isolation" => options.isolation = Some(means(words.next().unwrap_or_default())?),
                _ => match word.strip_prefix("--isolation=") {
                    Some(value) => options.isolation = Some(means(value)?),
                    None => return Err(Failure::new(format!("test knows no argument `{word}`"))),
                },
            }
        }
        Ok(options)
    }
}

fn means(word: &str) -> Result<Means, Failure> {
    match word {
        "namespace" => Ok(Means::Namespace),
        "preload" => Ok(Means::Preload),
        _ => Err(Failure::new(format!("--isolation is `namespace` or `preload`, not `{word}`"))),
    }
}

fn docs_mode(words: &[String]) -> Result<Mode, Failure> {
    match words {
        [] => Ok(Mode::Write),
        [word] if word == "--check" => Ok(Mode::Check),
        _ => Err(Failure::new(format!("docs knows no arguments `{}`", words.join(" ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Task, Failure> {
        Task::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn every_task_is_read() {
        assert_eq!(parse("--help").unwrap(), Task::Help);
        assert_eq!(parse("test").unwrap(), Task::Test(Options::default()));
        assert_eq!(parse("docs").unwrap(), Task::Docs(Mode::Write));
        assert_eq!(parse("docs --check").unwrap(), Task::Docs(Mode::Check));
        assert_eq!(parse("bench a").unwrap(), Task::Bench(vec!["a".to_owned()]));
        for line in ["test --skip-interop --isolation preload", "test --isolation=preload --skip-interop"] {
            let options = Options { interop: Interop::Skip, isolation: Some(Means::Preload) };
            assert_eq!(parse(line).unwrap(), Task::Test(options));
        }
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for line in ["", "tests", "test --fast", "test --isolation", "test --isolation none", "docs --chek"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
