//! Payments on Solana, through the front door: the facilitator, resources in both versions, invoices, and the chain's
//! own door.

use serde_json::{Value, json};
use x402_sim::accounts::{self, TestAccount};
use x402_sim::networks::solana::exact::draft::{Draft, Occasion, Terms, Transfer, note};
use x402_sim::networks::solana::key::Key;
use x402_sim::networks::solana::message::Lookup;
use x402_sim::networks::solana::transaction::Transaction;
use x402_sim::networks::solana::{self, DEVNET, program, tables};
use x402_sim::registry::Version;
use x402_wire::document::Document;

use crate::client::{Answer, Request};
use crate::fault_hand::{admin, events};
use crate::harness::{Mock, Test};
use crate::payer::encoded;

pub(crate) const USDC: &str = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU";

pub(crate) fn account(index: usize) -> TestAccount {
    accounts::all().nth(index).unwrap()
}

/// A call of the chain's own door.
pub(crate) fn rpc(mock: &Mock, method: &str, params: &Value) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let request = Request::post(format!("/_x402/rpc/{DEVNET}"), body).header("Content-Type", "application/json");
    mock.send(&request).assert_status(200).json()
}

pub(crate) fn blockhash(mock: &Mock) -> [u8; 32] {
    let answer = rpc(mock, "getLatestBlockhash", &json!([]));
    solana::parse_address(answer["result"]["value"]["blockhash"].as_str().unwrap()).unwrap()
}

fn draft(mock: &Mock, version: Version, asked: &Value, payer: TestAccount, memo: &str) -> Draft {
    let terms = Terms::read(version, &Document::parse(asked.to_string().as_bytes()).unwrap()).unwrap();
    let occasion = Occasion::of(terms.mint, blockhash(mock), memo.to_owned());
    terms.draft(solana::key_of(&payer), &occasion)
}

fn payload(version: Version, asked: &Value, transaction: &Transaction) -> Value {
    let signed = json!({"transaction": transaction.to_base64()});
    match version {
        Version::V2 => json!({"x402Version": 2, "accepted": asked, "payload": signed}),
        Version::V1 => {
            json!({"x402Version": 1, "scheme": "exact", "network": asked["network"], "payload": signed})
        }
    }
}

/// The second way to pay of the default offer.
fn asked(mock: &Mock, version: Version) -> Value {
    let answer = mock.get("/a");
    match version {
        Version::V2 => answer.offer()["accepts"][1].clone(),
        Version::V1 => answer.json()["accepts"][1].clone(),
    }
}

fn pay(mock: &Mock, version: Version, payer: usize) -> (Answer, Value) {
    let asked = asked(mock, version);
    let transaction = draft(mock, version, &asked, account(payer), "memo").sign_by(&account(payer));
    let payload = payload(version, &asked, &transaction);
    let header = if version == Version::V2 { "PAYMENT-SIGNATURE" } else { "X-PAYMENT" };
    (mock.send(&Request::get("/a").header(header, encoded(&payload))), payload)
}

#[test]
fn a_resource_is_paid_on_solana_in_both_versions_and_once() {
    let mock = Test::new().start();
    for (version, name, header) in
        [(Version::V2, "PAYMENT-SIGNATURE", "payment-response"), (Version::V1, "X-PAYMENT", "x-payment-response")]
    {
        let (answer, payload) = pay(&mock, version, 0);
        answer.assert_status(200);
        let receipt: Value = x402_wire::header::decode(answer.header(header).unwrap()).unwrap();
        assert_eq!(receipt["payer"], account(0).solana_address);
        let status = rpc(&mock, "getSignatureStatuses", &json!([[receipt["transaction"]]]));
        assert_eq!(status["result"]["value"][0]["err"], Value::Null, "{status}");
        assert_eq!(status["result"]["value"][0]["confirmationStatus"], "confirmed");
        mock.send(&Request::get("/a").header(name, encoded(&payload))).assert_status(402);
        let asked = asked(&mock, version);
        let body = json!({"x402Version": version.number(), "paymentPayload": payload, "paymentRequirements": asked});
        assert_eq!(mock.settle(&body)["errorReason"], "duplicate_settlement");
    }
}

#[test]
fn every_kind_on_solana_names_the_fee_payer_and_personas_behave() {
    let mock = Test::new().start();
    let supported = mock.get("/supported").json();
    let kinds = supported["kinds"].as_array().unwrap().iter();
    let on_solana: Vec<&Value> = kinds.filter(|kind| kind["network"].as_str().unwrap().starts_with("solana")).collect();
    assert_eq!(on_solana.len(), 4, "two clusters in two versions");
    assert!(on_solana.iter().all(|kind| kind["extra"]["feePayer"] == account(8).solana_address));
    let find = |name: &str| accounts::find(name).unwrap().index;
    for (name, status) in [("alice", 200), ("broke", 402), ("blocked", 402), ("drained", 402)] {
        let (answer, _) = pay(&mock, Version::V2, find(name));
        answer.assert_status(status);
    }
}

#[test]
fn the_list_of_accounts_has_the_keys_on_solana_in_base58() {
    let mock = Test::new().start();
    let run = Test::new().run(&["accounts", "--url", &mock.url]);
    let (_, listed) = run.stdout.split_once("On Solana\n").unwrap();
    let lines: Vec<Vec<&str>> = listed.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 20, "{listed}");
    for (line, account) in lines.iter().zip(accounts::all()) {
        let key = bytes_of(line.last().unwrap());
        assert!(line.contains(&account.solana_address), "{line:?}");
        assert_eq!(key, account.solana_keypair());
        assert_eq!(key[32..], solana::parse_address(account.solana_address).unwrap());
    }
    // Where nothing can be paid there, they would be in the way.
    let evm = Test::new().config("networks: [base-sepolia]\n").start();
    assert!(!Test::new().run(&["accounts", "--url", &evm.url]).stdout.contains("On Solana"));
}

/// The 64 bytes in a text of base58.
fn bytes_of(text: &str) -> [u8; 64] {
    solana::parse_signature(text).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn an_invoice_is_paid_by_a_transaction_with_its_memo() {
    let mock = Test::new().start();
    let memo = mock.get("/a").json()["invoice"]["memo"].as_str().unwrap().to_owned();
    let [payer, mint] = [solana::key_of(&account(1)), Key::parse(USDC).unwrap()];
    let merchant = solana::key_of(&account(accounts::MERCHANT));
    let send = |amount: u64, memo: &str| {
        let held = |owner| Key::token_account(owner, mint, program::TOKEN);
        let transfer = Transfer {
            program: program::TOKEN,
            source: held(payer),
            mint,
            destination: held(merchant),
            authority: payer,
            amount,
            decimals: 6,
        };
        let instructions = vec![transfer.instruction(), note(memo.as_bytes())];
        let draft = Draft { fee_payer: payer, instructions, blockhash: blockhash(&mock), versioned: true };
        let wire = draft.sign_by(&account(1)).to_base64();
        let sent = rpc(&mock, "sendTransaction", &json!([wire, {"encoding": "base64"}]));
        sent["result"].as_str().unwrap_or_else(|| panic!("{sent}")).to_owned()
    };
    let prove = |path: &str, proof: &str| mock.send(&Request::get(path).header("X-Payment-Proof", proof));
    let nothing = "5wHu1qwD7q5ifaN5nwdcDqNFo53GJqa7nLp2BeeEpcHCusb4GzARz4GjgzsEHMkBMgCJMGa6GSQ1VG96Exv8kt2W";
    assert_eq!(prove("/a", nothing).assert_status(402).json()["error"], "invoice_transaction_not_found");
    let too_little = send(9_999, &memo);
    assert_eq!(prove("/a", &too_little).assert_status(402).json()["error"], "invoice_transaction_amount");
    let foreign = send(10_000, "hello");
    assert_eq!(prove("/a", &foreign).assert_status(402).json()["error"], "invoice_transaction_memo");
    let paid = send(10_000, &memo);
    assert_eq!(prove("/b", &paid).assert_status(402).json()["error"], "invoice_memo_not_issued");
    let named = Request::get("/a").header("X-Payment-Proof", &paid).header("X-Purchase-Id", "order-7");
    mock.send(&named).assert_status(200);
    let page = admin(&mock, "GET", "/purchases?limit=100", None).json();
    let ours: Vec<_> = page["purchases"].as_array().unwrap().iter().filter(|one| one["name"] == "order-7").collect();
    assert_eq!(ours.len(), 1, "{page}");
    assert_eq!((&ours[0]["settlements"], &ours[0]["deliveries"]), (&json!(1), &json!(1)), "{page}");
    assert_eq!(prove("/a", &paid).assert_status(402).json()["error"], "invoice_already_paid");
    assert_eq!(prove("/a", &memo).assert_status(402).json()["error"], "invoice_already_paid");
    // The transaction was paid once, whatever it was refused for besides.
    let told = events(&mock, 0);
    let of_paid = |event: &&Value| event["data"]["transaction"] == paid.as_str();
    let payment = &told.iter().find(of_paid).unwrap()["payment"];
    let refused = |event: &&Value| &event["payment"] == payment && event["kind"] == "refused";
    assert_eq!(told.iter().filter(refused).count(), 2, "{told:#?}");
}

#[test]
fn a_payment_that_our_facilitator_settled_pays_no_invoice_besides() {
    let mock = Test::new().start();
    let memo = mock.get("/a").json()["invoice"]["memo"].as_str().unwrap().to_owned();
    let asked = asked(&mock, Version::V2);
    let transaction = draft(&mock, Version::V2, &asked, account(1), &memo).sign_by(&account(1));
    let header = encoded(&payload(Version::V2, &asked, &transaction));
    let bought = mock.send(&Request::get("/a").header("PAYMENT-SIGNATURE", header));
    let receipt = bought.assert_status(200).header("payment-response").unwrap();
    let receipt: Value = x402_wire::header::decode(receipt).unwrap();
    let name = receipt["transaction"].as_str().unwrap().to_owned();
    let prove = |proof: &str| mock.send(&Request::get("/a").header("X-Payment-Proof", proof));
    let refused = prove(&name).assert_status(402).json();
    assert_eq!(refused["error"], "invoice_transaction_settled", "{refused}");
    // The invoice itself is as good as before: a transaction of its own pays it.
    let [payer, mint] = [solana::key_of(&account(1)), Key::parse(USDC).unwrap()];
    let held = |owner| Key::token_account(owner, mint, program::TOKEN);
    let destination = held(solana::key_of(&account(accounts::MERCHANT)));
    let (source, program) = (held(payer), program::TOKEN);
    let transfer = Transfer { program, source, mint, destination, authority: payer, amount: 10_000, decimals: 6 };
    let instructions = vec![transfer.instruction(), note(memo.as_bytes())];
    let own = Draft { fee_payer: payer, instructions, blockhash: blockhash(&mock), versioned: true };
    let wire = own.sign_by(&account(1)).to_base64();
    let sent = rpc(&mock, "sendTransaction", &json!([wire, {"encoding": "base64"}]));
    prove(sent["result"].as_str().unwrap()).assert_status(200);
}

#[test]
fn every_field_of_a_payment_may_be_wrong_and_nothing_is_a_500() {
    let mock = Test::new().start();
    let good = asked(&mock, Version::V2);
    let transaction = draft(&mock, Version::V2, &good, account(0), "memo").sign_by(&account(0));
    let odd = [
        json!(null),
        json!(7),
        json!(-1),
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
        json!(""),
        json!("0"),
        json!("x".repeat(5_000)),
        json!("340282366920938463463374607431768211456"),
        json!("1e3"),
        json!("0x10"),
    ];
    let body = |asked: &Value, signed: &Value| json!({"x402Version": 2, "paymentPayload": signed, "paymentRequirements": asked});
    let own = payload(Version::V2, &good, &transaction);
    let places = ["/asset", "/payTo", "/amount", "/network", "/scheme", "/extra", "/extra/feePayer", "/extra/memo"];
    for place in places {
        for value in &odd {
            let mut changed = good.clone();
            if let Some(slot) = changed.pointer_mut(place) {
                *slot = value.clone();
            } else {
                changed["extra"]["memo"] = value.clone();
            }
            // An empty memo counts as missing.
            let harmless = place == "/extra/memo" && [json!(null), json!("")].contains(value);
            for path in ["/verify", "/settle"] {
                if harmless && path == "/settle" {
                    // It would be paid, and nothing after it could be.
                    continue;
                }
                let request = Request::post(path, body(&changed, &own).to_string());
                let answer = mock.send(&request.header("Content-Type", "application/json"));
                assert!([200, 400].contains(&answer.status), "{place} {value}: {}", answer.status);
                if answer.status == 200 {
                    let said = answer.json();
                    let passed = said["isValid"] == true || said["success"] == true;
                    assert_eq!(passed, harmless, "{place} {value}: {said}");
                }
            }
        }
    }
    for value in &odd {
        let mut spoilt = own.clone();
        spoilt["payload"]["transaction"] = value.clone();
        let said = mock.verify(&body(&good, &spoilt));
        assert_eq!(said["isValid"], false, "{value}: {said}");
    }
    // What was left as it is passes still: nothing of all that has moved anything.
    assert_eq!(mock.verify(&body(&good, &own))["isValid"], true);
    assert_eq!(mock.settle(&body(&good, &own))["success"], true);
}

#[test]
fn a_transaction_that_names_the_lookup_table_twenty_thousand_times_is_answered_at_once() {
    let mock = Test::new().start();
    let asked = asked(&mock, Version::V2);
    let mut message = draft(&mock, Version::V2, &asked, account(0), "memo").sign(&[]).message;
    message.lookups = vec![Lookup { table: tables::address(), writable: vec![0], readonly: Vec::new() }; 20_000];
    let mut transaction = Transaction::unsigned(message);
    assert!(transaction.sign(&account(0).solana_seed()));
    let body = json!({"x402Version": 2, "paymentPayload": payload(Version::V2, &asked, &transaction),
                      "paymentRequirements": asked});
    let said = mock.verify(&body);
    assert_eq!(said["invalidReason"], "invalid_exact_svm_transaction_simulation_failed", "{said}");
    let why = said["invalidMessage"].as_str().unwrap();
    assert!(why.contains("1232 bytes"), "{why}");
}
