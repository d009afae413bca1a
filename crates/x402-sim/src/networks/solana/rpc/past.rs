//! What accounts held at a transaction of the past.

use serde_json::{Value, json};

use super::account::{Account as Shown, amount, token_account};
use super::{Context, text};
use crate::ledger::{Account, AssetId, Effect, Record};
use crate::networks::solana::key::Key;
use crate::networks::solana::runtime::Site;

/// How many later records are undone in thought to tell what accounts held at a transaction.
const UNWOUND: u32 = 10_000;

/// Before a transaction, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Before,
    After,
}

/// What accounts held at a transaction: what they hold now, less what later records changed. What was given by hand
/// since then is counted as if it had been there.
pub(super) struct Past<'a> {
    /// What later records changed.
    later: Vec<&'a Effect>,
    /// What the transaction itself changed.
    own: &'a [Effect],
}

impl<'a> Past<'a> {
    /// What is known of the accounts at the transaction with a number.
    pub(super) fn of(context: &'a Context<'_>, number: u32) -> Self {
        let ledger = context.world.ledger();
        let effects = |number: u32| match ledger.record(number) {
            Some(Record::Other(entry)) if !ledger.is_undone(number) => entry.effects.as_slice(),
            _ => &[],
        };
        let newest = u32::try_from(ledger.len()).unwrap_or(u32::MAX);
        let last = newest.min(number.saturating_add(UNWOUND));
        Self { later: (number + 1..last).flat_map(effects).collect(), own: effects(number) }
    }

    /// How much more than before an account has of an asset through effects.
    fn gained(effects: impl Iterator<Item = &'a Effect>, asset: AssetId, accounts: &[Account]) -> i128 {
        let sign = |value: &alloy_primitives::U256| i128::from(u64::try_from(*value).unwrap_or(u64::MAX));
        effects.fold(0, |sum, effect| match effect {
            Effect::Move { asset: of, from, to, value } if *of == asset => {
                let (gives, takes) = (i128::from(accounts.contains(from)), i128::from(accounts.contains(to)));
                sum + (takes - gives) * sign(value)
            }
            Effect::Burn(of, who, value) if *of == asset && accounts.contains(who) => sum - sign(value),
            Effect::Grant(of, who, value) if *of == asset && accounts.contains(who) => sum + sign(value),
            _ => sum,
        })
    }

    fn at(&self, now: u64, asset: AssetId, accounts: &[Account], when: When) -> u64 {
        let later = Self::gained(self.later.iter().copied(), asset, accounts);
        let own = if when == When::Before { Self::gained(self.own.iter(), asset, accounts) } else { 0 };
        u64::try_from(i128::from(now) - later - own).unwrap_or(0)
    }

    /// What an account held, in lamports.
    pub(super) fn lamports(&self, site: &Site<'_>, key: Key, when: When) -> u64 {
        let now = Shown::at(site, key).map_or(0, |account| account.lamports);
        site.native().map_or(now, |native| self.at(now, native, &[key.into()], when))
    }

    /// What token accounts held, with their places.
    pub(super) fn tokens(&self, site: &Site<'_>, keys: &[Key], when: When) -> Vec<Value> {
        let one = |(place, key): (usize, &Key)| {
            let account = token_account(site, *key)?;
            let mint = site.mint_of(account.asset).and_then(|mint| site.mint(mint))?;
            let held = self.at(account.amount, account.asset, &account.holders(), when);
            Some(json!({
                "accountIndex": place, "mint": text(mint.key), "owner": text(account.owner),
                "programId": text(mint.program), "uiTokenAmount": amount(held, mint.decimals),
            }))
        };
        keys.iter().enumerate().filter_map(one).collect()
    }
}
