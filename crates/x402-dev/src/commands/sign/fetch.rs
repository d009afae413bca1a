//! Asking a URL for its offer, and a chain for a blockhash, over plain HTTP/1.1. Blocking, for commands.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use x402_sim::networks::solana::parse_address;

use super::SignError;
use super::source::{Answer, LIMIT};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a request without a body and without a payment. Follows no redirect.
pub fn ask(url: &Uri, method: &Method) -> Result<Answer, SignError> {
    send(url, method, None)
}

/// A recent blockhash of a Solana cluster, from its JSON-RPC.
pub fn blockhash(url: &Uri) -> Result<[u8; 32], SignError> {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "getLatestBlockhash", "params": [] });
    let answer = send(url, &Method::POST, Some(call.to_string()))?;
    let none = |why: String| SignError::NoBlockhash { why: format!("{url} {why}") };
    let said: Value = serde_json::from_slice(&answer.body)
        .map_err(|_| none(format!("answers {} to getLatestBlockhash, and no JSON", answer.status)))?;
    let found = said.pointer("/result/value/blockhash").and_then(Value::as_str).and_then(parse_address);
    let error = said.pointer("/error/message").and_then(Value::as_str).unwrap_or("no blockhash");
    let error: String = error.chars().filter(|own| !own.is_control()).take(200).collect();
    found.ok_or_else(|| none(format!("answers getLatestBlockhash: {error}")))
}

fn send(url: &Uri, method: &Method, body: Option<String>) -> Result<Answer, SignError> {
    let unreachable = |source| SignError::Unreachable { url: url.to_string(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unreachable)?;
    let late = || io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", TIMEOUT.as_secs()));
    let answer = runtime.block_on(async {
        tokio::time::timeout(TIMEOUT, exchange(url, method, body)).await.unwrap_or_else(|_| Err(late()))
    });
    answer.map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => SignError::TooLarge { name: url.to_string() },
        _ => unreachable(error),
    })
}

async fn exchange(url: &Uri, method: &Method, body: Option<String>) -> io::Result<Answer> {
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
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    if ![Method::GET, Method::HEAD].contains(method) {
        request = request.header(header::CONTENT_LENGTH, body.as_ref().map_or(0, String::len));
    }
    let body = Full::new(Bytes::from(body.unwrap_or_default()));
    let request = request.body(body).map_err(io::Error::other)?;
    let (head, body) = sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
    let body = Limited::new(body, LIMIT).collect().await.map_err(|error| {
        let kind = if error.is::<LengthLimitError>() { io::ErrorKind::FileTooLarge } else { io::ErrorKind::Other };
        io::Error::new(kind, error)
    })?;
    Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
}
