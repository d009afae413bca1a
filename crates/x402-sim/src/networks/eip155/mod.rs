//! The `eip155` family: Ethereum and its like.
//!
//! | room | what it holds |
//! |---|---|
//! | [`assets`] | known networks, version 1 names, assets |
//! | [`eip712`] | domains, digests |
//! | [`secp`] | signing and recovering: the only file with C code beneath it |
//! | [`spelling`] | addresses as text, and their checksum |
//! | [`signature`] | the forms of a signature, ERC-6492 wrappers |
//! | [`eip3009`] | `exact` by `transferWithAuthorization`: claim, checks, both orders, charge |
//! | [`permit2`] | `exact` and `upto` by the Permit2 contract: the same rooms |
//! | [`chain`] | the contracts' own rules: `execute`, revert texts |
//! | [`contracts`] | message calls to contracts, as views of the ledger |
//! | [`rpc`] | what Ethereum's libraries ask of a node |
//! | [`abi`], [`raw`] | calldata, and signed transactions, as the chain's own door takes them |
//! | [`transaction`] | the EIP-1559 transactions of the facilitator |
//! | [`family`] | what the registry knows of this family |

use alloy_primitives::{Address, address};

pub mod abi;
pub mod assets;
pub mod chain;
pub mod contracts;
pub mod eip3009;
pub mod eip712;
pub mod explain;
pub mod family;
pub mod permit2;
pub mod raw;
pub mod rpc;
pub mod secp;
pub mod signature;
pub mod spelling;
pub mod transaction;

pub use spelling::{checksum, is_strict_spelling};

/// The Permit2 contract, at the same address on every chain.
pub const PERMIT2: Address = address!("000000000022D473030F116dDEE9F6B43aC78BA3");

/// The members of a payload that hold what the payer signed. Each has a `from`; of two, the first counts.
pub const SIGNED: [&str; 2] = ["permit2Authorization", "authorization"];

/// The chain id in a CAIP-2 id of this family.
pub fn chain_id(network: &str) -> Option<u64> {
    let digits = network.strip_prefix("eip155:")?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The official code refuses ids beyond what a JavaScript number holds exactly.
    digits.parse().ok().filter(|id| *id <= 9_007_199_254_740_991)
}

/// The bytes that `0x` and hexadecimal digits write, two digits for each. The prefix stands there once, as viem reads it;
/// the decoder alone would pass over another.
pub fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").filter(|digits| !digits.starts_with("0x"))?;
    alloy_primitives::hex::decode(digits).ok()
}

/// An address in any case: `0x` and 40 hexadecimal digits.
pub fn parse_address(text: &str) -> Option<Address> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40)?;
    let mut bytes = [0; 20];
    alloy_primitives::hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(Address::from(bytes))
}
