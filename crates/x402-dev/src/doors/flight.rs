//! Requests in flight: counted from their head until the last byte of the answer is handed over, or the client is gone.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::parcel::{Outbox, Parcel};
use crate::state::Counters;

/// A request in flight, counted as long as this lives.
#[derive(Debug)]
pub struct InFlight(Arc<Counters>);

/// The body of an answer that is counted, by its server and by its connection.
#[derive(Debug)]
pub struct Counted {
    body: Body,
    reading: Reading,
    parcel: Option<(Arc<Parcel>, Outbox)>,
    _held: Held,
}

/// Marks an answer that goes on until one side ends it: nobody waits for its end, and it is not in flight.
#[derive(Clone, Copy, Debug)]
pub struct Endless;

/// What an answer is counted as.
#[derive(Debug)]
enum Held {
    InFlight { _guards: [InFlight; 2] },
    Endless { _guard: Stream },
}

/// An endless answer of a connection, counted as long as this lives.
#[derive(Debug)]
struct Stream(Arc<Counters>);

/// Whether the bytes of a body are read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// They are sent.
    Whole,
    /// The request was HEAD: its answer ends with its head.
    HeadOnly,
}

impl InFlight {
    /// Counts a request.
    pub fn begin(counters: &Arc<Counters>) -> Self {
        counters.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counters))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counted {
    /// A body that is counted until it is dropped.
    pub const fn new(body: Body, reading: Reading, in_flight: [InFlight; 2]) -> Self {
        Self { body, reading, parcel: None, _held: Held::InFlight { _guards: in_flight } }
    }

    /// A body that goes on until one side ends it, on a connection.
    pub fn endless(body: Body, connection: &Arc<Counters>) -> Self {
        connection.streams.fetch_add(1, Ordering::Relaxed);
        let guard = Stream(Arc::clone(connection));
        Self { body, reading: Reading::Whole, parcel: None, _held: Held::Endless { _guard: guard } }
    }

    /// The same body, with paid content in it, on its way through a connection.
    pub fn with_parcel(mut self, parcel: Arc<Parcel>, outbox: Outbox) -> Self {
        self.parcel = Some((parcel, outbox));
        if self.reading == Reading::HeadOnly || self.body_has_ended() {
            self.send_parcel();
        }
        self
    }

    fn body_has_ended(&self) -> bool {
        http_body::Body::is_end_stream(&self.body)
    }

    fn send_parcel(&mut self) {
        if let Some((parcel, outbox)) = self.parcel.take() {
            outbox.add(parcel);
        }
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(None) => self.send_parcel(),
            Poll::Ready(Some(Ok(_))) if self.body_has_ended() => self.send_parcel(),
            Poll::Ready(Some(Err(_))) => drop(self.parcel.take()),
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
