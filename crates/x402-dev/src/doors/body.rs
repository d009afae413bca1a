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
        timed(body, Bytewise::Keep, TIMEOUT).await.map(|(bytes, _)| bytes)
    }
}

/// Reads a body, so that a client that is still sending can hear the answer, and keeps its hash; and the body itself
/// where it comes in one piece.
pub async fn drain(body: Body) -> Result<(BodyHash, Bytes), BodyError> {
    timed(body, Bytewise::Discard, TIMEOUT).await.map(|(bytes, hash)| (hash, bytes))
}

async fn timed(mut body: Body, bytes: Bytewise, limit: Duration) -> Result<(Bytes, BodyHash), BodyError> {
    if body.is_end_stream() {
        return Ok((Bytes::new(), BodyHash::default()));
    }
    let mut intake = Intake::new(bytes);
    // Nearly every body has come with its head, and needs no timer.
    let there = poll_fn(|context| Poll::Ready(intake.poll(&mut body, context))).await;
    let end = if let Poll::Ready(end) = there {
        end
    } else {
        let rest = poll_fn(|context| intake.poll(&mut body, context));
        Box::pin(tokio::time::timeout(limit, rest)).await.unwrap_or(Err(BodyError::TooSlow))
    };
    if end == Err(BodyError::TooLarge) {
        drop(intake);
        Box::pin(forget(body)).await;
        return Err(BodyError::TooLarge);
    }
    end.map(|()| intake.finish())
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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::io;

    use http_body::Frame;

    use super::*;

    /// A body that comes in pieces; `None` is a wait.
    struct Pieces(VecDeque<Option<io::Result<Bytes>>>);

    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            match self.0.pop_front() {
                None => Poll::Ready(None),
                Some(Some(piece)) => Poll::Ready(Some(piece.map(Frame::data))),
                Some(None) => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
            }
        }
    }

    /// A body that never comes.
    struct Never;

    impl http_body::Body for Never {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    async fn collect<const N: usize>(pieces: [Option<&'static str>; N]) -> Result<Bytes, BodyError> {
        let pieces = pieces.map(|piece| piece.map(|piece| Ok(Bytes::from(piece))));
        let body = Body::new(Pieces(pieces.into()));
        timed(body, Bytewise::Keep, TIMEOUT).await.map(|(bytes, _)| bytes)
    }

    #[tokio::test]
    async fn a_body_is_whole_however_it_comes() {
        assert_eq!(collect([Some("a body")]).await.as_deref(), Ok(b"a body".as_slice()));
        assert_eq!(collect([Some("a "), Some("body")]).await.as_deref(), Ok(b"a body".as_slice()));
        assert_eq!(collect([None, Some("a body")]).await.as_deref(), Ok(b"a body".as_slice()));
        let slow = [None, None, Some("a"), None, Some(" "), Some("body"), None];
        assert_eq!(collect(slow).await.as_deref(), Ok(b"a body".as_slice()));
        assert_eq!(collect([]).await.as_deref(), Ok(b"".as_slice()));
    }

    #[tokio::test]
    async fn a_body_has_one_hash_however_it_comes() {
        let mut hashes = Vec::new();
        for pieces in [vec!["a body"], vec!["a ", "body"]] {
            let several = pieces.len() > 1;
            let pieces = pieces.into_iter().map(|piece| Some(Ok(Bytes::from(piece)))).collect();
            let (hash, bytes) = drain(Body::new(Pieces(pieces))).await.unwrap();
            assert_eq!(bytes.is_empty(), several);
            hashes.push(hash);
        }
        assert_eq!(hashes[0], hashes[1]);
        assert_ne!(hashes[0], BodyHash::default());
    }

    #[tokio::test]
    async fn what_does_not_come_to_its_end_is_an_error() {
        let never = timed(Body::new(Never), Bytewise::Keep, Duration::from_millis(1)).await;
        assert_eq!(never, Err(BodyError::TooSlow));
        for pieces in [vec![], vec![None, Some(Ok(Bytes::from("a")))]] {
            let broken = pieces.into_iter().chain([Some(Err(io::Error::other("broken")))]).collect();
            assert_eq!(timed(Body::new(Pieces(broken)), Bytewise::Keep, TIMEOUT).await, Err(BodyError::Broken));
        }
    }

    #[tokio::test]
    async fn the_largest_body_is_read_and_a_larger_one_is_not() {
        for wait in [None, Some(())] {
            let half = || Some(Ok(Bytes::from(vec![b'x'; LIMIT / 2])));
            let pieces = |last: Option<io::Result<Bytes>>| {
                let wait = wait.map(|()| None);
                let pieces: VecDeque<_> = [half()].into_iter().chain(wait).chain([half(), last]).collect();
                timed(Body::new(Pieces(pieces)), Bytewise::Keep, TIMEOUT)
            };
            assert_eq!(pieces(None).await.map(|(bytes, _)| bytes.len()), Ok(LIMIT));
            assert_eq!(pieces(Some(Ok(Bytes::from("x")))).await, Err(BodyError::TooLarge));
        }
    }
}
