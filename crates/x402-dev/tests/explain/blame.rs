//! Who is blamed: a fault, the server, another chain, or the payment, and for each mistake that one alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use x402_sim::explain::finding;

use crate::asker::{Asker, ids};
use crate::client::Request;
use crate::corpus::{cases, explained};
use crate::harness::{Mock, Test};

fn run(asker: &Asker, args: &[&str]) -> String {
    let run = asker.run(args);
    assert_eq!(run.code, Some(0), "{args:?}: {run:?}");
    run.stdout.trim().to_owned()
}

/// A mock, and its offer in a file.
fn offering(asker: &Asker, test: Test) -> Mock {
    let mock = test.start();
    asker.file("offer.b64", mock.get("/report").header("payment-required").unwrap());
    mock
}

/// Pays for what a mock offered at first, and explains the refusal.
fn refused(asker: &Asker, mock: &Mock, flags: &[&str]) -> Value {
    let header = run(asker, &[&["sign", "offer.b64"][..], flags].concat());
    mock.send(&Request::get("/report").header("payment-signature", header)).assert_status(402);
    asker.json(&["explain", "last", "--url", &mock.url])
}

/// How the first finding is a fault, and all others are no more than possible.
#[track_caller]
fn assert_fault(explanation: &Value, name: &str) {
    let findings = explanation["findings"].as_array().unwrap();
    assert_eq!(findings[0]["id"], "fault_played", "{explanation}");
    assert!(findings[0]["evidence"].to_string().contains(name), "{explanation}");
    let proven = findings.iter().filter(|finding| finding["certainty"] == "proven").count();
    assert_eq!(proven, 1, "{explanation}");
}

#[test]
fn a_fault_is_not_the_users_mistake() {
    let asker = Asker::new();
    let mock = offering(&asker, Test::new());
    for fault in [
        "insufficient_funds",
        "replayed",
        "nonce_cancelled",
        "price_bait",
        "payee_swap",
        "facilitator_down",
        "verify=refuse:mine",
    ] {
        run(&asker, &["fault", "add", fault, "--url", &mock.url]);
        let explanation = refused(&asker, &mock, &[]);
        run(&asker, &["fault", "clear", "--url", &mock.url]);
        assert_fault(&explanation, fault.split('=').next().unwrap());
    }
    // At the facilitator's door as well, and asked for by the request itself.
    let header = run(&asker, &["sign", "offer.b64", "--body"]);
    let body: Value = serde_json::from_str(&header).unwrap();
    let request = Request::post_json("/verify", &body).header("x-402-dev-fault", "verify=refuse:mine");
    assert_eq!(mock.send(&request).json()["isValid"], false);
    assert_fault(&asker.json(&["explain", "last", "--url", &mock.url]), "asked for by the request");
    // The next request is played nothing, and is judged as ever.
    let explanation = refused(&asker, &mock, &["--defect", "wrong-domain"]);
    assert_eq!(ids(&explanation), ["wrong_domain_name"], "{explanation}");
}

/// What is said of a payment that says it accepted another amount than the one that it signs.
fn accepting(asker: &Asker, mock: &Mock, amount: &str) -> Value {
    let header = run(asker, &["sign", "offer.b64"]);
    let mut payload: Value = serde_json::from_slice(&STANDARD.decode(header).unwrap()).unwrap();
    payload["accepted"]["amount"] = amount.into();
    let header = STANDARD.encode(payload.to_string());
    mock.send(&Request::get("/report").header("payment-signature", header)).assert_status(402);
    asker.json(&["explain", "last", "--url", &mock.url])
}

#[test]
fn an_amount_that_was_never_asked_is_the_clients_and_a_price_that_was_is_the_servers() {
    let asker = Asker::new();
    let mock = offering(&asker, Test::new());
    let told = accepting(&asker, &mock, "5000");
    assert_eq!(ids(&told), ["amount_mismatch"], "{told}");
    let finding = &told["findings"][0];
    assert_eq!((&finding["side"], &finding["certainty"]), (&"client".into(), &"proven".into()), "{told}");
    let seen = finding["evidence"].to_string();
    assert!(
        seen.contains("the offer for this path that the instance knows of asked 0.01 USDC, and none 0.005 USDC"),
        "{told}"
    );
    assert!(finding["fix"].as_str().unwrap().starts_with("Take the entry of `accepts` as it stands"), "{told}");
    // Where nobody has asked this instance, its offer may have said anything.
    let other = Test::new().start();
    let told = accepting(&asker, &other, "5000");
    assert_eq!(ids(&told), ["price_changed"], "{told}");
    // So too where the path has had that price.
    let yaml = "resources: [{match: GET /report, price: 0.01}, {match: POST /report, price: 0.005}]";
    let varied = offering(&asker, Test::new().config(yaml));
    varied.send(&Request::post("/report", "")).assert_status(402);
    let told = accepting(&asker, &varied, "5000");
    assert_eq!(ids(&told), ["price_changed"], "{told}");
}

/// Each method of a path has an offer of its own: who pays that of another has no server to blame.
#[test]
fn an_offer_for_another_method_is_named_and_no_price_has_changed() {
    let asker = Asker::new();
    let yaml = "resources: [{match: GET /report, price: 0.01}, {match: POST /report, price: 0.05}]";
    let upto = "resources: [{match: GET /report, price: 0.01}, {match: POST /report, price: {upto: $0.05}}]";
    for (config, flags, then) in
        [(yaml, &[][..], &[][..]), (yaml, &["--defect", "wrong-domain"], &["wrong_domain_name"]), (upto, &[], &[])]
    {
        let mock = offering(&asker, Test::new().config(config));
        let header = run(&asker, &[&["sign", "offer.b64"][..], flags].concat());
        mock.send(&Request::post("/report", "").header("payment-signature", header)).assert_status(402);
        let told = asker.json(&["explain", "last", "--url", &mock.url]);
        assert_eq!(ids(&told), [&["request_changed"][..], then].concat(), "{told}");
        let finding = &told["findings"][0];
        assert_eq!(finding["side"], "client", "{told}");
        assert!(finding["evidence"].to_string().contains("the offer for GET /report: Asked 0.01 USDC"), "{told}");
        assert!(
            finding["fix"].as_str().unwrap().starts_with("This offer was made for GET, and POST /report"),
            "{told}"
        );
    }
}

/// A blockhash in the offer is another one each time: nothing that a payer signs for hangs on its being the same.
#[test]
fn an_offer_with_a_blockhash_hides_no_mistake_in_a_signature() {
    let asker = Asker::new();
    for recent in ["true", "false"] {
        let yaml =
            format!("networks: [solana-devnet]\naccepts: [{{network: solana-devnet, recent_blockhash: {recent}}}]\n");
        let mock = Test::new().config(&yaml).start();
        for (defect, expected) in
            [("missing-signature", &["solana_signature"][..]), ("tampered", &["solana_signature", "amount_mismatch"])]
        {
            let url = format!("{}/report", mock.url);
            let rpc = format!("{}/_x402/rpc/solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", mock.url);
            let header = run(&asker, &["sign", &url, "--defect", defect, "--rpc", &rpc]);
            mock.send(&Request::get("/report").header("payment-signature", header)).assert_status(402);
            let told = asker.json(&["explain", "last", "--url", &mock.url]);
            assert_eq!(ids(&told), expected, "{recent} {defect}: {told}");
            assert_eq!(told["findings"][0]["certainty"], "proven", "{recent} {defect}: {told}");
        }
    }
}

/// Until a settlement is known, another payment may be a second one.
#[test]
fn whoever_pays_as_pending_is_told_to_present_the_same_payment_again_and_nothing_else() {
    let asker = Asker::new();
    let mock = offering(&asker, Test::new());
    let header = run(&asker, &["sign", "offer.b64", "--as", "pending"]);
    mock.send(&Request::get("/report").header("payment-signature", header)).assert_status(402);
    let told = asker.json(&["explain", "last", "--url", &mock.url]);
    assert_eq!(ids(&told)[0], "persona_played", "{told}");
    let fixes = told["findings"].as_array().unwrap().iter().map(|own| own["fix"].as_str().unwrap());
    for fix in fixes {
        assert!(fix.starts_with("Present the same payment again") && !fix.contains("--as alice"), "{fix}");
    }
}

#[test]
fn a_network_that_the_mock_does_not_play_is_named_with_the_flag_that_enables_it() {
    let asker = Asker::new();
    let base = Test::new().arg("--network").arg("base").start();
    asker.file("offer.b64", base.get("/report").header("payment-required").unwrap());
    let body: Value = serde_json::from_str(&run(&asker, &["sign", "offer.b64", "--body"])).unwrap();
    let mock = Test::new().start();
    assert_eq!(mock.send(&Request::post_json("/verify", &body)).json()["invalidReason"], "invalid_network");
    let explanation = asker.json(&["explain", "last", "--url", &mock.url]);
    assert_eq!(ids(&explanation), ["kind_not_supported"], "{explanation}");
    let fix = explanation["findings"][0]["fix"].as_str().unwrap();
    assert!(fix.contains("`--network eip155:8453`") && fix.contains("`networks:`"), "{fix}");
}

#[test]
fn one_mistake_in_a_transaction_is_one_finding() {
    let asker = Asker::new();
    let mock = offering(&asker, Test::new().arg("--network").arg("solana-devnet"));
    let rpc = format!("{}/_x402/rpc/solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", mock.url);
    for (defect, cause) in
        [("wrong-mint", "wrong_mint"), ("own-fee", "fee_payer_mismatch"), ("wrong-blockhash", "foreign_blockhash")]
    {
        let explanation = refused(&asker, &mock, &["--rpc", &rpc, "--defect", defect]);
        assert_eq!(ids(&explanation), [cause], "{explanation}");
        assert_eq!(explanation["findings"][0]["certainty"], "proven");
        assert!(!explanation.to_string().contains("assumed: "), "{explanation}");
    }
}

#[test]
fn nothing_settles_above_an_error_and_no_guess_stands_beside_a_proof() {
    for case in cases() {
        let explanation = explained(&case);
        let findings = explanation["findings"].as_array().unwrap();
        let wrong = findings.iter().any(|finding| finding["severity"] == "error");
        assert!(!(wrong && explanation["verdict"]["valid"] == true), "{}: {explanation}", case["name"]);
        let refused = explanation["verdict"]["valid"] == false;
        assert!(!(refused && findings.is_empty()), "{}: {explanation}", case["name"]);
        for finding in findings.iter().filter(|finding| finding["certainty"] == "proven") {
            assert!(!finding["evidence"].to_string().contains("none of the commonest"), "{}: {finding}", case["name"]);
        }
    }
}

/// A sound case of the corpus with another signed part.
fn altered(name: &str, part: &str, change: impl Fn(&mut Value)) -> Value {
    let mut case = cases().into_iter().find(|case| case["name"] == name).unwrap();
    let input = case["input"].as_str().unwrap().trim().to_owned();
    let (header, encoded) = input.split_once(": ").unwrap();
    let mut payment: Value = serde_json::from_slice(&STANDARD.decode(encoded).unwrap()).unwrap();
    change(&mut payment["payload"][part]);
    case["input"] = format!("{header}: {}", STANDARD.encode(payment.to_string())).into();
    explained(&case)
}

#[test]
fn nothing_is_proven_behind_a_signature_that_nobody_can_explain() {
    let from_nobody = |signed: &mut Value| signed["from"] = "0x0000000000000000000000000000000000000000".into();
    let swapped = |signed: &mut Value| {
        let payer = signed["from"].take();
        signed["from"] = signed["to"].take();
        signed["to"] = payer;
    };
    for name in ["control-v2-with-offer", "control-v2", "control-v1"] {
        let told = altered(name, "authorization", from_nobody);
        assert_eq!(ids(&told), ["signature_unexplained"], "{name}: {told}");
        let told = altered(name, "authorization", swapped);
        assert_eq!(ids(&told), ["signature_unexplained", "wrong_payee"], "{name}: {told}");
        let findings = told["findings"].as_array().unwrap();
        assert!(findings.iter().all(|finding| finding["certainty"] == "possible"), "{name}: {told}");
        assert!(findings.iter().all(|finding| finding["proof"].is_null()), "{name}: {told}");
        assert!(told["verdict"]["reason"].as_str().unwrap().ends_with("_signature"), "{name}: {told}");
    }
    // A permit does not name its owner, so that whose signature it is can be told; the money would be that one's.
    let told = altered("control-permit2", "permit2Authorization", from_nobody);
    assert_eq!(ids(&told), ["wrong_key"], "{told}");
}

#[test]
fn what_follows_from_a_mistake_is_no_second_one() {
    for (name, found) in [
        ("price-times-ten", "price_changed"),
        ("solana-offer-no-fee-payer", "missing_fee_payer"),
        ("network-typo", "network_misspelt"),
        ("payee-lower-case", "accepted_respelt"),
        ("bearer", "header_scheme"),
    ] {
        let case = cases().into_iter().find(|case| case["name"] == name).unwrap();
        let explanation = explained(&case);
        assert_eq!(ids(&explanation), [found], "{explanation}");
        if name == "payee-lower-case" {
            let finding = &explanation["findings"][0];
            assert!(finding["fix"].as_str().unwrap().starts_with("Send `accepted` back unchanged"), "{finding}");
            assert!(finding["evidence"][0].as_str().unwrap().starts_with("accepted.payTo is 0xa0ee"), "{finding}");
        }
    }
}

#[test]
fn a_reason_that_nobody_knows_is_said_to_be_unknown() {
    let asker = Asker::new();
    asker.file("answer.json", r#"{"isValid":false,"invalidReason":"my_reason"}"#);
    assert_eq!(ids(&asker.json(&["explain", "answer.json"])), ["reason_unknown"]);
    let text = run(&asker, &["explain", "answer.json"]);
    assert!(!text.contains("nothing wrong was found") && text.contains("\"my_reason\""), "{text}");
}

#[test]
fn every_command_that_a_fix_names_exists() {
    let asker = Asker::new();
    let fixes = finding::entries().iter().flat_map(|entry| entry.fix.split('`').skip(1).step_by(2));
    let commands: Vec<&str> = fixes.filter_map(|quoted| quoted.strip_prefix("x402-dev ")).collect();
    assert!(commands.len() >= 3, "{commands:?}");
    for command in commands {
        let words = command.split(' ').take_while(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()));
        let run = asker.run(&words.chain(["--help"]).collect::<Vec<_>>());
        assert_eq!(run.code, Some(0), "{command}: {run:?}");
    }
}
