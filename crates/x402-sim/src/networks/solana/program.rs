//! The programs that this chain knows, and what a client may call.

use super::key::Key;

const fn key(text: &str) -> Key {
    Key(bs58::decode(text.as_bytes()).into_array_const_unwrap::<32>())
}

/// Moves lamports.
pub const SYSTEM: Key = Key([0; 32]);
/// Limits and prices what a transaction computes.
pub const COMPUTE_BUDGET: Key = key("ComputeBudget111111111111111111111111111111");
/// SPL Token.
pub const TOKEN: Key = key("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
/// Token-2022.
pub const TOKEN_2022: Key = key("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
/// Makes associated token accounts.
pub const ASSOCIATED_TOKEN: Key = key("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
/// Notes a text.
pub const MEMO: Key = key("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
/// Assertions that wallets add for their users.
pub const LIGHTHOUSE: Key = key("L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95");
/// Owns lookup tables; nobody can call it here.
pub const LOOKUP_TABLE: Key = key("AddressLookupTab1e1111111111111111111111111");
/// Owns programs; nobody can call it here.
pub const LOADER: Key = key("BPFLoaderUpgradeab1e11111111111111111111111");

/// What a program is, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where it stands.
    pub id: Key,
    /// What it is called.
    pub name: &'static str,
    /// What runs it.
    pub run: Run,
}

/// What a program does when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// `runtime::system`.
    System,
    /// `runtime::budget`.
    Budget,
    /// `runtime::token`.
    Token,
    /// `runtime::associated`.
    Associated,
    /// `runtime::memo`.
    Memo,
    /// It succeeds and does nothing.
    Nothing,
}

/// Every program that can be called. Any other is refused by name.
pub const PROGRAMS: [Program; 7] = [
    Program { id: SYSTEM, name: "System", run: Run::System },
    Program { id: COMPUTE_BUDGET, name: "Compute Budget", run: Run::Budget },
    Program { id: TOKEN, name: "Token", run: Run::Token },
    Program { id: TOKEN_2022, name: "Token-2022", run: Run::Token },
    Program { id: ASSOCIATED_TOKEN, name: "Associated Token Account", run: Run::Associated },
    Program { id: MEMO, name: "Memo", run: Run::Memo },
    Program { id: LIGHTHOUSE, name: "Lighthouse", run: Run::Nothing },
];

/// The programs that the official facilitator lets stand behind a transfer.
pub const OPTIONAL: [Key; 2] = [LIGHTHOUSE, MEMO];

/// The program at an address, if it can be called.
pub fn find(id: Key) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.id == id)
}

/// Whether tokens are kept by this program.
pub fn is_token(id: Key) -> bool {
    id == TOKEN || id == TOKEN_2022
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_verification_allows_can_be_executed() {
        let allowed = [COMPUTE_BUDGET, TOKEN, TOKEN_2022].into_iter().chain(OPTIONAL);
        for id in allowed {
            assert!(find(id).is_some(), "{id}");
        }
        assert!(find(LOOKUP_TABLE).is_none());
    }
}
