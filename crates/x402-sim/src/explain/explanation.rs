//! All that is said about one thing: what it is, what it says, how both sides compare, and what is wrong.

use serde::Serialize;

use super::finding::{Certainty, Finding, Severity, entry};
use super::kind::Kind;

/// What was made of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What it is.
    pub kind: Kind,
    /// What it is, in a sentence.
    pub title: String,
    /// What has happened since, where that may be what is asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newer: Option<String>,
    /// How long ago an instance refused it, in seconds by this computer's clock, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u64>,
    /// What it says.
    pub sections: Vec<Section>,
    /// What the payment says beside what the requirements say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comparison: Vec<Row>,
    /// What verification says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What is wrong, the likeliest cause first.
    pub findings: Vec<Finding>,
    /// What was assumed, and what could not be looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Fields that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// What they are of.
    pub title: String,
    /// The fields.
    pub fields: Vec<Field>,
}

/// One thing that is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name, as it is written.
    pub label: String,
    /// What is written, shortened where it is long.
    pub value: String,
    /// What that means; empty where it says itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub meaning: String,
}

/// One field on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name.
    pub field: String,
    /// What the payment says.
    pub payment: String,
    /// What the requirements say.
    pub requirements: String,
    /// Whether that is the same.
    pub equal: bool,
}

/// What verification says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether the payment would settle.
    pub valid: bool,
    /// The reason string, where it would not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The sentence with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The clock that it was judged by, in seconds since 1970.
    pub at: u64,
    /// Who says so: `verify` in a fresh world, or the instance's own record.
    pub by: String,
}

/// How [`Verdict::by`] begins where only an offer was judged.
pub const OF_OFFER: &str = "verify of what an official client would sign";

impl Explanation {
    /// An explanation of a kind.
    pub fn new(kind: Kind, title: impl Into<String>) -> Self {
        Self {
            kind,
            title: title.into(),
            newer: None,
            age: None,
            sections: Vec::new(),
            comparison: Vec::new(),
            verdict: None,
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a finding. What was found before gets its evidence.
    pub fn find(&mut self, finding: Finding) {
        let Some(known) = self.findings.iter_mut().find(|known| known.id == finding.id) else {
            self.findings.push(finding);
            return;
        };
        for evidence in finding.evidence {
            if !known.evidence.contains(&evidence) {
                known.evidence.push(evidence);
            }
        }
        if known.certainty == Certainty::Possible && finding.certainty == Certainty::Proven {
            (known.certainty, known.proof) = (finding.certainty, finding.proof);
        }
    }

    /// Puts what is proven before what is possible, errors before warnings, what has paid already before what has not,
    /// causes before events; else the sequence stays. A payment with an error is not said to settle.
    pub fn rank(&mut self) {
        let valid = self.verdict.as_ref().is_some_and(|verdict| verdict.valid);
        if valid && self.findings.iter().any(|finding| finding.severity == Severity::Error) {
            self.verdict = None;
            self.notes.push("apart from what is found here, verify passes in a fresh world".to_owned());
        }
        let is_vague = |finding: &Finding| entry(finding.id).is_some_and(|entry| entry.vague);
        let has_paid = |finding: &Finding| finding.is_proven() && entry(finding.id).is_some_and(|entry| entry.paid);
        self.findings
            .sort_by_key(|finding| (finding.certainty, finding.severity, !has_paid(finding), is_vague(finding)));
    }
}

impl Section {
    /// Fields under a title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), fields: Vec::new() }
    }

    /// Adds a field.
    pub fn add(&mut self, label: impl Into<String>, value: impl Into<String>, meaning: impl Into<String>) {
        self.fields.push(Field { label: label.into(), value: value.into(), meaning: meaning.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_paid_already_comes_before_what_else_is_proven_and_not_before_it_is() {
        let ids = |findings: Vec<Finding>| {
            let mut told = Explanation { findings, ..Explanation::new(Kind::PaymentV2, "") };
            told.rank();
            told.findings.iter().map(|finding| finding.id).collect::<Vec<_>>()
        };
        let (other, used) = (Finding::new("wrong_domain_name"), Finding::new("nonce_used"));
        assert_eq!(ids(vec![other.clone().proven("a"), used.clone().proven("b")]), ["nonce_used", "wrong_domain_name"]);
        assert_eq!(ids(vec![other.clone(), used.clone()]), ["wrong_domain_name", "nonce_used"]);
        assert_eq!(ids(vec![used, other.proven("a")]), ["wrong_domain_name", "nonce_used"]);
    }
}
