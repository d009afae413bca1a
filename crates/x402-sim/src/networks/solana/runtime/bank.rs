//! Accounts as one transaction sees and changes them: the ledger beneath, and what it has done so far on top.
//!
//! The ledger counts tokens by owner and mint, as offers name them; a chain by token account. Between the two stands
//! what is known of a token account's owner. Where a transfer goes to a token account whose owner nobody has named yet,
//! the ledger counts under the account's own address, and its owner takes that over when he first spends.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, U256};

use super::failure::{Failure, Wrong};
use crate::catalog::Catalog;
use crate::ledger::{Account, AssetId, Effect, Once, TokenAccounts, UnknownAccounts, View};
use crate::networks::solana::directory::{self, Directory};
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
}

/// Accounts as one transaction leaves them.
#[derive(Clone, Debug)]
pub struct Bank<'a> {
    /// What is beneath.
    pub site: Site<'a>,
    /// What the transaction changes.
    pub effects: Vec<Effect>,
    /// What moved between owners, in sequence: asset, from, to, atomic units.
    pub moves: Vec<(AssetId, Key, Key, u64)>,
    /// Owners whom the transaction names, the last first.
    hints: Vec<Key>,
    tokens: BTreeMap<Key, TokenAccount>,
    lamports: BTreeMap<Key, u64>,
    real: BTreeSet<(AssetId, Account)>,
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
    pub fn lookup_table(&self, key: Key) -> Option<Vec<Key>> {
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
            || ledger.balance(asset, key.into()).is_some()
            || self.view.is_used(&solana::creation(self.network, key))
    }

    fn known(&self, key: Key, owner: Key, mint: &Mint) -> Option<TokenAccount> {
        let account = Account::from(owner);
        let apart = self.view.ledger().balance(mint.asset, key.into()).unwrap_or_default();
        if !self.exists(mint.asset, account, key) {
            return None;
        }
        let amount = clamp(self.view.balance(mint.asset, account).saturating_add(apart));
        let frozen = self.view.is_blocked(account);
        Some(TokenAccount { key, asset: mint.asset, owner, amount, frozen })
    }
}

impl<'a> Bank<'a> {
    /// Accounts that nothing was done to.
    pub fn new(site: Site<'a>) -> Self {
        Self {
            site,
            effects: Vec::new(),
            moves: Vec::new(),
            hints: Vec::new(),
            tokens: BTreeMap::new(),
            lamports: BTreeMap::new(),
            real: BTreeSet::new(),
        }
    }

    /// Names owners whose token accounts the transaction may use.
    pub fn learn(&mut self, owners: impl IntoIterator<Item = Key>) {
        for owner in owners {
            if !self.hints.contains(&owner) {
                self.hints.insert(0, owner);
            }
        }
    }

    /// Takes for granted whose token account this is: somebody has derived it before.
    pub fn introduce(&mut self, key: Key, owner: Key, mint: &Mint) {
        if let Some(account) = self.site.known(key, owner, mint) {
            self.tokens.insert(key, account);
        }
    }

    /// The token account at an address, of a mint where that is known, kept by a token program.
    pub fn token_account(&self, key: Key, mint: Option<Key>, token_program: Key) -> Option<TokenAccount> {
        let site = &self.site;
        let of_program = |mint: &Mint| mint.program == token_program;
        if let Some(known) = self.tokens.get(&key) {
            let mint = site.mint_of(known.asset).and_then(|mint| site.mint(mint));
            return mint.filter(of_program).map(|_| *known);
        }
        let found = site.directory.find(site.network, key);
        if let Some((asset, owner)) = found.or_else(|| directory::test_owner(site.catalog, site.network, key)) {
            let mint = site.mint_of(asset).and_then(|mint| site.mint(mint)).filter(of_program)?;
            return site.known(key, owner, &mint);
        }
        let candidates: Vec<Mint> = match mint {
            Some(mint) => site.mint(mint).into_iter().collect(),
            None => site.mints().collect(),
        };
        let candidates = || candidates.iter().filter(|mint| of_program(mint));
        for mint in candidates() {
            let owns = |owner: &&Key| Key::token_account(**owner, mint.key, mint.program) == key;
            if let Some(owner) = self.hints.iter().find(owns) {
                return site.known(key, *owner, mint);
            }
        }
        let stranger = |mint: &Mint, amount: U256| {
            let frozen = site.view.is_blocked(key.into());
            TokenAccount { key, asset: mint.asset, owner: key, amount: clamp(amount), frozen }
        };
        // The ledger counts under owners and under token accounts: what can be an owner is no token account.
        if key.is_on_curve() {
            return None;
        }
        for mint in candidates() {
            if let Some(amount) = site.view.ledger().balance(mint.asset, key.into()) {
                return Some(stranger(mint, amount));
            }
        }
        // Somebody's token account, whose owner was never named. Only where the mint is said, and no owner could be one.
        let only = mint.and_then(|mint| site.mint(mint)).filter(of_program)?;
        let lazy = site.view.grants.token_accounts == TokenAccounts::Lazy;
        (lazy && site.mint(key).is_none()).then(|| stranger(&only, U256::ZERO))
    }

    /// Moves tokens between accounts that were asked for just now.
    pub fn move_tokens(&mut self, from: &TokenAccount, to: &TokenAccount, amount: u64) {
        let value = U256::from(amount);
        let (asset, giver, taker) = (from.asset, Account::from(from.owner), Account::from(to.owner));
        self.realize(asset, giver);
        self.take_over(from);
        let grants = &self.site.view.grants;
        let granted = grants.funded.contains(&taker) || grants.fixed.contains_key(&taker);
        let untouched = !self.is_real(asset, taker);
        if granted {
            self.realize(asset, taker);
        }
        // Who is first seen as a payee starts with nothing, as on the other chains of this world.
        let granted_lazily = clamp(self.site.view.balance(asset, taker));
        let held =
            if untouched && !granted && giver != taker { to.amount.saturating_sub(granted_lazily) } else { to.amount };
        self.real.insert((asset, taker));
        self.effects.push(Effect::Move { asset, from: giver, to: taker, value });
        self.moves.push((asset, from.owner, to.owner, amount));
        self.tokens.insert(from.key, TokenAccount { amount: from.amount - amount, ..*from });
        self.tokens.insert(to.key, TokenAccount { amount: held + amount, ..*to });
    }

    /// Mints tokens to an account that was asked for just now.
    pub fn mint_tokens(&mut self, to: &TokenAccount, amount: u64) {
        // Under a token account's own address nothing is granted.
        if to.owner != to.key {
            self.realize(to.asset, to.owner.into());
        }
        self.effects.push(Effect::Grant(to.asset, to.owner.into(), U256::from(amount)));
        self.tokens.insert(to.key, TokenAccount { amount: to.amount + amount, ..*to });
    }

    /// Makes an owner's token account, which holds nothing.
    pub fn create_token_account(&mut self, asset: AssetId, key: Key, owner: Key) {
        self.effects.push(Effect::Use(solana::creation(self.site.network, key)));
        let held = self.site.view.balance(asset, owner.into());
        let amount = clamp(held);
        self.tokens.insert(key, TokenAccount { key, asset, owner, amount, frozen: false });
    }

    /// What came to a token account before its owner was named becomes its owner's.
    fn take_over(&mut self, account: &TokenAccount) {
        let (asset, apart, owner) = (account.asset, Account::from(account.key), Account::from(account.owner));
        let Some(value) = self.site.view.ledger().balance(asset, apart) else { return };
        if apart != owner && !value.is_zero() && self.real.insert((asset, apart)) {
            self.effects.push(Effect::Move { asset, from: apart, to: owner, value });
        }
    }

    fn is_real(&self, asset: AssetId, account: Account) -> bool {
        self.real.contains(&(asset, account)) || self.site.view.ledger().balance(asset, account).is_some()
    }

    fn realize(&mut self, asset: AssetId, account: Account) {
        if !self.is_real(asset, account) {
            let granted = self.site.view.grants.of(asset, account);
            self.effects.push(Effect::Mint(asset, account, granted));
        }
        self.real.insert((asset, account));
    }

    /// What an account holds, in lamports.
    pub fn lamports(&self, key: Key) -> u64 {
        self.lamports.get(&key).copied().unwrap_or_else(|| self.site.lamports(key))
    }

    /// Takes the fee.
    pub fn pay_fee(&mut self, payer: Key, fee: u64) -> Result<(), Failure> {
        let held = self.lamports(payer);
        if held == 0 {
            return Err(Wrong::NoFeePayer.because(format!("the fee payer {payer} has no lamports")));
        }
        if held < fee {
            let why = format!("the fee payer {payer} has {held} lamports, the fee is {fee}");
            return Err(Wrong::Fee.because(why));
        }
        self.burn(payer, held, fee);
        Ok(())
    }

    /// Takes lamports that nobody gets back.
    pub fn spend_lamports(&mut self, key: Key, amount: u64) -> Result<(), Failure> {
        let held = self.lamports(key);
        if held < amount {
            return Err(Wrong::Lamports.because(format!("{key} has {held} lamports and needs {amount}")));
        }
        self.burn(key, held, amount);
        Ok(())
    }

    fn burn(&mut self, key: Key, held: u64, amount: u64) {
        let Some(native) = self.site.native() else { return };
        self.realize_lamports(native, key);
        self.effects.push(Effect::Burn(native, key.into(), U256::from(amount)));
        self.lamports.insert(key, held - amount);
    }

    /// Moves lamports.
    pub fn move_lamports(&mut self, from: Key, to: Key, amount: u64) -> Result<(), Failure> {
        let held = self.lamports(from);
        if held < amount {
            return Err(Wrong::Lamports.because(format!("{from} has {held} lamports and would give {amount}")));
        }
        let Some(native) = self.site.native() else { return Ok(()) };
        self.realize_lamports(native, from);
        self.realize_lamports(native, to);
        self.lamports.insert(from, held - amount);
        let received = self.lamports(to).saturating_add(amount);
        self.lamports.insert(to, received);
        let value = U256::from(amount);
        self.effects.push(Effect::Move { asset: native, from: from.into(), to: to.into(), value });
        self.moves.push((native, from, to, amount));
        Ok(())
    }

    fn realize_lamports(&mut self, native: AssetId, key: Key) {
        let account = Account::from(key);
        if !self.is_real(native, account) {
            let lazy = self.site.lazy_lamports(account);
            self.effects.push(Effect::Mint(native, account, U256::from(lazy)));
        }
        self.real.insert((native, account));
    }
}

/// Tokens of this family are counted in 64 bits.
fn clamp(amount: U256) -> u64 {
    u64::try_from(amount).unwrap_or(u64::MAX)
}
