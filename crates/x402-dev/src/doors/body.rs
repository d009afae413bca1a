//! Request bodies: read to a limit, within a time.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{Request, header};
use http_body_util::BodyExt;
use x402_sim::purchase::buyer::{BodyHash, BodyHasher};

/// The largest body that is read, in bytes.
pub const LIMIT: usize = 1024 * 1024;

/// How long a body may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How many bytes of a body that is too large are read and forgotten, so that its client hears the answer: one that is
/// still sending when the connection closes is told of a reset instead.
const FORGOTTEN: usize = 16 * 1024 * 1024;

/// How long that may take.
const FORGETTING: Duration = Duration::from_secs(2);

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

/// Reads the body of a request.
pub async fn read(request: Request<Body>) -> Result<Bytes, BodyError> {
    // Who waits for `100 Continue` has not begun to send, and shall not.
    let waits = request.headers().contains_key(header::EXPECT);
    let body = request.into_body();
    if http_body::Body::size_hint(&body).lower() > LIMIT as u64 {
        if !waits {
            forget(body).await;
        }
        return Err(BodyError::TooLarge);
    }
    timed(body, Bytewise::Keep).await.map(|(bytes, _)| bytes)
}

/// Reads a body, so that a client that is still sending can hear the answer, and keeps its hash; and the body itself
/// where it comes in one piece.
pub async fn drain(body: Body) -> Result<(BodyHash, Bytes), BodyError> {
    timed(body, Bytewise::Discard).await.map(|(bytes, hash)| (hash, bytes))
}

async fn timed(mut body: Body, bytes: Bytewise) -> Result<(Bytes, BodyHash), BodyError> {
    if http_body::Body::is_end_stream(&body) {
        return Ok((Bytes::new(), BodyHash::default()));
    }
    let collected = {
        let mut collecting = pin!(collect(&mut body, bytes));
        // Nearly every body is there with its head, and needs no timer.
        match poll_fn(|context| Poll::Ready(collecting.as_mut().poll(context))).await {
            Poll::Ready(collected) => collected,
            Poll::Pending => tokio::time::timeout(TIMEOUT, collecting).await.unwrap_or(Err(BodyError::TooSlow)),
        }
    };
    if collected == Err(BodyError::TooLarge) {
        forget(body).await;
    }
    collected
}

/// Reads on and keeps nothing, to the end, for a while, or until there was too much.
async fn forget(mut body: Body) {
    let rest = async {
        let mut size = 0;
        while let Some(Ok(frame)) = body.frame().await {
            size += frame.data_ref().map_or(0, Bytes::len);
            if size > FORGOTTEN {
                break;
            }
        }
    };
    // What is not read by then is reset.
    let _ = tokio::time::timeout(FORGETTING, rest).await;
}

async fn collect(body: &mut Body, bytes: Bytewise) -> Result<(Bytes, BodyHash), BodyError> {
    let (mut whole, mut kept) = (Bytes::new(), BytesMut::new());
    let (mut hasher, mut size) = (BodyHasher::default(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        size += data.len();
        if size > LIMIT {
            return Err(BodyError::TooLarge);
        }
        match bytes {
            // Nearly every body is one piece: it is taken as it is.
            Bytewise::Keep if whole.is_empty() && kept.is_empty() => whole = data,
            Bytewise::Keep => {
                kept.extend_from_slice(&std::mem::take(&mut whole));
                kept.extend_from_slice(&data);
            }
            Bytewise::Discard => {
                hasher.add(&data);
                whole = if size == data.len() { data } else { Bytes::new() };
            }
        }
    }
    let bytes = if kept.is_empty() { whole } else { kept.freeze() };
    Ok((bytes, hasher.finish()))
}
