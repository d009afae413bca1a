//! An explanation for a terminal. What others wrote cannot steer it.

use x402_sim::explain::explanation::{Explanation, Verdict};
use x402_sim::explain::finding::{Certainty, CodeLine, Finding, Severity, Side};
use x402_sim::explain::kind::Kind;

use super::Sdk;
use crate::clock::timestamp;
use crate::commands::door::columns;
use crate::terminal::printable;

/// The explanation in lines.
pub fn render(explanation: &Explanation, sdk: Option<Sdk>) -> String {
    let mut lines = vec![printable(&explanation.title)];
    for section in &explanation.sections {
        lines.push(String::new());
        lines.push(printable(&section.title));
        let row = |label: &str, value: &str, meaning: &str| {
            vec![format!("  {}", printable(label)), printable(value), printable(meaning)]
        };
        let wide = section.fields.iter().any(|field| field.value.chars().count() > 90);
        if wide {
            for field in &section.fields {
                let meaning =
                    if field.meaning.is_empty() { String::new() } else { format!("  ({})", printable(&field.meaning)) };
                lines.push(format!("  {}: {}{meaning}", printable(&field.label), printable(&field.value)));
            }
        } else {
            let rows: Vec<Vec<String>> =
                section.fields.iter().map(|field| row(&field.label, &field.value, &field.meaning)).collect();
            lines.push(columns(&rows));
        }
    }
    if !explanation.comparison.is_empty() {
        lines.push(String::new());
        let head = ["", "PAYMENT", "REQUIREMENTS", ""].map(str::to_owned).to_vec();
        let rows = explanation.comparison.iter().map(|row| {
            let mark = if row.equal { "same" } else { "DIFFERS" };
            vec![format!("  {}", row.field), printable(&row.payment), printable(&row.requirements), mark.to_owned()]
        });
        lines.push(columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
    }
    lines.extend(explanation.verdict.as_ref().map(|verdict| format!("\n{}", verdict_line(verdict))));
    for note in &explanation.notes {
        lines.push(format!("note: {}", printable(note)));
    }
    if explanation.findings.is_empty() && judged(explanation) {
        lines.push("\nnothing wrong was found".to_owned());
    }
    for (place, own) in explanation.findings.iter().enumerate() {
        lines.push(String::new());
        lines.push(finding(place + 1, own, sdk));
    }
    lines.join("\n")
}

/// Whether something was looked for.
fn judged(explanation: &Explanation) -> bool {
    explanation.verdict.is_some() || explanation.kind == Kind::Transcript
}

/// What verification says, in a line.
pub fn verdict_line(verdict: &Verdict) -> String {
    let at = if verdict.at == 0 { String::new() } else { format!(", at {}", timestamp(verdict.at * 1000)) };
    let by = &verdict.by;
    match (&verdict.reason, &verdict.message) {
        (Some(reason), Some(message)) => {
            format!("REFUSED: {} ({by}{at})\n  {}", printable(reason), printable(message))
        }
        (Some(reason), None) => format!("REFUSED: {} ({by}{at})", printable(reason)),
        _ => format!("VALID: it would settle ({by}{at})"),
    }
}

/// The words for how sure and how bad a finding is.
pub const fn grade(finding: &Finding) -> &'static str {
    match (finding.certainty, finding.severity) {
        (Certainty::Proven, Severity::Error) => "PROVEN",
        (Certainty::Possible, Severity::Error) => "possible",
        (_, Severity::Warning) => "warning",
    }
}

/// The lines of code that are shown: of one SDK, or the first of TypeScript and of Python for the side that can mend it.
pub fn shown(finding: &Finding, sdk: Option<Sdk>) -> Vec<&CodeLine> {
    let of = |name: &str| finding.code.iter().find(|line| line.sdk == name);
    if let Some(Sdk(name)) = sdk {
        return of(name).into_iter().collect();
    }
    let wanted = match finding.side {
        Side::Client => ["ts-fetch", "python-client"],
        Side::Server | Side::Facilitator | Side::Proxy => ["ts-express", "python-server"],
    };
    let own: Vec<&CodeLine> = wanted.iter().filter_map(|name| of(name)).collect();
    if own.is_empty() { finding.code.iter().take(2).collect() } else { own }
}

fn finding(place: usize, own: &Finding, sdk: Option<Sdk>) -> String {
    let mut lines = vec![format!("{place}. {}: {}  [{}]", grade(own), own.title, own.id)];
    let mut add = |label: &str, text: &str| {
        let label = format!("{label}:");
        lines.push(format!("   {label:<7} {}", printable(text)));
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
    for line in shown(own, sdk) {
        lines.push(format!("   {}: {}", line.sdk, line.line));
    }
    lines.join("\n")
}
