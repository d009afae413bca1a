//! What the interop tests need, asked for before anything that takes long.

use crate::failure::Failure;
use crate::process::Process;

struct Tool {
    command: &'static str,
    /// The oldest version that will do, if that matters.
    oldest: Option<(u32, u32)>,
    /// What to install when it is missing or too old.
    install: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool { command: "node", oldest: Some((20, 0)), install: "Node.js 20 or newer" },
    Tool { command: "npm", oldest: None, install: "npm, which comes with Node.js" },
    Tool { command: "python3", oldest: Some((3, 10)), install: "Python 3.10 or newer" },
];

/// Looks for every tool; gives what was found, or names all that is missing and what to install.
pub(crate) fn find() -> Result<String, Failure> {
    let (found, missing) = look(TOOLS);
    if missing.is_empty() && Process::new("python3").args(["-c", "import ensurepip, venv"]).answer().is_none() {
        return Err(lacking(&["python3 cannot make virtual environments: install python3-venv".to_owned()]));
    }
    if missing.is_empty() { Ok(found.join(", ")) } else { Err(lacking(&missing)) }
}

fn look(tools: &[Tool]) -> (Vec<String>, Vec<String>) {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for Tool { command, oldest, install } in tools {
        let Some(answer) = Process::new(command).args(["--version"]).answer() else {
            missing.push(format!("{command} is missing: install {install}"));
            continue;
        };
        let version = version(&answer);
        if oldest.is_some_and(|oldest| version < oldest) {
            missing.push(format!("{command} is too old ({}): install {install}", answer.trim()));
        } else {
            found.push(format!("{command} {}.{}", version.0, version.1));
        }
    }
    (found, missing)
}

fn lacking(missing: &[String]) -> Failure {
    Failure::new(format!("{}. `--skip-interop` leaves out the tests that need them", missing.join("; ")))
}

/// The first two numbers of a version: `v20.11.1`, `Python 3.11.7`.
fn version(answer: &str) -> (u32, u32) {
    let mut numbers = answer.split(|letter: char| !letter.is_ascii_digit()).filter(|part| !part.is_empty());
    let mut next = || numbers.next().and_then(|number| number.parse().ok()).unwrap_or(0);
    (next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        assert_eq!(version("v20.11.1\n"), (20, 11));
        assert_eq!(version("Python 3.11.7"), (3, 11));
        assert!(version("Python 3.9.2") < (3, 10));
    }

    #[test]
    fn what_is_missing_or_too_old_is_named_with_what_to_install() {
        let tools = [
            Tool { command: "no-such-tool", oldest: None, install: "the tool" },
            Tool { command: "cargo", oldest: Some((1000, 0)), install: "a cargo of the future" },
            Tool { command: "rustc", oldest: Some((1, 0)), install: "Rust" },
        ];
        let (found, missing) = look(&tools);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("rustc 1."), "{found:?}");
        assert_eq!(missing[0], "no-such-tool is missing: install the tool");
        assert!(missing[1].starts_with("cargo is too old (cargo 1."), "{missing:?}");
        assert!(lacking(&missing).to_string().contains("--skip-interop"));
    }
}
