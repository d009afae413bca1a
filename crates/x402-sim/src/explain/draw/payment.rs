//! Payments of either version: what was accepted, what was signed, and the signature.

use alloy_primitives::B256;
use serde_json::Value;

use super::offer::requirements;
use super::{rest, shown, shown_address, units, who};
use crate::explain::explanation::Section;
use crate::networks::eip155::signature::Signature;
use crate::networks::{Asset, solana};

pub(super) fn sections(value: &Value, now: u64) -> Vec<Section> {
    let mut head = Section::new("payment");
    let own = ["x402Version", "scheme", "network"];
    for key in own {
        if let Some(member) = value.get(key) {
            let network = || units::network(member.as_str().unwrap_or_default()).map(|own| own.name);
            head.add(key, shown(member), if key == "network" { network().unwrap_or_default() } else { String::new() });
        }
    }
    rest(&mut head, value.get("resource").unwrap_or(&Value::Null), &[], "resource.");
    if let Some(extensions) = value.get("extensions").and_then(Value::as_object) {
        head.add("extensions", extensions.keys().cloned().collect::<Vec<_>>().join(", "), "");
    }
    let mut all = vec![head];
    let accepted = value.get("accepted");
    all.extend(accepted.map(|accepted| requirements("accepted", accepted)));
    let terms = accepted.unwrap_or(value);
    let text = |key: &str| terms.get(key).and_then(Value::as_str).unwrap_or_default();
    let (network, asset) = (text("network"), units::asset(text("network"), text("asset")));
    let asset = asset.or_else(|| units::network(network).and_then(|own| own.assets.first().cloned()));
    let body = value.get("payload").unwrap_or(&Value::Null);
    if let Some(transaction) = body.get("transaction").and_then(Value::as_str) {
        all.extend(solana::explain::transaction(transaction, now));
        return all;
    }
    if let Some(signed) = body.get("authorization") {
        all.push(authorization(signed, network, asset.as_ref(), now));
    }
    if let Some(signed) = body.get("permit2Authorization") {
        all.push(permit(signed, network, now));
    }
    if let Some(signature) = body.get("signature").and_then(Value::as_str) {
        let mut section = Section::new("signature");
        section.add("signature", shown(&Value::from(signature)), form(signature));
        all.push(section);
    }
    all
}

/// What an authorization of EIP-3009 says.
pub(crate) fn authorization(signed: &Value, network: &str, asset: Option<&Asset>, now: u64) -> Section {
    let mut section = Section::new("authorization (EIP-3009 transferWithAuthorization)");
    for key in ["from", "to", "value", "validAfter", "validBefore", "nonce"] {
        let Some(member) = signed.get(key) else { continue };
        let text = if ["from", "to"].contains(&key) { shown_address(member) } else { shown(member) };
        let meaning = match key {
            "value" => units::amount(&text, asset),
            "validAfter" | "validBefore" => units::time(&text, now),
            "nonce" if text.parse::<B256>().is_ok() => "a number used once, chosen by the payer".to_owned(),
            _ => who(Some(member), Some(network)),
        };
        section.add(key, text, meaning);
    }
    rest(&mut section, signed, &["from", "to", "value", "validAfter", "validBefore", "nonce"], "");
    section
}

fn permit(signed: &Value, network: &str, now: u64) -> Section {
    let mut section = Section::new("permit (Permit2, PermitWitnessTransferFrom)");
    let token = signed.pointer("/permitted/token").and_then(Value::as_str).unwrap_or_default();
    let asset = units::asset(network, token);
    let places = [
        "/from",
        "/permitted/token",
        "/permitted/amount",
        "/spender",
        "/nonce",
        "/deadline",
        "/witness/to",
        "/witness/facilitator",
        "/witness/validAfter",
    ];
    for place in places {
        let Some(member) = signed.pointer(place) else { continue };
        let is_number = ["/permitted/amount", "/nonce", "/deadline", "/witness/validAfter"].contains(&place);
        let text = if is_number { shown(member) } else { shown_address(member) };
        let meaning = match place {
            "/permitted/amount" => units::amount(&text, asset.as_ref()),
            "/deadline" | "/witness/validAfter" => units::time(&text, now),
            "/nonce" => "a number used once, chosen by the payer".to_owned(),
            _ => who(Some(member), Some(network)),
        };
        section.add(place.trim_start_matches('/').replace('/', "."), text, meaning);
    }
    section
}

/// The form of a signature.
pub(crate) fn form(text: &str) -> String {
    match Signature::parse(text) {
        Signature::Ecdsa(ecdsa) => {
            let s = if ecdsa.has_high_s() { "high s" } else { "low s" };
            format!("65 bytes: r, s, v = {}; {s}", ecdsa.v)
        }
        Signature::Wrapped { factory } => format!("a smart wallet's, in an ERC-6492 wrapper of factory {factory}"),
        Signature::BrokenWrapper => "an ERC-6492 wrapper that cannot be read".to_owned(),
        Signature::Other { .. } if solana::parse_signature(text).is_some() => {
            "64 bytes in base58: the name of a Solana transaction".to_owned()
        }
        Signature::Other { bytes: Some(bytes) } => format!("{bytes} bytes; an account without code signs with 65"),
        Signature::Other { bytes: None } => "not hexadecimal behind 0x".to_owned(),
    }
}
