//! The chain: what a node does with a transaction. It knows nothing of x402.
//!
//! | room | what it holds |
//! |---|---|
//! | [`bank`] | accounts as one transaction sees and changes them |
//! | [`budget`] | compute units, and the fee |
//! | [`token`], [`associated`], [`system`] | the programs that move something |
//! | [`line`] | what programs say, spelled as a node spells it |
//! | [`failure`] | errors, spelled as a node spells them |
//!
//! Source: agave `bank::load_and_execute_transactions`: sanitised, then blockhash, repetition, fee, instructions in
//! sequence, all or none.

use super::blockhash;
use super::message::{Instruction, Message, Meta};
use super::program::{self, Run};
use super::transaction::{Fault, Transaction};

pub mod associated;
pub mod bank;
pub mod budget;
pub mod failure;
pub mod line;
pub mod site;
pub mod system;
pub mod token;

pub use bank::Bank;
pub use failure::{Failure, Wrong};
pub use line::Line;
pub use site::{Mint, Site, TokenAccount};

use budget::Budget;

#[cfg(test)]
mod tests;

/// Which signatures are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// None: the caller has verified those that there are.
    Unchecked,
    /// All of them.
    Checked,
}

/// Whether the blockhash must be a recent one of this chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// It must.
    Checked,
    /// Anything goes: it is replaced for a simulation, or nothing is verified.
    Any,
}

/// What a transaction did or would do.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    /// The accounts as it leaves them, with its effects; of a failed one only the fee.
    pub bank: Bank<'a>,
    /// Why it failed.
    pub result: Result<(), Failure>,
    /// What its programs said; nothing where nobody listened.
    pub logs: Vec<Line>,
    /// The units that it computed.
    pub units: u64,
}

/// Runs a transaction on accounts. `Err` is what a node refuses without running anything.
///
/// # Errors
///
/// A transaction that cannot be in a block.
pub fn run<'a>(
    bank: Bank<'a>,
    transaction: &Transaction,
    signatures: Signatures,
    lifetime: Lifetime,
) -> Result<Outcome<'a>, Failure> {
    let (message, site) = (&transaction.message, bank.site);
    admit(site, transaction, signatures, lifetime)?;
    let metas = match message.metas(|table| site.lookup_table(table).unwrap_or_default()) {
        Ok(metas) => metas,
        Err(unresolved) => return Err(Failure::of(Wrong::LookupTable, unresolved.to_string())),
    };
    let instructions =
        message.instructions(&metas).map_err(|unresolved| Failure::of(Wrong::Sanitize, unresolved.to_string()))?;
    execute(bank, message, &instructions, Some(Vec::new()))
}

/// The same for a transaction whose signatures were verified, and whose instructions are these. Nobody listens to its
/// programs.
///
/// # Errors
///
/// A transaction that cannot be in a block.
pub fn try_out<'a>(
    bank: Bank<'a>,
    transaction: &Transaction,
    instructions: &[Instruction],
    lifetime: Lifetime,
) -> Result<Outcome<'a>, Failure> {
    admit(bank.site, transaction, Signatures::Unchecked, lifetime)?;
    execute(bank, &transaction.message, instructions, None)
}

/// Whether a node looks into a transaction at all.
fn admit(site: Site<'_>, transaction: &Transaction, signatures: Signatures, lifetime: Lifetime) -> Result<(), Failure> {
    let message = &transaction.message;
    if let Some(why) = transaction.irregular {
        return Err(Failure::of(Wrong::Sanitize, why));
    }
    if signatures == Signatures::Checked
        && let Some((place, key, fault)) = transaction.wrongly_signed(0)
    {
        let what = match fault {
            Fault::Missing => "is missing",
            Fault::Wrong => "is not of this key and message",
        };
        return Err(Failure::of(Wrong::Signature, format!("signature {place}, of {key}, {what}")));
    }
    if message.repeats_an_account() {
        return Err(Failure::of(Wrong::LoadedTwice, "an account is named twice"));
    }
    if lifetime == Lifetime::Checked {
        let why = blockhash::why_not(site.network, message.blockhash, site.now);
        if let Some(why) = why {
            return Err(Failure::of(Wrong::Blockhash, why));
        }
    }
    if site.is_processed(&transaction.identity()) {
        return Err(Failure::of(Wrong::Processed, "the same transaction is on the chain already"));
    }
    Ok(())
}

/// Takes the fee and runs the instructions; where somebody listens, the programs are heard.
fn execute<'a>(
    mut bank: Bank<'a>,
    message: &Message,
    instructions: &[Instruction],
    logs: Option<Vec<Line>>,
) -> Result<Outcome<'a>, Failure> {
    let budget = Budget::read(instructions)?;
    let fee = budget.fee(u64::from(message.signers));
    if let Some(payer) = message.fee_payer() {
        bank.pay_fee(payer, fee)?;
    }
    let before = bank.mark();
    let mut execution = Execution { bank, logs, left: budget.limit, units: 0 };
    let result = execution.all(instructions);
    let Execution { mut bank, logs, units, .. } = execution;
    if result.is_err() {
        bank.go_back(before);
    }
    Ok(Outcome { bank, result, logs: logs.unwrap_or_default(), units })
}

struct Execution<'a> {
    bank: Bank<'a>,
    /// `None` where nobody listens.
    logs: Option<Vec<Line>>,
    left: u64,
    units: u64,
}

impl Execution<'_> {
    fn all(&mut self, instructions: &[Instruction]) -> Result<(), Failure> {
        instructions.iter().enumerate().try_for_each(|(place, instruction)| {
            let id = instruction.program;
            self.say(|| Line::Invoke(id));
            let cost = budget::cost(instruction);
            let (cost, done) = match self.one(instruction) {
                Ok(()) if cost > self.left => {
                    (self.left, Err(Wrong::Budget.because("it computes more than its limit")))
                }
                done => (cost.min(self.left), done),
            };
            let before = self.left;
            self.left -= cost;
            self.units += cost;
            self.say(|| Line::Consumed(id, cost, before));
            match done {
                Ok(()) => {
                    self.say(|| Line::Success(id));
                    Ok(())
                }
                Err(failure) => {
                    self.say(|| Line::Failed(id, failure.clone()));
                    Err(failure.at(place))
                }
            }
        })
    }

    fn one(&mut self, instruction: &Instruction) -> Result<(), Failure> {
        let known = program::find(instruction.program).ok_or_else(|| {
            let names = program::PROGRAMS.map(|program| program.name).join(", ");
            Wrong::Program.because(format!("program {} is not simulated here; {names} are", instruction.program))
        })?;
        match known.run {
            Run::Budget | Run::Nothing => Ok(()),
            Run::System => system::run(&mut self.bank, instruction),
            Run::Token => token::run(&mut self.bank, instruction),
            Run::Associated => associated::run(&mut self.bank, instruction),
            Run::Memo => self.memo(instruction),
        }
    }

    /// Source: SPL Memo 3.0: a text, and every account that is named has signed.
    fn memo(&mut self, instruction: &Instruction) -> Result<(), Failure> {
        for meta in accounts(instruction)? {
            if !meta.signer {
                return Err(Wrong::MissingSignature.because(format!("the memo names {}, who did not sign", meta.key)));
            }
            self.say(|| Line::Signed(meta.key));
        }
        let text = std::str::from_utf8(&instruction.data).map_err(|_| Wrong::Data.because("the memo is not UTF-8"))?;
        self.say(|| Line::Memo(text.to_owned()));
        Ok(())
    }

    fn say(&mut self, line: impl FnOnce() -> Line) {
        if let Some(logs) = &mut self.logs {
            logs.push(line());
        }
    }
}

/// An instruction's accounts.
///
/// # Errors
///
/// A place that the message does not have.
pub fn accounts(instruction: &Instruction) -> Result<impl Iterator<Item = Meta>, Failure> {
    if instruction.accounts.iter().any(Option::is_none) {
        return Err(Wrong::NotEnoughAccounts.because("it names an account that the message does not have"));
    }
    Ok(instruction.accounts.iter().flatten().copied())
}

/// The first accounts of an instruction, as many as a program needs.
///
/// # Errors
///
/// Too few of them.
///
/// # Panics
///
/// Never: every account is looked at before.
pub fn first<const N: usize>(instruction: &Instruction) -> Result<[Meta; N], Failure> {
    accounts(instruction).map(drop)?;
    let all = &instruction.accounts;
    let found = all.first_chunk::<N>().map(|first| first.map(|meta| meta.expect("all of them are there")));
    found.ok_or_else(|| Wrong::NotEnoughAccounts.because(format!("it names {} accounts and needs {N}", all.len())))
}

/// A number of eight bytes in an instruction's data.
///
/// # Errors
///
/// Too few bytes.
pub fn number(data: &[u8], at: usize) -> Result<u64, Failure> {
    let bytes = data.get(at..).and_then(|rest| rest.first_chunk::<8>());
    bytes.map(|bytes| u64::from_le_bytes(*bytes)).ok_or_else(|| Wrong::Data.because("its data is too short"))
}
