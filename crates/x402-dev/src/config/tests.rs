//! A project in a directory of its own, for the tests of every room of the configuration.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{ConfigError, Loaded, Overrides, Paint, load};
use crate::context::Context;

/// A working directory and a home, removed with the value.
pub(super) struct Project {
    root: PathBuf,
    context: Context,
    overrides: Overrides,
}

impl Project {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("x402-dev-config-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(root.join("home")).unwrap();
        let mut context = Context::new(&root, BTreeMap::new());
        context.home = Some(root.join("home"));
        Self { root, context, overrides: Overrides::default() }
    }

    /// Writes a file below the working directory.
    pub(super) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.root.join(path), content).unwrap();
        self
    }

    pub(super) fn yaml(self, content: &str) -> Self {
        self.file(".x402dev.yaml", content)
    }

    pub(super) fn global(self, content: &str) -> Self {
        self.file("home/config.yaml", content)
    }

    pub(super) fn variable(mut self, name: &str, value: &str) -> Self {
        self.context.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn flags(mut self, overrides: Overrides) -> Self {
        self.overrides = overrides;
        self
    }

    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    pub(super) fn load(&self) -> Result<Loaded, ConfigError> {
        load(&self.context, &self.overrides)
    }

    /// The configuration, which must be valid.
    pub(super) fn loaded(&self) -> Loaded {
        self.load().unwrap_or_else(|error| panic!("{}", error.draw(Paint::Plain)))
    }

    /// Every problem in a line with its place and its hint. The configuration must be refused.
    pub(super) fn problems(&self) -> String {
        let error = self.load().expect_err("this configuration must be refused");
        assert_eq!(error.exit().number(), 78);
        let text = match &error {
            ConfigError::Invalid { problems } => {
                let lines = problems.iter().map(|problem| {
                    let hint = problem.hint().map(|hint| format!(" [{hint}]"));
                    format!("{problem}{}", hint.unwrap_or_default())
                });
                lines.collect::<Vec<_>>().join("\n")
            }
            other => format!("{other} [{}]", other.hint().unwrap_or_default()),
        };
        text.replace(&self.root.display().to_string(), "ROOT")
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// The problems of a project file.
pub(super) fn problems(yaml: &str) -> String {
    Project::new().yaml(yaml).problems()
}

/// What a valid project file says.
pub(super) fn loaded(yaml: &str) -> Loaded {
    Project::new().yaml(yaml).loaded()
}
