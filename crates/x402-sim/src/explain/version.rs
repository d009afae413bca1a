//! What is said of a payment's protocol version where its shape alone is known, or says another than its number.

use serde_json::Value;

use super::explanation::{Explanation, Verdict};
use super::finding::Finding;
use super::kind::Kind;
use super::repair;

/// The header's name was compared with the version that the payment says, which alone is wrong.
pub(super) fn renumbered(header: Option<&str>, explanation: &mut Explanation) {
    let found = |explanation: &Explanation, id: &str| explanation.findings.iter().any(|finding| finding.id == id);
    if found(explanation, "version_not_of_shape") {
        let of_header = ["v1_payload_in_v2_header", "v1_header_name"];
        let names = explanation.findings.iter().filter(|finding| of_header.contains(&finding.id)).count();
        explanation.findings.retain(|finding| !of_header.contains(&finding.id));
        if names == 0
            && let Some(name @ ("X-PAYMENT" | "PAYMENT-SIGNATURE")) = header
        {
            let id = if name == "X-PAYMENT" { "v1_header_name" } else { "v1_payload_in_v2_header" };
            let finding = Finding::new(id).seen(format!("it is sent as `{name}`, which is that of the other version"));
            explanation.find(finding.proven("servers look for a payment of its shape in the other header only"));
        }
    }
}

/// A payment of one version for what is offered in the other alone: its server looks for another header, and finds none.
pub(super) fn not_offered(payload: &Value, offered: &Value, asked: &Value) -> Option<Finding> {
    let paid = match Kind::of(payload) {
        Kind::PaymentV1 => 1,
        Kind::PaymentV2 => 2,
        _ => return None,
    };
    // A number alone is another mistake.
    if payload.get("accepted").is_some() == (paid == 1) {
        return None;
    }
    // Somebody who mixed the versions' members has made one mistake in one of them.
    let named = |key: &str| asked.get(key).is_some();
    let is_caip2 = asked.get("network").and_then(Value::as_str)?.contains(':');
    let of_terms = match (named("amount"), named("maxAmountRequired"), is_caip2) {
        (true, false, true) => 2,
        (false, true, false) => 1,
        _ => return None,
    };
    let of_offer = offered.get("x402Version").and_then(Value::as_u64).filter(|_| offered.get("accepts").is_some());
    let is_other = if paid == 1 { of_terms == 2 && of_offer != Some(1) } else { of_terms == 1 && of_offer == Some(1) };
    if !is_other {
        return None;
    }
    let (header, client) = if paid == 1 {
        (
            "PAYMENT-SIGNATURE",
            "Pay with a client of version 2: `@x402/fetch`, `@x402/axios`, or x402 from 2.0 on in Python. Nothing is \
             wrong with the offer.",
        )
    } else {
        (
            "X-PAYMENT",
            "Let the client pay in version 1: the official ones do for an offer of version 1 whose network is registered \
             by its word. Nothing is wrong with the offer.",
        )
    };
    let seen = format!(
        "the offer is of version {of_terms}, and the payment of version {paid}: a server of version {of_terms} looks for \
         `{header}`, and answers as if nothing was paid"
    );
    Some(Finding::new("version_not_offered").seen(seen).fixed_by(client))
}

/// What a server says to a payment that it does not see.
pub(super) fn unseen(at: u64) -> Verdict {
    Verdict {
        valid: false,
        reason: Some("Payment required".to_owned()),
        message: Some("the payment is of another version than the offer, and is not looked for".to_owned()),
        at,
        by: "the header that servers of the offer's version look for".to_owned(),
    }
}

/// A payment without requirements: only its shape can be looked at.
pub(super) fn shape_alone(payload: &Value, header: Option<&str>, explanation: &mut Explanation) {
    match payload.get("x402Version") {
        None => explanation.find(Finding::new("version_missing").at("paymentPayload.x402Version")),
        // Nobody writes the header of version 1 by accident.
        Some(_) if header == Some("X-PAYMENT") && repair::is_of_version_1_but_for_its_number(payload) => {
            let seen = "x402Version is 2; the header, `scheme` and `network` at the top are those of version 1";
            explanation.find(Finding::new("version_not_of_shape").at("paymentPayload.x402Version").seen(seen));
        }
        Some(Value::Number(number)) if number.as_u64() == Some(2) && payload.get("accepted").is_none() => {
            let v1 = payload.get("scheme").is_some() || payload.get("network").is_some();
            let id = if v1 { "v1_shape_in_v2" } else { "accepted_missing" };
            let finding = Finding::new(id).at("paymentPayload.accepted").seen("there is no `accepted`");
            explanation.find(finding.proven("servers of version 2 match a payment by `accepted`, and there is none"));
        }
        Some(Value::String(_)) => explanation.find(Finding::new("version_is_text").at("paymentPayload.x402Version")),
        Some(_) => {}
    }
}
