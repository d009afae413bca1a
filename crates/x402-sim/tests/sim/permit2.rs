//! The official TypeScript facilitator's answers to payments by Permit2, `exact` and `upto`, against ours: verdict,
//! reason, payer and amount. The interop tests make the same files again with the official code.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::keccak256;
use serde::Deserialize;
use serde_json::{Value, json};
use x402_sim::accounts;
use x402_sim::fault::Mode;
use x402_sim::ledger::UnknownAccounts;
use x402_sim::networks::eip155::chain::Signatures;
use x402_sim::networks::eip155::eip3009::draft::{Occasion, Surroundings, Terms};
use x402_sim::networks::eip155::permit2::checks::{Test, order};
use x402_sim::networks::eip155::permit2::{Case, Charge, Claim, Scheme};
use x402_sim::networks::eip155::{PERMIT2, parse_address};
use x402_sim::networks::{Asset, Network};
use x402_sim::order::{Depth, Order};
use x402_sim::registry::{self, Version};
use x402_sim::{Rules, Setup, U256, World};
use x402_wire::amount::Decimal;
use x402_wire::document::Document;
use x402_wire::facilitator::FacilitatorRequest;

use crate::departures::{self, Difference};
use crate::payment::{NOW, judge};

const NETWORKS: [&str; 2] = ["eip155:84532", "eip155:1328"];
const EXACT: &str = include_str!("../../../../fixtures/vectors/exact-permit2-eip155/differential.jsonl");
const UPTO: &str = include_str!("../../../../fixtures/vectors/upto-eip155/differential.jsonl");

/// One recorded case.
#[derive(Deserialize)]
struct Recorded {
    id: String,
    faults: Vec<String>,
    setup: Vec<Value>,
    approvals: Vec<Approval>,
    body: Value,
    verify: Answer,
    settle: Answer,
}

#[derive(Deserialize)]
struct Approval {
    owner: String,
    amount: String,
}

/// What the official code answered, or that it threw.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(alias = "success", default)]
    is_valid: bool,
    reason: Option<String>,
    /// Whatever the payload has in the payer's place.
    payer: Option<Value>,
    amount: Option<String>,
    threw: Option<String>,
}

/// Our answer: no refusal is a success.
struct Ours {
    refused: Option<&'static str>,
    payer: Option<String>,
    amount: Option<String>,
}

fn cases() -> Vec<(Scheme, Recorded)> {
    let read = |scheme, text: &'static str| text.lines().map(move |line| (scheme, serde_json::from_str(line).unwrap()));
    read(Scheme::Exact, EXACT).chain(read(Scheme::Upto, UPTO)).collect()
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

/// A good payment of 10,000 atomic units from account 0 to the merchant, as the body of a request.
pub(crate) fn body(scheme: &str, network: &Network, asset: &Asset) -> Value {
    let extra = json!({"assetTransferMethod": "permit2", "facilitatorAddress": accounts::facilitator().address});
    let asked = json!({
        "scheme": scheme, "network": network.id, "amount": "10000", "asset": asset.address,
        "payTo": "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720", "maxTimeoutSeconds": 300, "extra": extra,
    });
    let terms = Terms::read(Version::V2, &Document::parse(asked.to_string().as_bytes()).unwrap()).unwrap();
    let payer = accounts::test_accounts().next().unwrap();
    let nonce = keccak256(format!("{scheme} {} {}", network.id, asset.address));
    let occasion = Occasion { now: NOW, lifetime: None, nonce };
    let signed = terms.draft(payer.into(), &occasion).sign(Surroundings::default(), None).unwrap();
    let payload: Value = serde_json::from_str(&signed.payload.to_json()).unwrap();
    json!({"paymentPayload": payload, "paymentRequirements": asked})
}

fn verify(world: &World, body: &Value) -> Ours {
    match judge(body, &world.chain(), Depth::Verify, Mode::Strict) {
        Ok(approved) => Ours { refused: None, payer: Some(approved.payer), amount: None },
        Err(refusal) => Ours { refused: Some(refusal.spelled()), payer: refusal.payer, amount: None },
    }
}

fn settle(world: &mut World, body: &Value) -> Ours {
    let approved = match judge(body, &world.chain(), Depth::Settle, Mode::Strict) {
        Ok(approved) => approved,
        Err(refusal) => return Ours { refused: Some(refusal.spelled()), payer: refusal.payer, amount: None },
    };
    let payer = Some(approved.payer);
    match world.settle(&approved.charge, NOW * 1000) {
        Ok(settled) => {
            let (name, is_free) = (settled.name(), approved.charge.value().is_zero());
            assert_eq!(name.is_empty(), is_free, "only what moves nothing has no transaction");
            Ours { refused: None, payer, amount: settled.amount.map(|amount| amount.to_string()) }
        }
        Err(reason) => Ours { refused: Some(reason.code.spell(Version::V2)), payer, amount: None },
    }
}

fn prepare(world: &mut World, case: &Recorded) {
    for body in &case.setup {
        let refused = settle(world, body).refused;
        assert_eq!(refused, None, "{}: the setup does not settle", case.id);
    }
    for Approval { owner, amount } in &case.approvals {
        let (owner, amount): (_, U256) = (parse_address(owner).unwrap(), amount.parse().unwrap());
        let tokens: Vec<_> = world.catalog().tokens().iter().map(|token| token.id).collect();
        for asset in tokens {
            world.approve(asset, owner.into(), PERMIT2.into(), amount);
        }
    }
}

/// Whether a difference is one of the chosen departures, and which.
fn departure(case: &Recorded, door: &str, official: &str, ours: &str) -> Option<String> {
    let difference = Difference { version: 2, door, faults: &case.faults, official, ours };
    departures::find(&difference, |vectors| vectors.is_none_or(|vectors| vectors == "permit2"))
}

/// Compares one answer. `Ok` names the departure, if one was used.
fn compare(case: &Recorded, door: &str, official: &Answer, ours: &Ours) -> Result<Option<String>, String> {
    let said = official.threw.as_deref().or(official.reason.as_deref()).unwrap_or_default();
    if official.threw.is_none() && official.reason.as_deref() == ours.refused {
        assert_eq!(official.is_valid, ours.refused.is_none(), "{}: the recorded answer contradicts itself", case.id);
        let payer = official.payer.as_ref().and_then(Value::as_str);
        let same = payer == ours.payer.as_deref() && official.amount == ours.amount;
        let (payer, amount) = (&ours.payer, &ours.amount);
        return if same { Ok(None) } else { Err(format!("{} {door}: payer {payer:?}, amount {amount:?}", case.id)) };
    }
    let refused = ours.refused.unwrap_or("success");
    departure(case, door, said, refused)
        .map(Some)
        .ok_or_else(|| format!("{} {door}: official \"{said}\", ours \"{refused}\"", case.id))
}

#[test]
fn every_recorded_case_has_the_official_verdict_and_reason_or_is_a_listed_departure() {
    let (mut differences, mut used) = (Vec::new(), BTreeMap::<String, usize>::new());
    let mut reasons = BTreeMap::<&str, usize>::new();
    let (cases, mut world) = (cases(), world());
    for (_, case) in &cases {
        prepare(&mut world, case);
        let before = world.state_hash();
        let verified = verify(&world, &case.body);
        assert_eq!(world.state_hash(), before, "{}: verify changed the world", case.id);
        let settled = settle(&mut world, &case.body);
        for (door, official, ours) in [("verify", &case.verify, &verified), ("settle", &case.settle, &settled)] {
            *reasons.entry(ours.refused.unwrap_or("success")).or_default() += 1;
            match compare(case, door, official, ours) {
                Ok(departure) => *used.entry(departure.unwrap_or_default()).or_default() += 1,
                Err(difference) => differences.push(difference),
            }
        }
    }
    println!("{} cases; answers per reason: {reasons:#?}", cases.len());
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    let shown = departures::named(|vectors| vectors == Some("permit2"));
    let unused: BTreeSet<_> = shown.iter().filter(|id| !used.contains_key(*id)).collect();
    assert!(unused.is_empty(), "departures that no case shows: {unused:?}");
    for token in world.catalog().tokens() {
        assert!(world.ledger().drift(token.id).is_zero());
    }
}

#[test]
fn swapping_any_two_neighbours_of_an_order_is_caught_by_a_recorded_case() {
    let (cases, mut world) = (cases(), world());
    for (_, case) in &cases {
        prepare(&mut world, case);
    }
    for scheme in [Scheme::Exact, Scheme::Upto] {
        // Requirements of another scheme go to another order.
        let is_own = |case: &&Recorded| case.body["paymentRequirements"]["scheme"] == scheme.name();
        let own: Vec<_> = cases.iter().filter(|(of, _)| *of == scheme).map(|(_, case)| case).filter(is_own).collect();
        let official = order(scheme);
        let names: Vec<_> = official.names().collect();
        assert_eq!(first_difference(scheme, &official, &own, &world), None, "the control must pass");
        for (index, pair) in names.windows(2).enumerate() {
            let mutated = official.with_neighbours_swapped(index);
            let caught = first_difference(scheme, &mutated, &own, &world);
            assert!(caught.is_some(), "{scheme:?}: no recorded case notices that {pair:?} are swapped");
        }
    }
}

/// The first recorded case whose reason on verify is another under this order.
fn first_difference(scheme: Scheme, order: &Order<Test>, cases: &[&Recorded], world: &World) -> Option<String> {
    let chain = world.chain();
    cases.iter().find_map(|case| {
        let body = case.body.to_string();
        let request = FacilitatorRequest::parse(body.as_bytes()).unwrap();
        let official = case.verify.reason.as_deref().filter(|_| case.verify.threw.is_none())?;
        let claim = Claim::decode(scheme, &request).ok()?;
        let case_at = Case::new(claim, &chain, NOW, Depth::Verify, Signatures::Checked);
        let ours = match order.judge(Depth::Verify, |test| test(&case_at)) {
            Ok(passed) => Charge::new(&case_at, Depth::Verify, &passed).err(),
            Err(reason) => Some(reason),
        };
        let ours = ours.map(|reason| reason.code.spell(Version::V2));
        (ours != Some(official)).then(|| format!("{}: official {official}, ours {ours:?}", case.id))
    })
}

/// A settlement of `upto` for nothing has no transaction, and its permit can still pay.
#[test]
fn a_settlement_for_nothing_leaves_the_permit_as_it_was() {
    let (cases, mut world) = (cases(), world());
    let zero = &cases.iter().find(|(_, case)| case.id == "upto/asked-zero").unwrap().1;
    let before = world.state_hash();
    let settled = settle(&mut world, &zero.body);
    assert_eq!((settled.refused, settled.amount.as_deref()), (None, Some("0")));
    assert_eq!((world.state_hash(), world.ledger().len()), (before, 0));
    let mut body = zero.body.clone();
    body["paymentRequirements"]["amount"] = Value::from("10000");
    assert_eq!(settle(&mut world, &body).amount.as_deref(), Some("10000"));
    assert_eq!(settle(&mut world, &body).refused, Some("permit2_simulation_failed"), "its nonce is used now");
}
