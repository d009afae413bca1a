//! A ledger taken apart, and put together again: for exported snapshots.

use alloy_primitives::U256;

use super::{Account, AssetId, Ledger, Once, Record};

impl Ledger {
    /// Every transaction, in their order.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    /// How much of each asset was ever minted, in atomic units.
    pub(crate) fn minted(&self) -> impl Iterator<Item = (AssetId, U256)> {
        self.minted.iter().map(|(asset, amount)| (*asset, *amount))
    }

    /// How many transactions accounts have made on each chain.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = (u64, Account, u32)> {
        self.sequences.iter().map(|((chain, account), count)| (*chain, *account, *count))
    }

    /// Everything that was cancelled.
    pub(crate) fn cancelled(&self) -> impl Iterator<Item = Once> {
        self.cancelled.iter().copied()
    }

    /// Every allowance that was ever said: asset, owner, spender, atomic units.
    pub(crate) fn allowances(&self) -> impl Iterator<Item = (AssetId, Account, Account, U256)> {
        self.allowances.iter().map(|((asset, owner, spender), amount)| (*asset, *owner, *spender, *amount))
    }

    /// How many permits (EIP-2612) were taken: asset, owner, count.
    pub(crate) fn permits_taken(&self) -> impl Iterator<Item = (AssetId, Account, u64)> {
        self.permits.iter().map(|((asset, owner), count)| (*asset, *owner, *count))
    }

    /// Every account that is blacklisted.
    pub(crate) fn blocked(&self) -> impl Iterator<Item = Account> {
        self.blocked.iter().copied()
    }

    /// Every transaction that was undone.
    pub(crate) fn undone(&self) -> impl Iterator<Item = u32> {
        self.undone.iter().copied()
    }

    /// Takes a balance over.
    pub(crate) fn load_balance(&mut self, asset: AssetId, account: Account, amount: U256) {
        self.balances.insert((asset, account), amount);
    }

    /// Takes over how much of an asset was ever minted.
    pub(crate) fn load_minted(&mut self, asset: AssetId, amount: U256) {
        self.minted.insert(asset, amount);
    }

    /// Takes over how many transactions an account has made on a chain.
    pub(crate) fn load_sequence(&mut self, chain: u64, account: Account, count: u32) {
        self.sequences.insert((chain, account), count);
    }

    /// Whether every asset's balances are what was minted, and what was undone was done.
    pub(crate) fn is_sound(&self) -> bool {
        let held: std::collections::BTreeSet<AssetId> = self.balances.keys().map(|(asset, _)| *asset).collect();
        let known = usize::try_from(self.undone.get_max().copied().unwrap_or(0)).unwrap_or(usize::MAX);
        held.into_iter().chain(self.minted.keys().copied()).all(|asset| self.drift(asset).is_zero())
            && (self.undone.is_empty() || known < self.records.len())
    }
}
