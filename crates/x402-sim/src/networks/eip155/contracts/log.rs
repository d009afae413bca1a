//! What contracts emit.

use alloy_primitives::{Address, B256, U256, b256};

use crate::networks::eip155::abi;

/// `Transfer(address,address,uint256)`.
pub const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `Approval(address,address,uint256)`.
pub const APPROVAL: B256 = b256!("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925");
/// `AuthorizationUsed(address,bytes32)`.
pub const AUTHORIZATION_USED: B256 = b256!("98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5");
/// `AuthorizationCanceled(address,bytes32)`.
pub const AUTHORIZATION_CANCELED: B256 = b256!("1cdd46ff242716cdaa72d159d339a485b3438398348d68f09d7c8c0a59353d81");
/// `Settled()` of the x402 proxies.
pub const SETTLED: B256 = b256!("97088ec3606cfe8cc112180570d03fcde05f9b8e1bfef8e27784eaf5dd5691b6");
/// `SettledWithPermit()` of the x402 proxies.
pub const SETTLED_WITH_PERMIT: B256 = b256!("de5b89d10fc800c459329c382fabfcad0be0ed7e5328e01fae04e507b09ef5d8");

/// Something that a contract emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The contract.
    pub address: Address,
    /// What it is, and its indexed arguments.
    pub topics: Vec<B256>,
    /// Its other arguments.
    pub data: Vec<u8>,
}

impl Log {
    /// A token moved.
    pub fn transfer(token: Address, from: Address, to: Address, value: U256) -> Self {
        Self { address: token, topics: vec![TRANSFER, from.into_word(), to.into_word()], data: abi::word(value) }
    }

    /// An owner lets a spender move so much.
    pub fn approval(token: Address, owner: Address, spender: Address, value: U256) -> Self {
        Self { address: token, topics: vec![APPROVAL, owner.into_word(), spender.into_word()], data: abi::word(value) }
    }

    /// An authorization was used.
    pub fn authorization_used(token: Address, authorizer: Address, nonce: B256) -> Self {
        Self { address: token, topics: vec![AUTHORIZATION_USED, authorizer.into_word(), nonce], data: Vec::new() }
    }

    /// An authorization was cancelled.
    pub fn authorization_canceled(token: Address, authorizer: Address, nonce: B256) -> Self {
        Self { address: token, topics: vec![AUTHORIZATION_CANCELED, authorizer.into_word(), nonce], data: Vec::new() }
    }

    /// A proxy settled.
    pub fn settled(proxy: Address, topic: B256) -> Self {
        Self { address: proxy, topics: vec![topic], data: Vec::new() }
    }
}
