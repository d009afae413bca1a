//! What was signed, as it is sent and as it is shown.

use http::HeaderValue;
use http::header::HeaderName;
use x402_sim::networks::solana::transaction::Transaction;
use x402_wire::document::Document;
use x402_wire::header::{self, PAYMENT_SIGNATURE, X_PAYMENT, X_PAYMENT_PROOF};

use super::asked::Dialect;
use super::story::{safe, said};
use crate::journal::Authorized;

impl Authorized {
    /// The header fields that carry it.
    pub fn carriers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let pairs = self.headers.iter().filter_map(|(name, value)| {
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
        });
        pairs.collect()
    }

    /// The dialect that it is said in; `None` where nothing carries it any more.
    pub fn dialect(&self) -> Option<Dialect> {
        self.headers.iter().find_map(|(name, _)| match name.as_str() {
            PAYMENT_SIGNATURE => Some(Dialect::V2),
            X_PAYMENT => Some(Dialect::V1),
            X_PAYMENT_PROOF => Some(Dialect::Invoice),
            _ => None,
        })
    }

    /// How much is paid, for people: `up to` where the seller says afterwards how much it was.
    pub fn asked(&self) -> String {
        up_to(&self.scheme, &self.price)
    }

    /// What is paid, to whom and where, for people.
    pub fn what(&self) -> String {
        self.whom(&self.asked())
    }

    /// The same with the whole amount.
    pub fn whole(&self) -> String {
        self.whom(&self.price)
    }

    fn whom(&self, price: &str) -> String {
        safe(&format!("{price} to {} on {}", self.to, self.network))
    }

    /// The transactions that receipts have named, for people.
    pub fn named(&self) -> String {
        said(&self.transactions.join(", "))
    }

    /// The payload that it is, without its signature.
    pub fn payload(&self) -> Option<Document> {
        self.whole_payload().map(without_signature)
    }

    /// Whether its seller settles before it delivers, so that an error afterwards takes nothing back. Source: TS 2.27 core
    /// `paymentFlow.ts`: what names no flow, or `authorization`, is settled afterwards.
    pub fn is_settled_first(&self) -> bool {
        let payload = self.whole_payload();
        let extra = payload.as_ref().and_then(|payload| payload.get("accepted")).and_then(|own| own.get("extra"));
        let flow = extra.and_then(|extra| extra.get("paymentFlow")).and_then(Document::text);
        flow.is_some_and(|flow| flow != "authorization")
    }

    /// The transaction on Solana that it holds.
    pub fn transaction(&self) -> Option<Transaction> {
        let payload = self.whole_payload()?;
        Transaction::from_base64(payload.get("payload")?.get("transaction")?.text()?).ok()
    }

    fn whole_payload(&self) -> Option<Document> {
        let (_, value) =
            self.headers.iter().find(|(name, _)| [X_PAYMENT, PAYMENT_SIGNATURE].contains(&name.as_str()))?;
        header::decode(value).ok()
    }
}

/// An amount by a scheme, for people: of `upto` it is the most that can be charged.
pub fn up_to(scheme: &str, price: &str) -> String {
    if scheme == "upto" { format!("up to {price}") } else { price.to_owned() }
}

/// A payload whose signature is cut out.
pub fn without_signature(mut payload: Document) -> Document {
    for way in [["payload", "signature"], ["payload", "transaction"]] {
        if let Some(secret) = payload.at_mut(&way) {
            *secret = Document::from("<cut out>");
        }
    }
    payload
}
