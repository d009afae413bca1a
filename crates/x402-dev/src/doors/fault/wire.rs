//! Answers that go wrong on their way over HTTP.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use x402_sim::fault::effect::Wire;

use super::line::Cut;
use crate::state::State;

/// How many bytes more are announced than come.
const MISSING: usize = 32;

/// The page of a proxy.
const PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1>\
    </center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

/// Whether an answer can only go wrong so where there is one.
pub const fn needs_answer(wire: &Wire) -> bool {
    match wire {
        Wire::Truncated
        | Wire::WrongLength
        | Wire::MalformedJson
        | Wire::WrongType
        | Wire::ResetWithin
        | Wire::ResetAfter => true,
        Wire::Hang
        | Wire::Timeout(_)
        | Wire::Status(..)
        | Wire::RateLimited(_)
        | Wire::Redirect(_)
        | Wire::Html(_)
        | Wire::ResetBefore => false,
    }
}

/// How long a gateway waits before it gives up.
pub fn gateway_patience(state: &State, wait: Option<u64>) -> u64 {
    wait.unwrap_or_else(|| u64::try_from(state.timeout_delay.as_millis()).unwrap_or(u64::MAX))
}

/// Spoils an answer. `target` is the path of the request, for a redirect to itself; `at` is when, in milliseconds of the
/// world's clock.
pub async fn spoil(state: &State, answer: Response, wire: &Wire, target: &str, at: u64) -> Response {
    match wire {
        Wire::Hang => cut(answer, Cut::Hang),
        Wire::ResetBefore => cut(answer, Cut::Before),
        Wire::Timeout(wait) => {
            state.wait_until(at.saturating_add(gateway_patience(state, *wait))).await;
            (StatusCode::GATEWAY_TIMEOUT, GATEWAY_TIMEOUT).into_response()
        }
        Wire::Status(code, body) => {
            let status = StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            with_body(status, body.as_deref())
        }
        Wire::RateLimited(seconds) => {
            let mut response = with_body(StatusCode::TOO_MANY_REQUESTS, Some(RATE_LIMITED));
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            response
        }
        Wire::Redirect(to) => {
            let to = to.as_deref().unwrap_or(target);
            let to = HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static("/"));
            (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, to)]).into_response()
        }
        Wire::Html(code) => {
            (StatusCode::from_u16(*code).unwrap_or(StatusCode::BAD_GATEWAY), Html(PAGE)).into_response()
        }
        Wire::WrongType => {
            let mut answer = answer;
            answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            answer
        }
        Wire::ResetAfter => {
            let mut answer = answer;
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            cut(answer, Cut::Reset)
        }
        Wire::Truncated | Wire::WrongLength | Wire::MalformedJson | Wire::ResetWithin => cut_body(answer, wire).await,
    }
}

/// What a gateway says that gave up.
pub const GATEWAY_TIMEOUT: &str = "504 Gateway Timeout";

/// What a facilitator says to whom it is too busy for.
pub const RATE_LIMITED: &str = r#"{"error":"rate limited"}"#;

/// The body of [`Wire::Html`].
pub const fn page() -> &'static str {
    PAGE
}

/// A status with a body, whose type follows from what it looks like.
pub fn with_body(status: StatusCode, body: Option<&str>) -> Response {
    let Some(body) = body else { return status.into_response() };
    let json = serde_json::from_str::<&serde_json::value::RawValue>(body);
    let kind = if json.is_ok() { "application/json" } else { "text/plain; charset=utf-8" };
    (status, [(header::CONTENT_TYPE, kind)], body.to_owned()).into_response()
}

fn cut(mut answer: Response, how: Cut) -> Response {
    answer.extensions_mut().insert(how);
    answer
}

async fn cut_body(answer: Response, wire: &Wire) -> Response {
    let (mut head, body) = answer.into_parts();
    // Our own bodies are whole in memory.
    let mut bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    if bytes.len() < 2 {
        bytes = Bytes::from_static(b"{}");
    }
    let whole = bytes.len();
    let (kept, announced) = match wire {
        Wire::MalformedJson => {
            head.headers.remove(header::CONTENT_LENGTH);
            return Response::from_parts(head, Body::from(bytes.slice(..whole - 1)));
        }
        Wire::WrongLength => (whole, whole + MISSING),
        _ => (whole / 2, whole),
    };
    announce(&mut head.headers, announced);
    if *wire == Wire::ResetWithin {
        head.extensions.insert(Cut::Reset);
    }
    Response::from_parts(head, Body::new(Broken { first: Some(bytes.slice(..kept)), waited: false }))
}

fn announce(headers: &mut HeaderMap, length: usize) {
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
}

/// A body that breaks off: what comes first is on the line when the rest fails.
struct Broken {
    first: Option<Bytes>,
    waited: bool,
}

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if !self.waited {
            // The connection writes what it has whenever a body has nothing ready.
            self.waited = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::Error::other("a fault cut the answer off"))))
    }
}
