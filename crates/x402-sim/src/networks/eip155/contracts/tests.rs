//! What calls come to, straight at the machine: how deep and how costly they may be, and the official signatures.

use alloy_primitives::hex;
use x402_wire::amount::Decimal;

use super::log::{APPROVAL, SETTLED_WITH_PERMIT, TRANSFER};
use super::*;
use crate::World;
use crate::chain::Chain;
use crate::ledger::{Account, Permit2Allowance};
use crate::networks::eip155::permit2::permit::{EXACT_PROXY, UPTO_PROXY};
use crate::registry;
use crate::world::{Rules, Setup};

const NETWORK: &str = "eip155:84532";
const USDC: Address = address!("036CbD53842c5426634e7929541eC2318f3dCF7e");

/// The accounts of the official vectors, whose keys are 0x11 and 0x22 over and over, and their payee.
const OWNER: Address = address!("19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A");
const FACILITATOR: Address = address!("1563915e194D8CfBA1943570603F7606A3115508");
const PAYEE: Address = address!("209693Bc6afc0C5328bA36FaF03C514EF312287C");

/// When the signatures of the official vectors end, in seconds.
const DEADLINE: u64 = 2_000_000_000;

const NONCE_BITMAP: [u8; 4] = hex!("4fe02b44");
const INVALIDATE: [u8; 4] = hex!("3ff9dcb1");
const AGGREGATE: [u8; 4] = hex!("252dba42");
const TRY_AGGREGATE: [u8; 4] = hex!("bce38bd7");
const TOTAL_SUPPLY: [u8; 4] = hex!("18160ddd");

fn world(permit2: Permit2Allowance) -> World {
    let networks = registry::networks().into_iter().filter(|network| network.id == NETWORK).collect();
    let rules = Rules { permit2, ..Rules::default() };
    let (unknown, balance) = (UnknownAccounts::Funded, Decimal::parse("1000000").unwrap());
    World::new(&Setup { networks, unknown, balance, payees: Vec::new(), rules }, 1).unwrap()
}

/// Lets a machine on the newest state do something.
fn on<T>(world: &World, what: impl FnOnce(&mut Machine<'_>) -> T) -> T {
    let Chain { catalog, view, .. } = world.chain();
    let block = Block { chain_id: 84_532, number: 1, time: 1_800_000_000, base_fee: 1 };
    what(&mut Machine::new((&catalog, NETWORK), world.book(), view, block))
}

fn word(number: impl TryInto<U256>) -> B256 {
    B256::from(number.try_into().unwrap_or_default())
}

fn calldata(selector: [u8; 4], words: &[B256]) -> Vec<u8> {
    [selector.as_slice(), words.concat().as_slice()].concat()
}

/// Bytes as the last argument: their length, they, and zeros to the end of the word.
fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut out = word(bytes.len()).to_vec();
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(32), 0);
    out
}

/// A list of calls that are all the same one: many heads, one tail.
fn list(times: usize, to: Address, input: &[u8]) -> Vec<u8> {
    let mut out = word(times).to_vec();
    out.extend(word(times * 32).repeat(times));
    out.extend([to.into_word(), word(64_u64)].concat());
    out.extend(padded(input));
    out
}

/// `aggregate` of one call, in itself so many times over; the innermost asks a token for its supply.
fn nested(levels: usize) -> Vec<u8> {
    let mut data = calldata(TOTAL_SUPPLY, &[]);
    for level in 0..levels {
        let to = if level == 0 { USDC } else { multicall::ADDRESS };
        data = [AGGREGATE.as_slice(), word(32_u64).as_slice(), &list(1, to, &data)].concat();
    }
    data
}

/// `tryAggregate` of one call, so many times.
fn tried(times: usize, to: Address, input: &[u8]) -> Vec<u8> {
    [TRY_AGGREGATE.as_slice(), &[word(0_u64), word(64_u64)].concat(), &list(times, to, input)].concat()
}

fn call(machine: &mut Machine<'_>, to: Address, input: &[u8]) -> Result<Vec<u8>, Halt> {
    machine.call(Message { sender: FACILITATOR, to, input })
}

#[test]
fn calls_call_each_other_so_deep_and_no_deeper() {
    let world = world(Permit2Allowance::Approved);
    let ask = |levels| on(&world, |machine| call(machine, multicall::ADDRESS, &nested(levels)));
    assert!(ask(DEPTH - 1).is_ok());
    let too_deep = Halt::Revert(Revert::text("Multicall3: call failed"));
    assert_eq!(ask(DEPTH).unwrap_err(), too_deep);
    assert_eq!(ask(2_000).unwrap_err(), too_deep);
}

#[test]
fn what_is_costly_is_paid_for_before_it_is_done() {
    let world = world(Permit2Allowance::Approved);
    let repeat = |times, to, input: &[u8]| {
        on(&world, |machine| call(machine, multicall::ADDRESS, &tried(times, to, input)).map(drop))
    };
    let bitmap = calldata(NONCE_BITMAP, &[OWNER.into_word(), B256::ZERO]);
    assert!(repeat(1_000, PERMIT2, &bitmap).is_ok());
    assert_eq!(repeat(1_500, PERMIT2, &bitmap), Err(Halt::OutOfGas));
    // A signature of nobody: of a right form, so that a signer is looked for.
    let parts = [word(27_u64), word(1_u64), word(1_u64)];
    let authorization = [OWNER.into_word(), PAYEE.into_word(), word(1_u64), B256::ZERO, word(DEADLINE), B256::ZERO];
    let transfer = calldata(hex!("e3ee160e"), &[authorization.as_slice(), &parts].concat());
    let cancel = calldata(hex!("5a049a70"), &[[OWNER.into_word(), B256::ZERO].as_slice(), &parts].concat());
    let permitted = [OWNER.into_word(), PERMIT2.into_word(), word(1_u64), word(DEADLINE)];
    let permit = calldata(hex!("d505accf"), &[permitted.as_slice(), &parts].concat());
    let witness = [word(1_u64), word(DEADLINE), OWNER.into_word(), PAYEE.into_word(), word(0_u64), word(256_u64)];
    let settle = calldata(hex!("13cd3b53"), &[[USDC.into_word(), word(1_u64)].as_slice(), &witness].concat());
    let settle = [settle, padded(&[1; 65])].concat();
    for (to, input) in [(USDC, &transfer), (USDC, &cancel), (USDC, &permit), (EXACT_PROXY, &settle)] {
        assert!(repeat(4_000, to, input).is_ok(), "{}", hex::encode(&input[..4]));
        assert_eq!(repeat(5_500, to, input), Err(Halt::OutOfGas), "{}", hex::encode(&input[..4]));
    }
    // Long bytes are hashed: the same ones a hundred times.
    let head = [authorization.as_slice(), &[word(224_u64)]].concat();
    let long = [calldata(hex!("cf092995"), &head), padded(&vec![1; 200_000])].concat();
    assert_eq!(repeat(100, USDC, &long), Err(Halt::OutOfGas));
    // Calls that are read and never made.
    let mut unread = tried(20_000, USDC, &[]);
    let last = 4 + 3 * 32 + 20_000 * 32 - 1;
    unread[last - 31..=last].fill(0xff);
    assert_eq!(repeat(100, multicall::ADDRESS, &unread), Err(Halt::OutOfGas));
}

#[test]
fn each_nonce_that_is_invalidated_costs_once() {
    let world = world(Permit2Allowance::Approved);
    on(&world, |machine| {
        let all = calldata(INVALIDATE, &[B256::ZERO, B256::repeat_byte(0xff)]);
        call(machine, PERMIT2, &all).unwrap();
        let (first, effects) = (machine.gas, machine.effects.len());
        assert_eq!((first, effects), (2_600 + 20_000 + 256 * 5_000, 256));
        call(machine, PERMIT2, &all).unwrap();
        assert_eq!((machine.gas - first, machine.effects.len()), (2_600 + 20_000, 256));
        let owner = calldata(NONCE_BITMAP, &[FACILITATOR.into_word(), B256::ZERO]);
        assert_eq!(call(machine, PERMIT2, &owner).unwrap(), [0xff; 32]);
    });
}

/// Signed by the official SDK over viem: a permit (EIP-2612) for Permit2 of 1,000 atomic units, with nonce 0.
const PERMIT_2612: [u8; 65] = hex!(
    "2003bc3049cf01799c6d1ea0dfa9847c0ba3ac266bfd9b0177c78fa0efb940a17cc62f6b714c7fcf93a5fc73f40b47ef8fd68457e281fded52de2ac23ab01f5d1c"
);

/// The same, for the proxies of `exact` and `upto`: Permit2's own permits, with nonce 7.
const EXACT: [u8; 65] = hex!(
    "1189901be3257edaf21fecca736395d1e0a5e86b8466eb63ae03ef46cad5da3a4410113e471bedcacd197175dd5e44e399588f05073b3bbeab529c6967d98d961b"
);
const UPTO: [u8; 65] = hex!(
    "362c2165d9393a4231c978d8d21e9add862a091fee32c88956a56337629deef62d9eadd449b12e6ed5b07876b83db263687930044db3d3cd6e8cb0236160aded1b"
);

/// The calldata of `settleWithPermit`, whose permit is of so much.
fn settle_with_permit(proxy: Address, value: u64) -> Vec<u8> {
    let (r, s) = (B256::from_slice(&PERMIT_2612[..32]), B256::from_slice(&PERMIT_2612[32..64]));
    let mut words = vec![word(value), word(DEADLINE), r, s, word(u64::from(PERMIT_2612[64]))];
    words.extend([USDC.into_word(), word(1_000_u64), word(7_u64), word(DEADLINE)]);
    let (selector, signature) = if proxy == EXACT_PROXY {
        words.extend([OWNER.into_word(), PAYEE.into_word(), B256::ZERO]);
        (hex!("fa340378"), EXACT)
    } else {
        words.extend([word(400_u64), OWNER.into_word(), PAYEE.into_word(), FACILITATOR.into_word(), B256::ZERO]);
        (hex!("016c1748"), UPTO)
    };
    words.push(word((words.len() + 1) * 32));
    [calldata(selector, &words), padded(&signature)].concat()
}

#[test]
fn the_official_signatures_settle_with_a_permit_where_nothing_was_approved() {
    let world = world(Permit2Allowance::Required);
    for (proxy, moved) in [(EXACT_PROXY, 1_000_u64), (UPTO_PROXY, 400)] {
        on(&world, |machine| {
            assert_eq!(call(machine, proxy, &settle_with_permit(proxy, 1_000)), Ok(Vec::new()));
            let topics: Vec<_> = machine.logs.iter().map(|log| (log.address, log.topics[0])).collect();
            assert_eq!(topics, [(USDC, APPROVAL), (USDC, TRANSFER), (proxy, SETTLED_WITH_PERMIT)]);
            let [owner, payee] = [OWNER, PAYEE].map(Account::from);
            let (token, view) = (machine.catalog.token(NETWORK, USDC).unwrap().id, machine.view());
            assert_eq!(view.ledger().balance(token, payee), Some(U256::from(moved)));
            assert_eq!(view.ledger().permits(token, owner), 1);
            assert_eq!(view.allowance(token, owner, PERMIT2.into()), U256::from(1_000 - moved));
            // Neither signature is good for a second time.
            assert!(call(machine, proxy, &settle_with_permit(proxy, 1_000)).is_err());
        });
        let mismatch = Halt::Revert(Revert::custom("Permit2612AmountMismatch()", &[]));
        let other = settle_with_permit(proxy, 999);
        assert_eq!(on(&world, |machine| call(machine, proxy, &other)), Err(mismatch));
        // One byte of the permit's signature is another: nothing is allowed, and the token says no.
        let mut forged = settle_with_permit(proxy, 1_000);
        forged[4 + 2 * 32] ^= 1;
        let refused = Halt::Revert(Revert::text("TRANSFER_FROM_FAILED"));
        assert_eq!(on(&world, |machine| call(machine, proxy, &forged)), Err(refused));
    }
}
