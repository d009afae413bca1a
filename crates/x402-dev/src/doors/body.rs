//! Request bodies: read to a limit, within a time.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Body as _;
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

/// Reads the body of a request with these headers.
pub fn read(headers: &HeaderMap, body: Body) -> impl Future<Output = Result<Bytes, BodyError>> + Send + use<> {
    // Who waits for `100 Continue` has not begun to send, and shall not.
    let waits = headers.contains_key(header::EXPECT);
    async move {
        if body.size_hint().lower() > LIMIT as u64 {
            if !waits {
                Box::pin(forget(body)).await;
            }
            return Err(BodyError::TooLarge);
        }
        timed(body, Bytewise::Keep).await.map(|(bytes, _)| bytes)
    }
}

/// Reads a body, so that a client that is still sending can hear the answer, and keeps its hash; and the body itself
/// where it comes in one piece.
pub async fn drain(body: Body) -> Result<(BodyHash, Bytes), BodyError> {
    timed(body, Bytewise::Discard).await.map(|(bytes, hash)| (hash, bytes))
}

async fn timed(mut body: Body, bytes: Bytewise) -> Result<(Bytes, BodyHash), BodyError> {
    if body.is_end_stream() {
        return Ok((Bytes::new(), BodyHash::default()));
    }
    let mut intake = Intake::new(bytes);
    // Nearly every body has come with its head. The connection takes it up when it is asked for, and hands it over the
    // second time: that needs no timer.
    let mut is_first = true;
    let there = poll_fn(|context| match intake.poll(&mut body, context) {
        Poll::Pending if is_first => {
            is_first = false;
            context.waker().wake_by_ref();
            Poll::Pending
        }
        Poll::Pending => Poll::Ready(None),
        Poll::Ready(end) => Poll::Ready(Some(end)),
    });
    let end = if let Some(end) = there.await {
        end
    } else {
        let rest = poll_fn(|context| intake.poll(&mut body, context));
        Box::pin(tokio::time::timeout(TIMEOUT, rest)).await.unwrap_or(Err(BodyError::TooSlow))
    };
    match end {
        Ok(()) => Ok(intake.finish()),
        Err(error) => {
            if error == BodyError::TooLarge {
                Box::pin(forget(body)).await;
            }
            Err(error)
        }
    }
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

/// A body on its way.
struct Intake {
    bytes: Bytewise,
    /// The bytes, as long as there is one piece.
    whole: Bytes,
    /// The bytes of several pieces.
    kept: BytesMut,
    hasher: BodyHasher,
    size: usize,
}

impl Intake {
    fn new(bytes: Bytewise) -> Self {
        Self { bytes, whole: Bytes::new(), kept: BytesMut::new(), hasher: BodyHasher::default(), size: 0 }
    }

    /// Takes what is there, until the end.
    fn poll(&mut self, body: &mut Body, context: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        while let Some(frame) = ready!(Pin::new(&mut *body).poll_frame(context)) {
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
            self.take(data)?;
        }
        Poll::Ready(Ok(()))
    }

    fn take(&mut self, data: Bytes) -> Result<(), BodyError> {
        self.size += data.len();
        if self.size > LIMIT {
            return Err(BodyError::TooLarge);
        }
        match self.bytes {
            // Nearly every body is one piece: it is taken as it is.
            Bytewise::Keep if self.whole.is_empty() && self.kept.is_empty() => self.whole = data,
            Bytewise::Keep => {
                self.kept.extend_from_slice(&std::mem::take(&mut self.whole));
                self.kept.extend_from_slice(&data);
            }
            Bytewise::Discard => {
                self.hasher.add(&data);
                self.whole = if self.size == data.len() { data } else { Bytes::new() };
            }
        }
        Ok(())
    }

    fn finish(self) -> (Bytes, BodyHash) {
        let bytes = if self.kept.is_empty() { self.whole } else { self.kept.freeze() };
        (bytes, self.hasher.finish())
    }
}
