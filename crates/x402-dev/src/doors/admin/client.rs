//! Asking a running server. Blocking, for commands.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

use super::problem::{self, Problem};
use super::{API, INSTANCE, Instance, RELOAD, Reloaded};
use crate::instance::Record;

/// How long an instance on this machine may take to answer a question about itself.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How long anything else may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that is asked.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Its address: `http://127.0.0.1:3402`.
    pub url: Uri,
    /// What it wants to hear from strangers.
    pub token: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody answers.
    #[error("cannot reach {url}")]
    Unreachable {
        /// The address.
        url: Uri,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It said no.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// What answers is no server of ours, or of another version.
    #[error("{url} answers {status}, and nothing that this version understands")]
    Strange {
        /// The address.
        url: Uri,
        /// The status.
        status: StatusCode,
    },
}

/// A body that is sent.
pub type Sent = BoxBody<Bytes, io::Error>;

/// What is asked.
#[derive(Debug)]
pub struct Question {
    /// How.
    pub method: Method,
    /// The path, with its query.
    pub path: String,
    /// The body and its content type.
    pub body: Option<(&'static str, Sent)>,
}

impl Question {
    /// A question without a body, at a path of the API.
    pub fn new(method: Method, path: &str) -> Self {
        Self { method, path: format!("{API}{path}"), body: None }
    }

    /// The same question, with a body in JSON.
    pub fn saying(self, value: &impl Serialize) -> Self {
        let json = serde_json::to_vec(value).expect("what commands send has string keys");
        let body = Full::new(Bytes::from(json)).map_err(|never| match never {}).boxed();
        Self { body: Some(("application/json", body)), ..self }
    }
}

impl Remote {
    /// The server that a record describes.
    pub fn of(record: &Record) -> io::Result<Self> {
        let url = record.url.parse().map_err(io::Error::other)?;
        Ok(Self { url, token: Some(record.token.clone()) })
    }

    /// `GET` of a path of the API.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        self.ask(Question::new(Method::GET, path))
    }

    /// `POST` of a path of the API, without a body.
    pub fn tell<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        self.ask(Question::new(Method::POST, path))
    }

    /// `POST` of a path of the API.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, CallError> {
        self.ask(Question::new(Method::POST, path).saying(body))
    }

    /// Asks, and reads the answer.
    pub fn ask<T: DeserializeOwned>(&self, question: Question) -> Result<T, CallError> {
        self.ask_within(question, PATIENCE)
    }

    /// Asks, and waits for the answer at most as long.
    pub fn ask_within<T: DeserializeOwned>(&self, question: Question, time: Duration) -> Result<T, CallError> {
        let (status, kind, body) = self.call(question, time).map_err(|source| self.unreachable(source))?;
        self.understand(status, &kind, &body)
    }

    /// Asks, and hands the body over as it comes, for as long as it comes and `take` wants more.
    ///
    /// The answer must begin in time; there is no limit to how long it goes on.
    pub fn stream(&self, question: Question, take: &mut dyn FnMut(&[u8]) -> io::Result<Flow>) -> Result<(), CallError> {
        let runtime = runtime().map_err(|source| self.unreachable(source))?;
        let outcome = runtime.block_on(async {
            let response = within(PATIENCE, self.exchange(question)).await?;
            let status = response.status();
            let kind = content_type(&response);
            let mut body = response.into_body();
            if status != StatusCode::OK {
                let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                return Ok(Err((status, kind, body)));
            }
            while let Some(frame) = body.frame().await {
                let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
                if take(&data)? == Flow::Enough {
                    break;
                }
            }
            Ok(Ok(()))
        });
        match outcome.map_err(|source| self.unreachable(source))? {
            Ok(()) => Ok(()),
            Err((status, kind, body)) => self.understand::<serde::de::IgnoredAny>(status, &kind, &body).map(drop),
        }
    }

    fn understand<T: DeserializeOwned>(&self, status: StatusCode, kind: &str, body: &[u8]) -> Result<T, CallError> {
        let strange = || CallError::Strange { url: self.url.clone(), status };
        if status.is_success() && kind == "application/json" {
            return serde_json::from_slice(body).map_err(|_| strange());
        }
        if kind != problem::CONTENT_TYPE {
            return Err(strange());
        }
        let problem = serde_json::from_slice(body).map_err(|_| strange())?;
        Err(CallError::Refused(Box::new(problem)))
    }

    fn unreachable(&self, source: io::Error) -> CallError {
        CallError::Unreachable { url: self.url.clone(), source }
    }

    fn call(&self, question: Question, time: Duration) -> io::Result<(StatusCode, String, Bytes)> {
        runtime()?.block_on(within(time, async {
            let response = self.exchange(question).await?;
            let (status, kind) = (response.status(), content_type(&response));
            let body = response.into_body().collect().await.map_err(io::Error::other)?;
            Ok((status, kind, body.to_bytes()))
        }))
    }

    async fn exchange(&self, question: Question) -> io::Result<Response<Incoming>> {
        let authority = self.url.authority().map_or("", http::uri::Authority::as_str);
        let address = format!("{}:{}", self.url.host().unwrap_or_default(), self.url.port_u16().unwrap_or(80));
        let stream = TcpStream::connect(address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // It ends with the runtime.
        tokio::spawn(connection);
        let mut request = Request::builder().method(question.method).uri(question.path).header(header::HOST, authority);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match question.body {
            Some((kind, body)) => {
                request = request.header(header::CONTENT_TYPE, kind);
                body
            }
            None => Full::default().map_err(|never| match never {}).boxed(),
        };
        let request = request.body(body).map_err(io::Error::other)?;
        sender.send_request(request).await.map_err(io::Error::other)
    }
}

/// Whether more of a body is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// More.
    More,
    /// No more.
    Enough,
}

/// Asks an instance how it is.
pub fn instance(record: &Record) -> io::Result<Instance> {
    instance_within(record, TIMEOUT)
}

/// Asks an instance how it is, and waits for the answer at most as long.
pub fn instance_within(record: &Record, time: Duration) -> io::Result<Instance> {
    let question = Question { method: Method::GET, path: INSTANCE.to_owned(), body: None };
    let (status, _, body) = Remote::of(record)?.call(question, time.min(TIMEOUT))?;
    if status != StatusCode::OK {
        return Err(io::Error::other(format!("the instance answered {status}")));
    }
    serde_json::from_slice(&body).map_err(io::Error::other)
}

/// Tells an instance to read its configuration again.
pub fn reload(record: &Record) -> io::Result<Reloaded> {
    let question = Question { method: Method::POST, path: RELOAD.to_owned(), body: None };
    let (status, _, body) = Remote::of(record)?.call(question, PATIENCE)?;
    serde_json::from_slice(&body).map_err(|_| io::Error::other(format!("the instance answered {status}")))
}

fn content_type(response: &Response<Incoming>) -> String {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + 'a>>;

/// Waits at most as long.
fn within<'a, T: 'a>(time: Duration, what: impl Future<Output = io::Result<T>> + 'a) -> Answer<'a, T> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "the instance does not answer");
    Box::pin(async move { tokio::time::timeout(time, what).await.unwrap_or_else(|_| Err(late())) })
}
