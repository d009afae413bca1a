//! An explanation as Markdown, to paste into an issue.

use std::fmt::Write as _;

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;

use super::Sdk;
use super::text::{grade, shown, verdict_line};
use crate::terminal::printable;

/// The explanation in Markdown.
pub fn render(explanation: &Explanation, sdk: Option<Sdk>) -> String {
    let mut out = format!("## {}\n", plain(&explanation.title));
    if let Some(verdict) = &explanation.verdict {
        let _ = writeln!(out, "\n> {}", plain(&verdict_line(verdict)).replace('\n', "\n> "));
    }
    if !explanation.findings.is_empty() {
        out.push_str("\n### Findings\n");
        for (place, own) in explanation.findings.iter().enumerate() {
            out.push_str(&finding(place + 1, own, sdk));
        }
    }
    if !explanation.comparison.is_empty() {
        out.push_str("\n### Payment and requirements\n\n| field | payment | requirements | |\n|---|---|---|---|\n");
        for row in &explanation.comparison {
            let mark = if row.equal { "" } else { "**differs**" };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {mark} |",
                cell(&row.field),
                cell(&row.payment),
                cell(&row.requirements)
            );
        }
    }
    for section in &explanation.sections {
        let _ = writeln!(out, "\n### {}\n\n| field | value | meaning |\n|---|---|---|", plain(&section.title));
        for field in &section.fields {
            let _ = writeln!(out, "| {} | {} | {} |", cell(&field.label), cell(&field.value), cell(&field.meaning));
        }
    }
    for note in &explanation.notes {
        let _ = writeln!(out, "\n*Note:* {}", plain(note));
    }
    out
}

fn finding(place: usize, own: &Finding, sdk: Option<Sdk>) -> String {
    let mut out = format!("\n{place}. **{}** ({}, `{}`)\n", plain(own.title), grade(own).to_lowercase(), own.id);
    if let Some(path) = &own.path {
        let _ = writeln!(out, "   - at `{}`", path.replace('`', "'"));
    }
    for evidence in &own.evidence {
        let _ = writeln!(out, "   - seen: {}", plain(evidence));
    }
    if let Some(proof) = &own.proof {
        let _ = writeln!(out, "   - proof: {}", plain(proof));
    }
    let _ = writeln!(out, "   - cause: {}\n   - fix: {}", plain(own.cause), plain(&own.fix));
    for line in shown(own, sdk) {
        let _ = writeln!(out, "   - {}: `{}`", line.sdk, line.line.replace('`', "'"));
    }
    out
}

/// A text that is no markup.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split('\n') {
        if !out.is_empty() {
            out.push('\n');
        }
        for c in printable(line).chars() {
            if matches!(c, '<' | '*' | '_' | '[' | ']' | '|' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}

/// A text in a cell: as code where it is no sentence.
fn cell(text: &str) -> String {
    let text = printable(text).replace('|', "\\|").replace('`', "'");
    if text.is_empty() {
        text
    } else if text.contains(' ') {
        text.replace('<', "\\<")
    } else {
        format!("`{text}`")
    }
}
