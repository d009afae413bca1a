//! How prices and endpoints are shown: the most of what is not known yet, and no key of an endpoint.

use crate::buyer::Buyer;
use crate::harness::Test;
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, offer, says};

#[test]
fn of_upto_the_most_is_shown_as_the_most() {
    let mock = Test::new().config("resources: [{match: /upto, price: {upto: $0.10, charge: $0.03}}]\n").start();
    let (buyer, url) = (Buyer::new(), format!("{}/upto", mock.url));
    let way = ["--as", "bob", "--scheme", "upto", "--network", "base-sepolia"];
    let dry = buyer.pay(&[&[url.as_str(), "--dry-run"], &way[..]].concat()).text();
    assert!(dry.lines().any(|line| line.contains("up to 0.1 USDC") && line.contains("up to $0.1 ")), "{dry}");
    let exact = buyer.pay(&[&format!("{}/a", mock.url), "--dry-run"]).text();
    assert!(exact.contains("0.01 USDC") && !exact.contains("up to"), "{exact}");
    let asked = buyer.pay_reading(&[&[url.as_str(), "--confirm"], &way[..]].concat(), b"n\n");
    asked.assert(5, &["Pay up to 0.1 USDC to 0xa0Ee"]);
    buyer.pay(&[&[url.as_str()], &way[..]].concat()).assert(0, &["paid 0.03 USDC of at most 0.1 USDC to 0xa0Ee"]);
    let list = buyer.pay(&["--list"]).text();
    assert!(list.contains("up to 0.1 USDC"), "{list}");
    assert_eq!(buyer.purchase()["authorizations"][0]["scheme"], "upto");
}

#[test]
fn no_key_of_an_endpoint_is_told() {
    // It asks for payment for ever, so that the chain is asked: where nobody listens, and of one that repeats the key.
    let seller = Seller::start(|heard, _| match heard.target.strip_prefix("/v2/") {
        Some(key) => Reply::Says(says("404 Not Found", &[], format!("no such key: {key}"))),
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let (key, other) = ("a1b2c3d4e5f6a7b8c9d0", "s3cret-of-mine");
    let gone = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    for endpoint in [format!("http://{gone}/v2/{key}?dkey={other}"), format!("{}/v2/{key}?dkey={other}", seller.url)] {
        let buyer = Buyer::new();
        let args = [seller.url.as_str(), "--rpc", &endpoint, "--retry", "0", "-v", "--trace", "trace.har"];
        let run = buyer.pay(&args);
        run.assert(4, &["the chain was not asked", "/v2/<cut out>?<cut out>"]);
        let again = buyer.report(&["--resume", "--rpc", &endpoint, "--retry", "0"]).to_string();
        let list = buyer.pay(&["--list"]).text();
        let trace = std::fs::read_to_string(buyer.path("trace.har")).unwrap();
        for text in [&run.stderr, &run.text(), &again, &list, &trace] {
            assert!(!text.contains(key) && !text.contains(other), "{text}");
        }
    }
}
