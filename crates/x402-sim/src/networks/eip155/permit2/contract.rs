//! The deployed Permit2 contract and the two x402 proxies: their rules in their order, and their errors' names.
//!
//! They know nothing of x402's offers. Source: Permit2 `SignatureTransfer`, `SignatureVerification`, and the proxies
//! `x402ExactPermit2Proxy` and `x402UptoPermit2Proxy` as deployed.

use alloy_primitives::{Address, B256, U256};

use super::permit::{EXACT_PROXY, Permit, UPTO_PROXY};
use crate::catalog::{Catalog, Token};
use crate::ledger::{Account, Effect, Once, View};
use crate::networks::eip155::PERMIT2;
use crate::networks::eip155::chain::{Code, Revert, Signatures, code_at, move_token};
use crate::networks::eip155::signature::Ecdsa;

/// What a token's failure becomes: the library that Permit2 calls tokens with keeps no reason.
pub const TRANSFER_FAILED: &str = "TRANSFER_FROM_FAILED";

/// Where a call is executed.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The tokens.
    pub catalog: &'a Catalog,
    /// The CAIP-2 id of the network.
    pub network: &'a str,
    /// The state.
    pub view: &'a View,
    /// The time of the block, in seconds.
    pub block_time: u64,
    /// Whether signatures are looked at.
    pub signatures: Signatures,
}

/// A call of a proxy's `settle`. Which proxy it is follows from the witness.
#[derive(Clone, Copy, Debug)]
pub struct Settle {
    /// What the owner signed.
    pub permit: Permit,
    /// How much moves; the permitted amount in `exact`.
    pub amount: U256,
    /// Whose money it is.
    pub owner: Address,
    /// The owner's signature.
    pub signature: Ecdsa,
    /// Who calls.
    pub caller: Address,
    /// What was recovered before: it is the costliest step, and done once.
    pub recovered: Option<Recovered>,
}

/// A signer that was recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// What was signed.
    pub permit: Permit,
    /// Its digest.
    pub digest: B256,
    /// Who signed it; `None` where nobody can have.
    pub signer: Option<Address>,
}

/// A call of Permit2's `permitWitnessTransferFrom` by the spender that the permit names.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// The token's contract.
    pub token: Address,
    /// How much may be moved at most.
    pub permitted: U256,
    /// Until when, in seconds.
    pub deadline: U256,
    /// What it uses up.
    pub once: Once,
    /// Whose money it is.
    pub owner: Address,
    /// Who is paid.
    pub to: Address,
    /// How much moves.
    pub amount: U256,
    /// What the owner signed.
    pub digest: B256,
    /// The owner's signature.
    pub signature: Ecdsa,
    /// A signer that was recovered before, and from which digest.
    pub recovered: Option<(B256, Option<Address>)>,
}

/// Executes a proxy's `settle`. `Ok` are all its effects.
///
/// # Errors
///
/// The name of the proxy's or of Permit2's error, or [`TRANSFER_FAILED`].
pub fn settle(call: &Settle, place: &Place<'_>) -> Result<Vec<Effect>, Revert> {
    let Settle { permit, amount, owner, signature, caller, recovered } = *call;
    let witness = permit.witness;
    if let Some(facilitator) = witness.facilitator {
        require(amount <= permit.amount, "AmountExceedsPermitted()")?;
        require(caller == facilitator, "UnauthorizedFacilitator()")?;
    }
    require(!amount.is_zero(), "InvalidAmount()")?;
    require(!owner.is_zero(), "InvalidOwner()")?;
    require(!witness.to.is_zero(), "InvalidDestination()")?;
    require(U256::from(place.block_time) >= witness.valid_after, "PaymentTooEarly()")?;
    // Permit2 takes the caller for the spender: a permit for somebody else has another digest.
    let spender = if witness.facilitator.is_some() { UPTO_PROXY } else { EXACT_PROXY };
    let asked = Permit { spender, ..permit };
    let recovered = recovered.filter(|known| known.permit == asked);
    let transfer = Transfer {
        token: permit.token,
        permitted: permit.amount,
        deadline: permit.deadline,
        once: permit.once(owner),
        owner,
        to: witness.to,
        amount,
        digest: recovered.map_or_else(|| asked.digest(), |known| known.digest),
        signature,
        recovered: recovered.map(|known| (known.digest, known.signer)),
    };
    self::transfer(&transfer, place)
}

/// Executes Permit2's `permitWitnessTransferFrom`. `Ok` are all its effects.
///
/// # Errors
///
/// The name of Permit2's error, or [`TRANSFER_FAILED`].
pub fn transfer(call: &Transfer, place: &Place<'_>) -> Result<Vec<Effect>, Revert> {
    require(U256::from(place.block_time) <= call.deadline, "SignatureExpired(uint256)")?;
    require(call.amount <= call.permitted, "InvalidAmount(uint256)")?;
    require(!place.view.is_used(&call.once), "InvalidNonce()")?;
    if place.signatures == Signatures::Checked {
        check_signature(call, place)?;
    }
    let mut effects = vec![Effect::Use(call.once)];
    effects.extend(transfer_from(call, place).ok_or(Revert(TRANSFER_FAILED))?);
    Ok(effects)
}

/// Permit2's `SignatureVerification`.
fn check_signature(call: &Transfer, place: &Place<'_>) -> Result<(), Revert> {
    if !matches!(code_at(place.catalog, place.network, call.owner), Code::Nothing) {
        return Err(Revert("InvalidContractSignature()"));
    }
    // The precompile knows no other `v`; it takes any `s`.
    let recover = || matches!(call.signature.v, 27 | 28).then(|| call.signature.recover(call.digest)).flatten();
    let known = call.recovered.filter(|(digest, _)| *digest == call.digest && matches!(call.signature.v, 27 | 28));
    let signer = known.map_or_else(recover, |(_, signer)| signer).ok_or(Revert("InvalidSignature()"))?;
    require(signer == call.owner, "InvalidSigner()")
}

/// The token's `transferFrom`, called by Permit2. `None` where it reverts, or where no token is.
fn transfer_from(call: &Transfer, place: &Place<'_>) -> Option<Vec<Effect>> {
    let token = place.catalog.token(place.network, call.token)?;
    allowed_transfer(token, [PERMIT2, call.owner, call.to], call.amount, place.view)
}

/// A token's `transferFrom`: spender, owner, payee. An allowance of 2^256 - 1 does not shrink.
fn allowed_transfer(
    token: &Token,
    [spender, owner, to]: [Address; 3],
    value: U256,
    view: &View,
) -> Option<Vec<Effect>> {
    let asset = token.id;
    let [by, from, payee] = [spender, owner, to].map(Account::from);
    let blocked = [owner, to].contains(&token.contract) || [by, from, payee].iter().any(|it| view.is_blocked(*it));
    let allowed = view.allowance(asset, from, by);
    if blocked || value > allowed {
        return None;
    }
    let mut effects = move_token(token, [owner, to], value, view).ok()?;
    if allowed != U256::MAX {
        effects.push(Effect::Approve { asset, owner: from, spender: by, before: allowed, after: allowed - value });
    }
    Some(effects)
}

fn require(holds: bool, name: &'static str) -> Result<(), Revert> {
    if holds { Ok(()) } else { Err(Revert(name)) }
}
