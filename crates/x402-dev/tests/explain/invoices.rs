//! Proofs that pay no invoice: each way has a finding of its own, which never makes somebody pay twice.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use x402_sim::accounts::{self, TestAccount};
use x402_sim::networks::solana::exact::draft::{Draft, Transfer, note};
use x402_sim::networks::solana::key::Key;
use x402_sim::networks::solana::message::{Instruction, Meta};
use x402_sim::networks::solana::transaction::Transaction;
use x402_sim::networks::solana::{self, DEVNET, program};

use crate::asker::{Asker, ids};
use crate::client::Request;
use crate::harness::{Mock, Test};

const TESTNET: &str = "solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z";

const USDC: &str = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU";

fn account(index: usize) -> TestAccount {
    accounts::all().nth(index).unwrap()
}

fn rpc(mock: &Mock, cluster: &str, method: &str, params: &Value) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let request = Request::post(format!("/_x402/rpc/{cluster}"), body).header("Content-Type", "application/json");
    mock.send(&request).assert_status(200).json()
}

fn memo(mock: &Mock) -> String {
    mock.get("/a").json()["invoice"]["memo"].as_str().unwrap().to_owned()
}

/// A transfer of USDC by `transferChecked`.
fn usdc(to: usize, amount: u64) -> Instruction {
    let (payer, mint) = (solana::key_of(&account(1)), Key::parse(USDC).unwrap());
    let held = |owner| Key::token_account(owner, mint, program::TOKEN);
    let destination = held(solana::key_of(&account(to)));
    let (source, program) = (held(payer), program::TOKEN);
    Transfer { program, source, mint, destination, authority: payer, amount, decimals: 6 }.instruction()
}

/// A transfer of lamports by the System program: its third instruction.
fn lamports(to: usize, amount: u64) -> Instruction {
    let meta = |index: usize, signer: bool| Some(Meta { key: solana::key_of(&account(index)), signer, writable: true });
    let data = [&2_u32.to_le_bytes()[..], &amount.to_le_bytes()].concat();
    Instruction { program: program::SYSTEM, accounts: vec![meta(1, true), meta(to, false)], data }
}

fn signed(mock: &Mock, cluster: &str, instructions: Vec<Instruction>) -> Transaction {
    let answer = rpc(mock, cluster, "getLatestBlockhash", &json!([]));
    let blockhash = solana::parse_address(answer["result"]["value"]["blockhash"].as_str().unwrap()).unwrap();
    let fee_payer = solana::key_of(&account(1));
    Draft { fee_payer, instructions, blockhash, versioned: true }.sign_by(&account(1))
}

fn send(mock: &Mock, cluster: &str, instructions: Vec<Instruction>) -> String {
    let wire = signed(mock, cluster, instructions).to_base64();
    let sent = rpc(mock, cluster, "sendTransaction", &json!([wire, {"encoding": "base64", "skipPreflight": true}]));
    sent["result"].as_str().unwrap_or_else(|| panic!("{sent}")).to_owned()
}

/// Gives a proof, and asks why it is refused: the first finding.
#[track_caller]
fn refused(mock: &Mock, request: &Request, reason: &str, id: &str) -> Value {
    let answer = mock.send(request).assert_status(402).json();
    assert_eq!(answer["error"], reason, "{answer}");
    let told = Asker::new().json(&["explain", "last", "--url", &mock.url]);
    assert_eq!(ids(&told), [id], "{told}");
    let first = told["findings"][0].clone();
    assert_eq!(first["certainty"], "proven", "{told}");
    let asks_anew = first["fix"].as_str().unwrap().contains("new invoice");
    assert!(!asks_anew || first["fix"].as_str().unwrap().contains("do not pay again"), "{told}");
    first
}

fn prove(path: &str, proof: &str) -> Request {
    Request::get(path).header("X-Payment-Proof", proof)
}

#[test]
fn what_a_transaction_moves_instead_is_named() {
    let mock = Test::new().start();
    let seller = accounts::MERCHANT;
    let text = |instructions: Vec<Instruction>| send(&mock, DEVNET, instructions);
    let with_memo = |instruction: Instruction| text(vec![instruction, note(memo(&mock).as_bytes())]);
    for (proof, reason, id, parts) in [
        (
            with_memo(usdc(seller, 9_999)),
            "invoice_transaction_amount",
            "invoice_amount",
            ["0.009999 USDC", "asks for 0.01 USDC"],
        ),
        (
            with_memo(usdc(2, 10_000)),
            "invoice_transaction_recipient",
            "invoice_recipient",
            [account(2).solana_address, account(seller).solana_address],
        ),
        (text(vec![usdc(seller, 10_000)]), "invoice_transaction_memo", "invoice_memo", ["0 memos", "exactly one"]),
        (
            text(vec![usdc(seller, 10_000), note(b"hello")]),
            "invoice_transaction_memo",
            "invoice_memo",
            ["\"hello\"", "req-<uuid>"],
        ),
        (
            text(vec![note(b"hello")]),
            "invoice_transaction_mismatch",
            "invoice_recipient",
            ["moves nothing", "recipient"],
        ),
    ] {
        let told = refused(&mock, &prove("/a", &proof), reason, id);
        assert!(parts.iter().all(|part| told["evidence"].to_string().replace('\\', "").contains(part)), "{told}");
    }
    let own = memo(&mock);
    let shouted = text(vec![usdc(seller, 10_000), note(own.to_uppercase().as_bytes())]);
    let told = refused(&mock, &prove("/a", &shouted), "invoice_transaction_memo", "invoice_memo");
    let evidence = told["evidence"].to_string();
    assert!(evidence.contains(&own) && evidence.contains(&own.to_uppercase()), "{told}");
}

#[test]
fn lamports_are_no_dollars_and_other_clusters_no_devnet() {
    let mock = Test::new().config("networks: [solana-devnet, solana-testnet]\n").start();
    let transfer = lamports(accounts::MERCHANT, 10_000);
    let proof = send(&mock, DEVNET, vec![transfer, note(memo(&mock).as_bytes())]);
    let told = refused(&mock, &prove("/a", &proof), "invoice_transaction_currency", "invoice_currency");
    assert!(told["evidence"].to_string().contains("0.00001 SOL"), "{told}");
    let proof = send(&mock, TESTNET, vec![note(memo(&mock).as_bytes())]);
    let told = refused(&mock, &prove("/a", &proof), "invoice_transaction_cluster", "invoice_cluster");
    assert!(told["evidence"].to_string().contains(TESTNET), "{told}");
}

#[test]
fn what_has_not_paid_yet_or_has_paid_already_is_told_apart() {
    let mock = Test::new().start();
    let own = memo(&mock);
    let pays = |memo: &str| vec![usdc(accounts::MERCHANT, 10_000), note(memo.as_bytes())];
    let unsent = bs58(&signed(&mock, DEVNET, pays(&own)));
    refused(&mock, &prove("/a", &unsent), "invoice_transaction_not_found", "invoice_not_on_chain");
    let fails = send(&mock, DEVNET, vec![usdc(accounts::MERCHANT, u64::MAX), note(own.as_bytes())]);
    refused(&mock, &prove("/a", &fails), "invoice_transaction_failed", "invoice_failed");
    refused(&mock, &prove("/a", &own), "invoice_not_paid", "invoice_memo_alone");
    let paid = send(&mock, DEVNET, pays(&own));
    let told = refused(&mock, &prove("/b", &paid), "invoice_memo_not_issued", "invoice_not_issued");
    assert!(told["evidence"].to_string().contains("issued that memo for GET /a at 0.01 USDC"), "{told}");
    let told = refused(&mock, &prove("/b", &own), "invoice_memo_not_issued", "invoice_not_issued");
    assert!(told["evidence"].to_string().contains("and not for this request, GET /b at 0.01 USDC"), "{told}");
    let other = format!("{}{}", &own[..own.len() - 1], if own.ends_with('0') { '1' } else { '0' });
    let told = refused(&mock, &prove("/a", &other), "invoice_memo_not_issued", "invoice_not_issued");
    assert!(told["evidence"].to_string().contains("letters of it were changed"), "{told}");
    mock.send(&prove("/a", &paid)).assert_status(200);
    let told = refused(&mock, &prove("/a", &paid), "invoice_already_paid", "invoice_used");
    assert!(told["fix"].as_str().unwrap().contains("x402-dev purchases"), "{told}");
    let late = send(&mock, DEVNET, pays(&memo(&mock)));
    let wait = Request::post_json("/_x402/api/clock/advance", &json!({"by_ms": 600_000}));
    mock.connect().send(&wait.header("Host", mock.address.to_string())).assert_status(200);
    refused(&mock, &prove("/a", &late), "invoice_expired", "invoice_late");
    // An altered memo of an invoice that has expired is still an altered one, and none of somebody else's.
    let shouted = vec![usdc(accounts::MERCHANT, 10_000), note(own.to_uppercase().as_bytes())];
    let proof = send(&mock, DEVNET, shouted);
    let told = refused(&mock, &prove("/a", &proof), "invoice_transaction_memo", "invoice_memo");
    assert!(told["evidence"].to_string().contains(&own), "{told}");
}

fn bs58(transaction: &Transaction) -> String {
    solana::signature_text(&transaction.id())
}

#[test]
fn a_proof_in_another_form_is_given_back_in_base58() {
    let mock = Test::new().start();
    let transaction = signed(&mock, DEVNET, vec![note(b"hello")]);
    for proof in [STANDARD.encode(transaction.id()), transaction.to_base64()] {
        let told = refused(&mock, &prove("/a", &proof), "invoice_memo_malformed", "invoice_proof");
        assert!(told["fix"].as_str().unwrap().contains(&bs58(&transaction)), "{told}");
    }
}

#[test]
fn a_proof_that_stands_elsewhere_is_known_for_what_it_is_and_secrets_are_not_kept() {
    let mock = Test::new().start();
    let sent = send(&mock, DEVNET, vec![usdc(accounts::MERCHANT, 10_000), note(memo(&mock).as_bytes())]);
    let unknown = solana::signature_text(&[7; 64]);
    let get = |name: &'static str, value: String| Request::get("/a").header(name, value);
    for (request, place) in [
        (get("Authorization", format!("x402-solana {sent}")), "header `authorization`"),
        (get("Authorization", format!("Bearer {sent}")), "header `authorization`"),
        (get("X-Proof", sent.clone()), "header `x-proof`"),
        (Request::get(format!("/a?proof={sent}")), "the query"),
        (Request::post("/a", json!({ "proof": sent }).to_string()), "the body"),
    ] {
        mock.send(&request).assert_status(402);
        let told = Asker::new().json(&["explain", "last", "--url", &mock.url]);
        assert_eq!(ids(&told), ["invoice_proof_misplaced"], "{place}: {told}");
        let first = &told["findings"][0];
        let evidence = first["evidence"].to_string();
        for part in [place, "on this mock's chain", &format!("X-Payment-Proof: {sent}")] {
            assert!(evidence.contains(part), "{told}");
        }
        assert!(first["fix"].as_str().unwrap().contains("do not pay again"), "{told}");
        assert_eq!(first["certainty"], "proven");
    }
    mock.send(&get("Authorization", format!("x402-solana {unknown}"))).assert_status(402);
    let told = Asker::new().json(&["explain", "last", "--url", &mock.url]);
    assert!(told["findings"][0]["evidence"].to_string().contains("has no such transaction"), "{told}");
    let kept = |mock: &Mock| {
        let ask = Request::get("/_x402/api/refusals").header("Host", mock.address.to_string());
        mock.connect().send(&ask).text()
    };
    let mock = Test::new().start();
    for request in [get("Authorization", format!("Bearer {unknown}")), Request::get(format!("/a?key={unknown}"))] {
        mock.send(&request).assert_status(402);
        assert!(!kept(&mock).contains(&unknown));
    }
    // A key pair has the form of a signature; it is kept nowhere, whatever it is called.
    let key = solana::ed25519::key_of(&[1; 32]).0;
    let pair = solana::signature_text(&[[1; 32], key].concat().try_into().unwrap());
    for name in ["Authorization", "X-Payment-Proof", "X-PAYMENT"] {
        let words = if name == "Authorization" { "x402-solana " } else { "" };
        mock.send(&get(name, format!("{words}{pair}")));
        assert!(!kept(&mock).contains(&pair), "{name}");
        let told = Asker::new().run(&["explain", "last", "--url", &mock.url]);
        assert!(!told.stdout.contains(&pair[..10]) && !told.stdout.contains("signature of a Solana"), "{told:?}");
        let alone = Asker::new().run(&["explain", &format!("{name}: {words}{pair}")]);
        assert!(!format!("{alone:?}").contains(&pair[..10]), "{alone:?}");
        assert!(name == "Authorization" || alone.stdout.contains("[secret_key_form]"), "{alone:?}");
    }
    // In the header of a payment it is refused, and named.
    mock.send(&prove("/a", &sent));
    mock.send(&get("X-PAYMENT", unknown.clone()));
    let told = Asker::new().json(&["explain", "last", "--url", &mock.url]);
    assert_eq!(ids(&told), ["invoice_proof_misplaced"], "{told}");
}
