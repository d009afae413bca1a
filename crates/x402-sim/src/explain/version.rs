//! What is said of a payment's protocol version where its shape alone is known, or says another than its number.

use serde_json::Value;

use super::explanation::Explanation;
use super::finding::Finding;
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
