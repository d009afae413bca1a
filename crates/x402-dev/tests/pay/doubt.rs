//! What is not clear: presented again, asked of a chain, given up, and signed anew only with time and proof.

use serde_json::{Value, json};

use crate::buyer::Buyer;
use crate::fault_hand::add;
use crate::harness::Test;
use crate::payer::MERCHANT;
use crate::seller::{Heard, Reply, Seller, asks, delivered, offer, receipt, says};

/// The second in which everything is signed, and the first in which it has expired.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const END: u64 = NOW + 300;

/// A seller that takes payments and says 504, until somebody pays with another authorization.
pub(crate) fn stubborn() -> Seller {
    let first = std::sync::OnceLock::new();
    Seller::start(move |heard, _| match heard.payment() {
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
        Some(payment) if *first.get_or_init(|| payment.clone()) == payment => {
            Reply::Says(says("504 Gateway Timeout", &[], ""))
        }
        Some(_) => Reply::Says(delivered(&[("payment-response", &receipt("0x02"))], "content")),
    })
}

/// A chain: whether authorizations are used, by which transactions, and its time.
pub(crate) fn chain(used: bool, transactions: &'static [&'static str], time: u64) -> Seller {
    Seller::start(move |heard: &Heard, _| {
        let question: Value = serde_json::from_slice(&heard.body).unwrap();
        let result = match question["method"].as_str().unwrap() {
            "eth_chainId" => json!("0x14a34"),
            "eth_getBlockByNumber" => json!({"number": "0x10", "timestamp": format!("{time:#x}")}),
            "eth_call" => {
                assert_eq!(question["params"][1], "0x10", "in the block whose time was read");
                let data = question["params"][0]["data"].as_str().unwrap();
                assert!(data.starts_with("0xe94a0102000000000000000000000000") && data.len() == 138, "{data}");
                json!(format!("0x{:064x}", u8::from(used)))
            }
            "eth_getLogs" => {
                let topic = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";
                transactions.iter().map(|hash| json!({"topics": [topic], "transactionHash": hash})).collect()
            }
            other => panic!("{other}"),
        };
        let answer = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
        Reply::Says(says("200 OK", &[("content-type", "application/json")], answer))
    })
}

pub(crate) fn run(buyer: &Buyer, seller: &Seller, args: &[&str]) -> Value {
    let now = NOW.to_string();
    buyer.report(&[&[seller.url.as_str(), "--now", &now, "--retry", "1", "--retry-delay", "0"], args].concat())
}

#[test]
fn an_unknown_outcome_says_what_may_have_happened_and_until_when() {
    let (seller, buyer) = (stubborn(), Buyer::new());
    let report = run(&buyer, &seller, &[]);
    assert_eq!((report["exit"].as_i64(), report["outcome"].as_str()), (Some(4), Some("unknown")));
    let message = report["message"].as_str().unwrap();
    for part in [
        "0.01 USDC to 0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
        "may have been paid, or not",
        "until 2027-01-15T08:05:00.000Z",
        "presented 2 times",
        "--resume pay_",
    ] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    // A second purchase of the same waits for the first.
    let blocked = buyer.pay(&[&seller.url]);
    blocked.assert(4, &["has no known end", "--another"]);
    assert_eq!(seller.payments().len(), 2);
    buyer.pay(&[&seller.url, "-d", "another body"]).assert(0, &["paid"]);
    buyer.pay(&[&seller.url, "--as", "1"]).assert(0, &["paid"]);
    buyer.pay(&[&seller.url, "--another"]).assert(0, &["paid"]);
    assert_eq!(buyer.open().len(), 1);
    // Who gives up what is alive hears until when somebody can take the money.
    let now = NOW.to_string();
    let alive = "is given up; the seller can use the authorization for 0.01 USDC to 0xa0Ee7A142d267C1f36714E4a8F75612F20a79720 on \
                 eip155:84532 until 2027-01-15T08:05:00.000Z, if it was not used yet";
    buyer.pay(&["--resume", "--forget", "--now", &now]).assert(0, &[alive]);
    assert!(buyer.open().is_empty());
    assert!(buyer.pay(&["--list"]).text().contains("given up"));
}

#[test]
fn the_chain_is_asked_what_became_of_it() {
    for (used, transactions, time, exit, part) in [
        (false, &[][..], NOW, 4, "was not paid up to block 16"),
        (false, &[], END + 59, 4, "was not paid up to block 16"),
        (false, &[], END + 60, 1, "cannot be any more"),
        (true, &["0xaa"], NOW, 4, "was paid by 0xaa, and the content did not come"),
        (true, &["0xaa", "0xbb"], NOW, 4, "was paid by 0xaa, 0xbb"),
        (true, &[], NOW, 4, "was paid, unless its payer has cancelled it"),
    ] {
        let (seller, buyer, chain) = (stubborn(), Buyer::new(), chain(used, transactions, time));
        let report = run(&buyer, &seller, &["--rpc", &chain.url]);
        assert_eq!(report["exit"], exit, "{report}");
        let message = report["message"].as_str().unwrap();
        assert!(message.contains(part), "{part} is not in: {report}");
        // What the chain shows is no unknown outcome: there is no content, and a transaction to complain with.
        let undelivered = !transactions.is_empty();
        assert_eq!(report["outcome"] == "undelivered", undelivered, "{report}");
        assert_eq!(message.starts_with("paid, not delivered: 0.01 USDC"), undelivered, "{message}");
        assert_eq!(message.contains("show the seller the transaction"), undelivered, "{message}");
        assert_eq!(message.contains("--forget"), undelivered, "{message}");
        let twice = report["findings"].as_array().unwrap().iter().any(|finding| finding["code"] == "settled_twice");
        assert_eq!(twice, transactions.len() > 1, "{report}");
    }
}

#[test]
fn a_chain_that_does_not_know_is_said_to_be_so() {
    let other = Seller::start(|_, _| Reply::Says(says("200 OK", &[], r#"{"result":"0x1"}"#)));
    let html = Seller::start(|_, _| Reply::Says(says("502 Bad Gateway", &[], "<html>")));
    let error =
        Seller::start(|_, _| Reply::Says(says("200 OK", &[], r#"{"error":{"code":-32000,"message":"no\u001b[2J"}}"#)));
    for (chain, part) in [(&other.url, "it is the chain 1"), (&html.url, "502"), (&error.url, "no\\u{1b}[2J")] {
        let (seller, buyer) = (stubborn(), Buyer::new());
        let report = run(&buyer, &seller, &["--rpc", chain]);
        assert_eq!(report["exit"], 4);
        let found = report["findings"][0].clone();
        assert_eq!(found["code"], "chain_not_asked");
        assert!(found["text"].as_str().unwrap().contains(part), "{found}");
    }
}

#[test]
fn receipts_are_compared_with_the_chain() {
    for (used, transactions, code) in [
        (true, &["0x02"][..], None),
        (true, &["0x03"], Some("receipt_not_on_chain")),
        (false, &[], Some("receipt_not_on_chain")),
        (true, &["0x02", "0x03"], Some("settled_twice")),
    ] {
        let seller = Seller::start(|heard, _| match heard.payment() {
            None => Reply::Says(asks(&offer("10000", MERCHANT))),
            Some(_) => Reply::Says(delivered(&[("payment-response", &receipt("0x02"))], "content")),
        });
        let chain = chain(used, transactions, NOW);
        let report = run(&Buyer::new(), &seller, &["--rpc", &chain.url]);
        assert_eq!((report["exit"].as_i64(), report["findings"][0]["code"].as_str()), (Some(0), code), "{report}");
    }
}

#[test]
fn another_authorization_is_signed_only_with_time_and_proof() {
    let (seller, buyer) = (stubborn(), Buyer::new());
    assert_eq!(run(&buyer, &seller, &[])["exit"], 4);
    let first = seller.payments()[0].clone();
    let unused = chain(false, &[], END + 60);
    let early = chain(false, &[], END + 59);
    let used = chain(true, &["0xaa"], END);
    let at = |time: u64, more: &[&str]| {
        let now = time.to_string();
        let base = ["--resume", "--again", "--now", &now, "--retry", "0"];
        buyer.pay(&[&base[..], more].concat())
    };
    at(END, &["--rpc", &unused.url]).assert(4, &["no new authorization", "wait until 2027-01-15T08:06:00.000Z"]);
    at(END + 59, &["--rpc", &unused.url]).assert(4, &["wait until"]);
    at(END + 60, &[]).assert(4, &["--rpc"]);
    at(END + 60, &["--rpc", &early.url]).assert(4, &["Unused"]);
    at(END + 60, &["--rpc", &used.url]).assert(4, &["Used"]);
    assert!(seller.payments().iter().all(|payment| *payment == first), "no other was signed");
    let done = at(END + 60, &["--rpc", &unused.url]);
    done.assert(0, &["delivered for 0.01 USDC"]);
    assert_eq!(done.text(), "content");
    let purchase = buyer.purchase();
    let authorizations = purchase["authorizations"].as_array().unwrap();
    assert_eq!(authorizations.len(), 2);
    assert!(authorizations[0]["dead"].as_str().unwrap().contains("not used up to block 16"), "{purchase}");
    assert_eq!(authorizations[1]["dead"], Value::Null);
    assert_eq!(purchase["ending"], "delivered");
}

#[test]
fn an_expired_authorization_without_proof_stays_unknown() {
    let (seller, buyer) = (stubborn(), Buyer::new());
    run(&buyer, &seller, &[]);
    let later = (END + 3600).to_string();
    buyer.pay(&["--resume", "--now", &later, "--retry", "0"]).assert(4, &["may have been paid, or not"]);
    let unused = chain(false, &[], END + 3600);
    buyer
        .pay(&["--resume", "--now", &later, "--retry", "0", "--rpc", &unused.url])
        .assert(1, &["not paid", "cannot be any more"]);
    assert_eq!(buyer.purchase()["ending"], "void");
}

#[test]
fn a_seller_that_was_not_reached_has_nothing() {
    // It answers once, and then nobody listens any more.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Read::read(&mut stream, &mut [0; 4096]).unwrap();
        drop(listener);
        std::io::Write::write_all(&mut stream, &asks(&offer("10000", MERCHANT))).unwrap();
    });
    let buyer = Buyer::new();
    let run = buyer.pay(&[&url, "--retry-delay", "0"]);
    server.join().unwrap();
    run.assert(69, &["nothing was sent", "was not paid"]);
    assert_eq!(buyer.purchase()["ending"], "unsent");
}

#[test]
fn a_seller_says_when_to_come_again() {
    let seller = Seller::start(|heard, before| match (heard.payment(), before) {
        (None, _) => Reply::Says(asks(&offer("10000", MERCHANT))),
        (Some(_), 1) => Reply::Says(says("429 Too Many Requests", &[("retry-after", "0")], "")),
        (Some(_), _) => Reply::Says(delivered(&[("payment-response", &receipt("0x1"))], "content")),
    });
    // Its word counts more than a delay that no test waits for.
    Buyer::new().pay(&[&seller.url, "--retry-delay", "3600"]).assert(0, &["paid"]);
    assert_eq!(seller.payments().len(), 2);
}

#[test]
fn a_journal_that_cannot_be_written_stops_everything_before_it_is_sent() {
    let seller = Seller::honest();
    let buyer = Buyer::new();
    std::fs::create_dir(buyer.path("home")).unwrap();
    buyer.file("home/purchases", "in the way");
    buyer.pay(&[&seller.url]).assert(73, &["cannot use the journal of purchases", "X402_DEV_HOME"]);
    assert!(seller.payments().is_empty());
}

#[test]
fn an_instance_of_ones_own_is_asked_without_being_named() {
    let mock = Test::new().start();
    add(&mock, &json!({"preset": "double_settlement", "match": {"door": "resources"}}));
    let buyer = Buyer::at_home(&mock.directory().join("home"));
    let run = buyer.pay(&[&format!("{}/a", mock.url)]);
    run.assert(0, &["settled 2 times", "the chain shows"]);
}

#[test]
fn a_receipt_is_what_the_seller_says_and_the_authorization_may_live() {
    let seller = Seller::start(|heard, _| match heard.payment() {
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
        Some(_) => Reply::Says(says("503 Service Unavailable", &[("payment-response", &receipt("0xfa4e"))], "")),
    });
    let buyer = Buyer::new();
    let report = run(&buyer, &seller, &[]);
    assert_eq!((&report["exit"], &report["outcome"]), (&json!(4), &json!("unknown")), "{report}");
    let now = NOW.to_string();
    let claim = "the seller says that 0.01 USDC";
    buyer
        .pay(&["--resume", "--forget", "--now", &now])
        .assert(0, &[claim, "0xfa4e: if that is not so", "can use the authorization"]);
}
