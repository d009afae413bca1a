//! Effects: the atomic changes of a ledger, and what undoes them.

use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};

use super::{Account, AssetId, text};

/// One atomic change. An executed call is a list of them, all or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// A lazy grant becomes a real balance. Amount in atomic units.
    Mint(AssetId, Account, #[serde(with = "text::atomic")] U256),
    /// Money moves. Amount in atomic units.
    Move {
        /// The asset.
        asset: AssetId,
        /// Whose balance shrinks.
        from: Account,
        /// Whose balance grows.
        to: Account,
        /// How much, in atomic units.
        #[serde(with = "text::atomic")]
        value: U256,
    },
    /// Something that can be used once is used up, by the transaction that this effect belongs to.
    Use(Once),
    /// Something that can be used once is cancelled: it never pays.
    Cancel(Once),
    /// What was cancelled can be used after all.
    Revive(Once),
    /// Money appears in a balance that is real. Amount in atomic units.
    Grant(AssetId, Account, #[serde(with = "text::atomic")] U256),
    /// Money disappears from a balance that is real and large enough. Amount in atomic units.
    Burn(AssetId, Account, #[serde(with = "text::atomic")] U256),
    /// How much of an owner's money a spender may move. Amounts in atomic units; 2^256 - 1 has no end.
    Approve {
        /// The asset.
        asset: AssetId,
        /// Whose money it is.
        owner: Account,
        /// Who may move it.
        spender: Account,
        /// What it was before.
        #[serde(with = "text::atomic")]
        before: U256,
        /// What it is now.
        #[serde(with = "text::atomic")]
        after: U256,
    },
    /// How many permits (EIP-2612) of an owner a token has taken.
    Permits {
        /// The asset.
        asset: AssetId,
        /// Who signs the permits.
        owner: Account,
        /// How many it were before.
        before: u64,
        /// How many it are now.
        after: u64,
    },
    /// An account has made one transaction more on a chain: its nonce there grows.
    Count {
        /// The chain id.
        chain: u64,
        /// The account.
        account: Account,
    },
    /// Every asset blacklists an account.
    Block(Account),
    /// No asset blacklists an account any more.
    Unblock(Account),
    /// A transaction, by its number, did not happen after all: what it used can be used again.
    Undo(u32),
}

/// Something that can be used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Once {
    /// An authorization of EIP-3009.
    Authorization {
        /// The asset whose contract counts it.
        asset: AssetId,
        /// Who signed it.
        from: Account,
        /// The nonce.
        #[serde(with = "text::word")]
        nonce: B256,
    },
    /// A nonce of the Permit2 contract, which are in no order.
    Permit2 {
        /// The chain id: each has its own contract.
        chain: u64,
        /// Who signed it.
        owner: Account,
        /// The nonce.
        #[serde(with = "text::atomic")]
        nonce: U256,
    },
    /// A message that a chain takes once: by its hash.
    Message(#[serde(with = "text::word")] B256),
}

impl Once {
    /// An authorization of EIP-3009.
    pub fn authorization(asset: AssetId, from: Address, nonce: B256) -> Self {
        Self::Authorization { asset, from: from.into(), nonce }
    }
}

impl Effect {
    /// What undoes it besides the mark that its transaction was undone. A lazy grant stays: it was there before.
    pub(crate) fn inverse(&self) -> Option<Self> {
        match *self {
            Self::Move { asset, from, to, value } => Some(Self::Move { asset, from: to, to: from, value }),
            Self::Cancel(once) => Some(Self::Revive(once)),
            Self::Revive(once) => Some(Self::Cancel(once)),
            Self::Grant(asset, account, value) => Some(Self::Burn(asset, account, value)),
            Self::Burn(asset, account, value) => Some(Self::Grant(asset, account, value)),
            Self::Approve { asset, owner, spender, before, after } => {
                Some(Self::Approve { asset, owner, spender, before: after, after: before })
            }
            Self::Permits { asset, owner, before, after } => {
                Some(Self::Permits { asset, owner, before: after, after: before })
            }
            Self::Block(account) => Some(Self::Unblock(account)),
            Self::Unblock(account) => Some(Self::Block(account)),
            Self::Mint(..) | Self::Use(_) | Self::Count { .. } | Self::Undo(_) => None,
        }
    }

    /// The number of the asset that it is about: a file has numbers of its own.
    pub(crate) const fn asset_mut(&mut self) -> Option<&mut AssetId> {
        match self {
            Self::Mint(asset, ..)
            | Self::Grant(asset, ..)
            | Self::Burn(asset, ..)
            | Self::Move { asset, .. }
            | Self::Approve { asset, .. }
            | Self::Permits { asset, .. }
            | Self::Use(Once::Authorization { asset, .. })
            | Self::Cancel(Once::Authorization { asset, .. })
            | Self::Revive(Once::Authorization { asset, .. }) => Some(asset),
            Self::Use(_)
            | Self::Cancel(_)
            | Self::Revive(_)
            | Self::Count { .. }
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Undo(_) => None,
        }
    }
}
