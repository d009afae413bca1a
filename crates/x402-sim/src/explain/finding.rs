//! What is said about something that is wrong: which mistake, how sure that is, what it rests on, and what to do.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::code::{self, CodeLine};

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
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_code: Option<&'static str>,
}

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

impl Side {
    /// Who it is, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Client => "whoever pays",
            Self::Server => "whoever is paid",
            Self::Facilitator => "whoever verifies and settles",
            Self::Proxy => "whoever stands between them: a proxy, a gateway, a cache",
        }
    }
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
    /// Whether whoever wrote the place where it stands can mend it: anybody makes such mistakes.
    #[serde(default)]
    pub placed: bool,
    /// Whether it says what has happened, and not why: whatever says why comes before it.
    #[serde(default)]
    pub vague: bool,
    /// Whether it says that money may have moved already: proven, it comes before all that keeps this payment from moving
    /// any, so that nobody mends that and pays twice.
    #[serde(default)]
    pub paid: bool,
    /// What it is.
    pub title: String,
    /// How it comes about.
    pub cause: String,
    /// What to do.
    pub fix: String,
    /// The lines that mend it, as templates; see [`super::code`].
    #[serde(default)]
    pub code: BTreeMap<String, String>,
    /// Why there are none.
    #[serde(default)]
    pub no_code: Option<String>,
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
            code: code::examples(entry),
            no_code: entry.no_code.as_deref(),
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
    use std::fs;
    use std::path::Path;

    use super::super::code::SDKS;
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
    fn every_finding_has_a_line_of_code_for_whoever_can_mend_it_or_says_why_there_is_none() {
        for entry in entries() {
            assert_eq!(entry.code.is_empty(), entry.no_code.is_some(), "{}", entry.id);
            let has = |names: &[&str]| entry.code.is_empty() || names.iter().any(|name| entry.code.contains_key(*name));
            let (client, server) = (has(&["ts-fetch", "python-client"]), has(&["ts-express", "python-server"]));
            match (entry.placed, entry.side) {
                (true, _) => assert!(client && server, "{}", entry.id),
                (false, Side::Client) => assert!(client, "{}", entry.id),
                (false, _) => assert!(server, "{}", entry.id),
            }
            assert!(Finding::new(&entry.id).code.iter().all(|line| !line.line.contains("{{")), "{}", entry.id);
        }
    }

    #[test]
    fn every_id_that_the_code_names_is_in_the_table() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut places = vec![
            sources.join("x402-sim/src"),
            sources.join("x402-dev/src/check"),
            sources.join("x402-dev/src/commands/explain"),
        ];
        let mut named = 0;
        while let Some(place) = places.pop() {
            if place.is_dir() {
                places.extend(fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            // Whatever line the name stands in.
            let text = fs::read_to_string(&place).unwrap().split_whitespace().collect::<String>();
            for maker in ["Finding::new(\"", "Found::new(\"", "self.finding(\"", "own.id==\"", "finding.id==\""] {
                for part in text.split(maker).skip(1) {
                    let id = part.split('"').next().unwrap();
                    assert!(entry(id).is_some(), "{id} in {}", place.display());
                    named += 1;
                }
            }
        }
        assert!(named > 60, "{named}");
    }
}
