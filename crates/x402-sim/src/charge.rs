//! Charges: what will move, made only from a passed order, whatever the family and the instrument.

use std::sync::Arc;

use alloy_primitives::U256;

use crate::accounts;
use crate::ledger::{Account, AssetId, Call, Effect, Entry, Once, Record, View};
use crate::networks::Asset;
use crate::networks::eip155::{eip3009, permit2};
use crate::networks::solana::exact as svm;
use crate::reason::Reason;

/// A payment that passed every check but its own execution. A kind that is rarer than the first is boxed.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "the commonest kind is made without an allocation")]
pub enum Charge {
    /// By `transferWithAuthorization`.
    Eip3009(eip3009::Charge),
    /// By the Permit2 contract: `exact` or `upto`.
    Permit2(Box<permit2::Charge>),
    /// By a transaction on Solana.
    Svm(Box<svm::Charge>),
}

impl Charge {
    /// Executes it on a state, at a block time in seconds. `Ok` are all its effects.
    pub fn execute(&self, view: &View, block_time: u64) -> Result<Vec<Effect>, Reason> {
        match self {
            Self::Eip3009(charge) => charge.execute(view, block_time),
            Self::Permit2(charge) => charge.execute(view, block_time),
            Self::Svm(charge) => charge.execute(view, block_time),
        }
    }

    /// The asset's number.
    pub const fn asset(&self) -> AssetId {
        match self {
            Self::Eip3009(charge) => charge.asset,
            Self::Permit2(charge) => charge.asset,
            Self::Svm(charge) => charge.asset,
        }
    }

    /// The asset.
    pub fn asset_in_words(&self) -> &Asset {
        match self {
            Self::Eip3009(charge) => &charge.token().asset,
            Self::Permit2(charge) => &charge.token().asset,
            Self::Svm(charge) => &charge.mint().asset,
        }
    }

    /// Who pays.
    pub fn payer(&self) -> Account {
        match self {
            Self::Eip3009(charge) => charge.authorization.from.into(),
            Self::Permit2(charge) => charge.owner.into(),
            Self::Svm(charge) => charge.payer.into(),
        }
    }

    /// How much moves, in atomic units.
    pub const fn value(&self) -> U256 {
        match self {
            Self::Eip3009(charge) => charge.authorization.value,
            Self::Permit2(charge) => charge.amount,
            Self::Svm(charge) => U256::from_limbs([charge.value, 0, 0, 0]),
        }
    }

    /// Whether it has a transaction: `upto` settles zero without one.
    pub fn has_transaction(&self) -> bool {
        match self {
            Self::Permit2(charge) => charge.has_transaction(),
            Self::Eip3009(_) | Self::Svm(_) => true,
        }
    }

    /// Whether a settlement looks at the payment again, since what has changed meanwhile has another name there than the
    /// revert that it would lead to.
    pub const fn is_judged_again(&self) -> bool {
        matches!(self, Self::Permit2(_))
    }

    /// The amount that the answer to a settlement says, in atomic units; only where less than was verified may move.
    pub fn said_amount(&self) -> Option<U256> {
        match self {
            Self::Permit2(charge) => (charge.scheme == permit2::Scheme::Upto).then_some(charge.amount),
            Self::Eip3009(_) | Self::Svm(_) => None,
        }
    }

    /// The scheme.
    pub const fn scheme(&self) -> &'static str {
        match self {
            Self::Permit2(charge) => charge.scheme.name(),
            Self::Eip3009(_) | Self::Svm(_) => "exact",
        }
    }

    /// The amount for people: `0.01 USDC`.
    pub fn written(&self) -> String {
        self.asset_in_words().written(self.value())
    }

    /// What it uses up.
    pub fn once(&self) -> Once {
        match self {
            Self::Eip3009(charge) => {
                Once::authorization(charge.asset, charge.authorization.from, charge.authorization.nonce)
            }
            Self::Permit2(charge) => charge.permit.once(charge.owner),
            Self::Svm(charge) => charge.once(),
        }
    }

    /// The chain on which it counts as a transaction of the facilitator, and the facilitator's account there. `None`
    /// where transactions are not counted.
    pub fn sender(&self) -> Option<(u64, Account)> {
        match self {
            Self::Eip3009(charge) => Some((charge.token().chain_id, accounts::facilitator().evm().into())),
            Self::Permit2(charge) => Some((charge.permit.chain_id, accounts::facilitator().evm().into())),
            Self::Svm(_) => None,
        }
    }

    /// Its transaction: the facilitator's so-and-so-manieth on its network, at a time in milliseconds, with these
    /// effects.
    pub fn record(&self, sequence: u32, at: u64, effects: &[Effect]) -> Record {
        match self {
            Self::Eip3009(charge) => {
                let eip3009::Charge { authorization, signature, asset, .. } = *charge;
                Record::Authorized { authorization, signature, asset, sequence, at }
            }
            Self::Permit2(charge) => {
                let permit2::Charge { permit, signature, asset, amount: value, .. } = **charge;
                let call = Call::Permit2 { permit, signature };
                let (from, to, effects) = (charge.owner.into(), permit.witness.to.into(), effects.to_vec());
                Record::Other(Arc::new(Entry { asset, from, to, value, sequence, at, call, effects }))
            }
            Self::Svm(charge) => charge.record(at, effects),
        }
    }
}
