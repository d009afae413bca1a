//! The world: all the state there is. The same seed, commands and clock give the same world.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use x402_wire::amount::{AmountError, Decimal};
use x402_wire::facilitator::SupportedResponse;
use x402_wire::invoice::Invoice;

use crate::accounts::{self, TestAccount};
use crate::catalog::{Catalog, solana_account};
use crate::chain::Chain;
use crate::event::{Door, Event, EventLog, Facts, Kind, PaymentId};
use crate::ledger::{Account, Grants, Ledger, Record, UnknownAccounts, View};
use crate::memo::{self, InvoiceError, Memos, Terms};
use crate::networks::Network;
use crate::networks::eip155::eip3009::Charge;
use crate::networks::eip155::signature::Ecdsa;
use crate::networks::eip155::transaction::{Signed, Transaction, transfer_calldata};
use crate::reason::Reason;

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The enabled networks.
    pub networks: Vec<Network>,
    /// What unknown accounts hold.
    pub unknown: UnknownAccounts,
    /// The grant, in whole units of each asset.
    pub balance: Decimal,
    /// The `eip155` addresses that are paid: they start with nothing.
    pub payees: Vec<Address>,
}

/// Clockless state: ledger, memos, events and the one random stream. Every command takes the time.
#[derive(Debug)]
pub struct World {
    catalog: Arc<Catalog>,
    grants: Arc<Grants>,
    ledger: Ledger,
    memos: Memos,
    events: EventLog,
    facilitator: TestAccount,
}

/// A settlement that was written to the ledger. Its transaction is built when asked for: signing is costly.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Its number in the ledger.
    pub number: u32,
    record: Record,
    catalog: Arc<Catalog>,
    facilitator: TestAccount,
}

impl World {
    /// A new world. `Err` where the grant does not fit an asset's decimals.
    ///
    /// # Panics
    ///
    /// Never: the test accounts exist.
    pub fn new(setup: &Setup, seed: u64) -> Result<Self, AmountError> {
        let catalog = Catalog::new(setup.networks.clone());
        let grants = grants(setup, &catalog)?;
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut key = [0; 32];
        random.fill_bytes(&mut key);
        let facilitator = accounts::test_accounts().nth(accounts::FACILITATOR).expect("account 8 is in the table");
        Ok(Self {
            catalog: Arc::new(catalog),
            grants: Arc::new(grants),
            ledger: Ledger::default(),
            memos: Memos::new(key),
            events: EventLog::default(),
            facilitator,
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
        Chain { catalog: Arc::clone(&self.catalog), view: self.view() }
    }

    /// Executes a charge for real, at a clock in milliseconds: all its effects, or none and the reason.
    pub fn settle(&mut self, charge: &Charge, now: u64) -> Result<Settled, Reason> {
        let effects = charge.execute(&self.view(), now / 1000)?;
        let chain_id = charge.token().chain_id;
        let sequence = self.ledger.sequence(chain_id);
        let Charge { asset, authorization, signature, .. } = *charge;
        let record = Record { authorization, signature, asset, sequence, at: now };
        self.ledger.apply(&effects);
        let number = self.ledger.append(record, chain_id);
        Ok(Settled { number, record, catalog: Arc::clone(&self.catalog), facilitator: self.facilitator })
    }

    /// A new invoice. `amount` is the amount of the terms, written in whole units.
    pub fn issue_invoice(&mut self, terms: Terms<'_>, amount: String, now: u64) -> Invoice {
        self.memos.issue(terms, amount, now / 1000)
    }

    /// Pays an invoice from a test account, at a clock in milliseconds. `payer` is an index or an address.
    pub fn redeem_invoice(
        &mut self,
        proof: &str,
        terms: Terms<'_>,
        payer: &str,
        now: u64,
    ) -> Result<TestAccount, InvoiceError> {
        let payer = accounts::find(payer).ok_or(InvoiceError::UnknownPayer)?;
        let effects = self.memos.redeem(proof, terms, payer, &self.view(), now / 1000)?;
        self.ledger.apply(&effects);
        Ok(payer)
    }

    /// Appends an event.
    pub fn record(&mut self, now: u64, kind: Kind, door: Door, payment: Option<PaymentId>, facts: Facts) -> Arc<Event> {
        self.events.append(now, kind, door, payment, facts)
    }

    /// The events that are kept.
    pub const fn events(&self) -> &EventLog {
        &self.events
    }

    /// The ledger.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The enabled networks.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The answer to `GET /supported`.
    pub fn supported(&self) -> SupportedResponse {
        self.catalog.supported(self.facilitator.address)
    }

    /// A hash over the ledger: equal states have equal hashes.
    pub fn state_hash(&self) -> u64 {
        self.ledger.state_hash()
    }

    fn view(&self) -> View {
        View { ledger: self.ledger.clone(), grants: Arc::clone(&self.grants) }
    }
}

impl Settled {
    /// The facilitator's transaction, rebuilt from the record.
    ///
    /// # Panics
    ///
    /// Never: the record names a token of the catalog.
    pub fn transaction(&self) -> Signed {
        let token = self.catalog.token_by_id(self.record.asset).expect("the record was made with this catalog");
        let Ecdsa { compact, v } = self.record.signature;
        let transaction = Transaction {
            chain_id: token.chain_id,
            nonce: u64::from(self.record.sequence),
            to: token.contract,
            input: transfer_calldata(&self.record.authorization, &Ecdsa { compact, v }),
        };
        transaction.sign(&self.facilitator.key_bytes())
    }

    /// The transaction's hash.
    pub fn hash(&self) -> B256 {
        self.transaction().hash
    }
}

/// The rule for accounts that were never touched.
fn grants(setup: &Setup, catalog: &Catalog) -> Result<Grants, AmountError> {
    let mut funded = BTreeSet::new();
    let mut reserved: BTreeSet<Account> = setup.payees.iter().map(|payee| Account::from(*payee)).collect();
    reserved.insert(Account::from(Address::ZERO));
    reserved.extend(catalog.tokens().iter().map(|token| Account::from(token.contract)));
    for account in accounts::test_accounts() {
        let both = [Some(Account::from(account.evm())), solana_account(account.solana_address)];
        let group = if account.index < accounts::FACILITATOR { &mut funded } else { &mut reserved };
        group.extend(both.into_iter().flatten());
    }
    let mut amounts: Vec<U256> = vec![setup.balance.to_atomic(memo::DECIMALS)?];
    for token in catalog.tokens() {
        amounts.push(setup.balance.to_atomic(token.asset.decimals)?);
    }
    Ok(Grants { unknown: setup.unknown, funded, reserved, amounts })
}
