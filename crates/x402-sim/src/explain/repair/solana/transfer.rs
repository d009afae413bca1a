//! What a transaction moves, and where to.

use alloy_primitives::U256;
use x402_wire::amount::parse_atomic;

use super::super::{Candidate, address, terms};
use super::AT;
use crate::accounts;
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench, Whose};
use crate::explain::names;
use crate::networks::solana::exact::layout::TransferChecked;
use crate::networks::solana::key::Key;
use crate::networks::solana::program;
use crate::networks::solana::runtime::token;
use crate::networks::solana::transaction::Transaction;

pub(super) fn mint(
    bench: &Bench,
    attempt: &Attempt,
    transaction: &Transaction,
    transfer: &TransferChecked,
) -> Vec<Candidate> {
    if let Some(candidate) = address::unreadable(bench, attempt, "asset") {
        // Whatever is transferred, it is a mint.
        let next = attempt.ask("/asset", transfer.mint.to_string());
        return vec![Candidate { next, how: format!("with {} as asset", transfer.mint), ..candidate }];
    }
    let asked = attempt.asked("/asset").unwrap_or_default();
    let finding = Finding::new("wrong_mint").at(AT).seen(format!(
        "it transfers {}, the requirements ask for {}",
        terms::named(&transfer.mint.to_string()),
        terms::named(asked)
    ));
    let mut all = Vec::new();
    // Where the token accounts are those of the right mint, it is the mint alone that is wrong.
    if let (Some(mint), Some(owner)) = (Key::parse(asked), attempt.asked("/payTo").and_then(Key::parse))
        && transfer.destination == Key::token_account(owner, mint, transfer.program)
    {
        let mut next = transaction.clone();
        next.message.accounts.iter_mut().filter(|own| **own == transfer.mint).for_each(|own| *own = mint);
        let next = super::rewritten(attempt, next);
        all.push(Candidate::new(finding.clone(), next, "with the mint that the requirements ask for"));
    }
    let owner = owners(attempt, transfer).find(|owner| account(*owner, transfer) == transfer.destination);
    all.push(if let (Some(mint), Some(owner)) = (Key::parse(asked), owner) {
        let next = redirected(attempt, transaction, transfer, (mint, owner));
        Candidate::new(finding, next, "with the mint that the requirements ask for")
    } else {
        let next = attempt.ask("/asset", transfer.mint.to_string());
        Candidate::new(finding, next, "with the mint that is transferred in the requirements")
    });
    all
}

/// The token account of an owner, for what is transferred.
fn account(owner: Key, transfer: &TransferChecked) -> Key {
    Key::token_account(owner, transfer.mint, transfer.program)
}

/// Who may be paid: the payee, then the accounts of the mock, then the payer.
fn owners(attempt: &Attempt, transfer: &TransferChecked) -> impl Iterator<Item = Key> {
    let payee = attempt.asked("/payTo").and_then(Key::parse);
    let own = accounts::all().map(|account| crate::networks::solana::key_of(&account));
    payee.into_iter().chain(own).chain([transfer.authority])
}

/// Whose token account the tokens go to.
pub(super) fn recipient(
    bench: &Bench,
    attempt: &Attempt,
    transaction: &Transaction,
    transfer: &TransferChecked,
) -> Vec<Candidate> {
    let asked = attempt.asked("/payTo").unwrap_or_default();
    let base = Finding::new("wrong_token_account").at(AT);
    let right = |owner: Key| account(owner, transfer);
    let next = |owner: Key| attempt.ask("/payTo", owner.to_string());
    let Some(owner) = Key::parse(asked) else {
        let other = address::unreadable(bench, attempt, "payTo");
        return Vec::from_iter(other.map(|candidate| paying_payee(candidate, transaction, transfer)));
    };
    let said = transfer.destination;
    let told = |what: String| base.clone().seen(what).seen(format!("the token account of {asked} is {}", right(owner)));
    let proof = |what: &str| format!("derived again, {said} is {what}");
    if said == owner {
        let finding = told("the tokens go to the payee's own address, which is no token account".to_owned());
        return vec![Candidate::sure(finding, attempt.clone().again(), proof("payTo itself"))];
    }
    let other_program = other(transfer.program);
    if said == Key::token_account(owner, transfer.mint, other_program) {
        if let Some(candidate) = token_program(bench, attempt, transaction, transfer) {
            return vec![candidate];
        }
        let finding = told("it is the payee's account of the other token program".to_owned());
        return vec![Candidate::sure(finding, attempt.clone().again(), proof("of the other token program"))];
    }
    for own in bench.catalog().mints() {
        let mint = Key(own.address);
        let token_program = crate::networks::solana::assets::token_program(&own.asset.address);
        if mint != transfer.mint && said == Key::token_account(owner, mint, token_program) {
            let what = format!("the payee's account of another mint: {}", terms::named(&own.asset.address));
            return vec![Candidate::sure(told(format!("it is {what}")), attempt.clone().again(), proof(&what))];
        }
    }
    for other in owners(attempt, transfer).filter(|other| *other != owner) {
        if right(other) == said {
            let finding = Finding::new("wrong_payee").at(AT).seen(format!(
                "it pays {}, the requirements' payTo is {}",
                terms::named(&other.to_string()),
                terms::named(asked)
            ));
            return vec![Candidate::new(finding, next(other), "with the payee that is paid in the requirements")];
        }
    }
    Vec::new()
}

/// The candidate with a transaction that pays the payee which it puts in.
fn paying_payee(candidate: Candidate, transaction: &Transaction, transfer: &TransferChecked) -> Candidate {
    let owner = candidate.next.asked("/payTo").and_then(Key::parse).unwrap_or(transfer.authority);
    let next = redirected(&candidate.next, transaction, transfer, (transfer.mint, owner));
    Candidate { next, ..candidate }
}

pub(super) fn amount(attempt: &Attempt, transfer: &TransferChecked) -> Vec<Candidate> {
    let key = attempt.amount_key();
    let asked = attempt.asked(key).and_then(parse_atomic).unwrap_or_default();
    let finding = terms::compared(U256::from(transfer.amount), asked)
        .at(AT)
        .seen(format!("it transfers {} atomic units, the requirements ask for {asked}", transfer.amount));
    let next = attempt.ask(key, transfer.amount.to_string());
    vec![Candidate::new(finding, next, "with the amount that is transferred in the requirements")]
}

/// What the token program would refuse.
pub(super) fn simulation(
    bench: &Bench,
    attempt: &Attempt,
    transaction: &Transaction,
    transfer: &TransferChecked,
) -> Vec<Candidate> {
    let mut all = Vec::new();
    let asked = |key: &str| attempt.asked(key).and_then(Key::parse);
    if let (Some(finding), Some(mint), Some(owner)) =
        (address::swapped(bench, attempt), asked("/payTo"), asked("/asset"))
    {
        let next = redirected(&address::swap(attempt), transaction, transfer, (mint, owner));
        all.push(Candidate::new(finding, next, "with both swapped"));
    }
    let of_other_network = address::of_other_network(bench, attempt);
    if let Some((finding, right)) = of_other_network
        && let (Some(mint), Some(owner)) = (Key::parse(&right), asked("/payTo"))
    {
        let next = redirected(&attempt.ask("/asset", right.clone()), transaction, transfer, (mint, owner));
        all.push(Candidate::new(finding, next, format!("with {right}")));
    }
    all.extend(token_program(bench, attempt, transaction, transfer));
    all.extend(decimals(bench, attempt, transaction, transfer));
    all
}

/// The one of both token programs that this is not.
fn other(token_program: Key) -> Key {
    if token_program == program::TOKEN { program::TOKEN_2022 } else { program::TOKEN }
}

/// A token program that does not keep the mint: it is called, or the payer's token account is derived with it.
fn token_program(
    bench: &Bench,
    attempt: &Attempt,
    transaction: &Transaction,
    transfer: &TransferChecked,
) -> Option<Candidate> {
    let mint = transfer.mint.to_string();
    // Which program keeps a mint of somebody's, its account tells, which nobody can see here.
    let known = crate::networks::solana::known().iter().any(|own| own.asset_by_address(&mint).is_some());
    if !known && bench.whose != Whose::Mock {
        return None;
    }
    let right = crate::networks::solana::assets::token_program(&mint);
    let wrong = other(right);
    let named = |program: Key| names::of(&program.to_string(), None).unwrap_or_else(|| program.to_string());
    let mut finding = Finding::new("wrong_token_program").at(AT);
    if transfer.program == wrong {
        finding = finding.seen(format!(
            "the transfer calls {}; the mint {} belongs to {}",
            named(wrong),
            terms::named(&mint),
            named(right)
        ));
    }
    let derived = transfer.source == Key::token_account(transfer.authority, transfer.mint, wrong);
    if derived {
        finding = finding.seen(format!(
            "{} is derived with {}: the payer's token account is {}",
            transfer.source,
            named(wrong),
            Key::token_account(transfer.authority, transfer.mint, right)
        ));
    }
    if transfer.program != wrong && !derived {
        return None;
    }
    let owner = attempt.asked("/payTo").and_then(Key::parse)?;
    let next = redirected(attempt, transaction, transfer, (transfer.mint, owner));
    Some(Candidate::new(finding, next, format!("with {} in both", named(right))))
}

/// The decimals that the instruction says, where the mint has others.
fn decimals(
    bench: &Bench,
    attempt: &Attempt,
    transaction: &Transaction,
    transfer: &TransferChecked,
) -> Option<Candidate> {
    let mint = bench.catalog().mints().iter().find(|own| own.address == transfer.mint.0)?;
    let right = mint.asset.decimals;
    let mut next = transaction.clone();
    let own = next.message.instructions.iter_mut().find(|own| own.data.first() == Some(&token::TRANSFER_CHECKED));
    let place = own.and_then(|own| own.data.get_mut(9)).filter(|said| **said != right)?;
    let finding = Finding::new("transfer_decimals")
        .at(AT)
        .seen(format!("TransferChecked says {place} decimals, {} ({}) has {right}", transfer.mint, mint.asset.symbol));
    *place = right;
    Some(Candidate::new(finding, super::rewritten(attempt, next), format!("with {right} decimals")))
}

/// The payment with a transfer of another mint, or to another owner.
fn redirected(
    attempt: &Attempt,
    transaction: &Transaction,
    transfer: &TransferChecked,
    (mint, owner): (Key, Key),
) -> Attempt {
    let program = crate::networks::solana::assets::token_program(&mint.to_string());
    let account = |owner: Key| Key::token_account(owner, mint, program);
    let places = [
        (transfer.program, program),
        (transfer.mint, mint),
        (transfer.source, account(transfer.authority)),
        (transfer.destination, account(owner)),
    ];
    let mut next = transaction.clone();
    for key in &mut next.message.accounts {
        *key = places.iter().find(|(old, _)| old == key).map_or(*key, |(_, new)| *new);
    }
    super::rewritten(attempt, next)
}
