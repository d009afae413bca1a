//! Transactions of Solana: who pays the fee, who signed, what is called.
//!
//! | room | what it mends |
//! |---|---|
//! | [`encoding`] | how a transaction is written, and under which name |
//! | [`instructions`] | what is called besides the transfer |
//! | [`transfer`] | mint, token account, amount, decimals |
//! | [`blockhash`] | whether the blockhash is still good |
//! | [`simulated`] | what the words of a failed simulation name |

use serde_json::json;

use super::{Candidate, address, kinds, terms};
use crate::accounts;
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench, Failure};
use crate::networks::solana::exact::layout::TransferChecked;
use crate::networks::solana::exact::reason::Code;
use crate::networks::solana::key::Key;
use crate::networks::solana::message::Message;
use crate::networks::solana::transaction::{Fault, Transaction};
use crate::registry::Version;

mod blockhash;
mod encoding;
mod instructions;
mod simulated;
mod transfer;

pub(in crate::explain) use blockhash::stale;
pub(in crate::explain) use simulated::{OF_PAYEE, cause as simulated, named as named_by_simulation, payer, told};

const PLACE: &str = "/payload/transaction";
const AT: &str = "paymentPayload.payload.transaction";

/// Where the fee payer is kept that the requirements name, while ours stands in its place and the transaction cannot be read.
const REPLACED: &str = "/extra/replacedFeePayer";

/// The fee payer that the requirements name, where ours stands in its place.
fn replaced_fee_payer(attempt: &Attempt) -> Option<&str> {
    attempt.asked(REPLACED)
}

/// What a refusal means where no mistake could be proven.
pub(super) fn unproven(code: Code, detail: &str) -> &'static str {
    match code {
        Code::NoFeePayer => "missing_fee_payer",
        Code::FeePayerNotManaged | Code::FeePayerMismatch => "fee_payer_mismatch",
        Code::NotDecoded | Code::LookupTable => "transaction_not_decoded",
        Code::Signature => "solana_signature",
        Code::Length => "instruction_count",
        Code::ComputeLimit | Code::ComputePrice => "compute_budget",
        Code::ComputePriceTooHigh => "compute_price_too_high",
        Code::NoTransfer => "no_transfer_checked",
        Code::FeePayerTransferring => "fee_payer_transferring",
        Code::Mint => "wrong_mint",
        Code::Recipient => "wrong_token_account",
        Code::Unknown(_) => "extra_instruction",
        Code::MemoCount | Code::Memo => "memo_mismatch",
        Code::Simulation => simulated::named(detail).unwrap_or("solana_simulation"),
        Code::Duplicate => "nonce_used",
        _ => "transaction_would_fail",
    }
}

pub(super) fn candidates(bench: &Bench, attempt: &Attempt, code: Code, detail: &str) -> Vec<Candidate> {
    let transaction = attempt.paid(PLACE).map(Transaction::from_base64);
    let unreadable = (code == Code::FeePayerNotManaged).then(|| address::unreadable(bench, attempt, "extra/feePayer"));
    if let Some(candidate) = unreadable.flatten() {
        let next = candidate.next.clone();
        let next = transaction.and_then(Result::ok).map_or(next, |own| for_us(&candidate.next, &own));
        return vec![Candidate { next, ..candidate }];
    }
    if code == Code::NoFeePayer
        && let Some(candidate) = kinds::evm_addresses(bench, attempt)
    {
        return vec![candidate];
    }
    let Some(Ok(transaction)) = transaction else {
        return match code {
            Code::NoFeePayer => missing_fee_payer(attempt, None),
            Code::FeePayerNotManaged => {
                let asked = attempt.asked("/extra/feePayer").unwrap_or_default().to_owned();
                let next = attempt.ask("/extra/feePayer", accounts::facilitator().solana_address).ask(REPLACED, asked);
                vec![Candidate::assumed(next, "the fee payer is taken to be the facilitator's")]
            }
            Code::NotDecoded => undecodable(attempt),
            _ => Vec::new(),
        };
    };
    let message = &transaction.message;
    let called = message.metas(|_| Vec::new()).ok().and_then(|metas| message.instructions(&metas).ok());
    let called = called.unwrap_or_default();
    let moved = called.iter().find_map(TransferChecked::read);
    match code {
        Code::NoFeePayer => missing_fee_payer(attempt, message.fee_payer()),
        Code::FeePayerNotManaged => fee_payer(attempt, &transaction),
        Code::FeePayerMismatch => {
            let said = message.fee_payer().map(|key| terms::named(&key.to_string())).unwrap_or_default();
            let asked = replaced_fee_payer(attempt).or_else(|| attempt.asked("/extra/feePayer"));
            let asked = asked.map(terms::named).unwrap_or_default();
            let finding = Finding::new("fee_payer_mismatch")
                .at(AT)
                .seen(format!("its first account, who pays the fee, is {said}; extra.feePayer is {asked}"));
            let mut next = transaction.clone();
            put_first(&mut next.message, ours());
            vec![Candidate::new(finding, rewritten(attempt, next), "with the fee payer of the requirements")]
        }
        Code::Signature => signature(attempt, &transaction),
        Code::Length | Code::NoTransfer | Code::Unknown(_) => {
            instructions::astray(attempt, &transaction, &called, code)
        }
        Code::ComputeLimit | Code::ComputePrice => instructions::compute_budget(attempt, &transaction, &called),
        Code::ComputePriceTooHigh => instructions::compute_price(attempt, &transaction),
        Code::Mint => moved.map_or_else(Vec::new, |own| transfer::mint(bench, attempt, &transaction, &own)),
        Code::Recipient => moved.map_or_else(Vec::new, |own| transfer::recipient(bench, attempt, &transaction, &own)),
        Code::Amount => moved.map_or_else(Vec::new, |own| transfer::amount(attempt, &own)),
        Code::MemoCount | Code::Memo => instructions::memo(attempt, message),
        Code::Simulation if detail.contains("Blockhash") => blockhash::unknown(bench, attempt, &transaction),
        Code::Simulation => moved.map_or_else(Vec::new, |own| {
            let mut all = transfer::simulation(bench, attempt, &transaction, &own);
            all.extend(simulated::candidates(attempt, &transaction, &own, detail));
            all
        }),
        _ => Vec::new(),
    }
}

fn ours() -> Key {
    crate::networks::solana::key_of(&accounts::facilitator())
}

/// The payment with another transaction, taken as signed again.
fn rewritten(attempt: &Attempt, transaction: Transaction) -> Attempt {
    let next = Transaction::unsigned(transaction.message);
    attempt.pay(PLACE, next.to_base64()).again()
}

/// Lets somebody pay the fee. Who paid it before and is named by an instruction, as the owner of what is paid say, stays
/// a signer behind them.
fn put_first(message: &mut Message, payer: Key) {
    let named = message.instructions.iter().any(|own| own.accounts.contains(&0));
    let looked_up = message.lookups.iter().map(|own| own.writable.len() + own.readonly.len()).sum::<usize>();
    let places = message.accounts.len() + looked_up;
    if !named || places >= usize::from(u8::MAX) || message.accounts.contains(&payer) {
        message.accounts.first_mut().into_iter().for_each(|first| *first = payer);
        return;
    }
    message.accounts.insert(0, payer);
    message.signers = message.signers.saturating_add(1);
    for own in &mut message.instructions {
        own.program = own.program.saturating_add(1);
        own.accounts.iter_mut().for_each(|place| *place = place.saturating_add(1));
    }
}

fn undecodable(attempt: &Attempt) -> Vec<Candidate> {
    if let Some(candidate) = encoding::signature(attempt) {
        return vec![candidate];
    }
    let Some(text) = attempt.paid(PLACE) else { return Vec::from_iter(encoding::astray(attempt)) };
    encoding::mended(attempt, text)
}

fn missing_fee_payer(attempt: &Attempt, first: Option<Key>) -> Vec<Candidate> {
    let mut finding = Finding::new("missing_fee_payer").at("paymentRequirements.extra.feePayer");
    if let Some(first) = first.filter(|first| *first != ours()) {
        finding = finding.seen(format!("the transaction's fee is paid by {}", terms::named(&first.to_string())));
    }
    let own = first.map_or_else(|| accounts::facilitator().solana_address.to_owned(), |key| key.to_string());
    let mut extra =
        attempt.requirements.get("extra").cloned().filter(serde_json::Value::is_object).unwrap_or_else(|| json!({}));
    extra["feePayer"] = json!(own);
    vec![Candidate::new(finding, attempt.ask("/extra", extra), "with extra.feePayer")]
}

/// The payment with a transaction whose fee our facilitator pays.
fn for_us(attempt: &Attempt, transaction: &Transaction) -> Attempt {
    let mut next = transaction.clone();
    next.message.accounts.first_mut().into_iter().for_each(|first| *first = ours());
    rewritten(attempt, next)
}

/// A facilitator that is not the mock's is no mistake: the transaction is judged as if it were.
fn fee_payer(attempt: &Attempt, transaction: &Transaction) -> Vec<Candidate> {
    let asked = attempt.asked("/extra/feePayer").unwrap_or_default();
    let first = transaction.message.fee_payer();
    let ours = ours();
    if first.map(|key| key.to_string()).as_deref() != Some(asked) {
        let next = attempt.ask("/extra/feePayer", ours.to_string());
        return vec![Candidate::assumed(next, "the fee payer is taken to be the facilitator's")];
    }
    // What is wrong with the payer's signature is looked for before the message is changed.
    let wrong = signature(attempt, transaction).into_iter().find_map(|wrong| wrong.finding);
    let next = for_us(attempt, transaction).ask("/extra/feePayer", ours.to_string());
    if let Some(finding) = wrong {
        let (version, detail) = (attempt.version().unwrap_or(Version::V2), finding.evidence.concat());
        let instead =
            Failure { code: crate::reason::Code::Svm(Code::Signature), reason: Code::Signature.spell(version), detail };
        let candidate = Candidate::new(finding, next, "with the signature of that key");
        return vec![Candidate { instead: Some(instead), ..candidate }];
    }
    vec![Candidate::assumed(next, "requirements and transaction name the same fee payer")]
}

fn signature(attempt: &Attempt, transaction: &Transaction) -> Vec<Candidate> {
    let Some((place, key, fault)) = transaction.wrongly_signed(1) else { return Vec::new() };
    let what = match fault {
        Fault::Missing => "is missing",
        Fault::Wrong => "is not of this key over this message: it was changed after signing, or signed by another key",
    };
    let finding = Finding::new("solana_signature")
        .at(AT)
        .seen(format!("the signature of {} (signer {place}) {what}", terms::named(&key.to_string())));
    vec![Candidate::new(finding, attempt.clone().again(), "with the signature of that key")]
}
