//! The official TypeScript facilitator's answers to payments on Solana, recorded at a fixed clock, against ours.
//!
//! The interop tests make the same file again with the official code; see `tests/interop/svm-differential`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use x402_sim::World;
use x402_sim::fault::Mode;
use x402_sim::networks::eip155::chain::Signatures;
use x402_sim::networks::solana::exact::checks::{Test, order};
use x402_sim::networks::solana::exact::{Case, Claim};
use x402_sim::order::{Depth, Order};
use x402_sim::registry::Version;
use x402_sim::world::Rules;
use x402_wire::facilitator::FacilitatorRequest;

use crate::departures::{self, Difference};
use crate::payment::{NOW, judge};
use crate::solana::world_of;

const VECTORS: &str = include_str!("../../../../fixtures/vectors/exact-solana/differential.jsonl");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    id: String,
    x402_version: u64,
    faults: Vec<String>,
    body: Value,
    verify: Answer,
    settle: Answer,
}

/// What the official code answered, or that it threw.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    reason: Option<String>,
    payer: Option<String>,
    threw: Option<String>,
}

/// Our reason, or nothing where it is a success; and the payer.
type Ours = (Option<&'static str>, Option<String>);

fn cases() -> Vec<Recorded> {
    VECTORS.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn verify(world: &World, body: &Value) -> Ours {
    match judge(body, &world.chain(), Depth::Verify, Mode::Strict) {
        Ok(approved) => (None, Some(approved.payer)),
        Err(refusal) => (Some(refusal.spelled()), refusal.payer),
    }
}

fn settle(world: &mut World, body: &Value) -> Ours {
    match judge(body, &world.chain(), Depth::Settle, Mode::Strict) {
        Ok(approved) => {
            let failed = world.settle(&approved.charge, NOW * 1000).err();
            (failed.map(|reason| reason.code.spell(approved.version)), Some(approved.payer))
        }
        Err(refusal) => (Some(refusal.spelled()), refusal.payer),
    }
}

/// The departure that a difference is, if one was chosen.
fn departure(case: &Recorded, door: &str, official: &str, ours: &str) -> Option<String> {
    let Recorded { x402_version: version, faults, .. } = case;
    let difference = Difference { version: *version, door, faults, official, ours };
    departures::find(&difference, |vectors| vectors == Some("solana"))
}

#[test]
fn every_recorded_case_has_the_official_verdict_reason_and_payer_or_is_a_listed_departure() {
    let (mut differences, mut used, mut reasons) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let mut world = world_of(Rules::default());
    for case in cases() {
        let before = world.state_hash();
        let verified = verify(&world, &case.body);
        assert_eq!(world.state_hash(), before, "{}: verify changed the world", case.id);
        let settled = settle(&mut world, &case.body);
        for (side, official, ours) in [("verify", &case.verify, verified), ("settle", &case.settle, settled)] {
            let said = official.threw.as_deref().or(official.reason.as_deref()).unwrap_or_default();
            *reasons.entry(ours.0.unwrap_or("success")).or_insert(0) += 1;
            if official.threw.is_none() && official.reason.as_deref() == ours.0 {
                if official.payer != ours.1 {
                    differences.push(format!("{} {side}: payer {:?}, ours {:?}", case.id, official.payer, ours.1));
                }
                continue;
            }
            let text = ours.0.unwrap_or("success");
            match departure(&case, side, said, text) {
                Some(id) => *used.entry(id).or_insert(0) += 1,
                None => differences.push(format!("{} {side}: official \"{said}\", ours \"{text}\"", case.id)),
            }
        }
    }
    println!("answers per reason: {reasons:#?}; departures: {used:?}");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    for id in departures::named(|vectors| vectors == Some("solana")) {
        assert!(used.contains_key(&id), "no case shows {id}");
    }
}

#[test]
fn swapping_any_two_neighbours_of_an_order_is_caught_by_a_recorded_case() {
    let (cases, world) = (cases(), world_of(Rules::default()));
    for version in [Version::V1, Version::V2] {
        let official = order(version);
        let names: Vec<_> = official.names().collect();
        let of_version: Vec<_> = cases.iter().filter(|case| case.x402_version == u64::from(version.number())).collect();
        assert_eq!(first_difference(&official, &of_version, &world, version), None, "the control must pass");
        for (index, pair) in names.windows(2).enumerate() {
            let mutated = official.with_neighbours_swapped(index);
            let caught = first_difference(&mutated, &of_version, &world, version);
            assert!(caught.is_some(), "{version:?}: no recorded case notices that {pair:?} are swapped");
        }
    }
}

/// The first recorded case whose reason on verify is another under this order.
fn first_difference(order: &Order<Test>, cases: &[&Recorded], world: &World, version: Version) -> Option<String> {
    let chain = world.chain();
    cases.iter().find_map(|case| {
        let body = case.body.to_string();
        let request = FacilitatorRequest::parse(body.as_bytes()).unwrap();
        // Behind the name of a reason the text of an exception may stand.
        let official = case.verify.reason.as_deref().and_then(|reason| reason.split(": ").next());
        if case.verify.threw.is_some() {
            return None;
        }
        let claim = Claim::decode(version, &request).ok()?;
        let case_at = Case::new(claim, &chain, NOW, Signatures::Checked);
        let ours = order.judge(Depth::Verify, |test| test(&case_at)).err().map(|reason| reason.code.spell(version));
        (ours != official).then(|| format!("{}: official {official:?}, ours {ours:?}", case.id))
    })
}
