//! The only lists: which networks are known, and which (version, scheme, instrument) pairs are played on them.

use crate::networks::{self, Family, Network, Stage, Transfer};

/// Every network that is known without configuration, test networks first.
pub fn networks() -> Vec<Network> {
    let mut all = networks::eip155::assets::known();
    all.extend(networks::solana::known());
    all.sort_by_key(|network| network.stage == Stage::Main);
    all
}

/// One way to pay that this simulation plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The protocol version.
    pub version: Version,
    /// The scheme.
    pub scheme: &'static str,
    /// How the asset is moved.
    pub instrument: Transfer,
    /// On which family of networks.
    pub family: Family,
}

/// A protocol version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// Protocol version 1.
    V1,
    /// Protocol version 2.
    V2,
}

/// Every pair: `/supported`, offers and verification know these and no others.
pub const PAIRS: &[Pair] = &[
    Pair { version: Version::V2, scheme: "exact", instrument: Transfer::Eip3009, family: Family::Eip155 },
    Pair { version: Version::V1, scheme: "exact", instrument: Transfer::Eip3009, family: Family::Eip155 },
];

/// Whether something on this network can be paid by some pair.
pub fn is_payable(network: &Network) -> bool {
    PAIRS.iter().any(|pair| {
        pair.family == network.family && network.assets.iter().any(|asset| asset.transfer == pair.instrument)
    })
}

impl Version {
    /// The number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// The version that a number on the wire means.
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            _ => None,
        }
    }
}
