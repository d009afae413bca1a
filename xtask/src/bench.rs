//! Measurements: builds the product and the benchmark in release mode, and runs the benchmark.

use crate::failure::Failure;
use crate::interop;
use crate::process::Process;
use crate::terminal;
use crate::workspace::Workspace;

/// Measures, and prints what it found. The words are the benchmark's own; a missed target is no failure.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result<(), Failure> {
    let says = |word: &str| words.iter().any(|said| said == word);
    if !says("--help") && !says("--skip-official") {
        // Without them everything else is measured, and the table says what is missing.
        if let Err(failure) = interop::npm_packages(workspace) {
            terminal::error(&format!("the official facilitator cannot be measured: {failure}"));
        }
    }
    Process::cargo().args(["build", "--release", "-p", "x402-bench", "-p", "x402-dev"]).run()?;
    let folder = workspace.binaries().parent().expect("cargo puts a profile's programs into a folder of their own");
    Process::new(folder.join("release/x402-bench")).args(words).run()
}
