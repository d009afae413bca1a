//! Whose token account is whose. An address follows from its owner, and not the other way: whoever was named once is
//! remembered. This is knowledge, and no state: it never becomes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::key::Key;
use super::runtime::bank::Mint;
use super::{assets, known};
use crate::accounts;
use crate::catalog::Catalog;
use crate::ledger::AssetId;

/// How many owners are remembered besides the test accounts.
const OWNERS: usize = 20_000;

/// Owners by their token accounts.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    owners: BTreeSet<Key>,
    accounts: BTreeMap<(String, Key), (AssetId, Key)>,
}

impl Directory {
    /// Nobody but the test accounts.
    pub const fn new() -> Self {
        Self { owners: BTreeSet::new(), accounts: BTreeMap::new() }
    }

    /// Number of the mint, and owner of a token account.
    pub fn find(&self, network: &str, account: Key) -> Option<(AssetId, Key)> {
        // Most directories are empty, and then nothing is copied for a question.
        if self.accounts.is_empty() {
            return None;
        }
        self.accounts.get(&(network.to_owned(), account)).copied()
    }

    /// Remembers an owner's token accounts for the mints of a cluster. Addresses that nobody can own are left out.
    pub fn learn(&mut self, network: &str, owner: Key, mints: impl Iterator<Item = Mint>) {
        if self.owners.len() >= OWNERS || !self.owners.insert(owner) || !owner.is_on_curve() {
            return;
        }
        for mint in mints {
            let account = Key::token_account(owner, mint.key, mint.program);
            self.accounts.insert((network.to_owned(), account), (mint.asset, owner));
        }
    }
}

/// The mint and the owner of a test account's token account, of the mints that are known without configuration.
pub fn test_account(account: Key) -> Option<(Key, Key)> {
    static TABLE: OnceLock<BTreeMap<Key, (Key, Key)>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mints: BTreeSet<Key> =
            known().iter().flat_map(|network| &network.assets).filter_map(|asset| Key::parse(&asset.address)).collect();
        let owners = accounts::all().filter_map(|account| Key::parse(account.solana_address));
        let pairs = owners.flat_map(|owner| mints.iter().map(move |mint| (*mint, owner)));
        let entry = |(mint, owner): (Key, Key)| {
            let program = assets::token_program(&mint.to_string());
            (Key::token_account(owner, mint, program), (mint, owner))
        };
        pairs.map(entry).collect()
    });
    table.get(&account).copied()
}

/// Number of the mint, and owner of a test account's token account on a cluster.
pub fn test_owner(catalog: &Catalog, network: &str, account: Key) -> Option<(AssetId, Key)> {
    let (mint, owner) = test_account(account)?;
    catalog.mint(network, &mint.0).map(|mint| (mint.id, owner))
}
