//! What help and documents promise, tried as it stands there.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use clap::{CommandFactory, Parser};
use x402_dev::cli::Cli;

use crate::site::{PROGRAM, Site, finish, skip};

/// Every command that help shows, with its words.
fn commands(command: &clap::Command, words: &[String], all: &mut Vec<(Vec<String>, clap::Command)>) {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
        let words = [words, &[inner.get_name().to_owned()]].concat();
        commands(inner, &words, all);
        all.push((words, inner.clone()));
    }
}

/// The words that a shell would pass on, up to what it would keep to itself.
fn arguments(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for letter in line.chars() {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ')' | '>' | '|' if !quoted => break,
            ' ' if !quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[test]
fn the_help_of_every_command_has_two_examples_that_are_right() {
    let mut all = Vec::new();
    commands(&Cli::command(), &[], &mut all);
    assert!(all.len() >= 14, "{:?}", all.iter().map(|(words, _)| words).collect::<Vec<_>>());
    for (words, mut command) in all {
        let help = command.render_long_help().to_string();
        let examples: Vec<_> = help.lines().filter_map(|line| line.split_once("x402-dev ")).collect();
        assert!(help.contains("Examples:") && examples.len() >= 2, "{words:?}: {help}");
        for (_, example) in examples {
            let line = [vec!["x402-dev".to_owned()], arguments(example)].concat();
            assert!(words.iter().all(|word| line.contains(word) || word == "start"), "{words:?}: {line:?}");
            Cli::try_parse_from(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        }
    }
}

#[test]
fn every_command_of_mock_has_json() {
    let cli = Cli::command();
    let mock = cli.find_subcommand("mock").unwrap();
    for command in mock.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help") {
        let json = command.get_arguments().any(|argument| argument.get_id() == "json");
        assert!(json, "{}", command.get_name());
        let name = command.get_arguments().any(|argument| argument.get_id() == "name");
        assert!(name || command.get_name() == "list", "{}", command.get_name());
    }
}

/// The text of a document between a heading and the next.
fn section(document: &str, heading: &str) -> String {
    let (_, text) = document.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
    text.split("\n## ").next().unwrap().to_owned()
}

/// The first block of code of a language.
fn block(text: &str, language: &str) -> String {
    let (_, code) = text.split_once(&format!("```{language}\n")).unwrap();
    code.split("```").next().unwrap().to_owned()
}

fn document(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// A shell in which `x402-dev` is the program, and `npm test` asks the mock for something.
fn shell(site: &Site, script: &str) -> Command {
    let bin = site.work().join("bin");
    if !bin.exists() {
        std::fs::create_dir(&bin).unwrap();
        symlink(PROGRAM, bin.join("x402-dev")).unwrap();
        let npm = "#!/bin/sh\nx402-dev mock status > asked && echo \"tested $X402_FACILITATOR_URL with $X402_TEST_PRIVATE_KEY\"\n";
        std::fs::write(bin.join("npm"), npm).unwrap();
        std::fs::set_permissions(bin.join("npm"), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", bin.display(), std::env::var_os("PATH").unwrap().display());
    let mut command = site.program("bash");
    command.args(["-e", "-c", script]).env("PATH", path);
    command
}

#[test]
fn the_test_script_works_as_it_stands() {
    let site = Site::new();
    let script = block(&section(&document("lifecycle.md"), "In a test script"), "sh");
    finish(shell(&site, &script)).assert(0).says(&[
        "Server is running on",
        "tested http://127.0.0.1:",
        " with 0x",
        "Server stopped successfully",
    ]);
    site.assert_stopped();
}

#[test]
fn the_line_for_test_suites_works_as_it_stands() {
    let site = Site::new();
    let line = block(&section(&document("lifecycle.md"), "`--exit-with-parent`"), "sh");
    let up = finish(shell(&site, &format!("{line}\nx402-dev mock list"))).assert(0).clone();
    assert!(up.out.contains("\"url\":\"http://127.0.0.1:") && up.out.contains("suite-"), "{up:?}");
}

#[test]
fn the_steps_for_github_actions_work_as_they_stand() {
    let site = Site::new();
    if site.shell("command -v jq").code != Some(0) {
        skip("there is no jq here, which GitHub's machines have");
        return;
    }
    let steps = block(&section(&document("lifecycle.md"), "GitHub Actions"), "yaml");
    let variables = site.work().join("variables");
    // As GitHub does: a shell for each step, and what was appended to GITHUB_ENV in the environment of the next.
    for step in steps_of(&steps) {
        let kept = std::fs::read_to_string(&variables).unwrap_or_default();
        let mut command = shell(&site, &step);
        command.env("GITHUB_ENV", &variables);
        command.envs(kept.lines().map(|line| line.split_once('=').unwrap()));
        let run = finish(command);
        run.assert(0);
        if step.starts_with("npm") {
            run.says(&["tested http://127.0.0.1:", " with 0x"]);
        }
    }
    site.assert_stopped();
}

/// What `run:` says in each step, except the installation.
fn steps_of(yaml: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut lines = yaml.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((before, run)) = line.split_once("run: ") else { continue };
        let mut script = run.to_owned();
        if run == "|" {
            script.clear();
            let indent = before.len();
            while let Some(next) = lines.next_if(|next| next.len() - next.trim_start().len() > indent) {
                script.push_str(next.trim_start());
                script.push('\n');
            }
        }
        steps.push(script);
    }
    assert!(steps.len() >= 4, "{steps:?}");
    steps.retain(|step| !step.starts_with("cargo install"));
    steps
}

#[test]
fn the_unit_of_systemd_is_one() {
    let site = Site::new();
    if site.shell("command -v systemd-analyze").code != Some(0) {
        skip("there is no systemd-analyze here");
        return;
    }
    // The program must be where the unit says.
    let unit = document("x402-dev.service").replace("%h/.cargo/bin/x402-dev", PROGRAM);
    assert!(unit.contains(PROGRAM));
    site.write("x402-dev.service", &unit);
    let socket = block(&section(&document("lifecycle.md"), "systemd"), "ini");
    site.write("x402-dev.socket", &socket);
    let mut command = site.program("systemd-analyze");
    command.args(["verify", "--man=no", "--user", "./x402-dev.service", "./x402-dev.socket"]);
    command.env("XDG_RUNTIME_DIR", site.work()).env("HOME", site.work());
    let run = finish(command);
    if run.err.contains("Failed to initialize manager") {
        skip(&format!("systemd-analyze does not work here: {}", run.err));
        return;
    }
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{run:?}");
}
