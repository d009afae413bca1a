//! The hand of a test on a server's faults and clock, and an eye that sees how connections end.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::client::{Answer, Connection, DEADLINE, Request};
use crate::harness::Mock;
use crate::payer::{Payment, encoded};

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is open, and the answer was whole.
    Open,
    /// It was closed.
    Closed,
    /// It was reset.
    Reset,
}

/// What was seen on a connection.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) end: End,
    /// Everything that came.
    pub(crate) bytes: Vec<u8>,
}

impl Seen {
    /// The head and what came of the body.
    #[track_caller]
    pub(crate) fn answer(&self) -> Answer {
        let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head: {self:?}"));
        let head = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Answer { status, headers: headers.collect(), body: self.bytes[end + 4..].to_vec() }
    }

    /// How many bytes the head announces.
    #[track_caller]
    pub(crate) fn announced(&self) -> usize {
        self.answer().header("content-length").unwrap().parse().unwrap()
    }
}

/// Sends a request and watches the connection until the answer is whole or the connection has ended.
pub(crate) fn watch(mock: &Mock, request: &Request) -> Seen {
    let mut connection = mock.connect();
    connection.write(&request.bytes());
    watch_on(&mut connection.stream)
}

/// Watches a connection on which a request was sent.
pub(crate) fn watch_on(stream: &mut TcpStream) -> Seen {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut bytes = Vec::new();
    let mut chunk = [0; 8 * 1024];
    loop {
        if let Some(end) = whole(&bytes) {
            return Seen { end, bytes };
        }
        match stream.read(&mut chunk) {
            Ok(0) => return Seen { end: End::Closed, bytes },
            Ok(length) => bytes.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Seen { end: End::Reset, bytes },
            Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&bytes)),
        }
    }
}

/// Whether an answer is whole on a connection that stays open. One that says `close` is watched to its end.
fn whole(bytes: &[u8]) -> Option<End> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let seen = Seen { end: End::Open, bytes: bytes.to_vec() };
    let answer = seen.answer();
    if answer.header("connection").is_some_and(|value| value == "close") {
        return None;
    }
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    (bytes.len() >= end + 4 + length).then_some(End::Open)
}

/// Asks the admin door.
#[track_caller]
pub(crate) fn admin(mock: &Mock, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let target = format!("/_x402/api{path}");
    let request = match body {
        Some(body) => Request::post_json(&target, body).with_method(method),
        None => Request::new(method, target).header("Content-Length", "0"),
    };
    mock.connect().send(&request.header("Host", mock.address.to_string()))
}

/// Adds a fault; gives the ids.
#[track_caller]
pub(crate) fn add(mock: &Mock, fault: &Value) -> Vec<String> {
    let answer = admin(mock, "POST", "/faults", Some(fault));
    let ids = answer.assert_status(200).json();
    ids["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// Goes back to the start, with a frozen clock. Gives the number of the newest event: events stay.
#[track_caller]
pub(crate) fn reset(mock: &Mock) -> u64 {
    admin(mock, "POST", "/reset", None).assert_status(200);
    admin(mock, "POST", "/clock/freeze", None).assert_status(200);
    newest(mock)
}

/// The sequence number of the newest event.
#[track_caller]
pub(crate) fn newest(mock: &Mock) -> u64 {
    admin(mock, "GET", "/events?limit=1", None).assert_status(200).json()["newest"].as_u64().unwrap()
}

/// Moves the clock.
#[track_caller]
pub(crate) fn advance(mock: &Mock, by_ms: u64) {
    admin(mock, "POST", "/clock/advance", Some(&json!({"by_ms": by_ms}))).assert_status(200);
}

/// How many transactions the ledger holds.
#[track_caller]
pub(crate) fn settlements(mock: &Mock) -> u64 {
    let saved = admin(mock, "PUT", "/snapshots/count", None);
    saved.assert_status(200).json()["transactions"].as_u64().unwrap()
}

/// The events after a sequence number.
#[track_caller]
pub(crate) fn events(mock: &Mock, since: u64) -> Vec<Value> {
    let page = admin(mock, "GET", &format!("/events?since={since}&limit=1000"), None);
    page.assert_status(200).json()["events"].as_array().unwrap().clone()
}

/// Waits until faults were played; then nothing must be on the line. Moves the clock, and watches what comes.
#[track_caller]
pub(crate) fn watch_delayed(mock: &Mock, request: &Request, by_ms: u64) -> Seen {
    let mut connection = mock.connect();
    hold(mock, &mut connection, request);
    advance(mock, by_ms);
    watch_on(&mut connection.stream)
}

/// Sends a request that meets a fault, and sees that no byte comes.
#[track_caller]
pub(crate) fn hold(mock: &Mock, connection: &mut Connection, request: &Request) {
    let newest = newest(mock);
    connection.write(&request.bytes());
    let wait = json!({"filter": {"kind": "faulted"}, "since": newest, "count": 1, "timeout_ms": 10_000});
    admin(mock, "POST", "/events/wait", Some(&wait)).assert_status(200);
    connection.stream.set_nonblocking(true).unwrap();
    let peeked = connection.stream.peek(&mut [0]);
    connection.stream.set_nonblocking(false).unwrap();
    assert!(peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "an answer came at once");
    connection.stream.flush().unwrap();
}

/// A request that pays.
pub(crate) fn paying(target: &str, payment: &Payment) -> Request {
    Request::get(target).header("PAYMENT-SIGNATURE", encoded(&payment.v2()))
}
