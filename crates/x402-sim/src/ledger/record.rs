//! Records: the transactions in a ledger's log, each with all that is needed to rebuild it.

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use serde::{Deserialize, Serialize};

use super::{Account, AssetId, Call, Effect, Once, text};
use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::signature::Ecdsa;
use crate::networks::eip155::transaction::{Transaction, settle_calldata};

/// A transaction. The first kind is by far the commonest, and takes no more memory than its own fields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the commonest kind stands in the log itself, without an allocation")]
pub enum Record {
    /// The facilitator called a token's `transferWithAuthorization`.
    Authorized {
        /// What the payer signed.
        authorization: Authorization,
        /// The payer's signature.
        signature: Ecdsa,
        /// The asset.
        asset: AssetId,
        /// How many transactions the facilitator had made before on this network.
        sequence: u32,
        /// When it was settled, in milliseconds of the world's clock.
        at: u64,
    },
    /// Another transaction.
    Other(Arc<Entry>),
}

/// A transaction of any kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The asset that moved. Where nothing did, any asset of its network.
    pub asset: AssetId,
    /// Who paid.
    pub from: Account,
    /// Who was paid.
    pub to: Account,
    /// How much moved, in atomic units.
    #[serde(with = "text::atomic")]
    pub value: U256,
    /// How many transactions its sender had made before on this network.
    pub sequence: u32,
    /// When it was made, in milliseconds of the world's clock.
    pub at: u64,
    /// What was called.
    pub call: Call,
    /// What it changed. Undoing it is the inverse of these.
    pub effects: Vec<Effect>,
}

impl Record {
    /// The asset.
    pub fn asset(&self) -> AssetId {
        match self {
            Self::Authorized { asset, .. } => *asset,
            Self::Other(entry) => entry.asset,
        }
    }

    /// Who paid.
    pub fn from(&self) -> Account {
        match self {
            Self::Authorized { authorization, .. } => authorization.from.into(),
            Self::Other(entry) => entry.from,
        }
    }

    /// Who was paid.
    pub fn to(&self) -> Account {
        match self {
            Self::Authorized { authorization, .. } => authorization.to.into(),
            Self::Other(entry) => entry.to,
        }
    }

    /// How much moved, in atomic units.
    pub fn value(&self) -> U256 {
        match self {
            Self::Authorized { authorization, .. } => authorization.value,
            Self::Other(entry) => entry.value,
        }
    }

    /// How many transactions its sender had made before on this network.
    pub fn sequence(&self) -> u32 {
        match self {
            Self::Authorized { sequence, .. } => *sequence,
            Self::Other(entry) => entry.sequence,
        }
    }

    /// When it was made, in milliseconds of the world's clock.
    pub fn at(&self) -> u64 {
        match self {
            Self::Authorized { at, .. } => *at,
            Self::Other(entry) => entry.at,
        }
    }

    /// Whether this world's facilitator made it.
    pub fn is_settlement(&self) -> bool {
        let Self::Other(entry) = self else { return true };
        entry.call.is_settlement()
    }

    /// What it used up.
    pub(crate) fn each_use(&self, mut found: impl FnMut(Once)) {
        match self {
            Self::Authorized { authorization, asset, .. } => {
                found(Once::authorization(*asset, authorization.from, authorization.nonce));
            }
            Self::Other(entry) => entry.effects.iter().for_each(|effect| {
                if let Effect::Use(once) = effect {
                    found(*once);
                }
            }),
        }
    }

    /// What gives back all that it moved and allowed; the mark that it was undone is not among it.
    pub(crate) fn inverse(&self) -> Vec<Effect> {
        match self {
            Self::Authorized { .. } => {
                let (asset, from, to, value) = (self.asset(), self.to(), self.from(), self.value());
                vec![Effect::Move { asset, from, to, value }]
            }
            Self::Other(entry) => entry.effects.iter().rev().filter_map(Effect::inverse).collect(),
        }
    }

    /// The same transaction made once more, which only moves the amount again.
    pub(crate) fn again(&self, number: u32) -> (Self, Vec<Effect>) {
        let (asset, from, to, value) = (self.asset(), self.from(), self.to(), self.value());
        let effects = vec![Effect::Move { asset, from, to, value }];
        let mut again = self.clone();
        match &mut again {
            Self::Authorized { sequence, .. } => *sequence = number,
            Self::Other(entry) => {
                let entry = Arc::make_mut(entry);
                (entry.sequence, entry.effects) = (number, effects.clone());
            }
        }
        (again, effects)
    }
}

impl Entry {
    /// The transaction of this world's facilitator, before it is signed; `None` where its call says it all itself.
    pub(crate) fn transaction(&self) -> Option<Transaction> {
        match &self.call {
            Call::Permit2 { permit, signature } => Some(Transaction {
                chain_id: permit.chain_id,
                nonce: u64::from(self.sequence),
                to: permit.spender,
                input: settle_calldata(permit, self.value, Address::from_slice(&self.from.0[12..]), signature),
            }),
            Call::Raw { .. } | Call::Svm { .. } => None,
        }
    }

    /// The amount that the answer to a settlement says, in atomic units; only `upto` says one.
    pub(crate) fn said_amount(&self) -> Option<U256> {
        self.call.says_its_amount().then_some(self.value)
    }

    /// The same, with the numbers of assets that another catalog gives.
    pub(crate) fn renumbered<E>(mut self, number: impl Fn(AssetId) -> Result<AssetId, E>) -> Result<Self, E> {
        self.asset = number(self.asset)?;
        for asset in self.effects.iter_mut().filter_map(Effect::asset_mut) {
            *asset = number(*asset)?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_record_takes_no_more_memory_than_its_fields() {
        assert!(size_of::<Record>() <= 248, "{}", size_of::<Record>());
    }
}
