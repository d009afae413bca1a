//! What must hold for every payment: what a payer signs is what is charged, the ledger keeps the sum, verify and settle
//! agree, and a nonce never pays twice.

use alloy_primitives::{Address, B256, U256};
use proptest::prelude::*;
use serde_json::{Value, json};
use x402_sim::accounts::test_accounts;
use x402_sim::fault::Mode;
use x402_sim::ledger::{AssetId, UnknownAccounts};
use x402_sim::order::Depth;
use x402_sim::reason::Code;
use x402_sim::registry::Version;
use x402_sim::{Rules, Setup, World, registry};
use x402_wire::amount::Decimal;
use x402_wire::facilitator::FacilitatorRequest;

use crate::payment::{NOW, Template, judge};

const NETWORK: &str = "eip155:84532";
/// USDC on Base Sepolia is the first asset after the currency of invoices.
const USDC: AssetId = AssetId(1);
/// The grant of a test account: 1,000 USDC here, so that payments can exhaust it.
const GRANT: u64 = 1_000_000_000;

/// A payment that some test account signs.
#[derive(Clone, Debug)]
struct Payment {
    payer: usize,
    to: usize,
    value: u64,
    nonce: u8,
    lifetime: i64,
    version: u8,
    signed_amount_off_by: u64,
}

fn payments() -> impl Strategy<Value = Payment> {
    // Few payers and nonces, large values: replays and empty accounts are common.
    (0usize..4, 0usize..6, 0u64..GRANT / 2, 0u8..6, -20i64..300, 1u8..3, prop_oneof![9 => Just(0u64), 1 => 1u64..3])
        .prop_map(|(payer, to, value, nonce, lifetime, version, signed_amount_off_by)| Payment {
            payer,
            to,
            value,
            nonce,
            lifetime,
            version,
            signed_amount_off_by,
        })
}

fn world(unknown: UnknownAccounts) -> World {
    let networks = registry::networks().into_iter().filter(|network| network.id == NETWORK).collect();
    let setup = Setup {
        networks,
        unknown,
        balance: Decimal::parse("1000").unwrap(),
        payees: Vec::new(),
        rules: Rules::default(),
    };
    World::new(&setup, 7).unwrap()
}

fn address(index: usize) -> Address {
    test_accounts().nth(index).unwrap().evm()
}

fn sign(payment: &Payment) -> Value {
    let network = registry::networks().into_iter().find(|network| network.id == NETWORK).unwrap();
    let template = Template {
        payer: payment.payer,
        to: address(payment.to),
        value: U256::from(payment.value + payment.signed_amount_off_by),
        asked: U256::from(payment.value),
        nonce: B256::repeat_byte(payment.nonce),
        valid_before: NOW.saturating_add_signed(payment.lifetime),
        version: Version::from_number(payment.version.into()).unwrap(),
        ..Template::new(&network)
    };
    template.body()
}

fn payer_is_payee(payment: &Payment) -> bool {
    payment.payer == payment.to
}

/// Settles the body of a request. `Ok` is the charged amount.
fn settle(world: &mut World, body: &Value) -> Result<U256, String> {
    let approved = judge(body, &world.chain(), Depth::Settle, Mode::Strict);
    let approved = approved.map_err(|refusal| refusal.spelled().to_owned())?;
    let settled = world.settle(&approved.charge, NOW * 1000);
    settled.map(|_| approved.charge.value()).map_err(|reason| reason.detail)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_keeps_the_sum_and_a_nonce_never_pays_twice(payments in prop::collection::vec(payments(), 1..40)) {
        let mut world = world(UnknownAccounts::Funded);
        let mut used = std::collections::BTreeSet::new();
        for payment in &payments {
            let body = sign(payment);
            let chain = world.chain();
            let before = (world.state_hash(), chain.view.balance(USDC, address(payment.payer).into()));
            let verified = judge(&body, &chain, Depth::Verify, Mode::Strict);
            prop_assert_eq!(world.state_hash(), before.0, "verify changes nothing");
            let settled = settle(&mut world, &body);
            prop_assert_eq!(verified.is_ok(), settled.is_ok(), "verify and settle agree: {:?} {:?}", verified, settled);
            prop_assert_eq!(world.ledger().drift(USDC), U256::ZERO, "balances minus mints");
            let after = world.chain().view.balance(USDC, address(payment.payer).into());
            let Ok(charged) = settled else {
                prop_assert_eq!(world.state_hash(), before.0, "a refused payment changes nothing");
                continue;
            };
            prop_assert_eq!(charged, U256::from(payment.value), "what was asked is what was charged");
            prop_assert!(used.insert((payment.payer, payment.nonce)), "a nonce paid twice");
            let paid = if payer_is_payee(payment) { U256::ZERO } else { charged };
            prop_assert_eq!(before.1 - after, paid);
        }
        prop_assert_eq!(world.ledger().len(), used.len());
    }

    #[test]
    fn what_a_client_signs_passes_the_order_and_is_charged_exactly(
        payer in 0usize..8, value in 0u64..GRANT, nonce: u8, version in 1u8..3,
    ) {
        let payment = Payment { payer, to: 9, value, nonce, lifetime: 60, version, signed_amount_off_by: 0 };
        let mut world = world(UnknownAccounts::Empty);
        let old = world.chain();
        prop_assert_eq!(settle(&mut world, &sign(&payment)), Ok(U256::from(value)));
        prop_assert_eq!(world.chain().view.balance(USDC, address(9).into()), U256::from(value));
        prop_assert_eq!(old.view.balance(USDC, address(9).into()), U256::ZERO, "a snapshot stays as it was");
    }

    #[test]
    fn no_json_makes_the_facilitator_panic_and_every_refusal_names_something(body in any_json(4)) {
        let world = world(UnknownAccounts::Funded);
        let whole = json!({"paymentPayload": body.0, "paymentRequirements": body.1});
        if is_request(&whole) {
            let judged = judge(&whole, &world.chain(), Depth::Verify, Mode::Strict);
            prop_assert!(judged.is_err());
            prop_assert!(!judged.unwrap_err().reason.detail.is_empty());
        }
    }

    #[test]
    fn a_good_payment_with_one_member_replaced_never_panics_and_never_pays_something_else(
        place in 0usize..64, replacement in leaf(), version in 1u8..3,
    ) {
        let payment = Payment { payer: 0, to: 9, value: 10_000, nonce: 1, lifetime: 60, version, signed_amount_off_by: 0 };
        let mut body = sign(&payment);
        let mut places = Vec::new();
        pointers(&body, "", &mut places);
        let pointer = &places[place % places.len()];
        *body.pointer_mut(pointer).unwrap() = replacement;
        let mut world = world(UnknownAccounts::Funded);
        prop_assume!(is_request(&body));
        if let Ok(charged) = settle(&mut world, &body) {
            prop_assert_eq!(charged, U256::from(10_000), "{}", pointer);
            prop_assert_eq!(world.chain().view.balance(USDC, address(9).into()), U256::from(10_000), "{}", pointer);
        }
    }
}

fn is_request(body: &Value) -> bool {
    FacilitatorRequest::parse(body.to_string().as_bytes()).is_ok()
}

/// Every place in a document.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    if let Value::Object(members) = value {
        for (key, member) in members {
            let pointer = format!("{at}/{key}");
            pointers(member, &pointer, out);
            out.push(pointer);
        }
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(0x)?[0-9a-fA-F]{0,132}".prop_map(Value::from),
        "[0-9]{0,90}".prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!({})),
        Just(json!([])),
        Just(json!({"name": 5, "version": []})),
    ]
}

fn any_json(depth: u32) -> impl Strategy<Value = (Value, Value)> {
    let keys = prop_oneof![
        Just("x402Version"),
        Just("scheme"),
        Just("network"),
        Just("payload"),
        Just("accepted"),
        Just("signature"),
        Just("authorization"),
        Just("extra"),
        Just("amount"),
        Just("asset"),
        Just("payTo"),
        Just("name"),
    ];
    let versions = prop_oneof![3 => Just(json!(1)), 3 => Just(json!(2)), 2 => leaf()];
    let any = prop_oneof![leaf(), versions].prop_recursive(depth, 64, 8, move |inner| {
        prop::collection::btree_map(keys.clone().prop_map(str::to_owned), inner, 0..8)
            .prop_map(|members| Value::Object(members.into_iter().collect()))
    });
    (any.clone(), any)
}

#[test]
fn of_64_settlements_of_one_authorization_at_once_one_succeeds_and_the_sum_is_kept() {
    let world = std::sync::Mutex::new(world(UnknownAccounts::Empty));
    let network = registry::networks().into_iter().find(|network| network.id == NETWORK).unwrap();
    let body = Template::new(&network).body();
    let start = std::sync::Barrier::new(64);
    let attempt = || {
        start.wait();
        let chain = world.lock().unwrap().chain();
        let approved = judge(&body, &chain, Depth::Settle, Mode::Strict).unwrap();
        world.lock().unwrap().settle(&approved.charge, NOW * 1000).map(|_| ()).map_err(|reason| reason.code)
    };
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(attempt)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused = outcomes.iter().filter(|outcome| **outcome == Err(Code::NonceUsed)).count();
    assert_eq!(refused, 63, "{outcomes:?}");
    let world = world.into_inner().unwrap();
    assert_eq!(world.ledger().drift(USDC), U256::ZERO);
    assert_eq!(world.chain().view.balance(USDC, address(9).into()), U256::from(10_000));
}
