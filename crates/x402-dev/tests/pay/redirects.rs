//! Redirects: only with `-L`, method and body kept where they must be, payments and secrets never to another origin.

use serde_json::json;

use crate::buyer::Buyer;
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, delivered, offer, receipt, says, way};

/// Redirects `/from` by a status to a place, and sells everything else.
fn leading(status: &'static str, to: &str) -> Seller {
    let to = to.to_owned();
    Seller::start(move |heard, _| match (heard.target.as_str(), heard.payment()) {
        ("/from", _) => Reply::Says(says(status, &[("location", &to)], "")),
        (_, None) => Reply::Says(asks(&offer("10000", MERCHANT))),
        (_, Some(_)) => Reply::Says(delivered(&[("payment-response", &receipt("0x01"))], "paid")),
    })
}

#[test]
fn a_redirect_is_followed_with_l_only_and_keeps_what_it_must() {
    for (status, method, body) in [
        ("308 Permanent Redirect", "POST", "body"),
        ("307 Temporary Redirect", "POST", "body"),
        ("303 See Other", "GET", ""),
        ("302 Found", "GET", ""),
    ] {
        let seller = leading(status, "/to?x=1");
        let url = format!("{}/from", seller.url);
        let plain = Buyer::new().pay(&[&url, "-d", "body"]);
        let target = format!("{}/to?x=1", seller.url);
        plain.assert(1, &[&format!("a redirect to {target}, which is followed with -L")]);
        let run = Buyer::new().pay(&[&url, "-d", "body", "-L"]);
        assert_eq!((run.code, run.text().as_str()), (Some(0), "paid"), "{run:?}");
        // Who pays for something else than what was asked for hears it before.
        let changed = format!(
            "warning: the redirect makes GET without a body of POST with 4 bytes: that is what is asked, and paid for, at {target}\n"
        );
        assert_eq!(run.stderr.starts_with(&changed), method == "GET", "{run:?}");
        assert_eq!(run.stderr.contains("warning"), method == "GET", "{run:?}");
        let heard = seller.heard();
        let paid = heard.last().unwrap();
        assert_eq!(
            (paid.method.as_str(), paid.target.as_str(), paid.body.as_slice()),
            (method, "/to?x=1", body.as_bytes())
        );
        assert!(paid.payment().is_some());
    }
}

#[test]
fn secrets_do_not_go_to_another_origin() {
    let shop = Seller::honest();
    let door = leading("307 Temporary Redirect", &format!("{}/to", shop.url));
    let run = Buyer::new().pay(&[
        &format!("{}/from", door.url),
        "-L",
        "-H",
        "Authorization: hush",
        "-H",
        "Cookie: hush",
        "-H",
        "X-Mine: yes",
    ]);
    run.assert(0, &["paid"]);
    for heard in shop.heard() {
        assert_eq!(
            (heard.header("authorization"), heard.header("cookie"), heard.header("x-mine")),
            (None, None, Some("yes"))
        );
        assert_eq!(heard.header("host"), Some(shop.address.to_string().as_str()));
    }
    assert_eq!(door.heard()[0].header("authorization"), Some("hush"));
}

#[test]
fn a_payment_is_carried_to_no_other_origin() {
    let thief = Seller::honest();
    let elsewhere = format!("{}/steal", thief.url);
    let door = Seller::start(move |heard, _| match heard.payment() {
        Some(_) => Reply::Says(says("307 Temporary Redirect", &[("location", &elsewhere)], "")),
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    for args in [&["-L"][..], &[]] {
        let buyer = Buyer::new();
        let run = buyer.pay(&[&[door.url.as_str(), "--retry", "1", "--retry-delay", "0"], args].concat());
        run.assert(4, &["outcome unknown", "presented 2 times"]);
        assert!(thief.heard().is_empty());
    }
}

#[test]
fn a_payment_follows_within_its_origin() {
    let seller = Seller::start(|heard, _| match (heard.target.as_str(), heard.payment()) {
        (_, None) => Reply::Says(asks(&offer("10000", MERCHANT))),
        ("/", Some(_)) => Reply::Says(says("308 Permanent Redirect", &[("location", "/there")], "")),
        (_, Some(_)) => Reply::Says(delivered(&[("payment-response", &receipt("0x01"))], "paid")),
    });
    let run = Buyer::new().pay(&[&seller.url, "-L", "-X", "PUT", "-d", "body"]);
    run.assert(0, &["paid"]);
    let last = seller.heard().pop().unwrap();
    assert_eq!((last.method.as_str(), last.target.as_str(), last.body.as_slice()), ("PUT", "/there", &b"body"[..]));
}

#[test]
fn a_changed_request_is_a_finding_and_is_known_before_a_person_says_yes() {
    let seller = leading("303 See Other", "/to");
    let url = format!("{}/from", seller.url);
    let report = Buyer::new().report(&[&url, "-L", "-X", "PUT", "-d", "body"]);
    assert_eq!(
        (report["exit"].as_i64(), report["findings"][0]["code"].as_str(), report["findings"].as_array().unwrap().len()),
        (Some(0), Some("request_changed"), 1),
        "{report}"
    );
    let asked = Buyer::new().pay_reading(&[&url, "-L", "-d", "body", "--confirm"], b"n\n");
    asked.assert(5, &["declined; nothing was signed"]);
    let place = |part: &str| asked.stderr.find(part).unwrap_or_else(|| panic!("{part} is not in {asked:?}"));
    assert!(place("makes GET without a body") < place("Pay 0.01 USDC"), "{asked:?}");
    // What has no body and keeps its method loses nothing.
    assert_eq!(Buyer::new().report(&[&url, "-L"])["findings"], json!([]));
}

#[test]
fn a_circle_ends() {
    let seller = Seller::start(|_, _| Reply::Says(says("302 Found", &[("location", "/again")], "")));
    let run = Buyer::new().pay(&[&seller.url, "-L"]);
    run.assert(1, &[&format!("10 redirects were followed, and the last one leads on to {}/again", seller.url)]);
    assert!(!run.stderr.contains("-L"), "it was given: {run:?}");
    assert_eq!(seller.heard().len(), 11);
    let report = Buyer::new().report(&[&seller.url]);
    assert!(report["message"].as_str().unwrap().starts_with("a redirect to http"), "{report}");
}

/// A seller whose door takes the payment and leads on to `/result`, where something else is said.
fn leading_on(status: &'static str, headers: Vec<(&'static str, String)>, result: Reply) -> Seller {
    Seller::start(move |heard, _| match (heard.target.as_str(), heard.payment()) {
        ("/result", _) => result.clone(),
        (_, None) => Reply::Says(asks(&offer("10000", MERCHANT))),
        (_, Some(_)) => {
            let fields: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            Reply::Says(says(status, &[&[("location", "/result")], &fields[..]].concat(), ""))
        }
    })
}

#[test]
fn whoever_redirects_may_have_taken_the_payment() {
    let settled = || vec![("payment-response", receipt("0x01"))];
    let refused =
        asks(&json!({"x402Version": 2, "error": "invalid_exact_evm_signature", "accepts": [way("10000", MERCHANT)]}));
    for (status, headers, result, said) in [
        ("303 See Other", settled(), Reply::Says(says("404 Not Found", &[], "")), "404 Not Found, with a receipt"),
        ("303 See Other", Vec::new(), Reply::Says(says("404 Not Found", &[], "")), "404 Not Found, behind a redirect"),
        ("308 Permanent Redirect", settled(), Reply::Says(refused.clone()), "with a receipt"),
        ("308 Permanent Redirect", Vec::new(), Reply::Says(refused), "signature, behind a redirect"),
    ] {
        let has_receipt = !headers.is_empty();
        let seller = leading_on(status, headers, result);
        let buyer = Buyer::new();
        let run = buyer.pay(&[&seller.url, "-L", "-X", "POST", "-d", "order", "--retry-delay", "0"]);
        run.assert(4, &["outcome unknown", said]);
        let transactions = if has_receipt { json!(["0x01"]) } else { json!([]) };
        assert_eq!(buyer.purchase()["authorizations"][0]["transactions"], transactions, "{run:?}");
        assert!(buyer.purchase()["ending"].is_null());
    }
}

#[test]
fn a_receipt_on_the_way_is_a_receipt() {
    let seller =
        leading_on("303 See Other", vec![("payment-response", receipt("0x01"))], Reply::Says(delivered(&[], "paid")));
    let report = Buyer::new().report(&[&seller.url, "-L", "-d", "order"]);
    assert_eq!((report["exit"].as_i64(), &report["findings"]), (Some(0), &json!([])), "{report}");
    assert_eq!((report["receipt"]["transaction"].as_str(), report["body"].as_str()), (Some("0x01"), Some("paid")));
    let twice = leading_on(
        "303 See Other",
        vec![("payment-response", receipt("0x01"))],
        Reply::Says(delivered(&[("payment-response", &receipt("0x02"))], "paid")),
    );
    Buyer::new().pay(&[&twice.url, "-L", "-d", "order"]).assert(0, &["settled 2 times", "0x01, 0x02"]);
}

#[test]
fn a_payment_that_was_led_nowhere_was_sent() {
    // The door takes the payment, leads on, and then nobody listens any more.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let answer = |listener: &std::net::TcpListener, bytes: Vec<u8>| {
            let (mut stream, _) = listener.accept().unwrap();
            std::io::Read::read(&mut stream, &mut [0; 16 * 1024]).unwrap();
            (stream, bytes)
        };
        let (mut stream, bytes) = answer(&listener, asks(&offer("10000", MERCHANT)));
        std::io::Write::write_all(&mut stream, &bytes).unwrap();
        let (mut stream, bytes) = answer(&listener, says("308 Permanent Redirect", &[("location", "/there")], ""));
        drop(listener);
        std::io::Write::write_all(&mut stream, &bytes).unwrap();
    });
    let buyer = Buyer::new();
    let run = buyer.pay(&[&url, "-L", "--retry", "0"]);
    server.join().unwrap();
    run.assert(4, &["outcome unknown", "behind a redirect"]);
    assert!(buyer.purchase()["ending"].is_null());
}
