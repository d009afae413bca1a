//! Offers and requirements.

use serde_json::Value;

use super::{reason, rest, shown, shown_address, units, who};
use crate::clock::span;
use crate::explain::explanation::Section;

pub(super) fn sections(value: &Value) -> Vec<Section> {
    let mut head = Section::new("offer");
    for key in ["x402Version", "error", "payer"] {
        if let Some(member) = value.get(key) {
            let meaning = if key == "error" { reason(Some(member)) } else { who(Some(member), None) };
            head.add(key, shown(member), meaning);
        }
    }
    rest(&mut head, value.get("resource").unwrap_or(&Value::Null), &[], "resource.");
    let extensions = value.get("extensions").and_then(Value::as_object);
    if let Some(names) = extensions.map(|own| own.keys().cloned().collect::<Vec<_>>()).filter(|names| !names.is_empty())
    {
        head.add("extensions", names.join(", "), "");
    }
    let entries = value.get("accepts").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    let mut all = vec![head];
    all.extend(
        entries.iter().take(16).enumerate().map(|(place, entry)| requirements(&format!("accepts[{place}]"), entry)),
    );
    all
}

pub(super) fn requirements(title: &str, value: &Value) -> Section {
    let mut section = Section::new(title);
    let network = value.get("network").and_then(Value::as_str).unwrap_or_default();
    let address = value.get("asset").and_then(Value::as_str).unwrap_or_default();
    let asset = units::asset(network, address);
    let known = ["scheme", "network", "amount", "maxAmountRequired", "asset", "payTo", "maxTimeoutSeconds"];
    for key in known {
        let Some(member) = value.get(key) else { continue };
        let meaning = match key {
            "scheme" => scheme(member).to_owned(),
            "network" => units::network(network).map_or_else(|| "not known here".to_owned(), |own| own.name),
            "amount" | "maxAmountRequired" => units::amount(member.as_str().unwrap_or("?"), asset.as_ref()),
            "maxTimeoutSeconds" => {
                member.as_u64().map(|seconds| span(seconds.min(10_000_000_000) * 1000)).unwrap_or_default()
            }
            _ => who(Some(member), Some(network)),
        };
        let text = if ["asset", "payTo"].contains(&key) { shown_address(member) } else { shown(member) };
        section.add(key, text, meaning);
    }
    for (key, member) in value.get("extra").and_then(Value::as_object).into_iter().flatten() {
        let meaning = match key.as_str() {
            "name" => "the name in the asset's EIP-712 domain".to_owned(),
            "version" => "the version in the asset's EIP-712 domain".to_owned(),
            "assetTransferMethod" => "how the asset is moved".to_owned(),
            _ => who(Some(member), Some(network)),
        };
        let is_address = key.ends_with("Address") || key.ends_with("Payer");
        let text = if is_address { shown_address(member) } else { shown(member) };
        section.add(format!("extra.{key}"), text, meaning);
    }
    let drawn: Vec<&str> = known.into_iter().chain(["extra"]).collect();
    rest(&mut section, value, &drawn, "");
    section
}

fn scheme(value: &Value) -> &'static str {
    match value.as_str() {
        Some("exact") => "this amount, no more and no less",
        Some("upto") => "at most this amount: what was used is settled",
        Some("batch-settlement") => "vouchers on a channel, settled together",
        Some("auth-capture") => "authorized now, captured later",
        _ => "",
    }
}
