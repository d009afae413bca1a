//! What is never printed: keys, tokens, cookies, what a user says to a server in confidence. Signatures may stay.

use x402_sim::explain::explanation::{Explanation, Field};

/// What stands in place of a secret.
const CUT: &str = "<cut out>";

/// Parts of names whose values are secrets, wherever they stand. Without case, `-` and `_`.
const NAMES: [&str; 13] = [
    "privatekey",
    "secret",
    "apikey",
    "password",
    "passwd",
    "mnemonic",
    "seedphrase",
    "cookie",
    "bearer",
    "accesstoken",
    "refreshtoken",
    "sessiontoken",
    "authtoken",
];

/// Names that are secrets in the query of an address; elsewhere a token is an asset, and a key a place.
const QUERY_NAMES: [&str; 8] = ["token", "key", "sig", "signature", "auth", "session", "jwt", "pass"];

/// The explanation without secrets.
pub fn cut(mut explanation: Explanation) -> Explanation {
    let Explanation { kind: _, title, sections, comparison, verdict, findings, notes, newer } = &mut explanation;
    clean(title);
    newer.iter_mut().for_each(clean);
    for section in sections {
        clean(&mut section.title);
        for field in &mut section.fields {
            if is_secret(field) {
                (field.value, field.meaning) = (CUT.to_owned(), String::new());
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

/// A text without secrets.
pub fn cleaned(text: &str) -> String {
    let mut text = text.to_owned();
    clean(&mut text);
    text
}

fn is_secret(field: &Field) -> bool {
    let label = field.label.to_ascii_lowercase();
    let last = label.rsplit('.').next().unwrap_or_default();
    let named = is_named_secret(&label) || last == "authorization" || last == "x-payment-proof";
    named || field.value.starts_with("Bearer ") || field.value.starts_with("Basic ")
}

/// Whether a parameter of a query is a secret by its name.
pub fn is_secret_parameter(name: &str) -> bool {
    is_named_secret(name) || QUERY_NAMES.contains(&plain(name).as_str())
}

/// Whether a header field is a secret by its name. One that names an attempt is none.
pub fn is_secret_header(name: &str) -> bool {
    let plain = plain(name);
    let is_word = |word: &str| QUERY_NAMES.contains(&word.to_ascii_lowercase().as_str());
    let said = plain.contains("authorization") || is_named_secret(name) || name.split(['-', '_']).any(is_word);
    said && plain != "idempotencykey"
}

fn is_named_secret(name: &str) -> bool {
    let plain = plain(name);
    NAMES.iter().any(|secret| plain.contains(secret))
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect()
}

fn clean(text: &mut String) {
    // Nothing can be told from so little.
    if text.len() < 3 {
        return;
    }
    *text = without_named(&without_query(&without_user(text)));
}

/// A text whose addresses name no user and no password.
fn without_user(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace());
        let host = &after[..end.unwrap_or(after.len())];
        rest = match host.rfind('@') {
            Some(at) => {
                out.push_str(CUT);
                &after[at..]
            }
            None => after,
        };
    }
    out + rest
}

/// A text in which the values of secret parameters of addresses are cut out.
pub fn without_query(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(['?', '&']) {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        rest = after;
        let end =
            after.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(after.len());
        let Some(value) = after[end..].strip_prefix('=') else { continue };
        let name = &after[..end];
        if value.starts_with(CUT) {
            continue;
        }
        if is_secret_parameter(name) {
            let value_end = value.find(|c: char| matches!(c, '&' | '"' | '\'' | '#' | '<') || c.is_whitespace());
            out.push_str(&after[..=end]);
            out.push_str(CUT);
            rest = &value[value_end.unwrap_or(value.len())..];
        }
    }
    out + rest
}

/// A text in which the values of what is named as a secret are cut out: `"privateKey": "..."`, `apiKey is ...`.
fn without_named(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    while let Some(begin) = rest.find(is_word) {
        out.push_str(&rest[..begin]);
        let word_end = rest[begin..].find(|c| !is_word(c)).map_or(rest.len(), |length| begin + length);
        let word = &rest[begin..word_end];
        out.push_str(word);
        rest = &rest[word_end..];
        if !is_named_secret(word.rsplit('.').next().unwrap_or_default()) {
            continue;
        }
        while let Some(length) = value_begins(rest) {
            out.push_str(&rest[..length]);
            out.push_str(CUT);
            rest = &rest[length + value_length(&rest[length..])..];
        }
    }
    out + rest
}

/// How long what stands between a name and its value is, if a value follows.
fn value_begins(rest: &str) -> Option<usize> {
    if let Some(other) = rest.strip_prefix(", the requirements' is ") {
        return Some(rest.len() - other.len());
    }
    let bare = rest.trim_start_matches(['"', '\'', '\\']).trim_start();
    let value = bare.strip_prefix([':', '=']).or_else(|| bare.strip_prefix("is "))?.trim_start();
    // What was cut out stays cut out.
    let is_cut = value.is_empty() || value.starts_with(CUT);
    (!is_cut).then_some(rest.len() - value.len())
}

fn value_length(value: &str) -> usize {
    let quoted = ["\\\"", "\"", "'"].iter().find_map(|quote| {
        let inner = value.strip_prefix(quote)?;
        Some(inner.find(quote).map_or(value.len(), |end| end + 2 * quote.len()))
    });
    quoted.unwrap_or_else(|| value.find([',', '}', ']', ')', ';', '&', '\n', ' ']).unwrap_or(value.len()))
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
        explanation.sections.push(section);
        let row =
            |field: &str| Row { field: field.into(), payment: "1".into(), requirements: "2".into(), equal: false };
        explanation.comparison = vec![row("extra.apiKey"), row("asset")];
        explanation.findings.push(Finding::new("wrong_asset").seen("see https://me:s3cret@host/ there"));
        let cut = cut(explanation);
        let values: Vec<&str> = cut.sections[0].fields.iter().map(|field| field.value.as_str()).collect();
        assert_eq!(values, [CUT, CUT, CUT, "https://a/b?token=<cut out>&c=d", "0x036C", "0xabcd"]);
        assert_eq!((cut.comparison[0].payment.as_str(), cut.comparison[1].payment.as_str()), (CUT, "1"));
        assert_eq!(cut.findings[0].evidence, ["see https://<cut out>@host/ there"]);
    }

    #[test]
    fn every_secret_of_a_text_is_cut_out_and_nothing_else() {
        for (text, expected) in [
            (
                "http://a/?x=1&Token=s3&y=2 http://b/?token=s3#f",
                "http://a/?x=1&Token=<cut out>&y=2 http://b/?token=<cut out>#f",
            ),
            ("http://a/?apiKey=s3&password=s3", "http://a/?apiKey=<cut out>&password=<cut out>"),
            (r#"{"a": 1, "privateKey": "s3", "b": 2}"#, r#"{"a": 1, "privateKey": <cut out>, "b": 2}"#),
            (r#"{\"api_key\":\"s3\",\"b\":2}"#, r#"{\"api_key\":<cut out>,\"b\":2}"#),
            ("{'client_secret': 's3'}", "{'client_secret': <cut out>}"),
            (
                "extra.apiKey is s3, the requirements' is s4",
                "extra.apiKey is <cut out>, the requirements' is <cut out>",
            ),
            ("password=s3; other=4", "password=<cut out>; other=4"),
            ("the token 0x036C is USDC, and ? & : stay", "the token 0x036C is USDC, and ? & : stay"),
            ("accepted.asset is 1, the requirements' is 2", "accepted.asset is 1, the requirements' is 2"),
            ("secret: ", "secret: "),
        ] {
            let once = cleaned(text);
            assert_eq!(once, expected);
            assert_eq!(cleaned(&once), once);
            assert!(!once.contains("s3") && !once.contains("s4"), "{once}");
        }
    }

    #[test]
    fn pieces_of_all_that_is_looked_for_are_read_in_any_order() {
        let pieces =
            ["apiKey", "://a@", "?key=", "secret", ": ", "is ", "\"", "\\\"", "é", ", the requirements' is ", ""];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    for d in pieces {
                        let once = cleaned(&[a, b, c, d].concat());
                        assert!(once.len() < 200);
                    }
                }
            }
        }
    }
}
