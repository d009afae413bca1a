//! What a transaction calls besides its transfer.

use x402_wire::shape::shorten;

use super::super::Candidate;
use super::{AT, rewritten};
use crate::explain::finding::Finding;
use crate::explain::judge::Attempt;
use crate::explain::names;
use crate::networks::solana::exact::layout::{self, TransferChecked};
use crate::networks::solana::exact::reason::Code;
use crate::networks::solana::message::{Compiled, Instruction, Message};
use crate::networks::solana::program;
use crate::networks::solana::runtime::token;
use crate::networks::solana::transaction::Transaction;

/// Whatever does not belong into a payment, or stands in the place of what does.
pub(super) fn astray(
    attempt: &Attempt,
    transaction: &Transaction,
    instructions: &[Instruction],
    code: Code,
) -> Vec<Candidate> {
    let transfer = instructions.iter().position(|own| TransferChecked::read(own).is_some());
    if code == Code::NoTransfer && transfer.is_none() {
        return Vec::new();
    }
    let limit = instructions.iter().position(layout::is_limit);
    let price = instructions.iter().position(|own| layout::price(own).is_some());
    let first: Vec<usize> = [limit, price, transfer].into_iter().flatten().collect();
    let (rest, strange): (Vec<usize>, Vec<usize>) = (0..instructions.len())
        .filter(|place| !first.contains(place))
        .partition(|place| program::OPTIONAL.contains(&instructions[*place].program));
    let named = |place: usize| format!("instruction {} is {}", place + 1, called(&instructions[place]));
    let next = |places: &[usize]| {
        let mut next = transaction.clone();
        let all = &transaction.message.instructions;
        next.message.instructions = places.iter().filter_map(|place| all.get(*place)).cloned().collect();
        rewritten(attempt, next)
    };
    if strange.is_empty() {
        let has_budget = instructions.first().is_some_and(layout::is_limit);
        if code == Code::Length && instructions.len() < 3 && !has_budget {
            return compute_budget(attempt, transaction, instructions);
        }
        let (Some(transfer), Code::NoTransfer) = (transfer, code) else { return Vec::new() };
        let finding = Finding::new("no_transfer_checked").at(AT).seen(named(2)).seen(named(transfer));
        return vec![Candidate::new(finding, next(&[first, rest].concat()), "with the transfer third")];
    }
    let id = if code == Code::Length { "instruction_count" } else { "extra_instruction" };
    let mut finding = Finding::new(id).at(AT).seen(format!("it has {} instructions", instructions.len()));
    for place in &strange {
        finding = finding.seen(named(*place));
    }
    let kept: Vec<usize> = (0..instructions.len()).filter(|place| !strange.contains(place)).collect();
    vec![Candidate::new(finding, next(&kept), if strange.len() == 1 { "without it" } else { "without them" })]
}

/// What an instruction is, for people: its name, where it is one that clients add, and its program.
fn called(own: &Instruction) -> String {
    let id = own.program.to_string();
    let program = names::of(&id, None).unwrap_or(id);
    let first = own.data.first().copied();
    let name = match first {
        Some(1) if own.program == program::COMPUTE_BUDGET => "RequestHeapFrame",
        Some(2) if own.program == program::COMPUTE_BUDGET => "SetComputeUnitLimit",
        Some(3) if own.program == program::COMPUTE_BUDGET => "SetComputeUnitPrice",
        Some(4) if own.program == program::COMPUTE_BUDGET => "SetLoadedAccountsDataSizeLimit",
        None | Some(0) if own.program == program::ASSOCIATED_TOKEN => "Create, which makes a token account,",
        Some(1) if own.program == program::ASSOCIATED_TOKEN => "CreateIdempotent, which makes a token account,",
        Some(2) if own.program == program::SYSTEM => "Transfer of lamports",
        Some(3) if program::is_token(own.program) => "Transfer",
        Some(4) if program::is_token(own.program) => "Approve",
        Some(9) if program::is_token(own.program) => "CloseAccount",
        Some(token::TRANSFER_CHECKED) if program::is_token(own.program) => "TransferChecked",
        _ => return format!("a call of {program}"),
    };
    format!("{name} of {program}")
}

pub(super) fn compute_budget(
    attempt: &Attempt,
    transaction: &Transaction,
    instructions: &[Instruction],
) -> Vec<Candidate> {
    let finding = Finding::new("compute_budget").at(AT).seen(
        match (instructions.first().is_some_and(layout::is_limit), instructions.get(1).and_then(layout::price)) {
            (false, None) => "neither SetComputeUnitLimit nor SetComputeUnitPrice comes first",
            (false, _) => "the first instruction is not SetComputeUnitLimit",
            _ => "the second instruction is not SetComputeUnitPrice",
        },
    );
    // In order, if both are there at all.
    let limit = instructions.iter().position(layout::is_limit);
    let price = instructions.iter().position(|own| layout::price(own).is_some());
    let (Some(limit), Some(price)) = (limit, price) else { return missing_budget(attempt, transaction, finding) };
    let mut next = transaction.clone();
    let all = &mut next.message.instructions;
    let (first, second) = (all[limit].clone(), all[price].clone());
    let mut place = 0;
    all.retain(|_| {
        place += 1;
        place - 1 != limit && place - 1 != price
    });
    all.splice(0..0, [first, second]);
    vec![Candidate::new(finding, rewritten(attempt, next), "with both first")]
}

/// Puts the two instructions in front, with the program among the accounts.
fn missing_budget(attempt: &Attempt, transaction: &Transaction, finding: Finding) -> Vec<Candidate> {
    let mut next = transaction.clone();
    let message = &mut next.message;
    let known = message.accounts.iter().position(|key| *key == program::COMPUTE_BUDGET);
    let place = known.unwrap_or_else(|| {
        message.accounts.push(program::COMPUTE_BUDGET);
        message.readonly_others = message.readonly_others.saturating_add(1);
        message.accounts.len() - 1
    });
    let Ok(place) = u8::try_from(place) else { return Vec::new() };
    let instruction = |data: Vec<u8>| Compiled { program: place, accounts: Vec::new(), data };
    message.instructions.retain(|own| own.program != place);
    let limit = [&[2][..], &20_000u32.to_le_bytes()].concat();
    let price = [&[3][..], &1u64.to_le_bytes()].concat();
    message.instructions.splice(0..0, [instruction(limit), instruction(price)]);
    vec![Candidate::new(finding, rewritten(attempt, next), "with both instructions first")]
}

pub(super) fn compute_price(attempt: &Attempt, transaction: &Transaction) -> Vec<Candidate> {
    let mut next = transaction.clone();
    let Some(own) = next.message.instructions.get_mut(1) else { return Vec::new() };
    own.data = [&[3][..], &1u64.to_le_bytes()].concat();
    let finding = Finding::new("compute_price_too_high").at(AT);
    vec![Candidate::new(finding, rewritten(attempt, next), "with a price of 1")]
}

pub(super) fn memo(attempt: &Attempt, message: &Message) -> Vec<Candidate> {
    let asked = attempt.asked("/extra/memo").map(shorten).unwrap_or_default();
    let memos: Vec<String> = message.memos().iter().map(|memo| format!("\"{}\"", shorten(memo))).collect();
    let said = if memos.is_empty() { "none".to_owned() } else { memos.join(", ") };
    let finding = Finding::new("memo_mismatch")
        .at(AT)
        .seen(format!("its memos are {said}; the requirements' extra.memo is \"{asked}\""));
    let mut extra = attempt.requirements.get("extra").cloned().unwrap_or_default();
    if let Some(members) = extra.as_object_mut() {
        members.remove("memo");
    }
    vec![Candidate::new(finding, attempt.ask("/extra", extra), "without extra.memo")]
}
