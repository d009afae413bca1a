//! The two parts of a body of `/verify` and `/settle`: whether each is there, and holds something.

use serde_json::{Value, json};
use x402_wire::shape::shorten;

use super::draw;
use super::explanation::Explanation;
use super::finding::{Finding, Side};
use super::kind::Kind;
use super::read::Reading;

const PAYLOAD: &str = "paymentPayload";
const REQUIREMENTS: &str = "paymentRequirements";

/// The payment and its requirements, where both can be judged. What is missing or holds nothing is found; nothing is said
/// of the other part beside it, which may be good.
pub(super) fn whole<'a>(body: &'a Value, explanation: &mut Explanation) -> Option<(&'a Value, &'a Value)> {
    let parts = [PAYLOAD, REQUIREMENTS].map(|part| (part, body.get(part).unwrap_or(&Value::Null)));
    let faulty = parts.iter().filter(|(part, value)| fault(part, value).is_some());
    let fix = faulty.map(|(part, _)| belongs(part, body)).collect::<Vec<_>>().join(" ");
    for (part, value) in parts {
        if let Some(finding) = fault(part, value) {
            // Whoever calls the facilitator has written the body.
            explanation.find(Finding { side: Side::Server, ..finding.at(part).fixed_by(&fix) });
        }
    }
    let [(_, payload), (_, asked)] = parts;
    if matches!(Kind::of(payload), Kind::OfferV1 | Kind::OfferV2 | Kind::Requirements) {
        let seen = "`paymentPayload` is what was offered: nothing in it is signed";
        let finding = Finding::new("offer_sent_back").at(PAYLOAD).seen(seen);
        explanation.find(finding.proven("it has `accepts` or `payTo`, and neither `payload` nor a signature"));
        return None;
    }
    parts.iter().all(|(part, value)| fault(part, value).is_none()).then_some((payload, asked))
}

/// A body that was kept in parts is called what it is, where one of them tells nothing.
pub(super) fn name(body: &Reading, now: u64, explanation: &mut Explanation) {
    let is_empty = |value: &Value| [PAYLOAD, REQUIREMENTS].iter().any(|part| value[*part] == json!({}));
    if let Some((kind, value)) = body.json().filter(|(_, value)| is_empty(value)) {
        explanation.kind = kind;
        kind.words().clone_into(&mut explanation.title);
        explanation.sections = draw::sections(kind, value, now);
    }
}

/// What keeps a part from being looked at.
fn fault(part: &str, value: &Value) -> Option<Finding> {
    match value {
        Value::Null => Some(Finding::new("missing_field").seen(format!("there is no `{part}`"))),
        Value::Object(members) if members.is_empty() => {
            let seen = format!("`{part}` is empty: it is `{{}}`, and has no member");
            Some(Finding::new("body_part_empty").seen(seen).proven("there is nothing in it that could be verified"))
        }
        Value::Object(_) => None,
        // The text itself may be anything.
        Value::String(_) => Some(Finding::new("malformed").seen(format!("`{part}` is a text, and no object"))),
        other => {
            let seen = format!("`{part}` is {}, and no object", shorten(&other.to_string()));
            Some(Finding::new("malformed").seen(seen))
        }
    }
}

/// What belongs in a part, in the version that the rest of the body is of.
fn belongs(part: &str, body: &Value) -> &'static str {
    let old = |pointer: &str| body.pointer(pointer).is_some();
    let is_old = body.pointer("/paymentPayload/x402Version").or_else(|| body.get("x402Version")).map_or_else(
        || old("/paymentRequirements/maxAmountRequired"),
        |said| *said == 1 && !old("/paymentRequirements/amount"),
    );
    match (part, is_old) {
        (PAYLOAD, false) => {
            "Put the payment there: what the client's header PAYMENT-SIGNATURE holds, decoded, with `x402Version`, \
             `accepted` and `payload`."
        }
        (PAYLOAD, true) => {
            "Put the payment there: what the client's header X-PAYMENT holds, decoded, with `x402Version`, `scheme`, \
             `network` and `payload`."
        }
        (_, false) => {
            "Put the entry of `accepts` there that is paid, with `scheme`, `network`, `amount`, `asset`, `payTo`, \
             `maxTimeoutSeconds` and `extra`."
        }
        (_, true) => {
            "Put the entry of `accepts` there that is paid, with `scheme`, `network`, `maxAmountRequired`, `asset`, \
             `payTo`, `resource`, `maxTimeoutSeconds` and `extra`."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::case::{Depth, Question, Record, explain};
    use crate::explain::read::read;

    fn told(reading: Reading, requirements: Option<Value>, record: Option<Record>) -> Explanation {
        explain(&Question { reading, requirements, now: 1, real: None, record, depth: Depth::Judge })
    }

    fn found(told: &Explanation) -> Vec<(&str, Option<&str>)> {
        told.findings.iter().map(|own| (own.id, own.path.as_deref())).collect()
    }

    /// A part that holds nothing is one finding, and nothing is guessed about what might have stood there.
    #[test]
    fn an_empty_part_is_told_with_what_belongs_there_and_nothing_follows_from_it() {
        let payment = json!({"x402Version": 2, "accepted": {"scheme": "exact"}, "payload": {"signature": "0x"}});
        let terms = json!({"scheme": "exact", "network": "eip155:84532", "amount": "1", "payTo": "0x1"});
        let old = json!({"scheme": "exact", "network": "base", "maxAmountRequired": "1", "payTo": "0x1"});
        let (payload, asked) = (("body_part_empty", Some(PAYLOAD)), ("body_part_empty", Some(REQUIREMENTS)));
        for (own, terms, found_there, fix) in [
            (json!({}), terms.clone(), payload, "PAYMENT-SIGNATURE holds, decoded"),
            (json!({}), old, payload, "X-PAYMENT holds, decoded"),
            (payment.clone(), json!({}), asked, "Put the entry of `accepts` there that is paid, with `scheme`"),
        ] {
            let body = json!({"x402Version": 2, "paymentPayload": own, "paymentRequirements": terms});
            let body = if fix.contains("X-PAYMENT") {
                json!({"paymentPayload": own, "paymentRequirements": terms})
            } else {
                body
            };
            let as_text = told(read(&body.to_string()), None, None);
            let record = Record { reason: "invalid_payload".to_owned(), ..Record::default() };
            let as_kept = told(Reading::carried(None, own.clone()), Some(terms.clone()), Some(record));
            for told in [as_text, as_kept] {
                assert_eq!(found(&told), [found_there], "{body}");
                let first = &told.findings[0];
                assert!(first.is_proven() && first.side == Side::Server, "{first:?}");
                assert!(first.fix.contains(fix), "{}", first.fix);
                assert!(told.comparison.is_empty() && told.kind == Kind::FacilitatorRequest, "{:?}", told.kind);
            }
        }
        let both = told(read(&json!({"paymentPayload": {}, "paymentRequirements": {}}).to_string()), None, None);
        assert_eq!(both.findings.len(), 1, "{:?}", both.findings);
        for part in [PAYLOAD, REQUIREMENTS] {
            assert!(both.findings[0].evidence.iter().any(|seen| seen.contains(&format!("`{part}` is empty"))));
        }
        assert_eq!(both.findings[0].fix.matches("Put the").count(), 2, "{}", both.findings[0].fix);
    }

    #[test]
    fn a_part_that_is_no_object_is_told_and_a_text_in_it_is_not_repeated() {
        let body = json!({"paymentPayload": "secret words", "paymentRequirements": [1]});
        let told = told(read(&body.to_string()), None, None);
        let seen = &told.findings[0].evidence;
        assert_eq!(
            seen[..],
            ["`paymentPayload` is a text, and no object", "`paymentRequirements` is [1], and no object"]
        );
    }
}
