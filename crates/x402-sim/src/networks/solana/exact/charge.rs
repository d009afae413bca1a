//! What will move: made only from a case that passed its order.

use std::sync::{Arc, OnceLock};

use alloy_primitives::{B256, U256};

use super::case::{Case, bank_for, nobody};
use super::reason::Code;
use crate::accounts;
use crate::catalog::{Catalog, Mint};
use crate::charge::Instrument;
use crate::ledger::{Account, AssetId, Call, Effect, Entry, Once, Record, View};
use crate::networks::Asset;
use crate::networks::solana::by_signature;
use crate::networks::solana::key::Key;
use crate::networks::solana::runtime::failure::Wrong;
use crate::networks::solana::runtime::{Lifetime, Signatures, Site, run};
use crate::networks::solana::transaction::Transaction;
use crate::order::Passed;
use crate::reason::Reason;

/// A transfer that passed every check.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The mint's number.
    pub asset: AssetId,
    /// The cluster's CAIP-2 id.
    pub network: String,
    /// Whose tokens move.
    pub payer: Key,
    /// Who is paid.
    pub pay_to: Key,
    /// How much, in atomic units.
    pub value: u64,
    /// The transaction as the payer gave it.
    given: Arc<Transaction>,
    /// The same as it is sent: the facilitator signs only what it settles.
    sent: OnceLock<Transaction>,
    destination: Key,
    lifetime: Lifetime,
    catalog: Arc<Catalog>,
}

impl Charge {
    /// The charge of a case that passed.
    pub fn new(case: &Case<'_>, _: &Passed) -> Result<Self, Reason> {
        let none = || Code::NoTransfer.because("the third instruction is not TransferChecked of a token program");
        let transfer = case.transfer().ok_or_else(none)?;
        let site = case.site().ok_or_else(none)?;
        let mint = site.mint(transfer.mint).ok_or_else(|| Code::Simulation.because("the mint is not on this chain"))?;
        let given = Arc::clone(case.transaction().map_err(|why| Code::NotDecoded.because(why))?);
        // The official code names the owner whom it finds first, who is the authority unless there are two transfers.
        let (payer, pay_to) = (transfer.authority, Key::parse(case.claim.asked.pay_to).ok_or_else(none)?);
        Ok(Self {
            asset: mint.asset,
            network: site.network.to_owned(),
            payer,
            pay_to,
            value: transfer.amount,
            given,
            sent: OnceLock::new(),
            destination: transfer.destination,
            lifetime: case.lifetime(),
            catalog: Arc::clone(&case.chain.catalog),
        })
    }

    /// The mint.
    ///
    /// # Panics
    ///
    /// Never: the charge was made with this catalog.
    pub fn mint(&self) -> &Mint {
        self.catalog.mint_by_id(self.asset).expect("the charge was made with a mint of this catalog")
    }

    /// The transaction, signed by the facilitator as well.
    fn transaction(&self) -> &Transaction {
        self.sent.get_or_init(|| {
            let mut transaction = Transaction::clone(&self.given);
            transaction.sign(&accounts::facilitator().solana_seed());
            transaction
        })
    }

    /// Executes the transfer on a state, at a block time in seconds.
    pub fn execute(&self, view: &View, block_time: u64) -> Result<Vec<Effect>, Reason> {
        let now = block_time.saturating_mul(1000);
        let site = Site { catalog: &self.catalog, view, network: &self.network, now, directory: nobody() };
        let mint = Key(self.mint().address);
        let bank = bank_for(site, self.destination, self.pay_to, mint);
        let failure = match run(bank, self.transaction(), Signatures::Unchecked, self.lifetime) {
            Ok(outcome) => match outcome.result {
                Ok(()) => {
                    let mut effects = outcome.bank.effects;
                    effects.push(Effect::Use(self.once()));
                    effects.push(Effect::Use(by_signature(&self.transaction().id())));
                    return Ok(effects);
                }
                Err(failure) => failure,
            },
            Err(failure) => failure,
        };
        let code = if failure.wrong() == Wrong::Processed { Code::Duplicate } else { Code::Failed };
        Err(code.because(format!("the transaction failed: {} ({})", failure.to_json(), failure.why)))
    }

    /// What it uses up: its message.
    pub fn once(&self) -> Once {
        Once::Message(B256::from(self.given.identity()))
    }

    /// Its transaction, made at a time in milliseconds with these effects.
    pub fn record(&self, at: u64, effects: &[Effect]) -> Record {
        let (network, wire) = (self.network.clone(), self.transaction().encode());
        let call = Call::Svm { network, wire, settled: true, error: None };
        let entry = Entry {
            asset: self.asset,
            from: Account::from(self.payer),
            to: Account::from(self.pay_to),
            value: U256::from(self.value),
            sequence: 0,
            at,
            call,
            effects: effects.to_vec(),
        };
        Record::Other(Arc::new(entry))
    }
}

impl Instrument for Charge {
    fn execute(&self, view: &View, block_time: u64) -> Result<Vec<Effect>, Reason> {
        self.execute(view, block_time)
    }

    fn asset(&self) -> AssetId {
        self.asset
    }

    fn asset_in_words(&self) -> &Asset {
        &self.mint().asset
    }

    fn payer(&self) -> Account {
        self.payer.into()
    }

    fn value(&self) -> U256 {
        U256::from(self.value)
    }

    fn once(&self) -> Once {
        self.once()
    }

    fn record(&self, _sequence: u32, at: u64, effects: &[Effect]) -> Record {
        self.record(at, effects)
    }
}
