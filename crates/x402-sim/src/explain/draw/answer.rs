//! What a facilitator answers, and the invoice challenge.

use serde_json::Value;

use super::{reason, rest, shown, units, who};
use crate::explain::explanation::Section;
use crate::networks::solana;

pub(super) fn verdict(value: &Value) -> Section {
    let mut section = Section::new("answer");
    let network = value.get("network").and_then(Value::as_str).unwrap_or_default();
    let keys = [
        "isValid",
        "success",
        "invalidReason",
        "invalidMessage",
        "errorReason",
        "errorMessage",
        "payer",
        "transaction",
        "network",
        "amount",
    ];
    for key in keys {
        let Some(member) = value.get(key) else { continue };
        let meaning = match key {
            "isValid" if *member == true => "the payment would settle".to_owned(),
            "isValid" => "the payment is refused".to_owned(),
            "success" if *member == true => "the money has moved".to_owned(),
            "success" => "nothing is known to have moved".to_owned(),
            "invalidReason" | "errorReason" => reason(Some(member)),
            "transaction" if *member == "" => "none was made".to_owned(),
            "network" => units::network(network).map(|own| own.name).unwrap_or_default(),
            "amount" => {
                let first = units::network(network).and_then(|own| own.assets.first().cloned());
                units::amount(member.as_str().unwrap_or("?"), first.as_ref())
            }
            _ => who(Some(member), Some(network)),
        };
        section.add(key, shown(member), meaning);
    }
    rest(&mut section, value, &keys, "");
    section
}

pub(super) fn supported(value: &Value) -> Vec<Section> {
    let mut kinds = Section::new("kinds");
    for kind in value.get("kinds").and_then(Value::as_array).into_iter().flatten().take(200) {
        let text = |key: &str| kind.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
        let version = kind.get("x402Version").map(shown).unwrap_or_default();
        let name = units::network(&text("network")).map_or_else(|| "not known here".to_owned(), |own| own.name);
        let extra = kind.get("extra").filter(|extra| !extra.is_null()).map(|extra| format!("; extra {}", shown(extra)));
        kinds.add(
            format!("version {version}"),
            format!("{} on {}", text("scheme"), text("network")),
            name + &extra.unwrap_or_default(),
        );
    }
    let mut others = Section::new("also");
    rest(&mut others, value, &["kinds"], "");
    vec![kinds, others].into_iter().filter(|section| !section.fields.is_empty()).collect()
}

/// The parameters of an invoice challenge.
pub fn invoice(parameters: &[(String, String)]) -> Section {
    let mut section = Section::new("invoice");
    for (key, value) in parameters {
        let text = Value::from(value.as_str());
        let meaning = match key.as_str() {
            // What is known of an address of another kind is about somebody else.
            "recipient" if solana::parse_address(value).is_some() => who(Some(&text), None),
            "amount" => "in whole units of the currency".to_owned(),
            "memo" => "the name of this invoice: it is sent back as X-Payment-Proof".to_owned(),
            _ => String::new(),
        };
        section.add(key.clone(), shown(&text), meaning);
    }
    section
}
