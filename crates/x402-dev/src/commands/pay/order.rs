//! What is to be done: the request, who pays, what may be paid, and how it is told.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Uri};
use x402_wire::header::{PAYMENT_SIGNATURE, X_PAYMENT, X_PAYMENT_FROM, X_PAYMENT_PROOF};

use super::asked::Dialect;
use super::choice::Taste;
use super::error::PayError;
use super::exchange::Call;
use super::key::KeySource;
use super::story::Voice;
use crate::commands::mock::Form;
use crate::context::Context;

/// The largest body that is sent, in bytes: it is kept until the purchase has ended.
pub const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// The header fields that `pay` itself writes, and those that belong to a connection.
const OURS: [&str; 7] =
    [PAYMENT_SIGNATURE, X_PAYMENT, X_PAYMENT_PROOF, X_PAYMENT_FROM, "content-length", "connection", "upgrade"];

/// A purchase to be made.
#[derive(Clone, Debug)]
pub struct Order {
    /// What is asked for.
    pub errand: Wanted,
    /// Who pays, and what may be paid.
    pub paying: Paying,
    /// How requests are made.
    pub manners: Manners,
    /// How it is told.
    pub output: Output,
}

/// The request, as the command line has it.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where.
    pub url: Uri,
    /// How; without it, GET, or POST where there is a body.
    pub method: Option<Method>,
    /// Header fields.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub data: Option<Data>,
}

/// A body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Its parts, joined by `&`.
    pub parts: Vec<Part>,
    /// Its content type, where no header says another.
    pub kind: &'static str,
}

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A text of the command line.
    Text(String),
    /// A file, byte for byte.
    File(PathBuf),
    /// Standard input, byte for byte.
    Stdin,
}

/// Who pays, and what may be paid.
#[derive(Clone, Debug)]
pub struct Paying {
    /// Who.
    pub key: KeySource,
    /// What.
    pub taste: Taste,
    /// In which dialect, if not the first that is offered.
    pub dialect: Option<Dialect>,
    /// How far it goes.
    pub extent: Extent,
    /// What an earlier purchase without an end means.
    pub earlier: Earlier,
}

/// How far a purchase goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// To its end.
    Whole,
    /// It asks before it signs.
    Confirm,
    /// It shows the offer, and signs nothing.
    DryRun,
}

/// What an earlier purchase of the same without a known end means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// Nothing is bought before it has one.
    Blocks,
    /// Nothing: this is another purchase.
    IsAnother,
}

/// How requests are made.
#[derive(Clone, Debug)]
pub struct Manners {
    /// Whether redirects are followed.
    pub redirects: Redirects,
    /// How long one request may take.
    pub max_time: Duration,
    /// How often a payment whose outcome is not clear is presented again.
    pub retries: u32,
    /// How long to wait before the first of them; twice as long before each further one.
    pub retry_delay: Duration,
    /// Certificate authorities to trust besides the system's.
    pub cacert: Option<PathBuf>,
    /// A JSON-RPC endpoint of the payment's network.
    pub rpc: Option<Uri>,
    /// The time in milliseconds since 1970, in place of this computer's.
    pub now: Option<u64>,
}

/// Whether redirects are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// They are answers.
    Shown,
    /// They are followed.
    Followed,
}

/// How it is told.
#[derive(Clone, Debug)]
pub struct Output {
    /// For people or for programs.
    pub form: Form,
    /// Whether the head of the answer is shown, too.
    pub head: Head,
    /// Where the content goes, if not to stdout.
    pub file: Option<PathBuf>,
    /// How much is told on stderr.
    pub voice: Voice,
    /// Where the requests are written down, as HAR.
    pub trace: Option<PathBuf>,
}

/// Whether the head of the answer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// No.
    Hidden,
    /// Yes.
    Shown,
}

impl Wanted {
    /// The request, with its body read.
    pub fn call(&self, context: &Context) -> Result<Call, PayError> {
        let body = self.data.as_ref().map(|data| data.read(&context.working_dir)).transpose()?;
        let method = self.method.clone().unwrap_or(if body.is_some() { Method::POST } else { Method::GET });
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
        let mut unless_said = |name: HeaderName, value: &'static str| {
            if !headers.contains_key(&name) {
                headers.insert(name, HeaderValue::from_static(value));
            }
        };
        unless_said(header::ACCEPT, "*/*");
        unless_said(header::USER_AGENT, concat!("x402-dev/", env!("CARGO_PKG_VERSION")));
        if let Some(data) = &self.data {
            unless_said(header::CONTENT_TYPE, data.kind);
        }
        Ok(Call { method, url: self.url.clone(), headers, body })
    }
}

impl Data {
    /// Reads every part.
    fn read(&self, directory: &Path) -> Result<Bytes, PayError> {
        let mut all = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                all.push(b'&');
            }
            let unreadable = |source| PayError::Body { name: part.name(), source };
            let room = (BODY_LIMIT + 1).saturating_sub(all.len()) as u64;
            match part {
                Part::Text(text) => all.extend_from_slice(text.as_bytes()),
                Part::File(path) => {
                    let file = File::open(directory.join(path)).map_err(unreadable)?;
                    file.take(room).read_to_end(&mut all).map_err(unreadable)?;
                }
                Part::Stdin => {
                    io::stdin().lock().take(room).read_to_end(&mut all).map_err(unreadable)?;
                }
            }
            if all.len() > BODY_LIMIT {
                return Err(PayError::BodyTooLarge { name: part.name() });
            }
        }
        Ok(all.into())
    }

    /// Whether a part of it comes from standard input.
    pub fn reads_stdin(&self) -> bool {
        self.parts.contains(&Part::Stdin)
    }
}

impl Part {
    /// The part that a word names: `@FILE`, `@-`, or the text itself.
    pub fn of(text: &str) -> Self {
        match text.strip_prefix('@') {
            Some("-") => Self::Stdin,
            Some(path) => Self::File(path.into()),
            None => Self::Text(text.to_owned()),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Text(_) => "the body".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "stdin".to_owned(),
        }
    }
}

/// A header field of the command line: `Name: value`, or `Name;` for an empty one.
pub fn field(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => (name, value.trim()),
        None => (text.strip_suffix(';').ok_or("write `Name: value`")?, ""),
    };
    let name: HeaderName = name.trim().parse().map_err(|_| "this is no name of a header field".to_owned())?;
    let value = HeaderValue::from_str(value).map_err(|_| "this is no value of a header field".to_owned())?;
    if OURS.contains(&name.as_str()) {
        return Err(format!("`{name}` is written by pay itself"));
    }
    if name == header::TRANSFER_ENCODING && !value.as_bytes().eq_ignore_ascii_case(b"chunked") {
        return Err("only `Transfer-Encoding: chunked` can be sent".to_owned());
    }
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn call(method: Option<Method>, headers: &[&str], data: Option<Data>) -> Call {
        let url = "http://a.test/b?c=d".parse().unwrap();
        let headers = headers.iter().map(|text| field(text).unwrap()).collect();
        Wanted { url, method, headers, data }.call(&Context::new("/", BTreeMap::new())).unwrap()
    }

    #[test]
    fn a_request_is_what_curl_would_make_of_it() {
        let plain = call(None, &[], None);
        assert_eq!((plain.method.as_str(), plain.body.clone(), plain.is_chunked()), ("GET", None, false));
        let parts = vec![Part::of("a=1"), Part::of("b=2")];
        let form = Data { parts: parts.clone(), kind: "application/x-www-form-urlencoded" };
        let sent = call(None, &[], Some(form.clone()));
        assert_eq!((sent.method.as_str(), sent.body.as_deref()), ("POST", Some(&b"a=1&b=2"[..])));
        assert_eq!(sent.headers[header::CONTENT_TYPE], form.kind);
        let put = call(Some(Method::PUT), &["Content-Type: text/plain", "transfer-encoding: chunked"], Some(form));
        assert_eq!(
            (put.method.as_str(), &put.headers[header::CONTENT_TYPE]),
            ("PUT", &HeaderValue::from_static("text/plain"))
        );
        assert!(put.is_chunked());
    }

    #[test]
    fn fields_of_our_own_cannot_be_given() {
        for text in [
            "PAYMENT-SIGNATURE: x",
            "x-payment: x",
            "Content-Length: 3",
            "Transfer-Encoding: gzip",
            "no colon",
            "a b: c",
            ": x",
        ] {
            assert!(field(text).is_err(), "{text}");
        }
        assert_eq!(field("X-Empty;").unwrap().1, "");
        assert_eq!(field("X-A:  b: c ").unwrap().1, "b: c");
    }
}
