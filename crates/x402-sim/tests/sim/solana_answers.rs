//! What a Solana cluster answers about what was named, undone, hidden, or taken from a lookup table.

use std::sync::Arc;

use serde_json::{Value, json};
use x402_sim::World;
use x402_sim::accounts;
use x402_sim::fault::{Fault, Played, read};
use x402_sim::networks::solana::assets::{MAINNET, TESTNET};
use x402_sim::networks::solana::key::Key;
use x402_sim::networks::solana::{DEVNET, ed25519, program, tables};
use x402_sim::rpc::{self, Asked};
use x402_sim::world::Rules;

use crate::solana::{good, with_mint_from_table, world_of};
use crate::solana_money::held_by;
use crate::solana_rpc::{MS, USDC, call, error, merchant_account, signed};

fn mint_place() -> u8 {
    let table = tables::find(DEVNET, tables::address()).unwrap();
    u8::try_from(table.iter().position(|key| key.to_string() == USDC).unwrap()).unwrap()
}

/// A transaction that takes its mint from the cluster's lookup table, sent. Gives its name.
fn sent_with_table(world: &mut World) -> String {
    let mut transaction = with_mint_from_table(&good(3), tables::address(), mint_place());
    assert!(transaction.sign(&accounts::facilitator().solana_seed()));
    let params = json!([transaction.to_base64(), {"encoding": "base64"}]);
    call(world, "sendTransaction", params).as_str().unwrap().to_owned()
}

#[test]
fn the_lookup_table_is_derived_once() {
    let find = || tables::find(DEVNET, tables::address()).unwrap();
    assert!(std::ptr::eq(find(), find()));
    assert_ne!(find(), tables::find(MAINNET, tables::address()).unwrap());
    assert!(!tables::find("solana:mine", tables::address()).unwrap().is_empty());
}

#[test]
fn accounts_from_lookup_tables_are_told_with_a_transaction_and_found_by_their_address() {
    let mut world = world_of(Rules::default());
    let name = sent_with_table(&mut world);
    let told = |world: &mut World, encoding: &str| {
        let config = json!({"encoding": encoding, "maxSupportedTransactionVersion": 0});
        call(world, "getTransaction", json!([name, config]))
    };
    let plain = told(&mut world, "json");
    let own = good(3).draft.sign(&[]).message.accounts.len() - 1;
    assert_eq!(plain["transaction"]["message"]["accountKeys"].as_array().unwrap().len(), own);
    assert_eq!(plain["meta"]["loadedAddresses"]["readonly"], json!([USDC]));
    assert_eq!(plain["transaction"]["message"]["addressTableLookups"][0]["readonlyIndexes"], json!([mint_place()]));
    let parsed = told(&mut world, "jsonParsed");
    let keys = parsed["transaction"]["message"]["accountKeys"].as_array().unwrap();
    assert_eq!((keys.len(), &keys[0]["source"], &keys[0]["signer"]), (own + 1, &json!("transaction"), &json!(true)));
    assert_eq!(keys[own], json!({"pubkey": USDC, "signer": false, "writable": false, "source": "lookupTable"}));
    assert_eq!(parsed["transaction"]["message"]["instructions"][2]["accounts"][1], USDC);
    // The mint of this one stands in its message.
    let (wire, other) = signed(4);
    call(&mut world, "sendTransaction", json!([wire, {"encoding": "base64"}]));
    let listed = |world: &mut World, key: &str| {
        let answer = call(world, "getSignaturesForAddress", json!([key]));
        let names = answer.as_array().unwrap().iter().map(|one| one["signature"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(listed(&mut world, USDC), [other.clone(), name.clone()]);
    assert_eq!(listed(&mut world, &merchant_account()), [other, name]);
    let unused = accounts::all().nth(5).unwrap().solana_address;
    assert_eq!(listed(&mut world, unused), Vec::<String>::new(), "it is in the table, and nobody took it");
}

#[test]
fn before_a_signature_that_is_not_known_there_is_nothing() {
    let mut world = world_of(Rules::default());
    let names = [1, 2, 3].map(|number| {
        let (wire, name) = signed(number);
        call(&mut world, "sendTransaction", json!([wire, {"encoding": "base64"}]));
        name
    });
    let mut listed = |config: Value| {
        let answer = call(&mut world, "getSignaturesForAddress", json!([merchant_account(), config]));
        let found = answer.as_array().unwrap().iter().map(|one| one["signature"].as_str().unwrap().to_owned());
        found.collect::<Vec<_>>()
    };
    let [first, second, third] = names;
    let unknown = bs58::encode([9; 64]).into_string();
    assert_eq!(listed(json!({})), [third.clone(), second.clone(), first.clone()]);
    assert_eq!(listed(json!({"before": third})), [second.clone(), first.clone()]);
    assert_eq!(listed(json!({"before": third, "until": first})), [second]);
    assert_eq!(listed(json!({"before": unknown})), Vec::<String>::new());
    assert_eq!(listed(json!({"until": unknown})).len(), 3);
}

/// A fault as a file writes it, at every call.
fn played(effect: &str) -> Vec<Played> {
    let faults = read::read(&json!({"stage": "settle", "effect": effect, "match": {"door": "rpc"}})).unwrap();
    faults.into_iter().map(|fault: Fault| Played { id: None, fault: Arc::new(fault) }).collect()
}

#[test]
fn a_receipt_that_never_comes_comes_by_no_method() {
    for (effect, shown) in [(None, true), (Some("no_receipt"), false)] {
        let mut world = world_of(Rules::default());
        let (wire, name) = signed(1);
        let Ok(Asked::Subscribe(mut feed)) =
            rpc::subscription(&world, DEVNET, "signatureSubscribe", &json!([name]), MS)
        else {
            panic!("no subscription")
        };
        let params = json!([wire, {"encoding": "base64"}]);
        let faults = effect.map(played).unwrap_or_default();
        let answer = rpc::call_played(&mut world, DEVNET, ("sendTransaction", &params), &faults, MS).unwrap();
        assert_eq!(answer, json!(name));
        assert_eq!(feed.pull(&world, MS).ended, shown);
        assert_eq!(call(&mut world, "getSignatureStatuses", json!([[name]]))["value"][0].is_object(), shown);
        let config = json!({"maxSupportedTransactionVersion": 0});
        assert_eq!(call(&mut world, "getTransaction", json!([name, config])).is_object(), shown);
        let listed = call(&mut world, "getSignaturesForAddress", json!([merchant_account()]));
        assert_eq!(listed.as_array().unwrap().len(), usize::from(shown));
        let held = call(&mut world, "getTokenAccountBalance", json!([merchant_account()]));
        assert_eq!(held["value"]["amount"], "10000", "it was executed all the same");
    }
}

#[test]
fn an_owner_who_was_named_is_known_on_each_cluster_where_he_was() {
    let mut world = world_of(Rules::default());
    let owner = ed25519::key_of(&[61; 32]);
    let account = json!([held_by(owner).to_string()]);
    for network in [DEVNET, TESTNET] {
        let unknown = rpc::call(&mut world, network, "getTokenAccountBalance", &account, MS).unwrap_err();
        assert!(unknown.message.contains("could not find account"), "{unknown:?}");
        rpc::call(&mut world, network, "getBalance", &json!([owner.to_string()]), MS).unwrap();
        rpc::call(&mut world, network, "getTokenAccountBalance", &account, MS).unwrap();
    }
    // Owner and token account in one question.
    let owner = ed25519::key_of(&[62; 32]);
    let both = json!([[owner.to_string(), held_by(owner).to_string()], {"encoding": "base64"}]);
    let found = call(&mut world, "getMultipleAccounts", both)["value"].clone();
    assert_eq!(found[1]["owner"], program::TOKEN.to_string());
}

#[test]
fn a_bad_question_and_one_for_something_else_make_nobody_known() {
    let mut world = world_of(Rules::default());
    let owner = ed25519::key_of(&[63; 32]);
    let account = json!([held_by(owner).to_string()]);
    assert_eq!(error(&mut world, "getTokenAccountsByOwner", json!([owner.to_string(), {"mint": 7}])).0, -32_602);
    assert_eq!(error(&mut world, "getAccountInfo", json!([owner.to_string(), {"encoding": "base16"}])).0, -32_602);
    // A blockhash has the form of an address.
    call(&mut world, "isBlockhashValid", json!([owner.to_string()]));
    assert!(error(&mut world, "getTokenAccountBalance", account.clone()).1.contains("could not find account"));
    call(&mut world, "getAccountInfo", json!([owner.to_string(), {"encoding": "base64"}]));
    call(&mut world, "getTokenAccountBalance", account);
}

#[test]
fn the_token_accounts_of_an_owner_off_the_curve_are_told() {
    let mut world = world_of(Rules::default());
    let vault = Key::derived(&[b"vault"], program::MEMO).unwrap().0;
    let asked = json!([vault.to_string(), {"programId": program::TOKEN.to_string()}, {"encoding": "jsonParsed"}]);
    let told = call(&mut world, "getTokenAccountsByOwner", asked)["value"].clone();
    assert_eq!((told.as_array().unwrap().len(), &told[0]["pubkey"]), (1, &json!(held_by(vault).to_string())));
    assert_eq!(told[0]["account"]["data"]["parsed"]["info"]["owner"], vault.to_string());
    // From now on he is known.
    call(&mut world, "getTokenAccountBalance", json!([held_by(vault).to_string()]));
}
