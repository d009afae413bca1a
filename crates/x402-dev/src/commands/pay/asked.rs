//! What a 402 asks: an offer of either version, or an invoice.
//!
//! Source: TS 2.27 core `x402HTTPClient.getPaymentRequiredResponse`: the header first, then a body of version 1.

use http::{HeaderMap, header};
use serde::Deserialize;
use x402_sim::payer::{NoOffer, Offer};
use x402_sim::registry::Version;
use x402_wire::header::PAYMENT_REQUIRED;
use x402_wire::invoice::{Invoice, SCHEME};

use super::exchange::Answer;
use super::finding::Finding;
use super::story::said;

/// How a payment is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `PAYMENT-SIGNATURE`.
    V2,
    /// `X-PAYMENT`.
    V1,
    /// `X-Payment-Proof`.
    Invoice,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// An offer of either version.
    Offer(Offer),
    /// An invoice.
    Invoice(Invoice),
}

/// Nothing that we understand is asked: what was looked at, and what is wrong with it; and the dialect in which something
/// is asked, where only another one was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NothingAsked(pub Vec<String>, pub Option<Dialect>);

/// A body with an invoice.
#[derive(Deserialize)]
struct WithInvoice {
    invoice: Invoice,
}

impl Dialect {
    /// Every dialect, in the order in which they are looked for.
    pub const ALL: [Self; 3] = [Self::V2, Self::V1, Self::Invoice];

    /// Its name, as the configuration has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2 => "x402v2",
            Self::V1 => "x402v1",
            Self::Invoice => "invoice",
        }
    }

    /// The dialect of a name.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let (long, short) = (format!("x402{lower}"), format!("x402v{lower}"));
        Self::ALL.into_iter().find(|dialect| [&lower, &long, &short].iter().any(|name| *name == dialect.name()))
    }
}

impl Asked {
    /// The first that is understood, of one dialect where one is wanted; and a word on each that is broken.
    pub fn read(answer: &Answer, wanted: Option<Dialect>) -> Result<(Self, Vec<String>), NothingAsked> {
        let mut notes = Vec::new();
        for dialect in Dialect::ALL.into_iter().filter(|dialect| wanted.is_none_or(|wanted| wanted == *dialect)) {
            match Self::said(answer, dialect) {
                Some(Ok(asked)) => return Ok((asked, notes)),
                Some(Err(why)) => notes.push(why),
                None if wanted.is_some() => notes.push(format!("it says nothing in {}", dialect.name())),
                None => {}
            }
        }
        let is_said = |dialect: &Dialect| matches!(Self::said(answer, *dialect), Some(Ok(_)));
        let other = Dialect::ALL.into_iter().filter(|_| wanted.is_some()).find(is_said);
        Err(NothingAsked(notes, other))
    }

    /// A word on an offer that came with another status than 402, which official clients do not see.
    pub fn misplaced(answer: &Answer) -> Option<Finding> {
        let is_offer =
            [Dialect::V2, Dialect::V1].into_iter().any(|dialect| matches!(Self::said(answer, dialect), Some(Ok(_))));
        let text = || {
            let status = answer.status;
            format!("an offer came with {status}, and not with 402: nothing was paid, and this may not be the content")
        };
        is_offer.then(|| Finding::new("offer_wrong_status", text()))
    }

    /// How it is said.
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Offer(Offer { version: Version::V2, .. }) => Dialect::V2,
            Self::Offer(Offer { version: Version::V1, .. }) => Dialect::V1,
            Self::Invoice(_) => Dialect::Invoice,
        }
    }

    fn said(answer: &Answer, dialect: Dialect) -> Option<Result<Self, String>> {
        match dialect {
            Dialect::V2 => {
                let value = answer.headers.get(PAYMENT_REQUIRED)?;
                let offer = Offer::from_header(&String::from_utf8_lossy(value.as_bytes()));
                let why = |why: NoOffer| format!("its PAYMENT-REQUIRED header: {}", said(&why.to_string()));
                Some(offer.map(Self::Offer).map_err(why))
            }
            Dialect::V1 => {
                let body = answer.body.head();
                let text = String::from_utf8_lossy(body);
                if !text.contains("\"accepts\"") {
                    return None;
                }
                let cut =
                    answer.broken.as_ref().map(|cause| format!(", and it is cut off: {cause}")).unwrap_or_default();
                let offer = Offer::parse(body).map_err(|why| format!("its body: {}{cut}", said(&why.to_string())));
                Some(offer.and_then(|offer| match offer.version {
                    Version::V1 => Ok(Self::Offer(offer)),
                    Version::V2 => Err("its body holds an offer of version 2, which belongs into a header".to_owned()),
                }))
            }
            Dialect::Invoice => {
                let body = serde_json::from_slice::<WithInvoice>(answer.body.head()).map(|body| body.invoice).ok();
                body.or_else(|| challenge(&answer.headers)).map(|invoice| Ok(Self::Invoice(invoice)))
            }
        }
    }
}

/// The invoice in a `WWW-Authenticate: x402-solana recipient=... amount=...`.
fn challenge(headers: &HeaderMap) -> Option<Invoice> {
    let challenges = headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    challenges.filter_map(|value| value.strip_prefix(SCHEME)).find_map(|pairs| {
        let pairs: Vec<(&str, &str)> = pairs.split([' ', ',']).filter_map(|pair| pair.split_once('=')).collect();
        let get = |key: &str| {
            let value = pairs.iter().find(|(own, _)| *own == key).map(|(_, value)| value.trim_matches('"'))?;
            Some(value.to_owned())
        };
        Some(Invoice {
            recipient: get("recipient")?.into(),
            amount: get("amount")?,
            currency: get("currency")?.into(),
            memo: get("memo")?,
            network: get("network")?.into(),
            timestamp: 0,
            expires_at: 0,
            resource_path: String::new(),
        })
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, StatusCode};

    use super::*;
    use crate::commands::pay::content::Content;

    const WAY: &str = r#"{"scheme":"exact","network":"base-sepolia","maxAmountRequired":"1","resource":"http://a/b"}"#;

    fn answer(headers: &[(&'static str, &str)], body: &str) -> Answer {
        let mut content = Content::default();
        content.push(body.as_bytes(), std::path::Path::new("/")).unwrap();
        let pairs =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        Answer { status: StatusCode::PAYMENT_REQUIRED, headers: pairs.collect(), body: content, broken: None }
    }

    #[test]
    fn the_header_comes_first_then_the_body_then_the_invoice() {
        let v1 = format!(r#"{{"x402Version":1,"accepts":[{WAY}]}}"#);
        let v2 = x402_wire::header::encode_text(&v1.replace(":1,", ":2,").replace("maxAmountRequired", "amount"));
        let challenge = ("www-authenticate", "x402-solana recipient=r amount=0.01 currency=USDC memo=m network=n");
        let read = |headers: &[_], body: &str, wanted| {
            Asked::read(&answer(headers, body), wanted).map(|(asked, notes)| (asked.dialect(), notes.len()))
        };
        let all = [("payment-required", v2.as_str()), challenge];
        assert_eq!(read(&all, &v1, None), Ok((Dialect::V2, 0)));
        assert_eq!(read(&all, &v1, Some(Dialect::V1)), Ok((Dialect::V1, 0)));
        assert_eq!(read(&all, &v1, Some(Dialect::Invoice)), Ok((Dialect::Invoice, 0)));
        assert_eq!(read(&[("payment-required", "%"), challenge], &v1, None), Ok((Dialect::V1, 1)));
        assert_eq!(read(&[challenge], "<html>", None), Ok((Dialect::Invoice, 0)));
        let invoice = r#"{"invoice":{"recipient":"r","amount":"1","currency":"USDC","memo":"m","network":"n",
            "timestamp":1,"expires_at":2,"resource_path":"/a"}}"#;
        assert_eq!(read(&[], invoice, None), Ok((Dialect::Invoice, 0)));
        let NothingAsked(notes, _) = read(&[("payment-required", "%")], "{}", None).unwrap_err();
        assert!(notes[0].contains("PAYMENT-REQUIRED"), "{notes:?}");
        assert!(matches!(read(&[], "{}", Some(Dialect::V2)), Err(NothingAsked(notes, _)) if notes.len() == 1));
        let only = read(&all[..1], "{}", Some(Dialect::Invoice));
        assert!(matches!(only, Err(NothingAsked(notes, Some(Dialect::V2))) if notes[0].contains("nothing in invoice")));
        let misplaced = v1.replace(":1,", ":2,");
        assert!(matches!(read(&[], &misplaced, None), Err(NothingAsked(notes, _)) if notes[0].contains("version 2")));
    }

    #[test]
    fn dialects_have_long_and_short_names() {
        for (text, dialect) in [
            ("x402v2", Some(Dialect::V2)),
            ("1", Some(Dialect::V1)),
            ("v2", Some(Dialect::V2)),
            ("invoice", Some(Dialect::Invoice)),
            ("3", None),
        ] {
            assert_eq!(Dialect::parse(text), dialect, "{text}");
        }
    }
}
