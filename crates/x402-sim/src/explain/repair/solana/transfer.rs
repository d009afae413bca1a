//! What a transaction moves, where to, and whether its blockhash is still good.

use alloy_primitives::U256;
use x402_wire::amount::parse_atomic;

use super::super::{Candidate, terms};
use super::{AT, PLACE};
use crate::accounts;
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench, Whose};
use crate::networks::solana::exact::layout::TransferChecked;
use crate::networks::solana::key::Key;
use crate::networks::solana::transaction::Transaction;
use crate::networks::solana::{blockhash, program};

pub(super) fn mint(attempt: &Attempt, transaction: &Transaction, transfer: &TransferChecked) -> Vec<Candidate> {
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
    let next = attempt.ask("/asset", transfer.mint.to_string());
    all.push(Candidate::new(finding, next, "with the mint that is transferred in the requirements"));
    all
}

/// Whose token account the tokens go to.
pub(super) fn recipient(bench: &Bench, attempt: &Attempt, transfer: &TransferChecked) -> Vec<Candidate> {
    let asked = attempt.asked("/payTo").unwrap_or_default();
    let base = Finding::new("wrong_token_account").at(AT);
    let right = |owner: Key| Key::token_account(owner, transfer.mint, transfer.program);
    let next = |owner: Key| attempt.ask("/payTo", owner.to_string());
    let Some(owner) = Key::parse(asked) else { return Vec::new() };
    let said = transfer.destination;
    let told = |what: String| base.clone().seen(what).seen(format!("the token account of {asked} is {}", right(owner)));
    let proof = |what: &str| format!("derived again, {said} is {what}");
    if said == owner {
        let finding = told("the tokens go to the payee's own address, which is no token account".to_owned());
        return vec![Candidate::sure(finding, attempt.clone().again(), proof("payTo itself"))];
    }
    let other_program = if transfer.program == program::TOKEN { program::TOKEN_2022 } else { program::TOKEN };
    if said == Key::token_account(owner, transfer.mint, other_program) {
        let finding = told("it is the payee's account of the other token program".to_owned());
        return vec![Candidate::sure(finding, attempt.clone().again(), proof("of the other token program"))];
    }
    for own in bench.catalog().mints() {
        let mint = Key(own.address);
        let token_program = crate::networks::solana::assets::token_program(&own.asset.address);
        if mint != transfer.mint && said == Key::token_account(owner, mint, token_program) {
            let what = format!("the payee's account of another mint: {} on {}", own.asset.symbol, own.network);
            return vec![Candidate::sure(told(format!("it is {what}")), attempt.clone().again(), proof(&what))];
        }
    }
    let mut owners: Vec<Key> = accounts::all().map(|account| crate::networks::solana::key_of(&account)).collect();
    owners.push(transfer.authority);
    for other in owners {
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

pub(super) fn amount(attempt: &Attempt, transfer: &TransferChecked) -> Vec<Candidate> {
    let key = attempt.amount_key();
    let asked = attempt.asked(key).and_then(parse_atomic).unwrap_or_default();
    let finding = terms::compared(U256::from(transfer.amount), asked)
        .at(AT)
        .seen(format!("it transfers {} atomic units, the requirements ask for {asked}", transfer.amount));
    let next = attempt.ask(key, transfer.amount.to_string());
    vec![Candidate::new(finding, next, "with the amount that is transferred in the requirements")]
}

/// Whether the blockhash of a simulated chain is too old, where the rest had to be taken as signed again.
pub(in crate::explain) fn stale(attempt: &Attempt) -> Option<Finding> {
    let transaction = attempt.paid(PLACE).and_then(|text| Transaction::from_base64(text).ok())?;
    let id = network_id(attempt);
    let hash = transaction.message.blockhash;
    let made = blockhash::slot_of(&id, hash)?;
    let why = blockhash::why_not(&id, hash, attempt.now.saturating_mul(1000))?;
    let time = blockhash::time_of(made) / 1000;
    let good = blockhash::why_not(&id, hash, (time + 1).saturating_mul(1000)).is_none();
    let finding = Finding::new("stale_blockhash").at(AT).seen(why);
    Some(if good { finding.proven(format!("at {time} the same blockhash is good")) } else { finding })
}

/// The CAIP-2 id of the network that is asked for.
fn network_id(attempt: &Attempt) -> String {
    let network = attempt.asked("/network").unwrap_or_default();
    let known = crate::networks::solana::known().into_iter().find(|own| own.is_called(network));
    known.map_or_else(|| network.to_owned(), |own| own.id)
}

/// What the chain would say: an old blockhash, before all.
pub(super) fn simulation(bench: &Bench, attempt: &Attempt, transaction: &Transaction) -> Vec<Candidate> {
    let id = network_id(attempt);
    let hash = transaction.message.blockhash;
    let text = bs58::encode(hash).into_string();
    let Some(made) = blockhash::slot_of(&id, hash) else {
        // Only the chain that made it knows: of a real one nothing can be said here.
        let next = attempt.clone().again();
        if bench.whose == Whose::Mock {
            let finding = Finding::new("foreign_blockhash").at(AT).seen(format!("its blockhash is {text}"));
            let proof =
                format!("the mock's {id} never had this blockhash: each of its own says in which slot it was made");
            return vec![Candidate::sure(finding, next, proof)];
        }
        return vec![Candidate::assumed(next, format!("the blockhash {text} is taken to be a recent one"))];
    };
    let time = blockhash::time_of(made) / 1000;
    let finding = Finding::new("stale_blockhash").at(AT).seen(format!(
        "its blockhash {text} is {} slots old, and is good for {}",
        blockhash::slot(attempt.now.saturating_mul(1000)).saturating_sub(made),
        blockhash::LIFETIME
    ));
    let how = format!("judged at {time}, when the blockhash was new");
    vec![Candidate::new(finding, attempt.clone().at(time + 1), how)]
}
