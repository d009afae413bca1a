//! What one family of networks differs in from another, as one row. [`crate::registry::FAMILIES`] lists the rows.

use std::borrow::Cow;
use std::fmt;

use alloy_primitives::U256;
use serde_json::Value;
use x402_wire::json::Json;

use super::{Asset, Network, Transfer};
use crate::World;
use crate::accounts::TestAccount;
use crate::ledger::Account;
use crate::registry::{FAMILIES, Family};
use crate::rpc::{Asked, RpcError};

/// A family of networks: what its own folder knows, and the rest of the world asks for.
#[derive(Clone, Copy)]
pub struct FamilyRow {
    /// Which it is.
    pub family: Family,
    /// How the CAIP-2 ids of its networks begin: `eip155:`.
    pub prefix: &'static str,
    /// Who signs on all of them, as `/supported` says it: `eip155:*`.
    pub signers: &'static str,
    /// The networks that are known without configuration.
    pub known: fn() -> Vec<Network>,
    /// What the ledger counts on each of its networks beside the network's own assets.
    pub natives: fn() -> Vec<Asset>,
    /// What its chains know of an asset.
    pub kept: Kept,
    /// How assets are moved there; the first is the usual one.
    pub transfers: &'static [Transfer],
    /// The most atomic units that an amount can have.
    pub largest: U256,
    /// The account at an address.
    pub account: fn(&str) -> Option<Account>,
    /// The address of an account.
    pub written: fn(Account) -> String,
    /// What an address is, for people.
    pub form: &'static str,
    /// Whether two spellings are of one address.
    pub is_same: fn(&str, &str) -> bool,
    /// The address of a test account.
    pub address_of: fn(&TestAccount) -> Cow<'static, str>,
    /// The member of a payload that holds what the payer signed, if the payload is one of this family.
    pub signed: for<'p, 'j> fn(&'p Json<'j>) -> Option<&'p Json<'j>>,
    /// Who pays, of what that member holds.
    pub payer: for<'p, 'j> fn(&'p Json<'j>) -> Option<Cow<'p, str>>,
    /// Its chains' own door.
    pub rpc: Rpc,
}

/// What the chains of a family know of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A contract with a domain: [`crate::catalog::Token`].
    Token,
    /// An address, and nothing else: [`crate::catalog::Mint`].
    Mint,
}

/// The JSON-RPC of a family.
#[derive(Clone, Copy)]
pub struct Rpc {
    /// Answers a call: world, network, method, parameters, and the time in milliseconds of the world's clock.
    pub call: fn(&mut World, &str, &str, &Value, u64) -> Result<Value, RpcError>,
    /// What a message on a socket asks for.
    pub subscription: fn(&World, &str, &str, &Value, u64) -> Result<Asked, RpcError>,
    /// How the number of a subscription is written.
    pub number: fn(u64) -> Value,
    /// The methods that send a transaction: at the stage `settle` of the table of faults.
    pub sending: &'static [&'static str],
    /// The methods that say where a chain stands.
    pub progress: &'static [&'static str],
}

impl Family {
    /// What it differs in from the others.
    pub fn row(self) -> &'static FamilyRow {
        FAMILIES[self as usize]
    }

    /// The family of a CAIP-2 id.
    pub fn of(network: &str) -> Option<Self> {
        FAMILIES.iter().find(|row| network.starts_with(row.prefix)).map(|row| row.family)
    }
}

impl fmt::Debug for FamilyRow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("FamilyRow").field("family", &self.family).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts;

    #[test]
    fn every_family_stands_in_its_place_and_knows_its_own_networks() {
        for (place, row) in FAMILIES.iter().enumerate() {
            assert_eq!(row.family as usize, place, "{row:?}");
            assert_eq!(row.signers, format!("{}*", row.prefix));
            for network in (row.known)() {
                assert_eq!((network.family, Family::of(&network.id)), (row.family, Some(row.family)), "{network}");
                assert!(network.assets.iter().all(|asset| row.transfers.contains(&asset.transfer)), "{network}");
            }
        }
        assert_eq!(Family::of("tempo:1"), None);
    }

    #[test]
    fn every_family_reads_what_it_writes() {
        for row in FAMILIES {
            for account in accounts::all() {
                let address = (row.address_of)(&account);
                let read = (row.account)(&address).unwrap_or_else(|| panic!("{row:?}: {address}"));
                assert_eq!((row.written)(read), address);
                assert!((row.is_same)(&address, &address));
            }
            for none in ["", "nobody", "0x12", "-1"] {
                assert_eq!((row.account)(none), None, "{row:?}: {none}");
            }
        }
    }
}
