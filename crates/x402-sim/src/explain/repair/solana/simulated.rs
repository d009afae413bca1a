//! What the words of a failed simulation name: the mock's own sentences, and those of nodes.

use super::super::{Candidate, terms};
use super::{AT, PLACE, ours, rewritten};
use crate::accounts;
use crate::explain::explanation::Explanation;
use crate::explain::finding::Finding;
use crate::explain::judge::Attempt;
use crate::networks::solana::exact::layout::{self, TransferChecked};
use crate::networks::solana::key::Key;
use crate::networks::solana::transaction::Transaction;
use crate::networks::solana::{key_of, signature_text};

/// Words of the runtime and of nodes, and what they mean for a payment.
const NAMED: [(&str, &str); 10] = [
    ("AlreadyProcessed", "nonce_used"),
    ("already been processed", "nonce_used"),
    // The mock says so of one that it did not make, behind the runtime's own word.
    ("never had the blockhash", "foreign_blockhash"),
    ("BlockhashNotFound", "stale_blockhash"),
    ("Blockhash not found", "stale_blockhash"),
    ("ComputationalBudgetExceeded", "compute_limit_too_low"),
    ("omputational budget exceeded", "compute_limit_too_low"),
    ("is no token account", "token_account_missing"),
    ("is frozen", "blocked_account"),
    ("and would give", "insufficient_balance"),
];

/// What is said of a token account that is the payee's.
pub(in crate::explain) const OF_PAYEE: &str = "is the token account of the payee";

/// What limits of compute units are tried, in units: what official clients write, and what a whole instruction gets.
const LIMITS: [u32; 2] = [20_000, 200_000];

/// The finding that the words of a failed simulation name.
pub(in crate::explain) fn named(said: &str) -> Option<&'static str> {
    NAMED.iter().find(|(words, _)| said.contains(words)).map(|(_, id)| *id)
}

/// The finding for a failed simulation of the mock's, which always says why it failed.
pub(in crate::explain) fn cause(said: &str) -> Option<&'static str> {
    named(said).or_else(|| said.starts_with("Simulation failed: ").then_some("solana_simulation"))
}

/// The payment as it would be without what the words name.
pub(super) fn candidates(
    attempt: &Attempt,
    transaction: &Transaction,
    transfer: &TransferChecked,
    detail: &str,
) -> Vec<Candidate> {
    match named(detail) {
        Some(id @ ("insufficient_balance" | "blocked_account" | "token_account_missing")) => {
            let payer = transfer.authority.to_string();
            let finding = Finding::new(id).at(AT).seen(detail).seen(format!("the payer is {}", terms::named(&payer)));
            let finding = whose(attempt, transfer, finding, detail);
            let next = by_another(attempt, transaction, transfer);
            vec![Candidate::new(finding, next, "by an account that is funded and not blocked")]
        }
        Some("compute_limit_too_low") => limits(attempt, transaction, detail),
        _ => Vec::new(),
    }
}

/// The same transfer by the first test account, from its token account.
fn by_another(attempt: &Attempt, transaction: &Transaction, transfer: &TransferChecked) -> Attempt {
    let other = accounts::test_accounts().next().map_or(transfer.authority, |account| key_of(&account));
    let source = Key::token_account(other, transfer.mint, transfer.program);
    let mut next = transaction.clone();
    for key in &mut next.message.accounts {
        if *key == transfer.authority {
            *key = other;
        } else if *key == transfer.source {
            *key = source;
        }
    }
    rewritten(attempt, next)
}

fn limits(attempt: &Attempt, transaction: &Transaction, detail: &str) -> Vec<Candidate> {
    let said = transaction.message.instructions.first().and_then(|own| own.data.get(1..)?.first_chunk::<4>());
    let Some(said) = said.map(|bytes| u32::from_le_bytes(*bytes)) else { return Vec::new() };
    let with = |units: u32| {
        let mut next = transaction.clone();
        next.message.instructions[0].data = [&[2][..], &units.to_le_bytes()].concat();
        let seen = format!("SetComputeUnitLimit allows {said} units");
        let finding = Finding::new("compute_limit_too_low").at(AT).seen(detail).seen(seen);
        Candidate::new(finding, rewritten(attempt, next), format!("with a limit of {units} units"))
    };
    LIMITS.into_iter().filter(|units| *units > said).map(with).collect()
}

/// Whose token account the words are about.
fn whose(attempt: &Attempt, transfer: &TransferChecked, finding: Finding, said: &str) -> Finding {
    let is_about = |key: Key| said.contains(&key.to_string());
    if is_about(transfer.source) {
        finding.seen(format!("{} is the payer's token account for mint {}", transfer.source, transfer.mint))
    } else if is_about(transfer.destination) {
        let payee = attempt.asked("/payTo").map(terms::named).unwrap_or_default();
        finding.seen(format!("{} {OF_PAYEE}, {payee}", transfer.destination))
    } else {
        finding
    }
}

/// Adds what the transaction tells of a refusal by the mock's own state: which one paid, whose token account it is.
pub(in crate::explain) fn told(attempt: &Attempt, said: &str, explanation: &mut Explanation) {
    let Some(id @ ("nonce_used" | "token_account_missing" | "blocked_account")) = named(said) else { return };
    let Some(mut transaction) = attempt.paid(PLACE).and_then(|text| Transaction::from_base64(text).ok()) else {
        return;
    };
    let Some(found) = explanation.findings.iter_mut().find(|finding| finding.id == id) else { return };
    if id == "nonce_used" {
        // Solana has no nonces: two transfers of the same on one blockhash are one transaction, unless a memo tells them apart.
        found.fix = found.fix.replace("a new nonce of 32 random bytes", "a memo of its own, of 16 random bytes in hex");
        // A signature of ed25519 is always the same, so that what the facilitator signed before can be told.
        if transaction.message.fee_payer() == Some(ours()) && transaction.sign(&accounts::facilitator().solana_seed()) {
            let paid = signature_text(&transaction.id());
            *found = found.clone().seen(format!("it is on the chain as {paid}, which has paid"));
        }
    } else if let Some(transfer) = transfer_of(&transaction) {
        *found = whose(attempt, &transfer, found.clone(), said);
    }
}

/// Who pays by a transaction.
pub(in crate::explain) fn payer(attempt: &Attempt) -> Option<String> {
    let transaction = Transaction::from_base64(attempt.paid(PLACE)?).ok()?;
    transfer_of(&transaction).map(|transfer| transfer.authority.to_string())
}

fn transfer_of(transaction: &Transaction) -> Option<TransferChecked> {
    let message = &transaction.message;
    let metas = message.metas(|_| Vec::new()).ok()?;
    message.instructions(&metas).ok()?.iter().find_map(layout::TransferChecked::read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_simulation_name_its_cause() {
        for (said, id) in [
            (r#"Simulation failed: "AlreadyProcessed" (the same transaction is on the chain already)"#, "nonce_used"),
            ("Transaction simulation failed: Blockhash not found", "stale_blockhash"),
            ("Simulation failed: \"BlockhashNotFound\" (solana:x never had the blockhash y; ask)", "foreign_blockhash"),
            (
                r#"Simulation failed: {"InstructionError":[2,{"Custom":1}]} (A holds 0 and would give 10000)"#,
                "insufficient_balance",
            ),
            (
                r#"Simulation failed: {"InstructionError":[2,{"Custom":17}]} (the token account A is frozen)"#,
                "blocked_account",
            ),
            (
                r#"Simulation failed: {"InstructionError":[2,"ComputationalBudgetExceeded"]} (why)"#,
                "compute_limit_too_low",
            ),
            (r#"Simulation failed: {"InstructionError":[2,{"Custom":3}]} (A is not of mint B)"#, "solana_simulation"),
        ] {
            assert_eq!(cause(said), Some(id), "{said}");
        }
        assert_eq!(cause("custom program error: 0x11"), None);
    }
}
