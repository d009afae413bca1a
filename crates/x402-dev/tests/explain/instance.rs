//! What a running mock has refused.

use serde_json::Value;
use x402_sim::event::PaymentId;

use crate::asker::{Asker, ids};
use crate::client::{Answer, Request};
use crate::harness::{Mock, Test};

fn mock() -> Mock {
    Test::new().start()
}

fn offer(mock: &Mock) -> String {
    mock.get("/report").header("payment-required").unwrap().to_owned()
}

/// A payment header for what the mock asks, broken in one thing.
fn signed(asker: &Asker, mock: &Mock, defect: Option<&str>) -> String {
    asker.file("offer.b64", offer(mock));
    let defect: Vec<&str> = defect.map_or_else(Vec::new, |name| vec!["--defect", name]);
    let run = asker.run(&[&["sign", "offer.b64"][..], &defect].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    run.stdout.trim().to_owned()
}

fn pay(mock: &Mock, header: &str) -> Answer {
    mock.send(&Request::get("/report").header("payment-signature", header))
}

fn last(asker: &Asker, mock: &Mock) -> Value {
    asker.json(&["explain", "last", "--url", &mock.url])
}

#[test]
fn the_newest_refusal_is_explained_with_its_cause_and_its_fix() {
    let (asker, mock) = (Asker::new(), mock());
    let run = asker.run(&["explain", "last", "--url", &mock.url]);
    assert_eq!(run.code, Some(1), "{run:?}");
    for (defect, cause) in [
        ("wrong-domain", "wrong_domain_name"),
        ("underpaid", "amount_mismatch"),
        ("expired", "expired"),
        ("wrong-network", "network_mismatch"),
        ("number-amount", "number_not_text"),
    ] {
        let header = signed(&asker, &mock, Some(defect));
        assert_eq!(pay(&mock, &header).status, 402);
        let explanation = last(&asker, &mock);
        assert_eq!(ids(&explanation).first().map(String::as_str), Some(cause), "{explanation}");
        assert_eq!(explanation["findings"][0]["certainty"], "proven");
        assert_eq!(explanation["verdict"]["by"], "the instance's own record");
        assert!(!explanation["findings"][0]["code"].as_array().unwrap().is_empty());
    }
}

#[test]
fn what_happened_since_is_told_before_an_older_refusal() {
    let (asker, mock) = (Asker::new(), mock());
    let header = signed(&asker, &mock, Some("wrong-domain"));
    assert_eq!(pay(&mock, &header).status, 402);
    let told = asker.run(&["explain", "last", "--url", &mock.url]).stdout;
    assert!(
        told.starts_with("REFUSED just now: invalid_exact_evm_signature")
            || told.contains("s ago: invalid_exact_evm_signature"),
        "{told}"
    );
    // A look at something else is newer, and no more than that.
    assert_eq!(mock.get("/other").status, 402);
    let told = asker.run(&["explain", "last", "--url", &mock.url]).stdout;
    assert!(
        told.starts_with("NEWER: a request without a payment came since (") && told.contains("GET /other"),
        "{told}"
    );
    assert!(told.contains("wrong_domain_name"), "{told}");
    // What the same client has asked for again later is what is meant; the older refusal has the number of its event.
    assert_eq!(asker.run(&["clock", "advance", "6s", "--url", &mock.url]).code, Some(0));
    assert_eq!(mock.get("/report").status, 402);
    let told = asker.run(&["explain", "last", "--url", &mock.url]).stdout;
    assert!(told.contains("possible: the 402 was never answered with a payment") && told.contains("/report"), "{told}");
    assert!(!told.contains("NEWER") && !told.contains("wrong_domain_name"), "{told}");
    assert_eq!(ids(&last(&asker, &mock)), ["no_payment_sent"]);
    let (_, command) = told.split_once("`x402-dev explain ").unwrap();
    let number = command.split_once('`').unwrap().0;
    let older = asker.json(&["explain", number, "--url", &mock.url]);
    assert_eq!(ids(&older), ["wrong_domain_name"], "{older}");
    // And a payment that was settled since makes the refusal an old one.
    assert_eq!(pay(&mock, &signed(&asker, &mock, None)).status, 200);
    let told = asker.run(&["explain", "last", "--url", &mock.url]).stdout;
    assert!(told.starts_with("NEWER: a payment was settled since"), "{told}");
}

#[test]
fn a_request_that_the_facilitator_cannot_read_is_kept_with_what_is_wrong_with_it() {
    let (asker, mock) = (Asker::new(), mock());
    let post =
        |body: &str| mock.send(&Request::post("/verify", body).header("content-type", "application/json")).status;
    for (body, part) in [
        (r#"{"x402Version":2,"paymentPayload":"ey","paymentRequirements":{}}"#, "paymentPayload"),
        (r#"{"x402Version":2,"paymentPayload":{}}"#, "paymentRequirements"),
        ("payment=1", "JSON"),
    ] {
        assert_eq!(post(body), 400, "{body}");
        let told = asker.run(&["explain", "last", "--url", &mock.url]);
        assert_eq!(told.code, Some(0), "{told:?}");
        assert!(
            told.stdout.starts_with("REFUSED") && told.stdout.contains(": HTTP 400") && told.stdout.contains(part),
            "{}",
            told.stdout
        );
    }
}

#[test]
fn the_lines_of_code_are_those_of_the_client_that_was_refused() {
    let (asker, mock) = (Asker::new(), mock());
    let header = signed(&asker, &mock, Some("wrong-domain"));
    for (agent, language, line) in
        [("python-httpx/0.28.1", "Python", "python-client: "), ("node", "TypeScript", "ts-fetch: ")]
    {
        let request = Request::get("/report").header("payment-signature", &header).header("user-agent", agent);
        assert_eq!(mock.send(&request).status, 402);
        let told = asker.run(&["explain", "last", "--url", &mock.url]).stdout;
        assert!(told.contains(&format!("lines of code are for {language}: the client calls itself ")), "{told}");
        assert!(told.contains(line) && told.contains(agent), "{told}");
    }
}

#[test]
fn what_the_instance_itself_is_the_cause_of_is_told_apart() {
    let (asker, mock) = (Asker::new(), mock());
    let header = signed(&asker, &mock, None);
    let pay = |header: &str| pay(&mock, header).status;
    assert_eq!((pay(&header), pay(&header)), (200, 402));
    let used = last(&asker, &mock);
    assert_eq!(ids(&used), ["nonce_used"], "{used}");
    assert_eq!(used["findings"][0]["certainty"], "proven");
    let told = used["findings"][0].to_string();
    assert!(told.contains("it was settled before: Settled") && told.contains("transaction 0x"), "{told}");
    assert!(!told.contains("signs anew") && told.contains("x402-dev purchases"), "{told}");
    let cut = &header[..header.len() / 2];
    assert_eq!(pay(cut), 402);
    assert_eq!(ids(&last(&asker, &mock)), ["header_truncated"]);
    let run = asker.run(&["clock", "advance", "20m", "--url", &mock.url]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(pay(&signed(&asker, &mock, None)), 402);
    let moved = last(&asker, &mock);
    assert_eq!(ids(&moved), ["clock_moved"]);
    // The time alone does not set a clock right that runs faster.
    let fix = moved["findings"][0]["fix"].as_str().unwrap();
    assert!(fix.contains("`x402-dev clock rate 1`"), "{fix}");
    let run = asker.run(&["clock", "rate", "1", "--url", &mock.url]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn personas_and_switches_are_told_apart_from_broken_payments() {
    let (asker, mock) = (Asker::new(), mock());
    asker.file("offer.b64", offer(&mock));
    for (who, cause) in [("broke", "insufficient_balance"), ("blocked", "blocked_account")] {
        let run = asker.run(&["sign", "offer.b64", "--as", who]);
        assert_eq!(pay(&mock, run.stdout.trim()).status, 402);
        let explanation = last(&asker, &mock);
        assert_eq!(ids(&explanation), [cause], "{explanation}");
        assert_eq!(explanation["findings"][0]["certainty"], "proven");
    }
    for who in ["pending", "drained"] {
        let run = asker.run(&["sign", "offer.b64", "--as", who]);
        assert_eq!(pay(&mock, run.stdout.trim()).status, 402);
        let told = last(&asker, &mock);
        assert_eq!(ids(&told)[0], "persona_played", "{told}");
        assert!(!told["findings"].to_string().contains("fault list"), "{told}");
        assert!(told["findings"].as_array().unwrap().iter().all(|own| own["id"] != "insufficient_balance"), "{told}");
    }
    let header = signed(&asker, &mock, None);
    let request = Request::get("/report").header("payment-signature", &header).header("x-simulation-mode", "failure");
    assert_eq!(mock.send(&request).status, 402);
    assert_eq!(ids(&last(&asker, &mock)), ["simulation_mode"]);
}

#[test]
fn what_pay_writes_down_and_what_curl_prints_is_read() {
    let (asker, mock) = (Asker::new(), mock());
    let url = format!("{}/report", mock.url);
    let run = asker.run(&["pay", &url, "--as", "alice", "--trace", "trace.har", "-o", "content"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let explanation = asker.json(&["explain", "trace.har"]);
    assert_eq!((explanation["kind"].as_str(), ids(&explanation).len()), (Some("transcript"), 0), "{explanation}");
    let log = format!(
        "> GET /report HTTP/1.1\n> Host: x\n>\n< HTTP/1.1 402 Payment Required\n< payment-required: {}\n<\n{{}}",
        offer(&mock)
    );
    asker.file("curl.log", log);
    let text = asker.run(&["explain", "curl.log"]).stdout;
    assert!(text.contains("accepts[0]") && text.contains("nothing wrong was found"), "{text}");
}

#[test]
fn a_payment_a_purchase_an_event_and_a_transaction_are_found_by_their_names() {
    let (asker, mock) = (Asker::new(), mock());
    let good = signed(&asker, &mock, None);
    let receipt = pay(&mock, &good).decoded("payment-response");
    let bad = signed(&asker, &mock, Some("wrong-signer"));
    assert_eq!(pay(&mock, &bad).status, 402);
    let refused = last(&asker, &mock);
    let record = &refused["sections"][0]["fields"];
    let payment = record.as_array().unwrap().iter().find(|field| field["label"] == "payment").unwrap();
    let explain = |what: &str| asker.json(&["explain", what, "--url", &mock.url]);
    assert_eq!(ids(&explain(payment["value"].as_str().unwrap())), ["wrong_key"]);
    assert_eq!(explain(receipt["transaction"].as_str().unwrap())["kind"], "record");
    assert_eq!(explain("pur_1")["kind"], "record");
    assert_eq!(explain("1")["kind"], "record");
    let run = asker.run(&["explain", "pay_0123456789abcdef", "--url", &mock.url]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("knows nothing of pay_0123456789abcdef"), "{run:?}");
}

#[test]
fn an_address_is_asked_once_and_its_offer_explained() {
    let (asker, mock) = (Asker::new(), mock());
    let explanation = asker.json(&["explain", &format!("{}/report", mock.url)]);
    assert_eq!(explanation["kind"], "offer_v2");
    assert!(ids(&explanation).is_empty(), "{explanation}");
    let health = asker.json(&["explain", &format!("{}/health", mock.url)]);
    assert!(health["notes"][0].as_str().unwrap().contains("answers 200"), "{health}");
}

#[test]
fn what_differs_in_what_was_accepted_is_all_that_is_wrong() {
    let (asker, mock) = (Asker::new(), mock());
    let nothing = asker.run(&["explain", "last", "--url", &mock.url]);
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    assert!(nothing.stderr.contains("knows nothing of a refused payment"), "{nothing:?}");
    mock.get("/report").assert_status(402);
    assert_eq!(ids(&last(&asker, &mock)), ["no_payment_sent"]);
    let header = signed(&asker, &mock, Some("wrong-asset"));
    assert_eq!(pay(&mock, &header).status, 402);
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["wrong_asset"], "{told}");
    assert!(!told["findings"][0]["evidence"][0].as_str().unwrap().contains('"'), "{told}");
}

#[test]
fn a_body_that_was_never_made_json_of_is_told_with_the_line_that_makes_it() {
    let (asker, mock) = (Asker::new(), mock());
    for (path, body, id) in [
        ("/verify", "", "body_empty"),
        ("/settle", "[object Object]", "body_as_text"),
        ("/verify", "undefined", "body_empty"),
    ] {
        let answer = mock.send(&Request::post(path, body).header("content-type", "application/json"));
        assert_eq!(answer.status, 400, "{body}");
        let told = last(&asker, &mock);
        assert_eq!(ids(&told), [id], "{told}");
        assert_eq!(told["findings"][0]["side"], "server");
        assert!(told["findings"][0]["fix"].as_str().unwrap().contains("JSON.stringify("), "{told}");
    }
}

#[test]
fn an_empty_part_that_came_to_the_facilitator_is_all_that_is_told() {
    let (asker, mock) = (Asker::new(), mock());
    let terms = mock.get("/report").decoded("payment-required")["accepts"][0].clone();
    let body = serde_json::json!({"x402Version": 2, "paymentPayload": {}, "paymentRequirements": terms});
    assert_eq!(mock.verify(&body)["isValid"], false);
    let told = last(&asker, &mock);
    assert_eq!((ids(&told), told["kind"].as_str()), (vec!["body_part_empty".to_owned()], Some("facilitator_request")));
}

/// Mended, it is refused again: whoever is told of the first mistake alone signs nothing new.
#[test]
fn a_payment_that_is_on_the_chain_already_is_told_to_be_whatever_else_is_wrong() {
    let asker = Asker::new();
    for network in ["base-sepolia", "solana-devnet"] {
        let mock = Test::new().arg("--network").arg(network).start();
        let rpc = format!("{}/_x402/rpc/solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", mock.url);
        let rpc = if network == "solana-devnet" { vec!["--rpc", rpc.as_str()] } else { Vec::new() };
        let url = format!("{}/report", mock.url);
        let run = asker.run(&[&["sign", &url][..], &rpc].concat());
        let header = run.stdout.trim();
        let paid = pay(&mock, header);
        assert_eq!(paid.status, 200, "{run:?} {paid:?}");
        let mut payment: Value = x402_wire::header::decode(header).unwrap();
        payment["accepted"]["maxTimeoutSeconds"] = 77.into();
        assert_eq!(pay(&mock, &x402_wire::header::encode_text(&payment.to_string())).status, 402);
        let told = last(&asker, &mock);
        assert_eq!(ids(&told), ["nonce_used", "timeout_altered"], "{network}: {told}");
        let used = told["findings"][0].to_string();
        assert!(used.contains("on the chain already") && used.contains("it was settled before: Settled"), "{used}");
        assert_eq!(used.contains("a memo of its own"), network == "solana-devnet", "{used}");
    }
}

#[test]
fn a_nonce_that_another_payment_has_used_names_that_payment() {
    let (asker, mock) = (Asker::new(), mock());
    asker.file("offer.b64", offer(&mock));
    let nonce = format!("0x{}", "5".repeat(64));
    let with = |defect: &[&str]| {
        let run = asker.run(&[&["sign", "offer.b64", "--nonce", &nonce, "--index", "0"][..], defect].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
        run.stdout.trim().to_owned()
    };
    let header = with(&[]);
    assert_eq!(pay(&mock, &header).status, 200);
    let text = x402_wire::header::decode_text(&header).unwrap();
    let first = PaymentId::of(&x402_wire::payload::PaymentPayload::parse(&text).unwrap());
    assert_eq!(pay(&mock, &with(&["--valid-for", "77"])).status, 402);
    let told = last(&asker, &mock);
    assert_eq!(ids(&told), ["nonce_used"], "{told}");
    let message = told["verdict"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("by another payment: {first}, of 10000 to 0x")), "{first}: {message}");
}
