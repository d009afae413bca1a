//! The layout of the instructions of a payment: limit, price, transfer, then what wallets add.

use crate::networks::solana::key::Key;
use crate::networks::solana::message::Instruction;
use crate::networks::solana::program;
use crate::networks::solana::runtime::token;

/// The most that a facilitator pays for a compute unit, in millionths of a lamport.
pub const MAX_PRICE: u64 = 5_000_000;

/// A `TransferChecked` of one of the token programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferChecked {
    /// The token program.
    pub program: Key,
    /// The token account that pays.
    pub source: Key,
    /// The mint.
    pub mint: Key,
    /// The token account that is paid.
    pub destination: Key,
    /// Who owns the first.
    pub authority: Key,
    /// How much, in atomic units.
    pub amount: u64,
}

impl TransferChecked {
    /// Reads an instruction; `None` where it is another one.
    pub fn read(instruction: &Instruction) -> Option<Self> {
        if !program::is_token(instruction.program) || instruction.data.first() != Some(&token::TRANSFER_CHECKED) {
            return None;
        }
        let (amount, [_decimals, ..]) = instruction.data.get(1..)?.split_first_chunk::<8>()? else { return None };
        let mut keys = instruction.accounts.iter().map(|meta| meta.map(|meta| meta.key));
        let mut next = || keys.next().flatten();
        Some(Self {
            program: instruction.program,
            source: next()?,
            mint: next()?,
            destination: next()?,
            authority: next()?,
            amount: u64::from_le_bytes(*amount),
        })
    }
}

/// Whether an instruction limits the compute units.
pub fn is_limit(instruction: &Instruction) -> bool {
    instruction.program == program::COMPUTE_BUDGET
        && instruction.data.first() == Some(&2)
        && instruction.data.len() >= 5
}

/// The price of a compute unit that an instruction sets, in millionths of a lamport.
pub fn price(instruction: &Instruction) -> Option<u64> {
    let [3, rest @ ..] = instruction.data.as_slice() else { return None };
    let price = rest.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes))?;
    (instruction.program == program::COMPUTE_BUDGET).then_some(price)
}

/// The text of a memo as JavaScript decodes it.
pub fn memo_text(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()
}
