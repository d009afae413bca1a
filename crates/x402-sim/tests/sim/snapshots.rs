//! Snapshots as files: what is written is read again, and nothing else is.

use std::sync::LazyLock;

use alloy_primitives::{B256, U256};
use proptest::prelude::*;
use serde_json::json;
use x402_sim::event::PaymentId;
use x402_sim::fault::Mode;
use x402_sim::fault::table::Origin;
use x402_sim::ledger::{Account, Once, UnknownAccounts};
use x402_sim::networks::eip155::transaction::Transaction;
use x402_sim::networks::eip155::{PERMIT2, parse_address};
use x402_sim::networks::solana::DEVNET;
use x402_sim::order::Depth;
use x402_sim::world::import::{Import, ImportError};
use x402_sim::world::money::Funding;
use x402_sim::world::snapshot::SnapshotError;
use x402_sim::world::{Commitment, Ending, Rules, Wait};
use x402_sim::{Setup, World, accounts, fault, hex, registry, rpc};
use x402_wire::amount::Decimal;

use crate::payment::{NOW, Template, judge};
use crate::permit2::body;
use crate::solana::good;

const NOW_MS: u64 = NOW * 1000;
const CHAIN: &str = "eip155:84532";
const USDC: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";

fn world(seed: u64) -> World {
    world_of(&["eip155:84532", DEVNET], seed)
}

fn world_of(ids: &[&str], seed: u64) -> World {
    let known = registry::networks();
    let networks = ids.iter().map(|id| known.iter().find(|network| network.id == *id).unwrap().clone()).collect();
    let (unknown, balance) = (UnknownAccounts::Funded, Decimal::parse("1000").unwrap());
    World::new(&Setup { networks, unknown, balance, payees: Vec::new(), rules: Rules::default() }, seed).unwrap()
}

fn settle(world: &mut World, nonce: u8, commitment: Commitment) {
    let network = registry::networks().into_iter().find(|network| network.id == "eip155:84532").unwrap();
    let template = Template { nonce: B256::repeat_byte(nonce), ..Template::new(&network) };
    let approved = judge(&template.body(), &world.chain(), Depth::Settle, Mode::Strict).unwrap();
    world.settle_as(&approved.charge, PaymentId([nonce; 8]), commitment, NOW_MS).unwrap();
}

/// Settles a payment of any kind, as the body of a request has it.
fn pay(world: &mut World, body: &serde_json::Value, payment: u8, commitment: Commitment) {
    let approved = judge(body, &world.chain(), Depth::Settle, Mode::Strict).unwrap();
    world.settle_as(&approved.charge, PaymentId([payment; 8]), commitment, NOW_MS).unwrap();
}

/// Account 0, as the ledger has it.
fn payer() -> Account {
    parse_address(accounts::all().next().unwrap().address).unwrap().into()
}

/// Account 0 sends a call to the token itself; its nonce on the chain is the next.
fn send(world: &mut World, calldata: Vec<u8>) {
    let payer = accounts::all().next().unwrap();
    let of_payer = json!([payer.address, "latest"]);
    let nonce = rpc::call(world, CHAIN, "eth_getTransactionCount", &of_payer, NOW_MS).unwrap();
    let nonce = u64::from_str_radix(nonce.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    let call = Transaction { chain_id: 84532, nonce, to: parse_address(USDC).unwrap(), input: calldata.into() };
    let raw = call.sign(&payer.key_bytes()).raw;
    rpc::call(world, CHAIN, "eth_sendRawTransaction", &json!([raw.to_string()]), NOW_MS).unwrap();
}

/// The calldata of `approve(address,uint256)` for the Permit2 contract.
fn approval(amount: u64) -> Vec<u8> {
    [hex!("095ea7b3").as_slice(), PERMIT2.into_word().as_slice(), &U256::from(amount).to_be_bytes::<32>()].concat()
}

/// A world in which something of everything has happened.
fn lived() -> World {
    let mut world = world(7);
    for nonce in 1..5 {
        settle(&mut world, nonce, Commitment::Kept);
    }
    settle(&mut world, 5, Commitment::Twice);
    settle(&mut world, 6, Commitment::Undone(Wait::Milliseconds(0)));
    settle(&mut world, 7, Commitment::Undone(Wait::Milliseconds(60_000)));
    settle(&mut world, 8, Commitment::Undone(Wait::Blocks(9)));
    world.catch_up(NOW_MS);
    let network = registry::networks().into_iter().find(|network| network.id == CHAIN).unwrap();
    let usdc = network.assets.iter().find(|asset| asset.address == USDC).unwrap();
    // An allowance of a raw transaction, which Permit2 draws on.
    send(&mut world, approval(1_000_000));
    pay(&mut world, &body("exact", &network, usdc), 40, Commitment::Kept);
    pay(&mut world, &body("upto", &network, usdc), 41, Commitment::Undone(Wait::Milliseconds(60_000)));
    pay(&mut world, &good(1).body(), 42, Commitment::Kept);
    pay(&mut world, &good(2).body(), 43, Commitment::Undone(Wait::Milliseconds(60_000)));
    world.cancel(Once::Permit2 { chain: 84532, owner: payer(), nonce: U256::from(77) });
    let carol = world.make_account(Some("carol".to_owned())).unwrap();
    let currency = world.currency(None, None).unwrap();
    world.fund(&currency, &carol, U256::from(5), Funding::Set).unwrap();
    world.block(&carol, true);
    world.cancel(Once::Authorization { asset: currency.id, from: carol.accounts()[0], nonce: B256::repeat_byte(9) });
    let faults = fault::read::read(
        &json!({"stage": "settle", "effect": "refuse:insufficient_funds", "match": {"payer": "carol"}}),
    );
    world.add_faults(faults.unwrap(), Origin::Live).unwrap();
    world.set_clock(world.clock().frozen(NOW_MS).set_to(NOW_MS + 5, NOW_MS).unwrap());
    world
}

fn written(world: &World) -> String {
    let mut text = String::new();
    let export = world.export(None, NOW_MS).unwrap();
    export
        .write::<()>(&mut |line| {
            text.push_str(line);
            Ok(())
        })
        .unwrap();
    text
}

fn read(world: &World, text: &str) -> Result<Import, ImportError> {
    let mut import = world.import();
    text.lines().try_for_each(|line| import.line(line))?;
    Ok(import)
}

#[test]
fn what_is_written_is_the_same_world_when_it_is_read() {
    let mut old = lived();
    let text = written(&old);
    let mut new = world(8);
    let import = read(&new, &text).unwrap();
    assert_eq!(new.keep("it", import).unwrap().transactions, 14);
    assert_ne!(new.state_hash(), old.state_hash());
    new.restore("it").unwrap();
    assert_eq!(new.state_hash(), old.state_hash());
    assert_eq!(new.clock(), old.clock());
    assert_eq!(new.book(), old.book());
    assert_eq!(written(&new), text, "and it is written as it was");
    assert_eq!(new.make_account(None).unwrap(), old.make_account(None).unwrap(), "the random stream goes on");
    for world in [&mut old, &mut new] {
        world.catch_up(NOW_MS + 60_000);
        settle(world, 20, Commitment::Kept);
        settle(world, 21, Commitment::Kept);
        settle(world, 22, Commitment::Kept);
        world.catch_up(NOW_MS + 60_000);
    }
    assert_eq!(new.state_hash(), old.state_hash(), "what is to be undone is undone in both");
    assert!(new.clear_faults().len() == 1);
}

#[test]
fn a_state_is_read_where_the_assets_have_other_numbers() {
    let old = lived();
    let (text, ids) = (written(&old), ["eip155:1328", DEVNET, CHAIN]);
    let mut other = world_of(&ids, 8);
    let import = read(&other, &text).unwrap();
    other.keep("it", import).unwrap();
    other.restore("it").unwrap();
    let currency = other.currency(Some(CHAIN), None).unwrap();
    assert_ne!(currency.id, old.currency(Some(CHAIN), None).unwrap().id);
    assert_eq!(other.allowance(currency.id, payer(), PERMIT2.into()), U256::from(980_000), "two payments drew on it");
    let mut back = world(9);
    let import = read(&back, &written(&other)).unwrap();
    back.keep("it", import).unwrap();
    back.restore("it").unwrap();
    assert_eq!(back.state_hash(), old.state_hash(), "and nothing was lost on the way");
}

#[test]
fn what_is_undone_gives_back_its_allowance_unless_the_owner_said_another_since() {
    let network = registry::networks().into_iter().find(|network| network.id == CHAIN).unwrap();
    let usdc = network.assets.iter().find(|asset| asset.address == USDC).unwrap();
    for (meanwhile, then) in [(None, 1_000_000), (Some(0), 0), (Some(5), 5)] {
        let mut world = world(1);
        let id = world.currency(Some(CHAIN), None).unwrap().id;
        let held = |world: &World| world.ledger().balance(id, payer()).unwrap_or_default();
        send(&mut world, approval(1_000_000));
        world.set_balance(id, payer(), U256::from(50_000));
        let before = held(&world);
        pay(&mut world, &body("exact", &network, usdc), 1, Commitment::Undone(Wait::Milliseconds(60_000)));
        assert_eq!(world.allowance(id, payer(), PERMIT2.into()), U256::from(990_000));
        if let Some(amount) = meanwhile {
            send(&mut world, approval(amount));
        }
        assert_eq!(before - held(&world), U256::from(10_000));
        world.catch_up(NOW_MS + 60_000);
        assert_eq!(held(&world), before);
        assert_eq!(world.allowance(id, payer(), PERMIT2.into()), U256::from(then), "{meanwhile:?}");
        assert!(world.ledger().drift(id).is_zero());
        // The nonce may be used again, where the allowance lets it.
        let again = judge(&body("exact", &network, usdc), &world.chain(), Depth::Verify, Mode::Strict);
        assert_eq!(again.is_ok(), then >= 10_000, "{meanwhile:?}");
    }
}

#[test]
fn a_state_with_pending_settlements_is_not_written() {
    let mut world = lived();
    settle(&mut world, 30, Commitment::Pending(Ending::Succeeds, Wait::Milliseconds(1)));
    assert_eq!(world.export(None, NOW_MS).unwrap_err(), SnapshotError::Pending);
}

#[test]
fn a_file_that_lies_with_a_right_checksum_is_refused_too() {
    let world = world(1);
    let seal = |lines: &[&str]| {
        let mut text: String = lines.join("\n") + "\n";
        let checksum = alloy_primitives::keccak256(&text);
        text.push_str(&json!({"end": {"lines": lines.len(), "checksum": checksum.to_string()}}).to_string());
        text
    };
    let usdc = r#"{"asset":1,"network":"eip155:84532","address":"0x036CbD53842c5426634e7929541eC2318f3dCF7e"}"#;
    let header = format!(r#"{{"format":"x402-dev snapshot","version":2,"saved_at":0,"assets":[{usdc}]}}"#);
    let account = format!("0x{}", "11".repeat(32));
    assert!(read(&world, &seal(&[&header])).is_ok());
    for line in [
        format!(r#"{{"balance":{{"asset":1,"account":"{account}","amount":"5"}}}}"#),
        format!(r#"{{"balance":{{"asset":2,"account":"{account}","amount":"0"}}}}"#),
        r#"{"balance":{"asset":1,"account":"0x11","amount":"0"}}"#.to_owned(),
        format!(r#"{{"balance":{{"asset":1,"account":"{account}","amount":"-1"}}}}"#),
        format!(r#"{{"balance":{{"asset":1,"account":"{account}","amount":"{}"}}}}"#, U256::MAX),
        r#"{"minted":{"asset":1,"amount":"5"}}"#.to_owned(),
        r#"{"undone":0}"#.to_owned(),
        r#"{"undone":4294967295}"#.to_owned(),
        r#"{"account":{"name":"Carol","key":"0x00"}}"#.to_owned(),
        format!(r#"{{"account":{{"name":null,"key":"0x{}"}}}}"#, "00".repeat(32)),
        r#"{"clock":{"real":0,"world":0,"rate":0,"frozen":false}}"#.to_owned(),
        r#"{"clock":{"real":0,"world":18446744073709551615,"rate":1000,"frozen":false}}"#.to_owned(),
        r#"{"surprise":1}"#.to_owned(),
        "[]".to_owned(),
    ] {
        assert!(read(&world, &seal(&[&header, &line])).is_err(), "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_byte_of_a_file_can_be_changed_lost_or_added(place: prop::sample::Index, byte in 0u8..128) {
        static TEXT: LazyLock<String> = LazyLock::new(|| written(&lived()));
        let world = world(1);
        let text = &*TEXT;
        let place = place.index(text.len());
        let change = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (mut changed, mut lost, mut added) = (text.clone().into_bytes(), text.clone().into_bytes(), text.clone().into_bytes());
        changed[place] = byte;
        lost.remove(place);
        added.insert(place, byte);
        for other in [changed, lost, added].map(change) {
            // Without its last line end it is as good.
            if other.trim_end_matches('\n') == text.trim_end_matches('\n') || other.lines().eq(text.lines()) {
                continue;
            }
            let import = read(&world, &other);
            let kept = import.and_then(|import| self::world(1).keep("it", import));
            prop_assert!(kept.is_err(), "{place} {byte}");
        }
    }
}
