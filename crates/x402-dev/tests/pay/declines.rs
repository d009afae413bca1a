//! Answers 4xx without a word of the protocol: a seller may have settled before it says them, so nothing is known.

use serde_json::json;

use crate::buyer::Buyer;
use crate::doubt::{END, NOW, chain, run};
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, delivered, offer, receipt, says};

/// What is said besides, where it is the handler's own.
const HINT: &str = "official servers take no money when their handler answers 4xx, but nothing proves it here";

/// A seller that says this to every payment.
fn declining(then: Vec<u8>) -> Seller {
    Seller::start(move |heard, _| match heard.payment() {
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
        Some(_) => Reply::Says(then.clone()),
    })
}

#[test]
fn a_4xx_says_nothing_of_the_money_and_is_not_paid_again() {
    // A handler's own words look like reasons, and are none.
    let own = r#"{"error":"insufficient_funds"}"#;
    for (status, body) in [
        ("400 Bad Request", own),
        ("401 Unauthorized", ""),
        ("403 Forbidden", own),
        ("404 Not Found", ""),
        ("405 Method Not Allowed", ""),
        ("409 Conflict", r#"{"error":"nonce_already_used"}"#),
        ("413 Payload Too Large", ""),
        ("422 Unprocessable Entity", own),
        ("431 Request Header Fields Too Large", ""),
    ] {
        let (seller, buyer) = (declining(says(status, &[], body)), Buyer::new());
        let report = run(&buyer, &seller, &["-X", "POST"]);
        assert_eq!((report["exit"].as_i64(), report["outcome"].as_str()), (Some(4), Some("unknown")), "{report}");
        let message = report["message"].as_str().unwrap();
        let hint = if status.contains("Too Large") { "has mostly not read the payment" } else { HINT };
        for part in [status, "may have been paid, or not", "until 2027-01-15T08:05:00.000Z", hint, "presented 1 time,"]
        {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
        assert!(!message.contains("was not taken"), "{message}");
        // The same command signs nothing more; the purchase goes on with what was signed.
        let now = NOW.to_string();
        buyer.pay(&[&seller.url, "-X", "POST", "--now", &now]).assert(4, &["has no known end", "--resume", status]);
        assert_eq!(seller.payments().len(), 1, "{status}: a resource that may have done something is not asked twice");
        buyer.pay(&["--resume", "--now", &now]).assert(4, &[status, "presented 2 times, and no other was signed"]);
        let payments = seller.payments();
        assert!(payments.len() == 2 && payments[0] == payments[1], "{status}: {payments:?}");
        assert_eq!(buyer.purchase()["authorizations"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn the_chain_says_what_a_4xx_does_not() {
    for (used, time, exit, part) in [
        (true, NOW, 4, "was paid by 0xaa, and the content did not come"),
        (false, NOW, 4, "was not paid up to block 16"),
        (false, END + 60, 1, "cannot be any more"),
    ] {
        let (seller, buyer) = (declining(says("403 Forbidden", &[], "")), Buyer::new());
        let chain = chain(used, if used { &["0xaa"] } else { &[] }, time);
        let report = run(&buyer, &seller, &["--rpc", &chain.url]);
        assert_eq!(report["exit"], exit, "{report}");
        let message = report["message"].as_str().unwrap();
        assert!(message.contains(part), "{part} is not in: {message}");
        assert_eq!(message.contains(HINT), !used && exit == 4, "what is known needs no guess: {message}");
    }
}

#[test]
fn the_protocols_own_header_fields_count_with_every_4xx() {
    let failed = |reason: &str| {
        let receipt = json!({"success": false, "transaction": "", "network": "eip155:84532", "errorReason": reason});
        x402_wire::header::encode(&receipt)
    };
    let mut asked = offer("10000", MERCHANT);
    asked["error"] = json!("invalid_exact_evm_signature");
    let asked = x402_wire::header::encode(&asked);
    for (name, value, exit, part) in [
        ("payment-response", failed("invalid_exact_evm_signature"), 1, "refused: invalid_exact_evm_signature"),
        ("payment-response", failed("nonce_already_used"), 4, "was paid, says the seller"),
        ("payment-response", failed("unexpected_settle_error"), 4, HINT),
        ("payment-required", asked, 1, "refused: invalid_exact_evm_signature"),
        ("payment-response", receipt("0x01"), 4, "with a receipt that says it was settled: 0x01"),
    ] {
        let (seller, buyer) = (declining(says("400 Bad Request", &[(name, &value)], "")), Buyer::new());
        buyer.pay(&[&seller.url, "--retry-delay", "0"]).assert(exit, &[part]);
        assert_eq!(buyer.purchase()["ending"].is_null(), exit == 4, "{part}");
    }
}

#[test]
fn a_seller_that_settles_first_has_the_money() {
    let mut upfront = offer("10000", MERCHANT);
    upfront["accepts"][0]["extra"]["paymentFlow"] = json!("upfront");
    let seller = Seller::start(move |heard, _| match heard.payment() {
        None => Reply::Says(asks(&upfront)),
        Some(_) => Reply::Says(says("404 Not Found", &[], "")),
    });
    let run = Buyer::new().pay(&[&seller.url]);
    run.assert(4, &["may have been paid, or not", "this seller takes the money before it delivers"]);
    assert!(!run.stderr.contains(HINT), "{}", run.stderr);
}

#[test]
fn what_comes_at_last_is_the_content() {
    let seller = Seller::start(|heard, before| match (heard.payment(), before) {
        (None, _) => Reply::Says(asks(&offer("10000", MERCHANT))),
        (Some(_), 1) => Reply::Says(says("404 Not Found", &[], "not there yet")),
        (Some(_), _) => Reply::Says(delivered(&[("payment-response", &receipt("0x01"))], "content")),
    });
    let buyer = Buyer::new();
    buyer.pay(&[&seller.url]).assert(4, &["404 Not Found"]);
    assert_eq!(buyer.pay(&["--resume"]).assert(0, &["paid 0.01 USDC"]).text(), "content");
}

#[test]
fn other_statuses_that_leave_it_open_are_asked_again_at_once() {
    for status in ["408 Request Timeout", "429 Too Many Requests", "500 Internal Server Error", "304 Not Modified"] {
        let (seller, buyer) = (declining(says(status, &[], "")), Buyer::new());
        buyer.pay(&[&seller.url, "--retry-delay", "0", "-X", "POST"]).assert(4, &[status, "presented 3 times"]);
        assert_eq!(seller.payments().len(), 3, "{status}");
    }
    let (seller, buyer) =
        (declining(says("404 Not Found", &[("payment-response", &receipt("0x01"))], "")), Buyer::new());
    buyer.pay(&[&seller.url, "--retry-delay", "0"]).assert(4, &["outcome unknown"]);
    assert_eq!(buyer.purchase()["authorizations"][0]["transactions"], json!(["0x01"]));
}

#[test]
fn a_load_counts_them_as_unknown() {
    let seller = declining(says("404 Not Found", &[], ""));
    let report = Buyer::new().report(&[&seller.url, "--repeat", "3"]);
    assert_eq!(
        (report["exit"].as_i64(), report["unknown"].as_u64(), report["refused"].as_u64()),
        (Some(4), Some(3), Some(0)),
        "{report}"
    );
}
