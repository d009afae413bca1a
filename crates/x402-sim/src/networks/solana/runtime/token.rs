//! SPL Token and Token-2022, of which the instructions that payments use: Transfer, `TransferChecked`, `MintTo` and
//! `MintToChecked`.
//!
//! Source: SPL Token `processor.rs`: the sequence of its checks, and the numbers of its errors.

use super::bank::Bank;
use super::failure::{Failure, Wrong};
use super::{first, number};
use crate::networks::solana::key::Key;
use crate::networks::solana::message::{Instruction, Meta};

/// `TokenError::InsufficientFunds`.
const INSUFFICIENT_FUNDS: Wrong = Wrong::Custom(1);
/// `TokenError::MintMismatch`.
const MINT_MISMATCH: Wrong = Wrong::Custom(3);
/// `TokenError::OwnerMismatch`.
const OWNER_MISMATCH: Wrong = Wrong::Custom(4);
/// `TokenError::Overflow`.
const OVERFLOW: Wrong = Wrong::Custom(14);
/// `TokenError::AccountFrozen`.
const FROZEN: Wrong = Wrong::Custom(17);
/// `TokenError::MintDecimalsMismatch`.
const DECIMALS_MISMATCH: Wrong = Wrong::Custom(18);

/// The instruction `TransferChecked`.
pub const TRANSFER_CHECKED: u8 = 12;

/// A transfer as an instruction says it.
struct Transfer {
    source: Meta,
    destination: Meta,
    authority: Meta,
    amount: u64,
    /// The mint and its decimals, where they are said.
    checked: Option<(Key, u8)>,
}

/// Runs an instruction of one of the token programs.
///
/// # Errors
///
/// Another instruction, or one that cannot be done.
pub fn run(bank: &mut Bank<'_>, instruction: &Instruction) -> Result<(), Failure> {
    let data = &instruction.data;
    let decimals = || data.get(9).copied().ok_or_else(|| Wrong::Data.because("its data is too short"));
    match data.first() {
        Some(3) => {
            let [source, destination, authority] = first(instruction)?;
            let amount = number(data, 1)?;
            transfer(bank, instruction.program, &Transfer { source, destination, authority, amount, checked: None })
        }
        Some(&TRANSFER_CHECKED) => {
            let (amount, decimals) = (number(data, 1)?, decimals()?);
            let [source, mint, destination, authority] = first(instruction)?;
            let checked = Some((mint.key, decimals));
            transfer(bank, instruction.program, &Transfer { source, destination, authority, amount, checked })
        }
        Some(7) => mint(bank, instruction, None),
        Some(14) => mint(bank, instruction, Some(decimals()?)),
        _ => Err(Wrong::Data
            .because("of the token programs Transfer, TransferChecked, MintTo and MintToChecked are simulated here")),
    }
}

fn transfer(bank: &mut Bank<'_>, token_program: Key, transfer: &Transfer) -> Result<(), Failure> {
    let Transfer { source, destination, authority, amount, checked } = transfer;
    let hint = checked.map(|(mint, _)| mint);
    bank.learn([authority.key]);
    let from = bank.token_account(source.key, hint, token_program).ok_or_else(|| none(source.key))?;
    let hint = hint.or_else(|| bank.site.mint_of(from.asset));
    let to = bank.token_account(destination.key, hint, token_program).ok_or_else(|| none(destination.key))?;
    if let Some(key) = [&from, &to].into_iter().find(|account| account.frozen).map(|account| account.key) {
        return Err(FROZEN.because(format!("the token account {key} is frozen")));
    }
    if from.amount < *amount {
        return Err(INSUFFICIENT_FUNDS.because(format!("{} holds {} and would give {amount}", source.key, from.amount)));
    }
    if from.asset != to.asset {
        return Err(MINT_MISMATCH.because("the two token accounts are of different mints"));
    }
    if let Some((mint, decimals)) = checked {
        let own = bank.site.mint(*mint).filter(|own| own.asset == from.asset);
        let own = own.ok_or_else(|| MINT_MISMATCH.because(format!("{} is not of mint {mint}", source.key)))?;
        if own.decimals != *decimals {
            let why = format!("mint {mint} has {} decimals, the instruction says {decimals}", own.decimals);
            return Err(DECIMALS_MISMATCH.because(why));
        }
    }
    if from.owner != authority.key {
        return Err(OWNER_MISMATCH.because(format!("{} is not owned by {}", source.key, authority.key)));
    }
    if !authority.signer {
        return Err(Wrong::MissingSignature.because(format!("{} did not sign", authority.key)));
    }
    if source.key == destination.key {
        return Ok(());
    }
    if *amount > 0 && !(source.writable && destination.writable) {
        return Err(Wrong::Readonly.because("a token account of the transfer is not writable"));
    }
    if to.amount.checked_add(*amount).is_none() {
        return Err(OVERFLOW.because(format!("{} would hold more than 2^64 - 1", destination.key)));
    }
    bank.move_tokens(&from, &to, *amount);
    Ok(())
}

/// Mints to an account; the authority of every mint is the first test account.
fn mint(bank: &mut Bank<'_>, instruction: &Instruction, decimals: Option<u8>) -> Result<(), Failure> {
    let amount = number(&instruction.data, 1)?;
    let [mint, account, authority] = first(instruction)?;
    let to = bank.token_account(account.key, Some(mint.key), instruction.program).ok_or_else(|| none(account.key))?;
    if to.frozen {
        return Err(FROZEN.because(format!("the token account {} is frozen", account.key)));
    }
    let own = bank.site.mint(mint.key).filter(|own| own.asset == to.asset);
    let own = own.ok_or_else(|| MINT_MISMATCH.because(format!("{} is not of mint {}", account.key, mint.key)))?;
    if decimals.is_some_and(|decimals| decimals != own.decimals) {
        return Err(DECIMALS_MISMATCH.because(format!("mint {} has {} decimals", mint.key, own.decimals)));
    }
    let right = super::super::mint_authority();
    if authority.key != right {
        let why = format!("the authority of mint {} is {right}, test account 0", mint.key);
        return Err(OWNER_MISMATCH.because(why));
    }
    if !authority.signer {
        return Err(Wrong::MissingSignature.because(format!("{right} did not sign")));
    }
    if to.amount.checked_add(amount).is_none() {
        return Err(OVERFLOW.because(format!("{} would hold more than 2^64 - 1", account.key)));
    }
    bank.mint_tokens(&to, amount);
    Ok(())
}

fn none(key: Key) -> Failure {
    Wrong::AccountData.because(format!("{key} is no token account of this token program"))
}
