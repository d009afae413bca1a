//! The world: all the state there is. The same seed, commands and clock give the same world.
//!
//! | room | what it holds |
//! |---|---|
//! | [`settlement`] | charges executed for real, and what may become of them |
//! | [`agenda`] | what is to happen at a time, after a number of blocks, or when it is asked for |
//! | [`faults`] | what is made to go wrong |
//! | [`record`] | what is told of all that happens: events, purchases |
//! | [`money`] | funding, blacklisting, cancelling: the hand of the tester |
//! | [`export`], [`import`] | snapshots as files |
//! | [`raw`] | transactions that others signed and sent |
//! | [`transactions`] | transactions by their hashes |
//! | [`snapshot`] | states that are kept and brought back |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::{Address, U256};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use x402_wire::amount::{AmountError, Decimal};
use x402_wire::facilitator::SupportedResponse;
use x402_wire::invoice::Invoice;

use crate::accounts::book::Book;
use crate::accounts::personas::{Purse, Temper};
use crate::accounts::{self, TestAccount};
use crate::catalog::{Catalog, INVOICE_ASSET};
use crate::chain::Chain;
use crate::clock::Clock;
use crate::event::{EventLog, PaymentId};
use crate::fault;
use crate::ledger::{Account, Effect, Grants, Ledger, Permit2Allowance, TokenAccounts, UnknownAccounts, View};
use crate::memo::{InvoiceError, Memos, Terms};
use crate::networks::Network;
use crate::networks::eip155::chain::EVERYWHERE;
use crate::purchase::Register;
use crate::purchase::moves::{Direction, Move, Moves};

use agenda::Agenda;
use snapshot::Shelf;
use transactions::Hashes;

pub mod agenda;
pub mod export;
pub mod faults;
pub mod import;
mod invoice;
mod line;
pub mod money;
pub mod raw;
pub mod record;
pub mod settlement;
pub mod snapshot;
mod solana;
pub mod transactions;

pub use settlement::{Commitment, Ending, Settled, Standing, Wait};

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The enabled networks.
    pub networks: Vec<Network>,
    /// What unknown accounts hold.
    pub unknown: UnknownAccounts,
    /// The grant, in whole units of each asset.
    pub balance: Decimal,
    /// The accounts that are paid: they start with nothing.
    pub payees: Vec<Account>,
    /// What else is granted at first sight.
    pub rules: Rules,
}

/// What is granted to accounts at first sight, besides money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// How much the Permit2 contract may move of accounts that never said it.
    pub permit2: Permit2Allowance,
    /// Which token accounts are there on Solana before anybody makes them.
    pub token_accounts: TokenAccounts,
}

/// Everything that happens in it. Every command takes the time: of the world's clock, but where it says real time.
#[derive(Debug)]
pub struct World {
    catalog: Arc<Catalog>,
    grants: Arc<Grants>,
    roots: Roots,
    start: Roots,
    shelf: Shelf,
    events: EventLog,
    purchases: Register,
    moves: Moves,
    clusters: solana::Clusters,
    facilitator: TestAccount,
    hashes: Arc<Hashes>,
}

/// What a snapshot keeps. Cloning copies a few pointers.
#[derive(Clone, Debug)]
struct Roots {
    ledger: Ledger,
    memos: Memos,
    clock: Clock,
    agenda: Agenda,
    book: Book,
    faults: fault::Table,
    random: ChaCha12Rng,
    raws: raw::Raws,
}

impl World {
    /// A new world. `Err` where the grant does not fit an asset's decimals.
    pub fn new(setup: &Setup, seed: u64) -> Result<Self, AmountError> {
        let catalog = Catalog::new(setup.networks.clone());
        let grants = grants(setup, &catalog)?;
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut key = [0; 32];
        random.fill_bytes(&mut key);
        let mut ledger = Ledger::default();
        ledger.apply(&blacklist());
        let roots = Roots {
            ledger,
            memos: Memos::new(key),
            clock: Clock::default(),
            agenda: Agenda::default(),
            book: Book::default(),
            faults: fault::Table::default(),
            random,
            raws: raw::Raws::default(),
        };
        Ok(Self {
            catalog: Arc::new(catalog),
            grants: Arc::new(grants),
            start: roots.clone(),
            roots,
            shelf: Shelf::default(),
            events: EventLog::default(),
            purchases: Register::default(),
            moves: Moves::default(),
            clusters: solana::Clusters::default(),
            facilitator: accounts::facilitator(),
            hashes: Arc::default(),
        })
    }

    /// Enables other networks and grants. Ledger, memos and events stay. `Err` changes nothing.
    pub fn reconfigure(&mut self, setup: &Setup) -> Result<(), AmountError> {
        let catalog = self.catalog.renewed(setup.networks.clone());
        let grants = grants(setup, &catalog)?;
        self.catalog = Arc::new(catalog);
        self.grants = Arc::new(grants);
        Ok(())
    }

    /// A read-only state of the chain as it is now. Costs a few pointers.
    pub fn chain(&self) -> Chain {
        Chain { catalog: Arc::clone(&self.catalog), view: self.view(), skew: 0 }
    }

    /// A new invoice. `amount` is the amount of the terms, written in whole units.
    pub fn issue_invoice(&mut self, terms: Terms<'_>, amount: String, now: u64) -> Invoice {
        self.roots.memos.issue(terms, amount, now / 1000)
    }

    /// Pays an invoice from a test account, at a clock in milliseconds. `payer` is an index or an address.
    pub fn redeem_invoice(
        &mut self,
        proof: &str,
        terms: Terms<'_>,
        (payer, mode): (&str, fault::Mode),
        now: u64,
    ) -> Result<TestAccount, InvoiceError> {
        let payer = accounts::find(payer).ok_or(InvoiceError::UnknownPayer)?;
        let effects = self.roots.memos.redeem(proof, terms, (payer, mode), &self.view(), now / 1000);
        let effects = effects.map_err(|error| self.traced(error, proof, terms))?;
        self.roots.ledger.apply(&effects);
        let moved = Move { direction: Direction::Paid, asset: INVOICE_ASSET, value: terms.amount };
        self.moves.note(PaymentId::of_memo(proof), moved);
        Ok(payer)
    }

    /// The ledger.
    pub const fn ledger(&self) -> &Ledger {
        &self.roots.ledger
    }

    /// How many transactions there are, how many settlements are pending, and how many events are kept.
    pub fn sizes(&self) -> (usize, usize, usize) {
        (self.roots.ledger.len(), self.roots.agenda.pending(), self.events.iter().count())
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.roots.clock
    }

    /// Sets the clock.
    pub const fn set_clock(&mut self, clock: Clock) {
        self.roots.clock = clock;
    }

    /// The accounts by their names.
    pub const fn book(&self) -> &Book {
        &self.roots.book
    }

    /// The enabled networks.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The answer to `GET /supported`.
    pub fn supported(&self) -> SupportedResponse {
        self.catalog.supported(&self.facilitator)
    }

    /// A hash over the ledger: equal states have equal hashes.
    pub fn state_hash(&self) -> u64 {
        self.roots.ledger.state_hash()
    }

    fn view(&self) -> View {
        View { ledger: self.roots.ledger.clone(), grants: Arc::clone(&self.grants) }
    }
}

/// The rule for accounts that were never touched.
fn grants(setup: &Setup, catalog: &Catalog) -> Result<Grants, AmountError> {
    let mut funded = BTreeSet::new();
    let mut reserved: BTreeSet<Account> = setup.payees.iter().copied().collect();
    reserved.insert(Account::from(Address::ZERO));
    reserved.extend(catalog.tokens().iter().map(|token| Account::from(token.contract)));
    reserved.extend(EVERYWHERE.map(Account::from));
    let mut fixed = BTreeMap::new();
    for account in accounts::all() {
        let everywhere = account.everywhere();
        match account.persona().map(|persona| persona.purse) {
            Some(Purse::Nothing) => fixed.extend(everywhere.map(|account| (account, U256::ZERO))),
            Some(Purse::Dust) => fixed.extend(everywhere.map(|account| (account, U256::ONE))),
            None if account.index >= accounts::FACILITATOR => reserved.extend(everywhere),
            Some(Purse::Grant) | None => funded.extend(everywhere),
        }
    }
    let amounts = catalog.assets().map(|(_, _, asset)| setup.balance.to_atomic(asset.decimals));
    let amounts = amounts.collect::<Result<Vec<U256>, _>>()?;
    let Rules { permit2, token_accounts } = setup.rules;
    Ok(Grants { unknown: setup.unknown, permit2, token_accounts, funded, fixed, reserved, amounts })
}

/// What blacklists the personas that are blacklisted from the start.
fn blacklist() -> Vec<Effect> {
    let blocked = |account: &TestAccount| account.persona().is_some_and(|persona| persona.temper == Temper::Blocked);
    accounts::all().filter(blocked).flat_map(TestAccount::everywhere).map(Effect::Block).collect()
}
