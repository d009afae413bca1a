//! What a transaction calls besides its transfer.

use x402_wire::shape::shorten;

use super::super::Candidate;
use super::{AT, rewritten};
use crate::explain::finding::Finding;
use crate::explain::judge::Attempt;
use crate::explain::names;
use crate::networks::solana::exact::layout;
use crate::networks::solana::exact::reason::Code;
use crate::networks::solana::message::{Compiled, Instruction, Message};
use crate::networks::solana::program;
use crate::networks::solana::transaction::Transaction;

pub(super) fn extra(
    attempt: &Attempt,
    transaction: &Transaction,
    instructions: &[Instruction],
    code: Code,
) -> Vec<Candidate> {
    let allowed = |own: &Instruction| {
        own.program == program::COMPUTE_BUDGET
            || program::is_token(own.program)
            || program::OPTIONAL.contains(&own.program)
    };
    let strange: Vec<(usize, &Instruction)> =
        instructions.iter().enumerate().filter(|(_, own)| !allowed(own)).collect();
    let id = if code == Code::Length { "instruction_count" } else { "extra_instruction" };
    let mut finding = Finding::new(id).at(AT).seen(format!("it has {} instructions", instructions.len()));
    for (place, own) in &strange {
        let name = names::of(&own.program.to_string(), None).unwrap_or_else(|| own.program.to_string());
        finding = finding.seen(format!("instruction {} calls {name}", place + 1));
    }
    let mut next = transaction.clone();
    let places: Vec<usize> = strange.iter().map(|(place, _)| *place).collect();
    let mut place = 0;
    next.message.instructions.retain(|_| {
        place += 1;
        !places.contains(&(place - 1))
    });
    if places.is_empty() {
        let has_budget = instructions.first().is_some_and(layout::is_limit);
        let few = code == Code::Length && instructions.len() < 3 && !has_budget;
        return if few { compute_budget(attempt, transaction, instructions) } else { Vec::new() };
    }
    vec![Candidate::new(finding, rewritten(attempt, next), "without it")]
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
