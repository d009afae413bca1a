//! Invoices: `X-Payment-Proof` redeems a memo once, from a test account.

use crate::client::{Answer, Request};
use crate::harness::{Mock, Test};
use crate::payer::{Payment, account, encoded, requirements_v1};

#[track_caller]
fn memo(mock: &Mock, target: &str) -> String {
    mock.get(target).json()["invoice"]["memo"].as_str().unwrap().to_owned()
}

/// A request that gives the memo for the payment, which is enough where signatures are not looked at.
fn proof(target: &str, memo: impl AsRef<[u8]>) -> Request {
    Request::get(target).header("X-Payment-Proof", memo).header("X-Simulation-Mode", "success")
}

#[track_caller]
fn redeem(mock: &Mock, target: &str, memo: impl AsRef<[u8]>) -> Answer {
    mock.send(&proof(target, memo))
}

/// A refusal speaks of invoices alone: the cause, and a fresh invoice that header and body agree on.
#[track_caller]
fn assert_refused(mock: &Mock, answer: &Answer, reason: &str) {
    let body = answer.assert_status(402).json();
    assert_eq!(body["error"], reason, "{body}");
    assert!(!body["message"].as_str().unwrap().is_empty(), "{body}");
    assert!(body.get("accepts").is_none() && answer.header("payment-required").is_none(), "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let fresh = body["invoice"]["memo"].as_str().unwrap();
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("x402-solana ") && challenge.contains(&format!("memo={fresh} ")), "{challenge}");
    mock.assert_serves();
}

#[test]
fn a_memo_alone_is_no_payment_where_payments_are_looked_at() {
    let mock = Test::new().start();
    let memo = memo(&mock, "/a");
    for _ in 0..2 {
        let answer = mock.send(&Request::get("/a").header("X-Payment-Proof", &memo));
        assert_refused(&mock, &answer, "invoice_not_paid");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        for part in
            ["send 0.01 USDC to 2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab", "signature", "verification: accept"]
        {
            assert!(message.contains(part), "{message}");
        }
    }
    redeem(&mock, "/a", &memo).assert_status(200);
    let mock = Test::new().arg("--verification").arg("accept").start();
    let memo = self::memo(&mock, "/a");
    mock.send(&Request::get("/a").header("X-Payment-Proof", memo)).assert_status(200);
}

#[test]
fn a_memo_redeems_once() {
    let mock = Test::new().start();
    let memo = memo(&mock, "/a");
    let answer = redeem(&mock, "/a", &memo);
    let body = answer.assert_status(200).json();
    assert_eq!(
        [&body["note"], &body["dialect"], &body["amount"]],
        ["invoice: nothing was signed", "invoice", "0.01 USDC"]
    );
    assert_eq!(body["payer"], account(0).solana_address);
    for absent in ["payment-response", "x-payment-response", "payment-required", "www-authenticate"] {
        assert_eq!(answer.header(absent), None);
    }
    let line = mock.stderr.line("settled");
    assert!(line.contains("invoice: nothing was signed") && line.contains("0.01 USDC"), "{line}");
    for _ in 0..2 {
        assert_refused(&mock, &redeem(&mock, "/a", &memo), "invoice_already_paid");
    }
}

#[test]
fn the_fresh_invoice_of_a_refusal_can_be_paid() {
    let mock = Test::new().start();
    let refused = redeem(&mock, "/a", "req-nonsense");
    assert_refused(&mock, &refused, "invoice_memo_malformed");
    redeem(&mock, "/a", refused.json()["invoice"]["memo"].as_str().unwrap()).assert_status(200);
}

#[test]
fn a_memo_is_good_for_its_resource_only() {
    let yaml = "resources: [{match: GET /m, price: 0.01}, {match: POST /m, price: 0.02}]";
    let mock = Test::new().config(yaml).start();
    let paid = memo(&mock, "/a");
    for other in ["/b", "/a/", "/A", "/a/b", "/"] {
        assert_refused(&mock, &redeem(&mock, other, &paid), "invoice_memo_not_issued");
    }
    // The query is no part of the path.
    redeem(&mock, "/a?b=c", &paid).assert_status(200);
    // The same path at another price.
    let cheap = memo(&mock, "/m");
    let dear =
        mock.send(&Request::new("POST", "/m").header("X-Payment-Proof", &cheap).header("X-Simulation-Mode", "success"));
    assert_refused(&mock, &dear, "invoice_memo_not_issued");
    redeem(&mock, "/m", &cheap).assert_status(200);
}

#[test]
fn an_altered_memo_was_not_issued() {
    let mock = Test::new().start();
    let good = memo(&mock, "/a");
    let mut connection = mock.connect();
    for (place, digit) in good.char_indices().skip(4).filter(|(_, digit)| *digit != '-') {
        for other in ['0', '7', 'f'] {
            let mut altered = good.clone();
            altered.replace_range(place..=place, &other.to_string());
            if digit != other {
                let answer = connection.send(&proof("/a", &altered));
                assert_eq!(answer.assert_status(402).json()["error"], "invoice_memo_not_issued", "{good} {altered}");
            }
        }
    }
    redeem(&mock, "/a", &good).assert_status(200);
}

#[test]
fn memos_of_another_server_are_worth_nothing() {
    let (one, two) = (Test::new().start(), Test::new().start());
    assert_refused(&two, &redeem(&two, "/a", memo(&one, "/a")), "invoice_memo_not_issued");
}

#[test]
fn what_is_no_memo_is_malformed() {
    let mock = Test::new().start();
    let good = memo(&mock, "/a");
    let upper = good.to_uppercase();
    let shouted = format!("req-{}", good[4..].to_uppercase());
    let long = "x".repeat(8_000);
    for text in ["", "req-", &good[4..], &good[..39], &format!("{good}0"), &upper, &shouted, &long, "req-ü", "\u{ff}"]
    {
        assert_refused(&mock, &redeem(&mock, "/a", text), "invoice_memo_malformed");
    }
    let twice = proof("/a", &good).header("X-Payment-Proof", &good);
    assert_refused(&mock, &mock.send(&twice), "invoice_memo_malformed");
    redeem(&mock, "/a", &good).assert_status(200);
}

#[test]
fn a_named_test_account_pays() {
    let mock = Test::new().start();
    let names = [
        "3".to_owned(),
        account(3).address.to_owned(),
        account(3).address.to_lowercase(),
        account(3).solana_address.to_owned(),
    ];
    for name in names {
        let request = proof("/a", memo(&mock, "/a")).header("X-Payment-From", &name);
        assert_eq!(mock.send(&request).assert_status(200).json()["payer"], account(3).solana_address, "{name}");
    }
}

#[test]
fn an_unknown_payer_is_refused_and_the_memo_stays_good() {
    let mock = Test::new().start();
    let good = memo(&mock, "/a");
    for name in ["", "20", "-1", "a", "0x0000000000000000000000000000000000000001", "\u{ff}", "1.0", "0x"] {
        let request = proof("/a", &good).header("X-Payment-From", name);
        assert_refused(&mock, &mock.send(&request), "invoice_payer_unknown");
    }
    redeem(&mock, "/a", &good).assert_status(200);
}

#[test]
fn a_payer_without_funds_is_refused_and_the_memo_stays_good() {
    let mock = Test::new().config("accounts: {balance: 0.015}").start();
    let from = |memo: &str, index: usize| mock.send(&proof("/a", memo).header("X-Payment-From", index.to_string()));
    from(&memo(&mock, "/a"), 0).assert_status(200);
    let good = memo(&mock, "/a");
    // Account 0 has 0.005 left; the facilitator started with nothing.
    for poor in [0, 8] {
        assert_refused(&mock, &from(&good, poor), "invoice_insufficient_funds");
    }
    // The persona `blocked` is blacklisted from the start.
    assert_refused(&mock, &from(&good, 14), "invoice_payer_blocked");
    from(&good, 1).assert_status(200);
    // The merchant has what it was paid.
    from(&memo(&mock, "/a"), 9).assert_status(200);
}

#[test]
fn a_configured_answer_is_delivered_for_an_invoice_too() {
    let mock = Test::new().config("resources: [{match: /a, response: {text: hello}}]").start();
    let answer = redeem(&mock, "/a", memo(&mock, "/a"));
    assert_eq!(answer.assert_status(200).text(), "hello");
    mock.stderr.line("invoice: nothing was signed");
}

#[test]
fn what_the_content_says_to_the_server_reaches_no_client_in_any_dialect() {
    let yaml = r#"resources: [{match: /a, response: {headers: {Settlement-Overrides: '{"amount":"1"}', X-Own: "1"}, text: hi}}]"#;
    let mock = Test::new().config(yaml).start();
    let v1 = encoded(&Payment::of(&requirements_v1()).v1());
    for answer in [redeem(&mock, "/a", memo(&mock, "/a")), mock.send(&Request::get("/a").header("X-PAYMENT", v1))] {
        answer.assert_status(200);
        assert_eq!((answer.header("settlement-overrides"), answer.header("x-own")), (None, Some("1")), "{answer:?}");
    }
}

#[test]
fn a_proof_means_nothing_where_invoices_are_off() {
    let mock = Test::new().config("dialects: [x402v2, x402v1]").start();
    let answer = redeem(&mock, "/a", "req-00000000-0000-4000-8000-000000000000");
    assert_eq!(answer.assert_status(402).offer()["error"], "Payment required");
    assert!(answer.json().get("invoice").is_none());
}

#[test]
fn signatures_win_over_proofs() {
    let mock = Test::new().start();
    let good = memo(&mock, "/a");
    let both = proof("/a", &good).header("PAYMENT-SIGNATURE", "!");
    assert_eq!(mock.send(&both).assert_status(402).offer()["error"], "Payment required");
    redeem(&mock, "/a", good).assert_status(200);
}

#[test]
fn a_memo_is_good_for_the_method_that_it_was_issued_for() {
    let mock = Test::new().start();
    let memo = mock.get("/m").json()["invoice"]["memo"].as_str().unwrap().to_owned();
    let body = mock.send(&Request::post("/m", "").header("X-Payment-Proof", &memo)).assert_status(402).json();
    assert_eq!(body["error"], "invoice_memo_not_issued");
    mock.send(&proof("/m", memo)).assert_status(200);
}

#[test]
fn a_page_shows_how_to_pay_an_invoice_only_where_there_is_one() {
    let page = |yaml: &str| {
        let mock = Test::new().config(yaml).start();
        let request = Request::get("/a").header("Accept", "text/html").header("User-Agent", "Mozilla/5.0");
        mock.send(&request).assert_status(402).text()
    };
    assert!(page("").contains("X-Payment-Proof"));
    assert!(!page("dialects: [x402v2, x402v1]").contains("X-Payment-Proof"));
}

#[test]
fn what_is_no_dollar_is_not_invoiced_as_one() {
    let yaml = r#"
networks:
  - id: eip155:31337
    assets:
      - {address: "0x5FbDB2315678afecb367f032d93F642f64180aa3", symbol: WETH, name: Ether, version: "1", decimals: 18}
pricing: {default: 2 WETH}
"#;
    let answer = Test::new().config(yaml).start().get("/a");
    assert!(answer.assert_status(402).json().get("invoice").is_none());
    assert_eq!(answer.header("www-authenticate"), None);
}
