//! JSON-RPC 2.0: requests taken apart, answers put together.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use x402_sim::rpc::RpcError;

/// How many calls a batch may hold.
pub(super) const BATCH: usize = 1_000;

/// How many bytes the answers of a batch may have together, before the rest is refused.
const ANSWERS: usize = 25 * 1024 * 1024;

/// Room for the answer to most calls, in bytes.
const ANSWER_ROOM: usize = 160;

/// A text that is no JSON.
const PARSE: i64 = -32700;
/// A JSON value that is no request.
const INVALID_REQUEST: i64 = -32600;
/// An answer that is too large.
const TOO_LARGE: i64 = -32003;

/// What somebody sent.
#[derive(Debug)]
pub(super) enum Sent {
    /// One request.
    One(Request),
    /// Several, in their order.
    Batch(Vec<Request>),
}

/// A request, or what is wrong with it.
#[derive(Debug)]
pub(super) struct Request {
    /// What the answer must carry; `null` where it cannot be read.
    pub(super) id: Value,
    /// The call.
    pub(super) call: Result<Call, RpcError>,
}

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    /// The method.
    pub(super) method: String,
    /// The parameters, `null` where there are none.
    pub(super) params: Value,
}

/// The members of a request, whatever they are. `None` is a member that is missing, and not `null`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Members {
    #[serde(deserialize_with = "present")]
    jsonrpc: Option<Value>,
    #[serde(deserialize_with = "present")]
    id: Option<Value>,
    #[serde(deserialize_with = "present")]
    method: Option<Value>,
    #[serde(deserialize_with = "present")]
    params: Option<Value>,
}

fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// Reads what somebody sent.
///
/// # Errors
///
/// The answer to what is no request at all.
pub(super) fn read(bytes: &[u8]) -> Result<Sent, String> {
    let refuse = |code, text: String| Err(answer(&Value::Null, Err(RpcError::new(code, text))));
    // The commonest, without a tree of its members. Everything else is read again as what it is: one with a member twice.
    if bytes.trim_ascii_start().starts_with(b"{")
        && let Ok(members) = serde_json::from_slice::<Members>(bytes)
    {
        return Ok(Sent::One(members.into()));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Array(list)) if list.is_empty() => refuse(INVALID_REQUEST, "empty batch".to_owned()),
        Ok(Value::Array(list)) if list.len() > BATCH => {
            refuse(INVALID_REQUEST, format!("batch too large: {} calls, the limit is {BATCH}", list.len()))
        }
        Ok(Value::Array(list)) => Ok(Sent::Batch(list.into_iter().map(Request::of).collect())),
        Ok(one) => Ok(Sent::One(Request::of(one))),
        Err(error) => refuse(PARSE, format!("parse error: {error}")),
    }
}

impl Request {
    fn of(value: Value) -> Self {
        let Value::Object(mut members) = value else {
            let call = Err(invalid("a request is an object with jsonrpc, id, method and params"));
            return Self { id: Value::Null, call };
        };
        let [jsonrpc, id, method, params] = ["jsonrpc", "id", "method", "params"].map(|name| members.remove(name));
        Members { jsonrpc, id, method, params }.into()
    }
}

impl From<Members> for Request {
    fn from(members: Members) -> Self {
        let (id, said) = match members.id {
            Some(id @ (Value::String(_) | Value::Number(_) | Value::Null)) => (id, Ok(())),
            Some(_) => (Value::Null, Err(invalid("id: expected a text or a number"))),
            None => (Value::Null, Err(invalid("id is missing: every call has an answer here"))),
        };
        let call = said.and_then(|()| {
            if members.jsonrpc.as_ref().and_then(Value::as_str) != Some("2.0") {
                return Err(invalid("jsonrpc: expected \"2.0\""));
            }
            match members.method {
                Some(Value::String(method)) => Ok(Call { method, params: members.params.unwrap_or(Value::Null) }),
                Some(_) => Err(invalid("method: expected a text")),
                None => Err(invalid("method is missing")),
            }
        });
        Self { id, call }
    }
}

fn invalid(text: &str) -> RpcError {
    RpcError::new(INVALID_REQUEST, format!("invalid request: {text}"))
}

/// What an answer says.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Result(Value),
    Error {
        code: i64,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
}

/// The answer to a call.
pub(super) fn answer(id: &Value, outcome: Result<Value, RpcError>) -> String {
    let outcome = match outcome {
        Ok(result) => Outcome::Result(result),
        Err(RpcError { code, message, data }) => Outcome::Error { code, message, data },
    };
    let mut text = Vec::with_capacity(ANSWER_ROOM);
    text.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    let written = serde_json::to_writer(&mut text, id).and_then(|()| {
        // An object of one member: what stands within it belongs beside the id.
        let begin = text.len();
        serde_json::to_writer(&mut text, &outcome)?;
        text[begin] = b',';
        Ok(())
    });
    written.expect("answers have string keys");
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// A message of a subscription.
pub(super) fn notification(method: &str, subscription: &Value, result: &Value) -> String {
    json!({ "jsonrpc": "2.0", "method": method, "params": { "subscription": subscription, "result": result } })
        .to_string()
}

/// The answers of a batch, put together.
#[derive(Debug, Default)]
pub(super) struct Answers {
    list: Vec<Box<RawValue>>,
    bytes: usize,
}

impl Answers {
    /// Whether there is room for more.
    pub(super) const fn is_full(&self) -> bool {
        self.bytes > ANSWERS
    }

    /// Adds an answer.
    pub(super) fn push(&mut self, answer: String) {
        self.bytes += answer.len();
        // What was written by us is JSON.
        self.list.extend(RawValue::from_string(answer));
    }

    /// Adds the answer to a call for which there is no room.
    pub(super) fn refuse(&mut self, id: &Value) {
        let error = RpcError::new(TOO_LARGE, format!("response too large: the batch has {ANSWERS} bytes already"));
        self.push(answer(id, Err(error)));
    }

    /// All answers as one text.
    pub(super) fn finish(self) -> String {
        serde_json::to_string(&self.list).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match read(text.as_bytes()) {
            Err(answer) => answer,
            Ok(Sent::One(request)) => answer(&request.id, request.call.map(|call| call.params)),
            Ok(Sent::Batch(list)) => format!("{} calls", list.len()),
        }
    }

    #[test]
    fn what_is_no_request_is_told_what_it_lacks() {
        for (text, expected) in [
            ("{", "-32700"),
            ("[]", "empty batch"),
            ("7", "a request is an object"),
            (r#"{"jsonrpc":"2.0","method":"a"}"#, "id is missing"),
            (r#"{"jsonrpc":"2.0","method":"a","id":{}}"#, "id: expected"),
            (r#"{"method":"a","id":1}"#, r#"jsonrpc: expected \"2.0\""#),
            (r#"{"jsonrpc":"1.0","method":"a","id":1}"#, "jsonrpc: expected"),
            (r#"{"jsonrpc":"2.0","id":1}"#, "method is missing"),
            (r#"{"jsonrpc":"2.0","method":7,"id":1}"#, "method: expected"),
            (r#"{"jsonrpc":"2.0","method":"a","id":1} 7"#, "-32700"),
        ] {
            let answer = told(text);
            assert!(answer.contains(expected), "{text}: {answer}");
            assert!(answer.contains(r#""error":"#), "{text}: {answer}");
        }
    }

    #[test]
    fn a_request_is_what_its_members_say_the_last_of_each() {
        for (text, id, result) in [
            (r#"{"jsonrpc":"2.0","method":"a","id":"x","params":[1]}"#, r#""x""#, "[1]"),
            (r#" {"jsonrpc":"2.0","method":"a","id":null}"#, "null", "null"),
            (r#"{"id":1,"jsonrpc":"2.0","method":"a","params":[7],"id":2,"more":{}}"#, "2", "[7]"),
        ] {
            assert_eq!(told(text), format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#), "{text}");
        }
    }

    #[test]
    fn a_batch_has_a_limit() {
        let batch = |calls: usize| format!("[{}]", vec!["1"; calls].join(","));
        assert_eq!(told(&batch(BATCH)), "1000 calls");
        assert!(told(&batch(BATCH + 1)).contains("batch too large: 1001 calls"));
        let deep = "[".repeat(100_000);
        assert!(told(&deep).contains("-32700"));
    }
}
