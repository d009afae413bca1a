//! Asking a URL once, without a payment.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::ExplainError;
use crate::check::Answer;
use crate::commands::pay::dial::{Machines, Trust};
use crate::secret::cleaned;

/// The most that is read of an answer, in MiB.
const LIMIT: usize = 4;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Sends one GET. Follows no redirect.
pub fn ask(url: &Uri) -> Result<Answer, ExplainError> {
    let unreachable = |source| ExplainError::Unreachable { url: cleaned(&url.to_string()), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unreachable)?;
    let late = || io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", PATIENCE.as_secs()));
    let asked = async { tokio::time::timeout(PATIENCE, exchange(url)).await.unwrap_or_else(|_| Err(late())) };
    runtime.block_on(asked).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => ExplainError::TooLarge { name: cleaned(&url.to_string()), limit: LIMIT },
        _ => unreachable(error),
    })
}

async fn exchange(url: &Uri) -> io::Result<Answer> {
    let machines = Machines::of(url).await?;
    let stream = machines.connect(url, &Trust::default()).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // It ends with the runtime.
    tokio::spawn(connection);
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::builder()
        .method(Method::GET)
        .uri(path)
        .header(header::HOST, url.authority().map_or("", |authority| authority.as_str()))
        .header(header::ACCEPT, "*/*")
        .header(header::USER_AGENT, concat!("x402-dev/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let (head, body) = sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
    let body = Limited::new(body, LIMIT * 1024 * 1024).collect().await.map_err(|error| {
        let kind = if error.is::<LengthLimitError>() { io::ErrorKind::FileTooLarge } else { io::ErrorKind::Other };
        io::Error::new(kind, error)
    })?;
    Ok(Answer::new(url.to_string(), head.status.as_u16(), &head.headers, &body.to_bytes()))
}
