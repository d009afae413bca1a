//! What is never printed: keys, tokens, cookies, what a user says to a server in confidence. Signatures may stay.

use x402_sim::explain::explanation::{Explanation, Field};

/// What stands in place of a secret.
const CUT: &str = "<cut out>";

/// Parts of names whose values are secrets.
const NAMES: [&str; 12] = [
    "privatekey",
    "private_key",
    "private-key",
    "secret",
    "apikey",
    "api_key",
    "api-key",
    "password",
    "mnemonic",
    "cookie",
    "bearer",
    "access_token",
];

/// The explanation without secrets.
pub fn cut(mut explanation: Explanation) -> Explanation {
    for field in explanation.sections.iter_mut().flat_map(|section| &mut section.fields) {
        if is_secret(field) {
            (field.value, field.meaning) = (CUT.to_owned(), String::new());
        }
        field.value = without_query(&field.value);
    }
    for finding in &mut explanation.findings {
        for evidence in &mut finding.evidence {
            *evidence = without_query(evidence);
        }
    }
    explanation
}

fn is_secret(field: &Field) -> bool {
    let label = field.label.to_ascii_lowercase();
    let last = label.rsplit('.').next().unwrap_or_default();
    let named = NAMES.iter().any(|name| label.contains(name)) || last == "authorization" || last == "x-payment-proof";
    named || field.value.starts_with("Bearer ") || field.value.starts_with("Basic ")
}

/// A text in which the values of secret parameters of addresses are cut out.
fn without_query(text: &str) -> String {
    let mut out = text.to_owned();
    for name in ["token=", "api_key=", "apikey=", "key=", "access_token=", "secret="] {
        for mark in ["?", "&"] {
            let begin = format!("{mark}{name}");
            if let Some(at) = out.find(&begin) {
                let start = at + begin.len();
                let end = out[start..].find(['&', ' ', '"', '#']).map_or(out.len(), |end| start + end);
                if start < end {
                    out.replace_range(start..end, CUT);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use x402_sim::explain::explanation::Section;
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
        explanation.sections.push(section);
        let cut = cut(explanation);
        let values: Vec<&str> = cut.sections[0].fields.iter().map(|field| field.value.as_str()).collect();
        assert_eq!(values, [CUT, CUT, CUT, "https://a/b?token=<cut out>&c=d", "0x036C", "0xabcd"]);
    }
}
