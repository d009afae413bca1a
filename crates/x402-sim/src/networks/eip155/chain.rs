//! The chain: what the deployed contracts do, with their own order of rules and their own revert texts.
//!
//! It knows nothing of x402. Source: the deployed `FiatTokenV2_2`, whose rules the other tokens of the table share.

use alloy_primitives::{Address, U256, address};

use super::PERMIT2;
use super::eip712::Authorization;
use super::permit2::permit::{EXACT_PROXY, UPTO_PROXY};
use super::signature::{Ecdsa, Recovered};
use crate::catalog::{Catalog, Token};
use crate::ledger::{Effect, Once, View};
use crate::networks::Transfer;

/// A call of a token's contract.
#[derive(Clone, Copy, Debug)]
pub struct TransferWithAuthorization<'a> {
    /// The token that is called.
    pub token: &'a Token,
    /// The arguments.
    pub authorization: Authorization,
    /// The arguments `v`, `r` and `s`.
    pub signature: Ecdsa,
    /// A signer that was recovered before: recovering is the costliest step, and done once.
    pub recovered: Option<Recovered>,
}

/// Whether the contract looks at the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// As deployed.
    Checked,
    /// `verification: accept`: every signature is taken for the payer's.
    Trusted,
}

/// A call that changed nothing, and why: the contract's own text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revert(pub &'static str);

/// What a contract answers to a function that it does not have: a revert without a text.
pub const NO_SUCH_FUNCTION: &str = "execution reverted";

/// Contracts that stand at the same address on every chain and hold no money of their own.
pub const EVERYWHERE: [Address; 4] = [
    address!("cA11bde05977b3631167028862bE2a173976CA11"), // Multicall3
    PERMIT2,
    EXACT_PROXY,
    UPTO_PROXY,
];

/// What stands at an address.
#[derive(Clone, Copy, Debug)]
pub enum Code<'a> {
    /// Nothing: an account without code.
    Nothing,
    /// A token of the catalog.
    Token(&'a Token),
    /// Another contract.
    Other,
}

/// What stands at an address of a network.
pub fn code_at<'a>(catalog: &'a Catalog, network: &str, address: Address) -> Code<'a> {
    match catalog.token(network, address) {
        Some(token) => Code::Token(token),
        None if EVERYWHERE.contains(&address) => Code::Other,
        None => Code::Nothing,
    }
}

/// Balances are capped at 2^255 - 1.
const BALANCE_CAP: U256 = U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 1]);

/// Executes a call on a state, at a block time in seconds. `Ok` are all its effects, to be applied together.
pub fn execute(
    call: &TransferWithAuthorization<'_>,
    view: &View,
    block_time: u64,
    signatures: Signatures,
) -> Result<Vec<Effect>, Revert> {
    let Authorization { from, to, value, valid_after, valid_before, nonce } = call.authorization;
    let (asset, holder, payee) = (call.token.id, from.into(), to.into());
    let now = U256::from(block_time);
    require(call.token.asset.transfer == Transfer::Eip3009, NO_SUCH_FUNCTION)?;
    let blacklisted =
        [from, to].contains(&call.token.contract) || [holder, payee].iter().any(|it| view.is_blocked(*it));
    require(!blacklisted, "Blacklistable: account is blacklisted")?;
    require(now > valid_after, "FiatTokenV2: authorization is not yet valid")?;
    require(now < valid_before, "FiatTokenV2: authorization is expired")?;
    let once = Once::authorization(asset, from, nonce);
    require(!view.is_used(&once), "FiatTokenV2: authorization is used or canceled")?;
    if signatures == Signatures::Checked {
        check_signature(call)?;
    }
    let mut effects = move_token(call.token, [from, to], value, view)?;
    effects.push(Effect::Use(once));
    Ok(effects)
}

/// The token's own `_transfer`, below whatever allows it: what moves between two accounts, or why nothing does.
pub(super) fn move_token(
    token: &Token,
    [from, to]: [Address; 2],
    value: U256,
    view: &View,
) -> Result<Vec<Effect>, Revert> {
    let (asset, holder, payee) = (token.id, from.into(), to.into());
    require(!from.is_zero(), "ERC20: transfer from the zero address")?;
    require(!to.is_zero(), "ERC20: transfer to the zero address")?;
    require(value <= view.balance(asset, holder), "ERC20: transfer amount exceeds balance")?;
    let received = if holder == payee { U256::ZERO } else { view.ledger().balance(asset, payee).unwrap_or_default() };
    let after = received.checked_add(value).filter(|sum| *sum <= BALANCE_CAP);
    require(after.is_some(), "FiatTokenV2_2: Balance exceeds (2^255 - 1)")?;
    let mut effects = view.touch(asset, holder, payee);
    effects.push(Effect::Move { asset, from: holder, to: payee, value });
    Ok(effects)
}

/// The token's `ECRecover` and its comparison with the payer.
fn check_signature(call: &TransferWithAuthorization<'_>) -> Result<(), Revert> {
    let signature = &call.signature;
    require(!signature.has_high_s(), "ECRecover: invalid signature 's' value")?;
    require(matches!(signature.v, 27 | 28), "ECRecover: invalid signature 'v' value")?;
    let asked = (call.token.separator, call.authorization);
    let known = call.recovered.filter(|known| (known.separator, known.authorization) == asked);
    let recover = || signature.recover(call.authorization.digest(call.token.separator));
    let signer = known.map_or_else(recover, |known| known.signer);
    let signer = signer.ok_or(Revert("ECRecover: invalid signature"))?;
    require(signer == call.authorization.from, "FiatTokenV2: invalid signature")
}

fn require(holds: bool, text: &'static str) -> Result<(), Revert> {
    if holds { Ok(()) } else { Err(Revert(text)) }
}
