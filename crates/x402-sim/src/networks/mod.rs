//! Networks and their assets. One folder a family; [`crate::registry`] lists what is known.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ledger::Account;
use crate::registry::FAMILIES;

pub mod eip155;
pub mod family;
pub mod solana;

pub use crate::registry::{Family, Transfer};

/// Whether money on a network is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// A main network: signatures by real keys are valid on the real chain.
    Main,
    /// A test network.
    Test,
}

/// A network and the assets that are known on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The CAIP-2 id: `eip155:84532`.
    pub id: String,
    /// The name that people use: `Base Sepolia`.
    pub name: String,
    /// The name in protocol version 1, if it has one: `base-sepolia`.
    pub v1_name: Option<String>,
    /// Whether money on it is real.
    pub stage: Stage,
    /// Its family.
    pub family: Family,
    /// Its assets; the first is the one that a price in dollars means.
    pub assets: Vec<Asset>,
}

/// A token on a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its address in the family's canonical form (EIP-55 checksum, or base58).
    pub address: String,
    /// Its ticker: `USDC`.
    pub symbol: String,
    /// Its EIP-712 domain name; `USDC` on Base Sepolia, `USD Coin` on Base.
    pub name: String,
    /// Its EIP-712 domain version.
    pub version: String,
    /// How many decimals one unit has.
    pub decimals: u8,
    /// How it can be moved.
    pub transfer: Transfer,
    /// Whether its contract takes permits by EIP-2612.
    pub eip2612: bool,
}

/// An account as a network with this CAIP-2 id writes it.
pub fn written(network: &str, account: Account) -> String {
    Family::of(network).map_or_else(|| bs58::encode(account.0).into_string(), |family| (family.row().written)(account))
}

/// The account that an address means, whichever family it is of.
pub fn any_account(text: &str) -> Option<Account> {
    FAMILIES.iter().find_map(|row| (row.account)(text))
}

impl Network {
    /// The chain id of an `eip155` network.
    pub fn chain_id(&self) -> Option<u64> {
        eip155::chain_id(&self.id)
    }

    /// The asset with this ticker, whatever its case.
    pub fn asset_by_symbol(&self, symbol: &str) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.symbol.eq_ignore_ascii_case(symbol))
    }

    /// The asset at this address; `eip155` addresses in any case.
    pub fn asset_by_address(&self, address: &str) -> Option<&Asset> {
        let is_same = self.family.row().is_same;
        self.assets.iter().find(|asset| is_same(&asset.address, address))
    }

    /// Whether this text names the network: its CAIP-2 id or its version 1 name.
    pub fn is_called(&self, text: &str) -> bool {
        self.id == text || self.v1_name.as_deref() == Some(text)
    }
}

/// The account that a text names on a network.
pub fn account(network: &Network, text: &str) -> Option<Account> {
    (network.family.row().account)(text)
}

impl fmt::Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.name, self.id)
    }
}
