//! Why the signature of a permit is not the payer's: the likely mistakes, tried one after the other.

use super::signature::NO_GUESS;
use crate::networks::eip155::checksum;
use crate::networks::eip155::permit2::permit::{EXACT_PROXY, Permit, UPTO_PROXY, Witness};
use crate::networks::eip155::permit2::{Case, Scheme};
use crate::networks::eip155::signature::Signature;

/// Base and Base Sepolia: the pair of networks that is confused most often.
const BASE: u64 = 8453;
const BASE_SEPOLIA: u64 = 84532;

/// One sentence, naming both sides and what the signature fits, if that is one of the likely mistakes.
pub fn why(case: &Case<'_>) -> String {
    if let Some(too_large) = &case.claim.too_large {
        return format!("no client can have signed this: {too_large}");
    }
    let signature = match &case.claim.signature {
        Signature::Ecdsa(signature) => signature,
        Signature::Wrapped { .. } | Signature::BrokenWrapper => {
            return "the signature is an ERC-6492 wrapper, and Permit2 takes none".to_owned();
        }
        Signature::Other { bytes: Some(bytes) } => {
            return format!("the signature has {bytes} bytes; an account without code signs with 65");
        }
        Signature::Other { bytes: None } => return "the signature is not hexadecimal after 0x".to_owned(),
    };
    let owner = case.claim.owner;
    if case.is_contract() {
        return format!("{} is a contract, and it cannot check the signature", checksum(owner));
    }
    if !matches!(signature.v, 0 | 1 | 27 | 28) {
        return format!("the signature's last byte, v, is {}; it must be 27 or 28", signature.v);
    }
    let signer = case.recovered().and_then(|found| found.signer);
    let signer = signer.map_or_else(|| "no address".to_owned(), checksum);
    let sides = format!("signature recovers to {signer}, not to permit2Authorization.from {}", checksum(owner));
    let permit = case.claim.permit;
    let signers = signature.signers(permit.digest());
    let fits = |guess: &Permit| signers.as_ref().and_then(|signers| signers.over(guess.digest())) == Some(owner);
    match guesses(case, &permit).into_iter().find(|(guess, _)| fits(guess)) {
        Some((_, what)) => format!("{sides}; it fits {what}"),
        None => format!("{sides}{NO_GUESS}"),
    }
}

/// What a client may have signed instead.
fn guesses(case: &Case<'_>, permit: &Permit) -> Vec<(Permit, String)> {
    let chain_id = if permit.chain_id == BASE_SEPOLIA { BASE } else { BASE_SEPOLIA };
    let (spender, facilitator, other) = match case.claim.scheme {
        Scheme::Exact => (UPTO_PROXY, Some(case.facilitator), "upto"),
        Scheme::Upto => (EXACT_PROXY, None, "exact"),
    };
    let witness = Witness { facilitator, ..permit.witness };
    let mut guesses = vec![
        (Permit { chain_id, ..*permit }, format!("chain id {chain_id}, this network's is {}", permit.chain_id)),
        (Permit { witness, ..*permit }, format!("the witness of scheme {other}")),
        (Permit { spender, witness, ..*permit }, format!("spender and witness of scheme {other}")),
    ];
    if let Some(asked) = case.claim.asked.amount.filter(|asked| *asked != permit.amount) {
        guesses.push((Permit { amount: asked, ..*permit }, format!("the amount {asked}")));
    }
    guesses
}
