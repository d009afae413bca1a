//! Where an offer comes from: a file, stdin, or the 402 of a URL.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use x402_sim::payer::Offer;
use x402_sim::registry::Version;
use x402_wire::header::PAYMENT_REQUIRED;

use super::{SignError, fetch};
use crate::context::Context;

/// The most that is read of anything, in bytes.
pub const LIMIT: usize = 1024 * 1024;

/// Where an offer comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
    /// Something that answers 402 over plain HTTP.
    Url(Uri),
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// What a word on the command line names.
pub fn classify(text: &str) -> Result<Source, String> {
    if text == "-" {
        return Ok(Source::Stdin);
    }
    let Some((scheme, _)) = text.split_once("://") else { return Ok(Source::File(text.into())) };
    match scheme.to_ascii_lowercase().as_str() {
        "http" => {
            let uri: Uri = text.parse().map_err(|error| format!("this is no URL: {error}"))?;
            let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
            if plain {
                Ok(Source::Url(uri))
            } else {
                Err("a URL with a user or without a host is not asked".to_owned())
            }
        }
        "https" => Err(format!(
            "https is not supported yet; let curl fetch the offer, in protocol version 2: `curl -sD - -o /dev/null \
             '{text}' | sed -n 's/^payment-required: //Ip' | x402-dev sign -`, or in version 1: `curl -s '{text}' | \
             x402-dev sign -`"
        )),
        _ => Err(format!("`{scheme}` is not supported: give a file, `-` for stdin, or an http URL")),
    }
}

/// An HTTP method.
pub fn method(text: &str) -> Result<Method, String> {
    text.parse().map_err(|_| "this is no HTTP method".to_owned())
}

impl Source {
    /// Reads the offer, of one version where one is wanted.
    pub fn read(&self, context: &Context, method: &Method, version: Option<Version>) -> Result<Offer, SignError> {
        let offer = match self {
            Self::Stdin => self.parse(io::stdin().lock()),
            Self::File(path) => {
                let file = File::open(context.working_dir.join(path));
                self.parse(file.map_err(|source| SignError::Unreadable { name: self.name(), source })?)
            }
            Self::Url(url) => self.offer_of(&fetch::ask(url, method)?, method, version),
        }?;
        match version {
            Some(wanted) if wanted != offer.version => {
                Err(SignError::OtherVersion { name: self.name(), version: offer.version })
            }
            _ => Ok(offer),
        }
    }

    /// What it is called in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "stdin".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => url.to_string(),
        }
    }

    fn parse(&self, source: impl Read) -> Result<Offer, SignError> {
        let mut bytes = Vec::new();
        let read = source.take(LIMIT as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|source| SignError::Unreadable { name: self.name(), source })?;
        if bytes.len() > LIMIT {
            return Err(SignError::TooLarge { name: self.name() });
        }
        Offer::parse(&bytes).map_err(|why| SignError::NoOffer { name: self.name(), why })
    }

    /// The offer in an answer: as official clients look for it, the header first.
    fn offer_of(&self, answer: &Answer, method: &Method, version: Option<Version>) -> Result<Offer, SignError> {
        if answer.status != StatusCode::PAYMENT_REQUIRED {
            return Err(SignError::NotAsked { name: self.name(), method: method.clone(), status: answer.status });
        }
        let header = answer.headers.get(PAYMENT_REQUIRED).filter(|_| version != Some(Version::V1));
        let offer = match header {
            Some(value) => Offer::from_header(&String::from_utf8_lossy(value.as_bytes())),
            None => Offer::parse(&answer.body),
        };
        let place = if header.is_some() { "its PAYMENT-REQUIRED header" } else { "its body" };
        offer.map_err(|why| SignError::NoOffer { name: format!("{} answers 402, but {place}", self.name()), why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        assert_eq!(classify("-"), Ok(Source::Stdin));
        assert_eq!(classify("offer.json"), Ok(Source::File("offer.json".into())));
        assert!(matches!(classify("http://127.0.0.1:3402/a?b"), Ok(Source::Url(_))));
        assert!(matches!(classify("HTTP://[::1]:3402"), Ok(Source::Url(_))));
        for (text, part) in [
            ("https://api.test/a", "curl -sD - -o /dev/null 'https://api.test/a'"),
            ("ftp://a/b", "`ftp` is not supported"),
            ("http://", "no URL"),
            ("http://a b/", "no URL"),
            ("http://u:p@a/", "with a user"),
        ] {
            let error = classify(text).unwrap_err();
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }
}
