//! The SDK at hand: whose lines of code are shown.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::{Finding, Side};

/// An SDK, by its language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// TypeScript, `fetch`.
    Ts,
    /// TypeScript, axios.
    TsAxios,
    /// Python.
    Python,
    /// Go.
    Go,
    /// Rust.
    Rust,
}

/// What programs call themselves in `User-Agent`, in lower case.
const AGENTS: [(&str, Sdk); 10] = [
    ("python-httpx/", Sdk::Python),
    ("python-requests/", Sdk::Python),
    ("aiohttp/", Sdk::Python),
    ("python-urllib/", Sdk::Python),
    ("axios/", Sdk::TsAxios),
    ("undici", Sdk::Ts),
    ("node", Sdk::Ts),
    ("bun/", Sdk::Ts),
    ("go-http-client/", Sdk::Go),
    ("reqwest/", Sdk::Rust),
];

/// The files that name a project's dependencies, and how they name x402.
const MANIFESTS: [(&str, &str, Sdk); 7] = [
    ("package.json", "@x402/axios", Sdk::TsAxios),
    ("package.json", "@x402/", Sdk::Ts),
    ("package.json", "\"x402-", Sdk::Ts),
    ("requirements.txt", "x402", Sdk::Python),
    ("pyproject.toml", "x402", Sdk::Python),
    ("go.mod", "x402", Sdk::Go),
    ("Cargo.toml", "x402", Sdk::Rust),
];

/// What stands in what a program prints when it ends in an error, all of it, and whose that is. The plainest come first: a
/// trace of JavaScript's may be quoted in another.
const TRACES: [(&[&str], Sdk, &str); 14] = [
    (&["Traceback (most recent call last)"], Sdk::Python, "Python's"),
    (&["File \"", ".py\", line "], Sdk::Python, "Python's"),
    (&["thread '", "panicked at "], Sdk::Rust, "Rust's"),
    (&["panic: ", "goroutine "], Sdk::Go, "Go's"),
    (&["AxiosError"], Sdk::TsAxios, "axios's"),
    (&["    at ", "/@x402/axios/"], Sdk::TsAxios, "axios's"),
    (&["    at ", "node:internal"], Sdk::Ts, "Node's"),
    (&["    at ", ".js:"], Sdk::Ts, "JavaScript's"),
    (&["    at ", ".ts:"], Sdk::Ts, "JavaScript's"),
    (&["ZodError"], Sdk::Ts, "JavaScript's"),
    (&["stack backtrace:", ".rs:"], Sdk::Rust, "Rust's"),
    (&[".go:", "\n\t"], Sdk::Go, "Go's"),
    (&["web3.exceptions."], Sdk::Python, "Python's"),
    (&["x402.", "Error: Failed to handle payment"], Sdk::Python, "Python's"),
];

/// Classes of errors by the modules of Python that have them.
const MODULES: [&str; 6] = ["httpx.", "requests.exceptions.", "pydantic_core.", "x402.", "solana.", "solders."];

/// Members as models of Python call them.
const SNAKES: [&str; 7] = [
    "`pay_to`",
    "`max_timeout_seconds`",
    "`max_amount_required`",
    "`x402_version`",
    "`valid_after`",
    "`valid_before`",
    "`permit2_authorization`",
];

/// The most that is read of such a file, in bytes.
const LIMIT: u64 = 1024 * 1024;

impl Sdk {
    /// What it is called.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Ts => "TypeScript",
            Self::TsAxios => "TypeScript with axios",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::Rust => "Rust",
        }
    }

    /// Its lines for one side, by the names of the table, the best first.
    pub const fn names(self, side: Side) -> &'static [&'static str] {
        match (self, side) {
            (Self::Ts, Side::Client) => &["ts-fetch"],
            (Self::TsAxios, Side::Client) => &["ts-axios", "ts-fetch"],
            (Self::Ts | Self::TsAxios, _) => &["ts-express"],
            (Self::Python, Side::Client) => &["python-client"],
            (Self::Python, _) => &["python-server"],
            (Self::Go, Side::Client) => &["go"],
            (Self::Go, _) => &["go-server"],
            (Self::Rust, Side::Client) => &["rust"],
            (Self::Rust, _) => &[],
        }
    }
}

/// The SDK of a client, by the name that it gives itself.
pub fn of_agent(name: &str) -> Option<(Sdk, String)> {
    let lower = name.to_ascii_lowercase();
    let (agent, sdk) = AGENTS.into_iter().find(|(agent, _)| lower.starts_with(agent))?;
    Some((sdk, format!("the client calls itself {}", agent.trim_end_matches('/'))))
}

/// The SDK of the client in a record of requests.
pub fn of_record(text: &str) -> Option<(Sdk, String)> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("user-agent").find_map(|(at, name)| {
        // In archives the value is another member: `{"name": "User-Agent", "value": "node"}`.
        let rest = &lower[at + name.len()..];
        let rest = rest.trim_start_matches(|c: char| "\":, ".contains(c));
        let value = rest.strip_prefix("value").unwrap_or(rest).trim_start_matches(|c: char| "\": ".contains(c));
        // No name in the table is longer.
        of_agent(&value.chars().take(32).collect::<String>())
    })
}

/// The SDK of a program that printed an error and the way to it.
pub fn of_trace(text: &str) -> Option<(Sdk, String)> {
    let is_class = |line: &str| {
        let name = line.split(':').next().unwrap_or_default();
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte));
        is_name && line.len() > name.len() && MODULES.iter().any(|module| name.starts_with(module))
    };
    let of_python = || text.lines().any(is_class).then_some((Sdk::Python, "Python's"));
    let all = |(marks, ..): &&(&[&str], Sdk, &str)| marks.iter().all(|mark| text.contains(mark));
    let found = TRACES.iter().find(all).map(|(_, sdk, whose)| (*sdk, *whose)).or_else(of_python);
    found.map(|(sdk, whose)| (sdk, format!("the error is {whose}")))
}

/// The one SDK that the project in a directory depends on.
pub fn of_project(directory: &Path) -> Option<(Sdk, String)> {
    let mut found: Option<(Sdk, String)> = None;
    for file in ["package.json", "requirements.txt", "pyproject.toml", "go.mod", "Cargo.toml"] {
        let Some(text) = beginning(&directory.join(file)) else { continue };
        let named = MANIFESTS.iter().find(|(own, name, _)| *own == file && text.contains(name));
        let Some((.., sdk)) = named else { continue };
        // With both clients only the language is known.
        let sdk = if *sdk == Sdk::TsAxios && text.contains("@x402/fetch") { &Sdk::Ts } else { sdk };
        // Of two languages nobody knows which one is meant.
        if found.as_ref().is_some_and(|(other, _)| other != sdk) {
            return None;
        }
        found = Some((*sdk, format!("{file} names x402")));
    }
    found
}

/// The SDK whose spelling members have: a model of Python's that was written without its aliases has snake case.
pub fn of_spelling(explanation: &Explanation) -> Option<(Sdk, String)> {
    let misnamed = explanation.findings.iter().find(|finding| finding.id == "misnamed_field")?;
    let is_snake = misnamed.evidence.iter().any(|seen| SNAKES.iter().any(|snake| seen.contains(snake)));
    is_snake.then(|| (Sdk::Python, "members are spelt as its models are".to_owned()))
}

/// A word on whose lines are shown, and why.
pub fn note(explanation: &mut Explanation, sdk: Sdk, why: &str) {
    if explanation.findings.iter().any(|finding| !finding.code.is_empty()) {
        let has_own = |finding: &Finding| finding.code.iter().any(|line| line.sdk == "ts-axios");
        let is_general = sdk == Sdk::TsAxios && !explanation.findings.iter().any(has_own);
        let words = if is_general { Sdk::Ts.words() } else { sdk.words() };
        let word = format!("lines of code are for {words}: {why}; `--sdk` chooses another");
        explanation.notes.push(word);
    }
}

fn beginning(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LIMIT).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_known_by_its_name() {
        for (text, sdk) in [
            ("> GET / HTTP/1.1\n> User-Agent: python-httpx/0.28.1\n", Some(Sdk::Python)),
            (r#"{"name": "User-Agent", "value": "node"}"#, Some(Sdk::Ts)),
            (r#"{"name":"user-agent","value":"axios/1.7.2"}"#, Some(Sdk::TsAxios)),
            ("> user-agent: Go-http-client/1.1", Some(Sdk::Go)),
            ("> User-Agent: curl/8.5.0\n> User-Agent: reqwest/0.12", Some(Sdk::Rust)),
            ("> User-Agent: curl/8.5.0\n> x: node", None),
            ("user-agent", None),
        ] {
            assert_eq!(of_record(text).map(|(sdk, _)| sdk), sdk, "{text}");
        }
    }

    #[test]
    fn an_error_is_known_by_the_way_it_is_printed() {
        for (text, sdk) in [
            ("Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\n    pay()", Some(Sdk::Python)),
            ("  File \"/app/x.py\", line 12\nValueError: no", Some(Sdk::Python)),
            ("httpx.ConnectError: All connection attempts failed", Some(Sdk::Python)),
            ("web3.exceptions.MethodUnavailable: {}", Some(Sdk::Python)),
            ("panic: no\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:12 +0x1d", Some(Sdk::Go)),
            ("thread 'main' panicked at src/main.rs:4:5:\nno", Some(Sdk::Rust)),
            ("AxiosError: Request failed with status code 402", Some(Sdk::TsAxios)),
            ("Error: no\n    at pay (/app/index.js:10:3)", Some(Sdk::Ts)),
            ("Error: no\n    at process (node:internal/process/task_queues:95:5)", Some(Sdk::Ts)),
            ("insufficient_funds", None),
            ("Error: insufficient_funds at the shop", None),
            ("httpx.example: a sentence", Some(Sdk::Python)),
            ("see httpx.example: a sentence", None),
        ] {
            assert_eq!(of_trace(text).map(|(sdk, _)| sdk), sdk, "{text}");
        }
    }

    #[test]
    fn a_project_is_known_by_what_it_depends_on() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        assert_eq!(of_project(directory.path()), None);
        write("package.json", r#"{"dependencies": {"express": "5"}}"#);
        assert_eq!(of_project(directory.path()), None);
        write("pyproject.toml", "dependencies = [\"x402[evm]>=2\"]");
        assert_eq!(of_project(directory.path()), Some((Sdk::Python, "pyproject.toml names x402".to_owned())));
        write("package.json", r#"{"dependencies": {"@x402/fetch": "2.27.0"}}"#);
        assert_eq!(of_project(directory.path()), None);
        std::fs::remove_file(directory.path().join("pyproject.toml")).unwrap();
        for (names, sdk) in [
            (r#""@x402/fetch": "2""#, Sdk::Ts),
            (r#""@x402/axios": "2""#, Sdk::TsAxios),
            (r#""@x402/fetch": "2", "@x402/axios": "2""#, Sdk::Ts),
        ] {
            write("package.json", &format!("{{\"dependencies\": {{{names}}}}}"));
            assert_eq!(of_project(directory.path()).map(|(sdk, _)| sdk), Some(sdk), "{names}");
        }
    }
}
