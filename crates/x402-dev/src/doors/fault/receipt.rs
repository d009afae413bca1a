//! Receipts and answers that say something wrong.

use axum::response::Response;
use http::header::HeaderName;
use serde_json::Value;
use x402_sim::accounts;
use x402_sim::fault::effect::Forge;
use x402_wire::header::{PAYMENT_RESPONSE, X_PAYMENT_RESPONSE, decode, encode};

use crate::doors::answer::set_header;

/// Who is named in place of the payer: test account 6.
const STRANGER: usize = 6;

/// A transaction that nobody made.
const NOWHERE: &str = "0x000000000000000000000000000000000000000000000000000000000000dead";

/// The headers that carry receipts.
const RECEIPTS: [&str; 2] = [PAYMENT_RESPONSE, X_PAYMENT_RESPONSE];

/// Puts something wrong into an answer.
pub fn forge(answer: &mut Value, forges: &[Forge]) {
    let Value::Object(members) = answer else { return };
    for forge in forges {
        let (key, value) = match forge {
            Forge::Payer => ("payer", accounts::test_accounts().nth(STRANGER).map_or("", |account| account.address)),
            Forge::Amount => ("amount", "1"),
            Forge::Network if members.get("network").is_some_and(|own| own == "eip155:1") => ("network", "eip155:10"),
            Forge::Network => ("network", "eip155:1"),
            Forge::Transaction => ("transaction", NOWHERE),
            Forge::NoTransaction => {
                members.remove("transaction");
                continue;
            }
        };
        members.insert(key.to_owned(), value.into());
    }
}

/// Puts something wrong into the receipt in an answer's headers.
pub fn forge_header(response: &mut Response, forges: &[Forge]) {
    for name in RECEIPTS {
        let text = response.headers().get(name).and_then(|value| value.to_str().ok());
        let Some(mut receipt) = text.and_then(|text| decode::<Value>(text).ok()) else { continue };
        forge(&mut receipt, forges);
        set_header(response.headers_mut(), HeaderName::from_static(name), Some(encode(&receipt)));
    }
}

/// Takes the receipt out of an answer's headers.
pub fn lose(response: &mut Response) {
    for name in RECEIPTS {
        response.headers_mut().remove(name);
    }
}
