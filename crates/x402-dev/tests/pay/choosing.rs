//! What is paid, and what is not: networks, assets, schemes, limits, real money; the dry run and the question.

use serde_json::{Value, json};

use crate::buyer::Buyer;
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, delivered, offer, receipt, way};

/// A seller with several ways to pay.
fn with(ways: &[Value]) -> Seller {
    let mut all = offer("1", MERCHANT);
    all["accepts"] = json!(ways);
    Seller::start(move |heard, _| match heard.payment() {
        Some(_) => Reply::Says(delivered(&[("payment-response", &receipt("0x01"))], "paid")),
        None => Reply::Says(asks(&all)),
    })
}

fn changed(key: &str, value: &str) -> Value {
    let mut way = way("10000", MERCHANT);
    way[key] = json!(value);
    way
}

fn on_base() -> Value {
    let mut way = changed("network", "eip155:8453");
    way["asset"] = json!("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913");
    way["extra"]["name"] = json!("USD Coin");
    way
}

#[test]
fn nothing_is_paid_that_was_not_asked_for() {
    let fair = way("10000", MERCHANT);
    let own = "0x1111111111111111111111111111111111111111";
    for (ways, args, exit, part) in [
        (vec![fair.clone()], &[][..], 0, "paid 0.01 USDC"),
        (vec![way("1000000", MERCHANT)], &[], 0, "paid 1 USDC"),
        (vec![way("1000001", MERCHANT)], &[], 5, "over the limit of $1 (--max-amount)"),
        (vec![way("1000001", MERCHANT)], &["--max-amount", "$2"], 0, "paid 1.000001 USDC"),
        (vec![fair.clone()], &["--max-amount", "0.009 USDC"], 5, "over the limit of 0.009 USDC"),
        (vec![fair.clone()], &["--max-amount", "10000 units"], 0, "paid"),
        (vec![on_base()], &[], 5, "real money"),
        (vec![on_base()], &["--real-money"], 0, "delivered for 0.01 USDC"),
        (vec![on_base()], &["--real-money"], 0, "the key of a test account is public"),
        (vec![changed("network", "eip155:424242")], &["--real-money"], 5, "a network that nobody here knows"),
        (vec![changed("asset", own)], &[], 5, "no known asset"),
        (
            vec![changed("asset", own)],
            &["--asset", own],
            5,
            "the limit of $1 says nothing of this asset (--max-amount 'N units')",
        ),
        (
            vec![fair.clone()],
            &["--max-amount", "0.05 EURC"],
            5,
            "the limit of 0.05 EURC says nothing of this asset (--max",
        ),
        (
            vec![changed("asset", own)],
            &["--asset", own, "--max-amount", "10000 units"],
            0,
            "paid 10000 units of 0x1111",
        ),
        (vec![changed("scheme", "barter")], &[], 5, "barter"),
        (vec![fair.clone()], &["--scheme", "upto"], 5, "not asked for"),
        (vec![fair.clone()], &["--network", "base"], 5, "not asked for"),
        (vec![on_base(), fair.clone()], &["--network", "base-sepolia"], 0, "on eip155:84532"),
        (vec![fair.clone()], &["--asset", "EURC"], 5, "not asked for"),
        (vec![changed("amount", "-1")], &[], 5, "no number"),
        (vec![changed("amount", "0x10")], &[], 5, "no number"),
    ] {
        let seller = with(&ways);
        let buyer = Buyer::new();
        buyer.pay(&[&[seller.url.as_str()], args].concat()).assert(exit, &[part]);
        assert_eq!(seller.payments().len(), usize::from(exit == 0), "{args:?}");
        assert_eq!(buyer.ended().len(), usize::from(exit == 0));
    }
}

#[test]
fn who_cannot_pay_a_wrong_offer_is_told_where_to_read_why() {
    for (ways, args, is_wrong) in [
        (vec![changed("amount", "$0.01")], &[][..], true),
        (vec![changed("asset", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")], &[], true),
        (vec![changed("scheme", "barter")], &[], true),
        (Vec::new(), &[], true),
        // These are sound, and not wanted.
        (vec![way("1000001", MERCHANT)], &[], false),
        (vec![on_base()], &[], false),
        (vec![way("10000", MERCHANT)], &["--scheme", "upto"], false),
    ] {
        let seller = with(&ways);
        let run = Buyer::new().pay(&[&[seller.url.as_str()], args].concat());
        let advice = format!("`x402-dev explain '{}/'` says what is wrong with the offer", seller.url);
        assert_eq!((run.code, run.stderr.contains(&advice)), (Some(5), is_wrong), "{ways:?}: {run:?}");
    }
}

#[test]
fn a_dry_run_shows_the_offer_and_signs_nothing() {
    let seller = with(&[on_base(), way("10000", MERCHANT), way("5000000", MERCHANT)]);
    let buyer = Buyer::new();
    let run = buyer.pay(&[&seller.url, "--dry-run"]);
    run.assert(0, &[]);
    insta::assert_snapshot!(run.text(), @r"
        NETWORK                      PRICE      DOLLARS  PAY TO                                      BY             VERDICT
    0   Base (eip155:8453)           0.01 USDC  $0.01    0xa0Ee7A142d267C1f36714E4a8F75612F20a79720  exact eip3009  real money: a main network, or one that nobody here knows (--real-money)
    1*  Base Sepolia (eip155:84532)  0.01 USDC  $0.01    0xa0Ee7A142d267C1f36714E4a8F75612F20a79720  exact eip3009  would be paid
    2   Base Sepolia (eip155:84532)  5 USDC     $5       0xa0Ee7A142d267C1f36714E4a8F75612F20a79720  exact eip3009  over the limit of $1 (--max-amount)
    ");
    let report = buyer.report(&[&seller.url, "--dry-run"]);
    assert_eq!((report["outcome"].as_str(), report["chosen"].as_u64()), (Some("dry-run"), Some(1)));
    assert_eq!(report["offer"][1]["requirements"], way("10000", MERCHANT));
    assert!(report["offer"][0]["objection"].as_str().unwrap().contains("real money"), "{report}");
    assert!(seller.payments().is_empty() && buyer.open().is_empty() && buyer.ended().is_empty());
    buyer.pay(&[&seller.url, "--dry-run", "--max-amount", "$0.001"]).assert(5, &[]);
}

#[test]
fn nothing_is_signed_before_a_person_says_yes() {
    let seller = Seller::honest();
    let buyer = Buyer::new();
    for (answer, exit, said) in [
        ("n\n", 5, "[y/N] declined; nothing was signed"),
        ("", 5, "[y/N] \nnobody answered, as stdin has ended: that is a no, and nothing was signed"),
        ("what\n", 5, "declined"),
        ("y\n", 0, "paid"),
        ("YES\n", 0, "paid"),
    ] {
        let before = seller.payments().len();
        let run = buyer.pay_reading(&[&seller.url, "--confirm"], answer.as_bytes());
        run.assert(
            exit,
            &["Pay 0.01 USDC to 0xa0Ee7A142d267C1f36714E4a8F75612F20a79720 on Base Sepolia (eip155:84532)", said],
        );
        assert_eq!(seller.payments().len() - before, usize::from(exit == 0), "{answer:?}");
    }
}

#[test]
fn a_purchase_is_named_where_the_seller_wants_to_hear_its_name() {
    let mut named = offer("10000", MERCHANT);
    named["extensions"] = json!({"payment-identifier": {"info": {"required": true}, "schema": {"type": "object"}}});
    let seller = Seller::start(move |heard, _| match heard.payment() {
        Some(_) => Reply::Says(delivered(&[("payment-response", &receipt("0x01"))], "paid")),
        None => Reply::Says(asks(&named)),
    });
    let buyer = Buyer::new();
    buyer.pay(&[&seller.url]).assert(0, &[]);
    let extension = &seller.payments()[0]["extensions"]["payment-identifier"];
    assert_eq!(extension["info"], json!({"required": true, "id": buyer.purchase()["id"]}));
    assert_eq!(extension["schema"], json!({"type": "object"}));
}
