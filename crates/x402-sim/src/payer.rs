//! The payer: what it reads in an offer, and which of the requirements it chooses.
//!
//! Source: TS 2.27 core `x402Client.selectPaymentRequirements`, without its spend controls.

use std::fmt;

use x402_wire::document::Document;
use x402_wire::header;
use x402_wire::shape::shorten;

use crate::networks::eip155::assets::v1_chain_id;
use crate::networks::eip155::eip3009::draft::{NotSignable, Surroundings, Terms, amount_key};
use crate::networks::solana::exact::draft as svm;
use crate::networks::{Family, Network, eip155};
use crate::registry::{self, Version};

/// An offer as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its protocol version.
    pub version: Version,
    /// What the payload repeats beside the requirements.
    pub around: Surroundings,
    /// The requirements, in the seller's order.
    pub accepts: Vec<Document>,
}

/// Why a text or a document is no offer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoOffer {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// JSON that does not parse.
    #[error("it is not JSON: {detail}")]
    NotJson {
        /// Line, column and what is wrong.
        detail: String,
    },
    /// Neither JSON nor a header value.
    #[error("it is neither JSON nor the value of a PAYMENT-REQUIRED header: {0}")]
    NotHeader(header::DecodeError),
    /// JSON of something else.
    #[error("it is no offer and no requirements: it is {found}")]
    Other {
        /// What it is.
        found: String,
    },
    /// A version that nobody here speaks.
    #[error("it is an offer of x402Version {found}; 1 and 2 are known")]
    Version {
        /// What it says.
        found: String,
    },
    /// An offer without requirements.
    #[error("its `accepts` holds {found}, and no requirements")]
    NoAccepts {
        /// What it holds.
        found: String,
    },
}

/// Which of the requirements a payer wants; what it leaves open is the official clients' choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The CAIP-2 id or the version 1 name of a network.
    pub network: Option<String>,
    /// An asset's address, or the symbol of a known one.
    pub asset: Option<String>,
    /// The place among the requirements that fit the rest, counted from 0.
    pub index: Option<usize>,
}

/// Requirements that were chosen, on a network of one of the families.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// On an EVM network.
    Evm(Terms),
    /// On Solana.
    Solana(svm::Terms),
}

/// None of the requirements fits or can be signed for: each, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoChoice(Vec<(String, Option<String>)>);

impl Offer {
    /// Reads JSON, or the value of a `PAYMENT-REQUIRED` header.
    pub fn parse(text: &[u8]) -> Result<Self, NoOffer> {
        let text = text.trim_ascii();
        match text.first() {
            None => Err(NoOffer::Empty),
            Some(b'{' | b'[' | b'"') => Document::parse(text)
                .map_err(|error| NoOffer::NotJson { detail: error.to_string() })
                .and_then(|document| Self::read(&document)),
            Some(_) => Self::from_header(&String::from_utf8_lossy(text)),
        }
    }

    /// Reads the value of a `PAYMENT-REQUIRED` header.
    pub fn from_header(value: &str) -> Result<Self, NoOffer> {
        Self::read(&header::decode(value).map_err(NoOffer::NotHeader)?)
    }

    /// Reads an offer of either version, or requirements alone.
    pub fn read(document: &Document) -> Result<Self, NoOffer> {
        let Some(accepts) = document.get("accepts") else { return Self::single(document) };
        let version = match document.get("x402Version") {
            None => accepted(accepts).and_then(|entries| version_of(entries.first()?)),
            Some(number) => number.whole().and_then(Version::from_number),
        };
        let said = || document.get("x402Version").map_or_else(|| "nothing".to_owned(), Document::describe);
        let version = version.ok_or_else(|| NoOffer::Version { found: said() })?;
        let entries = accepted(accepts).ok_or_else(|| NoOffer::NoAccepts { found: accepts.describe() })?;
        if entries.is_empty() {
            return Err(NoOffer::NoAccepts { found: "nothing".to_owned() });
        }
        let around = Surroundings {
            resource: document.get("resource").cloned(),
            extensions: document.get("extensions").cloned(),
        };
        Ok(Self { version, around, accepts: entries.to_vec() })
    }

    fn single(document: &Document) -> Result<Self, NoOffer> {
        let version = version_of(document).ok_or_else(|| NoOffer::Other { found: outline(document) })?;
        Ok(Self { version, around: Surroundings::default(), accepts: vec![document.clone()] })
    }

    /// The requirements that a payer with a key for EVM networks would choose.
    pub fn choose(&self, wish: &Wish) -> Result<Terms, NoChoice> {
        self.first(wish, |entry| Terms::read(self.version, entry).map_err(|why: NotSignable| why.to_string()))
    }

    /// The requirements that a payer with a key for each family would choose.
    pub fn choose_any(&self, wish: &Wish) -> Result<Chosen, NoChoice> {
        self.first(wish, |entry| {
            if family_of(entry) == Some(Family::Solana) {
                return svm::Terms::read(self.version, entry).map(Chosen::Solana).map_err(|why| why.to_string());
            }
            Terms::read(self.version, entry).map(Chosen::Evm).map_err(|why| why.to_string())
        })
    }

    /// The first of the requirements that fit and can be read, those that are settled after the answer before others.
    fn first<T>(&self, wish: &Wish, read: impl Fn(&Document) -> Result<T, String>) -> Result<T, NoChoice> {
        let fitting: Vec<&Document> = self.accepts.iter().filter(|entry| wish.fits(entry)).collect();
        let wanted = match wish.index {
            Some(index) => fitting.get(index).copied().into_iter().collect(),
            None => fitting,
        };
        let mut read: Vec<_> = wanted.into_iter().map(|entry| (entry, read(entry))).collect();
        let is_signable = |(_, terms): &(&Document, Result<T, String>)| terms.is_ok();
        let usual = read.iter().position(|own| is_signable(own) && settles_after(own.0));
        if let Some(place) = usual.or_else(|| read.iter().position(is_signable))
            && let Ok(terms) = read.swap_remove(place).1
        {
            return Ok(terms);
        }
        let why = |entry: &Document| {
            let found = read.iter().find(|(own, _)| std::ptr::eq(*own, entry));
            found.and_then(|(_, terms)| terms.as_ref().err().cloned())
        };
        Err(NoChoice(self.accepts.iter().map(|entry| (self.name(entry), why(entry))).collect()))
    }

    /// The address of what is paid for, if the offer says it.
    pub fn url<'a>(&'a self, requirements: &'a Document) -> Option<&'a str> {
        match self.version {
            Version::V1 => requirements.get("resource"),
            Version::V2 => self.around.resource.as_ref().and_then(|resource| resource.get("url")),
        }
        .and_then(Document::text)
    }

    /// `exact on eip155:84532, 10000 of 0x036C…`.
    fn name(&self, entry: &Document) -> String {
        let said = |key| entry.get(key).and_then(Document::text).map_or_else(|| "?".to_owned(), shorten);
        let amount = said(amount_key(self.version));
        format!("{} on {}, {amount} of {}", said("scheme"), said("network"), said("asset"))
    }
}

impl Wish {
    fn fits(&self, entry: &Document) -> bool {
        let network = entry.get("network").and_then(Document::text).unwrap_or_default();
        let asset = entry.get("asset").and_then(Document::text).unwrap_or_default();
        let known = || registry::networks().into_iter().find(|known| is_on(known, network));
        let is_asset = |wanted: &str| {
            asset.eq_ignore_ascii_case(wanted)
                || known().is_some_and(|network| {
                    network.asset_by_symbol(wanted).is_some_and(|own| own.address.eq_ignore_ascii_case(asset))
                })
        };
        self.network.as_deref().is_none_or(|wanted| is_same_network(wanted, network))
            && self.asset.as_deref().is_none_or(is_asset)
    }
}

impl fmt::Display for NoChoice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("none of the requirements can be signed for:")?;
        for (index, (name, why)) in self.0.iter().enumerate() {
            write!(out, "\n  {index}: {name} (")?;
            match why {
                Some(why) => write!(out, "{why})")?,
                None => out.write_str("not asked for)")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for NoChoice {}

fn accepted(accepts: &Document) -> Option<&[Document]> {
    match accepts {
        Document::List(entries) => Some(entries),
        _ => None,
    }
}

/// The version that requirements are of, by the name of their amount.
fn version_of(requirements: &Document) -> Option<Version> {
    [Version::V2, Version::V1].into_iter().find(|version| requirements.get(amount_key(*version)).is_some())
}

fn chain(network: &str) -> Option<u64> {
    eip155::chain_id(network).or_else(|| v1_chain_id(network))
}

fn is_same_network(left: &str, right: &str) -> bool {
    let is_same_known = |known: &Network| known.is_called(left) && known.is_called(right);
    left == right
        || chain(left).is_some_and(|left| chain(right) == Some(left))
        || registry::networks().iter().any(is_same_known)
}

/// The family of the network that requirements name, where it is known.
fn family_of(entry: &Document) -> Option<Family> {
    let network = entry.get("network").and_then(Document::text)?;
    if network.starts_with("solana:") {
        return Some(Family::Solana);
    }
    registry::networks().into_iter().find(|known| known.is_called(network)).map(|known| known.family)
}

/// Whether a resource delivers before it settles, as it does unless it says otherwise.
fn settles_after(entry: &Document) -> bool {
    let flow = entry.get("extra").and_then(|extra| extra.get("paymentFlow"));
    flow.is_none_or(|flow| flow.text() == Some("authorization"))
}

fn is_on(known: &Network, network: &str) -> bool {
    known.is_called(network) || is_same_network(&known.id, network)
}

/// A document in a few words: what an object holds.
fn outline(document: &Document) -> String {
    match document {
        Document::Object(members) if members.is_empty() => "an empty object".to_owned(),
        Document::Object(_) => {
            let keys: Vec<String> = document.keys().take(8).map(|key| format!("`{}`", shorten(key))).collect();
            format!("an object with {}", keys.join(", "))
        }
        other => other.describe(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"scheme":"exact","network":"eip155:84532","amount":"1000","payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C","maxTimeoutSeconds":60,"asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","extra":{"name":"USDC","version":"2"}}"#;

    fn changed(from: &str, to: &str) -> String {
        assert!(FIRST.contains(from));
        FIRST.replace(from, to)
    }

    fn offer(accepts: &[&str]) -> Offer {
        let text =
            format!(r#"{{"x402Version":2,"resource":{{"url":"http://a/b"}},"accepts":[{}]}}"#, accepts.join(","));
        Offer::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_form_of_an_offer_is_read() {
        let v1 = changed("\"amount\"", "\"maxAmountRequired\"");
        let body = format!(r#"{{"x402Version":2,"error":"x","accepts":[{FIRST}],"extensions":{{"b":1,"a":2}}}}"#);
        for (text, version, extensions) in [
            (FIRST.to_owned(), Version::V2, None),
            (format!("\n {FIRST}\r\n"), Version::V2, None),
            (v1.clone(), Version::V1, None),
            (format!(r#"{{"x402Version":1,"accepts":[{v1}]}}"#), Version::V1, None),
            (format!(r#"{{"accepts":[{v1}]}}"#), Version::V1, None),
            (body.clone(), Version::V2, Some(r#"{"b":1,"a":2}"#)),
            (format!("{}\r\n", header::encode_text(&body)), Version::V2, Some(r#"{"b":1,"a":2}"#)),
        ] {
            let offer = Offer::parse(text.as_bytes()).unwrap();
            assert_eq!((offer.version, offer.accepts.len()), (version, 1), "{text}");
            assert_eq!(offer.around.extensions.map(|document| document.to_json()).as_deref(), extensions, "{text}");
        }
    }

    #[test]
    fn what_is_no_offer_is_named() {
        for (text, part) in [
            ("", "empty"),
            (" \n", "empty"),
            ("{", "not JSON"),
            ("[]", "it is an array"),
            ("\"x\"", "it is \"x\""),
            ("{}", "an empty object"),
            (r#"{"sky":"clear","celsius":21}"#, "an object with `sky`, `celsius`"),
            ("hello world", "not base64"),
            ("bm90IGpzb24=", "not of JSON"),
            ("\u{fffd}\u{1b}[31m", "not base64"),
            (r#"{"x402Version":3,"accepts":[]}"#, "x402Version the number 3"),
            (r#"{"accepts":[]}"#, "x402Version nothing"),
            (r#"{"x402Version":2,"accepts":[]}"#, "`accepts` holds nothing"),
            (r#"{"x402Version":1,"accepts":{}}"#, "`accepts` holds an object"),
        ] {
            let error = Offer::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{part} is not in: {error}");
            assert!(!error.contains('\u{1b}'));
        }
    }

    #[test]
    fn the_first_that_can_be_signed_for_is_chosen_unless_one_is_wished_for() {
        let solana = changed("eip155:84532", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1");
        let upfront = changed("{\"name\"", "{\"paymentFlow\":\"upfront\",\"name\"");
        let base = changed("eip155:84532", "eip155:8453");
        let offer = offer(&[&solana, &upfront, &base, FIRST]);
        let chosen = |wish: Wish| offer.choose(&wish).map(|terms| terms.requirements.to_json());
        let network = |name: &str| Wish { network: Some(name.to_owned()), ..Wish::default() };
        assert_eq!(chosen(Wish::default()).as_ref(), Ok(&base), "upfront comes last");
        assert_eq!(chosen(network("base-sepolia")).as_deref(), Ok(FIRST));
        assert_eq!(chosen(Wish { index: Some(0), ..network("eip155:84532") }).as_ref(), Ok(&upfront));
        assert_eq!(chosen(Wish { index: Some(3), ..Wish::default() }).as_deref(), Ok(FIRST));
        let asset = |name: &str| Wish { asset: Some(name.to_owned()), ..Wish::default() };
        assert_eq!(chosen(asset("usdc")).as_deref(), Ok(FIRST), "that is not USDC on Base");
        assert_eq!(chosen(asset("0x036cbd53842c5426634e7929541ec2318f3dcf7e")).as_ref(), Ok(&base));
        for wish in [network("mars"), asset("EURC"), Wish { index: Some(0), ..Wish::default() }] {
            let text = chosen(wish).unwrap_err().to_string();
            assert!(text.contains("0: exact on solana:") && text.contains("3: exact on eip155:84532"), "{text}");
        }
        let none = Offer { accepts: vec![offer.accepts[0].clone()], ..offer.clone() };
        let text = none.choose(&Wish::default()).unwrap_err().to_string();
        assert!(text.contains("is no EVM network of version 2"), "{text}");
    }

    #[test]
    fn the_url_is_where_the_version_says_it() {
        let offer = offer(&[FIRST]);
        assert_eq!(offer.url(&offer.choose(&Wish::default()).unwrap().requirements), Some("http://a/b"));
        let v1 = changed("\"amount\":\"1000\"", "\"maxAmountRequired\":\"1000\",\"resource\":\"http://a/c\"");
        let v1 = Offer::parse(v1.replace("eip155:84532", "base-sepolia").as_bytes()).unwrap();
        assert_eq!(v1.url(&v1.choose(&Wish::default()).unwrap().requirements), Some("http://a/c"));
    }

    #[test]
    fn a_payer_with_both_keys_chooses_the_first_of_either_family() {
        let key = crate::networks::solana::TEST_ADDRESSES[9];
        let solana = format!(
            r#"{{"scheme":"exact","network":"solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1","amount":"1","payTo":"{key}","maxTimeoutSeconds":60,"asset":"4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU","extra":{{"feePayer":"{key}"}}}}"#
        );
        let wish = |network: &str| Wish { network: Some(network.to_owned()), ..Wish::default() };
        let (first, second) = (offer(&[FIRST, &solana]), offer(&[&solana, FIRST]));
        assert!(matches!(first.choose_any(&Wish::default()), Ok(Chosen::Evm(_))));
        assert!(matches!(second.choose_any(&Wish::default()), Ok(Chosen::Solana(_))));
        for name in ["solana-devnet", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"] {
            assert!(matches!(first.choose_any(&wish(name)), Ok(Chosen::Solana(_))), "{name}");
        }
        assert!(matches!(second.choose_any(&wish("base-sepolia")), Ok(Chosen::Evm(_))));
        let broken = offer(&[&solana.replace("feePayer", "fee")]);
        let why = broken.choose_any(&Wish::default()).unwrap_err().to_string();
        assert!(why.contains("extra.feePayer"), "{why}");
    }
}
