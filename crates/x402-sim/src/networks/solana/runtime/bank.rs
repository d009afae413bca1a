//! Accounts as one transaction sees and changes them: the ledger beneath, and what it has done so far on top.

use alloy_primitives::U256;

use super::failure::{Failure, Wrong};
use super::site::{Mint, Site, TokenAccount, clamp};
use crate::ledger::{Account, AssetId, Effect, TokenAccounts};
use crate::networks::solana::key::Key;
use crate::networks::solana::{self, directory};

/// Accounts as one transaction leaves them. They are few: each list only grows, and of an account the last entry counts.
#[derive(Clone, Debug)]
pub struct Bank<'a> {
    /// What is beneath.
    pub site: Site<'a>,
    /// What the transaction changes.
    pub effects: Vec<Effect>,
    /// Owners whom the transaction names.
    hints: Vec<Key>,
    tokens: Vec<TokenAccount>,
    lamports: Vec<(Key, u64)>,
    real: Vec<(AssetId, Account)>,
}

/// How far a transaction has come: the lengths of a bank's lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark([usize; 5]);

/// How many effects a payment has on Solana at most, unless something is out of the ordinary.
const USUAL: usize = 8;

impl<'a> Bank<'a> {
    /// Accounts that nothing was done to.
    pub fn new(site: Site<'a>) -> Self {
        let effects = Vec::with_capacity(USUAL);
        Self { site, effects, hints: Vec::new(), tokens: Vec::new(), lamports: Vec::new(), real: Vec::new() }
    }

    /// How far it has come.
    pub(super) fn mark(&self) -> Mark {
        Mark([self.effects.len(), self.hints.len(), self.tokens.len(), self.lamports.len(), self.real.len()])
    }

    /// Undoes what was done since.
    pub(super) fn go_back(&mut self, mark: Mark) {
        let Mark([effects, hints, tokens, lamports, real]) = mark;
        self.effects.truncate(effects);
        self.hints.truncate(hints);
        self.tokens.truncate(tokens);
        self.lamports.truncate(lamports);
        self.real.truncate(real);
    }

    /// Names owners whose token accounts the transaction may use.
    pub fn learn(&mut self, owners: impl IntoIterator<Item = Key>) {
        for owner in owners {
            if !self.hints.contains(&owner) {
                self.hints.push(owner);
            }
        }
    }

    /// Takes for granted whose token account this is: somebody has derived it before.
    pub fn introduce(&mut self, key: Key, owner: Key, mint: &Mint) {
        if let Some(account) = self.site.known(key, owner, mint) {
            self.tokens.push(account);
        }
    }

    /// The token account at an address, of a mint where that is known, kept by a token program.
    pub fn token_account(&self, key: Key, mint: Option<Key>, token_program: Key) -> Option<TokenAccount> {
        let site = &self.site;
        let of_program = |mint: &Mint| mint.program == token_program;
        if let Some(known) = self.tokens.iter().rfind(|known| known.key == key) {
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
            // The last who was named first.
            if let Some(owner) = self.hints.iter().rev().find(owns) {
                return site.known(key, *owner, mint);
            }
        }
        let stranger = |mint: &Mint| {
            let (frozen, beneath) = (site.view.is_blocked(key.into()), site.parts(mint.asset, key, key));
            TokenAccount { key, asset: mint.asset, owner: key, amount: beneath.held(), frozen, beneath }
        };
        // Associated token accounts are off the curve: what can sign is no token account.
        if key.is_on_curve() {
            return None;
        }
        if let Some(held) = candidates().map(stranger).find(|account| account.beneath.apart.is_some()) {
            return Some(held);
        }
        // Somebody's token account, whose owner was never named. Only where the mint is said, and no owner could be one.
        let only = mint.and_then(|mint| site.mint(mint)).filter(of_program)?;
        let lazy = site.view.grants.token_accounts == TokenAccounts::Lazy;
        (lazy && site.mint(key).is_none()).then(|| stranger(&only))
    }

    /// Moves tokens between accounts that were asked for just now.
    pub fn move_tokens(&mut self, from: &TokenAccount, to: &TokenAccount, amount: u64) {
        let (asset, giver, taker) = (from.asset, from.holder(), to.holder());
        self.realize(from);
        self.take_over(from);
        let untouched = !self.is_real(asset, taker);
        let held = if self.site.is_payer(taker) {
            self.realize(to);
            to.amount
        } else if untouched {
            // Who is first seen as a payee starts with nothing.
            to.amount.saturating_sub(clamp(to.beneath.own))
        } else {
            to.amount
        };
        self.make_real(asset, taker);
        self.effects.push(Effect::Move { asset, from: giver, to: taker, value: U256::from(amount) });
        self.tokens.push(TokenAccount { amount: from.amount - amount, ..*from });
        self.tokens.push(TokenAccount { amount: held + amount, ..*to });
    }

    /// Mints tokens to an account that was asked for just now.
    pub fn mint_tokens(&mut self, to: &TokenAccount, amount: u64) {
        self.realize(to);
        self.effects.push(Effect::Grant(to.asset, to.holder(), U256::from(amount)));
        self.tokens.push(TokenAccount { amount: to.amount + amount, ..*to });
    }

    /// Makes an owner's token account.
    pub fn create_token_account(&mut self, asset: AssetId, key: Key, owner: Key) {
        self.effects.push(Effect::Use(solana::creation(self.site.network, key)));
        let beneath = self.site.parts(asset, owner, key);
        self.tokens.push(TokenAccount { key, asset, owner, amount: beneath.held(), frozen: false, beneath });
    }

    /// What came to a token account before its owner was named becomes its owner's.
    fn take_over(&mut self, account: &TokenAccount) {
        let ([apart, _], owner) = (account.holders(), account.holder());
        let Some(value) = account.beneath.apart else { return };
        if apart != owner && !value.is_zero() && self.make_real(account.asset, apart) {
            self.effects.push(Effect::Move { asset: account.asset, from: apart, to: owner, value });
        }
    }

    /// Whether it was not noted as real before.
    fn make_real(&mut self, asset: AssetId, account: Account) -> bool {
        let is_new = !self.real.contains(&(asset, account));
        if is_new {
            self.real.push((asset, account));
        }
        is_new
    }

    fn is_real(&self, asset: AssetId, account: Account) -> bool {
        self.real.contains(&(asset, account)) || self.site.view.ledger().balance(asset, account).is_some()
    }

    /// Mints what an owner was granted, before it is used for anything.
    fn realize(&mut self, account: &TokenAccount) {
        let (asset, holder) = (account.asset, account.holder());
        if !self.is_real(asset, holder) {
            self.effects.push(Effect::Mint(asset, holder, account.beneath.own));
        }
        self.make_real(asset, holder);
    }

    /// What an account holds, in lamports.
    pub fn lamports(&self, key: Key) -> u64 {
        let changed = self.lamports.iter().rfind(|(account, _)| *account == key);
        changed.map_or_else(|| self.site.lamports(key), |(_, held)| *held)
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

    /// Gives lamports that nobody had.
    pub fn give_lamports(&mut self, key: Key, amount: u64) {
        let Some(native) = self.site.native() else { return };
        let held = self.lamports(key);
        self.realize_lamports(native, key, held);
        self.effects.push(Effect::Grant(native, key.into(), U256::from(amount)));
        self.lamports.push((key, held.saturating_add(amount)));
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
        self.realize_lamports(native, key, held);
        self.effects.push(Effect::Burn(native, key.into(), U256::from(amount)));
        self.lamports.push((key, held - amount));
    }

    /// Moves lamports.
    pub fn move_lamports(&mut self, from: Key, to: Key, amount: u64) -> Result<(), Failure> {
        let held = self.lamports(from);
        if held < amount {
            return Err(Wrong::Lamports.because(format!("{from} has {held} lamports and would give {amount}")));
        }
        let Some(native) = self.site.native() else { return Ok(()) };
        self.realize_lamports(native, from, held);
        self.realize_lamports(native, to, self.lamports(to));
        self.lamports.push((from, held - amount));
        let received = self.lamports(to).saturating_add(amount);
        self.lamports.push((to, received));
        let value = U256::from(amount);
        self.effects.push(Effect::Move { asset: native, from: from.into(), to: to.into(), value });
        Ok(())
    }

    /// Mints what an account was granted in lamports: all that it holds, unless that is real already.
    fn realize_lamports(&mut self, native: AssetId, key: Key, held: u64) {
        let account = Account::from(key);
        if !self.is_real(native, account) {
            self.effects.push(Effect::Mint(native, account, U256::from(held)));
        }
        self.make_real(native, account);
    }
}
