//! What stands between a buyer and a seller: gateways that change a status, take the payment away, or find it too large.

use crate::buyer::Buyer;
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, offer, says};

#[test]
fn an_offer_that_came_with_another_status_is_not_taken_for_content_in_silence() {
    for (status, code, outcome) in [("200 OK", 0, "free"), ("500 Internal Server Error", 1, "failed")] {
        let seller = Seller::start(move |_, _| {
            let asked = String::from_utf8(asks(&offer("10000", MERCHANT))).unwrap();
            Reply::Says(asked.replacen("402 Payment Required", status, 1).into_bytes())
        });
        let buyer = Buyer::new();
        buyer.pay(&[&seller.url]).assert(code, &["warning: an offer came with", status, "this may not be the content"]);
        let report = buyer.report(&[&seller.url]);
        assert_eq!(
            (&report["outcome"], &report["findings"][0]["code"]),
            (&outcome.into(), &"offer_wrong_status".into())
        );
        assert!(buyer.open().is_empty() && buyer.ended().is_empty());
    }
    let seller = Seller::start(|_, _| Reply::Says(says("200 OK", &[], r#"{"accepts":"all"}"#)));
    let run = Buyer::new().pay(&[&seller.url]);
    assert!(!run.assert(0, &[]).stderr.contains("warning"), "{run:?}");
}

#[test]
fn a_payment_that_never_arrives_is_told_as_that() {
    let seller = Seller::start(|_, _| Reply::Says(asks(&offer("10000", MERCHANT))));
    let run = Buyer::new().pay(&[&seller.url, "--retry-delay", "0"]);
    run.assert(4, &["402 Payment Required: Payment required; it was presented 3 times", "may take the header away"]);
    // Once something else was heard, it may have arrived.
    let seller = Seller::start(|heard, count| match heard.payment() {
        Some(_) if count == 1 => Reply::Says(says("503 Service Unavailable", &[], "")),
        _ => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let run = Buyer::new().pay(&[&seller.url, "--retry-delay", "0"]);
    assert!(!run.assert(4, &["Payment required"]).stderr.contains("may take the header away"), "{run:?}");
}

#[test]
fn a_payment_that_is_too_large_for_a_gateway_is_told_as_that() {
    for (status, body) in [
        ("431 Request Header Fields Too Large", ""),
        ("400 Bad Request", "<h1>Request Header Or Cookie Too Large</h1>"),
    ] {
        let seller = Seller::start(move |heard, _| match heard.payment() {
            Some(_) => Reply::Says(says(status, &[], body)),
            None => Reply::Says(asks(&offer("10000", MERCHANT))),
        });
        let run = Buyer::new().pay(&[&seller.url]);
        run.assert(
            4,
            &[status, "the header fields are too large for it, and the payment takes ", "has mostly not read"],
        );
    }
}
