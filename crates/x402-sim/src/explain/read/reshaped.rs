//! Objects within a list or a text, and a list that is an object.

use serde_json::Value;

use crate::explain::finding::Finding;
use crate::explain::kind::Kind;

/// The same with objects and lists where the protocol has them, and what was wrong with it. What verification meets itself
/// is told by mending it there; this is what is compared or chosen from before.
pub(super) fn reshaped(mut value: Value) -> (Value, Vec<Finding>) {
    let mut findings = Vec::new();
    match Kind::of(&value) {
        Kind::PaymentV1 | Kind::PaymentV2 => one(&mut value, "accepted", "paymentPayload.accepted", &mut findings),
        Kind::FacilitatorRequest => one(&mut value, "paymentRequirements", "paymentRequirements", &mut findings),
        Kind::OfferV1 | Kind::OfferV2 => list(&mut value, &mut findings),
        _ => {}
    }
    (value, findings)
}

/// A member that is one object.
fn one(value: &mut Value, key: &str, at: &str, findings: &mut Vec<Finding>) {
    let Some(member) = value.get_mut(key) else { return };
    // What a facilitator is asked is unnested where it is judged.
    if key == "accepted"
        && let Some(inner) = inner(member)
    {
        let finding = Finding::new("nested_json").at(at).seen(format!("`{key}` is JSON within a text"));
        findings.push(finding.proven("as an object, it is read"));
        *member = inner;
    }
    if let Value::Array(items) = member
        && let Some(first) = items.first().filter(|first| first.is_object()).cloned()
    {
        let seen = format!("`{key}` is a list of {}, and should be the one that is paid", items.len());
        findings
            .push(Finding::new("object_in_list").at(at).seen(seen).proven("the first of them is read as an object"));
        *member = first;
    }
}

/// The list of an offer.
fn list(offer: &mut Value, findings: &mut Vec<Finding>) {
    let Some(accepts) = offer.get_mut("accepts") else { return };
    if let Some(inner) = inner(accepts) {
        let finding = Finding::new("nested_json").at("accepts").seen("`accepts` is JSON within a text");
        findings.push(finding.proven("as a list, it is read"));
        *accepts = inner;
    }
    if accepts.is_object() {
        let finding = Finding::new("accepts_not_list").at("accepts").seen("`accepts` is an object");
        findings.push(finding.proven("as a list of one, it is read"));
        *accepts = Value::Array(vec![accepts.take()]);
    }
    for (place, entry) in accepts.as_array_mut().into_iter().flatten().enumerate().take(64) {
        if let Some(inner) = inner(entry).filter(Value::is_object) {
            let at = format!("accepts[{place}]");
            let finding = Finding::new("nested_json").at(at.clone()).seen(format!("`{at}` is JSON within a text"));
            findings.push(finding.proven("as an object, it is read"));
            *entry = inner;
        }
    }
}

/// An object or a list that was written as a text.
fn inner(value: &Value) -> Option<Value> {
    let inner = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    inner.filter(|inner| inner.is_object() || inner.is_array())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_and_lists_stand_where_they_belong() {
        let entry = json!({"scheme": "exact", "network": "eip155:1"});
        let paid = |accepted: Value| json!({"x402Version": 2, "accepted": accepted, "payload": {}});
        let offered = |accepts: Value| json!({"x402Version": 2, "accepts": accepts});
        let asked = |asked: Value| json!({"paymentPayload": {}, "paymentRequirements": asked});
        let text = |value: &Value| Value::String(value.to_string());
        for (value, right, ids) in [
            (paid(text(&entry)), paid(entry.clone()), &["nested_json"][..]),
            (paid(json!([entry])), paid(entry.clone()), &["object_in_list"]),
            (paid(text(&json!([entry]))), paid(entry.clone()), &["nested_json", "object_in_list"]),
            (offered(entry.clone()), offered(json!([entry])), &["accepts_not_list"]),
            (offered(text(&json!([entry]))), offered(json!([entry])), &["nested_json"]),
            (offered(json!([text(&entry)])), offered(json!([entry])), &["nested_json"]),
            (asked(json!([entry, entry])), asked(entry.clone()), &["object_in_list"]),
            (paid(entry.clone()), paid(entry.clone()), &[]),
            (offered(json!([])), offered(json!([])), &[]),
            (paid(json!("x")), paid(json!("x")), &[]),
            (paid(json!([])), paid(json!([])), &[]),
        ] {
            let (mended, findings) = reshaped(value.clone());
            assert_eq!(
                (mended, findings.iter().map(|own| own.id).collect::<Vec<_>>().as_slice()),
                (right, ids),
                "{value}"
            );
        }
    }
}
