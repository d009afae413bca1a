//! A claim beside the state of the chain. Costly facts are computed once, when they are first asked for.

use std::cell::OnceCell;

use alloy_primitives::{Address, U256};

use super::claim::Claim;
use super::contract::{Place, Recovered, Settle, settle};
use crate::accounts;
use crate::catalog::Token;
use crate::chain::Chain;
use crate::ledger::Effect;
use crate::networks::eip155::chain::{Code, Revert, Signatures, code_at};
use crate::networks::eip155::signature::{Ecdsa, Signature};
use crate::order::Depth;

use super::Scheme;

/// What a check may look at.
#[derive(Debug)]
pub struct Case<'a> {
    /// What payer and resource say.
    pub claim: Claim<'a>,
    /// The state of the chain.
    pub chain: &'a Chain,
    /// What stands at the asset's address.
    pub code: Code<'a>,
    /// The clock, in seconds.
    pub now: u64,
    /// Whether signatures are looked at.
    pub signatures: Signatures,
    /// The amount that is checked, in atomic units. A settlement of `upto` asks for less than was verified, and is
    /// checked for what was signed.
    pub amount: Option<U256>,
    /// The facilitator's own address.
    pub facilitator: Address,
    recovered: OnceCell<Option<Recovered>>,
}

impl<'a> Case<'a> {
    /// A claim beside a state of the chain at a second.
    pub fn new(claim: Claim<'a>, chain: &'a Chain, now: u64, depth: Depth, signatures: Signatures) -> Self {
        let code = code_at(&chain.catalog, claim.asked.network, claim.asked.asset);
        let amount = match (claim.scheme, depth) {
            (Scheme::Upto, Depth::Settle) => Some(claim.permit.amount),
            _ => claim.asked.amount,
        };
        let facilitator = accounts::facilitator().evm();
        Self { claim, chain, code, now, signatures, amount, facilitator, recovered: OnceCell::new() }
    }

    /// The token at the asset's address, if there is one.
    pub const fn token(&self) -> Option<&'a Token> {
        match self.code {
            Code::Token(token) => Some(token),
            Code::Nothing | Code::Other => None,
        }
    }

    /// Whether the payer is a contract.
    pub fn is_contract(&self) -> bool {
        !matches!(code_at(&self.chain.catalog, self.claim.asked.network, self.claim.owner), Code::Nothing)
    }

    /// The digest that was to be signed, and whose signature it is. Recovered once.
    pub fn recovered(&self) -> Option<Recovered> {
        *self.recovered.get_or_init(|| {
            let Signature::Ecdsa(signature) = &self.claim.signature else { return None };
            let permit = self.claim.permit;
            let digest = permit.digest();
            Some(Recovered { permit, digest, signer: signature.recover(digest) })
        })
    }

    /// The signature to call the proxy with. A trusted one may have any form.
    pub fn call_signature(&self) -> Option<Ecdsa> {
        match (&self.claim.signature, self.signatures) {
            (Signature::Ecdsa(signature), _) => Some(*signature),
            (_, Signatures::Trusted) => Some(Ecdsa { compact: [0; 64], v: 27 }),
            (_, Signatures::Checked) => None,
        }
    }

    /// What a settlement of this amount would do now.
    pub fn simulate(&self, amount: U256) -> Result<Vec<Effect>, Revert> {
        let call = Settle {
            permit: self.claim.permit,
            amount,
            owner: self.claim.owner,
            signature: self.call_signature().ok_or(Revert("InvalidSignatureLength()"))?,
            caller: self.facilitator,
            recovered: self.recovered.get().copied().flatten(),
        };
        let place = Place {
            catalog: &self.chain.catalog,
            network: self.claim.asked.network,
            view: &self.chain.view,
            block_time: self.now,
            signatures: self.signatures,
        };
        settle(&call, &place)
    }
}
