//! What is said about something that is wrong: which mistake, how sure that is, what it rests on, and what to do.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// One thing that is wrong, or may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its stable id.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub certainty: Certainty,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Who can mend it.
    pub side: Side,
    /// The place in the JSON, where there is one: `paymentPayload.payload.authorization.value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What it rests on, a sentence each.
    pub evidence: Vec<String>,
    /// What was done to prove it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// How it comes about.
    pub cause: &'static str,
    /// What to do.
    pub fix: String,
    /// The lines that mend it, by the SDK.
    pub code: Vec<CodeLine>,
}

/// A line of code that mends something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CodeLine {
    /// The SDK: a name of [`SDKS`].
    pub sdk: &'static str,
    /// The line.
    pub line: &'static str,
}

/// The SDKs that lines are written for.
pub const SDKS: [&str; 6] = ["ts-fetch", "ts-axios", "ts-express", "python-client", "python-server", "go"];

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The payment fails because of it.
    Error,
    /// It works here, and will fail elsewhere or later.
    Warning,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Its fix was applied, and verification then passed or went on to a later check.
    Proven,
    /// It fits what is seen.
    Possible,
}

/// Who can mend something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Whoever pays.
    Client,
    /// Whoever is paid.
    Server,
    /// Whoever verifies and settles.
    Facilitator,
    /// Whoever stands between them.
    Proxy,
}

/// What is always the same about a finding.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its stable id.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// Who can mend it.
    pub side: Side,
    /// What it is.
    pub title: String,
    /// How it comes about.
    pub cause: String,
    /// What to do.
    pub fix: String,
    /// The lines that mend it.
    #[serde(default)]
    pub code: BTreeMap<String, String>,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/findings.json")).expect("a test reads the table of findings")
});

/// Every finding that there can be.
pub fn entries() -> &'static [Entry] {
    &ENTRIES
}

/// The entry of a finding.
pub fn entry(id: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.id == id)
}

impl Finding {
    /// A finding of the table, possible, and with nothing to show for it yet.
    ///
    /// # Panics
    ///
    /// With an id that is not in the table: a test names every id that the code does.
    pub fn new(id: &str) -> Self {
        let entry = entry(id).unwrap_or_else(|| panic!("`{id}` is in the table of findings"));
        let line = |(sdk, line): (&'static String, &'static String)| CodeLine { sdk, line };
        Self {
            id: &entry.id,
            severity: entry.severity,
            certainty: Certainty::Possible,
            title: &entry.title,
            side: entry.side,
            path: None,
            evidence: Vec::new(),
            proof: None,
            cause: &entry.cause,
            fix: entry.fix.clone(),
            code: entry.code.iter().map(line).collect(),
        }
    }

    /// The same, at a place in the JSON.
    pub fn at(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// The same, with something that it rests on.
    pub fn seen(mut self, evidence: impl Into<String>) -> Self {
        let evidence = evidence.into();
        if !evidence.is_empty() && !self.evidence.contains(&evidence) {
            self.evidence.push(evidence);
        }
        self
    }

    /// The same, with what is to be done in this case before what is always to be done.
    pub fn fixed_by(self, fix: impl AsRef<str>) -> Self {
        let fix = format!("{} {}", fix.as_ref(), self.fix);
        Self { fix, ..self }
    }

    /// The same, proven.
    pub fn proven(self, proof: impl Into<String>) -> Self {
        Self { certainty: Certainty::Proven, proof: Some(proof.into()), ..self }
    }

    /// The same, no more than possible: what proved it is something seen.
    pub fn doubted(mut self) -> Self {
        self.certainty = Certainty::Possible;
        self.evidence.extend(self.proof.take());
        self
    }

    /// Whether it is proven.
    pub fn is_proven(&self) -> bool {
        self.certainty == Certainty::Proven
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_whole_and_has_an_id_of_its_own() {
        for (place, entry) in entries().iter().enumerate() {
            assert!(entries()[..place].iter().all(|other| other.id != entry.id), "{} twice", entry.id);
            assert!(entry.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'));
            for text in [&entry.title, &entry.cause, &entry.fix] {
                assert!(!text.is_empty(), "{}", entry.id);
            }
            assert!(entry.fix.ends_with('.') && entry.cause.ends_with('.'), "{}", entry.id);
            for sdk in entry.code.keys() {
                assert!(SDKS.contains(&sdk.as_str()), "{}: {sdk}", entry.id);
            }
        }
    }

    #[test]
    fn every_id_that_the_code_names_is_in_the_table() {
        let all = [
            include_str!("repair/mod.rs"),
            include_str!("repair/shape.rs"),
            include_str!("repair/terms.rs"),
            include_str!("repair/times.rs"),
            include_str!("repair/signature.rs"),
            include_str!("repair/spelling.rs"),
            include_str!("repair/fit.rs"),
            include_str!("repair/token.rs"),
            include_str!("repair/permit.rs"),
            include_str!("repair/solana/mod.rs"),
            include_str!("repair/solana/instructions.rs"),
            include_str!("repair/solana/transfer.rs"),
            include_str!("read/mod.rs"),
            include_str!("read/header.rs"),
            include_str!("offer.rs"),
            include_str!("case.rs"),
            include_str!("said.rs"),
            include_str!("../networks/eip155/explain.rs"),
            include_str!("matching.rs"),
            include_str!("judge.rs"),
        ];
        for text in all {
            for part in text.split("Finding::new(\"").skip(1) {
                let id = part.split('"').next().unwrap();
                assert!(entry(id).is_some(), "{id}");
            }
        }
    }
}
