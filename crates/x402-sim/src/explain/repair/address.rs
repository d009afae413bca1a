//! Addresses in the wrong place: of another kind of network, of another network, or the payee's where the asset's belongs.

use serde_json::Value;
use x402_wire::shape::shorten;

use super::{Candidate, anew, terms};
use crate::accounts;
use crate::explain::finding::{Finding, Side};
use crate::explain::judge::{Attempt, Bench};
use crate::networks::{Network, account};
use crate::registry::{FAMILIES, Version};

/// The network that the requirements ask for.
pub(super) fn network<'b>(bench: &'b Bench, attempt: &Attempt) -> Option<&'b Network> {
    let version = attempt.version().unwrap_or(Version::V2);
    bench.catalog().network(version, attempt.asked("/network")?)
}

/// What may stand at a place of the requirements on a network: the mock's merchant or facilitator, the network's asset.
pub(in crate::explain) fn stand_in(network: &Network, key: &str) -> Option<String> {
    match key {
        "payTo" => Some((network.family.row().address_of)(&accounts::merchant()).into_owned()),
        "asset" => network.assets.first().map(|asset| asset.address.clone()),
        "extra/feePayer" => Some((network.family.row().address_of)(&accounts::facilitator()).into_owned()),
        _ => None,
    }
}

/// The payment with an address of the network, where a place has one of another kind of network, or none at all.
pub(super) fn unreadable(bench: &Bench, attempt: &Attempt, key: &str) -> Option<Candidate> {
    let (network, said) = (network(bench, attempt)?, attempt.asked(&format!("/{key}"))?);
    if account(network, said).is_some() {
        return None;
    }
    let (right, place) = (stand_in(network, key)?, key.replace('/', "."));
    let (id, what) = match FAMILIES.iter().find(|row| (row.account)(said).is_some()) {
        Some(other) => {
            let family = other.prefix.trim_end_matches(':');
            ("address_of_other_family", format!("{}, an address of {family} networks", terms::named(said)))
        }
        None if is_as_long_as_a_key(said) => ("key_as_address", format!("{} characters long", said.len())),
        None => ("address_malformed", format!("\"{}\"", shorten(said))),
    };
    let seen = format!("{place} is {what}; on {} an address is {}", network.name, network.family.row().form);
    let mut finding = Finding::new(id).at(format!("paymentRequirements.{place}")).seen(seen);
    if id == "address_of_other_family" {
        let form = network.family.row().form;
        finding = finding.fixed_by(format!(
            "Give the entry on {} an address of that network as `{place}`: {form}. Each entry of `accepts` has its own.",
            network.name
        ));
    }
    if is_as_long_as_a_key(said) {
        finding = finding.seen(
            "it is as long as a private key: if it is one, everybody who asked has it now; take what it holds elsewhere, \
             and never use it again",
        );
    }
    let how = format!("with {right} as {place}");
    Some(Candidate::new(finding, anew(attempt, &format!("/{key}"), &right.into()), how))
}

/// What is said of a payer or payee in a payment who has an address of another kind of network.
pub(super) fn signed_of_other_family(bench: &Bench, attempt: &Attempt, key: &str, said: &str) -> Option<Finding> {
    let network = network(bench, attempt).filter(|network| account(network, said).is_none())?;
    let other = FAMILIES.iter().find(|row| (row.account)(said).is_some())?;
    let (family, form) = (other.prefix.trim_end_matches(':'), network.family.row().form);
    let finding = Finding::new("address_of_other_family").seen(format!(
        "`{key}` is {}, an address of {family} networks; on {} an address is {form}",
        terms::named(said),
        network.name
    ));
    let fix = if key == "to" {
        format!("Take the requirements' `payTo`: on {} it is {form}.", network.name)
    } else {
        format!("Sign with an account of {}, and write its address: {form}.", network.name)
    };
    Some(Finding { side: Side::Client, ..finding.fixed_by(fix) })
}

/// Whether a text could be a private key: 32 bytes in hexadecimal, or the 64 bytes of a key of Solana in base58.
fn is_as_long_as_a_key(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let is_hex = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex || (matches!(text.len(), 86..=88) && text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// What is said where `payTo` is an asset, and `asset` is none.
pub(super) fn swapped(bench: &Bench, attempt: &Attempt) -> Option<Finding> {
    let (asset, payee) = (attempt.asked("/asset")?, attempt.asked("/payTo")?);
    let is_known = |text: &str| bench.catalog().networks().iter().any(|own| own.asset_by_address(text).is_some());
    let seen = format!("payTo is {}; asset is {}, which is no token", terms::named(payee), terms::named(asset));
    (is_known(payee) && !is_known(asset))
        .then(|| Finding::new("asset_and_payee_swapped").at("paymentRequirements.asset").seen(seen))
}

/// An asset that is another network's: which it is, and which is the one of this network.
pub(super) fn of_other_network(bench: &Bench, attempt: &Attempt) -> Option<(Finding, String)> {
    let (network, said) = (network(bench, attempt)?, attempt.asked("/asset")?);
    let own = network.assets.first().filter(|_| network.asset_by_address(said).is_none())?;
    let networks = bench.catalog().networks();
    let elsewhere = networks.iter().find_map(|other| Some((other, other.asset_by_address(said)?)));
    let what = match elsewhere {
        Some((other, asset)) => format!("{} is {} on {}", shorten(said), asset.symbol, other.name),
        None => format!("there is no token at {} on {}", shorten(said), network.name),
    };
    let finding = Finding::new("wrong_asset")
        .at("paymentRequirements.asset")
        .seen(format!("{what}; {} on {} is {}", own.symbol, network.name, own.address));
    Some((finding, own.address.clone()))
}

/// The requirements with asset and payee swapped.
pub(super) fn swap(attempt: &Attempt) -> Attempt {
    let said = |key: &str| attempt.requirements.get(key).cloned().unwrap_or(Value::Null);
    let next = anew(attempt, "/payTo", &said("asset"));
    anew(&next, "/asset", &said("payTo"))
}
