//! Requests in flight: counted from their head until the last byte of the answer is handed over, or the client is gone.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::state::Counters;

/// A request in flight, counted as long as this lives.
#[derive(Debug)]
pub struct InFlight(Arc<Counters>);

/// The body of an answer that is counted, by its server and by its connection.
#[derive(Debug)]
pub struct Counted {
    body: Body,
    _in_flight: [InFlight; 2],
}

impl InFlight {
    /// Counts a request.
    pub fn begin(counters: &Arc<Counters>) -> Self {
        counters.requests.fetch_add(1, Ordering::Relaxed);
        counters.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counters))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counted {
    /// A body that is counted until it is dropped.
    pub const fn new(body: Body, in_flight: [InFlight; 2]) -> Self {
        Self { body, _in_flight: in_flight }
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
