//! The official TypeScript facilitator's answers, recorded at a fixed clock, against ours: verdict, reason and payer.
//!
//! The interop tests make the same file again with the official code, so that it cannot lie; see `tests/interop`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use x402_sim::fault::Mode;
use x402_sim::ledger::UnknownAccounts;
use x402_sim::networks::eip155::eip3009::checks::{Test, order};
use x402_sim::networks::eip155::eip3009::{Case, Charge, Claim};
use x402_sim::order::{Depth, Order};
use x402_sim::registry::{self, Version};
use x402_sim::world::Rules;
use x402_sim::{Setup, World};
use x402_wire::amount::Decimal;
use x402_wire::facilitator::FacilitatorRequest;

use crate::departures::{self, Difference};
use crate::payment::{NOW, judge};

const NETWORKS: [&str; 2] = ["eip155:84532", "eip155:1328"];
const VECTORS: &str = include_str!("../../../../fixtures/vectors/exact-eip155/differential.jsonl");

/// One recorded case.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    id: String,
    x402_version: u64,
    faults: Vec<String>,
    setup: Vec<Value>,
    body: Value,
    verify: Answer,
    settle: Answer,
}

/// What the official code answered, or that it threw.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(alias = "success", default)]
    is_valid: bool,
    reason: Option<String>,
    payer: Option<String>,
    threw: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Verify,
    Settle,
}

/// Our answer: `None` is a success.
struct Ours {
    refused: Option<&'static str>,
    payer: Option<String>,
}

fn cases() -> Vec<Recorded> {
    VECTORS.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn world() -> World {
    let known = registry::networks();
    let networks = NETWORKS.iter().map(|id| known.iter().find(|network| network.id == *id).unwrap().clone());
    let setup = Setup {
        networks: networks.collect(),
        unknown: UnknownAccounts::Funded,
        balance: Decimal::parse("1000000").unwrap(),
        payees: Vec::new(),
        rules: Rules::default(),
    };
    World::new(&setup, 1).unwrap()
}

fn verify(world: &World, body: &Value) -> Ours {
    match judge(body, &world.chain(), Depth::Verify, Mode::Strict) {
        Ok(approved) => Ours { refused: None, payer: Some(approved.payer) },
        Err(refusal) => Ours { refused: Some(refusal.spelled()), payer: refusal.payer },
    }
}

fn settle(world: &mut World, body: &Value) -> Ours {
    let approved = match judge(body, &world.chain(), Depth::Settle, Mode::Strict) {
        Ok(approved) => approved,
        Err(refusal) => return Ours { refused: Some(refusal.spelled()), payer: refusal.payer },
    };
    let refused = world.settle(&approved.charge, NOW * 1000).err().map(|reason| reason.code.spell(approved.version));
    Ours { refused, payer: Some(approved.payer) }
}

/// Whether a difference is one of the chosen departures, and which.
fn departure(case: &Recorded, side: Side, official: &str, ours: &str) -> Option<String> {
    let door = if side == Side::Verify { "verify" } else { "settle" };
    let Recorded { x402_version: version, faults, .. } = case;
    departures::find(&Difference { version: *version, door, faults, official, ours }, |vectors| vectors.is_none())
}

/// Compares one answer. `Ok` names the departure, if one was used.
fn compare(case: &Recorded, side: Side, official: &Answer, ours: &Ours) -> Result<Option<String>, String> {
    let said = official.threw.as_deref().or(official.reason.as_deref()).unwrap_or_default();
    let equal = official.threw.is_none() && official.reason.as_deref() == ours.refused;
    if equal {
        assert_eq!(official.is_valid, ours.refused.is_none(), "{}: the recorded answer contradicts itself", case.id);
        let payer = official.payer == ours.payer;
        return if payer { Ok(None) } else { Err(format!("{}: payer {:?}", case.id, ours.payer)) };
    }
    let refused = ours.refused.unwrap_or("success");
    departure(case, side, said, refused)
        .map(Some)
        .ok_or_else(|| format!("{}: official \"{said}\", ours \"{refused}\"", case.id))
}

#[test]
fn every_recorded_case_has_the_official_verdict_and_reason_or_is_a_listed_departure() {
    let (mut differences, mut used) = (Vec::new(), BTreeMap::<String, usize>::new());
    let mut reasons = BTreeMap::<&str, usize>::new();
    let cases = cases();
    let mut world = world();
    for case in &cases {
        for body in &case.setup {
            assert!(settle(&mut world, body).refused.is_none(), "{}: the setup does not settle", case.id);
        }
        let before = world.state_hash();
        let verified = verify(&world, &case.body);
        assert_eq!(world.state_hash(), before, "{}: verify changed the world", case.id);
        let settled = settle(&mut world, &case.body);
        for (side, official, ours) in [(Side::Verify, &case.verify, &verified), (Side::Settle, &case.settle, &settled)]
        {
            *reasons.entry(ours.refused.unwrap_or("success")).or_default() += 1;
            match compare(case, side, official, ours) {
                Ok(departure) => *used.entry(departure.unwrap_or_default()).or_default() += 1,
                Err(difference) => differences.push(difference),
            }
        }
        assert_eq!(verified.refused.is_none(), settled.refused.is_none(), "{}: verify and settle disagree", case.id);
    }
    println!("{} cases; answers per reason: {reasons:#?}", cases.len());
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    let shown = departures::named(|vectors| vectors.is_none());
    let unused: BTreeSet<_> = shown.iter().filter(|id| !used.contains_key(*id)).collect();
    assert!(unused.is_empty(), "departures that no case shows: {unused:?}");
}

#[test]
fn swapping_any_two_neighbours_of_an_order_is_caught_by_a_recorded_case() {
    let cases = cases();
    let mut world = world();
    for body in cases.iter().flat_map(|case| &case.setup) {
        settle(&mut world, body);
    }
    for version in [Version::V1, Version::V2] {
        let official = order(version);
        let of_version: Vec<_> = cases.iter().filter(|case| case.x402_version == u64::from(version.number())).collect();
        let names: Vec<_> = official.names().collect();
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
        let official = case.verify.reason.as_deref().filter(|_| case.verify.threw.is_none())?;
        let claim = Claim::decode(version, &request).ok()?;
        let case_at = Case::new(claim, &chain, NOW, x402_sim::networks::eip155::chain::Signatures::Checked);
        let judged = order.judge(Depth::Verify, |test| test(&case_at));
        let ours = match judged {
            Ok(passed) => Charge::new(&case_at, &passed).err(),
            Err(reason) => Some(reason),
        };
        let ours = ours.map(|reason| reason.code.spell(version));
        (ours != Some(official)).then(|| format!("{}: official {official}, ours {ours:?}", case.id))
    })
}
