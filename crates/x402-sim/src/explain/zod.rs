//! What zod throws, which the clients and servers of version 1 read offers and payments with: a list of what is wrong, each
//! with the place.
//!
//! Source: TS 1.x `x402`, `types/verify/x402Specs.ts`; zod 3, `ZodError.message` and `toString`.

use serde_json::{Deserializer, Value};
use x402_wire::shape::shorten;

use super::explanation::{Explanation, Section};
use super::finding::Finding;
use super::kind::Kind;

/// The longest message that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// So many members are named.
const SHOWN: usize = 20;

/// How deep alternatives may stand within alternatives.
const DEEPEST: usize = 4;

/// The list within a text.
pub(super) fn message(text: &str) -> Option<&str> {
    let own = &text[..text.floor_char_boundary(LONGEST)];
    let begin = own.find('[').filter(|begin| own[begin + 1..].trim_start().starts_with('{'))?;
    let (_, end) = issues(&own[begin..])?;
    Some(&own[begin..begin + end])
}

/// The list that a text begins with, and where it ends.
fn issues(text: &str) -> Option<(Vec<Value>, usize)> {
    let mut values = Deserializer::from_str(text).into_iter::<Vec<Value>>();
    let list = values.next()?.ok()?;
    let is_issue = |own: &Value| own["code"].is_string() && own["path"].is_array() && own["message"].is_string();
    (!list.is_empty() && list.iter().all(is_issue)).then(|| (list, values.byte_offset()))
}

/// What the list says, member by member; `None` where it is none.
pub(super) fn explained(text: &str) -> Option<Explanation> {
    let (list, _) = issues(text)?;
    let mut explanation = Explanation::new(Kind::Reason, "an error of zod, which packages of version 1 read with");
    let mut section = Section::new("members at fault");
    let mut told = Vec::new();
    for issue in &list {
        flatten(issue, 0, &mut told);
    }
    for issue in told.iter().take(SHOWN) {
        let (place, what) = (place(issue), what(issue));
        section.add(place.clone(), what.clone(), "");
        explanation.find(finding(issue).at(path(issue)).seen(format!("`{place}`: {what}")));
    }
    explanation.sections.push(section);
    explanation.notes.push(
        "members are named as version 1 has them: a client of version 1 throws this at an offer of version 2, which \
         `@x402/fetch` and `@x402/axios` read"
            .to_owned(),
    );
    Some(explanation)
}

/// What is wrong in an issue: of alternatives that which has most in common with what was read.
fn flatten<'a>(issue: &'a Value, depth: usize, into: &mut Vec<&'a Value>) {
    let unions = issue["unionErrors"].as_array().filter(|_| depth < DEEPEST);
    let of = |own: &'a Value| own["issues"].as_array().map(Vec::as_slice).unwrap_or_default();
    // A member that is there and wrong says that this was meant.
    let met = |own: &&'a Value| of(own).iter().filter(|issue| !is_missing(issue)).count();
    let best = unions.and_then(|all| all.iter().max_by_key(|own| (met(own), std::cmp::Reverse(of(own).len()))));
    match best {
        Some(best) => of(best).iter().for_each(|issue| flatten(issue, depth + 1, into)),
        None => into.push(issue),
    }
}

fn is_missing(issue: &Value) -> bool {
    issue["received"] == "undefined" || issue["message"] == "Required"
}

/// The place as people write it: `accepts.0.payTo`.
fn place(issue: &Value) -> String {
    let part = |own: &Value| own.as_str().map_or_else(|| own.to_string(), str::to_owned);
    let parts: Vec<String> = issue["path"].as_array().into_iter().flatten().map(part).collect();
    if parts.is_empty() { "the whole".to_owned() } else { shorten(&parts.join(".")) }
}

/// The place as findings name it: whoever wrote it can mend it.
fn path(issue: &Value) -> String {
    let place = place(issue);
    match place.strip_prefix("accepts.").and_then(|rest| rest.split_once('.')) {
        Some((_, member)) => format!("paymentRequirements.{member}"),
        None if place.starts_with("payload") => format!("paymentPayload.{place}"),
        None => format!("paymentRequirements.{place}"),
    }
}

fn what(issue: &Value) -> String {
    let said = |key: &str| issue[key].as_str().map(shorten);
    match (said("expected"), said("received")) {
        _ if is_missing(issue) => "it is missing".to_owned(),
        (Some(expected), Some(received)) => format!("{expected} is expected, and it is {received}"),
        (None, Some(received)) => format!("it is \"{received}\": {}", shorten(issue["message"].as_str().unwrap_or(""))),
        _ => match said("validation") {
            Some(rule) => format!("it is no {rule} of its kind ({})", shorten(issue["message"].as_str().unwrap_or(""))),
            None => shorten(issue["message"].as_str().unwrap_or("")),
        },
    }
}

/// The mistake behind an issue.
fn finding(issue: &Value) -> Finding {
    let last = issue["path"].as_array().and_then(|path| path.last()?.as_str()).unwrap_or_default();
    let is = |key: &str, value: &str| issue[key] == value;
    Finding::new(match last {
        _ if is_missing(issue) => "missing_field",
        "x402Version" => "version_unknown",
        "network" if issue["received"].as_str().is_some_and(|own| own.contains(':')) => "caip2_network_in_v1",
        "network" if is("code", "invalid_enum_value") => "network_unknown",
        "resource" if is("validation", "url") => "v1_resource_not_url",
        "maxTimeoutSeconds" if is("expected", "number") && is("received", "string") => "number_is_text",
        "maxTimeoutSeconds" if is("expected", "integer") => "timeout_not_whole",
        _ if is("expected", "string") && is("received", "number") => "number_not_text",
        "payTo" | "asset" | "from" | "to" => "address_malformed",
        "maxAmountRequired" | "value" if is("code", "custom") => "decimal_amount",
        "nonce" => "nonce_format",
        "signature" => "signature_length",
        _ => "malformed",
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::explain::case::{Depth, Question, explain};
    use crate::explain::read::read;

    fn explained(text: &str) -> Explanation {
        let reading = read(text);
        explain(&Question { reading, requirements: None, now: 1, real: None, record: None, depth: Depth::Judge })
    }

    #[test]
    fn the_member_at_fault_is_named() {
        let list = json!([
            {"code": "custom", "message": "Invalid input", "path": ["maxAmountRequired"]},
            {"validation": "url", "code": "invalid_string", "message": "Invalid url", "path": ["resource"]},
            {"validation": "regex", "code": "invalid_string", "message": "Invalid", "path": ["accepts", 0, "payTo"]},
            {"code": "invalid_type", "expected": "number", "received": "string", "path": ["maxTimeoutSeconds"],
                "message": "Expected number, received string"},
        ]);
        let pretty = serde_json::to_string_pretty(&list).unwrap();
        for text in [
            list.to_string(),
            pretty.clone(),
            format!("ZodError: {pretty}\n    at get error [as error] (zod/v3/types.js:39:31) {{\n  issues: []\n}}"),
            format!("Uncaught (in promise) ZodError: {list}"),
        ] {
            let own = explained(&text);
            let ids: Vec<&str> = own.findings.iter().map(|own| own.id).collect();
            assert_eq!(ids, ["decimal_amount", "v1_resource_not_url", "address_malformed", "number_is_text"], "{text}");
            assert_eq!(own.findings[2].path.as_deref(), Some("paymentRequirements.payTo"));
            assert!(own.findings[2].evidence[0].contains("`accepts.0.payTo`"), "{:?}", own.findings[2]);
        }
    }

    /// Zod tries both kinds of payments, and says of each what is wrong.
    #[test]
    fn of_alternatives_the_one_that_was_meant_is_told() {
        let missing = |name: &str| {
            json!({"code": "invalid_type", "expected": "string", "received": "undefined",
                "path": ["payload", name], "message": "Required"})
        };
        let from = json!({"validation": "regex", "code": "invalid_string", "message": "Invalid",
            "path": ["payload", "authorization", "from"]});
        let list = json!([{"code": "invalid_union", "path": ["payload"], "message": "Invalid input", "unionErrors": [
            {"issues": [missing("transaction")], "name": "ZodError"},
            {"issues": [from, missing("signature")], "name": "ZodError"},
        ]}]);
        let own = explained(&list.to_string());
        let ids: Vec<&str> = own.findings.iter().map(|own| own.id).collect();
        assert_eq!(ids, ["address_malformed", "missing_field"]);
        assert_eq!(own.findings[0].path.as_deref(), Some("paymentPayload.payload.authorization.from"));
    }

    #[test]
    fn another_list_is_none() {
        for text in ["[]", "[{}]", r#"[{"code": "a", "path": [], "message": 1}]"#, "[{\"code", "a [b] {c}"] {
            assert_eq!(message(text), None, "{text}");
        }
        assert_eq!(message(&"[{".repeat(LONGEST)), None);
    }
}
