//! Permit2: the proxy, the witness, and what a permit's signature fits ([`other`], [`types`], [`pairs`]).

use alloy_primitives::Address;

use super::fit::Tries;
use super::rewritten::gone_on;
use super::signature::known_signer;
use super::spelling::well_formed;
use super::{Candidate, kinds, terms};
use crate::accounts;
use crate::explain::case::Record;
use crate::explain::explanation::Explanation;
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench};
use crate::networks::eip155::permit2::permit::{EXACT_PROXY, Permit, UPTO_PROXY, Witness};
use crate::networks::eip155::{chain_id, checksum, parse_address};

mod other;
mod pairs;
mod types;

const PART: &str = "/payload/permit2Authorization";
const WHERE: &str = "paymentPayload.payload.permit2Authorization";

/// Adds that Permit2 may not move the payer's tokens, where an instance said so and something else is wrong as well.
pub(in crate::explain) fn told(record: &Record, explanation: &mut Explanation) {
    if record.reason == "permit2_allowance_required" && record.faults.is_empty() {
        explanation.find(Finding::new("permit2_allowance").seen(record.message.clone().unwrap_or_default()));
    }
}

fn proxy(attempt: &Attempt) -> Address {
    if attempt.asked("/scheme") == Some("upto") { UPTO_PROXY } else { EXACT_PROXY }
}

pub(super) fn spender(attempt: &Attempt) -> Vec<Candidate> {
    let said = attempt.paid(&format!("{PART}/spender")).unwrap_or_default();
    let right = checksum(proxy(attempt));
    let whose = match parse_address(said) {
        Some(EXACT_PROXY) => " (the proxy of exact)",
        Some(UPTO_PROXY) => " (the proxy of upto)",
        Some(other) if Some(other) == attempt.asked("/payTo").and_then(parse_address) => " (the payee itself)",
        _ => "",
    };
    let finding = Finding::new("permit2_spender")
        .at(format!("{WHERE}.spender"))
        .seen(format!("spender is {}{whose}, the scheme's proxy is {right}", x402_wire::shape::shorten(said)));
    let next = attempt.pay(&format!("{PART}/spender"), right.clone());
    // Where the wrong one was signed as well, the right one must be signed anew.
    let was_signed = well_formed(attempt, fits).is_ok_and(|ecdsa| fits(attempt, &ecdsa));
    let next = if was_signed { next.again() } else { next };
    vec![Candidate::new(finding, next, format!("with spender {right}"))]
}

/// A facilitator that is not ours is no mistake, where requirements and witness agree.
pub(super) fn facilitator(attempt: &Attempt) -> Vec<Candidate> {
    let place = format!("{PART}/witness/facilitator");
    let said = attempt.paid(&place).and_then(parse_address);
    let asked = attempt.asked("/extra/facilitatorAddress").and_then(parse_address);
    let own = accounts::facilitator().address;
    if said.is_some() && said == asked {
        let next = attempt.pay(&place, own).ask("/extra/facilitatorAddress", own).again();
        return vec![Candidate::assumed(next, "requirements and witness name the same facilitator")];
    }
    let without = kinds::upto(attempt);
    if asked.is_none() && !without.is_empty() {
        return without;
    }
    let (Some(said), Some(asked)) = (said, attempt.asked("/extra/facilitatorAddress")) else { return Vec::new() };
    let finding = Finding::new("upto_facilitator").at(format!("{WHERE}.witness.facilitator")).seen(format!(
        "the witness names {}, the requirements' extra.facilitatorAddress is {}",
        checksum(said),
        x402_wire::shape::shorten(asked)
    ));
    vec![Candidate::new(finding, attempt.pay(&place, own).again(), "with the facilitator of the requirements")]
}

pub(super) fn token(attempt: &Attempt) -> Vec<Candidate> {
    let place = format!("{PART}/permitted/token");
    let said = attempt.paid(&place).unwrap_or_default().to_owned();
    let asked = attempt.asked("/asset").unwrap_or_default().to_owned();
    let finding = Finding::new("wrong_asset").at(format!("{WHERE}.permitted.token")).seen(format!(
        "the permit is for {}, the requirements ask for {}",
        terms::named(&said),
        terms::named(&asked)
    ));
    vec![Candidate::new(finding, attempt.pay(&place, asked).again(), "with a permit for the asset that is asked for")]
}

/// What the payer may have signed instead of what is written.
pub(super) fn signature(bench: &Bench, attempt: &Attempt) -> Vec<Candidate> {
    let ecdsa = match well_formed(attempt, fits) {
        Ok(ecdsa) => ecdsa,
        Err(candidates) => return gone_on(bench, candidates, |next| signature(bench, next)),
    };
    let Some((permit, owner)) = permit(attempt) else { return Vec::new() };
    let Some(signers) = ecdsa.signers(permit.digest()) else { return Vec::new() };
    let right = permit.digest();
    let tries = Tries::new(signers, owner);
    if let Some((found, besides)) = other::signed(bench, attempt, &permit, owner, &tries) {
        return vec![found.candidate_with(besides, bench, attempt, owner)];
    }
    known_signer(attempt, tries.signer(right), owner, &format!("{WHERE}.from"))
}

/// Whether a signature is the payer's.
fn fits(attempt: &Attempt, ecdsa: &crate::networks::eip155::signature::Ecdsa) -> bool {
    permit(attempt).is_some_and(|(permit, owner)| ecdsa.recover(permit.digest()) == Some(owner))
}

/// The permit as it is written, and who should have signed it.
fn permit(attempt: &Attempt) -> Option<(Permit, Address)> {
    let text = |key: &str| attempt.paid(&format!("{PART}{key}"));
    let address = |key: &str| text(key).and_then(parse_address);
    let number = |key: &str| text(key).and_then(x402_wire::amount::parse_atomic);
    let facilitator =
        if attempt.asked("/scheme") == Some("upto") { Some(address("/witness/facilitator")?) } else { None };
    let permit = Permit {
        chain_id: chain_id(attempt.asked("/network")?)?,
        token: address("/permitted/token")?,
        amount: number("/permitted/amount")?,
        spender: address("/spender")?,
        nonce: number("/nonce")?,
        deadline: number("/deadline")?,
        witness: Witness { to: address("/witness/to")?, facilitator, valid_after: number("/witness/validAfter")? },
    };
    Some((permit, address("/from")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::explain::judge::Signed;
    use crate::networks::eip155::signature::Ecdsa;

    /// What fits nothing is looked at to the end: no try is missing because others came before it.
    #[test]
    fn all_that_is_tried_under_one_permit_is_within_the_bound() {
        let payer = accounts::test_accounts().next().expect("there are test accounts").address;
        for (scheme, spender) in [("exact", EXACT_PROXY), ("upto", UPTO_PROXY)] {
            let ours = accounts::facilitator().address;
            let requirements = json!({
                "scheme": scheme, "network": "eip155:84532", "amount": "10000", "payTo": accounts::merchant().address,
                "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "maxTimeoutSeconds": 300,
                "extra": {"name": "USDC", "version": "2", "assetTransferMethod": "permit2", "facilitatorAddress": ours},
            });
            let own = json!({
                "from": payer, "spender": checksum(spender), "nonce": "7", "deadline": "1795000300",
                "permitted": {"token": requirements["asset"], "amount": "10000"},
                "witness": {"to": requirements["payTo"], "validAfter": "1795000000", "facilitator": ours},
            });
            let payload = json!({"x402Version": 2, "accepted": requirements, "payload": {"permit2Authorization": own}});
            let bench = Bench::new(&requirements);
            let attempt = Attempt { payload, requirements, now: 1_795_000_100, signed: Signed::AsSent, real: None };
            let (permit, owner) = permit(&attempt).expect("it is whole");
            // A signature that recovers to somebody, over whatever.
            let mut bytes = [1; 65];
            bytes[64] = 27;
            let ecdsa = Ecdsa::from_bytes(&bytes);
            let tries = Tries::new(ecdsa.signers(permit.digest()).expect("it is of a point"), owner);
            assert!(other::signed(&bench, &attempt, &permit, owner, &tries).is_none());
            assert!(tries.left() > 0, "{scheme}");
        }
    }
}
