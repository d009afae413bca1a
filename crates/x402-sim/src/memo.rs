//! Invoices: memos that are verified and not stored.
//!
//! A memo is 16 bytes: the second at which it expires, a number that makes it unique, and a keyed hash over both, the
//! path and the amount. Only memos that were spent are remembered, so that asking for invoices costs no memory.

use std::hash::{DefaultHasher, Hash, Hasher};

use alloy_primitives::U256;
use imbl::OrdSet;
use x402_wire::amount::Decimal;
use x402_wire::invoice::{self, Invoice};

use crate::accounts::{self, TestAccount};
use crate::catalog::{INVOICE_ASSET, solana_account};
use crate::fault::Mode;
use crate::ledger::{Account, Effect, View};

mod error;

pub use error::InvoiceError;

/// The decimals of the currency of invoices (USDC).
pub const DECIMALS: u8 = 6;

/// The cluster that invoices name.
const CLUSTER: &str = "devnet";

/// Issues and redeems memos.
#[derive(Clone, Debug)]
pub struct Memos {
    pub(crate) key: [u8; 32],
    pub(crate) issued: u32,
    pub(crate) spent: OrdSet<[u8; 16]>,
}

/// What an invoice is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms<'a> {
    /// The method of the request that the invoice answers; HEAD counts as GET.
    pub method: &'a str,
    /// The path of the resource.
    pub path: &'a str,
    /// The amount in atomic units of the currency.
    pub amount: U256,
}

impl Memos {
    /// An issuer with a key from the world's random stream.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, issued: 0, spent: OrdSet::new() }
    }

    /// A new invoice, at a clock in seconds.
    pub fn issue(&mut self, terms: Terms<'_>, amount: String, now: u64) -> Invoice {
        self.issued = self.issued.wrapping_add(1);
        let expires_at = now + invoice::LIFETIME_SECONDS;
        Invoice {
            recipient: accounts::merchant().solana_address.into(),
            amount,
            currency: "USDC".into(),
            memo: invoice::memo_text(self.memo(terms, expires_at, self.issued)),
            network: CLUSTER.into(),
            timestamp: now,
            expires_at,
            resource_path: terms.path.to_owned(),
        }
    }

    /// Redeems a memo: the effects that pay it from a test account, where no payer has to sign. The memo is spent.
    pub(crate) fn redeem(
        &mut self,
        proof: &str,
        terms: Terms<'_>,
        (payer, mode): (TestAccount, Mode),
        view: &View,
        now: u64,
    ) -> Result<Vec<Effect>, InvoiceError> {
        let memo = self.check(proof, terms, now)?;
        if mode == Mode::Strict {
            let amount = Decimal::from_atomic(terms.amount, DECIMALS).to_string();
            return Err(InvoiceError::NotPaid { amount, recipient: accounts::merchant().solana_address });
        }
        let (from, to) = (account(payer.index), account(accounts::MERCHANT));
        if view.is_blocked(from) {
            return Err(InvoiceError::PayerBlocked { index: payer.index });
        }
        if view.balance(INVOICE_ASSET, from) < terms.amount {
            let amount = Decimal::from_atomic(terms.amount, DECIMALS).to_string();
            return Err(InvoiceError::InsufficientFunds { index: payer.index, amount });
        }
        self.spend(memo, now);
        let mut effects = view.touch(INVOICE_ASSET, from, to);
        effects.push(Effect::Move { asset: INVOICE_ASSET, from, to, value: terms.amount });
        Ok(effects)
    }

    /// The memo in a text, if it was issued for these terms and is still good, at a clock in seconds.
    pub(crate) fn check(&self, text: &str, terms: Terms<'_>, now: u64) -> Result<[u8; 16], InvoiceError> {
        let memo = invoice::memo_bytes(text).ok_or(InvoiceError::Malformed)?;
        if !self.has_issued(memo, terms) {
            return Err(InvoiceError::NotIssued);
        }
        let (expires_at, _) = parts(memo);
        if now > expires_at {
            return Err(InvoiceError::Expired { seconds: now - expires_at });
        }
        if self.spent.contains(&memo) {
            return Err(InvoiceError::Spent);
        }
        Ok(memo)
    }

    /// Whether a memo was issued for these terms, good or not.
    pub(crate) fn has_issued(&self, memo: [u8; 16], terms: Terms<'_>) -> bool {
        let (expires_at, number) = parts(memo);
        self.memo(terms, expires_at, number) == memo
    }

    /// Remembers that a memo was paid.
    pub(crate) fn spend(&mut self, memo: [u8; 16], now: u64) {
        self.forget_expired(now);
        self.spent.insert(memo);
    }

    /// Forgets spent memos that are refused as expired anyhow: a memo begins with its expiry.
    fn forget_expired(&mut self, now: u64) {
        let mut first = [0; 16];
        first[..4].copy_from_slice(&u32::try_from(now).unwrap_or(u32::MAX).to_be_bytes());
        if self.spent.get_min().is_some_and(|oldest| *oldest < first) {
            self.spent = std::mem::take(&mut self.spent).split(&first).1;
        }
    }

    /// The memo for these terms: 4 bytes of expiry, 4 bytes of number, 8 bytes of keyed hash, less the six bits by
    /// which a UUID states its version and variant.
    fn memo(&self, terms: Terms<'_>, expires_at: u64, number: u32) -> [u8; 16] {
        let expiry = u32::try_from(expires_at).unwrap_or(u32::MAX);
        let method = if terms.method == "HEAD" { "GET" } else { terms.method };
        let mut hasher = DefaultHasher::new();
        (self.key, expiry, number, terms.amount.as_limbs(), method, terms.path).hash(&mut hasher);
        let hash = hasher.finish().to_be_bytes();
        let mut memo = [0; 16];
        memo[..4].copy_from_slice(&expiry.to_be_bytes());
        // The number stands around the version digit: two bytes before it, two bytes after the variant.
        let number = number.to_be_bytes();
        memo[4..6].copy_from_slice(&number[..2]);
        memo[6..8].copy_from_slice(&hash[..2]);
        memo[8] = hash[2];
        memo[9] = hash[3];
        memo[10..12].copy_from_slice(&number[2..]);
        memo[12..].copy_from_slice(&hash[4..8]);
        memo[6] = 0x40 | memo[6] & 0x0f;
        memo[8] = 0x80 | memo[8] & 0x3f;
        memo
    }
}

/// Expiry and number of a memo.
fn parts(memo: [u8; 16]) -> (u64, u32) {
    let expiry = u32::from_be_bytes([memo[0], memo[1], memo[2], memo[3]]);
    let number = u32::from_be_bytes([memo[4], memo[5], memo[10], memo[11]]);
    (u64::from(expiry), number)
}

/// The ledger's account of a test account's Solana address.
pub(crate) fn account(index: usize) -> Account {
    let found = accounts::all().nth(index).and_then(|account| solana_account(account.solana_address));
    found.expect("test accounts have Solana addresses; a test walks them")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use super::*;
    use crate::ledger::{Grants, Ledger, UnknownAccounts};

    const TERMS: Terms<'_> = Terms { method: "GET", path: "/a", amount: U256::from_limbs([10_000, 0, 0, 0]) };

    fn view() -> View {
        let funded = (0..8).map(account).collect();
        let amounts = vec![U256::from(1_000_000)];
        let grants = Grants {
            unknown: UnknownAccounts::Empty,
            permit2: crate::ledger::Permit2Allowance::Approved,
            token_accounts: crate::ledger::TokenAccounts::Lazy,
            funded,
            fixed: BTreeMap::new(),
            reserved: BTreeSet::new(),
            amounts,
        };
        View { ledger: Ledger::default(), grants: Arc::new(grants) }
    }

    fn redeem(memos: &mut Memos, memo: &str, terms: Terms<'_>, now: u64) -> Result<(), InvoiceError> {
        let payer = accounts::test_accounts().next().unwrap();
        memos.redeem(memo, terms, (payer, Mode::Accept), &view(), now).map(|_| ())
    }

    #[test]
    fn a_memo_is_good_once_for_its_terms_and_until_it_expires() {
        let mut memos = Memos::new([7; 32]);
        let memo = memos.issue(TERMS, "0.01".to_owned(), 1000).memo;
        for other in [
            Terms { method: "POST", ..TERMS },
            Terms { path: "/b", ..TERMS },
            Terms { amount: U256::from(9_999), ..TERMS },
        ] {
            assert_eq!(redeem(&mut memos, &memo, other, 1000), Err(InvoiceError::NotIssued));
        }
        assert_eq!(redeem(&mut memos, &memo, TERMS, 1301), Err(InvoiceError::Expired { seconds: 1 }));
        assert_eq!(redeem(&mut memos, &memo, Terms { method: "HEAD", ..TERMS }, 1300), Ok(()));
        assert_eq!(redeem(&mut memos, &memo, TERMS, 1300), Err(InvoiceError::Spent));
        assert_eq!(redeem(&mut Memos::new([8; 32]), &memo, TERMS, 1000), Err(InvoiceError::NotIssued));
    }

    #[test]
    fn expired_memos_are_forgotten_and_still_refused() {
        let mut memos = Memos::new([7; 32]);
        let old = memos.issue(TERMS, "0.01".to_owned(), 1000).memo;
        redeem(&mut memos, &old, TERMS, 1000).unwrap();
        let new = memos.issue(TERMS, "0.01".to_owned(), 2000).memo;
        redeem(&mut memos, &new, TERMS, 2000).unwrap();
        assert_eq!(memos.spent.len(), 1);
        assert_eq!(redeem(&mut memos, &old, TERMS, 2000), Err(InvoiceError::Expired { seconds: 700 }));
        assert_eq!(redeem(&mut memos, &new, TERMS, 2000), Err(InvoiceError::Spent));
    }
}
