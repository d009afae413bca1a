//! A chain that lags behind what a seller says, and a journal that cannot be written at the end.

use serde_json::{Value, json};

use crate::buyer::Buyer;
use crate::doubt::{NOW, chain, run};
use crate::payer::MERCHANT;
use crate::seller::{Heard, Reply, Seller, asks, delivered, offer, receipt, says};

/// A seller whose first answer names a transaction, and has no content: that comes with the third.
fn late() -> Seller {
    Seller::start(|heard, before| match (heard.payment(), before) {
        (None, _) => Reply::Says(asks(&offer("10000", MERCHANT))),
        (Some(_), 1 | 2) => Reply::Says(says("504 Gateway Timeout", &[("payment-response", &receipt("0x02"))], "")),
        (Some(_), _) => Reply::Says(delivered(&[("payment-response", &receipt("0x02"))], "content")),
    })
}

#[test]
fn what_the_chain_did_not_show_at_first_is_doubted_no_longer_when_it_does() {
    let (seller, buyer) = (late(), Buyer::new());
    let (lagging, shown) = (chain(false, &[], NOW), chain(true, &["0x02"], NOW));
    let codes = |purchase: &Value| {
        let noted = purchase["authorizations"][0]["noted"].as_array().cloned().unwrap_or_default();
        noted.iter().map(|own| own["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let report = run(&buyer, &seller, &["--rpc", &lagging.url]);
    assert_eq!((report["exit"].as_i64(), report["outcome"].as_str()), (Some(4), Some("unknown")), "{report}");
    assert_eq!(codes(&buyer.purchase()), ["receipt_not_on_chain"]);
    let now = NOW.to_string();
    let report = buyer.report(&["--resume", "--retry", "0", "--now", &now, "--rpc", &shown.url]);
    assert_eq!(report["outcome"], "paid", "{report}");
    let message = report["message"].as_str().unwrap();
    assert!(message.contains("paid 0.01 USDC") && !message.contains("the seller says"), "{message}");
    assert!(codes(&buyer.purchase()).is_empty(), "{}", buyer.purchase());
}

/// The disk is full when the report is due, and not before: the last question to the chain makes it so.
#[test]
fn an_unknown_end_is_told_where_it_cannot_be_written_down() {
    let (seller, buyer) = (late(), Buyer::new());
    let journal = buyer.journal();
    let chain = Seller::start(move |heard: &Heard, _| {
        let question: Value = serde_json::from_slice(&heard.body).unwrap();
        let result = match question["method"].as_str().unwrap() {
            "eth_chainId" => json!("0x14a34"),
            "eth_getBlockByNumber" => json!({"number": "0x10", "timestamp": format!("{NOW:#x}")}),
            _ => {
                let places = std::fs::read_dir(&journal).unwrap().flatten().map(|place| place.path());
                let place = places.into_iter().find(|place| place.join("entry.json").exists()).unwrap();
                std::fs::create_dir(place.join("entry.draft")).unwrap();
                json!(format!("0x{:064x}", 0))
            }
        };
        Reply::Says(says("200 OK", &[], json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string()))
    });
    let report = run(&buyer, &seller, &["--rpc", &chain.url]);
    assert_eq!((report["exit"].as_i64(), report["outcome"].as_str()), (Some(4), Some("unknown")), "{report}");
    assert!(report["message"].as_str().unwrap().contains("was not paid up to block 16"), "{report}");
    assert_eq!(buyer.open().len(), 1);
}
