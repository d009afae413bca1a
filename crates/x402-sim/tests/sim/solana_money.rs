//! Who holds what on a Solana cluster: token accounts whose owners nobody has named, several moves in one transaction,
//! airdrops.

use serde_json::{Value, json};
use x402_sim::accounts;
use x402_sim::catalog::Catalog;
use x402_sim::event::Kind;
use x402_sim::fault::Mode;
use x402_sim::ledger::UnknownAccounts;
use x402_sim::networks::solana::exact::draft::{Draft, Occasion, Terms, Transfer};
use x402_sim::networks::solana::key::Key;
use x402_sim::networks::solana::message::{Instruction, Meta};
use x402_sim::networks::solana::{self, DEVNET, ed25519, program};
use x402_sim::order::Depth;
use x402_sim::registry::{Version, networks};
use x402_sim::rpc::{self, RpcError};
use x402_sim::world::Rules;
use x402_sim::{Setup, World};
use x402_wire::amount::Decimal;
use x402_wire::document::Document;

use crate::payment::judge;
use crate::solana::{Payment, good, world_of};
use crate::solana_rpc::{MS, USDC, call};

/// What every payer holds that the world sees for the first time, in atomic units.
const GRANT: u64 = 1_000_000_000_000;

fn usdc() -> Key {
    Key::parse(USDC).unwrap()
}

/// The token account for USDC of an owner.
pub(crate) fn held_by(owner: Key) -> Key {
    Key::token_account(owner, usdc(), program::TOKEN)
}

/// A private key, and the address of a stranger.
fn stranger(number: u8) -> ([u8; 32], Key) {
    ([number; 32], ed25519::key_of(&[number; 32]))
}

fn payer() -> [u8; 32] {
    accounts::all().next().unwrap().solana_seed()
}

fn transfer(authority: Key, destination: Key, amount: u64) -> Instruction {
    let (program, mint, source) = (program::TOKEN, usdc(), held_by(authority));
    Transfer { program, source, mint, destination, authority, amount, decimals: 6 }.instruction()
}

fn lamports(from: Key, to: Key, amount: u64) -> Instruction {
    let meta = |key, signer| Some(Meta { key, signer, writable: true });
    let data = [&[2, 0, 0, 0][..], &amount.to_le_bytes()].concat();
    Instruction { program: program::SYSTEM, accounts: vec![meta(from, true), meta(to, false)], data }
}

/// Sends a transaction that its fee payer alone signs.
pub(crate) fn send(world: &mut World, seed: [u8; 32], instructions: Vec<Instruction>) -> Result<Value, RpcError> {
    let blockhash = world.next_blockhash(DEVNET, MS);
    let draft = Draft { fee_payer: ed25519::key_of(&seed), instructions, blockhash, versioned: true };
    let wire = draft.sign(&[seed]).to_base64();
    rpc::call(world, DEVNET, "sendTransaction", &json!([wire, {"encoding": "base64"}]), MS)
}

/// What a token account holds, in atomic units.
fn held(world: &mut World, account: Key) -> u64 {
    let value = call(world, "getTokenAccountBalance", json!([account.to_string()]));
    value["value"]["amount"].as_str().unwrap().parse().unwrap()
}

/// What the token accounts of an owner hold, as a question for them says.
fn owned(world: &mut World, owner: Key) -> Vec<u64> {
    let asked = json!([owner.to_string(), {"mint": USDC}, {"encoding": "jsonParsed"}]);
    let answer = call(world, "getTokenAccountsByOwner", asked);
    let amount = |one: &Value| {
        let amount = &one["account"]["data"]["parsed"]["info"]["tokenAmount"]["amount"];
        amount.as_str().unwrap().parse().unwrap()
    };
    answer["value"].as_array().unwrap().iter().map(amount).collect()
}

/// A payment of 10,000 atomic units to somebody else than the merchant.
fn payment_to(owner: Key, number: u64) -> Payment {
    let mut payment = good(number);
    payment.asked["payTo"] = json!(owner.to_string());
    let terms = Terms::read(Version::V2, &Document::parse(payment.asked.to_string().as_bytes()).unwrap()).unwrap();
    let occasion = Occasion::of(terms.mint, payment.draft.blockhash, "a".to_owned());
    payment.draft = terms.draft(solana::key_of(&payment.payer), &occasion);
    payment
}

fn settle(world: &mut World, payment: &Payment) {
    let approved = judge(&payment.body(), &world.chain(), Depth::Settle, Mode::Strict).unwrap();
    world.settle(&approved.charge, MS).unwrap();
}

fn assert_conserved(world: &World) {
    let numbers = [USDC.to_owned(), solana::NATIVE.to_string()];
    for number in numbers.map(|address| Catalog::number(world.catalog(), DEVNET, &address).unwrap()) {
        assert!(world.ledger().drift(number).is_zero());
    }
}

#[test]
fn who_was_paid_before_anybody_named_him_holds_that_and_no_grant() {
    let mut world = world_of(Rules::default());
    let (seed, owner) = stranger(11);
    let from = ed25519::key_of(&payer());
    send(&mut world, payer(), vec![transfer(from, held_by(owner), 1_000)]).unwrap();
    assert_eq!(owned(&mut world, owner), [1_000], "asking adds nothing");
    assert_eq!(held(&mut world, held_by(owner)), 1_000);
    assert_eq!(owned(&mut world, stranger(12).1), [GRANT], "whom nobody paid holds the grant");
    let to = held_by(stranger(13).1);
    let refused = send(&mut world, seed, vec![transfer(owner, to, 1_001)]).unwrap_err();
    assert!(refused.message.contains("holds 1000"), "{refused:?}");
    send(&mut world, seed, vec![transfer(owner, to, 400)]).unwrap();
    assert_eq!((owned(&mut world, owner), held(&mut world, held_by(owner))), (vec![600], 600));
    send(&mut world, payer(), vec![transfer(from, held_by(owner), 5)]).unwrap();
    assert_eq!(owned(&mut world, owner), [605]);
    assert_conserved(&world);
}

#[test]
fn a_test_account_that_nobody_named_keeps_its_own_beside_what_it_is_paid() {
    let mut world = world_of(Rules::default());
    let other = solana::key_of(&accounts::all().nth(1).unwrap());
    send(&mut world, payer(), vec![transfer(ed25519::key_of(&payer()), held_by(other), 7)]).unwrap();
    assert_eq!(held(&mut world, held_by(other)), GRANT + 7);
    assert_conserved(&world);
}

#[test]
fn an_owner_that_is_a_token_account_is_not_paid_out_of_it() {
    let mut world = world_of(Rules::default());
    let (_, owner) = stranger(21);
    let account = held_by(owner);
    send(&mut world, payer(), vec![transfer(ed25519::key_of(&payer()), account, 5)]).unwrap();
    settle(&mut world, &payment_to(account, 1));
    assert_eq!(owned(&mut world, owner), [5]);
    assert_eq!(owned(&mut world, account), [10_000]);
    assert_eq!((held(&mut world, account), held(&mut world, held_by(account))), (5, 10_000));
    assert_conserved(&world);
}

#[test]
fn whoever_is_paid_through_our_facilitator_is_known_by_his_token_account() {
    let mut world = world_of(Rules::default());
    let (_, owner) = stranger(31);
    // A program's address may be paid too, as that of a vault.
    let vault = Key::derived(&[b"vault"], program::MEMO).unwrap().0;
    for (number, payee) in [(1, owner), (2, vault)] {
        settle(&mut world, &payment_to(payee, number));
        assert_eq!(held(&mut world, held_by(payee)), 10_000);
    }
}

#[test]
fn each_transfer_of_a_transaction_is_a_payment_and_lamports_hide_none() {
    let mut world = world_of(Rules::default());
    let (from, merchant) = (ed25519::key_of(&payer()), solana::key_of(&accounts::all().nth(9).unwrap()));
    let instructions = vec![
        lamports(from, merchant, 3),
        transfer(from, held_by(merchant), 5),
        transfer(from, held_by(stranger(41).1), 7),
    ];
    send(&mut world, payer(), instructions).unwrap();
    let events: Vec<_> = world.events().iter().collect();
    let told: Vec<_> = events.iter().map(|event| (event.kind, event.facts.amount.as_deref().unwrap())).collect();
    assert_eq!(told, [(Kind::Settled, "0.000005 USDC"), (Kind::Settled, "0.000007 USDC")]);
    assert_ne!(events[0].payment, events[1].payment);
    assert!(events[0].payment.is_some() && events[1].payment.is_some());
    assert!(events.iter().all(|event| event.facts.payer.as_deref() == Some(from.to_string().as_str())));
    send(&mut world, payer(), vec![lamports(from, merchant, 3)]).unwrap();
    assert_eq!(world.events().iter().last().unwrap().kind, Kind::Changed);
}

#[test]
fn airdrops_take_nothing_from_a_test_account_and_never_end() {
    let setup = Setup {
        networks: networks(),
        unknown: UnknownAccounts::Empty,
        balance: Decimal::parse("1").unwrap(),
        payees: Vec::new(),
        rules: Rules::default(),
    };
    let mut world = World::new(&setup, 1).unwrap();
    let to = stranger(51).1.to_string();
    let balance = |world: &mut World, of: &str| call(world, "getBalance", json!([of]))["value"].as_u64().unwrap();
    let first = accounts::all().next().unwrap().solana_address;
    let before = balance(&mut world, first);
    // More than the million SOL that an account starts with.
    let largest = 10_000 * 1_000_000_000_u64;
    for count in 1..=101 {
        call(&mut world, "requestAirdrop", json!([to, largest]));
        assert_eq!(balance(&mut world, &to), count * largest);
    }
    assert_eq!(balance(&mut world, first), before);
    assert_conserved(&world);
}
