//! Asking a running instance. Blocking, for commands.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{INSTANCE, Instance, RELOAD, Reloaded};
use crate::instance::Record;

/// How long an instance on this machine may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How long a reload may take.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Asks an instance how it is.
pub fn instance(record: &Record) -> io::Result<Instance> {
    instance_within(record, TIMEOUT)
}

/// Asks an instance how it is, and waits for the answer at most as long.
pub fn instance_within(record: &Record, time: Duration) -> io::Result<Instance> {
    let (status, body) = call(record, Method::GET, INSTANCE, time.min(TIMEOUT))?;
    if status != StatusCode::OK {
        return Err(io::Error::other(format!("the instance answered {status}")));
    }
    serde_json::from_slice(&body).map_err(io::Error::other)
}

/// Tells an instance to read its configuration again.
pub fn reload(record: &Record) -> io::Result<Reloaded> {
    let (status, body) = call(record, Method::POST, RELOAD, RELOAD_TIMEOUT)?;
    serde_json::from_slice(&body).map_err(|_| io::Error::other(format!("the instance answered {status}")))
}

fn call(record: &Record, method: Method, path: &str, timeout: Duration) -> io::Result<(StatusCode, Bytes)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let late = || io::Error::new(io::ErrorKind::TimedOut, "the instance does not answer");
    runtime.block_on(async {
        tokio::time::timeout(timeout, exchange(record, method, path)).await.unwrap_or_else(|_| Err(late()))
    })
}

async fn exchange(record: &Record, method: Method, path: &str) -> io::Result<(StatusCode, Bytes)> {
    let address = record.url.strip_prefix("http://").unwrap_or(&record.url);
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // It ends with the runtime.
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, address)
        .header(header::AUTHORIZATION, format!("Bearer {}", record.token))
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(io::Error::other)?;
    Ok((status, body.to_bytes()))
}
