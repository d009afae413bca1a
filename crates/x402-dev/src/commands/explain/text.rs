//! An explanation for a terminal. What others wrote cannot steer it.

use x402_sim::clock::span;
use x402_sim::explain::code::CodeLine;
use x402_sim::explain::explanation::{Explanation, Field, OF_OFFER, Section, Verdict};
use x402_sim::explain::finding::{Certainty, Finding, Severity};
use x402_sim::explain::kind::Kind;

use super::Sdk;
use crate::clock::timestamp;
use crate::commands::door::columns;
use crate::terminal::safe;

/// The explanation in lines: what is wrong comes before what it says, but for a page of the manual and a story of a mock.
///
/// Of a story of a mock with something wrong in it the title is what stands for the verdict.
pub fn render(explanation: &Explanation, sdk: Option<Sdk>) -> String {
    let is_story = matches!(explanation.kind, Kind::Reason | Kind::Record) && explanation.verdict.is_none();
    let (title, said, found) = (safe(&explanation.title), said(explanation), found(explanation, sdk));
    let newer = explanation.newer.as_deref().map(|newer| format!("NEWER: {}", safe(newer))).unwrap_or_default();
    let parts = match (is_story, explanation.kind) {
        (true, Kind::Record) => [newer, title, found, said],
        (true, _) => [newer, title, said, found],
        (false, _) => [newer, found, title, said],
    };
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// The verdict, the findings, the notes.
fn found(explanation: &Explanation, sdk: Option<Sdk>) -> String {
    let mut parts: Vec<String> = verdict_lines(explanation).into_iter().collect();
    if explanation.findings.is_empty() && judged(explanation) {
        parts.push("nothing wrong was found".to_owned());
    }
    parts.extend(explanation.findings.iter().enumerate().map(|(place, own)| finding(place + 1, own, sdk)));
    let notes: Vec<String> = explanation.notes.iter().map(|note| format!("note: {}", safe(note))).collect();
    parts.extend((!notes.is_empty()).then(|| notes.join("\n")));
    parts.join("\n\n")
}

/// Both sides beside each other, and what every field says.
fn said(explanation: &Explanation) -> String {
    let mut parts = Vec::new();
    if !explanation.comparison.is_empty() {
        let head = ["", "PAYMENT", "REQUIREMENTS", ""].map(str::to_owned).to_vec();
        let rows = explanation.comparison.iter().map(|row| {
            let mark = if row.equal { "same" } else { "DIFFERS" };
            vec![format!("  {}", safe(&row.field)), safe(&row.payment), safe(&row.requirements), mark.to_owned()]
        });
        parts.push(columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
    }
    parts.extend(explanation.sections.iter().map(section));
    parts.join("\n\n")
}

fn section(own: &Section) -> String {
    let mut lines = vec![safe(&own.title)];
    if own.fields.iter().any(|field| field.value.chars().count() > 90) {
        lines.extend(own.fields.iter().map(|field| {
            let meaning =
                if field.meaning.is_empty() { String::new() } else { format!("  ({})", safe(&field.meaning)) };
            format!("  {}: {}{meaning}", safe(&field.label), safe(&field.value))
        }));
    } else {
        let row = |field: &Field| vec![format!("  {}", safe(&field.label)), safe(&field.value), safe(&field.meaning)];
        lines.push(columns(&own.fields.iter().map(row).collect::<Vec<_>>()));
    }
    lines.join("\n")
}

/// Whether something was looked for.
fn judged(explanation: &Explanation) -> bool {
    explanation.verdict.is_some() || explanation.kind == Kind::Transcript
}

/// What verification says, and below it why and what to do, a line each: what is read where nothing else is.
pub fn verdict_lines(explanation: &Explanation) -> Option<String> {
    let Verdict { reason, message, at, by, .. } = explanation.verdict.as_ref()?;
    let at = if *at == 0 { String::new() } else { format!(", at {}", timestamp(at * 1000)) };
    let Some(reason) = reason else {
        // Of an offer alone nothing was sent: what it asks for is good.
        let what = if by.starts_with(OF_OFFER) {
            "the offer: a payment for it would settle, if the payer has the money; no payment was judged"
        } else {
            "it would settle, if the payer has the money and it was not used before"
        };
        return Some(format!("VALID: {what} ({by}{at})"));
    };
    let age = explanation.age.map(|age| match age {
        0 => " just now".to_owned(),
        age => format!(" {} ago", span(age * 1000)),
    });
    let mut lines = vec![format!("REFUSED{}: {} ({by}{at})", age.unwrap_or_default(), safe(reason))];
    let is_cause = |own: &&Finding| own.severity == Severity::Error || own.is_proven();
    if let Some(own) = explanation.findings.first().filter(is_cause) {
        let sure = if own.is_proven() { "proven" } else { "possible" };
        let more = match explanation.findings.len() - 1 {
            0 => String::new(),
            1 => ", and one more finding below".to_owned(),
            more => format!(", and {more} more findings below"),
        };
        lines.push(format!("  why:  {} ({sure}{more})", own.title));
        lines.push(format!("  fix:  {}", safe(&own.fix)));
    }
    lines.extend(message.iter().map(|message| format!("  said: {}", safe(message))));
    Some(lines.join("\n"))
}

/// The words for how sure and how bad a finding is.
pub const fn grade(finding: &Finding) -> &'static str {
    match (finding.certainty, finding.severity) {
        (Certainty::Proven, Severity::Error) => "PROVEN",
        (Certainty::Possible, Severity::Error) => "possible",
        (_, Severity::Warning) => "warning",
    }
}

/// The lines of code that are shown, for the side that can mend it: of the SDK at hand, else of TypeScript and of Python.
pub fn shown(finding: &Finding, sdk: Option<Sdk>) -> Vec<&CodeLine> {
    let of =
        |sdk: Sdk| sdk.names(finding.side).iter().find_map(|name| finding.code.iter().find(|line| line.sdk == *name));
    match sdk.and_then(of) {
        Some(line) => vec![line],
        None => [Sdk::Ts, Sdk::Python].into_iter().filter_map(of).collect(),
    }
}

fn finding(place: usize, own: &Finding, sdk: Option<Sdk>) -> String {
    let mut lines = vec![format!("{place}. {}: {}  [{}]", grade(own), own.title, own.id)];
    let mut add = |label: &str, text: &str| {
        let label = format!("{label}:");
        lines.push(format!("   {label:<7} {}", safe(text)));
    };
    if let Some(path) = &own.path {
        add("at", path);
    }
    for evidence in &own.evidence {
        add("seen", evidence);
    }
    if let Some(proof) = &own.proof {
        add("proof", proof);
    }
    add("cause", own.cause);
    add("fix", &own.fix);
    lines.extend(shown(own, sdk).iter().map(|line| format!("   {}: {}", line.sdk, safe(&line.line))));
    lines.extend(own.no_code.map(|why| format!("   code:   {why}")));
    lines.join("\n")
}
