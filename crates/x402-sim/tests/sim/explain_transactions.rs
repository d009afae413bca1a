//! Transactions of Solana that the chain refuses, or that hold another instruction than belongs there.

use serde_json::{Value, json};
use x402_sim::accounts::{self, TestAccount};
use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, Record, explain};
use x402_sim::explain::read::read;
use x402_sim::networks::solana::exact::draft::{self as svm, Draft};
use x402_sim::networks::solana::key::Key;
use x402_sim::networks::solana::message::{Instruction, Meta};
use x402_sim::networks::solana::transaction::Transaction;
use x402_sim::networks::solana::{self, program};
use x402_sim::registry::Version;
use x402_wire::document::Document;

use crate::explain_made::NOW;

const FAILED: &str = "invalid_exact_svm_transaction_simulation_failed";

pub(crate) fn asked() -> Value {
    let network = solana::known().into_iter().find(|own| own.id == solana::DEVNET).unwrap();
    json!({
        "scheme": "exact", "network": network.id, "asset": network.assets[0].address, "amount": "10000",
        "payTo": accounts::merchant().solana_address, "maxTimeoutSeconds": 60,
        "extra": {"feePayer": accounts::facilitator().solana_address},
    })
}

pub(crate) fn terms() -> svm::Terms {
    svm::Terms::read(Version::V2, &Document::parse(asked().to_string().as_bytes()).unwrap()).unwrap()
}

/// A transaction by an account, changed before it is signed.
pub(crate) fn transaction(payer: &TestAccount, change: impl Fn(&mut Draft)) -> Transaction {
    let terms = terms();
    let hash = solana::blockhash::make(solana::DEVNET, solana::blockhash::slot(NOW * 1000), 1);
    let occasion = svm::Occasion::of(terms.mint, hash, "note".to_owned());
    let mut draft = terms.draft(solana::key_of(payer), &occasion);
    change(&mut draft);
    draft.sign_by(payer)
}

pub(crate) fn payload(transaction: &Transaction) -> Value {
    serde_json::to_value(svm::payload(&terms(), &transaction.to_base64(), None, None)).unwrap()
}

/// What is said of a payment, and of an instance's refusal of it.
fn told(payload: &Value, said: Option<(&str, &str)>) -> Explanation {
    let record = said.map(|(reason, message)| Record {
        reason: reason.to_owned(),
        message: Some(message.to_owned()),
        ..Record::default()
    });
    let reading = read(&payload.to_string());
    explain(&Question { reading, requirements: Some(asked()), now: NOW, real: None, record, depth: Depth::Judge })
}

pub(crate) fn ids(explanation: &Explanation) -> Vec<(&str, bool)> {
    explanation.findings.iter().map(|finding| (finding.id, finding.is_proven())).collect()
}

pub(crate) fn first() -> TestAccount {
    accounts::test_accounts().next().unwrap()
}

fn persona(name: &str) -> TestAccount {
    accounts::all().find(|account| account.persona().is_some_and(|own| own.name == name)).unwrap()
}

#[test]
fn a_transaction_that_is_on_the_chain_was_used_before_and_paid_by_its_own_signature() {
    let mut sent = transaction(&first(), |_| {});
    let payment = payload(&sent);
    let said = r#"Simulation failed: "AlreadyProcessed" (the same transaction is on the chain already)"#;
    let explanation = told(&payment, Some((FAILED, said)));
    assert_eq!(ids(&explanation), [("nonce_used", true)]);
    let fix = &explanation.findings[0].fix;
    assert!(fix.contains("with a memo of its own") && !fix.contains("nonce"), "{fix}");
    assert!(sent.sign(&accounts::facilitator().solana_seed()));
    let paid = solana::signature_text(&sent.id());
    assert!(explanation.findings[0].evidence.iter().any(|seen| seen.contains(&paid)), "{:?}", explanation.findings);
}

#[test]
fn a_failed_simulation_is_read() {
    for (name, id) in [("broke", "insufficient_balance"), ("blocked", "blocked_account")] {
        let explanation = told(&payload(&transaction(&persona(name), |_| {})), None);
        assert_eq!(ids(&explanation), [(id, true)], "{name}");
        let seen = explanation.findings[0].evidence.join(" ");
        assert!(seen.contains("Simulation failed: ") && seen.contains(&format!("persona {name}")), "{seen}");
    }
    let starved = transaction(&first(), |draft| draft.instructions[0] = svm::limit(100));
    let explanation = told(&payload(&starved), None);
    assert_eq!(ids(&explanation), [("compute_limit_too_low", true)]);
    assert!(explanation.findings[0].proof.as_ref().unwrap().contains("with a limit of 20000 units"));
}

#[test]
fn an_account_that_is_none_is_told_whose_it_is() {
    let payer = solana::key_of(&first());
    let terms = terms();
    let own = Key::token_account(payer, terms.mint, solana::program::TOKEN);
    let said = format!(
        r#"Simulation failed: {{"InstructionError":[2,"InvalidAccountData"]}} ({own} is no token account of this token program)"#
    );
    let explanation = told(&payload(&transaction(&first(), |_| {})), Some((FAILED, &said)));
    assert_eq!(ids(&explanation), [("token_account_missing", true)]);
    let seen = explanation.findings[0].evidence.join(" ");
    assert!(seen.contains("is the payer's token account for mint"), "{seen}");
    // Nothing is said of the blockhash, which only the world's slot can tell.
    let other = r#"Simulation failed: {"InstructionError":[2,{"Custom":3}]} (A is not of mint B)"#;
    assert_eq!(
        ids(&told(&payload(&transaction(&first(), |_| {})), Some((FAILED, other)))),
        [("solana_simulation", true)]
    );
}

#[test]
fn an_instruction_in_the_wrong_place_is_named_and_left_out() {
    let payer = solana::key_of(&first());
    let terms = terms();
    let account = |owner: Key| Key::token_account(owner, terms.mint, program::TOKEN);
    let creation = Instruction {
        program: program::ASSOCIATED_TOKEN,
        accounts: [payer, account(terms.pay_to), terms.pay_to, terms.mint, program::SYSTEM, program::TOKEN]
            .map(|key| Some(Meta { key, signer: key == payer, writable: key == payer }))
            .to_vec(),
        data: vec![1],
    };
    let second = svm::Transfer {
        program: program::TOKEN,
        source: account(payer),
        mint: terms.mint,
        destination: account(solana::key_of(&accounts::facilitator())),
        authority: payer,
        amount: 100,
        decimals: 6,
    };
    for (place, extra, part) in [
        (2, creation.clone(), "instruction 3 is CreateIdempotent, which makes a token account"),
        (2, svm::price(5000), "instruction 3 is SetComputeUnitPrice of the Compute Budget program"),
        (3, second.instruction(), "instruction 4 is TransferChecked of the Token program"),
        (4, creation, "instruction 5 is CreateIdempotent"),
    ] {
        let explanation =
            told(&payload(&transaction(&first(), |draft| draft.instructions.insert(place, extra.clone()))), None);
        assert_eq!(ids(&explanation), [("extra_instruction", true)], "{part}");
        let finding = &explanation.findings[0];
        assert!(finding.evidence.iter().any(|seen| seen.starts_with(part)), "{:?}", finding.evidence);
        assert_eq!(finding.proof.as_deref(), Some("without it, signed again: verify passes"), "{part}");
    }
    let behind = told(&payload(&transaction(&first(), |draft| draft.instructions.swap(2, 3))), None);
    assert_eq!(ids(&behind), [("no_transfer_checked", true)]);
    let seen = behind.findings[0].evidence.join(" | ");
    assert!(
        seen.contains("instruction 3 is a call of the Memo program") && seen.contains("instruction 4 is Trans"),
        "{seen}"
    );
}

#[test]
fn a_transaction_under_another_name_or_without_its_signatures_is_found() {
    let sound = transaction(&first(), |_| {});
    let payment = payload(&sound);
    let text = payment["payload"]["transaction"].clone();
    let with = |body: Value| {
        let mut changed = payment.clone();
        changed["payload"] = body;
        changed
    };
    let bytes = sound.encode();
    let message = solana::transaction::to_base64(&sound.signed);
    for (body, id, part) in [
        (json!({"signedTransaction": text}), "misnamed_field", "a `signedTransaction` that is one"),
        (json!({"transaction": bytes}), "transaction_not_decoded", "a list of"),
        (json!({"transaction": message}), "message_without_signatures", "before it 2 signatures must stand"),
    ] {
        let explanation = told(&with(body), None);
        assert_eq!(ids(&explanation), [(id, true)], "{:?}", explanation.findings);
        assert!(explanation.findings[0].evidence[0].contains(part), "{:?}", explanation.findings[0].evidence);
    }
}

#[test]
fn a_transfer_by_the_other_token_program_is_named_and_called_by_the_right_one() {
    let payer = solana::key_of(&first());
    let terms = terms();
    let (right, wrong) = (program::TOKEN, program::TOKEN_2022);
    let account = |owner: Key, program: Key| Key::token_account(owner, terms.mint, program);
    // The program is called, its accounts are derived with it, or both.
    for (calls, derives, paid, part) in [
        (wrong, wrong, wrong, "the transfer calls the Token-2022 program; the mint"),
        (wrong, right, right, "the transfer calls the Token-2022 program; the mint"),
        (right, wrong, right, "is derived with the Token-2022 program: the payer's token account is"),
    ] {
        let sent = transaction(&first(), |draft| {
            let instruction = &mut draft.instructions[2];
            instruction.program = calls;
            instruction.accounts[0].as_mut().unwrap().key = account(payer, derives);
            instruction.accounts[2].as_mut().unwrap().key = account(terms.pay_to, paid);
        });
        let explanation = told(&payload(&sent), None);
        assert_eq!(ids(&explanation), [("wrong_token_program", true)], "{:?}", explanation.findings);
        let seen = explanation.findings[0].evidence.join("; ");
        assert!(seen.contains(part), "{seen}");
        // An instance's own record says the same.
        let said = r#"Simulation failed: {"InstructionError":[2,"InvalidAccountData"]} (A is no token account of this token program)"#;
        assert_eq!(ids(&told(&payload(&sent), Some((FAILED, said)))), [("wrong_token_program", true)]);
    }
    // An account of the other program for the payee alone is the payee's matter.
    let astray = transaction(&first(), |draft| {
        draft.instructions[2].accounts[2].as_mut().unwrap().key = account(terms.pay_to, wrong);
    });
    assert_eq!(ids(&told(&payload(&astray), None)), [("wrong_token_account", true)]);
}

#[test]
fn a_signature_in_the_place_of_the_transaction_is_no_transaction_of_some_version() {
    let sound = transaction(&first(), |_| {});
    let own = sound.signatures[1];
    let name = solana::signature_text(&own);
    let payment = payload(&sound);
    for (body, form) in [
        (json!({"signature": name}), "`signature` holds 64 bytes in base58: that is a signature"),
        (json!({"transaction": name}), "`transaction` holds 64 bytes in base58: that is a signature"),
        (json!({"transaction": solana::transaction::to_base64(&own)}), "`transaction` holds 64 bytes in base64"),
        (json!({"txHash": hex(&own)}), "`txHash` holds 64 bytes in hexadecimal"),
    ] {
        let mut changed = payment.clone();
        changed["payload"] = body;
        let explanation = told(&changed, None);
        assert_eq!(ids(&explanation), [("signature_for_transaction", true)], "{:?}", explanation.findings);
        let finding = &explanation.findings[0];
        let seen = finding.evidence.join("; ");
        assert!(seen.contains(form) && finding.fix.contains("do not pay again"), "{finding:?}");
        let said = format!("{:?} {:?}", explanation.verdict, explanation.sections);
        assert!(!said.contains("version 91") && !said.contains("not hexadecimal"), "{said}");
        assert!(form.contains("base58") || seen.contains(&name), "{seen}");
    }
}

/// What the payer has added to a payment is no reason to say that there is no transaction.
#[test]
fn a_signature_beside_a_transaction_is_not_what_is_wrong_with_it() {
    let sound = transaction(&first(), |_| {});
    let name = solana::signature_text(&sound.signatures[1]);
    for broken in ["not base64", "AAAA"] {
        let mut changed = payload(&sound);
        changed["payload"] = json!({"signature": name, "transaction": broken});
        let all = told(&changed, None);
        assert!(ids(&all).iter().all(|(id, _)| *id != "signature_for_transaction"), "{:?}", all.findings);
        assert!(!all.findings.is_empty());
    }
}

#[test]
fn a_key_pair_in_the_place_of_the_transaction_is_called_a_key() {
    let seed = [1; 32];
    let pair = [seed, solana::ed25519::key_of(&seed).0].concat();
    let name = solana::signature_text(&pair.clone().try_into().unwrap());
    let mut changed = payload(&transaction(&first(), |_| {}));
    for body in [json!({"signature": name}), json!({"transaction": name}), json!({"transaction": hex(&pair)})] {
        changed["payload"] = body;
        let all = told(&changed, None);
        assert_eq!(ids(&all), [("secret_key_form", true)], "{:?}", all.findings);
        assert!(!format!("{:?}", all.findings).contains(&name[..8]), "{:?}", all.findings);
    }
}

fn hex(bytes: &[u8]) -> String {
    alloy_primitives::hex::encode(bytes)
}
