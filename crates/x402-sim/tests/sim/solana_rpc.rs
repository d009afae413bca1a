//! The methods of a Solana cluster's own door.

use serde_json::{Value, json};
use x402_sim::World;
use x402_sim::accounts;
use x402_sim::event::Kind;
use x402_sim::fault::Mode;
use x402_sim::networks::solana::exact::draft::{Draft, note};
use x402_sim::networks::solana::key::Key;
use x402_sim::networks::solana::message::{Instruction, Meta};
use x402_sim::networks::solana::{self, DEVNET, ed25519, program, tables};
use x402_sim::order::Depth;
use x402_sim::rpc::{self, Asked};
use x402_sim::world::Rules;

use crate::payment::{NOW, judge};
use crate::solana::{devnet, good, world_of};

pub(crate) const USDC: &str = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU";
pub(crate) const MS: u64 = NOW * 1000;

#[expect(clippy::needless_pass_by_value, reason = "parameters are written where the call is")]
pub(crate) fn call(world: &mut World, method: &str, params: Value) -> Value {
    rpc::call(world, DEVNET, method, &params, MS).unwrap_or_else(|error| panic!("{method}: {error:?}"))
}

#[expect(clippy::needless_pass_by_value, reason = "parameters are written where the call is")]
pub(crate) fn error(world: &mut World, method: &str, params: Value) -> (i64, String) {
    let error = rpc::call(world, DEVNET, method, &params, MS).expect_err(method);
    (error.code, error.message)
}

pub(crate) fn merchant_account() -> String {
    let merchant = solana::key_of(&accounts::all().nth(accounts::MERCHANT).unwrap());
    Key::token_account(merchant, Key::parse(USDC).unwrap(), program::TOKEN).to_string()
}

/// The wire form of a payment, signed by both.
pub(crate) fn signed(number: u64) -> (String, String) {
    let payment = good(number);
    let mut transaction = payment.draft.sign_by(&payment.payer);
    transaction.sign(&accounts::facilitator().solana_seed());
    (transaction.to_base64(), bs58::encode(transaction.id()).into_string())
}

#[test]
fn a_payment_that_is_sent_is_on_the_chain_and_known_by_its_name() {
    let mut world = world_of(Rules::default());
    let (wire, name) = signed(1);
    let config = json!({"encoding": "base64", "sigVerify": true, "innerInstructions": true});
    let simulated = call(&mut world, "simulateTransaction", json!([wire, config]));
    assert_eq!(simulated["value"]["err"], Value::Null);
    let units = simulated["value"]["unitsConsumed"].as_u64().unwrap();
    assert!((5_000..20_000).contains(&units), "{units}");
    let before = world.state_hash();
    let config = json!({"encoding": "base64", "skipPreflight": true, "preflightCommitment": "confirmed"});
    assert_eq!(call(&mut world, "getSignatureStatuses", json!([[name]]))["value"], json!([null]));
    assert_eq!(world.state_hash(), before, "asking changes nothing");
    assert_eq!(call(&mut world, "sendTransaction", json!([wire, config])), json!(name));
    let status = call(&mut world, "getSignatureStatuses", json!([[name, good_signature()]]));
    assert_eq!(status["value"][0]["confirmationStatus"], "confirmed");
    assert_eq!((&status["value"][0]["err"], &status["value"][1]), (&Value::Null, &Value::Null));
    let later = rpc::call(&mut world, DEVNET, "getSignatureStatuses", &json!([[name]]), MS + 32 * 400).unwrap();
    assert_eq!(later["value"][0]["confirmationStatus"], "finalized");
    let balance = call(&mut world, "getTokenAccountBalance", json!([merchant_account()]));
    assert_eq!(balance["value"]["amount"], "10000");
    let config = json!({"encoding": "json", "maxSupportedTransactionVersion": 0});
    let transaction = call(&mut world, "getTransaction", json!([name, config]));
    assert_eq!(transaction["transaction"]["signatures"][0], name);
    assert_eq!((&transaction["meta"]["err"], transaction["meta"]["fee"].as_u64()), (&Value::Null, Some(10_001)));
    let change = |when: &str| -> Vec<u64> {
        let list = transaction["meta"][when].as_array().unwrap();
        list.iter().map(|held| held["uiTokenAmount"]["amount"].as_str().unwrap().parse().unwrap()).collect()
    };
    let (pre, post) = (change("preTokenBalances"), change("postTokenBalances"));
    let gained: Vec<i64> = pre.iter().zip(&post).map(|(pre, post)| post.cast_signed() - pre.cast_signed()).collect();
    assert!(gained.contains(&10_000) && gained.contains(&-10_000), "{gained:?}");
    let lamports = |when: &str| transaction["meta"][when][0].as_u64().unwrap();
    assert_eq!(lamports("preBalances") - lamports("postBalances"), 10_001);
    let merchant = accounts::all().nth(accounts::MERCHANT).unwrap().solana_address;
    let wallet = call(&mut world, "getAccountInfo", json!([merchant, {"encoding": "base64"}]));
    assert_eq!(wallet["value"]["owner"], program::SYSTEM.to_string(), "an owner of tokens is no token account");
    let listed = call(&mut world, "getSignaturesForAddress", json!([merchant_account(), {"limit": 5}]));
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["signature"]), (1, &json!(name)));
    assert_eq!(error(&mut world, "getTransaction", json!([name])).0, -32_015);
    // Our facilitator and everybody else's are on the same chain.
    let refusal = judge(&good(1).body(), &world.chain(), Depth::Settle, Mode::Strict).unwrap_err();
    assert_eq!(refusal.spelled(), "invalid_exact_svm_transaction_simulation_failed");
    let kinds: Vec<Kind> = world.events().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::Settled]);
}

fn good_signature() -> String {
    bs58::encode([9; 64]).into_string()
}

#[test]
fn what_cannot_be_executed_is_refused_with_its_reason() {
    let mut world = world_of(Rules::default());
    let (wire, name) = signed(1);
    let base64 = json!({"encoding": "base64"});
    let unsigned = good(1).draft.sign(&[]).to_base64();
    let half = good(1).draft.sign_by(&good(1).payer).to_base64();
    for wire in [&unsigned, &half] {
        let (code, message) = error(&mut world, "sendTransaction", json!([wire, base64]));
        assert!(code == -32_003 && message.contains("is missing"), "{code} {message}");
    }
    call(&mut world, "sendTransaction", json!([wire, base64]));
    let (code, message) = error(&mut world, "sendTransaction", json!([wire, base64]));
    assert!(code == -32_002 && message.contains("already been processed"), "{code} {message}");
    let again = json!([wire, {"encoding": "base64", "skipPreflight": true}]);
    assert_eq!(call(&mut world, "sendTransaction", again), json!(name));
    for (text, encoding, part) in [
        ("!", "base64", "base64"),
        ("AAAA", "base64", "deserialize"),
        ("0", "base58", "base58"),
        ("AAAA", "base16", "unsupported encoding"),
    ] {
        for method in ["sendTransaction", "simulateTransaction"] {
            let (code, message) = error(&mut world, method, json!([text, {"encoding": encoding}]));
            assert!(code == -32_602 && message.contains(part), "{message}");
        }
    }
    let large = solana::transaction::to_base64(&[1; 1233]);
    assert!(error(&mut world, "sendTransaction", json!([large, base64])).1.contains("too large"));
}

#[test]
fn a_program_that_is_not_simulated_is_named() {
    let mut world = world_of(Rules::default());
    let payment = good(1);
    let stranger = ed25519::key_of(&[5; 32]);
    let instruction = Instruction { program: stranger, accounts: Vec::new(), data: Vec::new() };
    let draft = Draft { instructions: vec![instruction], fee_payer: solana::key_of(&payment.payer), ..payment.draft };
    let wire = draft.sign_by(&payment.payer).to_base64();
    let (code, message) = error(&mut world, "sendTransaction", json!([wire, {"encoding": "base64"}]));
    assert!(code == -32_002 && message.contains(&stranger.to_string()), "{message}");
    let skipped = json!([wire, {"encoding": "base64", "skipPreflight": true}]);
    let name = call(&mut world, "sendTransaction", skipped);
    let status = call(&mut world, "getSignatureStatuses", json!([[name]]));
    assert_eq!(status["value"][0]["err"], json!({"InstructionError": [0, "UnsupportedProgramId"]}));
}

#[test]
fn no_two_blockhashes_are_equal_and_each_is_valid() {
    let mut world = world_of(Rules::default());
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let latest = call(&mut world, "getLatestBlockhash", json!([{"commitment": "confirmed"}]));
        let hash = latest["value"]["blockhash"].as_str().unwrap().to_owned();
        assert_eq!(call(&mut world, "isBlockhashValid", json!([hash]))["value"], true);
        let later = rpc::call(&mut world, DEVNET, "isBlockhashValid", &json!([hash]), MS + 61_000).unwrap();
        assert_eq!(later["value"], false);
        assert!(seen.insert(hash));
    }
    let slot = call(&mut world, "getSlot", json!([])).as_u64().unwrap();
    let latest = call(&mut world, "getLatestBlockhash", Value::Null);
    assert_eq!(latest["value"]["lastValidBlockHeight"].as_u64().unwrap(), slot + 150);
}

#[test]
fn accounts_are_shown_as_a_node_shows_them() {
    let mut world = world_of(Rules::default());
    let info = |world: &mut World, key: &str, encoding: &str| {
        call(world, "getAccountInfo", json!([key, {"encoding": encoding}]))["value"].clone()
    };
    let mint = info(&mut world, USDC, "base64");
    let bytes = solana::transaction::base64_bytes(mint["data"][0].as_str().unwrap()).unwrap();
    assert_eq!((bytes.len(), bytes[44], bytes[45]), (82, 6, 1));
    assert_eq!(mint["owner"], program::TOKEN.to_string());
    let pyusd = devnet().asset_by_symbol("PYUSD").unwrap().address.clone();
    assert_eq!(info(&mut world, &pyusd, "base64")["owner"], program::TOKEN_2022.to_string());
    assert_eq!(info(&mut world, USDC, "jsonParsed")["data"]["parsed"]["info"]["decimals"], 6);
    let tokens = info(&mut world, &merchant_account(), "base64");
    let bytes = solana::transaction::base64_bytes(tokens["data"][0].as_str().unwrap()).unwrap();
    assert_eq!((bytes.len(), bytes[108], tokens["lamports"].as_u64()), (165, 1, Some(2_039_280)));
    let table = info(&mut world, &tables::address().to_string(), "jsonParsed");
    assert!(table["data"]["parsed"]["info"]["addresses"].as_array().unwrap().len() > 20);
    assert_eq!(info(&mut world, &program::TOKEN.to_string(), "base64")["executable"], true);
    let wallet = info(&mut world, accounts::facilitator().solana_address, "base64");
    assert_eq!((&wallet["owner"], &wallet["data"]), (&json!(program::SYSTEM.to_string()), &json!(["", "base64"])));
    let nobody = Key::derived(&[b"nobody"], program::MEMO).unwrap().0.to_string();
    assert_eq!(info(&mut world, &nobody, "base64"), Value::Null);
    let stranger = ed25519::key_of(&[7; 32]);
    let several = call(&mut world, "getMultipleAccounts", json!([[USDC, nobody], {"encoding": "base64"}]));
    assert_eq!((several["value"][0].is_object(), &several["value"][1]), (true, &Value::Null));
    let owned = json!([stranger.to_string(), {"mint": USDC}, {"encoding": "jsonParsed"}]);
    let owned = call(&mut world, "getTokenAccountsByOwner", owned);
    let found = owned["value"][0]["pubkey"].as_str().unwrap().to_owned();
    assert_eq!(found, Key::token_account(stranger, Key::parse(USDC).unwrap(), program::TOKEN).to_string());
    let balance = call(&mut world, "getTokenAccountBalance", json!([found]));
    assert_eq!(balance["value"]["uiAmountString"], "1000000");
    let kept = json!([stranger.to_string(), {"programId": program::TOKEN_2022.to_string()}, {"encoding": "base64"}]);
    assert_eq!(call(&mut world, "getTokenAccountsByOwner", kept)["value"].as_array().unwrap().len(), 2);
}

#[test]
fn the_smaller_methods_answer() {
    let mut world = world_of(Rules::default());
    assert_eq!(call(&mut world, "getHealth", Value::Null), "ok");
    let genesis = call(&mut world, "getGenesisHash", json!([]));
    assert!(genesis.as_str().unwrap().starts_with(DEVNET.strip_prefix("solana:").unwrap()));
    assert_eq!(call(&mut world, "getMinimumBalanceForRentExemption", json!([165])), 2_039_280);
    let epoch = call(&mut world, "getEpochInfo", json!([]));
    assert_eq!(epoch["absoluteSlot"], call(&mut world, "getBlockHeight", json!([])));
    assert!(call(&mut world, "getVersion", json!([]))["solana-core"].is_string());
    let message = solana::transaction::to_base64(&good(1).draft.sign(&[]).signed);
    assert_eq!(call(&mut world, "getFeeForMessage", json!([message]))["value"], 10_001);
    let stranger = ed25519::key_of(&[8; 32]).to_string();
    let before = call(&mut world, "getBalance", json!([stranger]))["value"].as_u64().unwrap();
    let name = call(&mut world, "requestAirdrop", json!([stranger, 1_000_000_000]));
    assert_eq!(call(&mut world, "getBalance", json!([stranger]))["value"].as_u64().unwrap(), before + 1_000_000_000);
    assert_eq!(call(&mut world, "getSignatureStatuses", json!([[name]]))["value"][0]["err"], Value::Null);
    assert_eq!(error(&mut world, "requestAirdrop", json!([stranger, u64::MAX])).0, -32_602);
    assert_eq!(error(&mut world, "getProgramAccounts", json!([USDC])).0, -32_601);
    assert_eq!(error(&mut world, "signatureSubscribe", json!([name])).0, -32_601);
}

#[test]
fn mints_accounts_and_lamports_are_moved_by_whoever_may() {
    let mut world = world_of(Rules { token_accounts: x402_sim::ledger::TokenAccounts::Strict, ..Rules::default() });
    let giver = accounts::all().next().unwrap();
    let (authority, owner) = (solana::key_of(&giver), ed25519::key_of(&[6; 32]));
    let mint = Key::parse(USDC).unwrap();
    let account = Key::token_account(owner, mint, program::TOKEN);
    let meta = |key, signer, writable| Some(Meta { key, signer, writable });
    let create = |kind: Vec<u8>| Instruction {
        program: program::ASSOCIATED_TOKEN,
        accounts: vec![
            meta(authority, true, true),
            meta(account, false, true),
            meta(owner, false, false),
            meta(mint, false, false),
            meta(program::SYSTEM, false, false),
            meta(program::TOKEN, false, false),
        ],
        data: kind,
    };
    let mint_to = Instruction {
        program: program::TOKEN,
        accounts: vec![meta(mint, false, true), meta(account, false, true), meta(authority, true, false)],
        data: [&[7][..], &500_u64.to_le_bytes()].concat(),
    };
    let mut number = 0;
    let mut send = |world: &mut World, instructions: Vec<Instruction>| {
        number += 1;
        let blockhash = world.next_blockhash(DEVNET, MS);
        let draft = Draft { fee_payer: authority, instructions, blockhash, versioned: number % 2 == 0 };
        let wire = draft.sign_by(&giver).to_base64();
        rpc::call(world, DEVNET, "sendTransaction", &json!([wire, {"encoding": "base64"}]), MS)
    };
    let missing = send(&mut world, vec![mint_to.clone()]).unwrap_err();
    assert!(missing.message.contains("InvalidAccountData"), "{missing:?}");
    send(&mut world, vec![create(vec![0])]).unwrap();
    // That it was made is all that is known of it.
    for kind in [Vec::new(), vec![0]] {
        let twice = send(&mut world, vec![create(kind)]).unwrap_err();
        assert!(twice.message.contains("exists already"), "{twice:?}");
    }
    send(&mut world, vec![create(vec![1]), mint_to.clone()]).unwrap();
    let held = call(&mut world, "getTokenAccountBalance", json!([account.to_string()]));
    assert_eq!(held["value"]["amount"], "1000000000500", "the grant of unknown accounts, and what was minted");
    let merchant = solana::key_of(&accounts::all().nth(accounts::MERCHANT).unwrap());
    let transfer = Instruction {
        program: program::SYSTEM,
        accounts: vec![meta(authority, true, true), meta(merchant, false, true)],
        data: [&[2, 0, 0, 0][..], &7_u64.to_le_bytes()].concat(),
    };
    let before = call(&mut world, "getBalance", json!([merchant.to_string()]))["value"].as_u64().unwrap();
    send(&mut world, vec![transfer, note(b"hello")]).unwrap();
    assert_eq!(call(&mut world, "getBalance", json!([merchant.to_string()]))["value"].as_u64().unwrap(), before + 7);
}

#[test]
fn a_subscription_to_a_signature_tells_it_once() {
    let mut world = world_of(Rules::default());
    let (wire, name) = signed(1);
    let asked = rpc::subscription(&world, DEVNET, "signatureSubscribe", &json!([name]), MS).unwrap();
    let Asked::Subscribe(mut feed) = asked else { panic!("{asked:?}") };
    assert_eq!(feed.notification(), "signatureNotification");
    assert!(feed.pull(&world, MS).results.is_empty());
    call(&mut world, "sendTransaction", json!([wire, {"encoding": "base64"}]));
    let pulled = feed.pull(&world, MS);
    assert!(pulled.ended && pulled.results[0]["value"]["err"].is_null(), "{pulled:?}");
}

/// Parameters that are wrong for most methods.
fn odd() -> Vec<Value> {
    let long = "1".repeat(5_000);
    vec![
        Value::Null,
        json!([]),
        json!({}),
        json!("x"),
        json!(7),
        json!([null]),
        json!([7]),
        json!([-1]),
        json!([1.5]),
        json!([""]),
        json!(["x"]),
        json!([long]),
        json!([{}]),
        json!([[]]),
        json!([[null]]),
        json!([[7, {}]]),
        json!([USDC, 7]),
        json!([USDC, []]),
        json!([USDC, {"encoding": 7}]),
        json!([USDC, {"encoding": "base16"}]),
        json!([USDC, {"encoding": "base64", "dataSlice": {"offset": -1}}]),
        json!([USDC, {"encoding": "base64", "dataSlice": {"offset": u64::MAX, "length": u64::MAX}}]),
        json!([USDC, {"mint": 7}]),
        json!([USDC, {"mint": "x"}]),
        json!([USDC, {"programId": USDC}]),
        json!([good_signature(), {"maxSupportedTransactionVersion": "0"}]),
        json!([u64::MAX]),
        json!([USDC, u64::MAX]),
        json!([USDC, {"limit": 0}]),
        json!([USDC, {"before": "x"}]),
        json!([vec![USDC; 101]]),
        json!([vec![good_signature(); 257]]),
        json!([USDC, {"sigVerify": true, "replaceRecentBlockhash": true}]),
    ]
}

#[test]
fn wrong_parameters_are_refused_by_name_and_nothing_panics() {
    let mut world = world_of(Rules::default());
    let methods = [
        "getLatestBlockhash",
        "isBlockhashValid",
        "getAccountInfo",
        "getMultipleAccounts",
        "getTokenAccountBalance",
        "getTokenAccountsByOwner",
        "getBalance",
        "getSlot",
        "getBlockHeight",
        "getEpochInfo",
        "getGenesisHash",
        "getVersion",
        "getHealth",
        "getMinimumBalanceForRentExemption",
        "getFeeForMessage",
        "simulateTransaction",
        "sendTransaction",
        "getSignatureStatuses",
        "getTransaction",
        "getSignaturesForAddress",
        "requestAirdrop",
        "getTokenSupply",
        "getBlockTime",
        "getTransactionCount",
        "signatureSubscribe",
        "slotSubscribe",
        "",
        "x",
    ];
    let odd = odd();
    // What needs no parameter looks at none.
    let without = [
        "getLatestBlockhash",
        "getSlot",
        "getBlockHeight",
        "getEpochInfo",
        "getGenesisHash",
        "getVersion",
        "getHealth",
        "getTransactionCount",
        "slotSubscribe",
    ];
    let known = |error: rpc::RpcError, method: &str, params: &Value| {
        assert!(!error.message.is_empty() && error.message.len() < 1_000, "{method} {params}: {error:?}");
        assert!([-32_601, -32_602, -32_000, -32_004].contains(&error.code), "{method} {params}: {error:?}");
    };
    let mut taken = Vec::new();
    for method in methods {
        for params in &odd {
            let called = rpc::call(&mut world, DEVNET, method, params, MS);
            if called.is_ok() && !without.contains(&method) {
                taken.push((method, params));
            }
            let subscribed = rpc::subscription(&world, DEVNET, method, params, MS);
            for error in [called.err(), subscribed.err()].into_iter().flatten() {
                known(error, method, params);
            }
        }
    }
    // Members of a configuration that a method does not read may be anything.
    let (with_config, alone): (Vec<_>, Vec<_>) = taken.into_iter().partition(|(_, params)| params[1].is_object());
    let good = [
        ("getMultipleAccounts", json!([[]])),
        ("getMinimumBalanceForRentExemption", json!([7])),
        ("getSignatureStatuses", json!([[]])),
        ("requestAirdrop", json!([USDC, 7])),
        ("getBlockTime", json!([7])),
    ];
    assert_eq!(alone, good.iter().map(|(method, params)| (*method, params)).collect::<Vec<_>>());
    let read = [
        ("getAccountInfo", vec!["encoding"]),
        ("getSignaturesForAddress", vec!["limit", "before"]),
        ("getTokenAccountsByOwner", vec!["mint", "programId"]),
    ];
    for (method, params) in &with_config {
        let own = read.iter().find(|(name, _)| name == method).map_or(&[][..], |(_, keys)| keys);
        // The one whose every member is good asks for more bytes than there are.
        let is_good = params[1]["dataSlice"]["length"] == u64::MAX;
        assert!(is_good || own.iter().all(|key| params[1].get(key).is_none()), "{method} {params}");
    }
    assert!(with_config.iter().any(|(method, _)| *method == "getAccountInfo"), "some are read");
}
