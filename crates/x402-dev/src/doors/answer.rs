//! Answers: JSON bodies, refusals without a dialect, headers made of our own text.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::json;

/// A JSON body with its content type.
pub fn json_body<T: Serialize>(value: &T) -> impl IntoResponse + use<T> {
    let body = serde_json::to_vec(value).expect("answers have string keys");
    ([(header::CONTENT_TYPE, "application/json")], body)
}

/// An answer whose body is JSON already, with room for the headers that a paid resource's answers carry.
pub fn json_bytes(json: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(json));
    let headers = response.headers_mut();
    headers.reserve(12);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A refusal that has no dialect: a status and a sentence.
pub fn refuse(status: StatusCode, text: &str) -> Response {
    (status, json_body(&json!({ "error": text }))).into_response()
}

/// The same answer, after which the connection is closed: the rest of the request was not read.
pub fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Sets a header to a text that we made ourselves: ASCII without line ends.
pub fn set_header(headers: &mut HeaderMap, name: HeaderName, value: Option<String>) {
    if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(name, value);
    }
}
