//! `cargo xtask test`: the steps, in their order. The first that fails ends the run.

use std::process::ExitCode;

use crate::admin;
use crate::arguments::{Interop, Options};
use crate::docs::{self, Mode};
use crate::failure::Failure;
use crate::interop;
use crate::isolation::Isolation;
use crate::process::Process;
use crate::report::{Outcome, Report};
use crate::terminal;
use crate::tools;
use crate::workspace::Workspace;

const SKIPPED: &str =
    "INTEROP SKIPPED: --skip-interop was given, so nothing was tested with the official SDKs. This is not a full run.";

/// Passes every test, and prints how it went.
pub(crate) fn run(workspace: &Workspace, options: Options) -> ExitCode {
    let mut report = Report::default();
    let end = steps(workspace, options, &mut report);
    report.close(&end)
}

fn steps(workspace: &Workspace, options: Options, report: &mut Report) -> Result<(), Failure> {
    match options.interop {
        Interop::Run => report.step("required tools", || tools::find().map(Outcome::Done))?,
        Interop::Skip => report.warn(SKIPPED),
    }
    report.step("format", || cargo(workspace, "fmt --all --check"))?;
    report.step("documents", || docs::run(workspace, Mode::Check).map(|()| Outcome::Done(String::new())))?;
    report.step("clippy", || cargo(workspace, "clippy --workspace --all-targets --locked -- -D warnings"))?;
    report.step("licences", || licences(workspace))?;
    if !has_cargo_deny() {
        report.warn("LICENCES NOT CHECKED: cargo-deny is not installed; .ci/setup installs it.");
    }
    report.tests("cargo test", |tally| {
        let process = Process::cargo().args(["test", "--workspace", "--locked"]).inside(workspace.root());
        process.run_reading(|line| {
            terminal::line(line);
            tally.read_cargo(line);
        })
    })?;
    match options.interop {
        Interop::Run => interop_steps(workspace, options, report),
        Interop::Skip => Ok(()),
    }
}

fn interop_steps(workspace: &Workspace, options: Options, report: &mut Report) -> Result<(), Failure> {
    report.step("npm packages", || interop::npm_packages(workspace))?;
    report.step("python packages", || interop::python_packages(&workspace.interop()))?;
    report.step("fuzzer packages", || interop::python_packages(&workspace.admin()))?;
    report.step("product", || cargo(workspace, "build --locked -p x402-dev"))?;
    let mut isolation = None;
    report.step("isolation", || {
        let chosen = Isolation::choose(workspace, options.isolation)?;
        chosen.proof().run()?;
        let outcome = Outcome::Done(chosen.to_string());
        isolation = Some(chosen);
        Ok(outcome)
    })?;
    let isolation = isolation.expect("the step above made it or failed");
    report.step("admin door by its description", || admin::fuzz(workspace, &isolation))?;
    report.tests("interop", |tally| interop::run(workspace, &isolation, tally))
}

fn cargo(workspace: &Workspace, words: &str) -> Result<Outcome, Failure> {
    Process::cargo().args(words.split(' ')).inside(workspace.root()).run()?;
    Ok(Outcome::Done(String::new()))
}

fn licences(workspace: &Workspace) -> Result<Outcome, Failure> {
    if !has_cargo_deny() {
        return Ok(Outcome::Skipped("cargo-deny is not installed".to_owned()));
    }
    cargo(workspace, "deny --locked check --hide-inclusion-graph licenses bans sources")
}

fn has_cargo_deny() -> bool {
    Process::cargo().args(["deny", "--version"]).answer().is_some()
}
