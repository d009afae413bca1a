//! The admin door, exercised by its own description: schemathesis makes requests from it and judges the answers.

use crate::failure::Failure;
use crate::isolation::Isolation;
use crate::process::Process;
use crate::report::Outcome;
use crate::workspace::Workspace;

/// Runs every check of schemathesis against the product that cargo built. The script starts it and stops it.
pub(crate) fn fuzz(workspace: &Workspace, isolation: &Isolation) -> Result<Outcome, Failure> {
    let folder = workspace.admin();
    let process = Process::new(folder.join(".venv/bin/python"))
        .args([folder.join("fuzz.py"), workspace.binaries().join("x402-dev")])
        .inside(&folder);
    isolation.enclose(process).run()?;
    Ok(Outcome::Done("no request was answered otherwise than described".to_owned()))
}
