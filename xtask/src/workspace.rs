//! Where things lie.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The folders of this repository that the tasks know.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    binaries: PathBuf,
}

impl Workspace {
    /// The workspace that this program was built in. Asked once, at the start: the tests build this program anew.
    pub(crate) fn find() -> Result<Self, Failure> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace");
        let program = std::env::current_exe()
            .map_err(|cause| Failure::new(format!("the path of this program cannot be found: {cause}")))?;
        let binaries = program.parent().expect("a program lies in a folder").to_owned();
        Ok(Self { root: root.to_owned(), binaries })
    }

    /// The top folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo puts the programs that it builds, this one and the product's among them.
    pub(crate) fn binaries(&self) -> &Path {
        &self.binaries
    }

    /// The tests with the official SDKs.
    pub(crate) fn interop(&self) -> PathBuf {
        self.root.join("tests/interop")
    }

    /// The tests of the admin door by its description.
    pub(crate) fn admin(&self) -> PathBuf {
        self.root.join("tests/admin")
    }

    /// What keeps those tests from the network.
    pub(crate) fn isolation(&self) -> PathBuf {
        self.root.join("tests/isolation")
    }
}
