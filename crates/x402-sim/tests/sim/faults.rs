//! What must hold whatever goes wrong on purpose: the ledger keeps the sum, an authorization moves its amount once, and
//! a snapshot brings everything back.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use proptest::prelude::*;
use x402_sim::accounts::test_accounts;
use x402_sim::event::PaymentId;
use x402_sim::fault::Mode;
use x402_sim::ledger::{AssetId, Once, Record, UnknownAccounts};
use x402_sim::order::Depth;
use x402_sim::registry;
use x402_sim::world::Rules;
use x402_sim::world::{Commitment, Ending, Standing, Wait};
use x402_sim::{Setup, World};
use x402_wire::amount::Decimal;

use crate::payment::{NOW, Template, judge};

const NETWORK: &str = "eip155:84532";
/// USDC on Base Sepolia is the first asset after the currency of invoices.
const USDC: AssetId = AssetId(1);
const AMOUNT: u64 = 10_000;

/// Something that is done to a world.
#[derive(Clone, Copy, Debug)]
enum Step {
    Settle(u8, u8, Commitment),
    Ask(u8, u8),
    Jump(u64),
    Drain(u8),
    Cancel(u8, u8),
    Save,
    Restore,
}

fn waits() -> impl Strategy<Value = Wait> {
    prop_oneof![
        (0u64..20_000).prop_map(Wait::Milliseconds),
        (1u32..4).prop_map(Wait::Blocks),
        (1u32..3).prop_map(Wait::Asks)
    ]
}

fn commitments() -> impl Strategy<Value = Commitment> {
    let endings = prop_oneof![Just(Ending::Succeeds), Just(Ending::Fails), Just(Ending::Never)];
    prop_oneof![
        3 => Just(Commitment::Kept),
        1 => Just(Commitment::Nothing),
        2 => waits().prop_map(Commitment::Undone),
        2 => (endings, waits()).prop_map(|(ending, wait)| Commitment::Pending(ending, wait)),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let (payer, nonce) = (0u8..3, 0u8..4);
    prop_oneof![
        6 => (payer.clone(), nonce.clone(), commitments()).prop_map(|(payer, nonce, how)| Step::Settle(payer, nonce, how)),
        2 => (payer.clone(), nonce.clone()).prop_map(|(payer, nonce)| Step::Ask(payer, nonce)),
        2 => (0u64..15_000).prop_map(Step::Jump),
        1 => payer.clone().prop_map(Step::Drain),
        1 => (payer, nonce).prop_map(|(payer, nonce)| Step::Cancel(payer, nonce)),
        1 => Just(Step::Save),
        1 => Just(Step::Restore),
    ]
}

fn world() -> World {
    let networks = registry::networks().into_iter().filter(|network| network.id == NETWORK).collect();
    let balance = Decimal::parse("0.05").unwrap();
    World::new(
        &Setup { networks, unknown: UnknownAccounts::Empty, balance, payees: Vec::new(), rules: Rules::default() },
        7,
    )
    .unwrap()
}

fn payment(payer: u8, nonce: u8) -> PaymentId {
    PaymentId([payer, nonce, 1, 1, 1, 1, 1, 1])
}

/// How often each authorization moved its amount, as far as it was not undone.
fn moved(world: &World) -> BTreeMap<(U256, B256), u32> {
    let mut moved = BTreeMap::new();
    for number in 0..u32::try_from(world.ledger().len()).unwrap() {
        let record = world.ledger().record(number).unwrap();
        if !world.ledger().is_undone(number) {
            let Record::Authorized { authorization, .. } = record else { panic!("{record:?}") };
            let payer = U256::from_be_slice(authorization.from.as_slice());
            *moved.entry((payer, authorization.nonce)).or_default() += 1;
        }
    }
    moved
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_sum_is_kept_and_an_authorization_counts_once(steps in prop::collection::vec(steps(), 1..40)) {
        let network = registry::networks().into_iter().find(|network| network.id == NETWORK).unwrap();
        let address = |payer: u8| test_accounts().nth(payer.into()).unwrap().evm();
        let (mut world, mut now, mut kept) = (world(), NOW * 1000, None);
        for step in steps {
            match step {
                Step::Settle(payer, nonce, how) => {
                    let template = Template::new(&network);
                    let nonce_bytes = B256::repeat_byte(nonce);
                    let template = Template { payer: payer.into(), value: U256::from(AMOUNT), asked: U256::from(AMOUNT), nonce: nonce_bytes, ..template };
                    let approved = judge(&template.body(), &world.chain(), Depth::Settle, Mode::Strict);
                    if let Ok(approved) = approved {
                        // What the chain refuses is refused, whatever was to become of it.
                        let _ = world.settle_as(&approved.charge, payment(payer, nonce), how, now);
                    }
                }
                Step::Ask(payer, nonce) => {
                    if let Some(Ok(settled)) = world.ask_again(payment(payer, nonce), now) {
                        prop_assert!([Standing::Confirmed, Standing::Pending].contains(&settled.standing));
                    }
                }
                Step::Jump(by) => now += by,
                Step::Drain(payer) => world.set_balance(USDC, address(payer).into(), U256::ZERO),
                Step::Cancel(payer, nonce) => world.cancel(Once::authorization(USDC, address(payer), B256::repeat_byte(nonce))),
                Step::Save => {
                    world.save("one", now).unwrap();
                    kept = Some((world.state_hash(), now));
                }
                Step::Restore => {
                    if let Some((hash, then)) = kept {
                        world.restore("one").unwrap();
                        prop_assert_eq!(world.state_hash(), hash, "all comes back");
                        now = then;
                    }
                }
            }
            world.catch_up(now);
            prop_assert_eq!(world.ledger().drift(USDC), U256::ZERO, "balances minus mints, after {:?}", step);
            prop_assert!(moved(&world).values().all(|times| *times == 1), "an authorization moved twice, after {:?}", step);
        }
    }

    #[test]
    fn a_double_settlement_breaks_the_promise_and_still_keeps_the_sum(payer in 0u8..3) {
        let network = registry::networks().into_iter().find(|network| network.id == NETWORK).unwrap();
        let mut world = world();
        let template = Template { payer: payer.into(), value: U256::from(AMOUNT), asked: U256::from(AMOUNT), ..Template::new(&network) };
        let approved = judge(&template.body(), &world.chain(), Depth::Settle, Mode::Strict).unwrap();
        world.settle_as(&approved.charge, payment(payer, 0), Commitment::Twice, NOW * 1000).unwrap();
        prop_assert_eq!(moved(&world).into_values().collect::<Vec<_>>(), [2]);
        prop_assert_eq!(world.ledger().drift(USDC), U256::ZERO);
    }
}
