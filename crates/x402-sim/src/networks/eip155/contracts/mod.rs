//! Contracts as views of the ledger: what a message call to an address answers and changes. No bytecode runs.
//!
//! A [`Machine`] executes calls on a state of its own, so that a call that fails half-way changes nothing, and a second
//! call of the same transaction sees what the first one did.
//!
//! | room | what it holds |
//! |---|---|
//! | [`token`] | the tokens of the catalog: views, transfers, allowances, permits |
//! | [`authorization`] | the tokens' EIP-3009 functions |
//! | [`multicall`] | Multicall3 |
//! | [`permit2`], [`proxy`] | Permit2, and the two x402 proxies in front of it |
//! | [`log`] | what contracts emit |
//! | [`halt`] | calls that changed nothing, and why |

use alloy_primitives::{Address, B256, U256, address};
use imbl::OrdSet;

use super::PERMIT2;
use super::chain::{Code, code_at, move_token};
use super::signature::Ecdsa;
use crate::accounts;
use crate::accounts::book::Book;
use crate::catalog::{Catalog, Token};
use crate::ledger::{Effect, Once, UnknownAccounts, View};
use crate::world::raw::Paid;

pub mod authorization;
pub mod halt;
pub mod log;
pub mod multicall;
pub mod permit2;
pub mod proxy;
pub mod token;

pub use halt::{Halt, Revert};
pub use log::Log;

/// What a native coin's balance of every account with gas money shows, in wei: ten thousand coins that never get fewer.
pub const GAS_MONEY: U256 = U256::from_limbs([0x19e0_c9ba_b240_0000, 0x21e, 0, 0]);

/// Contracts that stand on main networks and are not simulated: a call is refused by name, where silence would be taken
/// for an account without code.
const UNKNOWN_CODE: [(Address, &str); 4] = [
    (address!("4020074e9dF2ce1deE5A9C1b5c3f541D02a10003"), "the batch settlement contract"),
    (address!("4020806089470a89826cB9fB1f4059150b550004"), "the batch settlement's collector for EIP-3009"),
    (address!("4020425FAf3B746C082C2f942b4E5159887B0005"), "the batch settlement's collector for Permit2"),
    (address!("4e59b44847b379578588920cA78FbF26c0B4956C"), "the CREATE2 deployer"),
];

/// The signature of a function that one of the contracts declares, by its selector.
pub(super) fn declared(selector: [u8; 4]) -> Option<&'static str> {
    let mut others = [multicall::FUNCTIONS, permit2::FUNCTIONS, proxy::FUNCTIONS].into_iter().flatten();
    let found = others.find(|row| row.0 == selector).map(|row| row.1);
    found.or_else(|| token::declared(selector))
}

/// How much gas a block holds, and the most that a call may use.
pub const GAS_LIMIT: u64 = 30_000_000;

/// What a call costs before it does anything.
const CALL: u64 = 2_600;

/// What the recovery of a signer costs, as the precompiled contract does.
const RECOVERY: u64 = 3_000;

/// What it costs to look at an account: as a call.
const LOOK: u64 = CALL;

/// What each byte costs that is copied and hashed: signatures and type strings of any length.
const BYTE: u64 = 3;

/// How deep calls may call each other: deeper than anybody needs, and shallow enough for a thread's stack.
const DEPTH: usize = 64;

/// A message call.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Who calls.
    pub sender: Address,
    /// What is called.
    pub to: Address,
    /// The calldata.
    pub input: &'a [u8],
}

/// The block in which a call is executed.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// The chain.
    pub chain_id: u64,
    /// Its number.
    pub number: u64,
    /// Its time in seconds.
    pub time: u64,
    /// What a unit of gas costs in it, in wei.
    pub base_fee: u64,
}

/// A state on which calls are executed.
#[derive(Clone, Debug)]
pub struct Machine<'a> {
    catalog: &'a Catalog,
    network: &'a str,
    block: Block,
    book: &'a Book,
    view: View,
    used: OrdSet<Once>,
    /// How many calls are under way.
    depth: usize,
    /// Everything that the calls changed.
    pub effects: Vec<Effect>,
    /// Everything that they emitted.
    pub logs: Vec<Log>,
    /// The payments that they made, in their order.
    pub payments: Vec<Paid>,
    /// The payments that were tried, also in calls that failed.
    pub tried: Vec<Paid>,
    /// How much gas they used, as deployed contracts roughly do.
    pub gas: u64,
}

impl<'a> Machine<'a> {
    /// A machine on a state of a network, whose accounts are in a book.
    pub fn new((catalog, network): (&'a Catalog, &'a str), book: &'a Book, view: View, block: Block) -> Self {
        Self {
            catalog,
            network,
            block,
            book,
            view,
            used: OrdSet::new(),
            depth: 0,
            effects: Vec::new(),
            logs: Vec::new(),
            payments: Vec::new(),
            tried: Vec::new(),
            gas: 0,
        }
    }

    /// Executes a call: what it gives, or why it changed nothing.
    ///
    /// # Errors
    ///
    /// A revert, or code that is not simulated. A call from too deep fails without a word, as on a real chain.
    pub fn call(&mut self, message: Message<'_>) -> Result<Vec<u8>, Halt> {
        if self.depth >= DEPTH {
            return Err(Halt::SILENT);
        }
        let (effects, logs, payments) = (self.effects.len(), self.logs.len(), self.payments.len());
        let before = (self.view.clone(), self.used.clone());
        self.depth += 1;
        let given = self.dispatch(message);
        self.depth -= 1;
        if given.is_err() {
            (self.view, self.used) = before;
            self.effects.truncate(effects);
            self.logs.truncate(logs);
            self.payments.truncate(payments);
        }
        given
    }

    /// Every call costs something, so that calls of calls come to an end.
    fn dispatch(&mut self, message: Message<'_>) -> Result<Vec<u8>, Halt> {
        self.spend(CALL)?;
        if let Some((address, name)) = UNKNOWN_CODE.iter().find(|(address, _)| *address == message.to) {
            return Err(Halt::unknown(*address, name));
        }
        let catalog = self.catalog;
        match code_at(catalog, self.network, message.to) {
            Code::Token(token) => token::call(self, token, message),
            Code::Other if message.to == multicall::ADDRESS => multicall::call(self, message),
            Code::Other if message.to == PERMIT2 => permit2::call(self, message),
            Code::Other if proxy::stands_at(message.to) => proxy::call(self, message),
            Code::Other => Err(Halt::unknown(message.to, "a contract")),
            // An account without code takes every call, and says nothing.
            Code::Nothing => Ok(Vec::new()),
        }
    }

    /// Pays for something before it is done, so that no call does more than a block's gas allows.
    fn spend(&mut self, gas: u64) -> Result<(), Halt> {
        self.gas = self.gas.saturating_add(gas);
        if self.gas > GAS_LIMIT { Err(Halt::OutOfGas) } else { Ok(()) }
    }

    /// Pays for bytes that are copied and hashed.
    fn spend_bytes(&mut self, length: usize) -> Result<(), Halt> {
        self.spend(u64::try_from(length).unwrap_or(u64::MAX).saturating_mul(BYTE))
    }

    /// The block.
    pub const fn block(&self) -> Block {
        self.block
    }

    /// The state as the calls so far have left it.
    pub const fn view(&self) -> &View {
        &self.view
    }

    /// Whether something that can be used once was used or cancelled.
    fn is_used(&self, once: &Once) -> bool {
        self.used.contains(once) || self.view.is_used(once)
    }

    /// Changes the state.
    fn apply(&mut self, effects: Vec<Effect>) {
        self.used.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Use(once) => Some(*once),
            _ => None,
        }));
        self.view.ledger.apply(&effects);
        self.effects.extend(effects);
    }

    /// Notes a payment that is tried now; what comes of it is said by the call's end.
    fn try_payment(&mut self, paid: Paid) {
        self.tried.push(paid.clone());
        self.payments.push(paid);
    }

    /// Moves a token as its own `_transfer` does.
    fn transfer(&mut self, token: &Token, from: Address, to: Address, value: U256) -> Result<(), Halt> {
        let effects = move_token(token, [from, to], value, &self.view).map_err(|revert| Halt::text(revert.0))?;
        self.spend(45_000)?;
        self.apply(effects);
        self.logs.push(Log::transfer(token.contract, from, to, value));
        Ok(())
    }

    /// What the native coins of an account show, in wei.
    fn coins(&self, address: Address) -> U256 {
        coins((self.catalog, self.network), self.book, self.view.grants.unknown, address)
    }

    /// Refuses parties that the token has blacklisted. Every token is on its own blacklist.
    fn require_welcome(&self, token: &Token, parties: &[Address]) -> Result<(), Halt> {
        let blocked = |party: &Address| *party == token.contract || self.view.is_blocked((*party).into());
        require(!parties.iter().any(blocked), "Blacklistable: account is blacklisted")
    }
}

/// What the native coins of an account of a network show, in wei: nothing is counted. Whoever may pay has more than it
/// can use, a contract has none.
pub fn coins((catalog, network): (&Catalog, &str), book: &Book, unknown: UnknownAccounts, address: Address) -> U256 {
    let is_known = || accounts::all().any(|account| account.evm() == address) || book.made_at(address);
    let is_rich = matches!(code_at(catalog, network, address), Code::Nothing)
        && (unknown == UnknownAccounts::Funded || is_known());
    if is_rich { GAS_MONEY } else { U256::ZERO }
}

/// A contract's `require`.
fn require(holds: bool, text: &'static str) -> Result<(), Halt> {
    if holds { Ok(()) } else { Err(Halt::text(text)) }
}

/// A signer, as the tokens' `ECRecover` library finds one. Whoever asks has paid for it.
fn ec_recover(digest: B256, signature: &[u8]) -> Result<Address, Halt> {
    let Ok(bytes): Result<[u8; 65], _> = signature.try_into() else {
        return Err(Halt::text("ECRecover: invalid signature length"));
    };
    let mut compact = [0; 64];
    compact.copy_from_slice(&bytes[..64]);
    let signature = Ecdsa { compact, v: bytes[64] };
    require(!signature.has_high_s(), "ECRecover: invalid signature 's' value")?;
    require(matches!(signature.v, 27 | 28), "ECRecover: invalid signature 'v' value")?;
    signature.recover(digest).ok_or(Halt::text("ECRecover: invalid signature"))
}

#[cfg(test)]
mod tests;
