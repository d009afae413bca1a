//! The networks of a world to try payments in: all that are known, and what the requirements name besides.

use serde_json::Value;

use crate::networks::eip155::assets::{v1_chain_id, v1_name};
use crate::networks::{self, Asset, Family, Network, Stage, Transfer, eip155};
use crate::registry;

/// What an asset that nobody knows is taken to have.
const DECIMALS: u8 = 6;

/// The networks, and what was assumed.
pub(super) fn around(requirements: &Value) -> (Vec<Network>, Vec<String>) {
    let mut networks: Vec<Network> = registry::networks().into_iter().filter(registry::is_payable).collect();
    let text = |key: &str| requirements.get(key).and_then(Value::as_str);
    let (Some(network), Some(asset)) = (text("network"), text("asset")) else { return (networks, Vec::new()) };
    let is_known = |text: &str| networks.iter().any(|own| own.asset_by_address(text).is_some());
    let mut notes = Vec::new();
    // Where the payee is an asset, the asset is taken for the payee, and not for one that nobody knows.
    if is_known(asset) || text("payTo").is_some_and(is_known) || is_misspelt(&networks, asset) {
        return (networks, notes);
    }
    let Some(place) = networks.iter().position(|own| own.is_called(network)).or_else(|| {
        networks.push(stranger(network)?);
        notes.push(format!("{} is not known here: its rules are taken to be those of its family", quoted(network)));
        Some(networks.len() - 1)
    }) else {
        return (networks, notes);
    };
    let own = &mut networks[place];
    if networks::account(own, asset).is_some() {
        notes.push(format!(
            "the asset {} is not known here: its name, version and {DECIMALS} decimals are taken as the requirements say",
            quoted(asset)
        ));
        own.assets.push(unknown_asset(own.family, asset, requirements));
    }
    networks.retain(registry::is_payable);
    (networks, notes)
}

/// Whether an address differs from a known asset's by a few digits only: then it is meant to be that one.
fn is_misspelt(networks: &[Network], asset: &str) -> bool {
    let differs = |known: &str| {
        known.len() == asset.len()
            && known.chars().zip(asset.chars()).filter(|(own, said)| !own.eq_ignore_ascii_case(said)).count() <= 4
    };
    networks.iter().flat_map(|network| &network.assets).any(|known| differs(&known.address))
}

fn unknown_asset(family: Family, address: &str, requirements: &Value) -> Asset {
    let extra = |key: &str| {
        let said = requirements.get("extra").and_then(|extra| extra.get(key)).and_then(Value::as_str);
        said.unwrap_or_default().to_owned()
    };
    let transfers = family.row().transfers;
    let said = |transfer: &&Transfer| **transfer == Transfer::Permit2 && extra("assetTransferMethod") == "permit2";
    let transfer = *transfers.iter().find(said).unwrap_or(&transfers[0]);
    let symbol = if extra("name").is_empty() { "units".to_owned() } else { extra("name") };
    Asset {
        address: address.to_owned(),
        symbol,
        name: extra("name"),
        version: extra("version"),
        decimals: DECIMALS,
        transfer,
        eip2612: false,
    }
}

/// A network that is well named, and that nobody here knows.
fn stranger(name: &str) -> Option<Network> {
    let chain = eip155::chain_id(name).or_else(|| v1_chain_id(name));
    let (family, id) = match chain {
        Some(chain) => (Family::Eip155, format!("eip155:{chain}")),
        None => {
            (Family::Solana, name.strip_prefix("solana:").filter(|hash| hash.len() == 32).map(|_| name.to_owned())?)
        }
    };
    let v1_name = chain.and_then(v1_name).map(str::to_owned);
    Some(Network { name: id.clone(), id, v1_name, stage: Stage::Test, family, assets: Vec::new() })
}

fn quoted(text: &str) -> String {
    x402_wire::shape::shorten(text)
}
