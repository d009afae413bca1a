//! `--resume --again`: the same payer, the same payee, the same address, and every question that was asked before.

use serde_json::{Value, json};

use crate::buyer::{Buyer, Run};
use crate::doubt::{END, NOW, chain, run, stubborn};
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, delivered, offer, receipt, says};

const OTHER: &str = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";

/// Goes on a minute after the end, with a chain that says that nothing was used.
fn go_on(buyer: &Buyer, more: &[&str], stdin: &[u8]) -> Run {
    let chain = chain(false, &[], END + 60);
    let now = (END + 60).to_string();
    let base = ["--resume", "--again", "--now", &now, "--retry", "0", "--rpc", &chain.url];
    buyer.pay_reading(&[&base[..], more].concat(), stdin)
}

/// A seller whose first offer was taken and lost, and who asks for something else then.
fn turning(then: Value) -> Seller {
    Seller::start(move |heard, before| match (heard.payment(), before) {
        (Some(_), 0..=2) => Reply::Says(says("504 Gateway Timeout", &[], "")),
        (Some(payment), _) if payment["payload"]["authorization"]["validBefore"] == json!(END.to_string()) => {
            Reply::Says(says("504 Gateway Timeout", &[], ""))
        }
        (Some(_), _) => Reply::Says(delivered(&[("payment-response", &receipt("0x02"))], "content")),
        (None, 0) => Reply::Says(asks(&offer("10000", MERCHANT))),
        (None, _) => Reply::Says(asks(&then)),
    })
}

#[test]
fn another_account_does_not_pay_for_the_first() {
    let (seller, buyer) = (stubborn(), Buyer::new());
    assert_eq!(run(&buyer, &seller, &["--as", "alice"])["exit"], 4);
    go_on(&buyer, &["--as", "bob"], b"").assert(4, &["no new authorization", "did before", "--as"]);
    let own = "0x1111111111111111111111111111111111111111111111111111111111111111";
    let home = buyer.path("home");
    let other = Buyer::at_home(&home).env("X402_DEV_KEY", own);
    go_on(&other, &[], b"").assert(4, &["no new authorization", "did before"]);
    assert_eq!(seller.payments().iter().filter(|own| **own != seller.payments()[0]).count(), 0, "no other was signed");
    // Who is not named is who has paid before.
    go_on(&buyer, &[], b"").assert(0, &["delivered for 0.01 USDC"]);
    let payments = seller.payments();
    let from = |payment: &Value| payment["payload"]["authorization"]["from"].clone();
    assert_eq!(from(payments.last().unwrap()), from(&payments[0]));
}

#[test]
fn another_payee_or_price_is_not_signed_for() {
    for (then, part) in [(offer("10000", OTHER), OTHER), (offer("10001", MERCHANT), "0.010001 USDC")] {
        let (seller, buyer) = (turning(then), Buyer::new());
        assert_eq!(run(&buyer, &seller, &[])["exit"], 4);
        let before = seller.payments()[0].clone();
        go_on(&buyer, &[], b"").assert(4, &["no new authorization", part, "buy it anew"]);
        assert!(seller.payments().iter().all(|payment| *payment == before));
        assert_eq!(buyer.purchase()["authorizations"].as_array().unwrap().len(), 1);
    }
    let (seller, buyer) = (turning(offer("9999", MERCHANT)), Buyer::new());
    assert_eq!(run(&buyer, &seller, &[])["exit"], 4);
    go_on(&buyer, &[], b"").assert(0, &["delivered for 0.009999 USDC"]);
}

#[test]
fn a_person_is_asked_again() {
    let (seller, buyer) = (stubborn(), Buyer::new());
    assert_eq!(run(&buyer, &seller, &[])["exit"], 4);
    let first = seller.payments()[0].clone();
    go_on(&buyer, &["--confirm"], b"n\n").assert(5, &["Pay 0.01 USDC to", "declined"]);
    assert!(seller.payments().iter().all(|payment| *payment == first) && buyer.open().len() == 1);
    go_on(&buyer, &["--confirm"], b"y\n").assert(0, &["Pay 0.01 USDC to", "delivered for 0.01 USDC"]);
    for args in [&["--dry-run"][..], &["--another"], &["--json", "{}"], &["-d", "x"]] {
        go_on(&buyer, args, b"").assert(64, &[]);
    }
}

#[test]
fn the_offer_of_another_origin_is_not_taken() {
    let thief = Seller::honest();
    let elsewhere = format!("{}/", thief.url);
    let seller = Seller::start(move |heard, before| match (heard.payment(), before) {
        (None, 0) => Reply::Says(asks(&offer("10000", MERCHANT))),
        (None, _) => Reply::Says(says("307 Temporary Redirect", &[("location", &elsewhere)], "")),
        (Some(_), _) => Reply::Says(says("504 Gateway Timeout", &[], "")),
    });
    let buyer = Buyer::new();
    assert_eq!(run(&buyer, &seller, &[])["exit"], 4);
    let run = go_on(&buyer, &["-L"], b"");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(thief.heard().is_empty());
}

#[test]
fn a_name_that_nobody_knows_says_nothing_of_what_was_sent() {
    let (seller, buyer) = (stubborn(), Buyer::new());
    assert_eq!(run(&buyer, &seller, &[])["exit"], 4);
    // A name too long to be looked up: no server is asked for it.
    let id = buyer.purchase()["id"].as_str().unwrap().to_owned();
    let path = buyer.journal().join(&id).join("entry.json");
    let mut entry: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    entry["errand"]["url"] = json!(format!("http://{}.test/", vec!["a"; 200].join(".")));
    std::fs::write(&path, entry.to_string()).unwrap();
    let now = NOW.to_string();
    let report = buyer.report(&["--resume", "--now", &now]);
    assert_eq!((report["exit"].as_i64(), report["outcome"].as_str()), (Some(4), Some("unknown")), "{report}");
    for (used, time, exit, part) in [
        (true, NOW, 4, "was paid by 0xaa"),
        (false, NOW, 4, "was not paid up to block 16"),
        (false, END + 60, 1, "cannot be any more"),
    ] {
        let chain = chain(used, if used { &["0xaa"] } else { &[] }, time);
        let report = buyer.report(&["--resume", &id, "--now", &now, "--rpc", &chain.url]);
        assert_eq!(report["exit"], exit, "{report}");
        assert!(report["message"].as_str().unwrap().contains(part), "{part}: {report}");
    }
}
