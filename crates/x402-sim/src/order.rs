//! Orders: lists of checks, as data, in the official sequence. The first check that fails names the reason.

use std::borrow::Cow;

use crate::reason::Reason;

/// One check of an order. `T` is the function that tests a case.
#[derive(Clone, Copy, Debug)]
pub struct Check<T> {
    /// What it looks at, in a word or two.
    pub name: &'static str,
    /// At which depths it is made.
    pub when: When,
    /// The test.
    pub test: T,
}

/// At which depths a check is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At both.
    Always,
    /// On verify only: settle finds out by executing.
    Verify,
}

/// How deep a payment is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything, with a simulation of the transfer.
    Verify,
    /// Everything but the simulation: the transfer itself follows.
    Settle,
}

/// A list of checks in sequence.
#[derive(Clone, Debug)]
pub struct Order<T: Clone + 'static> {
    checks: Cow<'static, [Check<T>]>,
}

/// The proof that a case passed an order; nobody else can make one.
#[derive(Debug)]
pub struct Passed(());

impl<T: Copy + 'static> Order<T> {
    /// An order of these checks.
    pub const fn new(checks: &'static [Check<T>]) -> Self {
        Self { checks: Cow::Borrowed(checks) }
    }

    /// Runs the checks of a depth until one fails.
    pub fn judge(&self, depth: Depth, run: impl Fn(T) -> Result<(), Reason>) -> Result<Passed, Reason> {
        let made = |check: &&Check<T>| depth == Depth::Verify || check.when == When::Always;
        self.checks.iter().filter(made).try_for_each(|check| run(check.test))?;
        Ok(Passed(()))
    }

    /// The checks' names in sequence.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.checks.iter().map(|check| check.name)
    }

    /// The same order with the check at `index` and the one after it exchanged: a mutation that tests must catch.
    ///
    /// # Panics
    ///
    /// When there are no two such checks.
    pub fn with_neighbours_swapped(&self, index: usize) -> Self {
        let mut checks = self.checks.clone().into_owned();
        checks.swap(index, index + 1);
        Self { checks: Cow::Owned(checks) }
    }
}
