//! Objects within a list or a text, and a list that is an object.

use serde_json::Value;
use x402_wire::header::decode;

use super::{parts, pasted};
use crate::explain::finding::Finding;
use crate::explain::kind::Kind;

/// The same with objects and lists where the protocol has them, and what was wrong with it. What verification meets itself
/// is told by mending it there; this is what is compared or chosen from before.
pub(super) fn reshaped(mut value: Value) -> (Value, Vec<Finding>) {
    let mut findings = Vec::new();
    pasted::without(&mut value, &mut findings);
    parts::named(&mut value, &mut findings);
    match Kind::of(&value) {
        Kind::PaymentV1 | Kind::PaymentV2 => accepted(&mut value, &mut findings),
        Kind::FacilitatorRequest => {
            called_header(&mut value, &mut findings);
            for part in PARTS {
                object(&mut value, part, part, &mut findings);
            }
            swapped(&mut value, &mut findings);
            if let Some(payload) = value.get_mut("paymentPayload") {
                accepted(payload, &mut findings);
            }
            let paid = value.pointer("/paymentPayload/accepted").cloned();
            one(&mut value, ("paymentRequirements", "paymentRequirements"), paid.as_ref(), &mut findings);
        }
        Kind::OfferV1 | Kind::OfferV2 => list(&mut value, &mut findings),
        _ => {}
    }
    (value, findings)
}

/// The parts of what a facilitator is sent.
pub(super) const PARTS: [&str; 2] = ["paymentPayload", "paymentRequirements"];

/// The payment under the name that it had before facilitators were sent the object itself, in base64.
fn called_header(body: &mut Value, findings: &mut Vec<Finding>) {
    let Some(members) = body.as_object_mut().filter(|own| !own.contains_key(PARTS[0])) else { return };
    let payment = members.get("paymentHeader").and_then(Value::as_str).and_then(|text| decode::<Value>(text).ok());
    if let Some(payment) = payment.filter(|own| matches!(Kind::of(own), Kind::PaymentV1 | Kind::PaymentV2)) {
        members.remove("paymentHeader");
        members.insert(PARTS[0].to_owned(), payment);
        let finding = Finding::new("base64_in_json").at(PARTS[0]).fixed_by("Call it `paymentPayload`.");
        let finding = finding.seen("there is no `paymentPayload`, and `paymentHeader` holds the base64 of a payment");
        findings.push(finding.proven("decoded, and under the other name, it is read"));
    }
}

/// What a payer says was accepted.
fn accepted(payload: &mut Value, findings: &mut Vec<Finding>) {
    object(payload, "accepted", "paymentPayload.accepted", findings);
    one(payload, ("accepted", "paymentPayload.accepted"), None, findings);
}

/// A payment and its requirements, each under the other's name.
fn swapped(body: &mut Value, findings: &mut Vec<Finding>) {
    let of = |part: &str| body.get(part).map(Kind::of);
    let is_terms = matches!(of(PARTS[0]), Some(Kind::Requirements | Kind::OfferV1 | Kind::OfferV2));
    if !is_terms || !matches!(of(PARTS[1]), Some(Kind::PaymentV1 | Kind::PaymentV2)) {
        return;
    }
    let [payload, requirements] = PARTS.map(|part| body[part].take());
    (body[PARTS[0]], body[PARTS[1]]) = (requirements, payload);
    let finding = Finding::new("parts_swapped")
        .at("paymentPayload")
        .seen("`paymentPayload` has the members of requirements, and `paymentRequirements` those of a payment");
    findings.push(finding.proven("each is read under the other's name"));
}

/// A member that is an object, written as a text.
fn object(holder: &mut Value, key: &str, at: &str, findings: &mut Vec<Finding>) {
    let Some(member) = holder.get_mut(key) else { return };
    if let Some((inner, finding)) = member.as_str().and_then(|text| written(text, key)) {
        findings.push(finding.at(at).proven("as an object, it is read"));
        *member = inner;
    }
}

/// A member that is one entry of an offer: no list of them, no whole offer, and no text in place of its `extra`.
fn one(holder: &mut Value, (key, at): (&str, &str), paid: Option<&Value>, findings: &mut Vec<Finding>) {
    let Some(member) = holder.get_mut(key) else { return };
    // Of several the one that is paid, else the first.
    let entry = |items: &Value| {
        let items = items.as_array()?;
        let first = || items.first().filter(|first| first.is_object());
        items.iter().find(|item| Some(*item) == paid).or_else(first).cloned()
    };
    if let Some(first) = entry(member) {
        let count = member.as_array().map_or(0, Vec::len);
        let seen = format!("`{key}` is a list of {count}, and should be the one that is paid");
        let finding = Finding::new("object_in_list").at(at).seen(seen);
        findings.push(finding.proven("the first of them is read as an object"));
        *member = first;
    } else if let Some(first) = member.get("accepts").and_then(entry) {
        let finding = Finding::new("offer_for_entry").at(at).seen(format!("`{key}` has `accepts`, as an offer has"));
        findings.push(finding.proven("an entry of its `accepts` is read"));
        *member = first;
    }
    object(member, "extra", &format!("{at}.extra"), findings);
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

/// The object or list that a text holds in JSON or in base64, and what is said of that.
pub(in crate::explain) fn written(text: &str, key: &str) -> Option<(Value, Finding)> {
    let is_whole = |inner: &Value| inner.is_object() || inner.is_array();
    if let Some(inner) = serde_json::from_str::<Value>(text).ok().filter(is_whole) {
        return Some((inner, Finding::new("nested_json").seen(format!("`{key}` is JSON within a text"))));
    }
    let inner = decode::<Value>(text.trim()).ok().filter(is_whole)?;
    Some((inner, Finding::new("base64_in_json").seen(format!("`{key}` is the base64 of JSON"))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_payment_and_its_requirements_stand_where_they_belong() {
        let payment = json!({"x402Version": 2, "payload": {}, "accepted": {"network": "b"}});
        let terms = json!({"scheme": "exact", "network": "a", "amount": "1", "payTo": "x"});
        let body = |payload: Value, asked: Value| json!({"paymentPayload": payload, "paymentRequirements": asked});
        let right = body(payment.clone(), terms.clone());
        let (mended, findings) = reshaped(body(terms.clone(), payment.clone()));
        assert_eq!((&mended, findings.len(), findings[0].id), (&right, 1, "parts_swapped"));
        assert_eq!(reshaped(right.clone()), (right.clone(), Vec::new()));
        let text = x402_wire::header::encode_text(&payment.to_string());
        let (mended, findings) = reshaped(body(json!(text), terms));
        assert_eq!((&mended, findings.len(), findings[0].id), (&right, 1, "base64_in_json"));
        let offer = json!({"accepts": [{"network": "a"}, {"network": "b"}]});
        let (mended, _) = reshaped(body(payment.clone(), offer));
        assert_eq!(mended, body(payment, json!({"network": "b"})), "the entry that is paid");
    }

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
            (paid(json!(x402_wire::header::encode_text(&entry.to_string()))), paid(entry.clone()), &["base64_in_json"]),
            (paid(json!({"accepts": [entry]})), paid(entry.clone()), &["offer_for_entry"]),
            (asked(json!({"x402Version": 2, "accepts": [entry]})), asked(entry.clone()), &["offer_for_entry"]),
            (asked(json!({"extra": "{}"})), asked(json!({"extra": {}})), &["nested_json"]),
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
