//! The chain that a transaction meets: mints and accounts as the ledger has them.
//!
//! The ledger counts tokens by owner and mint, as offers name them; a chain by token account. Between the two stands
//! what is known of a token account's owner. Where a transfer goes to a token account whose owner nobody has named yet,
//! the ledger counts under an account that is derived from the address, and its owner takes that over when he first
//! spends. So an owner's address and a token account's never mean the same row, whoever asks to be paid at which.

use alloy_primitives::{B256, U256};

use crate::catalog::Catalog;
use crate::ledger::{Account, AssetId, Once, TokenAccounts, UnknownAccounts, View};
use crate::networks::solana::directory::Directory;
use crate::networks::solana::key::Key;
use crate::networks::solana::{self, assets, tables};

/// What every account holds in lamports that this chain sees for the first time: a million SOL, so that fees never run
/// out.
pub const LAMPORTS: u64 = 1_000_000 * 1_000_000_000;

/// The chain that a transaction meets.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The enabled networks.
    pub catalog: &'a Catalog,
    /// The state of the ledger.
    pub view: &'a View,
    /// The cluster's CAIP-2 id.
    pub network: &'a str,
    /// The clock, in milliseconds.
    pub now: u64,
    /// Whose token accounts are known.
    pub directory: &'a Directory,
}

/// A mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mint {
    /// Its number in the ledger.
    pub asset: AssetId,
    /// Its address.
    pub key: Key,
    /// The token program that owns it.
    pub program: Key,
    /// Its decimals.
    pub decimals: u8,
}

/// A token account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenAccount {
    /// Its address.
    pub key: Key,
    /// Its mint's number in the ledger.
    pub asset: AssetId,
    /// Its owner; the account itself where nobody has named the owner yet.
    pub owner: Key,
    /// What it holds, in atomic units.
    pub amount: u64,
    /// Whether it may send and receive nothing.
    pub frozen: bool,
    /// What of it stands in the ledger, before the transaction has done anything.
    pub(super) beneath: Parts,
}

/// What the ledger counts for a token account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    /// Under its owner, in atomic units. Who is first seen as a payee starts with nothing, as on the other chains of this
    /// world, also where he was paid before anybody named him.
    pub(super) own: U256,
    /// What came to it before anybody named its owner, in atomic units.
    pub(super) apart: Option<U256>,
    /// Under whom that is counted.
    pub(super) nobody: Account,
}

impl<'a> Site<'a> {
    /// The mint at an address.
    pub fn mint(&self, key: Key) -> Option<Mint> {
        let mint = self.catalog.mint(self.network, &key.0).filter(|_| key != solana::NATIVE)?;
        let program = assets::token_program(&mint.asset.address);
        Some(Mint { asset: mint.id, key, program, decimals: mint.asset.decimals })
    }

    /// The address of a mint by its number.
    pub fn mint_of(&self, asset: AssetId) -> Option<Key> {
        self.catalog.mint_by_id(asset).map(|mint| Key(mint.address))
    }

    /// Every mint of the cluster.
    pub fn mints(&self) -> impl Iterator<Item = Mint> + use<'a> {
        let site = *self;
        let own = self.catalog.mints().iter().filter(move |mint| mint.network == site.network);
        own.filter_map(move |mint| site.mint(Key(mint.address)))
    }

    /// The number under which the ledger counts lamports.
    pub fn native(&self) -> Option<AssetId> {
        self.catalog.mint(self.network, &solana::NATIVE.0).map(|mint| mint.id)
    }

    /// What a lookup table holds, if there is one at an address.
    pub fn lookup_table(&self, key: Key) -> Option<&'static [Key]> {
        tables::find(self.network, key)
    }

    /// Whether a message is on the chain already.
    pub fn is_processed(&self, identity: &[u8; 32]) -> bool {
        self.view.is_used(&Once::Message(B256::from(*identity)))
    }

    /// What an account holds, in lamports.
    pub fn lamports(&self, key: Key) -> u64 {
        let account = Account::from(key);
        let real = self.native().and_then(|native| self.view.ledger().balance(native, account));
        real.map_or_else(|| self.lazy_lamports(account), clamp)
    }

    /// What an account holds in lamports that nobody has touched.
    fn lazy_lamports(&self, account: Account) -> u64 {
        let grants = &self.view.grants;
        match grants.fixed.get(&account) {
            Some(fixed) => clamp(*fixed),
            None if grants.is_named(account) || grants.unknown == UnknownAccounts::Funded => LAMPORTS,
            None => 0,
        }
    }

    /// The associated token account of an owner, if it exists: always, unless the chain is strict about it.
    pub fn owned(&self, owner: Key, mint: &Mint) -> Option<TokenAccount> {
        let key = Key::token_account(owner, mint.key, mint.program);
        self.known(key, owner, mint)
    }

    /// Whether a token account is there: always, or where the chain is strict, of accounts that are configured, that
    /// hold something, and those that were made.
    fn exists(&self, asset: AssetId, owner: Account, key: Key) -> bool {
        let (grants, ledger) = (&self.view.grants, self.view.ledger());
        grants.token_accounts == TokenAccounts::Lazy
            || grants.is_named(owner)
            || ledger.balance(asset, owner).is_some()
            || ledger.balance(asset, apart(key)).is_some()
            || self.view.is_used(&solana::creation(self.network, key))
    }

    /// The token account at an address that is known to be an owner's, if it exists.
    pub(super) fn known(&self, key: Key, owner: Key, mint: &Mint) -> Option<TokenAccount> {
        let account = Account::from(owner);
        if !self.exists(mint.asset, account, key) {
            return None;
        }
        let beneath = self.parts(mint.asset, owner, key);
        let frozen = self.view.is_blocked(account);
        Some(TokenAccount { key, asset: mint.asset, owner, amount: beneath.held(), frozen, beneath })
    }

    /// What the ledger counts for a token account; nobody has named its owner where that is the account itself.
    pub(super) fn parts(&self, asset: AssetId, owner: Key, key: Key) -> Parts {
        let nobody = apart(key);
        let apart = self.view.ledger().balance(asset, nobody);
        let own = if owner == key { U256::ZERO } else { self.own_part(asset, Account::from(owner), apart) };
        Parts { own, apart, nobody }
    }

    /// What the ledger counts under the owner of a token account, to which so much came before anybody named him.
    fn own_part(&self, asset: AssetId, owner: Account, apart: Option<U256>) -> U256 {
        if let Some(real) = self.view.ledger().balance(asset, owner) {
            return real;
        }
        let is_payee = apart.is_some() && !self.is_payer(owner);
        if is_payee { U256::ZERO } else { self.view.grants.of(asset, owner) }
    }

    /// Whether an account holds the configured amount in any case, also where it is first seen as a payee.
    pub(super) fn is_payer(&self, account: Account) -> bool {
        let grants = &self.view.grants;
        grants.funded.contains(&account) || grants.fixed.contains_key(&account)
    }
}

impl Parts {
    /// All that the token account holds, in atomic units.
    pub(super) fn held(&self) -> u64 {
        clamp(self.own.saturating_add(self.apart.unwrap_or_default()))
    }
}

impl TokenAccount {
    /// Under which account the ledger counts what it holds.
    pub fn holder(&self) -> Account {
        if self.owner == self.key { self.beneath.nobody } else { self.owner.into() }
    }

    /// Every account under which the ledger may count for it.
    pub fn holders(&self) -> [Account; 2] {
        [self.beneath.nobody, self.owner.into()]
    }
}

/// Under what the ledger counts the tokens in a token account whose owner nobody has named.
pub(crate) fn apart(key: Key) -> Account {
    Account(tables::name(&[b"tokens of nobody known", &key.0]))
}

/// Tokens of this family are counted in 64 bits.
pub(super) fn clamp(amount: U256) -> u64 {
    u64::try_from(amount).unwrap_or(u64::MAX)
}
