//! The Associated Token Account program: it makes the token account that an owner has for a mint.
//!
//! Source: SPL Associated Token Account `processor.rs`.

use super::bank::Bank;
use super::failure::{Failure, Wrong};
use super::first;
use crate::networks::solana::key::Key;
use crate::networks::solana::message::Instruction;
use crate::networks::solana::program;

/// What it costs to keep a token account, in lamports.
pub const RENT: u64 = 2_039_280;

/// Runs an instruction of the program: Create, or `CreateIdempotent`.
///
/// # Errors
///
/// Another instruction, or one that cannot be done.
pub fn run(bank: &mut Bank<'_>, instruction: &Instruction) -> Result<(), Failure> {
    let idempotent = match instruction.data.as_slice() {
        [] | [0] => false,
        [1] => true,
        _ => return Err(Wrong::Data.because("of this program Create and CreateIdempotent are simulated here")),
    };
    let [payer, account, owner, mint, system, token_program] = first(instruction)?;
    if system.key != program::SYSTEM || !program::is_token(token_program.key) {
        return Err(Wrong::Program.because("the accounts are not followed by the System and a token program"));
    }
    let known = bank.site.mint(mint.key).filter(|known| known.program == token_program.key);
    let Some(known) = known else {
        return Err(
            Wrong::AccountData.because(format!("{} is no mint of token program {}", mint.key, token_program.key))
        );
    };
    if Key::token_account(owner.key, mint.key, token_program.key) != account.key {
        return Err(Wrong::Seeds.because(format!("{} is not the token account of {}", account.key, owner.key)));
    }
    bank.learn([owner.key]);
    if bank.token_account(account.key, Some(mint.key), token_program.key).is_some() {
        if idempotent {
            return Ok(());
        }
        return Err(Wrong::Owner.because(format!("the token account {} exists already", account.key)));
    }
    if !payer.signer || !payer.writable {
        return Err(Wrong::MissingSignature.because(format!("{} pays for the account and did not sign", payer.key)));
    }
    bank.spend_lamports(payer.key, RENT)?;
    bank.create_token_account(known.asset, account.key, owner.key);
    Ok(())
}
