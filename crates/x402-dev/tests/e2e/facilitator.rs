//! The facilitator: what it says of good payments, and how it answers what is no request.

use serde_json::{Value, json};
use x402_sim::networks::{Family, Transfer};
use x402_sim::registry;

use crate::client::{Answer, Request};
use crate::harness::{Mock, Test};
use crate::payer::{Payment, account, request, requirements, requirements_v1};
use crate::permit2;

#[test]
fn a_good_payment_verifies_as_often_as_asked_and_settles_once() {
    let mock = Test::new().start();
    for (asked, network) in [(requirements(), "eip155:84532"), (requirements_v1(), "base-sepolia")] {
        let body = Payment::of(&asked).by(1).request();
        let payer = account(1).address;
        for _ in 0..3 {
            assert_eq!(mock.verify(&body), json!({"isValid": true, "payer": payer}));
        }
        let outcome = mock.settle(&body);
        let hash = outcome["transaction"].as_str().unwrap();
        assert!(hash.len() == 66 && hash.starts_with("0x"), "{outcome}");
        assert_eq!(outcome, json!({"success": true, "payer": payer, "transaction": hash, "network": network}));
        let used = "invalid_exact_evm_nonce_already_used";
        let again = mock.settle(&body);
        assert_eq!([&again["errorReason"], &again["network"], &again["payer"]], [used, network, payer]);
        assert_eq!((&again["success"], &again["transaction"]), (&json!(false), &json!("")));
        assert!(again["errorMessage"].as_str().unwrap().contains("authorization is used or canceled"), "{again}");
        let verdict = mock.verify(&body);
        assert_eq!((&verdict["invalidReason"], &verdict["payer"]), (&json!(used), &json!(payer)));
    }
}

#[test]
fn a_transaction_is_the_facilitators_next_on_its_chain() {
    let mock = Test::new().config("networks: [base-sepolia, 'eip155:421614']").start();
    let mut elsewhere = requirements();
    elsewhere["network"] = json!("eip155:421614");
    elsewhere["asset"] = json!("0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d");
    elsewhere["extra"]["name"] = json!("USD Coin");
    for (asked, nonce) in [(requirements(), 0), (requirements(), 1), (elsewhere, 0), (requirements_v1(), 2)] {
        let payment = Payment::of(&asked);
        assert_eq!(mock.settle(&payment.request())["transaction"], payment.transaction(nonce), "{asked}");
        // A failure takes no number.
        assert_eq!(mock.settle(&payment.request())["success"], false);
    }
}

#[test]
fn a_settled_authorization_pays_no_resource() {
    let mock = Test::new().start();
    let payment = Payment::of(&mock.asked("/a"));
    assert_eq!(mock.settle(&payment.request())["success"], true);
    let paid = Request::get("/a").header("PAYMENT-SIGNATURE", crate::payer::encoded(&payment.v2()));
    assert_eq!(mock.send(&paid).assert_status(402).offer()["error"], "invalid_exact_evm_nonce_already_used");
}

#[test]
fn money_that_was_received_can_be_spent() {
    let mock = Test::new().config("accounts: {balance: 0.02}").start();
    let to_poor = |index: usize| {
        let mut asked = requirements();
        asked["payTo"] = json!(account(index).address);
        asked
    };
    // The facilitator's account starts with nothing.
    let broke = Payment::of(&to_poor(1)).by(8).request();
    assert_eq!(mock.settle(&broke)["errorReason"], "invalid_exact_evm_insufficient_balance");
    assert_eq!(mock.settle(&Payment::of(&to_poor(8)).request())["success"], true);
    assert_eq!(mock.settle(&broke)["success"], true);
    assert_eq!(mock.verify(&Payment::of(&to_poor(1)).by(8).request())["isValid"], false);
}

#[test]
fn unknown_payers_are_funded_or_empty_as_configured() {
    let key_of_nobody = account(5);
    assert_eq!(key_of_nobody.role(), "payer");
    let stranger: x402_sim::Address = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A".parse().unwrap();
    let body = Payment::of(&requirements()).from(stranger).request();
    for (unknown, valid) in [("funded", true), ("empty", false)] {
        let yaml = format!("{{accounts: {{unknown: {unknown}}}, verification: accept}}");
        let mock = Test::new().config(&yaml).start();
        assert_eq!(mock.verify(&body)["isValid"], valid, "{unknown}");
        assert_eq!(mock.settle(&body)["success"], valid, "{unknown}");
        // Test accounts have funds in any case.
        assert_eq!(mock.settle(&Payment::of(&requirements()).request())["success"], true, "{unknown}");
    }
}

#[test]
fn everything_that_is_said_to_be_supported_truly_works() {
    let every: Vec<String> = registry::networks().into_iter().map(|network| network.id).collect();
    let payable =
        |id: &String| registry::networks().iter().any(|network| &network.id == id && registry::is_payable(network));
    let named: Vec<&String> = every.iter().filter(|id| payable(id)).collect();
    for test in [Test::new(), named.iter().fold(Test::new(), |test, id| test.arg("--network").arg(id.as_str()))] {
        let mock = test.start();
        let answer = mock.get("/supported").assert_status(200).json();
        assert_eq!(answer["extensions"], json!([]));
        assert_eq!(
            answer["signers"],
            json!({"eip155:*": [account(8).address], "solana:*": [account(8).solana_address]})
        );
        let kinds = answer["kinds"].as_array().unwrap();
        assert!(kinds.len() >= 8, "{answer}");
        for kind in kinds {
            let name = kind["network"].as_str().unwrap();
            let network = registry::networks().into_iter().find(|network| network.is_called(name)).unwrap();
            if network.family == Family::Solana {
                // Those are paid in `solana_pay.rs`.
                assert_eq!(kind["extra"], json!({"feePayer": account(8).solana_address}), "{kind}");
                continue;
            }
            let asset = &network.assets[0];
            if kind["scheme"] == "upto" || asset.transfer == Transfer::Permit2 {
                let scheme = kind["scheme"].as_str().unwrap();
                if scheme == "upto" {
                    assert_eq!(kind["extra"], json!({"facilitatorAddress": account(8).address}), "{kind}");
                }
                let body = permit2::payment(scheme, name, &asset.address);
                assert_eq!(mock.verify(&body)["isValid"], true, "{kind}");
                assert_eq!(mock.settle(&body)["success"], true, "{kind}");
                continue;
            }
            let mut asked = if kind["x402Version"] == 2 { requirements() } else { requirements_v1() };
            asked["network"] = json!(name);
            asked["asset"] = json!(asset.address);
            asked["extra"] = json!({"name": asset.name, "version": asset.version});
            let body = Payment::of(&asked).request();
            assert_eq!(mock.verify(&body)["isValid"], true, "{kind}");
            assert_eq!(mock.settle(&body)["success"], true, "{kind}");
            assert_eq!(kind["scheme"], "exact");
        }
        let default = ["eip155:84532", "base-sepolia"].map(|name| kinds.iter().any(|kind| kind["network"] == name));
        assert_eq!(default, [true; 2]);
    }
}

#[test]
fn health_says_ok() {
    let mock = Test::new().start();
    assert_eq!(mock.get("/health").assert_status(200).json(), json!({"status": "ok"}));
    assert_eq!(mock.get("/facilitator/health").assert_status(200).json(), json!({"status": "ok"}));
}

/// Sends a body to both doors; each must refuse it in the same way.
#[track_caller]
fn post_both(mock: &Mock, body: &[u8]) -> [Answer; 2] {
    ["/verify", "/settle"].map(|path| mock.send(&Request::post(path, body).header("Content-Type", "application/json")))
}

#[test]
fn a_body_that_lacks_a_part_is_a_400_that_names_it() {
    let mock = Test::new().start();
    let good = Payment::of(&requirements()).request();
    let (payload, asked) = (&good["paymentPayload"], &good["paymentRequirements"]);
    let odd = [json!(null), json!("x"), json!(1), json!([]), json!(true)];
    for value in &odd {
        for answer in
            post_both(&mock, json!({"paymentPayload": value, "paymentRequirements": asked}).to_string().as_bytes())
        {
            answer.assert_error(400, &["`paymentPayload`"]);
        }
        for answer in
            post_both(&mock, json!({"paymentPayload": payload, "paymentRequirements": value}).to_string().as_bytes())
        {
            answer.assert_error(400, &["`paymentRequirements`"]);
        }
        mock.assert_serves();
    }
    for answer in post_both(&mock, json!({"paymentRequirements": asked}).to_string().as_bytes()) {
        answer.assert_error(400, &["Missing paymentPayload or paymentRequirements", "`paymentPayload`"]);
    }
    for answer in post_both(&mock, json!({"paymentPayload": payload}).to_string().as_bytes()) {
        answer.assert_error(400, &["Missing paymentPayload or paymentRequirements", "`paymentRequirements`"]);
    }
}

#[test]
fn a_body_that_is_no_json_object_is_a_400() {
    let mock = Test::new().start();
    let deep = "[".repeat(10_000);
    let closed = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let inside = format!(r#"{{"paymentPayload":{}{}}}"#, r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    for body in ["", "x", "{", "{\"a\":}", "nul", "\u{feff}{}", "{} {}", &deep, &closed, &inside, "{'a': 1}"] {
        for answer in post_both(&mock, body.as_bytes()) {
            answer.assert_error(400, &["not JSON"]);
        }
        mock.assert_serves();
    }
    for body in [&b"\xff\xfe"[..], b"{\"a\":\"\xff\"}", b"\0"] {
        for answer in post_both(&mock, body) {
            answer.assert_error(400, &["not JSON"]);
        }
    }
    for body in ["[]", "1", "\"x\"", "null"] {
        for answer in post_both(&mock, body.as_bytes()) {
            answer.assert_error(400, &["paymentPayload", "paymentRequirements"]);
        }
    }
}

#[test]
fn a_body_over_1_mib_is_a_413_and_one_of_1_mib_is_read() {
    let mock = Test::new().start();
    let mut body = Payment::of(&requirements()).request();
    let bare = body.to_string().len() + r#","padding":"""#.len();
    body["padding"] = Value::from("x".repeat(1024 * 1024 - bare));
    let text = body.to_string();
    assert_eq!(text.len(), 1024 * 1024);
    assert_eq!(mock.verify(&body)["isValid"], true);
    for answer in post_both(&mock, format!("{text} ").as_bytes()) {
        answer.assert_error(413, &["1048576"]);
    }
    for answer in post_both(&mock, &vec![b' '; 3 * 1024 * 1024]) {
        answer.assert_error(413, &[]);
    }
    // Without a length that gives it away.
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x1_0000));
    for chunks in [17, 32, 100] {
        // The client hears it also when it has sent far more than the limit.
        let chunked = format!("{}0\r\n\r\n", chunk.repeat(chunks));
        let request = Request::post("/settle", chunked).header("Transfer-Encoding", "chunked");
        mock.send(&request).assert_error(413, &["1048576"]);
    }
    // Who asks first is told at once, and never asked for the body.
    let asking = Request::new("POST", "/settle").header("Expect", "100-continue").header("Content-Length", "9999999");
    mock.send(&asking).assert_error(413, &["1048576"]);
    mock.assert_serves();
}

#[test]
fn a_chunked_body_is_read() {
    let mock = Test::new().start();
    let text = Payment::of(&requirements()).request().to_string();
    let (one, two) = text.split_at(100);
    let body = format!("{:x}\r\n{one}\r\n{:X};ext=1\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
    let request = Request::post("/settle", body).header("Transfer-Encoding", "chunked");
    assert_eq!(mock.send(&request).assert_status(200).json()["success"], true);
}

#[test]
fn a_body_that_breaks_off_harms_nothing() {
    let mock = Test::new().start();
    let mut connection = mock.connect();
    connection.write(b"POST /settle HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
    connection.finish_sending();
    if let Some(answer) = connection.try_read() {
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    mock.assert_serves();
}

#[test]
fn content_type_and_authorization_are_nobodys_business() {
    let mock = Test::new().start();
    let body = request(&Payment::of(&requirements()).v2(), &requirements()).to_string();
    let bare = Request::post("/verify", body.as_str());
    assert_eq!(mock.send(&bare).assert_status(200).json()["isValid"], true);
    let odd = Request::post("/verify", body.as_str())
        .header("Content-Type", "text/plain")
        .header("Authorization", "Bearer x");
    assert_eq!(mock.send(&odd).assert_status(200).json()["isValid"], true);
}
