//! What may go wrong with a transaction at a Solana cluster's own door.

use serde_json::{Value, json};
use x402_sim::accounts;
use x402_sim::networks::solana::exact::draft::{Draft, Transfer};
use x402_sim::networks::solana::key::Key;
use x402_sim::networks::solana::{self, ed25519, program};

use crate::fault_hand::{add, advance, events, newest};
use crate::harness::{Mock, Test};
use crate::solana_pay::{USDC, account, blockhash, rpc};

/// Somebody whom nobody has named.
const STRANGER: [u8; 32] = [71; 32];

fn held_by(owner: Key) -> Key {
    Key::token_account(owner, Key::parse(USDC).unwrap(), program::TOKEN)
}

/// A transaction with two payments: 5 atomic units to the merchant, 7 to a stranger.
fn wire(mock: &Mock) -> Value {
    let (payer, mint) = (solana::key_of(&account(1)), Key::parse(USDC).unwrap());
    let merchant = solana::key_of(&account(accounts::MERCHANT));
    let pay = |owner, amount| {
        let (program, source, destination) = (program::TOKEN, held_by(payer), held_by(owner));
        Transfer { program, source, mint, destination, authority: payer, amount, decimals: 6 }.instruction()
    };
    let instructions = vec![pay(merchant, 5), pay(ed25519::key_of(&STRANGER), 7)];
    let draft = Draft { fee_payer: payer, instructions, blockhash: blockhash(mock), versioned: true };
    json!([draft.sign_by(&account(1)).to_base64(), {"encoding": "base64"}])
}

fn send(mock: &Mock, wire: &Value) -> String {
    let sent = rpc(mock, "sendTransaction", wire);
    sent["result"].as_str().unwrap_or_else(|| panic!("{sent}")).to_owned()
}

/// Whether a transaction is on the chain, by every method that tells of one.
fn is_seen(mock: &Mock, name: &str) -> bool {
    let status = rpc(mock, "getSignatureStatuses", &json!([[name]]))["result"]["value"][0].is_object();
    let told = rpc(mock, "getTransaction", &json!([name, {"maxSupportedTransactionVersion": 0}]))["result"].is_object();
    let payer = account(1).solana_address;
    let listed = rpc(mock, "getSignaturesForAddress", &json!([payer]))["result"].as_array().unwrap().len();
    assert_eq!((status, usize::from(status)), (told, listed), "{name}");
    status
}

/// What the merchant holds, in atomic units.
fn merchant_holds(mock: &Mock) -> Value {
    let account = held_by(solana::key_of(&account(accounts::MERCHANT))).to_string();
    rpc(mock, "getTokenAccountBalance", &json!([account]))["result"]["value"]["amount"].clone()
}

fn with(effect: &str) -> (Mock, Value) {
    let mock = Test::new().start();
    let wire = wire(&mock);
    add(&mock, &json!({"stage": "settle", "effect": effect, "match": {"door": "rpc"}, "times": 1}));
    (mock, wire)
}

#[test]
fn without_a_fault_a_transaction_is_seen_and_moves_its_amounts() {
    let mock = Test::new().start();
    let name = send(&mock, &wire(&mock));
    assert!(is_seen(&mock, &name));
    assert_eq!(merchant_holds(&mock), "5");
}

#[test]
fn a_dropped_transaction_is_taken_and_never_seen_and_can_be_sent_again() {
    let (mock, wire) = with("dropped");
    let name = send(&mock, &wire);
    assert!(!is_seen(&mock, &name));
    assert_eq!(merchant_holds(&mock), "0");
    assert_eq!(send(&mock, &wire), name);
    assert!(is_seen(&mock, &name));
    assert_eq!(merchant_holds(&mock), "5");
}

#[test]
fn a_transaction_without_a_receipt_moves_its_amounts_and_is_told_by_no_method() {
    let (mock, wire) = with("no_receipt");
    let name = send(&mock, &wire);
    assert!(!is_seen(&mock, &name));
    assert_eq!(merchant_holds(&mock), "5");
}

#[test]
fn a_reorg_takes_back_every_payment_of_a_transaction() {
    let (mock, wire) = with("reverted:10s");
    let before = newest(&mock);
    let name = send(&mock, &wire);
    assert!(is_seen(&mock, &name));
    assert_eq!(merchant_holds(&mock), "5");
    advance(&mock, 10_000);
    assert!(!is_seen(&mock, &name));
    assert_eq!(merchant_holds(&mock), "0");
    let told = events(&mock, before);
    let of = |kind: &str| -> Vec<(Value, Value)> {
        let own = told.iter().filter(|event| event["kind"] == kind);
        own.map(|event| (event["payment"].clone(), event["data"]["amount"].clone())).collect()
    };
    let (settled, undone) = (of("settled"), of("undone"));
    assert_eq!(settled.iter().map(|(_, amount)| amount).collect::<Vec<_>>(), ["0.000005 USDC", "0.000007 USDC"]);
    assert_ne!(settled[0].0, settled[1].0, "each is a payment of its own");
    assert_eq!(undone, settled);
    // And the stranger holds nothing of it: he was paid, so that he has no grant either.
    let asked = json!([ed25519::key_of(&STRANGER).to_string(), {"mint": USDC}, {"encoding": "jsonParsed"}]);
    let owned = rpc(&mock, "getTokenAccountsByOwner", &asked)["result"]["value"].clone();
    assert_eq!(owned[0]["account"]["data"]["parsed"]["info"]["tokenAmount"]["amount"], "0");
    // What was undone can be sent again.
    assert_eq!(send(&mock, &wire), name);
    assert_eq!(merchant_holds(&mock), "5");
}
