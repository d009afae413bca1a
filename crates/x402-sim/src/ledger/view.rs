//! What a call may read: the ledger seen through the rule for accounts that were never touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::U256;

use super::{Account, AssetId, Effect, Ledger, Once};
use crate::networks::eip155::PERMIT2;

/// What an account holds that the world sees for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownAccounts {
    /// The same grant as a test account, so that any payer can pay.
    Funded,
    /// Nothing.
    Empty,
}

/// How much the Permit2 contract may move of accounts that never said it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Permit2Allowance {
    /// Everything, so that any payer can pay.
    #[default]
    Approved,
    /// Nothing, as on a real chain: an account approves it first.
    Required,
}

/// Which token accounts are there on Solana before anybody makes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenAccounts {
    /// Those of every owner, as official clients never make one.
    #[default]
    Lazy,
    /// Those of test accounts and payees.
    Strict,
}

/// The rule for balances that were never touched.
#[derive(Clone, Debug)]
pub struct Grants {
    /// What accounts hold that are neither test payers nor reserved.
    pub unknown: UnknownAccounts,
    /// How much the Permit2 contract may move of accounts that never said it.
    pub permit2: Permit2Allowance,
    /// Which token accounts are there before anybody makes them.
    pub token_accounts: TokenAccounts,
    /// The test payers: they hold the grant in any case.
    pub funded: BTreeSet<Account>,
    /// Accounts that hold nothing or next to nothing, in atomic units of each asset.
    pub fixed: BTreeMap<Account, U256>,
    /// Payees, the facilitator, contracts and the zero address: they start with nothing.
    pub reserved: BTreeSet<Account>,
    /// The grant in atomic units, by asset number.
    pub amounts: Vec<U256>,
}

/// A read-only state of the ledger.
#[derive(Clone, Debug)]
pub struct View {
    pub(crate) ledger: Ledger,
    pub(crate) grants: Arc<Grants>,
}

impl Grants {
    /// Whether the configuration names an account: test accounts, payees and contracts.
    pub fn is_named(&self, account: Account) -> bool {
        self.funded.contains(&account) || self.fixed.contains_key(&account) || self.reserved.contains(&account)
    }

    /// What an untouched account can pay with, in atomic units.
    pub fn of(&self, asset: AssetId, account: Account) -> U256 {
        if let Some(fixed) = self.fixed.get(&account) {
            return *fixed;
        }
        let granted = self.funded.contains(&account)
            || self.unknown == UnknownAccounts::Funded && !self.reserved.contains(&account);
        if granted { self.amounts.get(usize::from(asset.0)).copied().unwrap_or_default() } else { U256::ZERO }
    }
}

impl View {
    /// A balance in atomic units.
    pub fn balance(&self, asset: AssetId, account: Account) -> U256 {
        self.ledger.balance(asset, account).unwrap_or_else(|| self.grants.of(asset, account))
    }

    /// Whether something that can be used once was used or cancelled.
    pub fn is_used(&self, once: &Once) -> bool {
        self.ledger.user_of(once).is_some() || self.ledger.is_cancelled(once)
    }

    /// How much of an owner's money a spender may move, in atomic units; 2^256 - 1 has no end.
    pub fn allowance(&self, asset: AssetId, owner: Account, spender: Account) -> U256 {
        let said = self.ledger.allowance(asset, owner, spender);
        let lazy = || self.grants.permit2 == Permit2Allowance::Approved && spender == Account::from(PERMIT2);
        said.unwrap_or_else(|| if lazy() { U256::MAX } else { U256::ZERO })
    }

    /// Whether the assets have blacklisted an account.
    pub fn is_blocked(&self, account: Account) -> bool {
        self.ledger.is_blocked(account)
    }

    /// The effects that make a balance real, whatever it is to be used for.
    pub(crate) fn realize(&self, asset: AssetId, account: Account) -> Option<Effect> {
        let untouched = self.ledger.balance(asset, account).is_none();
        untouched.then(|| Effect::Mint(asset, account, self.grants.of(asset, account)))
    }

    /// The effects that make both sides of a transfer real before money moves: a payer's grant is minted; an account
    /// that is first seen as a payee starts with nothing, unless it is a test payer.
    pub(crate) fn touch(&self, asset: AssetId, from: Account, to: Account) -> Vec<Effect> {
        let mut effects = Vec::with_capacity(4);
        effects.extend(self.realize(asset, from));
        if to != from && (self.grants.funded.contains(&to) || self.grants.fixed.contains_key(&to)) {
            effects.extend(self.realize(asset, to));
        }
        effects
    }

    /// The ledger beneath.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}
