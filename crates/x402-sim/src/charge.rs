//! Charges: what will move, made only from a passed order, whatever the family and the instrument.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::U256;

use crate::accounts;
use crate::ledger::{Account, AssetId, Effect, Once, Record, View};
use crate::networks::Asset;
use crate::networks::eip155::eip3009;
use crate::reason::Reason;

/// A payment that passed every check but its own execution.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "the commonest kind is made without an allocation")]
pub enum Charge {
    /// By `transferWithAuthorization`.
    Eip3009(eip3009::Charge),
    /// By another instrument.
    Other(Arc<dyn Instrument>),
}

/// What a charge by a rarer instrument is to the rest of the world. A new instrument implements it in its own folder.
pub trait Instrument: fmt::Debug + Send + Sync {
    /// Executes it on a state, at a block time in seconds. `Ok` are all its effects.
    ///
    /// # Errors
    ///
    /// How the chain's refusal is told.
    fn execute(&self, view: &View, block_time: u64) -> Result<Vec<Effect>, Reason>;

    /// The asset's number.
    fn asset(&self) -> AssetId;

    /// The asset.
    fn asset_in_words(&self) -> &Asset;

    /// Who pays.
    fn payer(&self) -> Account;

    /// How much moves, in atomic units.
    fn value(&self) -> U256;

    /// Whether it has a transaction: `upto` settles zero without one.
    fn has_transaction(&self) -> bool {
        true
    }

    /// Whether a settlement looks at the payment again, since what has changed meanwhile has another name there than the
    /// revert that it would lead to.
    fn is_judged_again(&self) -> bool {
        false
    }

    /// The amount that the answer to a settlement says, in atomic units; only where less than was verified may move.
    fn said_amount(&self) -> Option<U256> {
        None
    }

    /// The scheme.
    fn scheme(&self) -> &'static str {
        "exact"
    }

    /// What it uses up.
    fn once(&self) -> Once;

    /// The chain on which it counts as a transaction of the facilitator, and the facilitator's account there. `None`
    /// where transactions are not counted.
    fn sender(&self) -> Option<(u64, Account)> {
        None
    }

    /// Its transaction: the facilitator's so-and-so-manieth on its network, at a time in milliseconds, with these
    /// effects.
    fn record(&self, sequence: u32, at: u64, effects: &[Effect]) -> Record;
}

impl Charge {
    /// A charge by an instrument that is rarer than the first.
    pub fn other(charge: impl Instrument + 'static) -> Self {
        Self::Other(Arc::new(charge))
    }

    /// Executes it on a state, at a block time in seconds. `Ok` are all its effects.
    pub fn execute(&self, view: &View, block_time: u64) -> Result<Vec<Effect>, Reason> {
        match self {
            Self::Eip3009(charge) => charge.execute(view, block_time),
            Self::Other(charge) => charge.execute(view, block_time),
        }
    }

    /// The asset's number.
    pub fn asset(&self) -> AssetId {
        match self {
            Self::Eip3009(charge) => charge.asset,
            Self::Other(charge) => charge.asset(),
        }
    }

    /// The asset.
    pub fn asset_in_words(&self) -> &Asset {
        match self {
            Self::Eip3009(charge) => &charge.token().asset,
            Self::Other(charge) => charge.asset_in_words(),
        }
    }

    /// Who pays.
    pub fn payer(&self) -> Account {
        match self {
            Self::Eip3009(charge) => charge.authorization.from.into(),
            Self::Other(charge) => charge.payer(),
        }
    }

    /// How much moves, in atomic units.
    pub fn value(&self) -> U256 {
        match self {
            Self::Eip3009(charge) => charge.authorization.value,
            Self::Other(charge) => charge.value(),
        }
    }

    /// Whether it has a transaction: `upto` settles zero without one.
    pub fn has_transaction(&self) -> bool {
        match self {
            Self::Eip3009(_) => true,
            Self::Other(charge) => charge.has_transaction(),
        }
    }

    /// Whether a settlement looks at the payment again, since what has changed meanwhile has another name there than the
    /// revert that it would lead to.
    pub fn is_judged_again(&self) -> bool {
        matches!(self, Self::Other(charge) if charge.is_judged_again())
    }

    /// The amount that the answer to a settlement says, in atomic units; only where less than was verified may move.
    pub fn said_amount(&self) -> Option<U256> {
        match self {
            Self::Eip3009(_) => None,
            Self::Other(charge) => charge.said_amount(),
        }
    }

    /// The scheme.
    pub fn scheme(&self) -> &'static str {
        match self {
            Self::Eip3009(_) => "exact",
            Self::Other(charge) => charge.scheme(),
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
            Self::Other(charge) => charge.once(),
        }
    }

    /// The chain on which it counts as a transaction of the facilitator, and the facilitator's account there. `None`
    /// where transactions are not counted.
    pub fn sender(&self) -> Option<(u64, Account)> {
        match self {
            Self::Eip3009(charge) => Some((charge.token().chain_id, accounts::facilitator().evm().into())),
            Self::Other(charge) => charge.sender(),
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
            Self::Other(charge) => charge.record(sequence, at, effects),
        }
    }
}
