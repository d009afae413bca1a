//! A request and its answer, wherever they were written down.

use std::cell::OnceCell;

use http::HeaderMap;
use serde_json::Value;
use x402_sim::explain::kind::Kind;
use x402_wire::header;

/// What the proof of an invoice is called.
const PROOF: &str = "X-Payment-Proof";

/// The fields that carry a payment, in the order in which they count.
const CARRIERS: [(&str, &str); 3] =
    [("payment-signature", "PAYMENT-SIGNATURE"), ("x-payment", "X-PAYMENT"), ("x-payment-proof", PROOF)];

/// A request and its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The address, or the path where only that was written down.
    pub url: String,
    /// What was sent.
    pub request: Side,
    /// The status of the answer; 0 where there was none.
    pub status: u16,
    /// What came back.
    pub response: Side,
    /// When it began, in seconds since 1970, where that is known.
    pub at: Option<u64>,
    /// The browser's cache that the answer came out of, as it calls it.
    pub cached: Option<String>,
    /// Why no whole answer came, where whoever wrote it down says so.
    pub broken: Option<String>,
    /// What is read in it, once.
    pub read: Once,
}

/// What is read in a request and its answer, when it is first asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Once {
    stray: OnceCell<Option<usize>>,
    payload: OnceCell<Option<Value>>,
    receipt: OnceCell<Option<Value>>,
    offers: OnceCell<Vec<Value>>,
    asked: OnceCell<Option<Value>>,
    answered: OnceCell<Option<Value>>,
}

/// Header fields and a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// The fields, their names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body, where it was written down.
    pub body: Option<String>,
    /// How many bytes the body had, where that is known.
    pub size: Option<u64>,
    /// What x402 was found in it by whoever wrote it down.
    pub decoded: Option<Value>,
}

/// An answer over HTTP to a request without a payment.
#[derive(Clone, Debug)]
pub struct Answer {
    url: String,
    status: u16,
    side: Side,
}

impl Side {
    /// The first field of a name in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body, where it says something.
    pub fn body_text(&self) -> Option<&str> {
        self.body.as_deref().map(str::trim).filter(|body| !body.is_empty())
    }

    /// Whether the record holds the body, as far as there was one, and not as its encoding leaves it.
    pub fn is_whole(&self) -> bool {
        let is_plain = |body: &str| body.is_empty() || body.starts_with(['{', '[', '<']);
        if self.get("content-encoding").is_some() && !self.body.as_deref().is_some_and(|body| is_plain(body.trim())) {
            return false;
        }
        let length = self.get("content-length").and_then(|length| length.parse::<u64>().ok());
        let is_empty = self.size.or(length).unwrap_or(0) == 0 && self.get("transfer-encoding").is_none();
        self.body.is_some() || is_empty
    }

    /// The JSON in the body.
    fn json(&self) -> Option<Value> {
        serde_json::from_str(self.body_text().filter(|body| body.starts_with('{'))?).ok()
    }
}

impl Exchange {
    /// The payment header that was sent, and its value.
    pub fn payment(&self) -> Option<(&str, &str)> {
        let known = CARRIERS.into_iter().find_map(|(own, name)| Some((name, self.request.get(own)?)));
        known.or_else(|| {
            let (name, value) = self.request.fields.get(self.stray()?)?;
            Some((name, value))
        })
    }

    /// Every field that carries a payment by its name, in the order in which they count, and its value.
    pub fn carriers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        CARRIERS.into_iter().flat_map(|(own, name)| {
            let fields = self.request.fields.iter().filter(move |(field, _)| field == own);
            fields.map(move |(_, value)| (name, value.as_str()))
        })
    }

    /// Whether what paid is the proof of an invoice.
    pub fn is_invoice(&self) -> bool {
        self.payment().is_some_and(|(name, _)| name == PROOF)
    }

    /// The place of a payment under another name than those that carry one.
    fn stray(&self) -> Option<usize> {
        let is_payment = |value: &str| {
            let decoded = value.starts_with("ey").then(|| header::decode::<Value>(value).ok()).flatten();
            decoded.is_some_and(|decoded| matches!(Kind::of(&decoded), Kind::PaymentV1 | Kind::PaymentV2))
        };
        let find = || self.request.fields.iter().position(|(_, value)| is_payment(value));
        *self.read.stray.get_or_init(find)
    }

    /// What was paid: the payload, decoded, if anybody could.
    pub fn payload(&self) -> Option<&Value> {
        let decode = || {
            let (_, value) = self.payment()?;
            let own = header::decode::<Value>(value).ok();
            own.or_else(|| self.request.decoded.as_ref()?.get("payment").cloned()).filter(Value::is_object)
        };
        self.read.payload.get_or_init(decode).as_ref()
    }

    /// What the payment can be told from others by: its nonce, its transaction, or its signature.
    pub fn mark(&self) -> Option<&str> {
        mark(self.payload()?)
    }

    /// The receipt that came back, decoded.
    pub fn receipt(&self) -> Option<&Value> {
        let names = ["payment-response", "x-payment-response"];
        let decode = || names.iter().find_map(|name| header::decode::<Value>(self.response.get(name)?).ok());
        self.read.receipt.get_or_init(decode).as_ref()
    }

    /// The offer that came back, decoded: from the header, or from the body of version 1.
    pub fn offer(&self) -> Option<&Value> {
        self.offers().first()
    }

    /// The offer that came back for payments of one version.
    pub fn offer_of(&self, kind: Kind) -> Option<&Value> {
        self.offers().iter().find(|offer| Kind::of(offer) == kind)
    }

    /// Every offer that came back: the header's, and the body's.
    pub fn offers(&self) -> &[Value] {
        self.read.offers.get_or_init(|| {
            let header = self.response.get("payment-required").and_then(|value| header::decode::<Value>(value).ok());
            let body = self.answered().filter(|body| body.get("accepts").is_some());
            header.into_iter().chain(body.cloned()).collect()
        })
    }

    /// Whether anything of x402 was said: a payment, an offer, a receipt, a facilitator's word, or that one must pay.
    pub fn is_of_x402(&self) -> bool {
        let is_ours = |body: Option<&Value>| body.is_some_and(|body| Kind::of(body) != Kind::Other);
        let bodies = is_ours(self.asked()) || is_ours(self.answered());
        self.status == 402 || self.payment().is_some() || self.offer().is_some() || self.receipt().is_some() || bodies
    }

    /// The JSON in the body of the request.
    pub fn asked(&self) -> Option<&Value> {
        self.read.asked.get_or_init(|| self.request.json()).as_ref()
    }

    /// The JSON in the body of the answer.
    pub fn answered(&self) -> Option<&Value> {
        self.read.answered.get_or_init(|| self.response.json()).as_ref()
    }

    /// Whether a body was sent.
    pub fn has_body(&self) -> bool {
        let length = self.request.get("content-length").and_then(|length| length.parse::<u64>().ok());
        self.request.body_text().is_some() || self.request.size.or(length).unwrap_or(0) > 0
    }

    /// Which resource it is for, whatever its query says.
    pub fn resource(&self) -> &str {
        self.url.split(['?', '#']).next().unwrap_or_default()
    }
}

/// The path of an address, or of a path alone, without its query and without a slash at its end.
pub fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
    rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/')
}

/// What a payload can be told from others by.
pub fn mark(payload: &Value) -> Option<&str> {
    let places = [
        "/payload/authorization/nonce",
        "/payload/permit2Authorization/nonce",
        "/payload/transaction",
        "/payload/signature",
    ];
    let own = places.iter().find_map(|place| payload.pointer(place)?.as_str());
    // What was cut out of an archive tells nothing apart.
    own.filter(|own| !own.starts_with('<'))
}

impl Answer {
    /// An answer to a GET of an address.
    pub fn new(url: String, status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let fields = headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let body = Some(String::from_utf8_lossy(body).into_owned());
        Self { url, status, side: Side { fields: fields.collect(), body, ..Side::default() } }
    }

    /// The request and this answer.
    pub fn exchange(&self) -> Exchange {
        Exchange {
            method: "GET".to_owned(),
            url: self.url.clone(),
            status: self.status,
            response: self.side.clone(),
            ..Exchange::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_is_found_under_any_name_and_an_offer_by_its_version() {
        let payload = header::encode_text(r#"{"x402Version":2,"accepted":{},"payload":{}}"#);
        let mut own = Exchange::default();
        own.request.fields.push(("x-token".to_owned(), header::encode_text(r#"{"a":1}"#)));
        assert_eq!(own.clone().payment(), None);
        own.request.fields.push(("x-payment-signature".to_owned(), payload.clone()));
        assert_eq!(own.payment(), Some(("x-payment-signature", payload.as_str())));
        assert_eq!(own.payload().map(Kind::of), Some(Kind::PaymentV2));
        own.request.fields.push(("x-payment-proof".to_owned(), "abc".to_owned()));
        assert_eq!(own.payment(), Some((PROOF, "abc")));
        let offer = header::encode_text(r#"{"x402Version":2,"accepts":[]}"#);
        own.response.fields.push(("payment-required".to_owned(), offer));
        own.response.body = Some(r#"{"x402Version":1,"accepts":[],"error":""}"#.to_owned());
        for (kind, version) in [(Kind::OfferV1, 1), (Kind::OfferV2, 2)] {
            assert_eq!(own.offer_of(kind).unwrap()["x402Version"], version);
        }
    }
}
