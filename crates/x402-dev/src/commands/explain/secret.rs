//! An explanation without what is never printed.

use x402_sim::explain::confided::Form;
use x402_sim::explain::explanation::{Explanation, Field};

use crate::secret::{CUT, clean, is_named_secret, is_signature};

/// What is said of a signature that was cut out.
const AS_A_KEY: &str = "as long as a hash or a private key; a signature has 65 bytes";

/// The explanation without secrets.
pub fn cut(mut explanation: Explanation) -> Explanation {
    let Explanation { kind: _, title, sections, comparison, verdict, findings, notes, newer, age: _ } =
        &mut explanation;
    clean(title);
    newer.iter_mut().for_each(clean);
    for section in sections {
        clean(&mut section.title);
        for field in &mut section.fields {
            if is_secret(field) {
                (field.value, field.meaning) = (CUT.to_owned(), String::new());
            }
            if is_signature(&field.label) && Form::of(&field.value).is_some() {
                (field.value, field.meaning) = (CUT.to_owned(), AS_A_KEY.to_owned());
            }
            for text in [&mut field.label, &mut field.value, &mut field.meaning] {
                clean(text);
            }
        }
    }
    for row in comparison {
        if is_named_secret(&row.field) {
            (row.payment, row.requirements) = (CUT.to_owned(), CUT.to_owned());
        }
        for text in [&mut row.payment, &mut row.requirements] {
            clean(text);
        }
    }
    for finding in findings {
        finding.path.iter_mut().chain(&mut finding.proof).chain(&mut finding.evidence).for_each(clean);
        clean(&mut finding.fix);
    }
    if let Some(verdict) = verdict {
        verdict.reason.iter_mut().chain(&mut verdict.message).for_each(clean);
    }
    notes.iter_mut().for_each(clean);
    explanation
}

fn is_secret(field: &Field) -> bool {
    let label = field.label.to_ascii_lowercase();
    let last = label.rsplit('.').next().unwrap_or_default();
    // The proof of an invoice is the signature of a transaction, which the chain shows to everybody; like the signature of
    // a payment, it may be read here.
    let named = is_named_secret(&label) || last == "authorization";
    named || field.value.starts_with("Bearer ") || field.value.starts_with("Basic ")
}

#[cfg(test)]
mod tests {
    use x402_sim::explain::explanation::{Row, Section};
    use x402_sim::explain::finding::Finding;
    use x402_sim::explain::kind::Kind;

    use super::*;

    #[test]
    fn secrets_are_cut_out_and_addresses_stay() {
        let mut explanation = Explanation::new(Kind::Other, "");
        let mut section = Section::new("a");
        section.add("extra.privateKey", "0xabc", "");
        section.add("authorization", "Bearer x", "");
        section.add("x", "Bearer y", "");
        section.add("url", "https://a/b?token=s3cret&c=d", "");
        section.add("permitted.token", "0x036C", "USDC");
        section.add("signature", "0xabcd", "");
        section.add("X-Payment-Proof", "abc", "");
        explanation.sections.push(section);
        let row =
            |field: &str| Row { field: field.into(), payment: "1".into(), requirements: "2".into(), equal: false };
        explanation.comparison = vec![row("extra.apiKey"), row("asset")];
        explanation.findings.push(Finding::new("wrong_asset").seen("see https://me:s3cret@host/ there"));
        let cut = cut(explanation);
        let values: Vec<&str> = cut.sections[0].fields.iter().map(|field| field.value.as_str()).collect();
        assert_eq!(values, [CUT, CUT, CUT, "https://a/b?token=<cut out>&c=d", "0x036C", "0xabcd", "abc"]);
        assert_eq!((cut.comparison[0].payment.as_str(), cut.comparison[1].payment.as_str()), (CUT, "1"));
        assert_eq!(cut.findings[0].evidence, ["see https://<cut out>@host/ there"]);
    }
}
