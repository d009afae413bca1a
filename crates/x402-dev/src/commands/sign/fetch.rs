//! Asking a URL for its offer, over plain HTTP/1.1. Blocking, for commands.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::SignError;
use super::source::{Answer, LIMIT};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a request without a body and without a payment. Follows no redirect.
pub fn ask(url: &Uri, method: &Method) -> Result<Answer, SignError> {
    let unreachable = |source| SignError::Unreachable { url: url.to_string(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unreachable)?;
    let late = || io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", TIMEOUT.as_secs()));
    let answer = runtime
        .block_on(async { tokio::time::timeout(TIMEOUT, exchange(url, method)).await.unwrap_or_else(|_| Err(late())) });
    answer.map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => SignError::TooLarge { name: url.to_string() },
        _ => unreachable(error),
    })
}

async fn exchange(url: &Uri, method: &Method) -> io::Result<Answer> {
    let host = url.host().unwrap_or_default();
    let address = format!("{host}:{}", url.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(&address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // It ends with the runtime.
    tokio::spawn(connection);
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, url.authority().map_or(host, |authority| authority.as_str()))
        .header(header::ACCEPT, "*/*")
        .header(header::USER_AGENT, concat!("x402-dev/", env!("CARGO_PKG_VERSION")));
    if ![Method::GET, Method::HEAD].contains(method) {
        request = request.header(header::CONTENT_LENGTH, 0);
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
    let (head, body) = sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
    let body = Limited::new(body, LIMIT).collect().await.map_err(|error| {
        let kind = if error.is::<LengthLimitError>() { io::ErrorKind::FileTooLarge } else { io::ErrorKind::Other };
        io::Error::new(kind, error)
    })?;
    Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
}
