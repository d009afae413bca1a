//! Signatures of EIP-3009: whether they are the payer's, and else what they fit and whose they are.

use alloy_primitives::Address;
use x402_wire::amount::parse_atomic;

use super::fit::domain::Own;
use super::fit::{self, Tries};
use super::rewritten::gone_on;
use super::spelling::{misspelt, well_formed};
use super::{Candidate, token as tokens};
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench};
use crate::explain::names;
use crate::networks::eip155::assets::v1_chain_id;
use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::signature::Ecdsa;
use crate::networks::eip155::{self, checksum, parse_address};
use crate::registry::Version;

const PART: &str = "/payload/authorization";
const SIGNED: &str = "paymentPayload.payload.authorization";

pub(super) fn token(bench: &Bench, attempt: &Attempt) -> Vec<Candidate> {
    let spelling = misspelt(attempt);
    if !spelling.is_empty() {
        return gone_on(bench, spelling, |next| token(bench, next));
    }
    let fits = |next: &Attempt, ecdsa: &Ecdsa| {
        let Some((authorization, domain)) = signed(bench, next) else { return false };
        ecdsa.recover(authorization.digest(domain.of().separator())) == Some(authorization.from)
    };
    let ecdsa = match well_formed(attempt, fits) {
        Ok(ecdsa) => ecdsa,
        Err(candidates) => return gone_on(bench, candidates, |next| token(bench, next)),
    };
    // The requirements may say the wrong domain, and the client have signed for the right one.
    if let Some((next, token)) = tokens::corrected(bench, attempt)
        && fits(&next, &ecdsa)
    {
        return vec![tokens::requirements_domain(&token, attempt, next)];
    }
    let Some((authorization, domain)) = signed(bench, attempt) else { return Vec::new() };
    let digest = authorization.digest(domain.of().separator());
    let Some(signers) = ecdsa.signers(digest) else { return Vec::new() };
    let from = authorization.from;
    let tries = Tries::new(signers, from);
    if let Some((found, besides)) = fit::authorization(bench, attempt, &authorization, &domain, &tries) {
        return vec![found.candidate_with(besides, bench, attempt, from)];
    }
    known_signer(attempt, tries.signer(digest), from, &format!("{SIGNED}.from"))
}

/// What should have been signed, and for which domain.
fn signed(bench: &Bench, attempt: &Attempt) -> Option<(Authorization, Own)> {
    let text = |key: &str| attempt.paid(&format!("{PART}/{key}"));
    let number = |key: &str| text(key).and_then(parse_atomic);
    let authorization = Authorization {
        from: parse_address(text("from")?)?,
        to: parse_address(text("to")?)?,
        value: number("value")?,
        valid_after: number("validAfter")?,
        valid_before: number("validBefore")?,
        nonce: text("nonce")?.parse().ok()?,
    };
    let network = attempt.asked("/network")?;
    let chain_id = match attempt.version()? {
        Version::V1 => v1_chain_id(network).or_else(|| bench.catalog().network(Version::V1, network)?.chain_id())?,
        Version::V2 => eip155::chain_id(network)?,
    };
    let own = Own {
        name: attempt.asked("/extra/name").unwrap_or_default().to_owned(),
        version: attempt.asked("/extra/version").unwrap_or_default().to_owned(),
        chain_id,
        contract: parse_address(attempt.asked("/asset")?)?,
    };
    Some((authorization, own))
}

/// Whose signature it is, where that is somebody who is known.
pub(super) fn known_signer(attempt: &Attempt, signer: Option<Address>, from: Address, at: &str) -> Vec<Candidate> {
    let Some(signer) = signer.filter(|signer| *signer != from) else { return Vec::new() };
    let places = ["/payTo", "/asset", "/extra/facilitatorAddress"];
    let part = places.iter().find(|place| attempt.asked(place).and_then(parse_address) == Some(signer));
    let who = match part {
        Some(place) => format!("the requirements' {}", place.trim_start_matches('/').replace('/', ".")),
        None => match names::account(signer) {
            Some(name) => name,
            None => return Vec::new(),
        },
    };
    let (signer_text, from) = (checksum(signer), checksum(from));
    let finding = Finding::new("wrong_key")
        .at(at)
        .seen(format!("the signature is that of {signer_text} ({who}), and {from} should have signed"));
    let proof = format!("over exactly what is written, the signature recovers to {signer_text}, which is {who}");
    vec![Candidate::sure(finding, attempt.clone().again(), proof)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::accounts;
    use crate::explain::judge::Signed;

    /// What fits nothing is looked at to the end: no try is missing because others came before it.
    #[test]
    fn all_that_is_tried_under_one_authorization_is_within_the_bound() {
        let payer = accounts::test_accounts().next().expect("there are test accounts").address;
        let requirements = json!({
            "scheme": "exact", "network": "eip155:84532", "amount": "10000", "payTo": accounts::merchant().address,
            "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "maxTimeoutSeconds": 300,
            "extra": {"name": "USDC", "version": "2"},
        });
        let own = json!({
            "from": payer, "to": requirements["payTo"], "value": "10000", "validAfter": "1795000000",
            "validBefore": "1795000300", "nonce": format!("0x{}", "09".repeat(32)),
        });
        let payload = json!({"x402Version": 2, "accepted": requirements, "payload": {"authorization": own}});
        let bench = Bench::new(&requirements);
        let attempt = Attempt { payload, requirements, now: 1_795_000_100, signed: Signed::AsSent, real: None };
        let (authorization, domain) = signed(&bench, &attempt).expect("it is whole");
        // A signature that recovers to somebody, over whatever.
        let mut bytes = [1; 65];
        bytes[64] = 27;
        let digest = authorization.digest(domain.of().separator());
        let signers = Ecdsa::from_bytes(&bytes).signers(digest).expect("it is of a point");
        let tries = Tries::new(signers, authorization.from);
        assert!(fit::authorization(&bench, &attempt, &authorization, &domain, &tries).is_none());
        assert!(tries.left() > 0, "{}", tries.left());
    }
}
