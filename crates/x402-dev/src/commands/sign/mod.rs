//! `x402-dev sign`: a payment for given requirements, made by a test account and not sent; right, or wrong in one thing.
//!
//! | room | what it holds |
//! |---|---|
//! | [`source`] | files, stdin and URLs, as offers |
//! | [`fetch`] | asking a URL for its offer, and a chain for a blockhash |
//! | [`writing`] | the payment, on a network of either family |
//! | [`listing`] | the table of defects |
//! | [`error`] | why nothing is signed |

use http::{Method, Uri};
use serde::Serialize;
use x402_sim::B256;
use x402_sim::accounts::TestAccount;
use x402_sim::payer::{Offer, Wish};
use x402_sim::registry::Version;
use x402_wire::document::Document;
use x402_wire::header;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::terminal;

pub mod error;
pub mod fetch;
pub mod listing;
pub mod source;
pub mod writing;

pub use error::SignError;

use listing::Row;
use source::Source;
use writing::{Named, Written};

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
    pub defect: Option<Named>,
    /// The nonce, if not a random one.
    pub nonce: Option<B256>,
    /// The clock in seconds, if not the computer's.
    pub now: Option<u64>,
    /// How long the authorization is valid, in seconds, if not as the requirements say.
    pub lifetime: Option<u64>,
    /// A recent blockhash of a Solana cluster, if it is given.
    pub blockhash: Option<[u8; 32]>,
    /// Where to ask for one.
    pub rpc: Option<Uri>,
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

/// Does the job.
pub fn run(context: &Context, job: Job) -> Result<Exit, Error> {
    match job {
        Job::List(form) => terminal::result(&listing::render(form)),
        Job::Sign(order) => {
            let offer = order.source.read(context, &order.method, order.version)?;
            let written = writing::write(context, &order, &offer)?;
            terminal::result(&render(&order, &offer, &written)?);
        }
    }
    Ok(Exit::Success)
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    header: &'static str,
    value: String,
    payload: &'a Document,
    requirements: &'a Document,
    signer: &'a str,
    digest: &'a str,
    defect: Option<&'a Row>,
}

/// A facilitator's request, as the official resource servers write it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    x402_version: &'a Document,
    payment_payload: &'a Document,
    payment_requirements: &'a Document,
}

fn render(order: &Order, offer: &Offer, written: &Written) -> Result<String, SignError> {
    let header = match written.version {
        Version::V1 => "X-PAYMENT",
        Version::V2 => "PAYMENT-SIGNATURE",
    };
    let payload = &written.payload;
    let value = header::encode(payload);
    Ok(match order.form {
        Form::Value => value,
        Form::Header => format!("{header}: {value}"),
        Form::Curl => {
            let (method, url) = target(order, offer, &written.requirements)?;
            let method = if method == Method::GET { String::new() } else { format!(" -X {method}") };
            format!("curl -i{method} -H '{header}: {value}' '{url}'")
        }
        Form::Body => json(&Body {
            x402_version: payload.get("x402Version").unwrap_or(&Document::Null),
            payment_payload: payload,
            payment_requirements: &written.requirements,
        }),
        Form::Json => pretty(&Printed {
            header,
            value,
            payload,
            requirements: &written.requirements,
            signer: &written.signer,
            digest: &written.digest,
            defect: written.defect.as_ref(),
        }),
    })
}

/// Where the payment would go: the URL that was asked, or the one that the offer names.
fn target<'a>(order: &'a Order, offer: &Offer, requirements: &Document) -> Result<(&'a Method, String), SignError> {
    let url = match &order.source {
        Source::Url(url) => Some(url.clone()),
        // What does not parse as a URL has no place in a shell.
        Source::Stdin | Source::File(_) => offer.url(requirements).and_then(|url| url.parse::<Uri>().ok()),
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
