//! The hand of the tester: money out of nothing, blacklists, cancelled authorizations.

use alloy_primitives::U256;
use rand_chacha::rand_core::Rng;
use x402_wire::amount::{AmountError, Decimal};

use super::World;
use crate::accounts::book::{AccountError, Party};
use crate::ledger::{Account, AssetId, Effect, Once};
use crate::networks::eip155::secp;
use crate::networks::{Asset, Family, Network};

/// What an amount does to a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Funding {
    /// It is added.
    Add,
    /// It is taken away.
    Take,
    /// It is what the balance shall be.
    Set,
}

/// An asset that balances are counted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    /// Its number in the ledger.
    pub id: AssetId,
    /// Its network's CAIP-2 id.
    pub network: String,
    /// The family of the network.
    pub family: Family,
    /// Its address.
    pub address: String,
    /// Its ticker.
    pub symbol: String,
    /// Its decimals.
    pub decimals: u8,
}

/// Money cannot be moved so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not an account, or not on that network.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// An amount that the asset cannot hold.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// No such network.
    #[error("network \"{network}\" is not enabled here; enabled are {enabled}")]
    Network {
        /// What was asked for.
        network: String,
        /// What there is.
        enabled: String,
    },
    /// No such asset.
    #[error("{network} has no asset \"{asset}\"; it has {known}")]
    Asset {
        /// The network.
        network: String,
        /// What was asked for.
        asset: String,
        /// What there is.
        known: String,
    },
    /// A balance never goes below zero.
    #[error("{who} holds {held} and cannot give {wanted}")]
    TooLittle {
        /// The account.
        who: String,
        /// Its balance, for people.
        held: String,
        /// The amount, for people.
        wanted: String,
    },
    /// A balance cannot grow so far.
    #[error("{who} would hold more than 2^255 - 1 atomic units")]
    TooMuch {
        /// The account.
        who: String,
    },
}

/// Balances are capped at 2^255 - 1, as the deployed tokens have it.
const CAP: U256 = U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 1]);

impl World {
    /// The asset that a network (an id or a name of version 1; the first one enabled by default) and a ticker or an
    /// address (the network's first asset by default) mean.
    ///
    /// # Errors
    ///
    /// An unknown network or asset, with what there is.
    pub fn currency(&self, network: Option<&str>, asset: Option<&str>) -> Result<Currency, MoneyError> {
        let networks = self.catalog.networks();
        let known =
            |text: &str| networks.iter().find(|network| network.id == text || network.v1_name.as_deref() == Some(text));
        let found = match network {
            Some(text) => known(text),
            None => networks.first(),
        };
        let network = found.ok_or_else(|| MoneyError::Network {
            network: x402_wire::shape::shorten(network.unwrap_or_default()),
            enabled: networks.iter().map(|network| network.id.as_str()).collect::<Vec<_>>().join(", "),
        })?;
        let is =
            |own: &&Asset, text: &str| own.symbol.eq_ignore_ascii_case(text) || own.address.eq_ignore_ascii_case(text);
        let found = match asset {
            Some(text) => network.assets.iter().find(|own| is(own, text)),
            None => network.assets.first(),
        };
        let found = found.and_then(|asset| self.currency_of(network, asset));
        found.ok_or_else(|| MoneyError::Asset {
            network: network.id.clone(),
            asset: x402_wire::shape::shorten(asset.unwrap_or_default()),
            known: network.assets.iter().map(|asset| asset.symbol.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// Every asset of every enabled network.
    pub fn currencies(&self) -> Vec<Currency> {
        let networks = self.catalog.networks().iter();
        networks
            .flat_map(|network| network.assets.iter().filter_map(|asset| self.currency_of(network, asset)))
            .collect()
    }

    fn currency_of(&self, network: &Network, asset: &Asset) -> Option<Currency> {
        let id = self.catalog.number(&network.id, &asset.address)?;
        Some(Currency {
            id,
            network: network.id.clone(),
            family: network.family,
            address: asset.address.clone(),
            symbol: asset.symbol.clone(),
            decimals: asset.decimals,
        })
    }

    /// A balance in atomic units.
    pub fn balance(&self, currency: &Currency, party: &Party) -> Result<U256, MoneyError> {
        Ok(self.view().balance(currency.id, holder(currency, party)?))
    }

    /// Changes a balance. Gives the new one, in atomic units.
    ///
    /// # Errors
    ///
    /// A balance below zero or beyond what tokens can hold; nothing changes then.
    pub fn fund(
        &mut self,
        currency: &Currency,
        party: &Party,
        amount: U256,
        funding: Funding,
    ) -> Result<U256, MoneyError> {
        let account = holder(currency, party)?;
        let held = self.view().balance(currency.id, account);
        let wanted = match funding {
            Funding::Set => Some(amount),
            Funding::Add => held.checked_add(amount),
            Funding::Take => {
                let left = held.checked_sub(amount);
                Some(left.ok_or_else(|| MoneyError::TooLittle {
                    who: party.label(),
                    held: currency.written(held),
                    wanted: currency.written(amount),
                })?)
            }
        };
        let wanted = wanted.filter(|wanted| *wanted <= CAP);
        let wanted = wanted.ok_or_else(|| MoneyError::TooMuch { who: party.label() })?;
        self.set_balance(currency.id, account, wanted);
        Ok(wanted)
    }

    /// Sets a balance, in atomic units.
    pub fn set_balance(&mut self, asset: AssetId, account: Account, wanted: U256) {
        let held = self.view().balance(asset, account);
        let mut effects: Vec<Effect> = self.view().realize(asset, account).into_iter().collect();
        if wanted > held {
            effects.push(Effect::Grant(asset, account, wanted - held));
        } else {
            effects.push(Effect::Burn(asset, account, held - wanted));
        }
        self.roots.ledger.apply(&effects);
    }

    /// Blacklists an account with every asset, or takes it off the list. `false` where it was so already.
    pub fn block(&mut self, party: &Party, blocked: bool) -> bool {
        let mut changed = false;
        for account in party.accounts() {
            changed |= self.roots.ledger.is_blocked(account) != blocked;
            let effect = if blocked { Effect::Block(account) } else { Effect::Unblock(account) };
            self.roots.ledger.apply(&[effect]);
        }
        changed
    }

    /// Whether the assets have blacklisted an account.
    pub fn is_blocked(&self, party: &Party) -> bool {
        party.accounts().into_iter().any(|account| self.roots.ledger.is_blocked(account))
    }

    /// Says how much of an owner's money a spender may move, in atomic units, as the owner could with the token's
    /// `approve`.
    pub fn approve(&mut self, asset: AssetId, owner: Account, spender: Account, amount: U256) {
        let before = self.view().allowance(asset, owner, spender);
        self.roots.ledger.apply(&[Effect::Approve { asset, owner, spender, before, after: amount }]);
    }

    /// How much of an owner's money a spender may move, in atomic units; 2^256 - 1 has no end.
    pub fn allowance(&self, asset: AssetId, owner: Account, spender: Account) -> U256 {
        self.view().allowance(asset, owner, spender)
    }

    /// Cancels what can be used once, as its signer could: with the token's `cancelAuthorization`, say.
    pub fn cancel(&mut self, once: Once) {
        self.roots.ledger.apply(&[Effect::Cancel(once)]);
    }

    /// Makes an account with a key of its own, from the world's random stream.
    ///
    /// # Errors
    ///
    /// A name that is taken or is none.
    pub fn make_account(&mut self, name: Option<String>) -> Result<Party, AccountError> {
        let mut random = self.roots.random.clone();
        let (key, address) = loop {
            let mut key = [0; 32];
            random.fill_bytes(&mut key);
            // All but a handful of numbers are keys.
            if let Some(address) = secp::address_of(&key) {
                break (key, address);
            }
        };
        let party = self.roots.book.add(name, key, address)?;
        self.roots.random = random;
        Ok(party)
    }
}

impl Currency {
    /// An amount for people: `0.01 USDC`.
    pub fn written(&self, atomic: U256) -> String {
        written(atomic, self.decimals, &self.symbol)
    }
}

impl Asset {
    /// An amount for people: `0.01 USDC`.
    pub fn written(&self, atomic: U256) -> String {
        written(atomic, self.decimals, &self.symbol)
    }
}

/// An amount for people. It is written for every payment.
fn written(atomic: U256, decimals: u8, symbol: &str) -> String {
    let mut text = String::with_capacity(32);
    Decimal::from_atomic(atomic, decimals).write_onto(&mut text);
    text.push(' ');
    text.push_str(symbol);
    text
}

fn holder(currency: &Currency, party: &Party) -> Result<Account, MoneyError> {
    let wrong = || AccountError::WrongFamily { who: party.label(), network: currency.network.clone() };
    Ok(party.on(currency.family).ok_or_else(wrong)?)
}
