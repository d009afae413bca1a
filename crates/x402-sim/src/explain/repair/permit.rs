//! Permit2: the proxy, the witness, and what a permit's signature fits.

use alloy_primitives::{Address, U256};

use super::signature::known_signer;
use super::spelling::well_formed;
use super::{Candidate, terms};
use crate::accounts;
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench};
use crate::networks::eip155::permit2::permit::{EXACT_PROXY, Permit, UPTO_PROXY, Witness};
use crate::networks::eip155::{chain_id, checksum, parse_address};

const PART: &str = "/payload/permit2Authorization";
const WHERE: &str = "paymentPayload.payload.permit2Authorization";

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
        Err(candidates) => return candidates,
    };
    let Some((permit, owner)) = permit(attempt) else { return Vec::new() };
    let Some(signers) = ecdsa.signers(permit.digest()) else { return Vec::new() };
    let next = attempt.clone().again();
    for (guess, id, at, what) in guesses(bench, attempt, &permit) {
        if signers.over(guess.digest()) == Some(owner) {
            let finding = Finding::new(id).at(at).seen(format!("the signature fits {what}"));
            let over = what.split(", and ").next().unwrap_or_default();
            let proof = format!("over {over}, the signature recovers to the payer {}", checksum(owner));
            return vec![Candidate::sure(finding, next, proof)];
        }
    }
    let signer = signers.over(permit.digest());
    known_signer(attempt, signer, owner, &format!("{WHERE}.from"))
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

type Guess = (Permit, &'static str, String, String);

fn guesses(bench: &Bench, attempt: &Attempt, permit: &Permit) -> Vec<Guess> {
    let mut all: Vec<Guess> = Vec::new();
    for network in bench.catalog().networks() {
        if let Some(chain_id) = network.chain_id().filter(|id| *id != permit.chain_id) {
            let what = format!("chain id {chain_id} ({}), and this network's is {}", network.name, permit.chain_id);
            all.push((
                Permit { chain_id, ..*permit },
                "wrong_chain_id",
                "paymentRequirements.network".to_owned(),
                what,
            ));
        }
    }
    let ours = parse_address(accounts::facilitator().address);
    let facilitators = [attempt.asked("/extra/facilitatorAddress").and_then(parse_address), ours];
    let mut witnesses = vec![None];
    witnesses.extend(facilitators.into_iter().flatten().map(Some));
    // The mock's accounts besides: a witness may name the payee, or the payer.
    witnesses.extend(
        [attempt.asked("/payTo"), attempt.paid(&format!("{PART}/from"))]
            .into_iter()
            .flatten()
            .filter_map(|text| parse_address(text).map(Some)),
    );
    witnesses.extend(accounts::test_accounts().map(|account| Some(account.evm())));
    for facilitator in witnesses {
        let witness = Witness { facilitator, ..permit.witness };
        if facilitator == permit.witness.facilitator {
            continue;
        }
        let what = match facilitator {
            None => "the witness of exact, without a facilitator".to_owned(),
            Some(facilitator) => format!("the witness of upto, with facilitator {}", checksum(facilitator)),
        };
        for spender in [permit.spender, EXACT_PROXY, UPTO_PROXY] {
            let guess = Permit { spender, witness, ..*permit };
            all.push((guess, "permit2_witness", format!("{WHERE}.witness"), what.clone()));
        }
    }
    let at = |key: &str| format!("{WHERE}.{key}");
    let changed = "changed_after_signing";
    for spender in [EXACT_PROXY, UPTO_PROXY].into_iter().filter(|spender| *spender != permit.spender) {
        let what = format!("spender {}", checksum(spender));
        all.push((Permit { spender, ..*permit }, changed, at("spender"), what));
    }
    for amount in terms::amounts_near(attempt, permit.amount) {
        let what = format!("the amount {amount}, and {} is written", permit.amount);
        all.push((Permit { amount, ..*permit }, changed, at("permitted.amount"), what));
    }
    for text in [attempt.asked("/payTo"), attempt.paid("/accepted/payTo")].into_iter().flatten() {
        let Some(to) = parse_address(text).filter(|to| *to != permit.witness.to) else { continue };
        let witness = Witness { to, ..permit.witness };
        all.push((Permit { witness, ..*permit }, changed, at("witness.to"), format!("the payee {}", checksum(to))));
    }
    for token in bench.catalog().tokens() {
        let (own, symbol) = (token.contract, &token.asset.symbol);
        if own != permit.token {
            let what = format!("the token {} ({symbol} on {})", checksum(own), token.network);
            all.push((Permit { token: own, ..*permit }, changed, at("permitted.token"), what.clone()));
            let other = Permit { token: own, chain_id: token.chain_id, ..*permit };
            all.push((other, "wrong_chain_id", at("permitted.token"), what));
        }
    }
    let zero = Witness { valid_after: U256::ZERO, ..permit.witness };
    all.push((Permit { witness: zero, ..*permit }, changed, at("witness.validAfter"), "validAfter 0".to_owned()));
    all
}
