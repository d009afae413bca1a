//! `kill -9` of the buyer at every step, and `--resume`: one authorization, at most one settlement.

use serde_json::{Value, json};

use crate::buyer::Buyer;
use crate::fault_hand::{add, admin, newest, reset, settlements};
use crate::harness::{Mock, Test};
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, delivered, offer, receipt};

/// Starts a purchase that hangs at a fault, and kills the buyer there.
fn killed_at(mock: &Mock, buyer: &Buyer, fault: &Value) {
    reset(mock);
    admin(mock, "POST", "/clock/resume", None);
    add(mock, fault);
    let since = newest(mock);
    let running = buyer.start(&[&format!("{}/a", mock.url), "--as", "alice"]);
    let wait = json!({"filter": {"kind": "faulted"}, "since": since, "count": 1, "timeout_ms": 15_000});
    admin(mock, "POST", "/events/wait", Some(&wait)).assert_status(200);
    running.kill();
    admin(mock, "DELETE", "/faults", None);
}

#[test]
fn a_buyer_that_is_killed_pays_once_when_it_goes_on() {
    let mock = Test::new().start();
    for (stage, timing) in
        [("verify", "before"), ("settle", "before"), ("content", "before"), ("settle", "after"), ("response", "before")]
    {
        let buyer = Buyer::new();
        let fault = json!({"stage": stage, "timing": timing, "effect": "delay:1h", "match": {"door": "resources"}});
        killed_at(&mock, &buyer, &fault);
        let name = format!("{stage} {timing}");
        let before = buyer.purchase();
        assert_eq!(before["authorizations"].as_array().unwrap().len(), 1, "{name}");
        assert!(before["ending"].is_null(), "{name}: {before}");
        // Whoever only repeats the command does not pay again.
        let again = buyer.pay(&[&format!("{}/a", mock.url), "--as", "alice"]);
        again.assert(4, &["has no known end", "--resume", before["id"].as_str().unwrap()]);
        let report = buyer.report(&["--resume", "--retry-delay", "0"]);
        let after = buyer.purchase();
        assert_eq!(after["authorizations"].as_array().unwrap().len(), 1, "{name}");
        assert_eq!(after["authorizations"][0]["nonce"], before["authorizations"][0]["nonce"], "{name}");
        let settled = settlements(&mock);
        assert_eq!(settled, 1, "{name}: {report}");
        // What was settled before the end is known to be paid; what was not is paid now.
        let exit = if (stage, timing) == ("settle", "after") || stage == "response" { 4 } else { 0 };
        assert_eq!(report["exit"], exit, "{name}: {report}");
        let purchases = admin(&mock, "GET", "/purchases?limit=1000", None).assert_status(200).json();
        let authorizations: u64 = purchases["purchases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|own| own["authorizations"].as_u64().unwrap())
            .max()
            .unwrap();
        assert_eq!(authorizations, 1, "{name}: {purchases}");
    }
}

#[test]
fn a_buyer_that_is_killed_before_it_signs_has_nothing_to_resume() {
    let seller = Seller::start(|_, _| Reply::Hangs);
    let buyer = Buyer::new();
    let running = buyer.start(&[&seller.url]);
    seller.wait_for(1);
    running.kill();
    assert!(buyer.open().is_empty());
    buyer.pay(&["--resume"]).assert(0, &["nothing is open", "--list"]);
    buyer.pay(&["--resume", "--forget"]).assert(0, &["nothing is open"]);
    assert_eq!(buyer.report(&["--resume"])["outcome"], "nothing-open");
}

#[test]
fn what_is_sent_is_in_the_journal_before() {
    // The seller sees the payment, and says nothing: at that moment the journal must hold it.
    let seller = Seller::start(|heard, _| match heard.payment() {
        Some(_) => Reply::Hangs,
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let buyer = Buyer::new();
    let running = buyer.start(&[&seller.url, "-d", "body"]);
    let heard = seller.wait_for(2);
    let purchase = buyer.purchase();
    let sent = heard[1].payment().unwrap();
    assert_eq!(purchase["authorizations"][0]["nonce"], sent["payload"]["authorization"]["nonce"]);
    assert_eq!(purchase["authorizations"][0]["presented"], 1);
    running.kill();
    assert_eq!(std::fs::read(buyer.journal().join(purchase["id"].as_str().unwrap()).join("body")).unwrap(), b"body");
}

#[test]
fn every_step_of_going_on_can_be_killed_too() {
    let seller = Seller::start(|heard, before| match (heard.payment(), before) {
        (None, _) => Reply::Says(asks(&offer("10000", MERCHANT))),
        (Some(_), 0..=3) => Reply::Hangs,
        (Some(_), _) => Reply::Says(delivered(&[("payment-response", &receipt("0x01"))], "paid")),
    });
    let buyer = Buyer::new();
    let running = buyer.start(&[&seller.url]);
    seller.wait_for(2);
    running.kill();
    for count in 3..=4 {
        let running = buyer.start(&["--resume"]);
        seller.wait_for(count);
        running.kill();
    }
    let run = buyer.pay(&["--resume"]);
    assert_eq!((run.code, run.text().as_str()), (Some(0), "paid"), "{run:?}");
    let payments = seller.payments();
    assert_eq!(payments.len(), 4);
    assert!(payments.iter().all(|payment| *payment == payments[0]), "the same bytes each time");
    assert_eq!(buyer.purchase()["authorizations"][0]["presented"], 4);
}

#[test]
fn two_that_go_on_at_once_do_not_present_together() {
    let seller = Seller::start(|heard, _| match heard.payment() {
        Some(_) => Reply::Hangs,
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let buyer = Buyer::new();
    let running = buyer.start(&[&seller.url]);
    seller.wait_for(2);
    let id = buyer.purchase()["id"].as_str().unwrap().to_owned();
    buyer.pay(&["--resume", &id]).assert(4, &["another process is working on purchase"]);
    running.kill();
    assert_eq!(seller.heard().len(), 2);
}
