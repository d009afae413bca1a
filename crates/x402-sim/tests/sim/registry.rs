//! What the registry claims is true: every pair has vectors, and pays on every network that it claims.

use std::path::Path;

use serde_json::Value;
use x402_sim::fault::Mode;
use x402_sim::ledger::UnknownAccounts;
use x402_sim::networks::{Family, Stage, Transfer};
use x402_sim::order::Depth;
use x402_sim::reason::Code;
use x402_sim::registry::{PAIRS, Version, is_payable, networks};
use x402_sim::world::Rules;
use x402_sim::{Setup, World};
use x402_wire::amount::Decimal;

use crate::payment::{NOW, Template, judge};

fn world() -> World {
    let setup = Setup {
        networks: networks(),
        unknown: UnknownAccounts::Funded,
        balance: Decimal::parse("1000000").unwrap(),
        payees: Vec::new(),
        rules: Rules::default(),
    };
    World::new(&setup, 1).unwrap()
}

#[test]
fn every_claimed_pair_pays_on_every_network_that_it_claims_with_every_asset() {
    let mut world = world();
    let mut paid = 0;
    for pair in PAIRS {
        for network in networks().iter().filter(|network| pair.plays_on(network)) {
            if pair.version == Version::V1 && network.v1_name.is_none() {
                continue;
            }
            for asset in network.assets.iter().filter(|asset| pair.moves(asset)) {
                if pair.family == Family::Solana {
                    let payment = crate::solana::Payment::new(pair.version, network, asset, paid as u64);
                    let judged = judge(&payment.body(), &world.chain(), Depth::Verify, Mode::Strict);
                    let approved = judged.unwrap_or_else(|refusal| panic!("{pair:?} on {network}: {refusal:?}"));
                    world.settle(&approved.charge, NOW * 1000).unwrap();
                    paid += 1;
                    continue;
                }
                if pair.instrument == Transfer::Permit2 {
                    let body = crate::permit2::body(pair.scheme, network, asset);
                    let judged = judge(&body, &world.chain(), Depth::Verify, Mode::Strict);
                    let approved = judged.unwrap_or_else(|refusal| panic!("{pair:?} on {network}: {refusal:?}"));
                    world.settle(&approved.charge, NOW * 1000).unwrap();
                    paid += 1;
                    continue;
                }
                let contract = x402_sim::networks::eip155::parse_address(&asset.address).unwrap();
                let template = Template {
                    version: pair.version,
                    nonce: x402_sim::B256::repeat_byte(pair.version.number()),
                    asset: asset.clone(),
                    signed_for: (asset.name.clone(), asset.version.clone(), network.chain_id().unwrap(), contract),
                    extra: (asset.name.clone(), asset.version.clone()),
                    ..Template::new(network)
                };
                let judged = judge(&template.body(), &world.chain(), Depth::Verify, Mode::Strict);
                let approved = judged.unwrap_or_else(|refusal| panic!("{pair:?} on {network}: {refusal:?}"));
                world.settle(&approved.charge, NOW * 1000).unwrap();
                paid += 1;
            }
        }
    }
    assert_eq!(world.ledger().len(), paid);
}

#[test]
fn every_claimed_pair_has_recorded_vectors_with_a_payment_that_settles() {
    for pair in PAIRS {
        let folder = format!("../../fixtures/vectors/{}", pair.vectors);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("differential.jsonl");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{pair:?}: {error}"));
        let cases: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let version = u64::from(pair.version.number());
        let settles = |case: &&Value| case["x402Version"] == version && case["settle"]["success"] == true;
        assert!(cases.iter().find(settles).is_some(), "{pair:?} has no vector that settles");
    }
}

#[test]
fn supported_lists_every_enabled_pair_and_no_network_that_nothing_can_pay() {
    let supported = world().supported();
    for network in networks() {
        let listed = supported.kinds.iter().any(|kind| kind.x402_version == 2 && kind.network == network.id);
        assert_eq!(listed, is_payable(&network), "{network}");
    }
    assert!(supported.signers["eip155:*"].len() == 1);
}

#[test]
fn test_networks_come_first_and_ids_are_unique() {
    let all = networks();
    assert!(all.windows(2).all(|pair| pair[0].stage == Stage::Test || pair[1].stage == Stage::Main));
    assert_eq!(all[0].id, "eip155:84532", "the default network");
    for network in &all {
        let same = all
            .iter()
            .filter(|other| other.id == network.id || other.v1_name.is_some() && other.v1_name == network.v1_name);
        assert_eq!(same.count(), 1, "{network}");
    }
}

#[test]
fn reason_strings_are_unique_within_a_version() {
    for version in [Version::V1, Version::V2] {
        // The official facilitator says of a nonce that was used what it says of every revert that it has no name for.
        let told_apart = Code::ALL.iter().filter(|code| **code != Code::Permit2Used);
        let mut spelled: Vec<_> = told_apart.map(|code| code.spell(version)).collect();
        spelled.sort_unstable();
        spelled.dedup();
        assert_eq!(spelled.len(), Code::ALL.len() - 1);
    }
}
