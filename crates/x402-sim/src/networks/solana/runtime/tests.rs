//! What a transaction leaves behind, with and without a listener.

use x402_wire::amount::Decimal;

use super::*;
use crate::chain::Chain;
use crate::ledger::{Effect, UnknownAccounts};
use crate::networks::solana::directory::Directory;
use crate::networks::solana::exact::draft::{Draft, Transfer, limit, note, price};
use crate::networks::solana::key::Key;
use crate::networks::solana::{DEVNET, known};
use crate::networks::solana::{blockhash, ed25519};
use crate::world::Rules;
use crate::{Setup, World};

const NOW: u64 = 1_800_000_000_000;
const GRANT: u64 = 1_000_000;
const PAYER: [u8; 32] = [1; 32];
const PAYEE: [u8; 32] = [2; 32];

static NOBODY: Directory = Directory::new();

fn world() -> World {
    let balance = Decimal::parse("1").unwrap();
    let (unknown, rules) = (UnknownAccounts::Funded, Rules::default());
    World::new(&Setup { networks: known(), unknown, balance, payees: Vec::new(), rules }, 1).unwrap()
}

fn bank(chain: &Chain) -> Bank<'_> {
    let (catalog, view) = (&chain.catalog, &chain.view);
    Bank::new(Site { catalog, view, network: DEVNET, now: NOW, directory: &NOBODY })
}

fn usdc() -> Key {
    let devnet = known().into_iter().find(|network| network.id == DEVNET).unwrap();
    Key::parse(&devnet.assets[0].address).unwrap()
}

fn held_by(seed: [u8; 32]) -> Key {
    Key::token_account(ed25519::key_of(&seed), usdc(), program::TOKEN)
}

/// A transfer of the payer's to the payee.
fn transfer(amount: u64) -> Instruction {
    let (source, destination, authority) = (held_by(PAYER), held_by(PAYEE), ed25519::key_of(&PAYER));
    let program = program::TOKEN;
    Transfer { program, source, mint: usdc(), destination, authority, amount, decimals: 6 }.instruction()
}

/// What a node makes of these instructions, as a transaction of the payer's.
fn transaction(instructions: Vec<Instruction>) -> Transaction {
    let blockhash = blockhash::make(DEVNET, blockhash::slot(NOW), 0);
    let fee_payer = ed25519::key_of(&PAYER);
    Draft { fee_payer, instructions, blockhash, versioned: true }.sign(&[PAYER])
}

fn spoilt(change: fn(&mut Instruction)) -> Instruction {
    let mut instruction = transfer(7);
    change(&mut instruction);
    instruction
}

#[test]
fn without_a_listener_a_transaction_does_the_same() {
    let world = world();
    let chain = world.chain();
    let start = || vec![limit(20_000), price(1), transfer(5)];
    let named =
        Instruction { accounts: vec![Some(Meta { key: usdc(), signer: false, writable: false })], ..note(b"a") };
    let more = [
        note(b"a text"),
        note(&[0xff]),
        named,
        transfer(7),
        transfer(2 * GRANT),
        spoilt(|own| own.data[9] = 5),
        spoilt(|own| own.data.truncate(3)),
        spoilt(|own| own.accounts.truncate(3)),
        spoilt(|own| own.data[0] = 99),
        spoilt(|own| own.program = program::LOADER),
        limit(1),
    ];
    for instruction in more {
        let transaction = transaction([start(), vec![instruction.clone()]].concat());
        let message = &transaction.message;
        let instructions = message.instructions(&message.metas(|_| Vec::new()).unwrap()).unwrap();
        let heard = run(bank(&chain), &transaction, Signatures::Checked, Lifetime::Checked);
        let unheard = try_out(bank(&chain), &transaction, &instructions, Lifetime::Checked);
        match (heard, unheard) {
            (Ok(heard), Ok(unheard)) => {
                assert_eq!((heard.result, heard.units), (unheard.result, unheard.units), "{instruction:?}");
                assert_eq!(heard.bank.effects, unheard.bank.effects, "{instruction:?}");
                assert!(heard.logs.len() > 6 && unheard.logs.is_empty());
            }
            (heard, unheard) => assert_eq!(heard.err().unwrap(), unheard.err().unwrap(), "{instruction:?}"),
        }
    }
    let mut old = transaction(start());
    old.message.blockhash = [3; 32];
    let failure = try_out(bank(&chain), &old, &start(), Lifetime::Checked).err().unwrap();
    assert_eq!(failure.wrong(), Wrong::Blockhash);
}

#[test]
fn a_failed_transaction_leaves_nothing_but_its_fee() {
    let world = world();
    let chain = world.chain();
    let run =
        |instructions| run(bank(&chain), &transaction(instructions), Signatures::Checked, Lifetime::Checked).unwrap();
    let left = |outcome: &Outcome<'_>| {
        let amount = |key| outcome.bank.token_account(key, Some(usdc()), program::TOKEN).unwrap().amount;
        let lamports = outcome.bank.lamports(ed25519::key_of(&PAYER));
        (amount(held_by(PAYER)), amount(held_by(PAYEE)), lamports)
    };
    let begin = |bank: &Bank<'_>| bank.lamports(ed25519::key_of(&PAYER));
    let fee = budget::LAMPORTS_PER_SIGNATURE;
    let good = run(vec![transfer(5), transfer(6)]);
    assert!(good.result.is_ok());
    // Nobody has named the payee: what his token account holds is what came to it.
    assert_eq!(left(&good), (GRANT - 11, 11, begin(&bank(&chain)) - fee));
    // The first of the two transfers could be made.
    let failed = run(vec![transfer(5), transfer(GRANT)]);
    assert!(failed.result.is_err());
    let is_money = |effect: &Effect| matches!(effect, Effect::Move { .. });
    assert!(good.bank.effects.iter().any(is_money) && !failed.bank.effects.iter().any(is_money));
    assert_eq!(failed.bank.effects, run(vec![transfer(GRANT + 1)]).bank.effects);
    assert_eq!(failed.bank.lamports(ed25519::key_of(&PAYER)), begin(&bank(&chain)) - fee);
    // Whom only the failed instructions named is a stranger again.
    let stranger = failed.bank.token_account(held_by(PAYER), Some(usdc()), program::TOKEN).unwrap();
    assert_eq!((stranger.owner, stranger.amount), (held_by(PAYER), 0));
}

#[test]
fn what_a_token_account_held_before_it_was_named_goes_to_its_owner_once() {
    let mut world = world();
    let (before, first) = (world.chain(), transaction(vec![transfer(5)]));
    let sent = run(bank(&before), &first, Signatures::Checked, Lifetime::Checked).unwrap();
    world.include_on_solana(DEVNET, &first, (sent.bank.effects, None), NOW);
    let chain = world.chain();
    let mut bank = bank(&chain);
    bank.learn([ed25519::key_of(&PAYEE)]);
    let account = |bank: &Bank<'_>, seed| bank.token_account(held_by(seed), Some(usdc()), program::TOKEN).unwrap();
    for (amount, left) in [(1, 4), (2, 2)] {
        let (from, to) = (account(&bank, PAYEE), account(&bank, PAYER));
        bank.move_tokens(&from, &to, amount);
        assert_eq!(account(&bank, PAYEE).amount, left);
        let taken = |effect: &&Effect| matches!(effect, Effect::Move { value, .. } if value.to::<u64>() == 5);
        assert_eq!(bank.effects.iter().filter(taken).count(), 1, "{:?}", bank.effects);
    }
}
