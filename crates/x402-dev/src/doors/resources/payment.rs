//! What a request carries: the payment header of one dialect.

use http::{HeaderMap, HeaderName};
use x402_wire::header::{self, PAYMENT_SIGNATURE, X_PAYMENT, X_PAYMENT_FROM, X_PAYMENT_PROOF};

use crate::config::Dialect;
use crate::state::State;

/// The headers that carry a payment, in the order in which they count.
pub(super) static CARRIERS: [(Dialect, HeaderName); 3] = [
    (Dialect::X402V2, HeaderName::from_static(PAYMENT_SIGNATURE)),
    (Dialect::X402V1, HeaderName::from_static(X_PAYMENT)),
    (Dialect::Invoice, HeaderName::from_static(X_PAYMENT_PROOF)),
];

/// What a request carries.
#[derive(Debug)]
pub enum Payment {
    /// `PAYMENT-SIGNATURE`: it wins over the others, even when it cannot be decoded.
    V2(Carried),
    /// `X-PAYMENT`.
    V1(Carried),
    /// `X-Payment-Proof`, and the account that pays.
    Invoice {
        /// The memo.
        proof: Carried,
        /// The test account that pays.
        from: String,
    },
}

/// The value of a payment header.
#[derive(Debug, PartialEq, Eq)]
pub enum Carried {
    /// A text.
    Once(String),
    /// The header stood there more than once.
    Repeated,
    /// Its bytes are no text.
    NotText,
}

impl Payment {
    /// The payment of a request, in a dialect that is spoken here.
    pub fn of(state: &State, headers: &HeaderMap) -> Option<Self> {
        let spoken = CARRIERS.iter().filter(|(dialect, _)| state.speaks(*dialect));
        let mut carried = spoken.filter_map(|(dialect, name)| Some((dialect, Carried::of(headers, name)?)));
        let proof = match carried.next()? {
            (Dialect::X402V2, carried) => return Some(Self::V2(carried)),
            (Dialect::X402V1, carried) => return Some(Self::V1(carried)),
            (Dialect::Invoice, proof) => proof,
        };
        let from = headers.get(X_PAYMENT_FROM).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Some(Self::Invoice { proof, from: from.unwrap_or_else(|| "0".to_owned()) })
    }

    /// The dialect's name in events and receipts.
    pub const fn dialect(&self) -> &'static str {
        match self {
            Self::V2(_) => "x402v2",
            Self::V1(_) => "x402v1",
            Self::Invoice { .. } => "invoice",
        }
    }
}

impl Carried {
    fn of(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut values = headers.get_all(name).iter();
        let first = values.next()?;
        Some(match (values.next(), first.to_str()) {
            (Some(_), _) => Self::Repeated,
            (None, Ok(text)) => Self::Once(text.to_owned()),
            (None, Err(_)) => Self::NotText,
        })
    }

    /// The text, or why there is none.
    pub fn text(&self) -> Result<&str, &'static str> {
        match self {
            Self::Once(text) => Ok(text),
            Self::Repeated => Err("the header stands there more than once"),
            Self::NotText => Err("the header's bytes are not ASCII"),
        }
    }

    /// What should be the JSON of a payment, or why there is none.
    pub fn json(&self) -> Result<String, String> {
        header::decode_text(self.text()?).map_err(|error| error.to_string())
    }
}
