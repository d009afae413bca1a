//! The hand of a test on an EVM chain: calldata, transactions of the test accounts, and what becomes of them.

use serde_json::{Value, json};
use x402_sim::networks::eip155::transaction::{Signed, Transaction};
use x402_sim::networks::eip155::{parse_address, secp};
use x402_sim::{Address, U256, hex, keccak256};

use crate::harness::Mock;
use crate::payer::{USDC, account};
use crate::rpc_cells::{answered, call, result};

pub(crate) const MULTICALL: &str = "0xcA11bde05977b3631167028862bE2a173976CA11";

pub(crate) const TRANSFER: [u8; 4] = hex!("a9059cbb");
pub(crate) const TRANSFER_FROM: [u8; 4] = hex!("23b872dd");
pub(crate) const APPROVE: [u8; 4] = hex!("095ea7b3");
pub(crate) const BALANCE_OF: [u8; 4] = hex!("70a08231");
const AGGREGATE: [u8; 4] = hex!("252dba42");

pub(crate) fn address(text: &str) -> Address {
    parse_address(text).unwrap()
}

pub(crate) fn number(number: u64) -> [u8; 32] {
    U256::from(number).to_be_bytes()
}

pub(crate) fn calldata(selector: [u8; 4], words: &[[u8; 32]]) -> Vec<u8> {
    [selector.as_slice(), words.concat().as_slice()].concat()
}

/// `aggregate` of calls.
pub(crate) fn aggregate(calls: &[(Address, Vec<u8>)]) -> Vec<u8> {
    let (mut heads, mut tails) = (Vec::new(), Vec::new());
    for (to, input) in calls {
        heads.extend(number((calls.len() * 32 + tails.len()) as u64));
        tails.extend([to.into_word().0, number(64), number(input.len() as u64)].concat());
        tails.extend(input);
        tails.resize(tails.len().next_multiple_of(32), 0);
    }
    [calldata(AGGREGATE, &[number(32), number(calls.len() as u64)]), heads, tails].concat()
}

/// A transaction of a test account on Base Sepolia.
pub(crate) fn signed(index: usize, nonce: u64, to: &str, input: Vec<u8>) -> Signed {
    let transaction = Transaction { chain_id: 84_532, nonce, to: address(to), input: input.into() };
    transaction.sign(&account(index).key_bytes())
}

/// The same, with all the gas that a block has, and without a type: RLP as the yellow paper's appendix B has it.
pub(crate) fn large(index: usize, nonce: u64, to: &str, input: &[u8]) -> Signed {
    let header = |short: u8, length: usize| {
        let size: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        let long = || [&[short + 55 + u8::try_from(size.len()).unwrap()], size.as_slice()].concat();
        if length < 56 { vec![short + u8::try_from(length).unwrap()] } else { long() }
    };
    let text = |bytes: &[u8]| match bytes {
        [byte @ ..0x80] => vec![*byte],
        bytes => [header(0x80, bytes.len()).as_slice(), bytes].concat(),
    };
    let whole = |number: U256| text(&number.to_be_bytes_trimmed_vec());
    let list = |fields: &[Vec<u8>]| [header(0xc0, fields.concat().len()), fields.concat()].concat();
    let small = |number: u64| whole(U256::from(number));
    let fields =
        [small(nonce), small(1_000_000_000), small(30_000_000), text(address(to).as_slice()), small(0), text(input)];
    let unsigned = list(&[fields.as_slice(), &[small(84_532), small(0), small(0)]].concat());
    let (compact, parity) = secp::sign(keccak256(unsigned), &account(index).key_bytes());
    let [r, s] = [&compact[..32], &compact[32..]].map(U256::from_be_slice);
    let v = 35 + 2 * 84_532 + u64::from(parity);
    let raw = list(&[fields.as_slice(), &[small(v), whole(r), whole(s)]].concat());
    Signed { hash: keccak256(&raw), raw: raw.into() }
}

/// Sends a transaction; gives its hash.
#[track_caller]
pub(crate) fn send(mock: &Mock, signed: &Signed) -> String {
    let answer = answered(mock, &call("eth_sendRawTransaction", &json!([signed.raw.to_string()])));
    assert_eq!(answer["result"], signed.hash.to_string(), "{answer}");
    signed.hash.to_string()
}

#[track_caller]
pub(crate) fn receipt(mock: &Mock, hash: &str) -> Value {
    result(mock, "eth_getTransactionReceipt", &json!([hash]))
}

/// What `eth_call` answers.
pub(crate) fn asked(mock: &Mock, to: &str, input: &[u8]) -> Value {
    answered(mock, &call("eth_call", &json!([{"to": to, "data": hex::encode_prefixed(input)}])))
}

#[track_caller]
pub(crate) fn balance(mock: &Mock, of: Address) -> U256 {
    let answer = asked(mock, USDC, &calldata(BALANCE_OF, &[of.into_word().0]));
    answer["result"].as_str().unwrap().parse().unwrap()
}
