//! Other domains than the asset's: one part after the other, whole domains of other assets, mixtures of both, other types.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, U256, keccak256};
use x402_wire::shape::shorten;

use super::Found;
use crate::catalog::Token;
use crate::explain::judge::Bench;
use crate::networks::eip155::eip712::Domain;
use crate::networks::eip155::{self, checksum};

/// Versions that clients write by habit.
const VERSIONS: [&str; 6] = ["2", "1", "", "3", "2.0", "1.0"];

/// Base and Ethereum: the chains that wallets are connected to, and that examples are copied from.
const USUAL: [u64; 3] = [8453, 84532, 1];

/// A domain that owns its texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::explain::repair) struct Own {
    pub(in crate::explain::repair) name: String,
    pub(in crate::explain::repair) version: String,
    pub(in crate::explain::repair) chain_id: u64,
    pub(in crate::explain::repair) contract: Address,
}

impl Own {
    pub(in crate::explain::repair) fn of(&self) -> Domain<'_> {
        Domain { name: &self.name, version: &self.version, chain_id: self.chain_id, contract: self.contract }
    }
}

/// A domain that may have been signed for.
#[derive(Clone, Debug)]
pub(super) struct Other {
    pub(super) separator: B256,
    pub(super) found: Found,
    /// Whether it is tried with another message besides.
    pub(super) likely: bool,
}

/// Every domain that is tried, the likeliest first. Who is paid and who pays stand in the token's place by mistake.
pub(super) fn others(bench: &Bench, own: &Own, parties: &[(Address, &str)]) -> Vec<Other> {
    let tokens = bench.catalog().tokens();
    let names = names(tokens, own);
    let mut all: Vec<Other> = alone(bench, own, parties).into_iter().flatten().map(Single::other).collect();
    all.extend(whole(tokens, own));
    all.extend(odd(own));
    for name in &names {
        for version in VERSIONS {
            let domain = Own { name: name.clone(), version: version.to_owned(), ..own.clone() };
            let what = format!("domain name \"{name}\" with version \"{version}\"");
            let found = Found::new("wrong_domain_name", here("name"), what);
            all.push(Other { separator: domain.of().separator(), found, likely: false });
        }
    }
    all.extend(mixed(tokens, own));
    all
}

/// A domain with one part otherwise.
#[derive(Clone, Debug)]
struct Single {
    domain: Own,
    found: Found,
    likely: bool,
}

impl Single {
    fn other(self) -> Other {
        Other { separator: self.domain.of().separator(), found: self.found, likely: self.likely }
    }
}

/// Domains with one part otherwise: names, versions, chains, contracts.
fn alone(bench: &Bench, own: &Own, parties: &[(Address, &str)]) -> [Vec<Single>; 4] {
    let tokens = bench.catalog().tokens();
    let names = names_alone(&names(tokens, own), own);
    [names, versions_alone(own), chains_alone(bench, own), contracts_alone(tokens, own, parties)]
}

/// Two mistakes in one domain, each of which anybody makes by itself: a name or a version that is written by habit, and
/// another chain or contract.
pub(super) fn pairs(bench: &Bench, own: &Own, parties: &[(Address, &str)]) -> Vec<(B256, Found, Found)> {
    let [mut names, versions, chains, contracts] = alone(bench, own, parties);
    let is_own = |name: &str| name.is_empty() || name.eq_ignore_ascii_case(&own.name);
    names.retain(|single| single.likely || is_own(&single.domain.name));
    let mut all = Vec::new();
    for (ones, others) in [(&names, &contracts), (&names, &chains), (&versions, &contracts), (&versions, &chains)] {
        for one in ones {
            for other in others {
                let (name, version) = (one.domain.name.clone(), one.domain.version.clone());
                let domain = Own { name, version, ..other.domain.clone() };
                all.push((domain.of().separator(), one.found.clone(), other.found.clone()));
            }
        }
    }
    all
}

fn here(part: &str) -> String {
    format!("paymentRequirements.extra.{part}")
}

/// Names that tokens have, and this one's in another spelling.
fn names(tokens: &[Token], own: &Own) -> Vec<String> {
    let mut names: Vec<String> =
        tokens.iter().flat_map(|token| [&token.asset.name, &token.asset.symbol]).cloned().collect();
    names.extend([own.name.trim().to_owned(), own.name.to_lowercase(), own.name.to_uppercase(), String::new()]);
    names.sort_unstable();
    names.dedup();
    names.retain(|name| *name != own.name);
    names
}

fn names_alone(names: &[String], own: &Own) -> Vec<Single> {
    let alone = |name: &String| {
        let what = format!("domain name \"{name}\", and the requirements say \"{}\"", shorten(&own.name));
        Single {
            domain: Own { name: name.clone(), ..own.clone() },
            found: Found::new("wrong_domain_name", here("name"), what),
            likely: ["USDC", "USD Coin"].contains(&name.as_str()),
        }
    };
    names.iter().map(alone).collect()
}

fn versions_alone(own: &Own) -> Vec<Single> {
    let alone = |version: &&str| {
        let what = format!("domain version \"{version}\", and the requirements say \"{}\"", shorten(&own.version));
        Single {
            domain: Own { version: (*version).to_owned(), ..own.clone() },
            found: Found::new("wrong_domain_version", here("version"), what),
            likely: ["1", "2"].contains(version),
        }
    };
    VERSIONS.iter().filter(|version| **version != own.version).map(alone).collect()
}

fn chains_alone(bench: &Bench, own: &Own) -> Vec<Single> {
    let known =
        bench.catalog().networks().iter().filter_map(|network| Some((network.chain_id()?, network.name.as_str())));
    let others = [
        (0, "none"),
        (31337, "a local chain"),
        (1337, "a local chain"),
        (1, "Ethereum"),
        (5, "Goerli"),
        (84531, "Base Goerli"),
    ];
    let alone = |(chain_id, name): (u64, &str)| {
        let what = format!("chain id {chain_id} ({name}), and this network's is {}", own.chain_id);
        Single {
            domain: Own { chain_id, ..own.clone() },
            found: Found::new("wrong_chain_id", "paymentRequirements.network", what),
            likely: USUAL.contains(&chain_id),
        }
    };
    known.chain(others).filter(|(chain_id, _)| *chain_id != own.chain_id).map(alone).collect()
}

fn contracts_alone(tokens: &[Token], own: &Own, parties: &[(Address, &str)]) -> Vec<Single> {
    let known = tokens.iter().map(|token| (token.contract, format!("{} on {}", token.asset.symbol, token.network)));
    let others = [(Address::ZERO, "the zero address".to_owned()), (eip155::PERMIT2, "Permit2".to_owned())];
    let alone = |(contract, name): (Address, String)| {
        let (said, asset) = (checksum(contract), checksum(own.contract));
        let what = format!("verifying contract {said} ({name}), and the asset is {asset}");
        Single {
            domain: Own { contract, ..own.clone() },
            found: Found::new("wrong_verifying_contract", "paymentRequirements.asset", what),
            likely: false,
        }
    };
    let parties = parties.iter().map(|(party, name)| (*party, (*name).to_owned()));
    known.chain(others).chain(parties).filter(|(contract, _)| *contract != own.contract).map(alone).collect()
}

/// The domains of other assets as they are.
fn whole(tokens: &[Token], own: &Own) -> Vec<Other> {
    let is_other = |token: &&Token| (token.contract, token.chain_id) != (own.contract, own.chain_id);
    let alone = |token: &Token| {
        let (asset, network) = (&token.asset, &token.network);
        let what = format!("the domain of {} on {network} (\"{}\", \"{}\")", asset.symbol, asset.name, asset.version);
        Other {
            separator: token.separator,
            found: Found::new("wrong_network_domain", "paymentRequirements.network", what),
            likely: USUAL.contains(&token.chain_id),
        }
    };
    tokens.iter().filter(is_other).map(alone).collect()
}

/// Domains with some parts of another asset's, and the rest of this one's: two and three at a time. The token, and which
/// of its parts, as bits: name, version, chain, contract.
fn mixed(tokens: &[Token], own: &Own) -> Vec<Other> {
    let mut met = BTreeSet::new();
    let mut all = Vec::new();
    for token in tokens {
        for parts in 3..15u8 {
            let has = |part: u8| parts & part != 0;
            let pick = |part: u8, theirs: &str, ours: &str| if has(part) { theirs.to_owned() } else { ours.to_owned() };
            let domain = Own {
                name: pick(1, &token.asset.name, &own.name),
                version: pick(2, &token.asset.version, &own.version),
                chain_id: if has(4) { token.chain_id } else { own.chain_id },
                contract: if has(8) { token.contract } else { own.contract },
            };
            let differs = [
                (domain.name != own.name).then(|| format!("name \"{}\"", domain.name)),
                (domain.version != own.version).then(|| format!("version \"{}\"", domain.version)),
                (domain.chain_id != own.chain_id).then(|| format!("chain id {}", domain.chain_id)),
                (domain.contract != own.contract).then(|| format!("verifying contract {}", checksum(domain.contract))),
            ];
            let differs: Vec<String> = differs.into_iter().flatten().collect();
            if differs.len() < 2 || !met.insert(domain.clone()) {
                continue;
            }
            let (id, at) = if domain.chain_id != own.chain_id {
                ("wrong_network_domain", "paymentRequirements.network".to_owned())
            } else if domain.contract != own.contract {
                ("wrong_verifying_contract", "paymentRequirements.asset".to_owned())
            } else {
                ("wrong_domain_name", here("name"))
            };
            let what = format!(
                "{} (of {} on {}), and the rest is this asset's",
                differs.join(" with "),
                token.asset.symbol,
                token.network
            );
            let likely = USUAL.contains(&token.chain_id) && domain.contract == own.contract;
            all.push(Other { separator: domain.of().separator(), found: Found::new(id, at, what), likely });
        }
    }
    all
}

/// Domains of other types than the four members that tokens have.
fn odd(own: &Own) -> Vec<Other> {
    let (name, version) = (keccak256(&own.name), keccak256(&own.version));
    let (chain, contract) = (B256::from(U256::from(own.chain_id)), own.contract.into_word());
    let of = |of: &str, words: &[B256], what: &str| {
        let mut bytes = keccak256(of).to_vec();
        for word in words {
            bytes.extend(word.as_slice());
        }
        let found = Found::new("domain_types", "EIP712Domain", what);
        Other { separator: keccak256(bytes), found, likely: false }
    };
    vec![
        of(
            "EIP712Domain()",
            &[],
            "a domain of the type `EIP712Domain()`, without members: a wallet added an empty type",
        ),
        of(
            "EIP712Domain(string name,uint256 chainId,address verifyingContract)",
            &[name, chain, contract],
            "a domain without `version`",
        ),
        of(
            "EIP712Domain(string name,string version,address verifyingContract)",
            &[name, version, contract],
            "a domain without `chainId`",
        ),
        of(
            "EIP712Domain(string name,string version,uint256 chainId)",
            &[name, version, chain],
            "a domain without `verifyingContract`",
        ),
        of(
            "EIP712Domain(string name,string version,address verifyingContract,bytes32 salt)",
            &[name, version, contract, chain],
            "a domain with the chain id as `salt`",
        ),
        of(
            "EIP712Domain(string name,string version,uint chainId,address verifyingContract)",
            &[name, version, chain, contract],
            "a domain with `uint` in place of `uint256`",
        ),
        of(
            "EIP712Domain(uint256 chainId,string name,address verifyingContract,string version)",
            &[chain, name, contract, version],
            "a domain with its members in the sequence of the alphabet",
        ),
        of("EIP712Domain(string name,string version)", &[name, version], "a domain of name and version alone"),
    ]
}
