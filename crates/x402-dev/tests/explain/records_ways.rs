//! Records of what became of payments on their way: redirects, caches, refusals of what is good.

use serde_json::{Value, json};

use crate::asker::{Asker, ids};
use crate::corpus::cases;

/// An offer and a payment for it, as headers carry them, made at this time.
pub(crate) struct Sample {
    pub(crate) offer: String,
    pub(crate) payment: String,
}

const NOW: &str = "1795000000";

impl Sample {
    /// Those of a case of the corpus.
    pub(crate) fn new() -> Self {
        let case = cases().into_iter().find(|case| case["name"] == "query-lost").unwrap();
        let input = case["input"].as_str().unwrap();
        let field = |name: &str| {
            let (_, rest) = input.split_once(&format!("{name}: ")).unwrap();
            rest.lines().next().unwrap().to_owned()
        };
        Self { offer: field("PAYMENT-REQUIRED"), payment: field("PAYMENT-SIGNATURE") }
    }

    pub(crate) fn asks(&self) -> Value {
        json!({ "PAYMENT-REQUIRED": self.offer })
    }

    pub(crate) fn pays(&self) -> Value {
        json!({ "PAYMENT-SIGNATURE": self.payment })
    }
}

/// An entry of an archive: method, address and fields of the request, status, fields and text of the answer.
pub(crate) fn entry(request: (&str, &str, &Value), answer: (u16, &Value, Option<&str>)) -> Value {
    let fields = |own: &Value| -> Value {
        own.as_object().into_iter().flatten().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    json!({
        "request": { "method": request.0, "url": request.1, "headers": fields(request.2) },
        "response": {
            "status": answer.0, "headers": fields(answer.1), "content": { "size": 2, "text": answer.2 },
        },
    })
}

pub(crate) fn explained(entries: &[Value]) -> Value {
    let asker = Asker::new();
    asker.file("record.har", json!({ "log": { "entries": entries } }).to_string());
    asker.json(&["explain", "record.har", "--at", NOW])
}

pub(crate) fn evidence(told: &Value) -> String {
    told["findings"][0]["evidence"].to_string()
}

pub(crate) const URL: &str = "http://127.0.0.1:3402/report";

#[test]
fn what_a_cache_has_answered_is_not_the_payments_fault() {
    let own = Sample::new();
    for (status, field, value) in [
        (402, "Age", "30"),
        (402, "CF-Cache-Status", "HIT"),
        (304, "ETag", "1"),
        (200, "X-Cache", "Hit from cloudfront"),
    ] {
        let mut fields = if status == 402 { own.asks() } else { json!({}) };
        fields[field] = json!(value);
        let told = explained(&[entry(("GET", URL, &own.pays()), (status, &fields, Some("{}")))]);
        assert_eq!(ids(&told)[0], "cached_answer", "{field}: {told}");
        let others = ["header_stripped", "receipt_missing"];
        assert!(ids(&told).iter().all(|id| !others.contains(&id.as_str())), "{field}: {told}");
    }
    let mut from_disk = entry(("GET", URL, &own.pays()), (402, &own.asks(), Some("{}")));
    from_disk["_fromCache"] = json!("disk");
    let told = explained(&[from_disk]);
    assert!(evidence(&told).contains("the browser's own (disk)"), "{told}");
}

#[test]
fn a_redirect_to_another_origin_says_which() {
    let (own, none) = (Sample::new(), Value::Null);
    for (to, part) in
        [("https://www.example/report", "another origin, https://www.example,"), ("/other", "with 307 and")]
    {
        let next = if to.starts_with('/') { "http://127.0.0.1:3402/other" } else { to };
        let told = explained(&[
            entry(("GET", URL, &own.pays()), (307, &json!({ "Location": to }), Some(""))),
            entry(("GET", next, &none), (402, &own.asks(), Some("{}"))),
        ]);
        assert_eq!(ids(&told)[0], "payment_lost_in_redirect", "{told}");
        assert!(evidence(&told).contains(part), "{told}");
    }
}

#[test]
fn a_request_that_was_prepared_for_another_is_no_change() {
    let own = Sample::new();
    let ask = |url: &str| entry(("GET", url, &Value::Null), (402, &own.asks(), Some("{}")));
    let receipt = x402_wire::header::encode_text(r#"{"success":true,"transaction":"0x1","network":"eip155:84532"}"#);
    let pay = |url: &str| entry(("GET", url, &own.pays()), (200, &json!({ "PAYMENT-RESPONSE": receipt }), Some("{}")));
    let (one, two) = ("http://127.0.0.1:3402/a?n=1", "http://127.0.0.1:3402/a?n=2");
    // Another value where it was delivered; a second request while the first still waits.
    for entries in [vec![ask(one), pay(two)], vec![ask(one), ask(two), pay(one)]] {
        assert!(ids(&explained(&entries)).is_empty());
    }
    // Who asks for the price by another method, and is given the content, has bought it.
    let posted = entry(("POST", one, &own.pays()), (200, &json!({ "PAYMENT-RESPONSE": receipt }), Some("{}")));
    assert!(ids(&explained(&[ask(one), posted])).is_empty());
    let told = explained(&[ask("http://127.0.0.1:3402/a?n=1&m=2"), pay(one)]);
    assert_eq!(ids(&told), ["request_changed"]);
    assert!(evidence(&told).contains("its query lacks m"), "{told}");
}

#[test]
fn what_the_paid_request_lacks_is_told_where_it_is_refused() {
    let own = Sample::new();
    let asked = json!({ "Authorization": "Bearer abc", "Content-Type": "text/plain", "X-Api-Key": "k", "Host": "a" });
    let mut offer = own.asks();
    offer["Set-Cookie"] = json!("session=1");
    let ask = entry(("GET", URL, &asked), (402, &offer, Some("{}")));
    let told = explained(&[ask.clone(), entry(("GET", URL, &own.pays()), (401, &json!({}), Some("")))]);
    assert_eq!(ids(&told), ["refused_elsewhere"], "{told}");
    for part in ["has authorization, content-type, x-api-key, and request 2 shows none", "sets a cookie"] {
        assert!(evidence(&told).contains(part), "{told}");
    }
    // What one request lacks says nothing of another's refusal.
    let other = entry(("GET", "http://127.0.0.1:3402/b", &own.pays()), (401, &json!({}), Some("")));
    let receipt = x402_wire::header::encode_text(r#"{"success":true,"transaction":"0x1","network":"eip155:84532"}"#);
    let paid = entry(("GET", URL, &own.pays()), (200, &json!({ "PAYMENT-RESPONSE": receipt }), Some("{}")));
    assert!(!explained(&[ask.clone(), paid, other]).to_string().contains("shows none"));
    let mut whole = own.pays();
    for name in ["Authorization", "Content-Type", "X-Api-Key", "Cookie"] {
        whole[name] = json!("x");
    }
    let told = explained(&[ask, entry(("GET", URL, &whole), (401, &json!({}), Some("")))]);
    assert!(!evidence(&told).contains("shows none"), "{told}");
}

#[test]
fn a_good_payment_that_is_refused_is_told_by_what_the_answer_shows() {
    let own = Sample::new();
    let ask = entry(("GET", URL, &Value::Null), (402, &own.asks(), Some("{}")));
    let refused = |fields: &Value, body: &str| {
        explained(&[ask.clone(), entry(("GET", URL, &own.pays()), (402, fields, Some(body)))])
    };
    // Another payee on return.
    let mut other = x402_wire::header::decode::<Value>(&own.offer).unwrap();
    other["accepts"][0]["payTo"] = json!("0x209693Bc6afc0C5328bA36FaF03C514EF312287C");
    other["error"] = json!("No matching payment requirements");
    let told = refused(&json!({ "PAYMENT-REQUIRED": x402_wire::header::encode(&other) }), "{}");
    assert_eq!(ids(&told), ["offer_changed"], "{told}");
    assert!(evidence(&told).contains("payTo was 0xa0Ee7A142d267C1f36714E4a8F75612F20a79720, and is 0x2096"), "{told}");
    // A server of version 1.
    let told = refused(&json!({}), r#"{"x402Version":1,"error":"Unsupported x402 version: 2","accepts":[]}"#);
    assert_eq!(ids(&told), ["refused_though_good"], "{told}");
    assert!(evidence(&told).contains("under the name X-PAYMENT"), "{told}");
    // What only the chain shows stays possible, and what the payment shows does not.
    let told = refused(&json!({}), r#"{"error":"invalid_exact_evm_signature"}"#);
    assert_eq!(ids(&told)[0], "refused_though_good", "{told}");
    let told = refused(&json!({}), r#"{"error":"invalid_exact_evm_insufficient_balance"}"#);
    assert_eq!(ids(&told)[0], "insufficient_balance", "{told}");
}

#[test]
fn a_payment_that_was_used_has_arrived_whatever_was_answered_to_it_first() {
    let own = Sample::new();
    let used = json!({ "error": "invalid_exact_evm_nonce_already_used" }).to_string();
    let again = entry(("GET", URL, &own.pays()), (402, &json!({}), Some(&used)));
    for (status, part) in
        [(402, "was answered with 402: it was settled then"), (0, "had no answer: it was settled then")]
    {
        let fields = if status == 402 { own.asks() } else { json!({}) };
        let first = entry(("GET", URL, &own.pays()), (status, &fields, Some("{}")));
        let told =
            explained(&[entry(("GET", URL, &Value::Null), (402, &own.asks(), Some("{}"))), first, again.clone()]);
        assert_eq!(ids(&told), ["nonce_used"], "{told}");
        assert!(evidence(&told).contains(part), "{told}");
    }
}

#[test]
fn what_was_cut_out_of_an_archive_is_not_judged() {
    let own = Sample::new();
    let mut payment = x402_wire::header::decode::<Value>(&own.payment).unwrap();
    payment["payload"] = json!({ "transaction": "<cut out>" });
    let pays = json!({ "PAYMENT-SIGNATURE": x402_wire::header::encode(&payment) });
    let ask = entry(("GET", URL, &Value::Null), (402, &own.asks(), Some("{}")));
    let told = explained(&[ask, entry(("GET", URL, &pays), (402, &own.asks(), Some("{}")))]);
    assert!(!told.to_string().contains("not_decoded"), "{told}");
}
