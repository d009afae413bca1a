//! What a signature fits: other domains, and other messages than the one that is written.

use alloy_primitives::{Address, B256, U256, keccak256};
use x402_wire::shape::shorten;

use super::{terms, times};
use crate::explain::judge::{Attempt, Bench};
use crate::networks::eip155::eip712::{Authorization, Domain};
use crate::networks::eip155::{self, checksum, parse_address};

/// How far back a signature's moment is looked for, in seconds.
const RECENT: u64 = 600;

const AT: &str = "paymentPayload.payload.signature";
const SIGNED: &str = "paymentPayload.payload.authorization";

/// A domain that owns its texts.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) chain_id: u64,
    pub(super) contract: Address,
}

impl Own {
    pub(super) fn of(&self) -> Domain<'_> {
        Domain { name: &self.name, version: &self.version, chain_id: self.chain_id, contract: self.contract }
    }
}

pub(super) type Found = (&'static str, String, String);

/// The domain that a signature fits, one part after the other, then whole domains of other assets, then two parts.
pub(super) fn other_domain(bench: &Bench, own: &Own, fits: impl Fn(B256) -> bool) -> Option<Found> {
    let tokens = bench.catalog().tokens();
    let mut names: Vec<String> =
        tokens.iter().flat_map(|token| [&token.asset.name, &token.asset.symbol]).cloned().collect();
    names.extend([own.name.trim().to_owned(), own.name.to_lowercase(), own.name.to_uppercase(), String::new()]);
    names.sort_unstable();
    names.dedup();
    let versions = ["2", "1", "", "3", "2.0", "1.0"];
    let here = |part: &str| format!("paymentRequirements.extra.{part}");
    let is = |domain: &Own| fits(domain.of().separator());
    for name in names.iter().filter(|name| **name != own.name) {
        if is(&Own { name: name.clone(), ..own.clone() }) {
            let what = format!("domain name \"{name}\", and the requirements say \"{}\"", shorten(&own.name));
            return Some(("wrong_domain_name", here("name"), what));
        }
    }
    for version in versions.iter().filter(|version| **version != own.version) {
        if is(&Own { version: (*version).to_owned(), ..own.clone() }) {
            let what = format!("domain version \"{version}\", and the requirements say \"{}\"", shorten(&own.version));
            return Some(("wrong_domain_version", here("version"), what));
        }
    }
    let chains =
        bench.catalog().networks().iter().filter_map(|network| Some((network.chain_id()?, network.name.as_str())));
    for (chain_id, name) in chains.chain([(0, "none"), (31337, "a local chain"), (1, "Ethereum"), (5, "Goerli")]) {
        if chain_id != own.chain_id && is(&Own { chain_id, ..own.clone() }) {
            let what = format!("chain id {chain_id} ({name}), and this network's is {}", own.chain_id);
            return Some(("wrong_chain_id", "paymentRequirements.network".to_owned(), what));
        }
    }
    let contracts = tokens.iter().map(|token| (token.contract, format!("{} on {}", token.asset.symbol, token.network)));
    let others = [(Address::ZERO, "the zero address".to_owned()), (eip155::PERMIT2, "Permit2".to_owned())];
    for (contract, name) in contracts.chain(others) {
        if contract != own.contract && is(&Own { contract, ..own.clone() }) {
            let what = format!(
                "verifying contract {} ({name}), and the asset is {}",
                checksum(contract),
                checksum(own.contract)
            );
            return Some(("wrong_verifying_contract", "paymentRequirements.asset".to_owned(), what));
        }
    }
    for token in tokens.iter().filter(|token| (token.contract, token.chain_id) != (own.contract, own.chain_id)) {
        if fits(token.separator) {
            let (asset, network) = (&token.asset, &token.network);
            let what =
                format!("the domain of {} on {network} (\"{}\", \"{}\")", asset.symbol, asset.name, asset.version);
            return Some(("wrong_network_domain", "paymentRequirements.network".to_owned(), what));
        }
    }
    for (separator, what) in odd_separators(own) {
        if fits(separator) {
            return Some(("domain_types", "EIP712Domain".to_owned(), what.to_owned()));
        }
    }
    for name in names.iter().filter(|name| **name != own.name) {
        for version in versions {
            if is(&Own { name: name.clone(), version: version.to_owned(), ..own.clone() }) {
                let what = format!("domain name \"{name}\" with version \"{version}\"");
                return Some(("wrong_domain_name", here("name"), what));
            }
        }
    }
    None
}

/// Domains of other types than the four members that tokens have.
fn odd_separators(own: &Own) -> Vec<(B256, &'static str)> {
    let (name, version) = (keccak256(&own.name), keccak256(&own.version));
    let (chain, contract) = (B256::from(U256::from(own.chain_id)), own.contract.into_word());
    let hash = |of: &str, words: &[B256]| {
        let mut bytes = keccak256(of).to_vec();
        for word in words {
            bytes.extend(word.as_slice());
        }
        keccak256(bytes)
    };
    vec![
        (
            hash("EIP712Domain()", &[]),
            "a domain of the type `EIP712Domain()`, without members: a wallet added an empty type",
        ),
        (
            hash("EIP712Domain(string name,uint256 chainId,address verifyingContract)", &[name, chain, contract]),
            "a domain without `version`",
        ),
        (
            hash("EIP712Domain(string name,string version,address verifyingContract)", &[name, version, contract]),
            "a domain without `chainId`",
        ),
        (
            hash("EIP712Domain(string name,string version,uint256 chainId)", &[name, version, chain]),
            "a domain without `verifyingContract`",
        ),
        (
            hash(
                "EIP712Domain(string name,string version,address verifyingContract,bytes32 salt)",
                &[name, version, contract, chain],
            ),
            "a domain with the chain id as `salt`",
        ),
    ]
}

/// What was signed in place of what is written.
pub(super) fn other_message(
    attempt: &Attempt,
    written: &Authorization,
    domain: &Own,
    is_payer: impl Fn(B256) -> bool,
) -> Option<Found> {
    let separator = domain.of().separator();
    let changed = "changed_after_signing";
    let fits = |own: &Authorization| is_payer(own.digest(separator));
    let at = |key: &str| format!("{SIGNED}.{key}");
    for value in terms::amounts_near(attempt, written.value) {
        if fits(&Authorization { value, ..*written }) {
            return Some((changed, at("value"), format!("value {value}, and {} is written", written.value)));
        }
    }
    let others = [attempt.asked("/payTo"), attempt.paid("/accepted/payTo"), attempt.asked("/asset")];
    let others = others.into_iter().flatten().filter_map(parse_address).chain([written.from, Address::ZERO]);
    for to in others.filter(|to| *to != written.to) {
        if fits(&Authorization { to, ..*written }) {
            return Some((
                changed,
                at("to"),
                format!("the payee {}, and {} is written", checksum(to), checksum(written.to)),
            ));
        }
    }
    let lifetime = U256::from(times::lifetime(attempt).unwrap_or(300));
    let made = written.valid_before.saturating_sub(lifetime);
    let thousand = U256::from(1000);
    let starts = [U256::ZERO, made, made.saturating_sub(U256::from(600)), written.valid_after.saturating_mul(thousand)];
    for valid_after in starts {
        if fits(&Authorization { valid_after, ..*written }) {
            return Some((
                changed,
                at("validAfter"),
                format!("validAfter {valid_after}, and {} is written", written.valid_after),
            ));
        }
    }
    let ends = [
        written.valid_after.saturating_add(lifetime),
        written.valid_before.saturating_mul(thousand),
        written.valid_before / thousand,
        U256::MAX,
        U256::ZERO,
    ];
    // A lifetime from any moment of the last minutes on.
    let moments = (attempt.now.saturating_sub(RECENT)..attempt.now + 5).rev();
    let moments = moments.map(|made| U256::from(made).saturating_add(lifetime));
    for valid_before in ends.into_iter().chain(moments).filter(|end| *end != written.valid_before) {
        if fits(&Authorization { valid_before, ..*written }) {
            let what = format!("validBefore {valid_before}, and {} is written", written.valid_before);
            return Some((changed, at("validBefore"), what));
        }
    }
    let digest = written.digest(separator);
    let prefixed = keccak256([b"\x19Ethereum Signed Message:\n32".as_slice(), digest.as_slice()].concat());
    if is_payer(prefixed) {
        return Some((
            "signed_as_message",
            AT.to_owned(),
            "the digest signed as a message (`personal_sign`)".to_owned(),
        ));
    }
    let receive = typed(
        separator,
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)",
        written,
    );
    is_payer(receive).then(|| ("wrong_primary_type", AT.to_owned(), "the type ReceiveWithAuthorization".to_owned()))
}

fn typed(separator: B256, of: &str, own: &Authorization) -> B256 {
    let words = [
        keccak256(of),
        own.from.into_word(),
        own.to.into_word(),
        own.value.into(),
        own.valid_after.into(),
        own.valid_before.into(),
        own.nonce,
    ];
    let message: Vec<u8> = words.iter().flat_map(|word: &B256| word.0).collect();
    keccak256([&[0x19, 0x01], separator.as_slice(), keccak256(message).as_slice()].concat())
}
