//! What will move: made only from a case that passed its order.

use std::sync::Arc;

use alloy_primitives::{Address, U256};

use super::Scheme;
use super::case::Case;
use super::contract::{Place, Recovered, Settle, TRANSFER_FAILED, settle};
use super::permit::Permit;
use crate::accounts;
use crate::catalog::{Catalog, Token};
use crate::charge::Instrument;
use crate::ledger::{Account, AssetId, Call, Effect, Entry, Once, Record, View};
use crate::networks::Asset;
use crate::networks::eip155::chain::{Revert, Signatures};
use crate::networks::eip155::signature::Ecdsa;
use crate::order::{Depth, Passed};
use crate::reason::{self, Reason};

/// A settlement that passed every check but its own execution.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The scheme.
    pub scheme: Scheme,
    /// The token's number.
    pub asset: AssetId,
    /// What the payer signed.
    pub permit: Permit,
    /// Who pays.
    pub owner: Address,
    /// How much moves. Zero moves nothing, and has no transaction.
    pub amount: U256,
    /// The signature that the proxy is called with.
    pub signature: Ecdsa,
    signatures: Signatures,
    facilitator: Address,
    recovered: Option<Recovered>,
    catalog: Arc<Catalog>,
}

impl Charge {
    /// The charge of a case that passed.
    ///
    /// # Errors
    ///
    /// An asset that is no token; more than the payer has signed for.
    pub fn new(case: &Case<'_>, depth: Depth, _: &Passed) -> Result<Self, Reason> {
        let claim = &case.claim;
        let Some(token) = case.token() else {
            let reverted = case.simulate(claim.permit.amount).err();
            return Err(reason_of_revert(reverted.unwrap_or(Revert(TRANSFER_FAILED))));
        };
        let no_parts = || reason::Code::Permit2Signature.because("the signature has no r, s and v");
        let amount = match (claim.scheme, depth) {
            (Scheme::Upto, Depth::Settle) => claim.asked.amount,
            _ => Some(claim.permit.amount),
        };
        let amount = amount.filter(|amount| *amount <= claim.permit.amount).ok_or_else(|| {
            let permitted = crate::explain::money(claim.permit.amount, Some(token));
            reason::Code::UptoExceeds.because(format!("the settlement asks for more than the permitted {permitted}"))
        })?;
        Ok(Self {
            scheme: claim.scheme,
            asset: token.id,
            permit: claim.permit,
            owner: claim.owner,
            amount,
            signature: case.call_signature().ok_or_else(no_parts)?,
            signatures: case.signatures,
            facilitator: case.facilitator,
            recovered: if case.signatures == Signatures::Checked { case.recovered() } else { None },
            catalog: Arc::clone(&case.chain.catalog),
        })
    }

    /// The token.
    ///
    /// # Panics
    ///
    /// Never: the charge was made with this catalog.
    pub fn token(&self) -> &Token {
        self.catalog.token_by_id(self.asset).expect("the charge was made with a token of this catalog")
    }

    /// Whether it has a transaction: `upto` settles zero without one, and its nonce stays unused.
    pub fn has_transaction(&self) -> bool {
        self.scheme != Scheme::Upto || !self.amount.is_zero()
    }

    /// Executes the settlement on a state, at a block time in seconds.
    pub fn execute(&self, view: &View, block_time: u64) -> Result<Vec<Effect>, Reason> {
        if !self.has_transaction() {
            return Ok(Vec::new());
        }
        let Self { permit, amount, owner, signature, facilitator: caller, recovered, .. } = *self;
        let call = Settle { permit, amount, owner, signature, caller, recovered };
        let network = self.token().network.as_str();
        let place = Place { catalog: &self.catalog, network, view, block_time, signatures: self.signatures };
        settle(&call, &place).map_err(reason_of_revert)
    }
}

impl Instrument for Charge {
    fn execute(&self, view: &View, block_time: u64) -> Result<Vec<Effect>, Reason> {
        self.execute(view, block_time)
    }

    fn asset(&self) -> AssetId {
        self.asset
    }

    fn asset_in_words(&self) -> &Asset {
        &self.token().asset
    }

    fn payer(&self) -> Account {
        self.owner.into()
    }

    fn value(&self) -> U256 {
        self.amount
    }

    fn has_transaction(&self) -> bool {
        self.has_transaction()
    }

    fn is_judged_again(&self) -> bool {
        true
    }

    fn said_amount(&self) -> Option<U256> {
        (self.scheme == Scheme::Upto).then_some(self.amount)
    }

    fn scheme(&self) -> &'static str {
        self.scheme.name()
    }

    fn once(&self) -> Once {
        self.permit.once(self.owner)
    }

    fn sender(&self) -> Option<(u64, Account)> {
        Some((self.permit.chain_id, accounts::facilitator().evm().into()))
    }

    fn record(&self, sequence: u32, at: u64, effects: &[Effect]) -> Record {
        let Self { permit, signature, asset, amount: value, .. } = *self;
        let call = Call::Permit2 { permit, signature };
        let (from, to, effects) = (self.owner.into(), permit.witness.to.into(), effects.to_vec());
        Record::Other(Arc::new(Entry { asset, from, to, value, sequence, at, call, effects }))
    }
}

/// How a revert is told on settle: by the error's name.
///
/// Source: TS 2.27 `mapSettleError`.
pub fn reason_of_revert(revert: Revert) -> Reason {
    let code = match revert.0 {
        "InvalidAmount()" => reason::Code::Permit2InvalidAmount,
        "InvalidDestination()" => reason::Code::Permit2InvalidDestination,
        "InvalidOwner()" => reason::Code::Permit2InvalidOwner,
        "PaymentTooEarly()" => reason::Code::Permit2TooEarly,
        "InvalidSignature()" | "InvalidSigner()" | "InvalidSignatureLength()" | "SignatureExpired(uint256)" => {
            reason::Code::Permit2Signature
        }
        "InvalidNonce()" => reason::Code::Permit2InvalidNonce,
        _ => reason::Code::TransactionFailed,
    };
    code.because(format!("the settlement reverted: {}", revert.0))
}
