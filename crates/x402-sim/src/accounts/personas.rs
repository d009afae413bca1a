//! Personas: test accounts with a behaviour, so that a test says what it means by the account that pays.

/// What a persona holds of each asset before anybody gave it anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purse {
    /// The configured grant.
    Grant,
    /// Nothing.
    Nothing,
    /// One atomic unit: less than any price.
    Dust,
}

/// What happens to the payments of a persona.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temper {
    /// Nothing unusual.
    Plain,
    /// The assets have blacklisted it.
    Blocked,
    /// Its settlements take so long, in milliseconds of the world's clock.
    Slow(u64),
    /// The first settlement of each purchase fails.
    Flaky,
    /// Its settlements are pending for so long, in milliseconds of the world's clock, then succeed.
    Pending(u64),
    /// Its settlements are undone after so long, in milliseconds of the world's clock.
    Reorg(u64),
    /// Its balance is gone between verification and settlement.
    Drained,
}

/// A test account with a behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persona {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub purse: Purse,
    /// What happens to its payments.
    pub temper: Temper,
    /// The same in a sentence.
    pub what: &'static str,
}

/// How long `slow`, `pending` and `reorg` take, in milliseconds of the world's clock.
pub const PATIENCE: u64 = 10_000;

/// The personas, in the order of their indexes from 10 on.
pub const PERSONAS: [Persona; 10] = [
    Persona { name: "alice", purse: Purse::Grant, temper: Temper::Plain, what: "rich, and nothing goes wrong" },
    Persona { name: "bob", purse: Purse::Grant, temper: Temper::Plain, what: "rich, and nothing goes wrong" },
    Persona { name: "broke", purse: Purse::Nothing, temper: Temper::Plain, what: "holds nothing" },
    Persona { name: "dust", purse: Purse::Dust, temper: Temper::Plain, what: "holds one atomic unit of each asset" },
    Persona {
        name: "blocked",
        purse: Purse::Grant,
        temper: Temper::Blocked,
        what: "blacklisted by every asset: transfers revert",
    },
    Persona {
        name: "slow",
        purse: Purse::Grant,
        temper: Temper::Slow(PATIENCE),
        what: "settles after 10 s of the clock",
    },
    Persona {
        name: "flaky",
        purse: Purse::Grant,
        temper: Temper::Flaky,
        what: "the first settlement of each purchase fails, the next succeeds",
    },
    Persona {
        name: "pending",
        purse: Purse::Grant,
        temper: Temper::Pending(PATIENCE),
        what: "settlements are pending for 10 s of the clock, then succeed",
    },
    Persona {
        name: "reorg",
        purse: Purse::Grant,
        temper: Temper::Reorg(PATIENCE),
        what: "settles, and 10 s of the clock later the transaction is undone",
    },
    Persona {
        name: "drained",
        purse: Purse::Grant,
        temper: Temper::Drained,
        what: "its balance is gone between verification and settlement",
    },
];
