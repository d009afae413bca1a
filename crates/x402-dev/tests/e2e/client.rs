//! An HTTP client for tests: it sends exactly the bytes it is given, and waits for nothing without a deadline.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long an answer may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A request, written when it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    target: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A connection that is kept.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    unread: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        Self { method: method.to_owned(), target: target.as_ref().to_vec(), headers: Vec::new(), body: None }
    }

    pub(crate) fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn post(target: impl AsRef<[u8]>, body: impl Into<Vec<u8>>) -> Self {
        Self { body: Some(body.into()), ..Self::new("POST", target) }
    }

    pub(crate) fn post_json(target: &str, body: &Value) -> Self {
        Self::post(target, body.to_string()).header("Content-Type", "application/json")
    }

    pub(crate) fn with_method(self, method: &str) -> Self {
        Self { method: method.to_owned(), ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// The bytes. `Host` and `Content-Length` are added where they were not given.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let given = |name: &str| self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        let mut bytes = [self.method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        if !given("host") {
            bytes.extend_from_slice(b"Host: api.test\r\n");
        }
        for (name, value) in &self.headers {
            bytes.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        if let Some(body) = self.body.as_ref().filter(|_| !given("content-length") && !given("transfer-encoding")) {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }

    fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

impl Answer {
    /// The value of a header that stands there at most once.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let first = values.next();
        assert_eq!(values.next(), None, "{name} stands there twice: {self:?}");
        first
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// What a header holds in padded standard base64.
    #[track_caller]
    pub(crate) fn decoded(&self, name: &str) -> Value {
        let text = self.header(name).unwrap_or_else(|| panic!("no {name}: {self:?}"));
        assert!(text.len().is_multiple_of(4), "{name} is not padded: {text}");
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)), "{text}");
        x402_wire::header::decode(text).unwrap()
    }

    /// The offer of version 2.
    #[track_caller]
    pub(crate) fn offer(&self) -> Value {
        self.decoded("payment-required")
    }

    #[track_caller]
    pub(crate) fn assert_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}\n{}", self.text());
        self
    }

    /// A refusal without a dialect: a status and a sentence with these parts.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, parts: &[&str]) {
        self.assert_status(status);
        let body = self.json();
        let text = body["error"].as_str().unwrap_or_else(|| panic!("no error text: {body}"));
        for part in parts {
            assert!(text.contains(part), "`{part}` is not in: {text}");
        }
    }
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Sends bytes. A peer that has closed already is no error: the answer may be there.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        match self.stream.write_all(bytes) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {}
            Err(error) => panic!("cannot send: {error}"),
        }
    }

    /// Sends a request and reads its answer.
    #[track_caller]
    pub(crate) fn send(&mut self, request: &Request) -> Answer {
        self.write(&request.bytes());
        if request.is_head() { self.read_head() } else { self.read() }
    }

    /// Reads an answer with its body.
    #[track_caller]
    pub(crate) fn read(&mut self) -> Answer {
        self.try_read().expect("the connection was closed without an answer")
    }

    /// Reads an answer with its body; `None` where the connection is closed instead.
    pub(crate) fn try_read(&mut self) -> Option<Answer> {
        let mut answer = self.try_read_head()?;
        if matches!(answer.status, 100..=199 | 204 | 304) {
            return Some(answer);
        }
        match answer.header("content-length").map(|length| length.parse::<usize>().unwrap()) {
            Some(length) => {
                while self.unread.len() < length {
                    assert!(self.fill() > 0, "the body broke off: {answer:?}");
                }
                answer.body = self.unread.drain(..length).collect();
            }
            None => answer.body = self.read_to_end(),
        }
        Some(answer)
    }

    /// Reads an answer that has no body, whatever its headers say.
    #[track_caller]
    pub(crate) fn read_head(&mut self) -> Answer {
        self.try_read_head().expect("the connection was closed without an answer")
    }

    fn try_read_head(&mut self) -> Option<Answer> {
        let end = loop {
            if let Some(end) = self.unread.windows(4).position(|part| part == b"\r\n\r\n") {
                break end;
            }
            if self.fill() == 0 {
                assert!(self.unread.is_empty(), "half an answer: {}", String::from_utf8_lossy(&self.unread));
                return None;
            }
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap();
        let (version, rest) = status.split_once(' ').unwrap();
        assert!(version.starts_with("HTTP/1."), "{status}");
        let pairs = lines.map(|line| line.split_once(": ").unwrap_or_else(|| (line.trim_end_matches(':'), "")));
        Some(Answer {
            status: rest[..3].parse().unwrap(),
            headers: pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
            body: Vec::new(),
        })
    }

    /// Everything until the peer closes.
    pub(crate) fn read_to_end(&mut self) -> Vec<u8> {
        while self.fill() > 0 {}
        std::mem::take(&mut self.unread)
    }

    /// Whatever comes next; nothing when the peer has closed.
    pub(crate) fn read_some(&mut self) -> Vec<u8> {
        if self.unread.is_empty() {
            self.fill();
        }
        std::mem::take(&mut self.unread)
    }

    /// Whether the peer has closed, after the answers that were read.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && self.fill() == 0
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish_sending(&self) {
        // A peer that has closed already has said so itself.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads more bytes; 0 when the peer has closed. A peer that says nothing at all fails the test.
    fn fill(&mut self) -> usize {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(length) => {
                self.unread.extend_from_slice(&chunk[..length]);
                length
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) if error.kind() == ErrorKind::Interrupted => self.fill(),
            Err(error) => panic!("no answer within {DEADLINE:?}: {error}"),
        }
    }
}
