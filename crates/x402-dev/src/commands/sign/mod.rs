//! `x402-dev sign`: a payment for given requirements, made by a test account and not sent; right, or wrong in one thing.
//!
//! | room | what it holds |
//! |---|---|
//! | [`source`] | files, stdin and URLs, as offers |
//! | [`fetch`] | asking a URL for its offer |
//! | [`listing`] | the table of defects |

use std::fs::File;
use std::io::{self, Read};

use http::{Method, StatusCode, Uri};
use serde::Serialize;
use x402_sim::B256;
use x402_sim::accounts::TestAccount;
use x402_sim::networks::eip155::checksum;
use x402_sim::networks::eip155::eip3009::Defect;
use x402_sim::networks::eip155::eip3009::draft::{NoDefect, Occasion, Signed, Terms};
use x402_sim::payer::{NoChoice, NoOffer, Offer, Wish};
use x402_sim::registry::Version;
use x402_wire::document::Document;
use x402_wire::header;

use crate::clock;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::terminal;

pub mod fetch;
pub mod listing;
pub mod source;

use listing::Row;
use source::Source;

/// What is to be done.
#[derive(Debug)]
pub enum Job {
    /// Sign.
    Sign(Box<Order>),
    /// List the defects.
    List(Form),
}

/// What to sign, and how.
#[derive(Debug)]
pub struct Order {
    /// Where the offer comes from.
    pub source: Source,
    /// How a URL is asked.
    pub method: Method,
    /// Who pays.
    pub account: TestAccount,
    /// Which of the requirements.
    pub wish: Wish,
    /// Of which version.
    pub version: Option<Version>,
    /// What is to be wrong.
    pub defect: Option<&'static Defect>,
    /// The nonce, if not a random one.
    pub nonce: Option<B256>,
    /// The clock in seconds, if not the computer's.
    pub now: Option<u64>,
    /// How long the authorization is valid, in seconds, if not as the requirements say.
    pub lifetime: Option<u64>,
    /// How the result is printed.
    pub form: Form,
}

/// How the result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The header's value.
    Value,
    /// The header's name and value.
    Header,
    /// A curl command.
    Curl,
    /// A facilitator's request.
    Body,
    /// Everything, as JSON.
    Json,
}

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The source cannot be read.
    #[error("cannot read {name}")]
    Unreadable {
        /// What.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody answers at the URL.
    #[error("cannot reach {url}")]
    Unreachable {
        /// The URL.
        url: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The source is larger than [`source::LIMIT`].
    #[error("{name} is larger than 1 MiB")]
    TooLarge {
        /// What.
        name: String,
    },
    /// The URL asks for no payment.
    #[error("{method} {name} is answered with {status}, not with 402 Payment Required")]
    NotAsked {
        /// The URL.
        name: String,
        /// How it was asked.
        method: Method,
        /// What it answered.
        status: StatusCode,
    },
    /// The source holds something else.
    #[error("{name} holds nothing that can be signed for: {why}")]
    NoOffer {
        /// The source.
        name: String,
        /// What it holds.
        why: NoOffer,
    },
    /// The source speaks another version than the one that is wanted.
    #[error("{name} holds an offer of protocol version {}", version.number())]
    OtherVersion {
        /// The source.
        name: String,
        /// Its version.
        version: Version,
    },
    /// None of the requirements.
    #[error("{name}: {why}")]
    NoChoice {
        /// The source.
        name: String,
        /// Why.
        why: NoChoice,
    },
    /// The defect is what is asked for.
    #[error(transparent)]
    NoDefect(#[from] NoDefect),
    /// There is no URL to send the payment to.
    #[error("{name} does not say which URL is paid for")]
    NoUrl {
        /// The source.
        name: String,
    },
}

impl SignError {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotAsked { status, .. } if status.is_redirection() => {
                Some("redirects are not followed: give the address that it leads to")
            }
            Self::NotAsked { .. } => Some("another method can be given with -X"),
            Self::NoChoice { .. } => {
                Some("--network, --asset and --index choose; without them, the first that fits is taken")
            }
            Self::NoUrl { .. } => Some("print the header alone with --header"),
            Self::Unreachable { .. } => Some("start a server with `x402-dev mock -d`, or give a file"),
            Self::Unreadable { .. }
            | Self::TooLarge { .. }
            | Self::NoOffer { .. }
            | Self::OtherVersion { .. }
            | Self::NoDefect(_) => None,
        }
    }

    /// The exit code.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unreadable { .. } => Exit::Usage,
            Self::Unreachable { .. } => Exit::Unavailable,
            Self::TooLarge { .. }
            | Self::NotAsked { .. }
            | Self::NoOffer { .. }
            | Self::OtherVersion { .. }
            | Self::NoChoice { .. }
            | Self::NoDefect(_)
            | Self::NoUrl { .. } => Exit::Failure,
        }
    }
}

/// Does the job.
pub fn run(context: &Context, job: Job) -> Result<Exit, Error> {
    match job {
        Job::List(form) => terminal::result(&listing::render(form)),
        Job::Sign(order) => {
            let (offer, terms, signed) = sign(context, &order)?;
            terminal::result(&render(&order, &offer, &terms, &signed)?);
        }
    }
    Ok(Exit::Success)
}

fn sign(context: &Context, order: &Order) -> Result<(Offer, Terms, Signed), Error> {
    let offer = order.source.read(context, &order.method, order.version)?;
    let choice = offer.choose(&order.wish);
    let terms = choice.map_err(|why| SignError::NoChoice { name: order.source.name(), why })?;
    let nonce = order.nonce.map_or_else(random_nonce, Ok);
    let occasion = Occasion {
        now: order.now.unwrap_or_else(|| clock::now() / 1000),
        lifetime: order.lifetime,
        nonce: nonce.map_err(|source| Error::System { what: "no randomness from the system", source })?,
    };
    let draft = terms.draft(order.account.into(), &occasion);
    let signed = draft.sign(offer.around.clone(), order.defect).map_err(SignError::from)?;
    Ok((offer, terms, signed))
}

fn random_nonce() -> io::Result<B256> {
    let mut nonce = B256::ZERO;
    File::open("/dev/urandom")?.read_exact(nonce.as_mut_slice())?;
    Ok(nonce)
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    header: &'static str,
    value: String,
    payload: &'a Document,
    requirements: &'a Document,
    signer: String,
    digest: String,
    defect: Option<Row>,
}

/// A facilitator's request, as the official resource servers write it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    x402_version: &'a Document,
    payment_payload: &'a Document,
    payment_requirements: &'a Document,
}

fn render(order: &Order, offer: &Offer, terms: &Terms, signed: &Signed) -> Result<String, SignError> {
    let header = match terms.version {
        Version::V1 => "X-PAYMENT",
        Version::V2 => "PAYMENT-SIGNATURE",
    };
    let payload = &signed.payload;
    let value = header::encode(payload);
    Ok(match order.form {
        Form::Value => value,
        Form::Header => format!("{header}: {value}"),
        Form::Curl => {
            let (method, url) = target(order, offer, terms)?;
            let method = if method == Method::GET { String::new() } else { format!(" -X {method}") };
            format!("curl -i{method} -H '{header}: {value}' '{url}'")
        }
        Form::Body => json(&Body {
            x402_version: payload.get("x402Version").unwrap_or(&Document::Null),
            payment_payload: payload,
            payment_requirements: &terms.requirements,
        }),
        Form::Json => pretty(&Printed {
            header,
            value,
            payload,
            requirements: &terms.requirements,
            signer: checksum(signed.signer),
            digest: signed.digest.to_string(),
            defect: order.defect.map(|defect| match terms.by_permit2() {
                Some(by) => Row::of(&defect.by_permit2(by.scheme), terms.version),
                None => Row::of(defect, terms.version),
            }),
        }),
    })
}

/// Where the payment would go: the URL that was asked, or the one that the offer names.
fn target<'a>(order: &'a Order, offer: &Offer, terms: &Terms) -> Result<(&'a Method, String), SignError> {
    let url = match &order.source {
        Source::Url(url) => Some(url.clone()),
        // What does not parse as a URL has no place in a shell.
        Source::Stdin | Source::File(_) => offer.url(terms).and_then(|url| url.parse::<Uri>().ok()),
    };
    let url = url.filter(|url| url.host().is_some()).map(|url| url.to_string().replace('\'', "%27"));
    url.map(|url| (&order.method, url)).ok_or_else(|| SignError::NoUrl { name: order.source.name() })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is printed has string keys")
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("what is printed has string keys")
}
