//! One request and its answer, over a connection of its own.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode, Uri, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use super::content::Content;
use super::dial::{Machines, Trust};
use crate::clock;

/// How much of the body of a 402 is read, in bytes: an offer is not larger.
pub const OFFER: u64 = 1024 * 1024;

/// How large the pieces of a chunked body are, in bytes.
const CHUNK: usize = 16 * 1024;

/// A request, ready to be sent as often as need be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its method.
    pub method: Method,
    /// Where it goes.
    pub url: Uri,
    /// Its header fields. `Host` and the length follow by themselves.
    pub headers: HeaderMap,
    /// Its body; `None` where there is none.
    pub body: Option<Bytes>,
}

/// An answer, as far as it came.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body, as far as it came.
    pub body: Content,
    /// How its end was lost; `None` where it is whole.
    pub broken: Option<io::Error>,
}

/// There is no answer.
#[derive(Debug)]
pub enum Silence {
    /// Nothing of the request has left this machine.
    Unsent(io::Error),
    /// The request, or a part of it, was sent.
    Sent(io::Error),
}

/// A request and what came of it, with its times in milliseconds since 1970.
#[derive(Debug)]
pub struct Exchange {
    /// The request.
    pub call: Call,
    /// What came of it.
    pub outcome: Result<Answer, Silence>,
    /// When it began.
    pub began: u64,
    /// When it ended.
    pub ended: u64,
}

type Body = BoxBody<Bytes, io::Error>;

/// Sends requests.
#[derive(Debug)]
pub struct Caller {
    /// Whom TLS trusts.
    pub trust: Trust,
    /// How long one request may take.
    pub max_time: Duration,
    /// Where large bodies lie.
    pub shelf: PathBuf,
}

/// A connection that is kept for the next request.
#[derive(Debug)]
pub struct Line(SendRequest<Body>);

impl Silence {
    /// What happened.
    pub const fn cause(&self) -> &io::Error {
        match self {
            Self::Unsent(cause) | Self::Sent(cause) => cause,
        }
    }

    /// What happened.
    pub fn into_cause(self) -> io::Error {
        match self {
            Self::Unsent(cause) | Self::Sent(cause) => cause,
        }
    }
}

impl Exchange {
    /// How long it took, in milliseconds; nothing where somebody has set the clock back meanwhile.
    pub const fn time(&self) -> u64 {
        self.ended.saturating_sub(self.began)
    }
}

impl Caller {
    /// Sends a request to machines that were looked up, and waits for its answer.
    pub async fn send(&self, call: &Call, machines: &Machines) -> Exchange {
        self.send_over(call, machines, &mut None).await
    }

    /// The same over a kept connection, if there is one that still stands; leaves it for the next.
    pub async fn send_over(&self, call: &Call, machines: &Machines, line: &mut Option<Line>) -> Exchange {
        let began = clock::now();
        let outcome = self.exchange(call, machines, line).await;
        if !matches!(outcome, Ok(Answer { broken: None, .. })) {
            *line = None;
        }
        Exchange { call: call.clone(), outcome, began, ended: clock::now() }
    }

    async fn exchange(&self, call: &Call, machines: &Machines, line: &mut Option<Line>) -> Result<Answer, Silence> {
        let until = tokio::time::Instant::now() + self.max_time;
        let mut kept = line.take();
        if let Some(own) = &mut kept
            && own.0.ready().await.is_err()
        {
            kept = None;
        }
        let sender = match kept {
            Some(kept) => line.insert(kept),
            None => line.insert(self.by(until, self.open(call, machines)).await.map_err(Silence::Unsent)?),
        };
        let request = call.request().map_err(Silence::Unsent)?;
        let sending = async { sender.0.send_request(request).await.map_err(plain) };
        let response = self.by(until, sending).await.map_err(Silence::Sent)?;
        let (head, incoming) = response.into_parts();
        let mut body = Content::default();
        let asks = [StatusCode::PAYMENT_REQUIRED, StatusCode::PRECONDITION_FAILED].contains(&head.status);
        let most = if asks { OFFER } else { u64::MAX };
        let broken = self.by(until, self.collect(incoming, &mut body, most)).await.err();
        Ok(Answer { status: head.status, headers: head.headers, body, broken })
    }

    async fn open(&self, call: &Call, machines: &Machines) -> io::Result<Line> {
        let stream = machines.connect(&call.url, &self.trust).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(plain)?;
        // It ends with the runtime, or when the answer is read.
        tokio::spawn(connection);
        Ok(Line(sender))
    }

    async fn collect(&self, mut incoming: Incoming, body: &mut Content, most: u64) -> io::Result<()> {
        while let Some(frame) = incoming.frame().await {
            if let Ok(data) = frame.map_err(plain)?.into_data() {
                if body.len().saturating_add(data.len() as u64) > most {
                    return Err(io::Error::other(format!("it is larger than {} MiB", most / 1024 / 1024)));
                }
                body.push(&data, &self.shelf)?;
            }
        }
        Ok(())
    }

    async fn by<T>(&self, until: tokio::time::Instant, what: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let late =
            || io::Error::new(io::ErrorKind::TimedOut, format!("nothing within {} s", self.max_time.as_secs_f64()));
        tokio::time::timeout_at(until, what).await.unwrap_or_else(|_| Err(late()))
    }
}

impl Call {
    /// Whether its body goes in pieces, without a length.
    pub fn is_chunked(&self) -> bool {
        self.headers
            .get(header::TRANSFER_ENCODING)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"chunked"))
    }

    /// The same request with a payment.
    pub fn paying(&self, payment: &[(HeaderName, HeaderValue)]) -> Self {
        let mut call = self.clone();
        for (name, value) in payment {
            call.headers.insert(name.clone(), value.clone());
        }
        call
    }

    fn request(&self) -> io::Result<Request<Body>> {
        let path = self.url.path_and_query().map_or("/", |path| path.as_str());
        let authority = self.url.authority().map_or("", |authority| authority.as_str());
        let body = self.body.clone().unwrap_or_default();
        let sent = match (self.is_chunked(), &self.body) {
            (true, Some(_)) => {
                let pieces: Vec<Bytes> =
                    (0..body.len()).step_by(CHUNK).map(|at| body.slice(at..body.len().min(at + CHUNK))).collect();
                StreamBody::new(stream::iter(pieces.into_iter().map(|piece| Ok(Frame::data(piece))))).boxed()
            }
            _ => Full::new(body).map_err(|never| match never {}).boxed(),
        };
        let mut request = Request::new(sent);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = path.parse().map_err(io::Error::other)?;
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = self.headers.clone();
        let headers = request.headers_mut();
        if !headers.contains_key(header::HOST) {
            headers.insert(header::HOST, HeaderValue::from_str(authority).map_err(io::Error::other)?);
        }
        // What has a body by its nature says that it is empty.
        if self.body.is_none() && [Method::POST, Method::PUT, Method::PATCH].contains(&self.method) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Ok(request)
    }
}

/// What a connection says of its end, in words for people.
fn plain(error: hyper::Error) -> io::Error {
    let inner = std::error::Error::source(&error).and_then(|inner| inner.downcast_ref::<io::Error>());
    match inner {
        Some(inner) => io::Error::new(inner.kind(), inner.to_string()),
        None if error.is_incomplete_message() => {
            io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed in the middle of the answer")
        }
        None => io::Error::other(error),
    }
}
