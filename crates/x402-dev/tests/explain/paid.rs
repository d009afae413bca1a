//! Who has paid already is told so first, whatever else is wrong: whoever mends that alone pays twice.

use serde_json::{Value, json};
use x402_sim::networks::eip155::parse_address;
use x402_sim::networks::eip155::transaction::{Signed, Transaction};
use x402_sim::{U256, hex};
use x402_wire::header::{decode, encode_text};

use crate::asker::{Asker, ids};
use crate::client::Request;
use crate::harness::{Mock, Test};

const USDC: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
const MERCHANT: &str = "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720";
const SOLANA: &str = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";

fn last(asker: &Asker, mock: &Mock) -> Value {
    asker.json(&["explain", "last", "--url", &mock.url])
}

/// What a chain answers.
fn sent(mock: &Mock, network: &str, method: &str, params: &Value) -> String {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let answer: Value = mock.send(&Request::post_json(&format!("/_x402/rpc/{network}"), &call)).json();
    answer["result"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// A transfer of 0.01 USDC to the merchant, as wallets send it.
fn transfer() -> Signed {
    let to = parse_address(MERCHANT).unwrap();
    let amount = U256::from(10_000).to_be_bytes::<32>();
    let input = [hex!("a9059cbb").as_slice(), to.into_word().as_slice(), &amount].concat();
    let key = hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    Transaction { chain_id: 84532, nonce: 0, to: parse_address(USDC).unwrap(), input: input.into() }.sign(&key)
}

/// A payment of a version for what the mock asks, with something else as its payload.
fn holding(mock: &Mock, version: u64, payload: &Value) -> (&'static str, String) {
    let accepted = mock.get("/report").decoded("payment-required")["accepts"][0].clone();
    let (name, payment) = if version == 2 {
        ("payment-signature", json!({"x402Version": 2, "accepted": accepted, "payload": payload}))
    } else {
        ("x-payment", json!({"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": payload}))
    };
    (name, encode_text(&payment.to_string()))
}

fn signed(asker: &Asker, mock: &Mock, more: &[&str]) -> String {
    let run = asker.run(&[&["sign", &format!("{}/report", mock.url)], more].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    run.stdout.trim().to_owned()
}

fn is_warned(told: &Value) -> bool {
    told["findings"][0]["fix"].as_str().unwrap().contains("do not pay again")
}

#[test]
fn a_transaction_in_place_of_an_authorization_is_told_for_what_it_is_with_a_warning() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let own = transfer();
    let (hash, raw) = (own.hash.to_string(), own.raw.to_string());
    let from = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    let all = [
        (2, json!({"transaction": hash}), "the hash of an EVM transaction"),
        (2, json!({"transaction": raw}), "a raw EVM transaction"),
        (2, json!({"txHash": hash, "from": from}), "the hash of an EVM transaction"),
        (1, json!({"txHash": hash}), "the hash of an EVM transaction"),
        (1, json!(hash), "the hash of an EVM transaction"),
    ];
    for is_sent in [false, true] {
        if is_sent {
            assert_eq!(sent(&mock, "eip155:84532", "eth_sendRawTransaction", &json!([raw])), hash);
        }
        for (version, payload, seen) in &all {
            let (name, header) = holding(&mock, *version, payload);
            mock.send(&Request::get("/report").header(name, &header)).assert_status(402);
            let told = last(&asker, &mock);
            assert_eq!(ids(&told), ["evm_transaction_sent"], "{payload}: {told}");
            let first = &told["findings"][0];
            assert!(first["evidence"].to_string().contains(seen) && is_warned(&told), "{payload}: {told}");
            assert_eq!(first["evidence"].to_string().contains("It has paid already"), is_sent, "{payload}: {told}");
            assert_eq!(first["fix"].as_str().unwrap().starts_with("It has paid already"), is_sent, "{told}");
        }
        // Without a payment around it.
        let bare =
            Request::get("/report").header("payment-signature", encode_text(&json!({"txHash": hash}).to_string()));
        mock.send(&bare).assert_status(402);
        let told = last(&asker, &mock);
        assert_eq!(ids(&told)[0], "evm_transaction_sent", "{told}");
        assert_eq!(told["findings"][0]["certainty"] == "proven", is_sent, "{told}");
    }
}

#[test]
fn digits_in_a_header_are_a_hash_where_the_chain_knows_them_and_else_they_are_not_kept() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let own = transfer();
    let hash = own.hash.to_string();
    let show = || {
        mock.send(&Request::get("/report").header("payment-signature", &hash)).assert_status(402);
        let ask = Request::get("/_x402/api/refusals").header("Host", mock.address.to_string());
        (last(&asker, &mock), mock.connect().send(&ask).text())
    };
    let (told, kept) = show();
    assert_eq!(ids(&told), ["hash_or_key"], "{told}");
    assert!(is_warned(&told) && told["findings"][0]["certainty"] == "possible", "{told}");
    assert!(!told.to_string().contains("Nothing was signed") && !kept.contains(&hash[2..20]), "{told} {kept}");
    sent(&mock, "eip155:84532", "eth_sendRawTransaction", &json!([own.raw.to_string()]));
    let (told, _) = show();
    assert_eq!(ids(&told), ["evm_transaction_sent"], "{told}");
    let first = &told["findings"][0];
    assert_eq!(first["certainty"], "proven", "{told}");
    assert!(first["fix"].as_str().unwrap().starts_with("It has paid already: do not pay again"), "{told}");
    assert!(first["evidence"].to_string().contains("Settled 0.01 USDC"), "{told}");
}

#[test]
fn a_transaction_that_the_payer_sent_to_solana_himself_has_paid_whatever_else_is_wrong() {
    let (asker, mock) = (Asker::new(), Test::new().arg("--network").arg("solana-devnet").start());
    let rpc = format!("{}/_x402/rpc/{SOLANA}", mock.url);
    let header = signed(&asker, &mock, &["--rpc", &rpc, "--defect", "own-fee"]);
    let payment: Value = decode(&header).unwrap();
    let pay = || {
        mock.send(&Request::get("/report").header("payment-signature", &header)).assert_status(402);
    };
    pay();
    let before = ids(&last(&asker, &mock));
    assert!(!before.is_empty() && !before.contains(&"nonce_used".to_owned()), "{before:?}");
    let params = json!([payment["payload"]["transaction"], {"encoding": "base64"}]);
    let signature = sent(&mock, SOLANA, "sendTransaction", &params);
    pay();
    let told = last(&asker, &mock);
    assert_eq!((ids(&told)[0].as_str(), &told["findings"][0]["certainty"]), ("nonce_used", &json!("proven")), "{told}");
    let fix = told["findings"][0]["fix"].as_str().unwrap();
    assert!(fix.starts_with(&format!("It has paid already: do not pay again, and show {signature}")), "{fix}");
    assert!(ids(&told).contains(&before[0]), "{before:?} {told}");
    // Its name alone.
    mock.send(&Request::get("/report").header("payment-signature", &signature)).assert_status(402);
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["invoice_proof_misplaced"], "{told}");
    assert!(told["findings"][0]["fix"].as_str().unwrap().starts_with("It has paid already: do not pay"), "{told}");
}

#[test]
fn a_settled_payment_in_a_place_where_nobody_looks_was_settled_before() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let header = signed(&asker, &mock, &[]);
    let escaped = header.replace('=', "%3D").replace('+', "%2b").replace('/', "%2F");
    let astray = [
        Request::get("/report").header("x-402-payment", &header),
        Request::get(format!("/report?payment={escaped}")),
        Request::post("/report", decode::<Value>(&header).unwrap().to_string()),
    ];
    for is_settled in [false, true] {
        if is_settled {
            mock.send(&Request::get("/report").header("payment-signature", &header)).assert_status(200);
        }
        for request in &astray {
            mock.send(request).assert_status(402);
            let told = last(&asker, &mock);
            assert_eq!(ids(&told)[0] == "nonce_used", is_settled, "{told}");
            assert_eq!(ids(&told).len(), 1 + usize::from(is_settled), "{told}");
            let seen = told["findings"][0]["evidence"].to_string();
            assert_eq!(seen.contains("it was settled before: Settled"), is_settled, "{told}");
            assert_eq!(told["findings"][0]["fix"].as_str().unwrap().starts_with("This payment has paid"), is_settled);
        }
    }
}
