//! Connections that faults cut: a stream that can end with a reset instead of a farewell.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::doors::parcel::Outbox;

/// What shall become of an answer's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It stays open without an answer.
    Hang,
    /// It is reset before the answer.
    Before,
    /// It is reset when the answer's end is reached.
    Reset,
}

/// A connection. It ends with a reset where that was asked for.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
    outbox: Outbox,
}

impl Line {
    /// A connection over a stream, and what makes it end with a reset.
    pub fn over(stream: TcpStream) -> (Self, Arc<AtomicBool>) {
        let reset = Arc::new(AtomicBool::new(false));
        (Self { stream, reset: Arc::clone(&reset), outbox: Outbox::default() }, reset)
    }

    /// Where paid content waits until all bytes have been written.
    pub fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    fn is_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.is_reset() {
            // A socket that refuses is closed as others are.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            // A client that has left answers the bytes with a reset, on the same machine at once.
            self.outbox.flushed(|| matches!(self.stream.take_error(), Ok(None)));
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_reset() {
            // A farewell would come before the reset.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
