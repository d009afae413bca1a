//! Whose token account is whose. An address follows from its owner, and not the other way: whoever was named once is
//! remembered. This is knowledge, and no state: it never becomes wrong.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::OnceLock;

use super::key::Key;
use super::runtime::Mint;
use super::{assets, known};
use crate::accounts;
use crate::catalog::Catalog;
use crate::ledger::AssetId;

/// How many owners of a cluster are remembered besides the test accounts: the newest.
const OWNERS: usize = 20_000;

/// Owners by their token accounts.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    clusters: BTreeMap<String, Owners>,
}

/// The owners of a cluster.
#[derive(Clone, Debug, Default)]
struct Owners {
    accounts: BTreeMap<Key, (AssetId, Key)>,
    /// The token accounts of each owner.
    known: BTreeMap<Key, Vec<Key>>,
    /// The oldest first.
    order: VecDeque<Key>,
}

impl Directory {
    /// Nobody but the test accounts.
    pub const fn new() -> Self {
        Self { clusters: BTreeMap::new() }
    }

    /// Number of the mint, and owner of a token account.
    pub fn find(&self, network: &str, account: Key) -> Option<(AssetId, Key)> {
        self.clusters.get(network)?.accounts.get(&account).copied()
    }

    /// Whether an owner's token accounts are known for so many mints of a cluster.
    pub fn knows(&self, network: &str, owner: Key, mints: usize) -> bool {
        let known = self.clusters.get(network).and_then(|own| own.known.get(&owner));
        known.is_some_and(|accounts| accounts.len() == mints)
    }

    /// Remembers an owner's token accounts for the mints of a cluster. The oldest owner goes when there are too many.
    pub fn learn(&mut self, network: &str, owner: Key, mints: impl Iterator<Item = Mint>) {
        if !self.clusters.contains_key(network) {
            self.clusters.insert(network.to_owned(), Owners::default());
        }
        let Some(own) = self.clusters.get_mut(network) else { return };
        let mut accounts = Vec::new();
        for mint in mints {
            let account = Key::token_account(owner, mint.key, mint.program);
            own.accounts.insert(account, (mint.asset, owner));
            accounts.push(account);
        }
        if own.known.insert(owner, accounts).is_none() {
            own.order.push_back(owner);
        }
        if own.order.len() > OWNERS
            && let Some(oldest) = own.order.pop_front()
        {
            for account in own.known.remove(&oldest).unwrap_or_default() {
                own.accounts.remove(&account);
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::solana::{ed25519, program};

    fn mints(count: u16) -> impl Iterator<Item = Mint> {
        let mint = |number| Mint {
            asset: AssetId(number),
            key: Key([u8::try_from(number).unwrap_or(0); 32]),
            program: program::TOKEN,
            decimals: 6,
        };
        (0..count).map(mint)
    }

    #[test]
    fn an_owner_is_known_on_the_cluster_where_he_was_named_and_with_every_mint_of_it() {
        let owner = ed25519::key_of(&[1; 32]);
        let mut directory = Directory::new();
        directory.learn("a", owner, mints(1));
        let account = Key::token_account(owner, Key([0; 32]), program::TOKEN);
        assert_eq!(directory.find("a", account), Some((AssetId(0), owner)));
        assert_eq!((directory.find("b", account), directory.knows("b", owner, 1)), (None, false));
        // A configuration that was read again may have another mint.
        assert!(directory.knows("a", owner, 1) && !directory.knows("a", owner, 2));
        directory.learn("a", owner, mints(2));
        assert!(directory.knows("a", owner, 2));
        assert_eq!(directory.clusters["a"].order.len(), 1);
    }

    #[test]
    fn the_oldest_owner_goes_when_there_are_too_many() {
        let mut directory = Directory::new();
        let owner = |number: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_be_bytes());
            Key(key)
        };
        let account = |number| Key::token_account(owner(number), Key([0; 32]), program::TOKEN);
        for number in 0..=OWNERS {
            directory.learn("a", owner(number), mints(1));
        }
        let own = &directory.clusters["a"];
        assert_eq!([own.order.len(), own.known.len(), own.accounts.len()], [OWNERS; 3]);
        assert_eq!(directory.find("a", account(0)), None);
        assert!([1, OWNERS].map(account).into_iter().all(|account| directory.find("a", account).is_some()));
    }
}
