//! The System program: lamports move from one account to another.

use super::bank::Bank;
use super::failure::{Failure, Wrong};
use super::{first, number};
use crate::networks::solana::message::Instruction;

/// The instruction that moves lamports.
const TRANSFER: [u8; 4] = [2, 0, 0, 0];

/// Runs an instruction of the program.
///
/// # Errors
///
/// Another instruction than a transfer, or one that cannot be done.
pub fn run(bank: &mut Bank<'_>, instruction: &Instruction) -> Result<(), Failure> {
    if instruction.data.get(..4) != Some(&TRANSFER) {
        return Err(Wrong::Data.because("of the System program only Transfer is simulated here"));
    }
    let amount = number(&instruction.data, 4)?;
    let [from, to] = first(instruction)?;
    if !from.signer {
        return Err(Wrong::MissingSignature.because(format!("{} did not sign", from.key)));
    }
    if !from.writable || !to.writable {
        return Err(Wrong::Readonly.because("an account of the transfer is not writable"));
    }
    bank.move_lamports(from.key, to.key, amount)
}
