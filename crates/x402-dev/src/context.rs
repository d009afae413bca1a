//! What the surroundings say, captured once at the start: the only place that reads the process's environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the names of our environment variables begin with.
const PREFIX: &str = "X402_DEV_";

/// Those of them that are no configuration.
const NO_CONFIGURATION: [&str; 4] = ["X402_DEV_HOME", "X402_DEV_KEY", "X402_DEV_BIN", "X402_DEV_TOKEN"];

/// The surroundings of one run.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The directory in which the program was started; relative paths start here.
    pub working_dir: PathBuf,
    /// The user's own directory for this program, `~/.x402dev` unless `X402_DEV_HOME` says otherwise.
    pub home: Option<PathBuf>,
    /// The environment. Values that are no Unicode are kept with replacement characters.
    pub environment: BTreeMap<String, String>,
}

impl Context {
    /// The surroundings of this process.
    ///
    /// A working directory that was deleted is taken as `.`, so that commands which need none still work.
    pub fn capture() -> Self {
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect();
        let working_dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        // Absolute, so that it means the same to a server that works in another directory.
        let home = home(&environment).map(|home| working_dir.join(home));
        Self { working_dir, home, environment }
    }

    /// Surroundings made up for a test: `home` follows from the environment as in [`Context::capture`].
    pub fn new(working_dir: impl Into<PathBuf>, environment: BTreeMap<String, String>) -> Self {
        Self { home: home(&environment), working_dir: working_dir.into(), environment }
    }

    /// The environment variables that are configuration.
    pub fn configuration(&self) -> BTreeMap<String, String> {
        let configures = |name: &str| name.starts_with(PREFIX) && !NO_CONFIGURATION.contains(&name);
        let variables = self.environment.iter().filter(|(name, _)| configures(name));
        variables.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// These surroundings, with the directory and the configuration of an earlier start.
    pub fn replaying(&self, working_dir: &Path, configuration: &BTreeMap<String, String>) -> Self {
        let own = self.configuration();
        let kept = self.environment.iter().filter(|(name, _)| !own.contains_key(*name));
        let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
        let environment = kept.chain(configuration.clone()).collect();
        Self { working_dir: working_dir.to_owned(), home: self.home.clone(), environment }
    }

    /// The value of an environment variable; an empty one counts as none.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

fn home(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let directory = |name: &str| environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    directory("X402_DEV_HOME").or_else(|| directory("HOME").map(|home| home.join(".x402dev")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(variables: &[(&str, &str)]) -> Context {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Context::new("/work", environment.collect())
    }

    #[test]
    fn x402_dev_home_moves_the_own_directory() {
        assert_eq!(context(&[("HOME", "/home/a")]).home, Some(PathBuf::from("/home/a/.x402dev")));
        assert_eq!(context(&[("HOME", "/home/a"), ("X402_DEV_HOME", "/x")]).home, Some(PathBuf::from("/x")));
        assert_eq!(
            context(&[("HOME", "/home/a"), ("X402_DEV_HOME", "")]).home,
            Some(PathBuf::from("/home/a/.x402dev"))
        );
        assert_eq!(context(&[]).home, None);
    }

    #[test]
    fn an_empty_variable_counts_as_none() {
        assert_eq!(context(&[("NO_COLOR", "")]).variable("NO_COLOR"), None);
        assert_eq!(context(&[("NO_COLOR", "1")]).variable("NO_COLOR"), Some("1"));
    }
}
