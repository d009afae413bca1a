//! What both sides must agree on: scheme, network, payee, amount, asset.

use alloy_primitives::U256;
use serde_json::Value;
use x402_wire::amount::parse_atomic;
use x402_wire::shape::shorten;

use super::{Candidate, address, path, signed_part, token as tokens};
use crate::accounts;
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench};
use crate::explain::{money, names, nearest};
use crate::networks::eip155::assets::{v1_chain_id, v1_name};
use crate::networks::eip155::{self, parse_address};
use crate::networks::{Network, solana};
use crate::registry::{PAIRS, Version};

/// The nearest of some names, for a fix.
fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest(name, known).filter(|near| *near != name)
}

/// An address with its name, if it has one.
pub(super) fn named(text: &str) -> String {
    match names::of(text, None) {
        Some(name) => format!("{} ({name})", shorten(text)),
        None => shorten(text),
    }
}

pub(super) fn unknown_scheme(attempt: &Attempt) -> Vec<Candidate> {
    let said = attempt.asked("/scheme").unwrap_or_default();
    let schemes = PAIRS.iter().map(|pair| pair.scheme);
    let Some(right) = near(said, schemes) else { return Vec::new() };
    let finding = Finding::new("scheme_unknown")
        .at("paymentRequirements.scheme")
        .seen(format!("\"{}\" is no scheme; did you mean \"{right}\"?", shorten(said)));
    vec![Candidate::new(finding, with_scheme(attempt, right), format!("with scheme \"{right}\""))]
}

fn with_scheme(attempt: &Attempt, scheme: &str) -> Attempt {
    let next = attempt.ask("/scheme", scheme);
    if next.version() == Some(Version::V1) { next.pay("/scheme", scheme) } else { next }
}

pub(super) fn scheme(attempt: &Attempt) -> Vec<Candidate> {
    let asked = attempt.asked("/scheme").unwrap_or_default().to_owned();
    let pointer = if attempt.version() == Some(Version::V1) { "/scheme" } else { "/accepted/scheme" };
    let said = attempt.paid(pointer).unwrap_or_default();
    let finding = Finding::new("scheme_mismatch").at(path("paymentPayload", pointer)).seen(format!(
        "the payload says \"{}\", the requirements say \"{}\"",
        shorten(said),
        shorten(&asked)
    ));
    if said == asked {
        return Vec::new();
    }
    vec![Candidate::new(finding, attempt.pay(pointer, asked.clone()), format!("with scheme \"{asked}\""))]
}

/// The network of the requirements is not known, as it is written.
pub(super) fn unknown_network(bench: &Bench, attempt: &Attempt) -> Vec<Candidate> {
    let said = attempt.asked("/network").unwrap_or_default().to_owned();
    let version = attempt.version().unwrap_or(Version::V2);
    let networks = bench.catalog().networks();
    let (id, right) = if let Some(right) = in_other_version(networks, &said, version) {
        (if version == Version::V2 { "v1_network_name_in_v2" } else { "caip2_network_in_v1" }, right)
    } else if let Some(right) = respelt(networks, &said, version).filter(|right| fits_asset(networks, attempt, right)) {
        ("network_misspelt", right)
    } else if let Some(own) = home(networks, attempt).and_then(|network| written(network, version)) {
        ("wrong_network", own)
    } else {
        return Vec::new();
    };
    let finding = Finding::new(id)
        .at("paymentRequirements.network")
        .seen(format!("network \"{}\" is not known in version {}; \"{right}\" is", shorten(&said), version.number()))
        .fixed_by(format!("Write \"network\": \"{right}\"."));
    let next = with_network(attempt, &right);
    let how = format!("with network \"{right}\"");
    // Nobody can sign for a chain that is none: that the signature does not fit the right one follows from its name.
    let signed = bench.judge(&next).is_ok();
    let next = if signed { next } else { next.again() };
    vec![Candidate::new(finding, next, how)]
}

/// The payload was made for another network than the requirements ask for.
pub(super) fn network(attempt: &Attempt) -> Vec<Candidate> {
    let asked = attempt.asked("/network").unwrap_or_default().to_owned();
    let version = attempt.version().unwrap_or(Version::V2);
    let pointer = if version == Version::V1 { "/network" } else { "/accepted/network" };
    let said = attempt.paid(pointer).unwrap_or_default().to_owned();
    let same = same_chain(&said, &asked);
    let id = match (same, version) {
        (true, Version::V2) if !said.contains(':') => "v1_network_name_in_v2",
        (true, Version::V1) if said.contains(':') => "caip2_network_in_v1",
        _ => "network_mismatch",
    };
    let finding = Finding::new(id).at(path("paymentPayload", pointer)).seen(format!(
        "the payload says \"{}\", the requirements say \"{}\"",
        shorten(&said),
        shorten(&asked)
    ));
    let next = attempt.pay(pointer, asked.clone());
    let how = format!("with network \"{asked}\"");
    let mut all = vec![Candidate::new(finding.clone(), next.clone(), how.clone())];
    // What is missing in version 1 may stand in the requirements.
    if version == Version::V1
        && asked.contains(':')
        && let Some(name) = eip155::chain_id(&asked).and_then(v1_name)
    {
        let next = with_network(attempt, name);
        all.push(Candidate::new(
            Finding::new("caip2_network_in_v1").at("paymentRequirements.network"),
            next,
            how.clone(),
        ));
    }
    all.push(Candidate::new(finding, next.again(), how));
    all
}

fn with_network(attempt: &Attempt, name: &str) -> Attempt {
    let next = attempt.ask("/network", name);
    if next.version() == Some(Version::V1) { next.pay("/network", name) } else { next }
}

/// The name of a network in the other protocol version's spelling.
fn in_other_version(networks: &[Network], said: &str, version: Version) -> Option<String> {
    let own = networks.iter().find(|network| network.is_called(said));
    let chain = match version {
        Version::V2 => v1_chain_id(said).map(|id| format!("eip155:{id}")),
        Version::V1 => eip155::chain_id(said).and_then(v1_name).map(str::to_owned),
    };
    own.and_then(|network| written(network, version)).filter(|right| right != said).or(chain)
}

/// The nearest name.
fn respelt(networks: &[Network], said: &str, version: Version) -> Option<String> {
    let names: Vec<String> = networks.iter().filter_map(|network| written(network, version)).collect();
    // A chain id alone, or in hexadecimal, as wallets say it.
    let id = said.strip_prefix("eip155:").unwrap_or(said);
    let chain = id.strip_prefix("0x").map_or_else(|| id.parse().ok(), |digits| u64::from_str_radix(digits, 16).ok());
    if let Some(whole) = chain.map(|chain| format!("eip155:{chain}")).filter(|whole| names.contains(whole)) {
        return Some(whole);
    }
    let tidy = said.trim().to_lowercase().replace([' ', '_'], "-");
    if let Some(name) = alias(networks, &tidy).and_then(|own| written(own, version)) {
        return Some(name);
    }
    let spelt = networks
        .iter()
        .find(|own| own.name.to_lowercase().replace(' ', "-") == tidy || own.v1_name.as_deref() == Some(tidy.as_str()));
    if let Some(name) = spelt.and_then(|own| written(own, version)) {
        return Some(name);
    }
    // One digit more or less is another chain, so that only texts are compared.
    if eip155::chain_id(said).is_some() {
        return None;
    }
    near(said, names.iter().map(String::as_str)).map(str::to_owned)
}

/// Names of Solana's clusters, as its own tools write them, and the networks that they mean, by their names of version 1.
const CLUSTERS: [(&str, &str); 3] = [("mainnet", "solana"), ("mainnet-beta", "solana"), ("devnet", "solana-devnet")];

/// The network that a name of another habit means: `solana:devnet`.
pub(in crate::explain) fn alias<'n>(networks: &'n [Network], said: &str) -> Option<&'n Network> {
    let cluster = ["solana:", "solana-", "svm:"].iter().find_map(|head| said.strip_prefix(head))?;
    let (_, name) = CLUSTERS.iter().find(|(own, _)| *own == cluster)?;
    networks.iter().find(|own| own.v1_name.as_deref() == Some(*name))
}

fn written(network: &Network, version: Version) -> Option<String> {
    match version {
        Version::V2 => Some(network.id.clone()),
        Version::V1 => network.v1_name.clone(),
    }
}

/// Whether a network, by its name, may be meant beside the asset: one whose asset is known is on its own network.
fn fits_asset(networks: &[Network], attempt: &Attempt, name: &str) -> bool {
    let has = |own: &Network| attempt.asked("/asset").is_some_and(|asset| own.asset_by_address(asset).is_some());
    let is_own = |own: &Network| own.is_called(name) || own.v1_name.as_deref() == Some(name);
    !networks.iter().any(has) || networks.iter().any(|own| is_own(own) && has(own))
}

/// The network that the asset lives on.
fn home<'n>(networks: &'n [Network], attempt: &Attempt) -> Option<&'n Network> {
    let asset = attempt.asked("/asset")?;
    networks.iter().find(|network| network.asset_by_address(asset).is_some())
}

pub(in crate::explain) fn same_chain(left: &str, right: &str) -> bool {
    let chain = |name: &str| eip155::chain_id(name).or_else(|| v1_chain_id(name));
    let cluster = |name: &str| solana::known().into_iter().find(|own| own.is_called(name)).map(|own| own.id);
    let same = chain(left).is_some() && chain(left) == chain(right);
    same || (cluster(left).is_some() && cluster(left) == cluster(right))
}

pub(super) fn recipient(attempt: &Attempt) -> Vec<Candidate> {
    let part = signed_part(attempt);
    let pointer =
        if part.ends_with("permit2Authorization") { format!("{part}/witness/to") } else { format!("{part}/to") };
    let said = attempt.paid(&pointer).unwrap_or_default().to_owned();
    let asked = attempt.asked("/payTo").unwrap_or_default().to_owned();
    let mut finding = Finding::new("wrong_payee").at(path("paymentPayload", &pointer)).seen(format!(
        "it pays {}, the requirements' payTo is {}",
        named(&said),
        named(&asked)
    ));
    let is =
        |other: Option<&str>| other.and_then(parse_address).is_some_and(|other| Some(other) == parse_address(&said));
    if is(attempt.paid(&format!("{part}/from"))) {
        finding = finding.seen("the payer pays itself");
    } else if is(attempt.asked("/asset")) {
        finding = finding.seen("the money would go to the token's own contract");
    }
    vec![Candidate::new(finding, attempt.pay(&pointer, asked).again(), "with the payee that is asked for")]
}

/// What was paid beside what is asked.
pub(super) fn amount(bench: &Bench, attempt: &Attempt) -> Vec<Candidate> {
    let part = signed_part(attempt);
    let pointer = if part.ends_with("permit2Authorization") {
        format!("{part}/permitted/amount")
    } else {
        format!("{part}/value")
    };
    let said = attempt.paid(&pointer).unwrap_or_default().to_owned();
    let asked = attempt.asked(attempt.amount_key()).unwrap_or_default().to_owned();
    let (Some(paid), Some(wanted)) = (parse_atomic(&said), parse_atomic(&asked)) else { return Vec::new() };
    if paid == wanted {
        return Vec::new();
    }
    let token = tokens::token(bench, attempt);
    let seen = format!("it pays {}, the requirements ask {}", money(paid, token), money(wanted, token));
    let mut finding = compared(paid, wanted).at(path("paymentPayload", &pointer)).seen(seen);
    if paid.checked_add(U256::from(1)) == Some(wanted) {
        finding = finding
            .seen("one unit less: `int(price * 10**6)` and `Math.floor` cut what a price in floating point lacks");
    }
    vec![Candidate::new(finding, attempt.pay(&pointer, asked).again(), "with the amount that is asked")]
}

/// The finding for two amounts that differ.
pub(in crate::explain) fn compared(paid: U256, wanted: U256) -> Finding {
    let power = (1..=18u64).find(|power| {
        let factor = U256::from(10).pow(U256::from(*power));
        !paid.is_zero()
            && (paid.checked_mul(factor) == Some(wanted) || wanted.checked_mul(factor) == Some(paid))
            && !wanted.is_zero()
    });
    match power {
        Some(power) => {
            let side = if paid < wanted { "less" } else { "more" };
            Finding::new("amount_decimals").seen(format!("that is 10^{power} times {side}: a matter of decimals"))
        }
        None => Finding::new("amount_mismatch"),
    }
}

/// Amounts that may have been signed in place of another one.
pub(super) fn amounts_near(attempt: &Attempt, value: U256) -> Vec<U256> {
    let of = |text: Option<&str>| text.and_then(parse_atomic);
    let key = attempt.amount_key();
    let mut all: Vec<U256> =
        [of(attempt.asked(key)), of(attempt.paid(&format!("/accepted{key}")))].into_iter().flatten().collect();
    let (one, ten) = (U256::from(1), U256::from(10));
    all.extend([value.saturating_sub(one), value.saturating_add(one), U256::ZERO]);
    for power in [1u64, 2, 3, 6, 12, 18] {
        let factor = ten.pow(U256::from(power));
        all.extend([value / factor, value.saturating_mul(factor)]);
    }
    all.retain(|own| *own != value);
    all
}

/// The same payment by an account that holds enough and that nobody has blocked.
pub(super) fn other_payer(attempt: &Attempt, id: &str) -> Vec<Candidate> {
    let pointer = format!("{}/from", signed_part(attempt));
    let said = attempt.paid(&pointer).unwrap_or_default();
    let finding = Finding::new(id).at(path("paymentPayload", &pointer)).seen(format!("the payer is {}", named(said)));
    let other = accounts::test_accounts().next().map_or("", |account| account.address);
    vec![Candidate::new(finding, attempt.pay(&pointer, other).again(), "by an account that is funded and not blocked")]
}

/// There is no such token on this network.
pub(super) fn asset(bench: &Bench, attempt: &Attempt) -> Vec<Candidate> {
    let swapped = address::swapped(bench, attempt)
        .map(|finding| Candidate::new(finding, address::swap(attempt).again(), "with both swapped"));
    let mut all = Vec::from_iter(swapped);
    let network = address::network(bench, attempt).and_then(|network| Some((network, network.assets.first()?)));
    if let (Some((finding, right)), Some((network, own))) = (address::of_other_network(bench, attempt), network) {
        let mut next = attempt.ask("/asset", right);
        if let Some(Value::Object(_)) = attempt.requirements.get("extra") {
            next = next.ask("/extra/name", own.name.clone()).ask("/extra/version", own.version.clone());
        }
        all.push(Candidate::new(finding, next.again(), format!("with {} of {}", own.symbol, network.name)));
    }
    all
}
