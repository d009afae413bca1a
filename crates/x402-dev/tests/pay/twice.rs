//! The same command once more, at once or later, along redirects or not: one purchase.

use serde_json::json;

use crate::buyer::Buyer;
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, delivered, offer, receipt, says};

/// A seller that takes payments, and never answers them.
fn mute() -> Seller {
    Seller::start(|heard, _| match heard.payment() {
        Some(_) => Reply::Hangs,
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    })
}

#[test]
fn a_second_run_does_not_pay_while_the_first_waits() {
    let (seller, buyer) = (mute(), Buyer::new());
    let first = buyer.start(&[&seller.url]);
    seller.wait_for(2);
    let id = buyer.purchase()["id"].as_str().unwrap().to_owned();
    buyer.pay(&[&seller.url]).assert(4, &["has no known end", &id]);
    // Who only looks sees it, and is in nobody's way.
    assert!(buyer.pay(&["--list"]).text().contains(&id));
    assert_eq!(seller.payments().len(), 1);
    first.kill();
}

#[test]
fn of_many_that_begin_at_once_one_pays() {
    let (seller, buyer) = (mute(), Buyer::new());
    let mut running: Vec<_> = (0..6).map(|_| buyer.start(&[&seller.url, "--max-time", "5", "--retry", "0"])).collect();
    // Six offers and one payment.
    seller.wait_for(7);
    let ended: Vec<_> = running.drain(..).map(crate::buyer::Killed::wait).collect();
    assert_eq!(seller.payments().len(), 1, "{ended:?}");
    assert_eq!(ended.iter().filter(|run| run.stderr.contains("has no known end")).count(), 5, "{ended:?}");
    assert!(ended.iter().all(|run| run.code == Some(4)), "{ended:?}");
    assert_eq!(buyer.purchase()["authorizations"].as_array().unwrap().len(), 1);
}

#[test]
fn the_same_command_is_known_again_although_redirects_lead_elsewhere() {
    // Every visit leads to a page of its own.
    let seller = Seller::start(|heard, before| match (heard.target.as_str(), heard.payment()) {
        ("/door", _) => Reply::Says(says("303 See Other", &[("location", &format!("/session/{before}"))], "")),
        (_, None) => Reply::Says(asks(&offer("10000", MERCHANT))),
        (_, Some(_)) => Reply::Breaks(Vec::new()),
    });
    let buyer = Buyer::new();
    let door = format!("{}/door", seller.url);
    let args = [door.as_str(), "-L", "-d", "order", "--retry", "0"];
    buyer.pay(&args).assert(4, &["outcome unknown"]);
    let purchase = buyer.purchase();
    assert_eq!(purchase["errand"]["asked"], json!({"method": "POST", "url": door}));
    let page = purchase["errand"]["url"].as_str().unwrap();
    assert!(page.ends_with("/session/0"), "{purchase}");
    buyer.pay(&args).assert(4, &["has no known end"]);
    buyer.pay(&[page]).assert(4, &["has no known end"]);
    assert_eq!(seller.payments().len(), 1);
    // Another body is another purchase.
    buyer.pay(&[&door, "-L", "-d", "another order", "--retry", "0"]).assert(4, &["outcome unknown"]);
    assert_eq!(seller.payments().len(), 2);
}

#[test]
fn a_history_that_was_torn_keeps_its_other_lines() {
    let seller = Seller::start(|heard, before| match heard.payment() {
        Some(_) => Reply::Says(delivered(&[("payment-response", &receipt(&format!("0x{before}")))], "paid")),
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let buyer = Buyer::new();
    buyer.pay(&[&seller.url]).assert(0, &["paid"]);
    let path = buyer.journal().join("history.jsonl");
    let mut torn = std::fs::read(&path).unwrap();
    let line = torn.clone();
    torn.extend(&line[..line.len() / 2]);
    torn.push(0xff);
    std::fs::write(&path, torn).unwrap();
    buyer.pay(&[&seller.url]).assert(0, &["paid"]);
    let list: serde_json::Value = serde_json::from_slice(&buyer.pay(&["--list", "--json"]).stdout).unwrap();
    assert_eq!(list["ended"].as_array().unwrap().len(), 2, "{list}");
}
