//! Payments on Solana, with every part open to change.

use serde_json::{Value, json};
use x402_sim::accounts::{self, TestAccount};
use x402_sim::fault::Mode;
use x402_sim::ledger::{TokenAccounts, UnknownAccounts};
use x402_sim::networks::solana::exact::draft::{Draft, Occasion, Terms, Transfer, limit, note, price};
use x402_sim::networks::solana::key::Key;
use x402_sim::networks::solana::message::{Instruction, Lookup, Meta};
use x402_sim::networks::solana::transaction::Transaction;
use x402_sim::networks::solana::{self, assets, blockhash, ed25519, program, tables};
use x402_sim::networks::{Asset, Network};
use x402_sim::order::Depth;
use x402_sim::registry::{Version, networks};
use x402_sim::world::Rules;
use x402_sim::{Setup, U256, World};
use x402_wire::amount::Decimal;
use x402_wire::document::Document;

use crate::payment::{NOW, judge};

/// A payment before it is signed, and who signs it.
pub(crate) struct Payment {
    pub(crate) version: Version,
    pub(crate) asked: Value,
    pub(crate) draft: Draft,
    pub(crate) payer: TestAccount,
}

pub(crate) fn devnet() -> Network {
    networks().into_iter().find(|network| network.id == solana::DEVNET).unwrap()
}

fn account(index: usize) -> TestAccount {
    accounts::all().nth(index).unwrap()
}

impl Payment {
    /// A good payment of 10,000 atomic units, from account 0 to the merchant.
    pub(crate) fn new(version: Version, network: &Network, asset: &Asset, number: u64) -> Self {
        let (key, name) = match version {
            Version::V1 => ("maxAmountRequired", network.v1_name.clone().unwrap()),
            Version::V2 => ("amount", network.id.clone()),
        };
        let extra = json!({"feePayer": accounts::facilitator().solana_address});
        let asked = json!({
            "scheme": "exact", "network": name, key: "10000", "asset": asset.address,
            "payTo": account(accounts::MERCHANT).solana_address, "maxTimeoutSeconds": 60, "extra": extra,
            "resource": "http://a/", "description": "", "mimeType": "",
        });
        let payer = account(0);
        let terms = Terms::read(version, &Document::parse(asked.to_string().as_bytes()).unwrap()).unwrap();
        let blockhash = blockhash::make(&network.id, blockhash::slot(NOW * 1000), number);
        let occasion = Occasion::of(terms.mint, blockhash, format!("memo {number}"));
        Self { version, draft: terms.draft(solana::key_of(&payer), &occasion), asked, payer }
    }

    /// The payment as a request.
    pub(crate) fn body(&self) -> Value {
        self.body_of(&self.draft.sign_by(&self.payer))
    }

    pub(crate) fn body_of(&self, transaction: &Transaction) -> Value {
        let (asked, signed) = (&self.asked, json!({"transaction": transaction.to_base64()}));
        let payload = match self.version {
            Version::V2 => json!({"x402Version": 2, "accepted": asked, "payload": signed}),
            Version::V1 => {
                json!({"x402Version": 1, "scheme": asked["scheme"], "network": asked["network"], "payload": signed})
            }
        };
        json!({"paymentPayload": payload, "paymentRequirements": asked})
    }
}

pub(crate) fn world_of(rules: Rules) -> World {
    let setup = Setup {
        networks: networks(),
        unknown: UnknownAccounts::Funded,
        balance: Decimal::parse("1000000").unwrap(),
        payees: Vec::new(),
        rules,
    };
    World::new(&setup, 1).unwrap()
}

pub(crate) fn good(number: u64) -> Payment {
    let network = devnet();
    Payment::new(Version::V2, &network, &network.assets[0], number)
}

fn reason(world: &World, body: &Value, depth: Depth) -> &'static str {
    match judge(body, &world.chain(), depth, Mode::Strict) {
        Ok(_) => "",
        Err(refusal) => refusal.spelled(),
    }
}

#[test]
fn a_payment_moves_its_amount_and_the_facilitator_pays_the_fee() {
    let mut world = world_of(Rules::default());
    let payment = good(1);
    let approved = judge(&payment.body(), &world.chain(), Depth::Verify, Mode::Strict).unwrap();
    assert_eq!(approved.payer, payment.payer.solana_address);
    let before = world.state_hash();
    judge(&payment.body(), &world.chain(), Depth::Settle, Mode::Strict).unwrap();
    assert_eq!(world.state_hash(), before);
    let settled = world.settle(&approved.charge, NOW * 1000).unwrap();
    let name = bs58::decode(settled.name()).into_vec().unwrap();
    let mut transaction = payment.draft.sign_by(&payment.payer);
    transaction.sign(&accounts::facilitator().solana_seed());
    assert_eq!(name, transaction.id());
    assert!(ed25519::verify(solana::key_of(&accounts::facilitator()), &transaction.signed, &transaction.id()));
    let asset = world.catalog().number(solana::DEVNET, &devnet().assets[0].address).unwrap();
    let holds = |index: usize| world.ledger().balance(asset, solana::key_of(&account(index)).into());
    assert_eq!(holds(accounts::MERCHANT), Some(U256::from(10_000)));
    assert_eq!(holds(0), Some(U256::from(1_000_000_000_000_u64 - 10_000)));
    let native = world.catalog().number(solana::DEVNET, &solana::NATIVE.to_string()).unwrap();
    let fee = 10_000 + 1;
    let left = world.ledger().balance(native, solana::key_of(&accounts::facilitator()).into());
    assert_eq!(left, Some(U256::from(1_000_000_000_000_000_u64 - fee)));
    for asset in [asset, native] {
        assert!(world.ledger().drift(asset).is_zero());
    }
}

#[test]
fn the_same_transaction_is_a_duplicate_for_two_minutes_and_on_the_chain_for_ever() {
    let failed = "invalid_exact_svm_transaction_simulation_failed";
    for (age, again) in [(0, "duplicate_settlement"), (120, "duplicate_settlement"), (121, failed)] {
        let mut world = world_of(Rules::default());
        let payment = good(1);
        let approved = judge(&payment.body(), &world.chain(), Depth::Settle, Mode::Accept).unwrap();
        world.settle(&approved.charge, (NOW - age) * 1000).unwrap();
        assert_eq!(reason(&world, &payment.body(), Depth::Settle), again, "{age} s");
        assert_eq!(reason(&world, &payment.body(), Depth::Verify), failed, "{age} s");
        let refusal = world.settle(&approved.charge, NOW * 1000).unwrap_err();
        assert_eq!(refusal.code.spell(Version::V2), "duplicate_settlement");
    }
}

#[test]
fn strict_token_accounts_are_those_of_named_accounts_and_those_that_were_made() {
    let mut world = world_of(Rules { token_accounts: TokenAccounts::Strict, ..Rules::default() });
    let stranger = ed25519::key_of(&[7; 32]);
    assert_eq!(reason(&world, &good(1).body(), Depth::Verify), "");
    let mut payment = good(2);
    payment.asked["payTo"] = json!(stranger.to_string());
    let terms = Terms::read(Version::V2, &Document::parse(payment.asked.to_string().as_bytes()).unwrap()).unwrap();
    let occasion = Occasion::of(terms.mint, payment.draft.blockhash, "a".to_owned());
    payment.draft = terms.draft(solana::key_of(&payment.payer), &occasion);
    assert_eq!(reason(&world, &payment.body(), Depth::Verify), "invalid_exact_svm_transaction_simulation_failed");
    assert_eq!(reason(&world_of(Rules::default()), &payment.body(), Depth::Verify), "");
    let meta = |key, signer, writable| Some(Meta { key, signer, writable });
    let payer = solana::key_of(&payment.payer);
    let create = Instruction {
        program: program::ASSOCIATED_TOKEN,
        accounts: vec![
            meta(payer, true, true),
            meta(Key::token_account(stranger, terms.mint, program::TOKEN), false, true),
            meta(stranger, false, false),
            meta(terms.mint, false, false),
            meta(program::SYSTEM, false, false),
            meta(program::TOKEN, false, false),
        ],
        data: Vec::new(),
    };
    crate::solana_money::send(&mut world, payment.payer.solana_seed(), vec![create]).unwrap();
    assert_eq!(reason(&world, &payment.body(), Depth::Verify), "");
}

/// A spoilt payment, and the reason that version 2 gives.
type Spoilt = (&'static str, fn(&mut Payment), &'static str);

fn transfer(payment: &Payment) -> Transfer {
    let asset = Key::parse(payment.asked["asset"].as_str().unwrap()).unwrap();
    let [from, to] = [solana::key_of(&payment.payer), Key::parse(payment.asked["payTo"].as_str().unwrap()).unwrap()];
    Transfer {
        program: program::TOKEN,
        source: Key::token_account(from, asset, program::TOKEN),
        mint: asset,
        destination: Key::token_account(to, asset, program::TOKEN),
        authority: from,
        amount: 10_000,
        decimals: 6,
    }
}

fn change(payment: &mut Payment, change: fn(&mut Transfer)) {
    let mut changed = transfer(payment);
    change(&mut changed);
    payment.draft.instructions[2] = changed.instruction();
}

const SPOILT: &[Spoilt] = &[
    ("no fee payer", |own| own.asked["extra"] = json!({}), "invalid_exact_svm_payload_missing_fee_payer"),
    (
        "another fee payer",
        |own| own.asked["extra"]["feePayer"] = json!(own.payer.solana_address),
        "invalid_exact_svm_fee_payer_not_managed_by_facilitator",
    ),
    ("paid by another", |own| own.draft.fee_payer = solana::key_of(&own.payer), "invalid_exact_svm_fee_payer_mismatch"),
    ("unsigned", |own| own.payer = account(1), "invalid_exact_svm_payload_signature_invalid"),
    (
        "two instructions",
        |own| own.draft.instructions.truncate(2),
        // Nobody but the fee payer signs then.
        "invalid_exact_svm_payload_transaction_instructions_length",
    ),
    (
        "eight instructions",
        |own| own.draft.instructions.extend((0..4).map(|_| note(b"a"))),
        "invalid_exact_svm_payload_transaction_instructions_length",
    ),
    (
        "no limit",
        |own| own.draft.instructions.swap(0, 1),
        "invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction",
    ),
    (
        "two limits",
        |own| own.draft.instructions[1] = limit(1),
        "invalid_exact_svm_payload_transaction_instructions_compute_price_instruction",
    ),
    (
        "a high price",
        |own| own.draft.instructions[1] = price(5_000_001),
        "invalid_exact_svm_payload_transaction_instructions_compute_price_instruction_too_high",
    ),
    ("the highest price", |own| own.draft.instructions[1] = price(5_000_000), ""),
    ("no transfer", |own| own.draft.instructions.swap(2, 3), "invalid_exact_svm_payload_no_transfer_instruction"),
    (
        "a plain transfer",
        |own| {
            own.draft.instructions[2].data[0] = 3;
        },
        "invalid_exact_svm_payload_no_transfer_instruction",
    ),
    (
        "the facilitator's money",
        |own| change(own, |own| own.authority = solana::key_of(&accounts::facilitator())),
        "invalid_exact_svm_payload_transaction_fee_payer_transferring_funds",
    ),
    (
        "another mint",
        |own| change(own, |own| own.mint = Key::parse(&devnet().assets[1].address).unwrap()),
        "invalid_exact_svm_payload_mint_mismatch",
    ),
    (
        "another recipient",
        |own| change(own, |own| own.destination = own.source),
        "invalid_exact_svm_payload_recipient_mismatch",
    ),
    ("too little", |own| change(own, |own| own.amount -= 1), "invalid_exact_svm_payload_amount_mismatch"),
    ("too much", |own| change(own, |own| own.amount += 1), "invalid_exact_svm_payload_amount_mismatch"),
    (
        "a system transfer behind",
        |own| {
            let accounts = vec![
                Some(Meta { key: solana::key_of(&own.payer), signer: true, writable: true }),
                Some(Meta { key: solana::key_of(&account(1)), signer: false, writable: true }),
            ];
            let data = [&[2, 0, 0, 0][..], &1_u64.to_le_bytes()].concat();
            own.draft.instructions[3] = Instruction { program: program::SYSTEM, accounts, data };
        },
        "invalid_exact_svm_payload_unknown_fourth_instruction",
    ),
    (
        "three guards and a memo",
        |own| {
            let guard = Instruction { program: program::LIGHTHOUSE, accounts: Vec::new(), data: vec![1] };
            own.draft.instructions.splice(3..3, vec![guard; 3]);
        },
        "",
    ),
    (
        "a memo that was asked for",
        |own| own.asked["extra"]["memo"] = json!("order-1"),
        "invalid_exact_svm_payload_memo_mismatch",
    ),
    (
        "two memos",
        |own| {
            own.asked["extra"]["memo"] = json!("memo 7");
            own.draft.instructions.push(note(b"memo 7"));
        },
        "invalid_exact_svm_payload_memo_count",
    ),
    ("wrong decimals", |own| change(own, |own| own.decimals = 9), "invalid_exact_svm_transaction_simulation_failed"),
    (
        "another's tokens",
        |own| {
            change(own, |own| {
                own.source = Key::token_account(solana::key_of(&account(1)), own.mint, program::TOKEN);
            });
        },
        "invalid_exact_svm_transaction_simulation_failed",
    ),
    (
        "too few units",
        |own| own.draft.instructions[0] = limit(5_000),
        "invalid_exact_svm_transaction_simulation_failed",
    ),
    ("a foreign blockhash", |own| own.draft.blockhash = [7; 32], "invalid_exact_svm_transaction_simulation_failed"),
    ("a legacy message", |own| own.draft.versioned = false, ""),
];

#[test]
fn spoilt_payments_are_refused_for_the_official_reasons() {
    let world = world_of(Rules::default());
    for (name, spoil, expected) in SPOILT {
        let mut payment = good(7);
        spoil(&mut payment);
        assert_eq!(reason(&world, &payment.body(), Depth::Verify), *expected, "{name}");
    }
}

/// A payment whose mint is taken from a lookup table, signed by the payer.
pub(crate) fn with_mint_from_table(payment: &Payment, table: Key, place: u8) -> Transaction {
    let mut message = payment.draft.sign(&[]).message;
    let mint = Key::parse(payment.asked["asset"].as_str().unwrap()).unwrap();
    let own = message.accounts.iter().position(|key| *key == mint).unwrap();
    message.accounts.remove(own);
    message.readonly_others -= 1;
    let (own, last) = (u8::try_from(own).unwrap(), u8::try_from(message.accounts.len()).unwrap());
    for instruction in &mut message.instructions {
        for index in instruction.accounts.iter_mut().chain([&mut instruction.program]) {
            *index = if *index == own { last } else { *index - u8::from(*index > own) };
        }
    }
    message.lookups.push(Lookup { table, writable: Vec::new(), readonly: vec![place] });
    let mut transaction = Transaction::unsigned(message);
    assert!(transaction.sign(&payment.payer.solana_seed()));
    transaction
}

#[test]
fn a_lookup_table_of_the_chain_is_read_and_any_other_is_not() {
    let world = world_of(Rules::default());
    let refused = |table: Key, place: u8| {
        let payment = good(7);
        let transaction = with_mint_from_table(&payment, table, place);
        reason(&world, &payment.body_of(&transaction), Depth::Verify)
    };
    let table = tables::find(solana::DEVNET, tables::address()).unwrap();
    let place = table.iter().position(|key| key.to_string() == devnet().assets[0].address).unwrap();
    let place = u8::try_from(place).unwrap();
    assert_eq!(refused(tables::address(), place), "");
    assert_eq!(refused(tables::address(), place + 1), "invalid_exact_svm_payload_mint_mismatch");
    assert_eq!(refused(tables::address(), 200), "invalid_exact_svm_payload_transaction_could_not_be_decoded");
    let no_table = "invalid_exact_svm_smart_wallet_alt_resolution_failed";
    assert_eq!(refused(Key([9; 32]), place), no_table);
    assert_eq!(refused(solana::key_of(&account(0)), place), no_table);
}

#[test]
fn every_truncation_and_every_changed_byte_is_refused_and_nothing_panics() {
    let world = world_of(Rules::default());
    let payment = good(7);
    let bytes = payment.draft.sign_by(&payment.payer).encode();
    let judged = |bytes: &[u8]| {
        let mut body = payment.body();
        body["paymentPayload"]["payload"]["transaction"] = json!(solana::transaction::to_base64(bytes));
        reason(&world, &body, Depth::Verify)
    };
    assert_eq!(judged(&bytes), "");
    for length in 0..bytes.len() {
        assert_ne!(judged(&bytes[..length]), "", "cut after {length} bytes");
    }
    // The fee payer's signature is not looked at.
    for place in (0..bytes.len()).filter(|place| !(1..65).contains(place)) {
        for bit in [1, 0x80] {
            let mut changed = bytes.clone();
            changed[place] ^= bit;
            assert_ne!(judged(&changed), "", "byte {place}");
        }
    }
    let mut longer = bytes.clone();
    longer.resize(1233, 0);
    assert_ne!(judged(&longer), "");
}

#[test]
fn a_transaction_of_1232_bytes_is_taken_and_one_of_1233_is_not() {
    let world = world_of(Rules::default());
    let of = |memo: usize| {
        let mut payment = good(7);
        payment.draft.instructions[0] = limit(200_000);
        payment.draft.instructions[3] = note(&vec![b'a'; memo]);
        payment
    };
    let size = |payment: &Payment| payment.draft.sign_by(&payment.payer).encode().len();
    let longest = (0..1232).rev().find(|memo| size(&of(*memo)) == 1232).unwrap();
    assert_eq!(reason(&world, &of(longest).body(), Depth::Verify), "");
    assert_eq!(size(&of(longest + 1)), 1233);
    let body = of(longest + 1).body();
    assert_eq!(reason(&world, &body, Depth::Verify), "invalid_exact_svm_transaction_simulation_failed");
}

#[test]
fn version_1_is_named() {
    let payment = good(7);
    let mut bytes = payment.draft.sign_by(&payment.payer).encode();
    // The message's first byte stands behind two signatures.
    bytes[1 + 2 * 64] = 0x81;
    let error = Transaction::decode(&bytes).unwrap_err().to_string();
    assert!(error.contains("version 1"), "{error}");
    let error = Transaction::decode(&[0x81, 1, 0, 0]).unwrap_err().to_string();
    assert!(error.contains("version 1"), "{error}");
}

#[test]
fn token_2022_mints_are_kept_by_their_own_program() {
    let world = world_of(Rules::default());
    let network = devnet();
    let pyusd = network.asset_by_symbol("PYUSD").unwrap();
    assert_eq!(assets::token_program(&pyusd.address), program::TOKEN_2022);
    let mut payment = Payment::new(Version::V2, &network, pyusd, 7);
    assert_eq!(reason(&world, &payment.body(), Depth::Verify), "");
    payment.draft.instructions[2].program = program::TOKEN;
    assert_eq!(reason(&world, &payment.body(), Depth::Verify), "invalid_exact_svm_payload_recipient_mismatch");
}
