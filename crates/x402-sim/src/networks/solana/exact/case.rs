//! A claim beside the state of the chain. The transaction is taken apart once, when it is first asked for.

use std::cell::OnceCell;
use std::sync::{Arc, LazyLock};

use super::claim::Claim;
use super::layout::TransferChecked;
use crate::accounts;
use crate::chain::Chain;
use crate::networks::eip155::chain::Signatures;
use crate::networks::solana::directory::Directory;
use crate::networks::solana::key::Key;
use crate::networks::solana::message::{Instruction, Unresolved};
use crate::networks::solana::program;
use crate::networks::solana::runtime;
use crate::networks::solana::runtime::failure::Failure;
use crate::networks::solana::runtime::{Bank, Lifetime, Outcome, Site, run, try_out};
use crate::networks::solana::transaction::{NoTransaction, Transaction};
use crate::networks::{Network, solana};
use crate::reason::{self, Reason};

/// What a check may look at.
#[derive(Debug)]
pub struct Case<'a> {
    /// What payer and resource say.
    pub claim: Claim<'a>,
    /// The state of the chain.
    pub chain: &'a Chain,
    /// The clock, in seconds.
    pub now: u64,
    /// Whether signatures are looked at.
    pub signatures: Signatures,
    decoded: OnceCell<Result<Arc<Transaction>, NoTransaction>>,
    instructions: OnceCell<Result<Vec<Instruction>, Unresolved>>,
    transfer: OnceCell<Option<TransferChecked>>,
    destination: OnceCell<Option<Key>>,
}

/// Nobody is remembered while a payment is judged: it names all that it needs.
static NOBODY: Directory = Directory::new();

impl<'a> Case<'a> {
    /// A claim beside a state of the chain at a second.
    pub fn new(claim: Claim<'a>, chain: &'a Chain, now: u64, signatures: Signatures) -> Self {
        Self {
            claim,
            chain,
            now,
            signatures,
            decoded: OnceCell::new(),
            instructions: OnceCell::new(),
            transfer: OnceCell::new(),
            destination: OnceCell::new(),
        }
    }

    /// The network that the requirements name.
    pub fn network(&self) -> Option<&'a Network> {
        self.chain.catalog.network(self.claim.version, self.claim.asked.network)
    }

    /// The facilitator's address.
    pub fn facilitator() -> Key {
        static KEY: LazyLock<Key> = LazyLock::new(|| solana::key_of(&accounts::facilitator()));
        *KEY
    }

    /// The transaction, or why it is none.
    pub fn transaction(&self) -> Result<&Arc<Transaction>, String> {
        let Some(text) = self.claim.transaction else {
            return Err("paymentPayload.payload.transaction is missing, or is no text".to_owned());
        };
        let decoded = self.decoded.get_or_init(|| Transaction::shared(text));
        decoded.as_ref().map_err(|error| format!("paymentPayload.payload.transaction: {error}"))
    }

    /// Its instructions, or why they cannot be told. Version 1 knows no lookup tables.
    pub fn instructions(&self) -> Result<&[Instruction], String> {
        let transaction = self.transaction()?;
        let table = |key| self.site().and_then(|site| site.lookup_table(key)).unwrap_or_default();
        let whole = || transaction.message.instructions(&transaction.message.metas(table)?);
        let instructions = self.instructions.get_or_init(whole);
        instructions.as_deref().map_err(ToString::to_string)
    }

    /// The transfer, where the third instruction is one.
    pub fn transfer(&self) -> Option<TransferChecked> {
        *self.transfer.get_or_init(|| TransferChecked::read(self.instructions().ok()?.get(2)?))
    }

    /// Whoever owns the tokens, as the official code finds him: the fourth account of the first instruction of a token
    /// program.
    ///
    /// Source: TS 2.27 svm `utils.ts` `getTokenPayerFromTransaction`.
    pub fn payer(&self) -> Option<Key> {
        owner(self.transaction().ok()?)
    }

    /// The payer as an answer names him that gives this reason.
    pub fn payer_in_answer(&self, reason: &Reason) -> String {
        let names = match reason.code {
            reason::Code::Svm(code) => code.names_the_payer(),
            _ => false,
        };
        names.then(|| self.payer()).flatten().map(|payer| payer.to_string()).unwrap_or_default()
    }

    /// The token account that the requirements ask the tokens to go to.
    pub fn destination(&self) -> Option<Key> {
        *self.destination.get_or_init(|| {
            let program = self.instructions().ok()?.get(2)?.program;
            let (owner, mint) = (Key::parse(self.claim.asked.pay_to)?, Key::parse(self.claim.asked.asset)?);
            Some(Key::token_account(owner, mint, program))
        })
    }

    /// The chain as the transaction would meet it.
    pub fn site(&self) -> Option<Site<'_>> {
        let network = &self.network()?.id;
        Some(Site {
            catalog: &self.chain.catalog,
            view: &self.chain.view,
            network,
            now: self.now.saturating_mul(1000),
            directory: &NOBODY,
        })
    }

    /// Whether the blockhash is looked at.
    pub const fn lifetime(&self) -> Lifetime {
        match self.signatures {
            Signatures::Checked => Lifetime::Checked,
            Signatures::Trusted => Lifetime::Any,
        }
    }

    /// What the transaction would do now; `None` where the network is none.
    pub fn simulate(&self) -> Option<Result<Outcome<'_>, Failure>> {
        let transaction = self.transaction().ok()?;
        let bank = self.bank()?;
        // The instructions that nobody could tell are the chain's to refuse, in its own words.
        let Ok(instructions) = self.instructions() else {
            return Some(run(bank, transaction, runtime::Signatures::Unchecked, self.lifetime()));
        };
        Some(try_out(bank, transaction, instructions, self.lifetime()))
    }

    /// The accounts, with what is known of this payment's token accounts.
    fn bank(&self) -> Option<Bank<'_>> {
        let site = self.site()?;
        let mut bank = Bank::new(site);
        let (destination, owner) = (self.destination(), Key::parse(self.claim.asked.pay_to));
        let mint = Key::parse(self.claim.asked.asset).and_then(|mint| site.mint(mint));
        if let (Some(key), Some(owner), Some(mint)) = (destination, owner, mint) {
            bank.introduce(key, owner, &mint);
        }
        Some(bank)
    }
}

/// Whoever owns the tokens that a transaction moves; see [`Case::payer`].
pub(super) fn owner(transaction: &Transaction) -> Option<Key> {
    let message = &transaction.message;
    let at = |place: u8| message.accounts.get(usize::from(place)).copied();
    let of_token = message.instructions.iter().filter(|own| at(own.program).is_some_and(program::is_token));
    of_token.filter_map(|own| own.accounts.get(3)).find_map(|place| at(*place))
}

/// The same accounts for a payment that is executed.
pub(super) fn bank_for(site: Site<'_>, destination: Key, owner: Key, mint: Key) -> Bank<'_> {
    let mut bank = Bank::new(site);
    if let Some(mint) = site.mint(mint) {
        bank.introduce(destination, owner, &mint);
    }
    bank
}

/// A directory of nobody.
pub(super) fn nobody() -> &'static Directory {
    &NOBODY
}
