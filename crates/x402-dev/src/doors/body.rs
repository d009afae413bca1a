//! Request bodies: read to a limit, within a time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

/// The largest body that is read, in bytes.
pub const LIMIT: usize = 1024 * 1024;

/// How long a body may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why a body was not read to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than [`LIMIT`].
    TooLarge,
    /// It took too long.
    TooSlow,
    /// The connection broke, or its framing is wrong.
    Broken,
}

/// Whether the bytes of a body are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bytewise {
    Keep,
    Discard,
}

/// Reads a body.
pub async fn read(body: Body) -> Result<Bytes, BodyError> {
    timed(body, Bytewise::Keep).await
}

/// Reads a body and forgets it, so that a client that is still sending can hear the answer.
pub async fn drain(body: Body) -> Result<(), BodyError> {
    timed(body, Bytewise::Discard).await.map(|_| ())
}

async fn timed(body: Body, bytes: Bytewise) -> Result<Bytes, BodyError> {
    if http_body::Body::is_end_stream(&body) {
        return Ok(Bytes::new());
    }
    tokio::time::timeout(TIMEOUT, collect(body, bytes)).await.unwrap_or(Err(BodyError::TooSlow))
}

async fn collect(mut body: Body, bytes: Bytewise) -> Result<Bytes, BodyError> {
    let (mut whole, mut kept, mut size) = (Bytes::new(), BytesMut::new(), 0);
    if http_body::Body::size_hint(&body).lower() > LIMIT as u64 && bytes == Bytewise::Keep {
        return Err(BodyError::TooLarge);
    }
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        size += data.len();
        if size > LIMIT {
            return Err(BodyError::TooLarge);
        }
        if bytes == Bytewise::Keep {
            // Nearly every body is one piece: it is taken as it is.
            if whole.is_empty() && kept.is_empty() {
                whole = data;
            } else {
                kept.extend_from_slice(&std::mem::take(&mut whole));
                kept.extend_from_slice(&data);
            }
        }
    }
    Ok(if kept.is_empty() { whole } else { kept.freeze() })
}
