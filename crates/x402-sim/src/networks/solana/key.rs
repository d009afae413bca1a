//! Keys: 32 bytes that are a signer, a program, or an address that a program derived.

use std::cell::RefCell;
use std::fmt;

use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

use super::{program, spelling};
use crate::ledger::Account;

/// What ends the seeds of a derived address, so that no other hash is one.
const MARKER: &[u8] = b"ProgramDerivedAddress";

/// In how many shelves derived addresses are remembered, and how many stand in each.
const SHELVES: usize = 512;
const OF_A_SHELF: usize = 4;

thread_local! {
    /// Token accounts that were derived: few are paid again and again, and a derivation costs as much as a part of a
    /// signature's verification.
    static DERIVED: RefCell<Vec<[Option<Derived>; OF_A_SHELF]>> = const { RefCell::new(Vec::new()) };
}

/// Owner, mint and token program, and the token account that they give.
type Derived = ([Key; 3], Key);

/// The address of an account. Written in base58.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub [u8; 32]);

impl Key {
    /// The key in a text, if it is base58 of exactly 32 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        spelling::parse_address(text).map(Self)
    }

    /// Whether somebody can hold a private key for it: it is a point of the curve.
    pub fn is_on_curve(&self) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok()
    }

    /// The address that a program derives from seeds, and the number that keeps it off the curve: the highest that does.
    ///
    /// Source: `Pubkey::find_program_address`. `None` where no number does, which has never been seen.
    pub fn derived(seeds: &[&[u8]], program: Self) -> Option<(Self, u8)> {
        let mut hash = Sha256::new();
        for seed in seeds {
            hash.update(seed);
        }
        (0..=u8::MAX).rev().find_map(|bump| {
            let mut hash = hash.clone();
            hash.update([bump]);
            hash.update(program.0);
            hash.update(MARKER);
            let key = Self(hash.finalize().into());
            (!key.is_on_curve()).then_some((key, bump))
        })
    }

    /// The associated token account of an owner for a mint of a token program.
    pub fn token_account(owner: Self, mint: Self, token_program: Self) -> Self {
        let from = [owner, mint, token_program];
        // Keys are as good as random; mints and programs are few.
        let place =
            usize::from(u16::from_le_bytes([owner.0[0], owner.0[1]]) ^ u16::from(mint.0[0] ^ token_program.0[0]));
        DERIVED.with_borrow_mut(|derived| {
            // Room is taken by whoever needs it.
            if derived.is_empty() {
                derived.resize(SHELVES, [None; OF_A_SHELF]);
            }
            let shelf = &mut derived[place % SHELVES];
            if let Some((_, key)) = shelf.iter().flatten().find(|(known, _)| *known == from) {
                return *key;
            }
            let seeds: [&[u8]; 3] = [&owner.0, &token_program.0, &mint.0];
            // Half of all hashes are off the curve: 256 tries do not fail.
            let key = Self::derived(&seeds, program::ASSOCIATED_TOKEN).map_or(Self::default(), |(key, _)| key);
            // The oldest makes room.
            shelf.rotate_right(1);
            shelf[0] = Some((from, key));
            key
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        spelling::with_spelling(&self.0, |text| out.write_str(text))
    }
}

impl From<Key> for Account {
    fn from(key: Key) -> Self {
        Self(key.0)
    }
}

impl From<Account> for Key {
    fn from(account: Account) -> Self {
        Self(account.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    /// Source: `findAssociatedTokenPda` of `@solana-program/token-2022`.
    #[test]
    fn token_accounts_are_where_the_official_code_puts_them() {
        let owner = key("oeYf6KAJkLYhBuR8CiGc6L4D4Xtfepr85fuDgA9kq96");
        for (mint, program, expected) in [
            (
                "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU",
                program::TOKEN,
                "Acp8hQfvQgptyqCreekNzaEHXMv6o3L1JiSwXmRHaaDW",
            ),
            (
                "CXk2AMBfi3TwaEL2468s6zP8xq9NxTXjp9gjMgzeUynM",
                program::TOKEN_2022,
                "D1DZhgd4eqEojdiQ1VjswyZjxcCMhtLiW6u2t31MaQz8",
            ),
        ] {
            let account = Key::token_account(owner, key(mint), program);
            assert_eq!(account.to_string(), expected);
            assert!(!account.is_on_curve() && owner.is_on_curve());
        }
    }

    /// What is remembered of one is never taken for another in its place.
    #[test]
    fn token_accounts_are_told_apart_however_often_they_are_asked_for() {
        let mint = key("4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU");
        let owner = |number: u8| {
            let mut owner = [7; 32];
            owner[2] = number;
            Key(owner)
        };
        let derived = |owner: Key, program: Key| {
            Key::derived(&[&owner.0, &program.0, &mint.0], program::ASSOCIATED_TOKEN).unwrap().0
        };
        for _ in 0..2 {
            for number in 0..6 {
                for program in [program::TOKEN, program::TOKEN_2022] {
                    let found = Key::token_account(owner(number), mint, program);
                    assert_eq!(found, derived(owner(number), program), "{number}");
                }
            }
        }
    }
}
