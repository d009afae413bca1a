//! A request and its answer, wherever they were written down.

use http::HeaderMap;
use serde_json::Value;
use x402_wire::header;

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
}

impl Exchange {
    /// The payment header that was sent, and its value.
    pub fn payment(&self) -> Option<(&'static str, &str)> {
        let names = [("payment-signature", "PAYMENT-SIGNATURE"), ("x-payment", "X-PAYMENT")];
        names.into_iter().find_map(|(own, name)| Some((name, self.request.get(own)?)))
    }

    /// What was paid: the payload, decoded, if anybody could.
    pub fn payload(&self) -> Option<Value> {
        let (_, value) = self.payment()?;
        let own = header::decode::<Value>(value).ok();
        own.or_else(|| self.request.decoded.as_ref()?.get("payment").cloned()).filter(Value::is_object)
    }

    /// What the payment can be told from others by: its nonce, its transaction, or its signature.
    pub fn mark(&self) -> Option<String> {
        let payload = self.payload()?;
        let places = [
            "/payload/authorization/nonce",
            "/payload/permit2Authorization/nonce",
            "/payload/transaction",
            "/payload/signature",
        ];
        places.iter().find_map(|place| payload.pointer(place)?.as_str().map(str::to_owned))
    }

    /// The receipt that came back, decoded.
    pub fn receipt(&self) -> Option<Value> {
        let names = ["payment-response", "x-payment-response"];
        names.iter().find_map(|name| header::decode::<Value>(self.response.get(name)?).ok())
    }

    /// The offer that came back, decoded: from the header, or from the body of version 1.
    pub fn offer(&self) -> Option<Value> {
        let by_header = self.response.get("payment-required").and_then(|value| header::decode::<Value>(value).ok());
        by_header.or_else(|| {
            let body: Value = serde_json::from_str(self.response.body_text()?).ok()?;
            body.get("accepts").is_some().then_some(body)
        })
    }

    /// Whether a body was sent.
    pub fn has_body(&self) -> bool {
        let length = self.request.get("content-length").and_then(|length| length.parse::<u64>().ok());
        self.request.body_text().is_some() || self.request.size.or(length).unwrap_or(0) > 0
    }

    /// Whether two go to the same resource, whatever their queries say.
    pub fn is_like(&self, other: &Self) -> bool {
        let path = |url: &str| url.split(['?', '#']).next().unwrap_or_default().to_owned();
        path(&self.url) == path(&other.url)
    }
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
