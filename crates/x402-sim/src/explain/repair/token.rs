//! What the token itself finds wrong: its domain in the requirements, and forms of a signature that only contracts refuse.

use alloy_primitives::{U256, hex};

use super::Candidate;
use crate::catalog::Token;
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench};
use crate::networks::eip155::parse_address;
use crate::networks::eip155::signature::{Ecdsa, Signature};
use crate::registry::Version;

/// The curve's order.
const ORDER: U256 = U256::from_be_bytes(hex!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));

/// The token that the requirements ask for.
pub(super) fn token<'b>(bench: &'b Bench, attempt: &Attempt) -> Option<&'b Token> {
    let version = attempt.version().unwrap_or(Version::V2);
    let network = bench.catalog().network(version, attempt.asked("/network")?)?;
    bench.catalog().token(&network.id, parse_address(attempt.asked("/asset")?)?)
}

/// The requirements with the asset's own domain.
fn with_domain(token: &Token, attempt: &Attempt) -> Attempt {
    let mut extra = attempt.requirements.get("extra").cloned().unwrap_or_default();
    if !extra.is_object() {
        extra = serde_json::json!({});
    }
    extra["name"] = token.asset.name.clone().into();
    extra["version"] = token.asset.version.clone().into();
    attempt.ask("/extra", extra)
}

pub(super) fn missing_domain(bench: &Bench, attempt: &Attempt) -> Vec<Candidate> {
    let Some(token) = token(bench, attempt).filter(|token| !token.asset.name.is_empty()) else { return Vec::new() };
    let (name, version) = (&token.asset.name, &token.asset.version);
    let how = format!("with extra {{\"name\":\"{name}\",\"version\":\"{version}\"}}");
    let finding = Finding::new("domain_missing")
        .at("paymentRequirements.extra")
        .seen(format!("the domain of this asset is name \"{name}\", version \"{version}\""))
        .fixed_by(format!("Say \"extra\": {{\"name\": \"{name}\", \"version\": \"{version}\"}} in the requirements."));
    vec![Candidate::new(finding, with_domain(token, attempt), how)]
}

/// The client signed what the requirements say, and the token has another domain.
pub(super) fn other_domain(bench: &Bench, attempt: &Attempt) -> Vec<Candidate> {
    let Some(token) = token(bench, attempt) else { return Vec::new() };
    vec![requirements_domain(token, attempt, with_domain(token, attempt).again())]
}

/// The finding that the requirements give the wrong domain.
pub(super) fn requirements_domain(token: &Token, attempt: &Attempt, next: Attempt) -> Candidate {
    let (name, version) = (&token.asset.name, &token.asset.version);
    let said = |key: &str| attempt.asked(&format!("/extra/{key}")).unwrap_or_default().to_owned();
    let (said_name, said_version) = (said("name"), said("version"));
    let shown = x402_wire::shape::shorten;
    let finding = Finding::new("wrong_domain_in_requirements")
        .at(if said_name == *name { "paymentRequirements.extra.version" } else { "paymentRequirements.extra.name" })
        .seen(format!(
            "extra says name \"{}\", version \"{}\"; {} at {} on {} has name \"{name}\", version \"{version}\"",
            shown(&said_name),
            shown(&said_version),
            token.asset.symbol,
            token.asset.address,
            token.network
        ))
        .fixed_by(format!("Say \"extra\": {{\"name\": \"{name}\", \"version\": \"{version}\"}}."));
    Candidate::new(finding, next, format!("with the asset's own domain (\"{name}\", \"{version}\") in extra"))
}

/// The same requirements with the asset's own domain, where it is another.
pub(super) fn corrected(bench: &Bench, attempt: &Attempt) -> Option<(Attempt, Token)> {
    let token = token(bench, attempt)?;
    let own = (attempt.asked("/extra/name"), attempt.asked("/extra/version"));
    let differs = own != (Some(token.asset.name.as_str()), Some(token.asset.version.as_str()));
    differs.then(|| (with_domain(token, attempt), token.clone()))
}

/// A signature in a form that libraries take and contracts do not.
pub(super) fn form(attempt: &Attempt) -> Vec<Candidate> {
    const PLACE: &str = "/payload/signature";
    let Some(Signature::Ecdsa(ecdsa)) = attempt.paid(PLACE).map(Signature::parse) else { return Vec::new() };
    let at = "paymentPayload.payload.signature";
    let text = |ecdsa: Ecdsa| hex::encode_prefixed(ecdsa.bytes());
    let mut all = Vec::new();
    if ecdsa.v < 27 {
        let finding = Finding::new("signature_v").at(at).seen(format!("its last byte, v, is {}", ecdsa.v));
        let next = attempt.pay(PLACE, text(Ecdsa { v: ecdsa.v + 27, ..ecdsa }));
        all.push(Candidate::new(finding, next, format!("with v {}", ecdsa.v + 27)));
    }
    if ecdsa.has_high_s() {
        let finding = Finding::new("signature_high_s").at(at).seen("its s lies in the upper half of the curve's order");
        let s = ORDER - U256::from_be_slice(&ecdsa.compact[32..]);
        let mut low = ecdsa;
        low.compact[32..].copy_from_slice(&s.to_be_bytes::<32>());
        low.v = if ecdsa.v.is_multiple_of(2) { ecdsa.v.saturating_sub(1) } else { ecdsa.v.saturating_add(1) };
        all.push(Candidate::new(finding, attempt.pay(PLACE, text(low)), "with the low s of the same signature"));
    }
    all
}
