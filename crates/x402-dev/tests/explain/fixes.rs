//! Commands in fixes: whoever runs them as they stand can pay.

use serde_json::Value;

use crate::asker::{Asker, Run, ids};
use crate::client::Request;
use crate::harness::{Mock, Test};

const SHOP: &str = "
accepts: [base-sepolia]
resources:
  - {match: GET /dear, price: '7'}
  - {match: GET /permit, price: 0.02, accepts: [{network: base-sepolia, asset_transfer_method: permit2}]}
  - {match: GET /solana, price: 0.01, accepts: [solana-devnet]}
  - {match: GET /pyusd, price: 0.05 PYUSD, accepts: [{network: solana-devnet, asset: PYUSD}]}
  - {match: POST /upto, price: {upto: $0.10, charge: {header: X-Tokens, each: $0.00002}}, accepts: [base-sepolia], response: {headers: {X-Tokens: 1200}, json: {}}}
accounts: {unknown: empty, permit2: required, ata: strict}
";

fn shop() -> (Asker, Mock) {
    (Asker::new(), Test::new().config(SHOP).start())
}

fn last(asker: &Asker, mock: &Mock) -> Value {
    asker.json(&["explain", "last", "--url", &mock.url])
}

/// Runs the first command that stands in a fix, at the mock.
fn follow(asker: &Asker, mock: &Mock, finding: &Value) -> Run {
    let fix = finding["fix"].as_str().unwrap();
    let command = fix.split('`').skip(1).step_by(2).find(|word| word.starts_with("x402-dev ")).expect(fix);
    assert!(!command.contains('<'), "{fix}");
    let words: Vec<&str> = command.split(' ').skip(1).chain(["--url", mock.url.as_str()]).collect();
    asker.run(&words)
}

/// Pays, is refused, follows the first fix, and pays.
fn refused_then_paid(asker: &Asker, mock: &Mock, pay: &[&str], id: &str) {
    let run = asker.run(pay);
    assert_eq!(run.code, Some(1), "{run:?}");
    let told = last(asker, mock);
    assert_eq!(ids(&told)[0], id, "{told}");
    let done = follow(asker, mock, &told["findings"][0]);
    assert_eq!(done.code, Some(0), "{done:?}: {}", told["findings"][0]["fix"]);
    let run = asker.run(pay);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn the_command_in_a_fix_is_whole_and_lets_the_payer_pay() {
    let (asker, mock) = shop();
    let run = asker.run(&["fund", "3", "0", "--set", "--network", "base-sepolia", "--url", &mock.url]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let url = |path: &str| format!("{}{path}", mock.url);
    let (dear, permit) = (url("/dear"), url("/permit"));
    let limit = ["--max-amount", "10"];
    refused_then_paid(
        &asker,
        &mock,
        &[&["pay", &dear, "--as", "3", "-o", "content"][..], &limit].concat(),
        "insufficient_balance",
    );
    refused_then_paid(&asker, &mock, &["pay", &permit, "--as", "4", "-o", "content"], "permit2_allowance");
    // A new wallet on Solana has no account of the token, of either token program.
    let key = x402_sim::networks::solana::ed25519::key_of(&[7; 32]);
    asker.file("pair.json", serde_json::to_string(&[[7; 32], key.0].concat()).unwrap());
    let rpc = format!("{}/_x402/rpc/solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", mock.url);
    for (path, more) in [("/solana", &[][..]), ("/pyusd", &["--asset", "PYUSD"])] {
        let url = url(path);
        let pay = [&["pay", &url, "--key-file", "pair.json", "--rpc", &rpc, "-o", "content"][..], more].concat();
        refused_then_paid(&asker, &mock, &pay, "token_account_missing");
    }
}

#[test]
fn a_fault_that_the_same_payment_met_before_is_what_has_refused_it() {
    for preset in ["drained_between", "nonce_cancelled"] {
        let (asker, mock) = (Asker::new(), Test::new().start());
        let run = asker.run(&["fault", "add", preset, "--url", &mock.url]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let run = asker.run(&["pay", &format!("{}/report", mock.url), "--as", "3", "-o", "content"]);
        assert_ne!(run.code, Some(0), "{run:?}");
        let told = last(&asker, &mock);
        let first = &told["findings"][0];
        assert_eq!(
            (first["id"].as_str(), first["certainty"].as_str()),
            (Some("fault_played"), Some("proven")),
            "{told}"
        );
        assert!(first["evidence"].to_string().contains(preset), "{told}");
        let others = told["findings"].as_array().unwrap().iter().skip(1);
        assert!(others.clone().all(|own| own["certainty"] == "possible"), "{told}");
    }
}

#[test]
fn a_signature_in_the_place_of_the_transaction_is_looked_for_on_the_chain() {
    let (asker, mock) = (Asker::new(), Test::new().start());
    let url = format!("{}/report", mock.url);
    let rpc = format!("{}/_x402/rpc/solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", mock.url);
    let solana = ["--network", "solana-devnet", "--rpc", &rpc];
    let run = asker.run(&[&["pay", &url, "-o", "content", "--json"][..], &solana].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let paid: Value = serde_json::from_str(run.stdout.lines().last().unwrap_or_default()).unwrap_or_default();
    let signature = find_signature(&paid).unwrap_or_else(|| panic!("{run:?}"));
    let run = asker.run(&[&["sign", &url][..], &solana].concat());
    let mut payment: Value = x402_wire::header::decode(run.stdout.trim()).unwrap();
    let unknown = x402_sim::networks::solana::signature_text(&[9; 64]);
    for (signature, is_known) in [(&signature, true), (&unknown, false)] {
        payment["payload"] = serde_json::json!({ "signature": signature });
        let header = x402_wire::header::encode_text(&payment.to_string());
        mock.send(&Request::get("/report").header("payment-signature", header)).assert_status(402);
        let told = last(&asker, &mock);
        assert_eq!(ids(&told)[0], "signature_for_transaction", "{told}");
        let seen = told["findings"][0]["evidence"].to_string();
        assert_eq!(seen.contains("it is on the instance's chain: Settled 0.01 USDC"), is_known, "{seen}");
    }
}

/// The signature of a transaction, wherever it stands.
fn find_signature(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => x402_sim::networks::solana::parse_signature(text).map(|_| text.clone()),
        Value::Array(all) => all.iter().find_map(find_signature),
        Value::Object(members) => members.values().find_map(find_signature),
        _ => None,
    }
}

#[test]
fn the_line_of_a_client_that_did_not_pay_is_for_what_was_asked() {
    let (asker, mock) = shop();
    let solana = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";
    for (request, line, seen) in [
        (
            Request::get("/solana"),
            format!("client.register(\"{solana}\", new ExactSvmScheme(signer));"),
            "exact on solana:",
        ),
        (
            Request::post("/upto", "{}"),
            "client.register(\"eip155:84532\", new UptoEvmScheme(signer));".to_owned(),
            "upto on",
        ),
    ] {
        mock.send(&request.header("user-agent", "node")).assert_status(402);
        let told = last(&asker, &mock);
        let finding = &told["findings"][0];
        assert_eq!(finding["id"], "no_payment_sent", "{told}");
        assert!(finding["code"].as_array().unwrap().iter().any(|code| code["line"] == line), "{told}");
        assert!(finding["evidence"].to_string().contains(seen), "{told}");
    }
}
