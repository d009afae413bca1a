//! Why a signature is not the payer's: the likely mistakes, tried one after the other.

use alloy_primitives::Address;
use x402_wire::shape::shorten;

use crate::networks::eip155::checksum;
use crate::networks::eip155::eip712::Domain;
use crate::networks::eip155::eip3009::Case;
use crate::networks::eip155::signature::Signature;

/// What is said where none of the few guesses fits. The search of `explain` tries hundreds.
pub(super) const NO_GUESS: &str = "; it fits none of the commonest mistakes, and `x402-dev explain` tries more";

/// At most so many domains are tried, so that a forged payment costs a bounded time.
const MOST_TRIES: usize = 5;

/// Base and Base Sepolia: the pair of networks that is confused most often.
const BASE: u64 = 8453;
const BASE_SEPOLIA: u64 = 84532;

/// USDC on either.
const ON_BASE: Address = alloy_primitives::address!("833589fCD6eDb6E08f4c7C32D4f71b54bdA02913");
const ON_BASE_SEPOLIA: Address = alloy_primitives::address!("036CbD53842c5426634e7929541eC2318f3dCF7e");

/// A domain that was tried, and how it differs from the asset's.
struct Guess<'a> {
    domain: Domain<'a>,
    what: String,
}

/// One sentence, naming both sides and the domain that fits, if one of the likely ones does.
pub fn why(case: &Case<'_>) -> String {
    if let Some(unsignable) = &case.claim.unsignable {
        return format!("no client can have signed this: {}", unsignable.text());
    }
    let ecdsa = match &case.claim.signature {
        Signature::Ecdsa(ecdsa) => ecdsa,
        Signature::Wrapped { .. } | Signature::BrokenWrapper => {
            return "the signature is an ERC-6492 wrapper, but the payer is a contract that cannot check it".to_owned();
        }
        Signature::Other { bytes: Some(bytes) } => {
            return format!("the signature has {bytes} bytes; an account without code signs with 65");
        }
        Signature::Other { bytes: None } => return "the signature is not hexadecimal after 0x".to_owned(),
    };
    if !matches!(ecdsa.v, 0 | 1 | 27 | 28) {
        return format!("the signature's last byte, v, is {}; it must be 27 or 28", ecdsa.v);
    }
    let Some(domain) = case.domain() else {
        return "the requirements' extra.name and extra.version are no domain that a client can sign".to_owned();
    };
    let from = case.claim.authorization.from;
    let signer = case.recovered().and_then(|recovered| recovered.signer);
    let sides = match signer {
        Some(signer) => {
            format!("signature recovers to {}, not to authorization.from {}", checksum(signer), checksum(from))
        }
        None => format!("signature recovers to no address, not to authorization.from {}", checksum(from)),
    };
    let signers = ecdsa.signers(case.claim.authorization.digest(domain.separator()));
    let fits = |guess: &Guess<'_>| {
        let digest = case.claim.authorization.digest(guess.domain.separator());
        signers.as_ref().and_then(|signers| signers.over(digest)) == Some(from)
    };
    match guesses(case, domain).into_iter().take(MOST_TRIES).find(fits) {
        Some(guess) => format!("{sides}; it fits {}", guess.what),
        None => format!("{sides}{NO_GUESS}"),
    }
}

/// The likely mistakes, most likely first. What is said to be the asset's is the asset's, whatever the requirements say.
fn guesses<'a>(case: &Case<'a>, domain: Domain<'a>) -> Vec<Guess<'a>> {
    let mut guesses = Vec::with_capacity(6);
    let mut add = |domain: Domain<'a>, what: String| guesses.push(Guess { domain, what });
    let token = case.token();
    let (own_name, own_version) =
        token.map_or((domain.name, domain.version), |token| (&token.asset.name, &token.asset.version));
    if let Some(token) = token.filter(|token| !token.is_domain(&domain)) {
        let own = Domain { name: &token.asset.name, version: &token.asset.version, ..domain };
        let (said_name, said_version) = (shorten(domain.name), shorten(domain.version));
        let what = format!(
            "this asset's own domain (name \"{own_name}\", version \"{own_version}\"), but the requirements' extra \
             says name \"{said_name}\", version \"{said_version}\""
        );
        add(own, what);
    }
    let (own_name, own_version) = (shorten(own_name), shorten(own_version));
    let name = if domain.name == "USDC" { "USD Coin" } else { "USDC" };
    add(Domain { name, ..domain }, format!("domain name \"{name}\", this asset's is \"{own_name}\""));
    let version = if domain.version == "2" { "1" } else { "2" };
    add(Domain { version, ..domain }, format!("domain version \"{version}\", this asset's is \"{own_version}\""));
    let chain_id = if domain.chain_id == BASE_SEPOLIA { BASE } else { BASE_SEPOLIA };
    add(Domain { chain_id, ..domain }, format!("chain id {chain_id}, this network's is {}", domain.chain_id));
    let (twin, here) = if domain.chain_id == BASE_SEPOLIA {
        (
            Domain { name: "USD Coin", version: "2", chain_id: BASE, contract: ON_BASE },
            "USDC on Base (name \"USD Coin\", chain id 8453)",
        )
    } else {
        (
            Domain { name: "USDC", version: "2", chain_id: BASE_SEPOLIA, contract: ON_BASE_SEPOLIA },
            "USDC on Base Sepolia (name \"USDC\", chain id 84532)",
        )
    };
    add(twin, format!("the domain of {here}, not of this network"));
    if let Some((contract, owner)) = other_contract(case, domain.contract) {
        let (theirs, ours) = (checksum(contract), checksum(domain.contract));
        add(Domain { contract, ..domain }, format!("verifying contract {theirs} ({owner}), the asset is {ours}"));
    }
    guesses
}

/// Another contract that a client may have signed for: USDC on Base, or on Base Sepolia.
fn other_contract(case: &Case<'_>, contract: Address) -> Option<(Address, &'static str)> {
    let payee = case.claim.asked.pay_to;
    match contract {
        contract if contract == ON_BASE_SEPOLIA => Some((ON_BASE, "USDC on Base")),
        contract if contract != payee => Some((ON_BASE_SEPOLIA, "USDC on Base Sepolia")),
        _ => None,
    }
}
