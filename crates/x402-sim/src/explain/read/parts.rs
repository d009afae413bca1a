//! The parts of what a facilitator is sent, under other names than `paymentPayload` and `paymentRequirements`: they are
//! told by what they hold.

use serde_json::Value;

use super::members::{placed, spelling};
use super::reshaped::PARTS;
use crate::explain::finding::{Finding, Side};
use crate::explain::kind::Kind;

/// Gives a payment and requirements beside each other their names.
pub(super) fn named(body: &mut Value, findings: &mut Vec<Finding>) {
    let Some(members) = body.as_object() else { return };
    let is_payment = |own: &Value| {
        let is_told = own.get("x402Version").is_some() || own.get("accepted").is_some();
        is_told && own.get("payload").is_some_and(Value::is_object)
    };
    let is = |part: &str, own: &Value| match part {
        "paymentPayload" => is_payment(own),
        _ => Kind::of(own) == Kind::Requirements,
    };
    let found = PARTS.map(|part| {
        let other = || members.iter().find(|(_, own)| is(part, own)).map(|(name, _)| name.clone());
        if members.contains_key(part) { Some(part.to_owned()) } else { other() }
    });
    let [Some(payload), Some(requirements)] = found else { return };
    // Another spelling of the same letters is looked at with all other members.
    if [&payload, &requirements].into_iter().zip(PARTS).any(|(own, part)| own != part && spelling(own) == Some(part)) {
        return;
    }
    let misnamed: Vec<(String, &str)> =
        [payload, requirements].into_iter().zip(PARTS).filter(|(own, part)| own != part).collect();
    let Some((first, _)) = misnamed.first().filter(|_| members.get("accepted").is_none()) else { return };
    let finding = misnamed.iter().fold(Finding::new("misnamed_field").at(first), |finding, (own, right)| {
        finding.seen(placed(&x402_wire::shape::shorten(own), right))
    });
    let finding = finding.proven("facilitators read both parts by these names, and find none by others");
    findings.push(Finding { side: Side::Server, ..finding });
    let Some(members) = body.as_object_mut() else { return };
    for (own, right) in misnamed {
        let part = members.remove(&own).unwrap_or_default();
        members.insert(right.to_owned(), part);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::read;
    use super::*;

    #[test]
    fn parts_are_told_by_what_they_hold() {
        let payment = json!({"x402Version": 2, "accepted": {"payTo": "a"}, "payload": {"signature": "0x"}});
        let terms = json!({"scheme": "exact", "network": "eip155:1", "amount": "1", "payTo": "a"});
        for (payload, requirements) in [("payload", "requirements"), ("payment", "paymentRequirements"), ("a", "b")] {
            let body = json!({ "x402Version": 2, payload: payment, requirements: terms });
            let reading = read(&body.to_string());
            let (kind, value) = reading.json().unwrap();
            assert_eq!((kind, &value["paymentPayload"]), (Kind::FacilitatorRequest, &payment), "{payload}");
            let ids: Vec<&str> = reading.findings.iter().map(|own| own.id).collect();
            assert_eq!(ids, ["misnamed_field"], "{payload}");
        }
        for own in [payment.clone(), json!({ "paymentPayload": payment, "paymentRequirements": terms }), terms] {
            assert!(read(&own.to_string()).findings.is_empty(), "{own}");
        }
    }
}
